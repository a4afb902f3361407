// SPDX-License-Identifier: Apache-2.0
// Small campaigns on different parts, for comparisons that take milliseconds.
#pragma once

#include <chokepoint/sim/scenario.hpp>

#include <string>
#include <vector>

namespace chokepoint::test {

inline constexpr std::string_view kSmallCampaign = R"(title = "16 GPUs"
[cluster]
gpu = "h800-sxm"
nodes = 2
[model]
arch = "moe-tiny"
[plan]
pipeline = 2
expert = 8
schedule = "1f1b"
micro_batch = 1
global_batch = 32
sequence = 4096
precision = "bf16"
split = [4, 4]
[campaign]
tokens = "100e9"
price = "2.00 USD/GPU-h"
)";

inline sim::Scenario small(std::vector<std::string> overrides = {}) {
    return sim::parse_scenario(kSmallCampaign, "small.toml", {std::move(overrides), {}});
}

} // namespace chokepoint::test
