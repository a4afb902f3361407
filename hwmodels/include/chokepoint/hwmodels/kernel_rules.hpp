// SPDX-License-Identifier: Apache-2.0
// Which operator class a profiled kernel belongs to, by a table that a user can replace.
#pragma once

#include <chokepoint/hwmodels/operator.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

/// What a kernel occupies: the multiprocessors for arithmetic, links to other GPUs, or a copy engine.
enum class Duty { compute, communication, copy };
std::string_view name(Duty);

/// What a cost model calls the same work. A memory-bound class has no format.
struct PricedOperator {
    KernelClass kernel = KernelClass::gemm;
    std::optional<DType> dtype;
    friend auto operator<=>(const PricedOperator&, const PricedOperator&) = default;
};
std::string to_text(const PricedOperator&);

/// A class that kernels of a profile are counted under.
struct ProfiledClass {
    std::string id; ///< "gemm fp8"
    Duty duty = Duty::compute;
    std::vector<PricedOperator> operators; ///< all that kernels of the class may be; empty: not modelled
    std::vector<std::string> transfers;    ///< the same of transfers: "dispatch", "all_reduce", "waiting"
    friend bool operator==(const ProfiledClass&, const ProfiledClass&) = default;
};

/// Applies to kernels that meet each condition that is not empty.
struct KernelRule {
    std::size_t of_class = 0;            ///< index into KernelRules::classes
    std::vector<std::string> any;        ///< the kernel's name has one of these in it
    std::vector<std::string> all;        ///< ... and each of these
    std::vector<std::string> categories; ///< "kernel", "gpu_memcpy", "gpu_memset"
    std::vector<std::string> streams;    ///< "7"
    friend bool operator==(const KernelRule&, const KernelRule&) = default;
};

struct KernelRules {
    std::vector<ProfiledClass> classes;
    std::vector<KernelRule> rules; ///< the first that applies decides
    /// Index of the class, or nothing. Letters count as they are written.
    [[nodiscard]] std::optional<std::size_t> classify(std::string_view kernel, std::string_view category,
                                                      std::string_view stream) const;
};

/// An empty path: the shipped table.
/// @throws CatalogError with every fault of the file.
KernelRules load_kernel_rules(const std::filesystem::path& file = {});

} // namespace chokepoint::hw
