// SPDX-License-Identifier: Apache-2.0
// Times one workload in the ways that a training step meets it.
#pragma once

#include "framework/statistics.hpp"
#include "framework/workload.hpp"

#include <optional>

namespace chokepoint::kref {

/// cold: L2 holds none of the operands. hot: many launches back to back, over rotated buffers, from a graph;
/// what a stream of large kernels sees. sustained: the same for seconds, until clocks have settled under
/// power.
enum class Mode { cold, hot, sustained };
std::string_view name(Mode);
std::optional<Mode> mode_from(std::string_view);

/// How replays of one length are queued when the device must not idle.
struct QueueDepth {
    int replays = 1; ///< of a batch; a batch is one sample
    int batches = 2; ///< queued when the oldest is waited for
};
QueueDepth queue_depth(Seconds replay);

class Timer {
public:
    explicit Timer(Device&);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    /// At least three samples, then more until `budget` of device time is used.
    Percentiles cold(Workload&, const Launch&, Seconds budget);
    Percentiles hot(Workload&, const Launch&, Seconds budget);
    /// Warms up for half of `duration` and times the other half. `observe` runs while kernels do, ten times a
    /// second at most, with 50 ms of replays or the device's queue full ahead of it.
    Percentiles sustained(Workload&, const Launch&, Seconds duration, const std::function<void()>& observe);
    /// `hot` while `held` SMs belong to others. Everything is loaded before they are taken.
    Percentiles beside(Workload&, const Launch&, Seconds budget, int held, bool transfer,
                       double* bytes_per_second);

    /// Buffer that nothing else uses, of `flush_bytes()`.
    [[nodiscard]] std::byte* scratch() const { return flush_; }
    [[nodiscard]] std::int64_t flush_bytes() const { return flush_bytes_; }

private:
    class Graph;
    Seconds time_graph(Graph&, cudaStream_t);

    cudaEvent_t begin_ = nullptr;
    cudaEvent_t end_ = nullptr;
    std::byte* flush_ = nullptr;
    std::int64_t flush_bytes_ = 0;
};

} // namespace chokepoint::kref
