// SPDX-License-Identifier: Apache-2.0
// Keeps the places of transfers right while kernels are added around them.
#include <chokepoint/workloads/kernel_sequence.hpp>

#include <array>
#include <utility>

namespace chokepoint::work {

std::string_view name(TransferKind kind) {
    constexpr std::array<std::string_view, 10> kNames{
        "dispatch",   "combine",    "pipeline",   "reduce_scatter", "all_gather",
        "all_reduce", "all_to_all", "ring_shift", "host_copy",      "host_update"};
    return kNames.at(static_cast<std::size_t>(kind));
}

void KernelSequence::prepend(const std::vector<hw::Operator>& others) {
    operators.insert(operators.begin(), others.begin(), others.end());
    for (InnerTransfer& transfer : transfers) {
        transfer.after += others.size();
        transfer.until += transfer.until == InnerTransfer::kOutput ? 0 : others.size();
    }
}

std::size_t KernelSequence::start(InnerTransfer transfer) {
    transfer.after = operators.size();
    transfer.until = InnerTransfer::kOutput;
    transfers.push_back(std::move(transfer));
    return transfers.size() - 1;
}

void KernelSequence::finish(std::size_t transfer) { transfers.at(transfer).until = operators.size(); }

void KernelSequence::transfer(InnerTransfer transfer) { finish(start(std::move(transfer))); }

} // namespace chokepoint::work
