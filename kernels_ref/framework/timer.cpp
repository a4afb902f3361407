// SPDX-License-Identifier: Apache-2.0
// CUDA events around single launches and around graphs of ten.
#include "framework/timer.hpp"

#include "framework/device_tools.hpp"
#include "framework/sm_holder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace chokepoint::kref {
namespace {

constexpr std::array kModeNames{std::string_view("cold"), std::string_view("hot"),
                                std::string_view("sustained")};
constexpr int kFewest = 3;
constexpr int kMost = 200;
constexpr std::int64_t kSpinCycles = 60'000; // some 30 us at 2 GHz: longer than queueing a launch takes
constexpr double kSpinClock = 2e9;           // cycles a second at most: Hopper's boost clocks lie below
// Reading the board takes milliseconds; a device that idles meanwhile cools and clocks up.
constexpr Seconds kObserveEvery{0.1};
constexpr Seconds kQueued{0.05};
constexpr Seconds kBatch{0.01};
// The device's queue holds some thousand launches: no use in asking for more.
constexpr int kMostReplays = 250;
constexpr int kMostBatches = 5;

/// Events in a row, reused in turn.
class EventRing {
public:
    explicit EventRing(int count) : events_(static_cast<std::size_t>(count)) {
        for (cudaEvent_t& event : events_) {
            require(cudaEventCreate(&event), "create an event");
        }
    }
    ~EventRing() {
        for (const cudaEvent_t event : events_) {
            cudaEventDestroy(event);
        }
    }
    EventRing(const EventRing&) = delete;
    EventRing& operator=(const EventRing&) = delete;
    [[nodiscard]] cudaEvent_t at(std::int64_t turn) const {
        return events_[static_cast<std::size_t>(turn) % events_.size()];
    }

private:
    std::vector<cudaEvent_t> events_;
};

Seconds between(cudaEvent_t begin, cudaEvent_t end) {
    require(cudaEventSynchronize(end), "wait for a timed kernel");
    float milliseconds = 0.0F;
    require(cudaEventElapsedTime(&milliseconds, begin, end), "read event times");
    return Seconds(milliseconds * 1e-3);
}

} // namespace

QueueDepth queue_depth(Seconds replay) {
    const auto at_least = [](double wanted) { return std::max(1, static_cast<int>(std::ceil(wanted))); };
    QueueDepth depth;
    const double one = std::max(replay.count(), 1e-9);
    depth.replays = std::min(at_least(kBatch.count() / one), kMostReplays);
    // One batch more than is to be left when the oldest has ended.
    depth.batches = 1 + std::min(at_least(kQueued.count() / (depth.replays * one)), kMostBatches);
    return depth;
}

std::string_view name(Mode mode) { return kModeNames.at(static_cast<std::size_t>(mode)); }

std::optional<Mode> mode_from(std::string_view text) {
    for (std::size_t i = 0; i < kModeNames.size(); ++i) {
        if (kModeNames.at(i) == text) {
            return static_cast<Mode>(i);
        }
    }
    return std::nullopt;
}

/// Ten launches over rotated buffers, captured, instantiated and run once; launched one by one where a
/// library cannot be captured.
class Timer::Graph {
public:
    Graph(Workload& workload, const Launch& launch) : workload_(workload), launch_(launch) {
        // Outside of capture first: libraries allocate and load on their first call.
        for (int i = 0; i < workload.sets(); ++i) {
            workload.launch(i, launch);
        }
        require(cudaStreamSynchronize(launch.stream), "warm up");
        try {
            capture();
        } catch (const std::runtime_error&) { // CUDA's word, GpuError, or a library's, Unsupported
            cudaGetLastError();               // a refused capture leaves the context as it was
        }
        const auto start = std::chrono::steady_clock::now();
        replay(launch.stream);
        require(cudaStreamSynchronize(launch.stream), "warm up a graph");
        const auto queue = std::chrono::steady_clock::now();
        replay(launch.stream);
        const Seconds queueing = std::chrono::steady_clock::now() - queue;
        require(cudaStreamSynchronize(launch.stream), "warm up a graph");
        // Graphs of hundreds of launches take the host longer to queue than the usual spin lasts. A full
        // queue makes the host wait for the device: no more than the whole replay takes.
        const Seconds most = std::min<Seconds>(queueing, (queue - start) / 2);
        spin_cycles_ = kSpinCycles + static_cast<std::int64_t>(2 * most.count() * kSpinClock);
    }
    ~Graph() {
        if (executable_ != nullptr) {
            cudaGraphExecDestroy(executable_);
        }
        if (graph_ != nullptr) {
            cudaGraphDestroy(graph_);
        }
    }
    Graph(const Graph&) = delete;
    Graph& operator=(const Graph&) = delete;

    void replay(cudaStream_t stream) {
        if (executable_ != nullptr) {
            require(cudaGraphLaunch(executable_, stream), "launch a graph");
            return;
        }
        launch_all();
    }
    /// As long as queueing a replay may take.
    [[nodiscard]] std::int64_t spin_cycles() const { return spin_cycles_; }

private:
    void launch_all() {
        for (int i = 0; i < Device::kLaunchesPerGraph; ++i) {
            workload_.launch(i % workload_.sets(), launch_);
        }
    }
    void capture() {
        require(cudaStreamBeginCapture(launch_.stream, cudaStreamCaptureModeThreadLocal), "begin capture");
        try {
            launch_all();
        } catch (...) {
            cudaGraph_t abandoned = nullptr;
            cudaStreamEndCapture(launch_.stream, &abandoned);
            if (abandoned != nullptr) {
                cudaGraphDestroy(abandoned);
            }
            throw;
        }
        require(cudaStreamEndCapture(launch_.stream, &graph_), "end capture");
        require(cudaGraphInstantiate(&executable_, graph_, 0), "instantiate a graph");
    }

    Workload& workload_;
    Launch launch_;
    cudaGraph_t graph_ = nullptr;
    cudaGraphExec_t executable_ = nullptr;
    std::int64_t spin_cycles_ = kSpinCycles;
};

Timer::Timer(Device& device) : flush_bytes_(std::max<std::int64_t>(4 * device.l2_bytes, 1 << 28)) {
    require(cudaEventCreate(&begin_), "create an event");
    require(cudaEventCreate(&end_), "create an event");
    void* memory = nullptr;
    require(cudaMalloc(&memory, static_cast<std::size_t>(flush_bytes_)), "allocate the flush buffer");
    flush_ = static_cast<std::byte*>(memory);
    require(cudaMemset(flush_, 1, static_cast<std::size_t>(flush_bytes_)), "fill the flush buffer");
}

Timer::~Timer() {
    cudaFree(flush_);
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
}

Percentiles Timer::cold(Workload& workload, const Launch& launch, Seconds budget) {
    for (int i = 0; i < workload.sets(); ++i) {
        workload.launch(i, launch);
    }
    require(cudaStreamSynchronize(launch.stream), "warm up");
    // A workload of many launches takes the host longer to queue than one: the device must not wait for it.
    const auto start = std::chrono::steady_clock::now();
    workload.launch(0, launch);
    const Seconds queueing = std::chrono::steady_clock::now() - start;
    const auto spin_cycles = kSpinCycles + static_cast<std::int64_t>(2 * queueing.count() * kSpinClock);
    std::vector<Seconds> samples;
    Seconds spent{0};
    for (int i = 0; i < kMost && (i < kFewest || spent < budget); ++i) {
        flush_l2(flush_, flush_bytes_, launch.stream);
        spin(spin_cycles, launch.stream);
        require(cudaEventRecord(begin_, launch.stream), "record an event");
        workload.launch(i % workload.sets(), launch);
        require(cudaEventRecord(end_, launch.stream), "record an event");
        samples.push_back(between(begin_, end_));
        spent += samples.back();
    }
    return percentiles(std::move(samples));
}

Seconds Timer::time_graph(Graph& graph, cudaStream_t stream) {
    spin(graph.spin_cycles(), stream);
    require(cudaEventRecord(begin_, stream), "record an event");
    graph.replay(stream);
    require(cudaEventRecord(end_, stream), "record an event");
    return between(begin_, end_) / Device::kLaunchesPerGraph;
}

Percentiles Timer::hot(Workload& workload, const Launch& launch, Seconds budget) {
    Graph graph(workload, launch);
    std::vector<Seconds> samples;
    Seconds spent{0};
    for (int i = 0; i < kMost && (i < kFewest || spent < budget); ++i) {
        samples.push_back(time_graph(graph, launch.stream));
        spent += samples.back() * Device::kLaunchesPerGraph;
    }
    return percentiles(std::move(samples));
}

Percentiles Timer::sustained(Workload& workload, const Launch& launch, Seconds duration,
                             const std::function<void()>& observe) {
    Graph graph(workload, launch);
    const QueueDepth depth = queue_depth(time_graph(graph, launch.stream) * Device::kLaunchesPerGraph);
    const EventRing ends(depth.batches + 1);
    std::vector<Seconds> samples;
    const auto start = std::chrono::steady_clock::now();
    auto observed = start - std::chrono::duration_cast<std::chrono::nanoseconds>(kObserveEvery);
    Seconds elapsed{0};
    require(cudaEventRecord(ends.at(0), launch.stream), "record an event");
    std::int64_t queued = 0;
    for (std::int64_t done = 0; elapsed < duration || samples.empty(); ++done) {
        for (; queued < done + depth.batches; ++queued) {
            for (int i = 0; i < depth.replays; ++i) {
                graph.replay(launch.stream);
            }
            require(cudaEventRecord(ends.at(queued + 1), launch.stream), "record an event");
        }
        const auto now = std::chrono::steady_clock::now();
        if (now - observed >= kObserveEvery) {
            observe();
            observed = now;
        }
        const Seconds batch = between(ends.at(done), ends.at(done + 1));
        elapsed = std::chrono::steady_clock::now() - start;
        if (elapsed > duration / 2) {
            samples.push_back(batch / (depth.replays * Device::kLaunchesPerGraph));
        }
    }
    require(cudaStreamSynchronize(launch.stream), "wait for the last replay");
    return percentiles(std::move(samples));
}

Percentiles Timer::beside(Workload& workload, const Launch& launch, Seconds budget, int held, bool transfer,
                          double* bytes_per_second) {
    Graph graph(workload, launch);
    time_graph(graph, launch.stream); // loads everything that the loop below uses
    std::vector<Seconds> samples;
    const std::int64_t half = flush_bytes_ / 2;
    const SmHolder holder(held, transfer, flush_, flush_ + half, half);
    const auto start = std::chrono::steady_clock::now();
    Seconds spent{0};
    for (int i = 0; i < kMost && (i < kFewest || spent < budget); ++i) {
        samples.push_back(time_graph(graph, launch.stream));
        spent = std::chrono::steady_clock::now() - start;
    }
    holder.require_held();
    *bytes_per_second = static_cast<double>(holder.copied_bytes()) / spent.count();
    return percentiles(std::move(samples));
}

} // namespace chokepoint::kref
