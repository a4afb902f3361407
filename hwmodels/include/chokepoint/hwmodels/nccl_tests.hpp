// SPDX-License-Identifier: Apache-2.0
// What nccl-tests prints, as timings: a user's own cluster calibrates the model with it.
#pragma once

#include <chokepoint/hwmodels/collective.hpp>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chokepoint::hw {

/// Faults of a file, one line each: "out.txt:12: error: …".
class NcclTestsError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// One table of one program of nccl-tests.
struct NcclTestsRun {
    Collective op = Collective::all_reduce;
    int ranks = 0;
    int nodes = 1;      ///< hosts named in the header
    std::string device; ///< as the header names it: "NVIDIA H100 80GB HBM3"; empty if it does not
    std::vector<CollectiveSeries::Point> points; ///< out of place; rising sizes, the median of repeats
    friend bool operator==(const NcclTestsRun&, const NcclTestsRun&) = default;
};

/// Every table of the text, which may hold the output of several programs. The operation is the one that
/// nccl-tests names ("# Collective test starting: all_reduce_perf"); older releases do not, and then it
/// follows from the columns, or is `op` where these fit two.
/// @throws NcclTestsError with every fault.
std::vector<NcclTestsRun> parse_nccl_tests(std::string_view text, const std::string& file,
                                           std::optional<Collective> op = std::nullopt);
/// @throws NcclTestsError; std::runtime_error if the file cannot be read.
std::vector<NcclTestsRun> read_nccl_tests(const std::filesystem::path&,
                                          std::optional<Collective> op = std::nullopt);

} // namespace chokepoint::hw
