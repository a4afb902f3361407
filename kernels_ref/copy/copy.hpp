// SPDX-License-Identifier: Apache-2.0
// Plain data movement: copy, residual add, and the concatenation that builds MLA's keys.
#pragma once

#include "framework/number_formats.hpp"
#include "framework/workload.hpp"

#include <span>

namespace chokepoint::kref {

/// `bytes` is a multiple of 16.
void copy_bytes(const std::byte* from, std::byte* to, std::int64_t bytes, const Launch&);
/// out[i] = a[i] + b[i]; `count` is a multiple of 8.
void add_bf16(const Bf16Bits* a, const Bf16Bits* b, Bf16Bits* out, std::int64_t count, const Launch&);

/// keys[t][h] = nope[t][h] followed by rope[t], the same for every head: 128 and 64 values.
struct ConcatShape {
    std::int64_t tokens = 0;
    int heads = 0;
    static constexpr int kNope = 128, kRope = 64, kKey = kNope + kRope; // DeepSeek-V3 report, 4.2
};
void concat_keys(const Bf16Bits* nope, const Bf16Bits* rope, Bf16Bits* keys, const ConcatShape&,
                 const Launch&);

/// Reference of add_bf16 for one element: the exact sum, rounded once.
Bf16Bits add_reference(Bf16Bits a, Bf16Bits b);

std::vector<Case> copy_ceiling_cases();
std::vector<Case> copy_cases();
std::vector<Case> add_cases();
std::vector<Case> concat_cases();
Work copy_work(const Case&);
Work add_work(const Case&);
Work concat_work(const Case&);
std::unique_ptr<Workload> make_memcpy(const Case&, Device&);
std::unique_ptr<Workload> make_copy(const Case&, Device&);
std::unique_ptr<Workload> make_add(const Case&, Device&);
std::unique_ptr<Workload> make_concat(const Case&, Device&);

} // namespace chokepoint::kref
