// SPDX-License-Identifier: Apache-2.0
// What a PyTorch profiler (Kineto) recorded of one GPU, reduced to who ran when.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace chokepoint::sim {

/// Wrong profiles: every fault found, a line each, "trace.json: error: byte 4711: …".
class ProfileError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// Profiles count time from an arbitrary moment, in whole nanoseconds: exact, so that intervals add up.
using ProfileTime = std::chrono::nanoseconds;

struct GpuInterval {
    ProfileTime start{}, end{};
    std::uint32_t kernel = 0;             ///< index into Profile::kernels
    std::uint32_t stream = 0;             ///< index into Profile::streams
    std::optional<std::uint32_t> segment; ///< innermost annotation during which the host launched it
    friend bool operator==(const GpuInterval&, const GpuInterval&) = default;
};

struct ProfiledKernel {
    std::string name;
    std::string category; ///< "kernel", "gpu_memcpy" or "gpu_memset"
    friend auto operator<=>(const ProfiledKernel&, const ProfiledKernel&) = default;
};

struct Profile {
    std::string file;
    std::string device; ///< "NVIDIA H800"; empty if the file does not say
    std::optional<std::int64_t> rank, world_size;
    std::int64_t events = 0; ///< of any kind, in the whole file
    int steps = 0;           ///< the profiler's own steps among the annotations
    std::vector<ProfiledKernel> kernels;
    std::vector<std::string> streams;  ///< as the file numbers them
    std::vector<std::string> segments; ///< names of annotations, without the number of a step
    std::vector<std::int64_t> segment_counts;
    std::vector<GpuInterval> intervals; ///< by start, then stream
};

struct ProfileOptions {
    std::optional<std::int64_t> device; ///< needed if several ran kernels
};

/// Reads JSON, gzipped or not, as a stream: memory goes with the number of GPU events and launches, not with
/// the size of the file.
/// @throws ProfileError; std::runtime_error if the file cannot be opened.
Profile read_profile(const std::filesystem::path&, const ProfileOptions& = {});

} // namespace chokepoint::sim
