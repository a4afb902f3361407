// SPDX-License-Identifier: Apache-2.0
// Kernels of one GPU in issue order, with the transfers between them that a block's own groups make.
#pragma once

#include <chokepoint/workloads/rank_layout.hpp>

#include <chokepoint/hwmodels/operator.hpp>

#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

enum class TransferKind : std::uint8_t {
    dispatch,
    combine,
    pipeline,
    reduce_scatter,
    all_gather,
    all_reduce,
    all_to_all,
    ring_shift,  ///< every member sends to its neighbour
    host_copy,   ///< between a GPU and its CPU's memory
    host_update, ///< in the CPU's memory: what the CPU reads and writes
};
std::string_view name(TransferKind);
constexpr bool in_host(TransferKind kind) {
    return kind == TransferKind::host_copy || kind == TransferKind::host_update;
}

/// A transfer that a block makes within its tensor- or context-parallel group. It starts when `after` kernels
/// of the sequence are done, and is done before kernel `until` starts; those in between run beside it.
struct InnerTransfer {
    /// The sequence's result, which no kernel of it waits for.
    static constexpr std::size_t kOutput = std::numeric_limits<std::size_t>::max();

    std::string name; ///< "gather qkv input"
    TransferKind kind = TransferKind::all_gather;
    Group group = Group::tensor;
    hw::Bytes bytes; ///< per GPU: of a collective, the full vector; else what it sends
    std::size_t after = 0;
    std::size_t until = 0;
    friend bool operator==(const InnerTransfer&, const InnerTransfer&) = default;
};

struct KernelSequence {
    std::vector<hw::Operator> operators;
    std::vector<InnerTransfer> transfers; ///< by `after`

    [[nodiscard]] bool empty() const { return operators.empty() && transfers.empty(); }
    [[nodiscard]] auto begin() const { return operators.begin(); }
    [[nodiscard]] auto end() const { return operators.end(); }
    void push_back(hw::Operator op) { operators.push_back(std::move(op)); }
    /// Puts `others` in front; transfers keep their places among their own kernels.
    void prepend(const std::vector<hw::Operator>& others);

    /// A transfer behind the kernels so far; kernels added now run beside it, until finish(). Without a
    /// finish() it is the sequence's output. Returns its number.
    std::size_t start(InnerTransfer);
    void finish(std::size_t transfer);
    /// A transfer that the next kernel waits for.
    void transfer(InnerTransfer);

    friend bool operator==(const KernelSequence&, const KernelSequence&) = default;
};

} // namespace chokepoint::work
