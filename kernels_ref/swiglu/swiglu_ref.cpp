// SPDX-License-Identifier: Apache-2.0
// SwiGLU in double precision.
#include "swiglu/swiglu.hpp"

#include <cmath>

namespace chokepoint::kref {

double swiglu_reference(double gate, double up) { return gate / (1.0 + std::exp(-gate)) * up; }

SwigluGradient swiglu_gradient_reference(double gate, double up, double dh) {
    const double sigmoid = 1.0 / (1.0 + std::exp(-gate));
    const double slope = sigmoid * (1.0 + gate * (1.0 - sigmoid));
    return {dh * up * slope, dh * gate * sigmoid};
}

} // namespace chokepoint::kref
