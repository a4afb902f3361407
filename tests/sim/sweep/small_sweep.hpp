// SPDX-License-Identifier: Apache-2.0
// A scenario that loads in no time, axes over it, and a folder for stores.
#pragma once

#include <chokepoint/sim/run_sweep.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>

namespace chokepoint::test {

inline constexpr const char* kSmall = R"(title = "small"
[cluster]
gpu = "h800-sxm"
nodes = 2
[model]
arch = "moe-tiny"
[plan]
pipeline = 2
expert = 8
schedule = "1f1b"
micro_batch = 1
global_batch = 32
precision = "bf16"
)";

inline sim::ScenarioTemplate small_template(const std::string& more = {}) {
    return sim::ScenarioTemplate::parse(kSmall + more, "small.toml");
}

inline sim::Grid grid_over(const sim::ScenarioTemplate& source, const std::vector<std::string>& axes) {
    std::vector<sim::Axis> made;
    for (const std::string& axis : axes) {
        made.push_back(source.axis(axis));
    }
    return {made, sim::kMostPoints};
}

/// Answers as point_work does, without simulating: a step takes as many seconds as the overrides have
/// letters.
inline std::string quick_work(std::string_view task) {
    std::size_t letters = 0;
    for (const auto& text : nlohmann::json::parse(task)) {
        letters += text.get<std::string>().size();
    }
    const double seconds = static_cast<double>(letters);
    const nlohmann::json line{{"status", "done"},
                              {"error", ""},
                              {"wall", 0.0},
                              {"step", {seconds, seconds - 1.0, seconds + 1.0}},
                              {"gpu_hours", nullptr},
                              {"usd", nullptr},
                              {"tokens", 1.0},
                              {"mfu", 0.5},
                              {"peak_memory", 1e9},
                              {"gpu", "h800-sxm"},
                              {"gpus", 16}};
    return line.dump() + "\n{}";
}

class Folder {
public:
    Folder() {
        std::string pattern = (std::filesystem::temp_directory_path() / "chokepoint-sweep-XXXXXX").string();
        path_ = ::mkdtemp(pattern.data());
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
    [[nodiscard]] std::filesystem::path file(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

} // namespace chokepoint::test
