// SPDX-License-Identifier: Apache-2.0
// Fields of a config.json, read one by one: each has a line, a type and a range, and whoever asks for one
// learns of every fault at the end.
#pragma once

#include <chokepoint/workloads/hf_config.hpp>

#include <nlohmann/json.hpp>

#include <map>
#include <set>
#include <span>

namespace chokepoint::work {

struct Range {
    std::int64_t min = 0, max = 0;
};

class HfFields {
public:
    /// Faults of form (no JSON, no object, a field twice) are collected here; then no field is there.
    explicit HfFields(std::string_view text);

    /// A whole number in range. Without a fallback the field must be there; with one, absence and null give
    /// it.
    int whole(const char* field, Range, std::optional<std::int64_t> fallback = {});
    bool truth(const char* field, bool fallback);
    /// A text that must be there.
    std::string text(const char* field);
    /// A list of whole numbers; absence and null give an empty one.
    std::vector<int> wholes(const char* field, Range);

    /// A list of texts, each one of `words`; absence and null give an empty one.
    std::vector<std::string> texts(const char* field, std::span<const std::string_view> words);

    /// The field may be there, whatever it says: it changes nothing that is counted or simulated.
    void ignore(const char* field) { known_.insert(field); }
    /// The field must be absent, null or equal to this; `why` says what is not modelled.
    void require(const char* field, const nlohmann::json& expected, std::string_view why);
    /// Every item of the list, if there is one, must be this text.
    void require_all(const char* field, std::string_view expected, std::string_view why);

    void fault(const char* field, std::string message);
    /// Reports what nobody asked for.
    void refuse_others(std::string_view model_type);

    [[nodiscard]] bool has(const char* field) const;
    [[nodiscard]] bool sound() const { return faults_.empty(); }
    std::vector<ConfigFault> take_faults() { return std::move(faults_); }

private:
    const nlohmann::json* find(const char* field);
    void wrong(const char* field, const nlohmann::json&, std::string_view expected);

    nlohmann::json document_;
    std::map<std::string, int, std::less<>> lines_;
    std::set<std::string, std::less<>> known_;
    std::vector<ConfigFault> faults_;
};

} // namespace chokepoint::work
