// SPDX-License-Identifier: Apache-2.0
// Schedules in the CSV of torch.distributed.pipelining, so that a trainer's own order can be replayed here
// and an order of ours can be run there.
#pragma once

#include <chokepoint/workloads/schedule.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::work {

struct CsvFault {
    int line = 0, column = 0; ///< both from 1; column 0: the line as a whole; line 0: the file
    std::string message;
};

class ScheduleCsvError : public std::runtime_error {
public:
    explicit ScheduleCsvError(std::vector<CsvFault>);
    [[nodiscard]] const std::vector<CsvFault>& faults() const { return faults_; }

private:
    std::vector<CsvFault> faults_;
};

/// A line per rank, actions between commas: 0F3, 0B3, 0I3, 0W3, (0F3;7B1)OVERLAP_F_B. Empty cells are
/// bubbles; what moves parameters, activations or gradients (UNSHARD, RESHARD, REDUCE_GRAD, SEND_F, RECV_F,
/// SEND_B, RECV_B) is checked for form and left out, since it follows from the rest. A stage lives where its
/// actions are. Older files, where B is the input gradient and BW the full backward, are read too: they have
/// a BW, or a W and no I.
/// @throws ScheduleCsvError with every fault of the text and of the order it gives.
Schedule parse_schedule_csv(std::string_view text, std::string id);

/// "(0F3;7B1)OVERLAP_F_B": an action as the CSV has it.
std::string csv_cell(const Action&);
/// The same format, without bubbles and communication: PyTorch's "compute_only".
std::string to_csv(const Schedule&);

} // namespace chokepoint::work
