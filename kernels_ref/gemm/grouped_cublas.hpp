// SPDX-License-Identifier: Apache-2.0
// BF16 grouped GEMM through cuBLAS: all experts in one call. Its weight gradient writes BF16 and does not
// accumulate.
#pragma once

#include "framework/workload.hpp"

namespace chokepoint::kref {

Work grouped_cublas_work(const Case&);
std::unique_ptr<Workload> make_grouped_cublas(const Case&, Device&);

} // namespace chokepoint::kref
