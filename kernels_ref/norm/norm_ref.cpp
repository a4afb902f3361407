// SPDX-License-Identifier: Apache-2.0
// RMSNorm in double precision.
#include "norm/norm.hpp"

#include <cmath>

namespace chokepoint::kref {

double inverse_rms_reference(const std::vector<double>& x) {
    double squares = 0.0;
    for (const double value : x) {
        squares += value * value;
    }
    return 1.0 / std::sqrt(squares / static_cast<double>(x.size()) + static_cast<double>(kNormEpsilon));
}

std::vector<double> norm_forward_reference(const std::vector<double>& x, const std::vector<double>& weight) {
    const double inverse = inverse_rms_reference(x);
    std::vector<double> y;
    for (std::size_t i = 0; i < x.size(); ++i) {
        y.push_back(x[i] * inverse * weight[i]);
    }
    return y;
}

std::vector<double> norm_backward_reference(const std::vector<double>& dy, const std::vector<double>& x,
                                            const std::vector<double>& weight) {
    const double inverse = inverse_rms_reference(x);
    double projection = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        projection += dy[i] * weight[i] * x[i];
    }
    const double mean = projection / static_cast<double>(x.size());
    std::vector<double> dx;
    for (std::size_t i = 0; i < x.size(); ++i) {
        dx.push_back(inverse * (dy[i] * weight[i] - x[i] * inverse * inverse * mean));
    }
    return dx;
}

double norm_dweight_reference(const std::vector<double>& dy_column, const std::vector<double>& x_column,
                              const std::vector<double>& inverse_rms) {
    double sum = 0.0;
    for (std::size_t i = 0; i < x_column.size(); ++i) {
        sum += dy_column[i] * x_column[i] * inverse_rms[i];
    }
    return sum;
}

} // namespace chokepoint::kref
