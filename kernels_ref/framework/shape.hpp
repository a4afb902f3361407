// SPDX-License-Identifier: Apache-2.0
// What is checked and timed: one list of shapes serves both, so that no time exists for a shape nobody
// checked.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::kref {

enum class Precision { bf16, fp8_tensor, fp8_block };
std::string_view dtype_name(Precision);   ///< "bf16" or "fp8"
std::string_view scaling_name(Precision); ///< "none", "per_tensor" or "block_128"
int element_bytes(Precision);

/// Which of a linear layer's three products; none for kernels that are no GEMM.
enum class Role { forward, dgrad, wgrad, none };
std::string_view name(Role);

/// GEMM: out[m,n] += a[m,k] b[k,n], `groups` times with m rows each (wgrad: k tokens each).
/// Attention: `batch` sequences of `seq` tokens. Streaming: `rows` of `columns`; each kernel says what they
/// mean.
struct Shape {
    std::int64_t m = 0, n = 0, k = 0;
    int groups = 1;
    bool uneven = false; ///< groups' rows differ, with mean m

    std::int64_t batch = 0, seq = 0;
    int heads = 0, kv_heads = 0, dim_qk = 0, dim_v = 0;
    bool causal = true;

    std::int64_t rows = 0, columns = 0;
    int top_k = 0;

    friend bool operator==(const Shape&, const Shape&) = default;
};

/// Arithmetic and least traffic: each tensor once, scales included.
struct Work {
    double flops = 0;
    std::int64_t read_bytes = 0, written_bytes = 0;
    int launches = 1;
};

struct Case {
    std::string model; ///< "deepseek-v3"
    std::string op;    ///< "q_a"
    Role role = Role::none;
    Shape shape;
    std::string family;     ///< forward N x K of a linear layer; the unit of the train/holdout split
    bool contended = false; ///< also timed on fewer SMs and beside a transfer
    bool sustained = false; ///< also timed for a second on end
};

/// GEMM arithmetic and traffic; BF16 outputs, but weight gradients that are accumulated read and write FP32.
Work gemm_work(const Shape&, Role, Precision, bool accumulates = true);
/// Causal attention counts the triangle; backward five products to the forward's two.
Work attention_work(const Shape&, bool backward);

/// A family is held out by a hash of its name, so that adding shapes moves none between the sets.
bool held_out(std::string_view family);

/// Every dense linear layer, three roles each; `Precision` leaves out what it cannot express.
std::vector<Case> dense_gemm_cases(Precision);
/// Experts' layers. Uneven groups are listed for the forward product alone.
std::vector<Case> grouped_gemm_cases(Precision, Role only);
std::vector<Case> grouped_gemm_cases(Precision);
std::vector<Case> attention_cases();
/// 8192 cubed: what this part's matrix units reach at best.
std::vector<Case> gemm_ceiling_cases();

/// A kernel that streams `rows` of `columns`.
Case streaming_case(std::string model, std::string op, std::int64_t rows, std::int64_t columns,
                    bool contended = false);

/// "m=4096 n=1536 k=7168"
std::string describe(const Shape&);

} // namespace chokepoint::kref
