// SPDX-License-Identifier: Apache-2.0
// Hopper's instructions that CUDA C++ has no names for: mbarriers, bulk tensor copies, warpgroup matrix
// products. Semantics: PTX ISA 9.0, sections on mbarrier, cp.async.bulk.tensor and wgmma.
#pragma once

#include <cuda.h>

#include <cstdint>

namespace chokepoint::kref {

__device__ inline std::uint32_t shared_address(const void* p) {
    return static_cast<std::uint32_t>(__cvta_generic_to_shared(p));
}

__device__ inline void barrier_init(std::uint64_t* barrier, int arrivals) {
    asm volatile("mbarrier.init.shared::cta.b64 [%0], %1;" ::"r"(shared_address(barrier)), "r"(arrivals)
                 : "memory");
}

/// Makes initialised barriers visible to the copy engine and to other threads (after a block barrier).
__device__ inline void barrier_init_fence() {
    asm volatile("fence.mbarrier_init.release.cluster;" ::: "memory");
    asm volatile("fence.proxy.async.shared::cta;" ::: "memory");
}

/// Arrives, and expects `bytes` more to be copied before the phase completes.
__device__ inline void barrier_expect(std::uint64_t* barrier, std::uint32_t bytes) {
    asm volatile("mbarrier.arrive.expect_tx.shared::cta.b64 _, [%0], %1;" ::"r"(shared_address(barrier)),
                 "r"(bytes)
                 : "memory");
}

__device__ inline void barrier_arrive(std::uint64_t* barrier) {
    asm volatile("mbarrier.arrive.shared::cta.b64 _, [%0];" ::"r"(shared_address(barrier)) : "memory");
}

/// Waits until the phase of this parity has completed.
__device__ inline void barrier_wait(std::uint64_t* barrier, std::uint32_t parity) {
    asm volatile("{\n"
                 ".reg .pred done;\n"
                 "again:\n"
                 "mbarrier.try_wait.parity.shared::cta.b64 done, [%0], %1;\n"
                 "@!done bra again;\n"
                 "}\n" ::"r"(shared_address(barrier)),
                 "r"(parity)
                 : "memory");
}

/// Copies a box of a two-dimensional tensor to shared memory; the barrier counts its bytes.
__device__ inline void copy_box(void* to, const CUtensorMap* map, int column, int row,
                                std::uint64_t* barrier) {
    asm volatile("cp.async.bulk.tensor.2d.shared::cluster.global.tile.mbarrier::complete_tx::bytes"
                 " [%0], [%1, {%2, %3}], [%4];" ::"r"(shared_address(to)),
                 "l"(map), "r"(column), "r"(row), "r"(shared_address(barrier))
                 : "memory");
}

__device__ inline void prefetch_map(const CUtensorMap* map) {
    asm volatile("prefetch.tensormap [%0];" ::"l"(map) : "memory");
}

template <int kRegisters> __device__ inline void grow_registers() {
    asm volatile("setmaxnreg.inc.sync.aligned.u32 %0;" ::"n"(kRegisters));
}
template <int kRegisters> __device__ inline void shrink_registers() {
    asm volatile("setmaxnreg.dec.sync.aligned.u32 %0;" ::"n"(kRegisters));
}

/// Shared-memory matrix of rows of 128 bytes, k innermost, 128-byte swizzle, groups of 8 rows 1024 bytes
/// apart.
__device__ inline std::uint64_t matrix_descriptor(const void* p) {
    constexpr std::uint64_t kIgnoredOffset = std::uint64_t{1}
                                             << 16; // leading offset: unused with this swizzle
    constexpr std::uint64_t kGroupOffset = std::uint64_t{1024 >> 4} << 32;
    constexpr std::uint64_t kSwizzle128 = std::uint64_t{1} << 62;
    const std::uint64_t start = (shared_address(p) & 0x3ffffU) >> 4;
    return start | kIgnoredOffset | kGroupOffset | kSwizzle128;
}

__device__ inline void matrix_fence() { asm volatile("wgmma.fence.sync.aligned;" ::: "memory"); }
__device__ inline void matrix_commit() { asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory"); }
__device__ inline void matrix_wait() { asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory"); }

/// Tells the compiler that registers change here, so that it moves no use of them across.
template <int kCount> __device__ inline void pin(float (&registers)[kCount]) {
#pragma unroll
    for (float& value : registers) {
        asm volatile("" : "+f"(value)::"memory");
    }
}

} // namespace chokepoint::kref
