// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of block quantisation: codes and scales must equal the reference bit by bit.
#include "framework/device_tools.hpp"
#include "quantize/quantize.hpp"

namespace chokepoint::kref {
namespace {

class QuantizeWorkload : public Workload {
public:
    QuantizeWorkload(const Case& c, Device& device, bool transposed)
        : random_(device.random),
          transposed_(transposed),
          count_(c.shape.rows * c.shape.columns) {
        sets_ = device.rotation(3 * count_);
        for (int i = 0; i < sets_; ++i) {
            auto* in = device.arena->take<Bf16Bits>(count_);
            fill_normal(in, count_, 1.0F, (*random_)(), device.stream);
            problems_.push_back({in, device.arena->take<E4m3Bits>(count_),
                                 device.arena->take<float>(count_ / kQuantBlock), c.shape.rows,
                                 c.shape.columns});
        }
    }

    void launch(int set, const Launch& launch) override {
        const Quantize& p = problems_[static_cast<std::size_t>(set)];
        transposed_ ? quantize_transposed(p, launch) : quantize(p, launch);
    }

    Check check(const Launch& launch) override {
        const Quantize& p = problems_[0];
        poison(p.codes, count_, launch.stream);
        poison(p.scales, count_ / kQuantBlock, launch.stream);
        this->launch(0, launch);
        const std::vector<Bf16Bits> in = to_host(p.in, count_);
        const std::vector<E4m3Bits> codes = to_host(p.codes, count_);
        const std::vector<float> scales = to_host(p.scales, count_ / kQuantBlock);
        const std::int64_t lines = transposed_ ? p.columns : p.rows;
        const std::int64_t blocks = (transposed_ ? p.rows : p.columns) / kQuantBlock;
        std::size_t compared = 0;
        std::size_t different = 0;
        for (const std::int64_t line : sample(lines, 64, *random_)) {
            for (std::int64_t block = 0; block < blocks; ++block) {
                const QuantizedBlock expected = quantize_reference(block_of(in, line, block));
                different += expected.scale != scales[static_cast<std::size_t>(block * lines + line)] ? 1 : 0;
                const std::size_t first = static_cast<std::size_t>((line * blocks + block) * kQuantBlock);
                for (std::size_t i = 0; i < expected.codes.size(); ++i) {
                    different += expected.codes[i] != codes[first + i] ? 1 : 0;
                    ++compared;
                }
            }
        }
        const std::int64_t unwritten = count_poison(p.codes, count_, launch.stream) +
                                       count_poison(p.scales, count_ / kQuantBlock, launch.stream);
        return judge_exact(compared, different, static_cast<std::size_t>(unwritten));
    }

private:
    [[nodiscard]] std::vector<Bf16Bits> block_of(const std::vector<Bf16Bits>& in, std::int64_t line,
                                                 std::int64_t block) const {
        const Quantize& p = problems_[0];
        std::vector<Bf16Bits> values;
        for (std::int64_t i = block * kQuantBlock; i < (block + 1) * kQuantBlock; ++i) {
            values.push_back(
                in[static_cast<std::size_t>(transposed_ ? i * p.columns + line : line * p.columns + i)]);
        }
        return values;
    }

    std::mt19937_64* random_;
    bool transposed_;
    std::int64_t count_;
    std::vector<Quantize> problems_;
};

} // namespace

std::vector<Case> quantize_cases() {
    return {streaming_case("deepseek-v3", "hidden", 4096, 7168, true),
            streaming_case("deepseek-v3", "q latent", 4096, 1536),
            streaming_case("deepseek-v3", "kv latent", 4096, 512),
            streaming_case("deepseek-v3", "attention output", 4096, 16384),
            streaming_case("deepseek-v3", "expert rows", 32768, 7168)};
}

Work quantize_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.columns;
    return {2.0 * static_cast<double>(count), 2 * count, count + 4 * count / kQuantBlock};
}

std::unique_ptr<Workload> make_quantize(const Case& c, Device& device) {
    return std::make_unique<QuantizeWorkload>(c, device, false);
}
std::unique_ptr<Workload> make_quantize_transposed(const Case& c, Device& device) {
    return std::make_unique<QuantizeWorkload>(c, device, true);
}

} // namespace chokepoint::kref
