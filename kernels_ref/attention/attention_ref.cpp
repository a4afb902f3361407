// SPDX-License-Identifier: Apache-2.0
// Attention row by row in double precision.
#include "attention/attention.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace chokepoint::kref {
namespace {

double dot(const std::vector<double>& a, const std::vector<double>& b) {
    return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

void add_scaled(std::vector<double>& to, double factor, const std::vector<double>& from) {
    for (std::size_t i = 0; i < to.size(); ++i) {
        to[i] += factor * from[i];
    }
}

} // namespace

double attention_scale(const Shape& s) { return 1.0 / std::sqrt(static_cast<double>(s.dim_qk)); }

AttentionRow attention_row_reference(const std::vector<double>& query, const Matrix& keys,
                                     const Matrix& values, std::int64_t visible, double scale) {
    std::vector<double> scores;
    for (std::int64_t j = 0; j < visible; ++j) {
        scores.push_back(scale * dot(query, keys[static_cast<std::size_t>(j)]));
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double sum = 0.0;
    AttentionRow row;
    row.output.assign(values.front().size(), 0.0);
    for (std::size_t j = 0; j < scores.size(); ++j) {
        const double share = std::exp(scores[j] - largest);
        sum += share;
        add_scaled(row.output, share, values[j]);
    }
    for (double& value : row.output) {
        value /= sum;
    }
    row.log_sum = largest + std::log(sum);
    return row;
}

std::vector<double> attention_dq_reference(const std::vector<double>& query, const Matrix& keys,
                                           const Matrix& values, std::int64_t visible, double scale,
                                           const std::vector<double>& output,
                                           const std::vector<double>& d_output, double log_sum) {
    const double mean = dot(d_output, output);
    std::vector<double> dq(query.size(), 0.0);
    for (std::size_t j = 0; j < static_cast<std::size_t>(visible); ++j) {
        const double share = std::exp(scale * dot(query, keys[j]) - log_sum);
        add_scaled(dq, scale * share * (dot(d_output, values[j]) - mean), keys[j]);
    }
    return dq;
}

KeyGradient attention_dkv_reference(const std::vector<double>& key, const std::vector<double>& value,
                                    const Matrix& queries, const Matrix& outputs, const Matrix& d_outputs,
                                    const std::vector<double>& log_sums, std::int64_t first, double scale) {
    KeyGradient gradient{std::vector<double>(key.size(), 0.0), std::vector<double>(value.size(), 0.0)};
    for (auto i = static_cast<std::size_t>(first); i < queries.size(); ++i) {
        const double share = std::exp(scale * dot(queries[i], key) - log_sums[i]);
        add_scaled(gradient.value, share, d_outputs[i]);
        const double slope = dot(d_outputs[i], value) - dot(d_outputs[i], outputs[i]);
        add_scaled(gradient.key, scale * share * slope, queries[i]);
    }
    return gradient;
}

} // namespace chokepoint::kref
