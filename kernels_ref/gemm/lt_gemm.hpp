// SPDX-License-Identifier: Apache-2.0
// GEMMs through cuBLASLt: BF16, FP8 with one scale, FP8 with 1x128 by 128x128 scales; one call per group.
#pragma once

#include "framework/workload.hpp"

namespace chokepoint::kref {

std::unique_ptr<Workload> make_lt_bf16(const Case&, Device&);
std::unique_ptr<Workload> make_lt_fp8_tensor(const Case&, Device&);
std::unique_ptr<Workload> make_lt_fp8_block(const Case&, Device&);

} // namespace chokepoint::kref
