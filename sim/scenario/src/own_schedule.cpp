// SPDX-License-Identifier: Apache-2.0
// Reads the order that plan.schedule names a file for, with every fault of that file at its own place.
#include "reading.hpp"
#include "text.hpp"

#include <chokepoint/workloads/schedule_csv.hpp>

namespace chokepoint::sim::loader {

void read_own_schedule(Reading& reading) {
    work::ParallelPlan& plan = reading.draft.plan;
    Slot& slot = reading.slot("plan.schedule");
    if (!slot.sound || !plan.schedule.ends_with(slot.key->shape.file_ending) ||
        work::find_schedule(plan.schedule) != nullptr) {
        return;
    }
    const std::filesystem::path file = std::filesystem::path(reading.file()).parent_path() / plan.schedule;
    try {
        const std::string text = read_text(file, "a schedule");
        plan.own_schedule = work::parse_schedule_csv(text, plan.schedule);
        reading.draft.digests["plan.schedule"] = digest(text);
    } catch (const ScenarioError& error) {
        reading.fault("plan.schedule",
                      "schedule: " + in_quotes(file.string()) + " " + error.faults()[0].message);
        slot.sound = false;
    } catch (const work::ScheduleCsvError& error) {
        for (const work::CsvFault& fault : error.faults()) {
            reading.faults.push_back({file.string(), fault.line, fault.column, fault.message});
        }
        slot.sound = false;
    }
}

} // namespace chokepoint::sim::loader
