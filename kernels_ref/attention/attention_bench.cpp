// SPDX-License-Identifier: Apache-2.0
// Buffers and checks of attention: sampled queries forward and for dq, sampled keys for dk and dv.
#include "attention/attention.hpp"
#include "framework/device_tools.hpp"

namespace chokepoint::kref {
namespace {

constexpr double kForwardBound = 5e-3; // shares are rounded to BF16 inside the kernel
constexpr double kStatisticsBound = 1e-4;
constexpr double kBackwardBound = 1.5e-2; // and gradients of scores too

std::int64_t count(const Shape& s, int heads, int dim) { return s.batch * s.seq * heads * dim; }

/// One set of tensors, laid out [batch][seq][heads][dim].
struct Tensors {
    Bf16Bits *q = nullptr, *k = nullptr, *v = nullptr, *o = nullptr;
    float* statistics = nullptr;
    Bf16Bits *d_o = nullptr, *dq = nullptr, *dk = nullptr, *dv = nullptr;
};

Tensors forward_tensors(const Shape& s, Device& device) {
    Tensors t;
    const auto normal = [&](int heads, int dim) {
        auto* tensor = device.arena->take<Bf16Bits>(count(s, heads, dim));
        fill_normal(tensor, count(s, heads, dim), 1.0F, (*device.random)(), device.stream);
        return tensor;
    };
    t.q = normal(s.heads, s.dim_qk);
    t.k = normal(s.kv_heads, s.dim_qk);
    t.v = normal(s.kv_heads, s.dim_v);
    t.o = device.arena->take<Bf16Bits>(count(s, s.heads, s.dim_v));
    t.statistics = device.arena->take<float>(s.batch * s.heads * s.seq);
    return t;
}

std::int64_t forward_bytes(const Shape& s) {
    const Work work = attention_work(s, false);
    return work.read_bytes + work.written_bytes;
}

class AttentionForward {
public:
    AttentionForward(const Shape& s, Device& device) : plan_(device.cudnn(), s) {
        plan_.graph.plan();
        workspace_ = device.arena->take<std::byte>(plan_.graph.workspace_bytes() + 1);
    }
    void run(const Tensors& t, cudaStream_t stream) {
        plan_.graph.run({{plan_.q, t.q},
                         {plan_.k, t.k},
                         {plan_.v, t.v},
                         {plan_.o, t.o},
                         {plan_.statistics, t.statistics}},
                        workspace_, stream);
    }

private:
    AttentionForwardGraph plan_;
    std::byte* workspace_;
};

/// Reads of one head of one sequence.
class HeadReader {
public:
    HeadReader(const Shape& s, std::int64_t batch, std::int64_t head) : s_(s), batch_(batch), head_(head) {}
    [[nodiscard]] std::int64_t kv_head() const { return head_ / (s_.heads / s_.kv_heads); }
    [[nodiscard]] Matrix all(const Bf16Bits* tensor, int heads, int dim, std::int64_t head) const {
        std::vector<std::int64_t> rows;
        for (std::int64_t i = 0; i < s_.seq; ++i) {
            rows.push_back(start(heads, dim, head, i));
        }
        return read_lines(tensor, rows, 1, dim);
    }
    [[nodiscard]] std::vector<double> one(const Bf16Bits* tensor, int heads, int dim, std::int64_t head,
                                          std::int64_t row) const {
        return read_lines(tensor, {start(heads, dim, head, row)}, 1, dim).front();
    }
    [[nodiscard]] std::vector<double> statistics(const float* tensor, std::int64_t head) const {
        return read_lines(tensor, {(batch_ * s_.heads + head) * s_.seq}, 1, s_.seq).front();
    }

private:
    [[nodiscard]] std::int64_t start(int heads, int dim, std::int64_t head, std::int64_t row) const {
        return ((batch_ * s_.seq + row) * heads + head) * dim;
    }
    const Shape& s_;
    std::int64_t batch_, head_;
};

void add_all(FrobeniusError& error, const std::vector<double>& found, const std::vector<double>& expected) {
    for (std::size_t i = 0; i < found.size(); ++i) {
        error.add(found[i], expected[i]);
    }
}

class AttentionForwardWorkload : public Workload {
public:
    AttentionForwardWorkload(const Case& c, Device& device)
        : shape_(c.shape),
          random_(device.random),
          forward_(c.shape, device) {
        sets_ = device.rotation(forward_bytes(shape_));
        for (int i = 0; i < sets_; ++i) {
            tensors_.push_back(forward_tensors(shape_, device));
        }
    }

    void launch(int set, const Launch& launch) override {
        forward_.run(tensors_[static_cast<std::size_t>(set)], launch.stream);
    }

    Check check(const Launch& launch) override {
        const Shape& s = shape_;
        const Tensors& t = tensors_[0];
        poison(t.o, count(s, s.heads, s.dim_v), launch.stream);
        poison(t.statistics, s.batch * s.heads * s.seq, launch.stream);
        this->launch(0, launch);
        FrobeniusError output;
        FrobeniusError statistics;
        for (const std::int64_t head : sampled_heads()) {
            const HeadReader read(s, 0, head);
            const Matrix keys = read.all(t.k, s.kv_heads, s.dim_qk, read.kv_head());
            const Matrix values = read.all(t.v, s.kv_heads, s.dim_v, read.kv_head());
            const std::vector<double> log_sums = read.statistics(t.statistics, head);
            for (const std::int64_t row : sample(s.seq, 16, *random_)) {
                const AttentionRow expected =
                    attention_row_reference(read.one(t.q, s.heads, s.dim_qk, head, row), keys, values,
                                            s.causal ? row + 1 : s.seq, attention_scale(s));
                add_all(output, read.one(t.o, s.heads, s.dim_v, head, row), expected.output);
                statistics.add(log_sums[static_cast<std::size_t>(row)], expected.log_sum);
            }
        }
        const std::int64_t unwritten = count_poison(t.o, count(s, s.heads, s.dim_v), launch.stream) +
                                       count_poison(t.statistics, s.batch * s.heads * s.seq, launch.stream);
        return both(judge(output, kForwardBound, static_cast<std::size_t>(unwritten)),
                    judge(statistics, kStatisticsBound));
    }

private:
    [[nodiscard]] std::vector<std::int64_t> sampled_heads() const {
        return {0, shape_.heads / 2 + 1, shape_.heads - 1};
    }

    Shape shape_;
    std::mt19937_64* random_;
    AttentionForward forward_;
    std::vector<Tensors> tensors_;
};

class AttentionBackwardWorkload : public Workload {
public:
    AttentionBackwardWorkload(const Case& c, Device& device)
        : shape_(c.shape),
          random_(device.random),
          plan_(device.cudnn(), c.shape),
          clear_first_(!clears_dq_sum(device.cudnn().get_version())) {
        const Shape& s = shape_;
        plan_.graph.plan();
        AttentionForward forward(s, device);
        sets_ = std::min(device.rotation(2 * forward_bytes(s)), 4);
        for (int i = 0; i < sets_; ++i) {
            Tensors t = forward_tensors(s, device);
            const auto take = [&](int heads, int dim) {
                return device.arena->take<Bf16Bits>(count(s, heads, dim));
            };
            t.d_o = take(s.heads, s.dim_v);
            fill_normal(t.d_o, count(s, s.heads, s.dim_v), 1.0F, (*random_)(), device.stream);
            t.dq = take(s.heads, s.dim_qk);
            t.dk = take(s.kv_heads, s.dim_qk);
            t.dv = take(s.kv_heads, s.dim_v);
            forward.run(t, device.stream);
            tensors_.push_back(t);
        }
        require(cudaStreamSynchronize(device.stream), "run attention forward");
        workspace_ = device.arena->take<std::byte>(plan_.graph.workspace_bytes() + 1);
        row_sum_ = device.arena->take<float>(s.batch * s.heads * s.seq);
        dq_sum_ = device.arena->take<float>(count(s, s.heads, s.dim_qk));
    }

    void launch(int set, const Launch& launch) override {
        const Tensors& t = tensors_[static_cast<std::size_t>(set)];
        if (clear_first_) { // the kernel adds into this scratch from many blocks
            require(cudaMemsetAsync(dq_sum_, 0,
                                    static_cast<std::size_t>(count(shape_, shape_.heads, shape_.dim_qk)) *
                                        sizeof(float),
                                    launch.stream),
                    "clear the sum of dq");
        }
        plan_.graph.run({{plan_.q, t.q},
                         {plan_.k, t.k},
                         {plan_.v, t.v},
                         {plan_.o, t.o},
                         {plan_.d_o, t.d_o},
                         {plan_.statistics, t.statistics},
                         {plan_.dq, t.dq},
                         {plan_.dk, t.dk},
                         {plan_.dv, t.dv},
                         {plan_.row_sum, row_sum_},
                         {plan_.dq_sum, dq_sum_}},
                        workspace_, launch.stream);
    }

    Check check(const Launch& launch) override {
        const Shape& s = shape_;
        const Tensors& t = tensors_[0];
        poison(t.dq, count(s, s.heads, s.dim_qk), launch.stream);
        poison(t.dk, count(s, s.kv_heads, s.dim_qk), launch.stream);
        poison(t.dv, count(s, s.kv_heads, s.dim_v), launch.stream);
        poison(dq_sum_, count(s, s.heads, s.dim_qk), launch.stream); // whoever clears it has to
        this->launch(0, launch);
        const std::int64_t unwritten = count_poison(t.dq, count(s, s.heads, s.dim_qk), launch.stream) +
                                       count_poison(t.dk, count(s, s.kv_heads, s.dim_qk), launch.stream) +
                                       count_poison(t.dv, count(s, s.kv_heads, s.dim_v), launch.stream);
        return both(check_queries(static_cast<std::size_t>(unwritten)), check_keys());
    }

private:
    Check check_queries(std::size_t unwritten) {
        const Shape& s = shape_;
        const Tensors& t = tensors_[0];
        FrobeniusError error;
        for (const std::int64_t head : {std::int64_t{0}, std::int64_t{s.heads - 1}}) {
            const HeadReader read(s, 0, head);
            const Matrix keys = read.all(t.k, s.kv_heads, s.dim_qk, read.kv_head());
            const Matrix values = read.all(t.v, s.kv_heads, s.dim_v, read.kv_head());
            const std::vector<double> log_sums = read.statistics(t.statistics, head);
            for (const std::int64_t row : sample(s.seq, 14, *random_)) {
                const auto expected = attention_dq_reference(
                    read.one(t.q, s.heads, s.dim_qk, head, row), keys, values, s.causal ? row + 1 : s.seq,
                    attention_scale(s), read.one(t.o, s.heads, s.dim_v, head, row),
                    read.one(t.d_o, s.heads, s.dim_v, head, row), log_sums[static_cast<std::size_t>(row)]);
                add_all(error, read.one(t.dq, s.heads, s.dim_qk, head, row), expected);
            }
        }
        return judge(error, kBackwardBound, unwritten);
    }

    /// Every query head that shares the last key head contributes.
    Check check_keys() {
        const Shape& s = shape_;
        const Tensors& t = tensors_[0];
        const std::int64_t kv_head = s.kv_heads - 1;
        const int sharing = s.heads / s.kv_heads;
        const HeadReader read(s, 0, 0);
        const std::vector<std::int64_t> rows = sample(s.seq, 10, *random_);
        std::vector<KeyGradient> expected(rows.size(),
                                          {std::vector<double>(static_cast<std::size_t>(s.dim_qk), 0.0),
                                           std::vector<double>(static_cast<std::size_t>(s.dim_v), 0.0)});
        for (std::int64_t head = kv_head * sharing; head < (kv_head + 1) * sharing; ++head) {
            const Matrix queries = read.all(t.q, s.heads, s.dim_qk, head);
            const Matrix outputs = read.all(t.o, s.heads, s.dim_v, head);
            const Matrix d_outputs = read.all(t.d_o, s.heads, s.dim_v, head);
            const std::vector<double> log_sums = read.statistics(t.statistics, head);
            for (std::size_t i = 0; i < rows.size(); ++i) {
                const KeyGradient part = attention_dkv_reference(
                    read.one(t.k, s.kv_heads, s.dim_qk, kv_head, rows[i]),
                    read.one(t.v, s.kv_heads, s.dim_v, kv_head, rows[i]), queries, outputs, d_outputs,
                    log_sums, s.causal ? rows[i] : 0, attention_scale(s));
                for (std::size_t d = 0; d < part.key.size(); ++d) {
                    expected[i].key[d] += part.key[d];
                }
                for (std::size_t d = 0; d < part.value.size(); ++d) {
                    expected[i].value[d] += part.value[d];
                }
            }
        }
        FrobeniusError keys;
        FrobeniusError values;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            add_all(keys, read.one(t.dk, s.kv_heads, s.dim_qk, kv_head, rows[i]), expected[i].key);
            add_all(values, read.one(t.dv, s.kv_heads, s.dim_v, kv_head, rows[i]), expected[i].value);
        }
        return both(judge(keys, kBackwardBound), judge(values, kBackwardBound));
    }

    Shape shape_;
    std::mt19937_64* random_;
    AttentionBackwardGraph plan_;
    bool clear_first_;
    std::vector<Tensors> tensors_;
    std::byte* workspace_ = nullptr;
    float* row_sum_ = nullptr;
    float* dq_sum_ = nullptr;
};

} // namespace

Work attention_forward_work(const Case& c) { return attention_work(c.shape, false); }
Work attention_backward_work(const Case& c) { return attention_work(c.shape, true); }

std::unique_ptr<Workload> make_attention_forward(const Case& c, Device& device) {
    return std::make_unique<AttentionForwardWorkload>(c, device);
}
std::unique_ptr<Workload> make_attention_backward(const Case& c, Device& device) {
    return std::make_unique<AttentionBackwardWorkload>(c, device);
}

} // namespace chokepoint::kref
