// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of data movement. Every byte is compared: these kernels have no rounding to hide
// behind.
#include "copy/copy.hpp"
#include "framework/device_tools.hpp"

namespace chokepoint::kref {
namespace {

std::int64_t elements(const Case& c) { return c.shape.rows * c.shape.columns; }

class CopyWorkload : public Workload {
public:
    CopyWorkload(const Case& c, Device& device, bool driver) : count_(elements(c)), driver_(driver) {
        sets_ = device.rotation(4 * count_);
        for (int i = 0; i < sets_; ++i) {
            from_.push_back(device.arena->take<Bf16Bits>(count_));
            to_.push_back(device.arena->take<Bf16Bits>(count_));
            fill_normal(from_.back(), count_, 1.0F, (*device.random)(), device.stream);
        }
    }

    void launch(int set, const Launch& launch) override {
        const auto i = static_cast<std::size_t>(set);
        const std::int64_t bytes = 2 * count_;
        if (driver_) {
            require(cudaMemcpyAsync(to_[i], from_[i], static_cast<std::size_t>(bytes),
                                    cudaMemcpyDeviceToDevice, launch.stream),
                    "cudaMemcpyAsync");
        } else {
            copy_bytes(reinterpret_cast<const std::byte*>(from_[i]), reinterpret_cast<std::byte*>(to_[i]),
                       bytes, launch);
        }
    }

    Check check(const Launch& launch) override {
        poison(to_[0], count_, launch.stream);
        this->launch(0, launch);
        // A megaword from either end.
        const std::int64_t length = std::min<std::int64_t>(count_, 1 << 20);
        std::size_t different = 0;
        for (const std::int64_t start : {std::int64_t{0}, count_ - length}) {
            const std::vector<Bf16Bits> expected = to_host(from_[0] + start, length);
            const std::vector<Bf16Bits> found = to_host(to_[0] + start, length);
            for (std::size_t i = 0; i < found.size(); ++i) {
                different += found[i] != expected[i] ? 1 : 0;
            }
        }
        const std::int64_t unwritten = count_poison(to_[0], count_, launch.stream);
        return judge_exact(2 * static_cast<std::size_t>(length), different,
                           static_cast<std::size_t>(unwritten));
    }

private:
    std::int64_t count_;
    bool driver_;
    std::vector<Bf16Bits*> from_, to_;
};

class AddWorkload : public Workload {
public:
    AddWorkload(const Case& c, Device& device) : count_(elements(c)) {
        sets_ = device.rotation(6 * count_);
        for (int i = 0; i < sets_; ++i) {
            a_.push_back(device.arena->take<Bf16Bits>(count_));
            b_.push_back(device.arena->take<Bf16Bits>(count_));
            out_.push_back(device.arena->take<Bf16Bits>(count_));
            fill_normal(a_.back(), count_, 1.0F, (*device.random)(), device.stream);
            fill_normal(b_.back(), count_, 1.0F, (*device.random)(), device.stream);
        }
    }

    void launch(int set, const Launch& launch) override {
        const auto i = static_cast<std::size_t>(set);
        add_bf16(a_[i], b_[i], out_[i], count_, launch);
    }

    Check check(const Launch& launch) override {
        poison(out_[0], count_, launch.stream);
        this->launch(0, launch);
        const std::int64_t length = std::min<std::int64_t>(count_, 1 << 20);
        const std::int64_t start = count_ - length;
        const auto a = to_host(a_[0] + start, length);
        const auto b = to_host(b_[0] + start, length);
        const auto found = to_host(out_[0] + start, length);
        std::size_t different = 0;
        for (std::size_t i = 0; i < found.size(); ++i) {
            different += found[i] != add_reference(a[i], b[i]) ? 1 : 0;
        }
        const std::int64_t unwritten = count_poison(out_[0], count_, launch.stream);
        return judge_exact(found.size(), different, static_cast<std::size_t>(unwritten));
    }

private:
    std::int64_t count_;
    std::vector<Bf16Bits*> a_, b_, out_;
};

class ConcatWorkload : public Workload {
public:
    ConcatWorkload(const Case& c, Device& device)
        : shape_{c.shape.rows, c.shape.heads},
          random_(device.random) {
        sets_ = device.rotation(concat_work(c).read_bytes + concat_work(c).written_bytes);
        for (int i = 0; i < sets_; ++i) {
            nope_.push_back(device.arena->take<Bf16Bits>(head_rows() * ConcatShape::kNope));
            rope_.push_back(device.arena->take<Bf16Bits>(shape_.tokens * ConcatShape::kRope));
            keys_.push_back(device.arena->take<Bf16Bits>(head_rows() * ConcatShape::kKey));
            fill_normal(nope_.back(), head_rows() * ConcatShape::kNope, 1.0F, (*random_)(), device.stream);
            fill_normal(rope_.back(), shape_.tokens * ConcatShape::kRope, 1.0F, (*random_)(), device.stream);
        }
    }

    void launch(int set, const Launch& launch) override {
        const auto i = static_cast<std::size_t>(set);
        concat_keys(nope_[i], rope_[i], keys_[i], shape_, launch);
    }

    Check check(const Launch& launch) override {
        const std::int64_t count = head_rows() * ConcatShape::kKey;
        poison(keys_[0], count, launch.stream);
        this->launch(0, launch);
        std::size_t compared = 0;
        std::size_t different = 0;
        for (const std::int64_t row : sample(head_rows(), 64, *random_)) {
            const auto nope = to_host(nope_[0] + row * ConcatShape::kNope, ConcatShape::kNope);
            const auto rope = to_host(rope_[0] + row / shape_.heads * ConcatShape::kRope, ConcatShape::kRope);
            const auto found = to_host(keys_[0] + row * ConcatShape::kKey, ConcatShape::kKey);
            for (std::size_t i = 0; i < found.size(); ++i) {
                const Bf16Bits expected = i < nope.size() ? nope[i] : rope[i - nope.size()];
                different += found[i] != expected ? 1 : 0;
                ++compared;
            }
        }
        const std::int64_t unwritten = count_poison(keys_[0], count, launch.stream);
        return judge_exact(compared, different, static_cast<std::size_t>(unwritten));
    }

private:
    [[nodiscard]] std::int64_t head_rows() const { return shape_.tokens * shape_.heads; }

    ConcatShape shape_;
    std::mt19937_64* random_;
    std::vector<Bf16Bits*> nope_, rope_, keys_;
};

} // namespace

std::vector<Case> copy_ceiling_cases() { return {streaming_case("", "ceiling", 1 << 16, 1 << 14)}; }

std::vector<Case> copy_cases() {
    // Hidden states of DeepSeek-V3 at one micro-batch, smaller and larger: what slices and transposes move.
    return {streaming_case("deepseek-v3", "hidden states", 4096, 7168, true),
            streaming_case("deepseek-v3", "latent slice", 4096, 512),
            streaming_case("deepseek-v3", "queries", 4096, 24576),
            streaming_case("", "ceiling", 1 << 16, 1 << 14)};
}

std::vector<Case> add_cases() {
    return {streaming_case("deepseek-v3", "residual", 4096, 7168, true),
            streaming_case("llama-3.1-405b TP8", "residual", 8192, 16384)};
}

std::vector<Case> concat_cases() {
    Case c = streaming_case("deepseek-v3", "concatenate keys", 4096, 128 * ConcatShape::kKey, true);
    c.shape.heads = 128;
    return {c};
}

Work copy_work(const Case& c) { return {0.0, 2 * elements(c), 2 * elements(c)}; }
Work add_work(const Case& c) { return {static_cast<double>(elements(c)), 4 * elements(c), 2 * elements(c)}; }
Work concat_work(const Case& c) {
    const std::int64_t per_token =
        static_cast<std::int64_t>(c.shape.heads) * ConcatShape::kNope + ConcatShape::kRope;
    return {0.0, 2 * c.shape.rows * per_token, 2 * c.shape.rows * c.shape.heads * ConcatShape::kKey};
}

std::unique_ptr<Workload> make_memcpy(const Case& c, Device& device) {
    return std::make_unique<CopyWorkload>(c, device, true);
}
std::unique_ptr<Workload> make_copy(const Case& c, Device& device) {
    return std::make_unique<CopyWorkload>(c, device, false);
}
std::unique_ptr<Workload> make_add(const Case& c, Device& device) {
    return std::make_unique<AddWorkload>(c, device);
}
std::unique_ptr<Workload> make_concat(const Case& c, Device& device) {
    return std::make_unique<ConcatWorkload>(c, device);
}

} // namespace chokepoint::kref
