// SPDX-License-Identifier: Apache-2.0
// CPU references of data movement.
#include "copy/copy.hpp"

namespace chokepoint::kref {

Bf16Bits add_reference(Bf16Bits a, Bf16Bits b) {
    // A float sum of two BF16 values is rounded once here and once more to BF16, as on the device.
    return to_bf16(static_cast<float>(from_bf16(a)) + static_cast<float>(from_bf16(b)));
}

} // namespace chokepoint::kref
