// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of the optimizer.
#include "framework/device_tools.hpp"
#include "optimizer/adam.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kMasterBound = 1e-6; // FP32 arithmetic on a small step
constexpr double kMomentBound = 4e-3; // one rounding to BF16
constexpr std::int64_t kCompared = 1 << 16;

class AdamWorkload : public Workload {
public:
    AdamWorkload(const Case& c, Device& device)
        : count_(c.shape.rows * c.shape.columns),
          random_(device.random) {
        sets_ = device.rotation(20 * count_);
        for (int i = 0; i < sets_; ++i) {
            Adam p;
            p.count = count_;
            p.rule.correction1 = 1.0F - 0.9F;
            p.rule.correction2 = 1.0F - 0.95F;
            p.master = device.arena->take<float>(count_);
            auto* gradient = device.arena->take<float>(count_);
            p.first = device.arena->take<Bf16Bits>(count_);
            p.second = device.arena->take<Bf16Bits>(count_);
            p.parameter = device.arena->take<Bf16Bits>(count_);
            fill_normal(p.master, count_, 0.02F, (*random_)(), device.stream);
            fill_normal(gradient, count_, 1e-3F, (*random_)(), device.stream);
            // The update below makes both moments of one gradient, as training does: a first moment apart
            // from it, over the root of a small square, would make steps that drown all others in the norm.
            for (Bf16Bits* moment : {p.first, p.second}) {
                require(cudaMemsetAsync(moment, 0, static_cast<std::size_t>(count_) * sizeof(Bf16Bits),
                                        device.stream),
                        "clear a moment");
            }
            p.gradient = gradient;
            problems_.push_back(p);
            adam(p, {device.stream, device.sms});
        }
    }

    void launch(int set, const Launch& launch) override {
        adam(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const Adam& p = problems_[0];
        // State is updated in place, so only the rounded parameter can be poisoned; both ends are compared.
        poison(p.parameter, count_, launch.stream);
        const std::int64_t length = std::min(kCompared, count_);
        const Before before[] = {read(0, length), read(count_ - length, length)};
        this->launch(0, launch);
        FrobeniusError master;
        FrobeniusError moments;
        FrobeniusError rounded;
        for (const Before& b : before) {
            compare(b, length, master, moments, rounded);
        }
        const std::int64_t unwritten = count_poison(p.parameter, count_, launch.stream);
        return both(judge(master, kMasterBound),
                    both(judge(moments, kMomentBound),
                         judge(rounded, kMomentBound, static_cast<std::size_t>(unwritten))));
    }

private:
    struct Before {
        std::int64_t start = 0;
        std::vector<double> master, gradient, first, second;
    };

    [[nodiscard]] Before read(std::int64_t start, std::int64_t length) const {
        const Adam& p = problems_[0];
        return {start, read_lines(p.master, {start}, 1, length).front(),
                read_lines(p.gradient, {start}, 1, length).front(),
                read_lines(p.first, {start}, 1, length).front(),
                read_lines(p.second, {start}, 1, length).front()};
    }

    void compare(const Before& b, std::int64_t length, FrobeniusError& master, FrobeniusError& moments,
                 FrobeniusError& rounded) const {
        const Adam& p = problems_[0];
        const Before after = read(b.start, length);
        const auto parameter = read_lines(p.parameter, {b.start}, 1, length).front();
        for (std::size_t i = 0; i < b.master.size(); ++i) {
            const AdamState expected =
                adam_reference({b.master[i], b.first[i], b.second[i]}, b.gradient[i], p.rule);
            master.add(after.master[i], expected.master);
            moments.add(after.first[i], expected.first);
            // Brought to the first moment's size, lest it vanish in the norm.
            moments.add(after.second[i] * 1e3, expected.second * 1e3);
            rounded.add(parameter[i], expected.master);
        }
    }

    std::int64_t count_;
    std::mt19937_64* random_;
    std::vector<Adam> problems_;
};

} // namespace

std::vector<Case> adam_cases() {
    return {streaming_case("", "2^28 parameters", 1 << 14, 1 << 14),
            streaming_case("", "2^24 parameters", 1 << 12, 1 << 12)};
}

Work adam_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {14.0 * static_cast<double>(count), 12 * count, 10 * count};
}

std::unique_ptr<Workload> make_adam(const Case& c, Device& device) {
    return std::make_unique<AdamWorkload>(c, device);
}

} // namespace chokepoint::kref
