// SPDX-License-Identifier: Apache-2.0
// Shapes, buffers and checks of the rotary embedding.
#include "framework/device_tools.hpp"
#include "rope/rope.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kBound = 4e-3;
constexpr int kSamples = 64;

class RopeWorkload : public Workload {
public:
    RopeWorkload(const Case& c, Device& device)
        : random_(device.random),
          table_(rope_table(c.shape.rows)),
          count_(c.shape.rows * c.shape.heads * c.shape.dim_qk) {
        auto* table = device.arena->take<float>(static_cast<std::int64_t>(table_.size()));
        to_device(table_, table);
        const Work work = rope_work(c);
        sets_ = device.rotation(work.read_bytes + work.written_bytes);
        for (int i = 0; i < sets_; ++i) {
            auto* in = device.arena->take<Bf16Bits>(count_);
            fill_normal(in, count_, 1.0F, (*random_)(), device.stream);
            problems_.push_back({in, device.arena->take<Bf16Bits>(count_), table, c.shape.rows, c.shape.heads,
                                 c.shape.dim_qk});
        }
    }

    void launch(int set, const Launch& launch) override {
        rope(problems_[static_cast<std::size_t>(set)], launch);
    }

    Check check(const Launch& launch) override {
        const Rope& p = problems_[0];
        poison(p.out, count_, launch.stream);
        this->launch(0, launch);
        const std::int64_t heads = p.tokens * p.heads;
        FrobeniusError error;
        WorstElement worst;
        for (const std::int64_t head : sample(heads, kSamples, *random_)) {
            const std::int64_t start = (head + 1) * p.head_dim - kRopeDim;
            const auto in = read_lines(p.in, {start}, 1, kRopeDim).front();
            const auto found = read_lines(p.out, {start}, 1, kRopeDim).front();
            compare_rounded(found, rope_reference(in, table_.data() + head / p.heads * kRopeDim), error,
                            worst);
        }
        // What is not rotated must stay as it was, poison included.
        const std::int64_t left = count_poison(p.out, count_, launch.stream);
        const std::int64_t untouched = heads * (p.head_dim - kRopeDim);
        return judge(error, kBound, worst, static_cast<std::size_t>(std::abs(left - untouched)));
    }

private:
    std::mt19937_64* random_;
    std::vector<float> table_;
    std::int64_t count_;
    std::vector<Rope> problems_;
};

Case rope_case(const char* op, int heads, int head_dim) {
    Case c = streaming_case("deepseek-v3", op, 4096, static_cast<std::int64_t>(heads) * kRopeDim, heads > 1);
    c.shape.heads = heads;
    c.shape.dim_qk = head_dim;
    return c;
}

} // namespace

std::vector<Case> rope_cases() { return {rope_case("queries", 128, 192), rope_case("shared key", 1, 576)}; }

Work rope_work(const Case& c) {
    const std::int64_t count = c.shape.rows * c.shape.heads * kRopeDim;
    return {3.0 * static_cast<double>(count), 2 * count + 4 * c.shape.rows * kRopeDim, 2 * count};
}

std::unique_ptr<Workload> make_rope(const Case& c, Device& device) {
    return std::make_unique<RopeWorkload>(c, device);
}

} // namespace chokepoint::kref
