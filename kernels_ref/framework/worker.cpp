// SPDX-License-Identifier: Apache-2.0
// Check, then time; nothing that failed its check is timed.
#include "framework/worker.hpp"

#include "attention/cudnn_library.hpp"
#include "framework/kernel_table.hpp"
#include "gemm/cublas_library.hpp"

#include <array>
#include <memory>

namespace chokepoint::kref {
namespace {

constexpr std::size_t kArenaBytes = std::size_t{48} << 30;
constexpr Seconds kColdBudget{0.015};
constexpr Seconds kHotBudget{0.030};
constexpr Seconds kContendedBudget{0.030};
constexpr Seconds kSustainedDuration{2.0};
// DeepSeek-V3 keeps 20 of 132 SMs for communication: report, 3.2.2.
constexpr int kHeldSms = 20;

using Clock = std::chrono::steady_clock;

/// GEMMs launch one block for each SM they are told to use. All other kernels spread over the device whatever
/// their grid; only held SMs keep them off.
bool takes_sm_count(const Case& c) { return c.shape.m > 0; }

class Worker {
public:
    Worker(const WorkOrder& order, const Emit& emit) : order_(order), emit_(emit), random_(order.seed) {
        int count = 0;
        if (const cudaError_t status = cudaGetDeviceCount(&count); status != cudaSuccess || count == 0) {
            throw NoDevice("no CUDA device: " + std::string(cudaGetErrorString(status)));
        }
        require(cudaGetDeviceProperties(&properties_, 0), "read device properties");
        if (properties_.major != 9) {
            throw NoDevice(std::string(properties_.name) + " has compute capability " +
                           std::to_string(properties_.major) + "." + std::to_string(properties_.minor) +
                           "; the kernels are built for 9.0");
        }
        require(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "create a stream");
        device_.sms = properties_.multiProcessorCount;
        device_.l2_bytes = properties_.l2CacheSize;
        device_.stream = stream_;
        device_.random = &random_;
        device_.cublas = [this]() -> const CublasLibrary& {
            if (cublas_ == nullptr) {
                cublas_ = std::make_unique<CublasLibrary>();
                tell("cublas", cublas_->version());
            }
            return *cublas_;
        };
        device_.cudnn = [this]() -> const CudnnLibrary& {
            if (cudnn_ == nullptr) {
                cudnn_ = std::make_unique<CudnnLibrary>();
                tell("cudnn", cudnn_->version());
            }
            return *cudnn_;
        };
        timer_ = std::make_unique<Timer>(device_);
        arena_ = std::make_unique<Arena>(kArenaBytes);
        device_.arena = arena_.get();
        tell_machine();
    }

    ~Worker() {
        // In this order: the libraries outlive what they made.
        timer_.reset();
        arena_.reset();
        cudaStreamDestroy(stream_);
    }
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    void run() {
        for (std::size_t i = order_.first; i < order_.items.size(); ++i) {
            emit_("begin\t" + std::to_string(i));
            Measurement m;
            m.kernel = order_.items[i].kernel;
            m.case_index = order_.items[i].case_index;
            if (out_of_time()) {
                m.note = "out of time";
                tell(m);
                emit_("done");
                continue;
            }
            try {
                try_item(m);
            } catch (const Unsupported& e) {
                fail(m, Outcome::unsupported, e.what());
            } catch (const GpuError& e) {
                fail(m, Outcome::error, e.what());
            }
            emit_("done");
            arena_->reset();
        }
        emit_("end");
    }

private:
    [[nodiscard]] bool out_of_time() const { return Clock::now() - start_ > order_.budget; }

    void fail(Measurement& m, Outcome outcome, const std::string& why) {
        m.outcome = outcome;
        m.note = why;
        tell(m);
        // Some errors leave the context unusable; then this process must end.
        cudaGetLastError();
        require(cudaDeviceSynchronize(), "use the device after an error");
    }

    void try_item(Measurement& m) {
        const Kernel& kernel = kernels()[static_cast<std::size_t>(m.kernel)];
        const Case c = kernel.cases()[static_cast<std::size_t>(m.case_index)];
        const std::unique_ptr<Workload> workload = kernel.make(c, device_);
        Launch launch{stream_, device_.sms};
        if (order_.sm_limit && *order_.sm_limit < device_.sms) {
            launch.sms = *order_.sm_limit;
            m.sms_held = device_.sms - launch.sms;
            m.sharing = takes_sm_count(c) ? Sharing::limited : Sharing::held;
        }
        if (order_.phase == Phase::contended) {
            launch.sms = device_.sms - kHeldSms;
        }
        emit_("launch"); // from here on silence means a kernel that hangs
        m.check = workload->check(launch);
        require(cudaStreamSynchronize(stream_), "check");
        if (!m.check.passed) {
            m.outcome = Outcome::wrong;
            tell(m);
            return;
        }
        switch (order_.phase) {
        case Phase::check:
            m.outcome = Outcome::checked;
            tell(m);
            break;
        case Phase::timing:
            time_modes(m, *workload, launch);
            break;
        case Phase::contended:
            time_contended(m, *workload, launch, takes_sm_count(c));
            break;
        case Phase::sustained:
            time_sustained(m, *workload, launch);
            break;
        }
    }

    void time_modes(Measurement& m, Workload& workload, const Launch& launch) {
        if (m.sharing == Sharing::held) { // has one way of timing
            m.mode = Mode::hot;
            record(
                m,
                timer_->beside(workload, launch, kHotBudget, m.sms_held, false, &m.beside_bytes_per_second),
                sample());
            return;
        }
        for (const Mode mode : order_.modes) {
            m.mode = mode;
            if (mode == Mode::sustained) {
                time_sustained(m, workload, launch);
                continue;
            }
            const Percentiles time = mode == Mode::cold ? timer_->cold(workload, launch, kColdBudget)
                                                        : timer_->hot(workload, launch, kHotBudget);
            record(m, time, sample());
        }
    }

    void time_contended(Measurement& m, Workload& workload, const Launch& launch, bool can_limit) {
        m.mode = Mode::hot;
        m.sms_held = kHeldSms;
        if (can_limit) {
            m.sharing = Sharing::limited;
            record(m, timer_->hot(workload, launch, kContendedBudget), sample());
        }
        for (const Sharing sharing : {Sharing::held, Sharing::beside}) {
            m.sharing = sharing;
            const Percentiles time = timer_->beside(workload, launch, kContendedBudget, kHeldSms,
                                                    sharing == Sharing::beside, &m.beside_bytes_per_second);
            record(m, time, sample());
        }
    }

    void time_sustained(Measurement& m, Workload& workload, const Launch& launch) {
        m.mode = Mode::sustained;
        BoardState last;
        const Percentiles time =
            timer_->sustained(workload, launch, kSustainedDuration, [&] { last = sample(); });
        record(m, time, last);
    }

    void record(Measurement& m, const Percentiles& time, const BoardState& board) {
        m.outcome = Outcome::timed;
        m.time = time;
        m.board = board;
        tell(m);
    }

    [[nodiscard]] BoardState sample() const { return nvml_ != nullptr ? nvml_->sample() : BoardState{}; }

    void tell(const Measurement& m) { emit_("row\t" + to_line(m)); }
    void tell(const std::string& key, const std::string& value) { emit_("fact\t" + key + "\t" + value); }

    void tell_machine() {
        int runtime = 0;
        int driver = 0;
        std::array<char, 32> pci{};
        require(cudaRuntimeGetVersion(&runtime), "ask for the runtime's version");
        require(cudaDriverGetVersion(&driver), "ask for the driver's version");
        require(cudaDeviceGetPCIBusId(pci.data(), static_cast<int>(pci.size()), 0),
                "ask for the PCI address");
        const auto version = [](int v) {
            return std::to_string(v / 1000) + "." + std::to_string(v % 1000 / 10);
        };
        tell("device", properties_.name);
        tell("sms", std::to_string(properties_.multiProcessorCount));
        tell("l2_bytes", std::to_string(properties_.l2CacheSize));
        tell("memory_bytes", std::to_string(properties_.totalGlobalMem));
        tell("cuda_runtime", version(runtime));
        tell("cuda_driver", version(driver));
        try {
            nvml_ = std::make_unique<Nvml>(pci.data());
            tell("driver", nvml_->driver_version());
            tell("power_limit_watts", std::to_string(nvml_->power_limit_milliwatts() / 1000));
        } catch (const Unsupported& e) {
            tell("driver", std::string("unknown: ") + e.what());
        }
    }

    const WorkOrder& order_;
    const Emit& emit_;
    Clock::time_point start_ = Clock::now();
    std::mt19937_64 random_;
    cudaDeviceProp properties_{};
    cudaStream_t stream_ = nullptr;
    Device device_;
    std::unique_ptr<CublasLibrary> cublas_;
    std::unique_ptr<CudnnLibrary> cudnn_;
    std::unique_ptr<Nvml> nvml_;
    std::unique_ptr<Arena> arena_;
    std::unique_ptr<Timer> timer_;
};

bool belongs(const Case& c, Phase phase) {
    switch (phase) {
    case Phase::contended:
        return c.contended;
    case Phase::sustained:
        return c.sustained;
    default:
        return true;
    }
}

} // namespace

std::vector<Item> items_of(Phase phase, const std::string& filter) {
    std::vector<Item> items;
    for (std::size_t k = 0; k < kernels().size(); ++k) {
        if (!matches(kernels()[k].name, filter)) {
            continue;
        }
        const std::vector<Case> cases = kernels()[k].cases();
        for (std::size_t i = 0; i < cases.size(); ++i) {
            if (belongs(cases[i], phase)) {
                items.push_back({static_cast<int>(k), static_cast<int>(i), family_of(static_cast<int>(k))});
            }
        }
    }
    return items;
}

void work(const WorkOrder& order, const Emit& emit) { Worker(order, emit).run(); }

} // namespace chokepoint::kref
