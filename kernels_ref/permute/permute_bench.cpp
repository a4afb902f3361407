// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of permutation.
#include "framework/device_tools.hpp"
#include "permute/permute.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kBound = 4e-3;
constexpr int kScaleBlock = 128;
constexpr int kExpertsPerRank = 32; // DeepSeek-V3 at EP8; only the order of rows depends on it

class PermuteWorkload : public Workload {
public:
    PermuteWorkload(const Case& c, Device& device, bool fp8)
        : random_(device.random),
          tokens_(c.shape.rows / c.shape.top_k),
          columns_(c.shape.columns),
          fp8_(fp8),
          routing_(random_routing(tokens_, c.shape.top_k, kExpertsPerRank, *random_)) {
        const std::int64_t row_bytes = fp8 ? columns_ : 2 * columns_;
        const auto blocks = static_cast<int>(columns_ / kScaleBlock);
        auto* source = device.arena->take<std::int32_t>(c.shape.rows);
        to_device(routing_.source, source);
        sets_ = device.rotation((tokens_ + c.shape.rows) * row_bytes);
        for (int i = 0; i < sets_; ++i) {
            auto* in = device.arena->take<std::byte>(tokens_ * row_bytes);
            // Any bits will do for a copy; none of these is poison.
            fill_quantised(reinterpret_cast<E4m3Bits*>(in), tokens_ * row_bytes, (*random_)(), device.stream);
            Permute p{in,        device.arena->take<std::byte>(c.shape.rows * row_bytes),
                      nullptr,   nullptr,
                      source,    c.shape.rows,
                      row_bytes, blocks};
            if (fp8) {
                auto* scales = device.arena->take<float>(tokens_ * blocks);
                fill_uniform(scales, tokens_ * blocks, 0.5F, 1.5F, (*random_)(), device.stream);
                p.in_scales = scales;
                p.out_scales = device.arena->take<float>(c.shape.rows * blocks);
            }
            problems_.push_back(p);
        }
    }

    void launch(int set, const Launch& launch) override {
        permute(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const Permute& p = problems_[0];
        auto* out = reinterpret_cast<E4m3Bits*>(p.out);
        poison(out, p.rows * p.row_bytes, launch.stream);
        if (fp8_) {
            poison(p.out_scales, p.rows * p.blocks, launch.stream);
        }
        this->launch(0, launch);
        std::size_t compared = 0;
        std::size_t different = 0;
        for (const std::int64_t row : sample(p.rows, 128, *random_)) {
            const std::int64_t token = routing_.source[static_cast<std::size_t>(row)];
            const auto expected = to_host(p.in + token * p.row_bytes, p.row_bytes);
            const auto found = to_host(p.out + row * p.row_bytes, p.row_bytes);
            different += found != expected ? 1 : 0;
            ++compared;
            if (fp8_) {
                const auto in_scales = read_lines(p.in_scales, {token * p.blocks}, 1, p.blocks).front();
                const auto out_scales = read_lines(p.out_scales, {row}, p.rows, p.blocks).front();
                different += in_scales != out_scales ? 1 : 0;
            }
        }
        std::int64_t unwritten = count_poison(out, p.rows * p.row_bytes, launch.stream);
        if (fp8_) {
            unwritten += count_poison(p.out_scales, p.rows * p.blocks, launch.stream);
        }
        return judge_exact(compared, different, static_cast<std::size_t>(unwritten));
    }

private:
    std::mt19937_64* random_;
    std::int64_t tokens_, columns_;
    bool fp8_;
    RandomRouting routing_;
    std::vector<Permute> problems_;
};

class UnpermuteWorkload : public Workload {
public:
    UnpermuteWorkload(const Case& c, Device& device)
        : random_(device.random),
          tokens_(c.shape.rows / c.shape.top_k),
          rows_(c.shape.rows),
          routing_(random_routing(tokens_, Unpermute::kTopK, kExpertsPerRank, *random_)) {
        auto* position = device.arena->take<std::int32_t>(rows_);
        auto* weights = device.arena->take<float>(rows_);
        to_device(routing_.position, position);
        fill_uniform(weights, rows_, 0.0F, 1.0F, (*random_)(), device.stream);
        sets_ = device.rotation((tokens_ + rows_) * 2 * c.shape.columns);
        for (int i = 0; i < sets_; ++i) {
            auto* in = device.arena->take<Bf16Bits>(rows_ * c.shape.columns);
            fill_normal(in, rows_ * c.shape.columns, 1.0F, (*random_)(), device.stream);
            problems_.push_back({in, device.arena->take<Bf16Bits>(tokens_ * c.shape.columns), position,
                                 weights, tokens_, c.shape.columns});
        }
    }

    void launch(int set, const Launch& launch) override {
        unpermute(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const Unpermute& p = problems_[0];
        poison(p.out, tokens_ * p.columns, launch.stream);
        this->launch(0, launch);
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t token : sample(tokens_, 48, *random_)) {
            std::vector<std::int64_t> starts;
            for (int k = 0; k < Unpermute::kTopK; ++k) {
                const std::size_t copy = static_cast<std::size_t>(token * Unpermute::kTopK + k);
                starts.push_back(routing_.position[copy] * p.columns);
            }
            const auto weights =
                read_lines(p.weights, {token * Unpermute::kTopK}, 1, Unpermute::kTopK).front();
            compare_rounded(read_lines(p.out, {token * p.columns}, 1, p.columns).front(),
                            unpermute_reference(read_lines(p.in, starts, 1, p.columns), weights), error,
                            worst);
        }
        return judge(error, kBound, worst,
                     static_cast<std::size_t>(count_poison(p.out, tokens_ * p.columns, launch.stream)));
    }

private:
    std::mt19937_64* random_;
    std::int64_t tokens_, rows_;
    RandomRouting routing_;
    std::vector<Unpermute> problems_;
};

Work permute_work(const Case& c, std::int64_t row_bytes) {
    // A token is counted once for each of its copies: they are read at different times.
    return {0.0, c.shape.rows * row_bytes + 4 * c.shape.rows, c.shape.rows * row_bytes};
}

} // namespace

std::vector<Case> permute_cases() {
    Case c = streaming_case("deepseek-v3", "expert rows", 32768, 7168, true);
    c.shape.top_k = 8;
    Case qwen = streaming_case("qwen3-235b", "expert rows", 32768, 4096);
    qwen.shape.top_k = 8;
    return {c, qwen};
}

Work permute_fp8_work(const Case& c) {
    return permute_work(c, c.shape.columns + 4 * c.shape.columns / kScaleBlock);
}
Work permute_bf16_work(const Case& c) { return permute_work(c, 2 * c.shape.columns); }
Work unpermute_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {2.0 * static_cast<double>(count), 2 * count + 8 * c.shape.rows, 2 * count / c.shape.top_k};
}

std::unique_ptr<Workload> make_permute_fp8(const Case& c, Device& device) {
    return std::make_unique<PermuteWorkload>(c, device, true);
}
std::unique_ptr<Workload> make_permute_bf16(const Case& c, Device& device) {
    return std::make_unique<PermuteWorkload>(c, device, false);
}
std::unique_ptr<Workload> make_unpermute(const Case& c, Device& device) {
    return std::make_unique<UnpermuteWorkload>(c, device);
}

} // namespace chokepoint::kref
