// SPDX-License-Identifier: Apache-2.0
// Every kernel of the suite, in the order in which a short lease should reach them.
#pragma once

#include "framework/workload.hpp"

#include <span>
#include <string_view>

namespace chokepoint::kref {

struct Kernel {
    std::string_view name;           ///< "gemm-bf16-lt"
    std::string_view kernel_class;   ///< the cost model's class: "gemm", "norm_fwd", ...
    Precision precision;             ///< dtype and scaling of what is timed
    std::string_view implementation; ///< "cuBLASLt", "cuDNN", "CUDA runtime" or "kref", our own
    std::string_view summary;
    std::vector<Case> (*cases)();
    Work (*work)(const Case&);
    MakeWorkload make;
    bool accumulates = true; ///< weight gradients are added to FP32, as training does
    /// Rows that share the code which could hang: one that does speaks for all. Empty where a row stands
    /// alone.
    std::string_view family = {};
};

std::span<const Kernel> kernels();
/// The class of a GEMM depends on its role: weight gradients are a class of their own.
std::string_view kernel_class(const Kernel&, const Case&);

/// Whether times of the case may be fitted. Ceilings are no layers, and a weight gradient that is not
/// accumulated does less than its class.
bool fits(const Kernel&, const Case&);
/// Index of the first kernel of the same family; a kernel that stands alone is its own.
int family_of(int kernel);

/// Whether `filter` is empty, "*", a name, or a pattern with '*' that the whole name matches; several may be
/// joined by commas.
bool matches(std::string_view name, std::string_view filter);

} // namespace chokepoint::kref
