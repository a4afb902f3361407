// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of RMSNorm.
#include "framework/device_tools.hpp"
#include "norm/norm.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kBound = 4e-3; // one rounding to BF16 is 1.7e-3 at worst in this norm
constexpr int kSamples = 24;

std::vector<double> line(const Bf16Bits* matrix, std::int64_t start, std::int64_t stride,
                         std::int64_t length) {
    return read_lines(matrix, {start}, stride, length).front();
}

class NormForwardWorkload : public Workload {
public:
    NormForwardWorkload(const Case& c, Device& device) : random_(device.random) {
        const std::int64_t count = c.shape.rows * c.shape.columns;
        sets_ = device.rotation(4 * count);
        for (int i = 0; i < sets_; ++i) {
            auto* x = device.arena->take<Bf16Bits>(count);
            auto* weight = device.arena->take<Bf16Bits>(c.shape.columns);
            fill_normal(x, count, 1.0F, (*random_)(), device.stream);
            fill_normal(weight, c.shape.columns, 1.0F, (*random_)(), device.stream);
            problems_.push_back({x, weight, device.arena->take<Bf16Bits>(count),
                                 device.arena->take<float>(c.shape.rows), c.shape.rows, c.shape.columns});
        }
    }

    void launch(int set, const Launch& launch) override {
        norm_forward(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const NormForward& p = problems_[0];
        poison(p.y, p.rows * p.columns, launch.stream);
        poison(p.inverse_rms, p.rows, launch.stream);
        this->launch(0, launch);
        const std::vector<double> weight = line(p.weight, 0, 1, p.columns);
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t row : sample(p.rows, kSamples, *random_)) {
            compare_rounded(line(p.y, row * p.columns, 1, p.columns),
                            norm_forward_reference(line(p.x, row * p.columns, 1, p.columns), weight), error,
                            worst);
        }
        const std::int64_t unwritten = count_poison(p.y, p.rows * p.columns, launch.stream) +
                                       count_poison(p.inverse_rms, p.rows, launch.stream);
        return judge(error, kBound, worst, static_cast<std::size_t>(unwritten));
    }

private:
    std::mt19937_64* random_;
    std::vector<NormForward> problems_;
};

class NormBackwardWorkload : public Workload {
public:
    NormBackwardWorkload(const Case& c, Device& device) : random_(device.random) {
        const std::int64_t count = c.shape.rows * c.shape.columns;
        sets_ = device.rotation(6 * count);
        for (int i = 0; i < sets_; ++i) {
            auto* dy = device.arena->take<Bf16Bits>(count);
            auto* x = device.arena->take<Bf16Bits>(count);
            auto* weight = device.arena->take<Bf16Bits>(c.shape.columns);
            auto* inverse_rms = device.arena->take<float>(c.shape.rows);
            fill_normal(dy, count, 1.0F, (*random_)(), device.stream);
            fill_normal(x, count, 1.0F, (*random_)(), device.stream);
            fill_normal(weight, c.shape.columns, 1.0F, (*random_)(), device.stream);
            auto* dx = device.arena->take<Bf16Bits>(count);
            // The forward pass leaves 1/rms; its y is overwritten by dx.
            norm_forward({x, weight, dx, inverse_rms, c.shape.rows, c.shape.columns},
                         {device.stream, device.sms});
            problems_.push_back({dy, x, weight, inverse_rms, dx, device.arena->take<float>(c.shape.columns),
                                 device.arena->take<float>(norm_partial_rows(device.sms) * c.shape.columns),
                                 c.shape.rows, c.shape.columns});
        }
    }

    void launch(int set, const Launch& launch) override {
        norm_backward(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const NormBackward& p = problems_[0];
        poison(p.dx, p.rows * p.columns, launch.stream);
        poison(p.dweight, p.columns, launch.stream);
        this->launch(0, launch);
        return both(check_rows(launch), check_columns(launch));
    }

private:
    Check check_rows(const Launch& launch) {
        const NormBackward& p = problems_[0];
        const std::vector<double> weight = line(p.weight, 0, 1, p.columns);
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t row : sample(p.rows, kSamples, *random_)) {
            const std::int64_t start = row * p.columns;
            compare_rounded(line(p.dx, start, 1, p.columns),
                            norm_backward_reference(line(p.dy, start, 1, p.columns),
                                                    line(p.x, start, 1, p.columns), weight),
                            error, worst);
        }
        return judge(error, kBound, worst,
                     static_cast<std::size_t>(count_poison(p.dx, p.rows * p.columns, launch.stream)));
    }

    Check check_columns(const Launch& launch) {
        const NormBackward& p = problems_[0];
        std::vector<double> inverse;
        for (const float value : to_host(p.inverse_rms, p.rows)) {
            inverse.push_back(value);
        }
        const std::vector<float> found = to_host(p.dweight, p.columns);
        FrobeniusError error;
        for (const std::int64_t column : sample(p.columns, kSamples, *random_)) {
            const double expected = norm_dweight_reference(line(p.dy, column, p.columns, p.rows),
                                                           line(p.x, column, p.columns, p.rows), inverse);
            error.add(found[static_cast<std::size_t>(column)], expected);
        }
        // FP32 sums of a few thousand terms.
        constexpr double kSumBound = 1e-4;
        return judge(error, kSumBound,
                     static_cast<std::size_t>(count_poison(p.dweight, p.columns, launch.stream)));
    }

    std::mt19937_64* random_;
    std::vector<NormBackward> problems_;
};

} // namespace

std::vector<Case> norm_cases() {
    return {streaming_case("deepseek-v3", "hidden", 4096, 7168, true),
            streaming_case("deepseek-v3", "q latent", 4096, 1536),
            streaming_case("deepseek-v3", "kv latent", 4096, 512),
            streaming_case("qwen3-235b", "hidden", 4096, 4096),
            streaming_case("llama-3.1-405b TP8", "hidden", 8192, 16384)};
}

Work norm_forward_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {4.0 * static_cast<double>(count), 2 * count + 2 * c.shape.columns, 2 * count + 4 * c.shape.rows};
}

Work norm_backward_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {9.0 * static_cast<double>(count), 4 * count + 2 * c.shape.columns + 4 * c.shape.rows,
            2 * count + 4 * c.shape.columns, 2};
}

std::unique_ptr<Workload> make_norm_forward(const Case& c, Device& device) {
    return std::make_unique<NormForwardWorkload>(c, device);
}
std::unique_ptr<Workload> make_norm_backward(const Case& c, Device& device) {
    return std::make_unique<NormBackwardWorkload>(c, device);
}

} // namespace chokepoint::kref
