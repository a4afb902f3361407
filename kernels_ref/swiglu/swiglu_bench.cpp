// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of SwiGLU.
#include "framework/device_tools.hpp"
#include "quantize/quantize.hpp"
#include "swiglu/swiglu.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kBf16Bound = 4e-3;
// Three mantissa bits: a code is off by up to 1/16 of its value, 2.6% in the mean square.
constexpr double kE4m3Bound = 3.5e-2;
constexpr int kSamples = 24;

/// One row of codes and scales against the values that were quantised.
void compare_row(const E4m3Bits* codes, const float* scales, std::int64_t row, std::int64_t rows,
                 const std::vector<double>& expected, FrobeniusError& error, WorstElement& worst) {
    const auto columns = static_cast<std::int64_t>(expected.size());
    const std::vector<double> found = read_lines(codes, {row * columns}, 1, columns).front();
    const std::vector<double> of_block = read_lines(scales, {row}, rows, columns / kQuantBlock).front();
    for (std::size_t block = 0; block < of_block.size(); ++block) {
        const auto part = [&](const std::vector<double>& line) {
            return std::span(line).subspan(block * kQuantBlock, kQuantBlock);
        };
        compare_quantized(part(expected), part(found), of_block[block], error, worst);
    }
}

class SwigluForwardWorkload : public Workload {
public:
    SwigluForwardWorkload(const Case& c, Device& device)
        : random_(device.random),
          count_(c.shape.rows * c.shape.columns) {
        sets_ = device.rotation(5 * count_);
        for (int i = 0; i < sets_; ++i) {
            auto* gate_up = device.arena->take<Bf16Bits>(2 * count_);
            fill_normal(gate_up, 2 * count_, 1.0F, (*random_)(), device.stream);
            problems_.push_back({gate_up, device.arena->take<E4m3Bits>(count_),
                                 device.arena->take<float>(count_ / kQuantBlock), c.shape.rows,
                                 c.shape.columns});
        }
    }

    void launch(int set, const Launch& launch) override {
        swiglu_forward(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const SwigluForward& p = problems_[0];
        poison(p.codes, count_, launch.stream);
        poison(p.scales, count_ / kQuantBlock, launch.stream);
        this->launch(0, launch);
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t row : sample(p.rows, kSamples, *random_)) {
            const auto in = read_lines(p.gate_up, {row * 2 * p.columns}, 1, 2 * p.columns).front();
            std::vector<double> expected(static_cast<std::size_t>(p.columns));
            for (std::size_t i = 0; i < expected.size(); ++i) {
                expected[i] = swiglu_reference(in[i], in[i + expected.size()]);
            }
            compare_row(p.codes, p.scales, row, p.rows, expected, error, worst);
        }
        const std::int64_t unwritten = count_poison(p.codes, count_, launch.stream) +
                                       count_poison(p.scales, count_ / kQuantBlock, launch.stream);
        return judge(error, kE4m3Bound, worst, static_cast<std::size_t>(unwritten));
    }

private:
    std::mt19937_64* random_;
    std::int64_t count_;
    std::vector<SwigluForward> problems_;
};

class SwigluBackwardWorkload : public Workload {
public:
    SwigluBackwardWorkload(const Case& c, Device& device, bool quantized)
        : random_(device.random),
          quantized_(quantized),
          count_(c.shape.rows * c.shape.columns) {
        sets_ = device.rotation(10 * count_);
        for (int i = 0; i < sets_; ++i) {
            auto* gate_up = device.arena->take<Bf16Bits>(2 * count_);
            auto* dh = device.arena->take<Bf16Bits>(count_);
            fill_normal(gate_up, 2 * count_, 1.0F, (*random_)(), device.stream);
            fill_normal(dh, count_, 1.0F, (*random_)(), device.stream);
            SwigluBackward p{gate_up, dh, nullptr, nullptr, nullptr, c.shape.rows, c.shape.columns};
            if (quantized) {
                p.codes = device.arena->take<E4m3Bits>(2 * count_);
                p.scales = device.arena->take<float>(2 * count_ / kQuantBlock);
            } else {
                p.gradient = device.arena->take<Bf16Bits>(2 * count_);
            }
            problems_.push_back(p);
        }
    }

    void launch(int set, const Launch& launch) override {
        swiglu_backward(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const SwigluBackward& p = problems_[0];
        poison_outputs(launch.stream);
        this->launch(0, launch);
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t row : sample(p.rows, kSamples, *random_)) {
            const auto in = read_lines(p.gate_up, {row * 2 * p.columns}, 1, 2 * p.columns).front();
            const auto dh = read_lines(p.dh, {row * p.columns}, 1, p.columns).front();
            std::vector<double> expected(2 * dh.size());
            for (std::size_t i = 0; i < dh.size(); ++i) {
                const SwigluGradient g = swiglu_gradient_reference(in[i], in[i + dh.size()], dh[i]);
                expected[i] = g.gate;
                expected[i + dh.size()] = g.up;
            }
            if (quantized_) {
                compare_row(p.codes, p.scales, row, p.rows, expected, error, worst);
            } else {
                compare_rounded(read_lines(p.gradient, {row * 2 * p.columns}, 1, 2 * p.columns).front(),
                                expected, error, worst);
            }
        }
        return judge(error, quantized_ ? kE4m3Bound : kBf16Bound, worst, unwritten(launch.stream));
    }

private:
    void poison_outputs(cudaStream_t stream) {
        const SwigluBackward& p = problems_[0];
        if (quantized_) {
            poison(p.codes, 2 * count_, stream);
            poison(p.scales, 2 * count_ / kQuantBlock, stream);
        } else {
            poison(p.gradient, 2 * count_, stream);
        }
    }

    std::size_t unwritten(cudaStream_t stream) {
        const SwigluBackward& p = problems_[0];
        return static_cast<std::size_t>(quantized_
                                            ? count_poison(p.codes, 2 * count_, stream) +
                                                  count_poison(p.scales, 2 * count_ / kQuantBlock, stream)
                                            : count_poison(p.gradient, 2 * count_, stream));
    }

    std::mt19937_64* random_;
    bool quantized_;
    std::int64_t count_;
    std::vector<SwigluBackward> problems_;
};

} // namespace

std::vector<Case> swiglu_cases() {
    return {streaming_case("deepseek-v3", "routed experts", 32768, 2048, true),
            streaming_case("deepseek-v3", "shared expert", 4096, 2048),
            streaming_case("deepseek-v3", "dense layer", 4096, 18432),
            streaming_case("qwen3-235b", "routed experts", 32768, 1536)};
}

Work swiglu_forward_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {6.0 * static_cast<double>(count), 4 * count, count + 4 * count / kQuantBlock};
}

Work swiglu_backward_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {10.0 * static_cast<double>(count), 6 * count, 4 * count};
}

Work swiglu_backward_quantized_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {12.0 * static_cast<double>(count), 6 * count, 2 * count + 8 * count / kQuantBlock};
}

std::unique_ptr<Workload> make_swiglu_forward(const Case& c, Device& device) {
    return std::make_unique<SwigluForwardWorkload>(c, device);
}
std::unique_ptr<Workload> make_swiglu_backward(const Case& c, Device& device) {
    return std::make_unique<SwigluBackwardWorkload>(c, device, false);
}
std::unique_ptr<Workload> make_swiglu_backward_quantized(const Case& c, Device& device) {
    return std::make_unique<SwigluBackwardWorkload>(c, device, true);
}

} // namespace chokepoint::kref
