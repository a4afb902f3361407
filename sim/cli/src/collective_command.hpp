// SPDX-License-Identifier: Apache-2.0
// Options of the commands around collectives.
#pragma once

#include "part_options.hpp"

#include <string>
#include <vector>

namespace chokepoint::cli {

struct CollectiveOptions {
    std::string gpu;
    std::string op = "all_reduce"; ///< nccl-tests' names, or dispatch and combine
    int gpus = 0;                  ///< 0: the GPUs of the nodes
    int nodes = 0;                 ///< 0: as many as the GPUs need
    std::string bytes = "512MiB";
    std::string from, to; ///< a range instead of one size
    double factor = 2.0;
    std::vector<std::string> caps;
    std::string fabric = std::string(kDefaultFabric); ///< between the nodes
    std::string transfers;                            ///< a rates file; empty: the shipped one
    // DeepEP's benchmark, DeepSeek-V3's sizes.
    int tokens = 4096;
    int hidden = 7168;
    int top_k = 8;
    int experts = 256;
    int max_nodes = 4;
    std::string dtype; ///< empty: FP8 dispatch, BF16 combine, as DeepEP's benchmark
};
int collective_command(const CollectiveOptions&, const Common&);

/// Dispatch and combine of DeepEP, which nccl-tests does not have.
bool is_moe_operation(const std::string& op);
int moe_command(const CollectiveOptions&, const Common&);

struct ImportOptions {
    std::string file;
    std::string gpu; ///< empty: by the device that the file names
    std::string op;
    std::vector<std::string> caps;
    std::string out; ///< empty: stdout
};
int import_nccl_tests_command(const ImportOptions&, const Common&);

} // namespace chokepoint::cli
