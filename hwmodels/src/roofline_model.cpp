// SPDX-License-Identifier: Apache-2.0
// The bound that no kernel beats: what the datasheet promises, and nothing else.
#include <chokepoint/hwmodels/cost_model.hpp>

#include "fit_form.hpp"

#include <algorithm>

namespace chokepoint::hw {
namespace {

class RooflineModel final : public CostModel {
public:
    explicit RooflineModel(const GpuSpec& part) : part_(part) {}

    [[nodiscard]] Estimate estimate(const Operator& op, const Occupancy& occupancy) const override {
        const Device device = device_for(part_, op, occupancy.sms_held, 1.0);
        const Seconds traffic = (op.read + op.written) / device.memory;
        if (is_memory_bound(op.kernel)) {
            return {traffic, 0.0, false};
        }
        const double share = static_cast<double>(device.sms_free) / device.sms;
        return {std::max(traffic, arithmetic(op) / (device.tensor * share)), 0.0, false};
    }

private:
    GpuSpec part_;
};

} // namespace

std::unique_ptr<CostModel> make_roofline_model(const GpuSpec& part) {
    return std::make_unique<RooflineModel>(part);
}

} // namespace chokepoint::hw
