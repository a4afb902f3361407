// SPDX-License-Identifier: Apache-2.0
// What a part can do, each figure with its source; and caps, which turn one part into a restricted one.
#pragma once

#include <chokepoint/hwmodels/units.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace chokepoint::hw {

enum class DType { fp64, fp32, tf32, bf16, fp16, fp8, fp4, int8 };
std::string_view name(DType);
std::optional<DType> dtype_from(std::string_view);
/// Bytes of one element (fp4: 0.5).
Bytes element_bytes(DType);

struct Citation {
    std::string source;
    std::string date;      ///< ISO date of the source or of its reading
    bool estimate = false; ///< true where no good source exists
    friend bool operator==(const Citation&, const Citation&) = default;
};

/// A rental price with the day it held.
struct PriceEntry {
    UsdPerSecond per_gpu;
    std::string date;
    std::string source;
    friend bool operator==(const PriceEntry&, const PriceEntry&) = default;
};

/// One accelerator. Bandwidth conventions: `nvlink` aggregates both directions, as datasheets and rules do;
/// `nvlink_achievable` is one direction as measured by transfers of many MiB. A part without NVLink (or its
/// like) has zeros there and reaches its node's other parts over PCIe.
struct GpuSpec {
    std::string id;           ///< catalog name, "h800-sxm"
    std::string name;         ///< "NVIDIA H800 SXM5 80GB"
    std::string architecture; ///< fits are shared within one: "hopper"
    int sm_count = 0;
    std::map<DType, FlopsPerSecond> dense_peak;
    Bytes memory;
    BytesPerSecond memory_bandwidth;
    BytesPerSecond nvlink;
    BytesPerSecond nvlink_achievable;
    BytesPerSecond pcie; ///< the parts without NVLink state it; conventions as nvlink
    BytesPerSecond pcie_achievable;
    Watts tdp;
    std::optional<double> die_area_mm2;
    std::vector<PriceEntry> prices;            ///< oldest first
    std::map<std::string, Citation> citations; ///< keyed by the field's name in the catalog file

    /// @throws std::invalid_argument naming the part and the dtype if the part lacks it.
    [[nodiscard]] FlopsPerSecond peak(DType) const;
    friend bool operator==(const GpuSpec&, const GpuSpec&) = default;
};

/// Upper limits a rule (or a user) puts on a part. An unset cap leaves the part's own figure.
struct Caps {
    std::optional<BytesPerSecond> nvlink; ///< aggregate of both directions
    std::optional<BytesPerSecond> nic;    ///< per NIC, one direction; applied to the node
    std::optional<BytesPerSecond> memory_bandwidth;
    std::optional<FlopsPerSecond> fp64;
    std::optional<double> tpp; ///< total processing performance; scales every tensor dtype alike
    friend bool operator==(const Caps&, const Caps&) = default;
};

/// The link to the other parts of a node: NVLink, or PCIe on a part without.
struct PeerLink {
    BytesPerSecond rate;       ///< both directions together
    BytesPerSecond achievable; ///< one direction
    friend bool operator==(const PeerLink&, const PeerLink&) = default;
};
PeerLink peer_link(const GpuSpec&);

/// TPP: the largest product of dense rate (TOPS) and bit length over all dtypes (15 CFR 774, 3A090, note 2).
double total_processing_performance(const GpuSpec&);

/// The part with every figure lowered to its cap; a cap above the part's own figure changes nothing.
/// The achievable NVLink rate keeps its share of the link's rate.
GpuSpec apply(const Caps&, GpuSpec);

} // namespace chokepoint::hw
