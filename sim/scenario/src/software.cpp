// SPDX-License-Identifier: Apache-2.0
// Reads the files of training software, and fills a plan with what the software does by itself.
#include "software.hpp"

#include "text.hpp"

#include <chokepoint/sim/software.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace chokepoint::sim::loader {

/// A section of a software's file, and the plans that its values are for.
struct Condition {
    std::string_view section, when;
    bool (*holds)(const Reading&);
};

namespace {

bool is_moe(const Reading& reading) { return reading.draft.model.moe.experts > 0; }
bool on_blackwell(const Reading& reading) { return is_of(reading, "blackwell"); }
bool has_layers_run_again(const Reading& reading) {
    const work::Recompute& recompute = reading.draft.plan.recompute;
    return recompute.layer || recompute.dense_ffn;
}
/// The plans that overlap_expert is for.
bool has_paired_experts(const Reading& reading) {
    const work::ParallelPlan& plan = reading.draft.plan;
    return plan.expert > 1 &&
           (plan.schedule == "interleaved-1f1b" || (plan.schedule == "1f1b" && plan.pipeline == 1));
}
bool in_fp8(const Reading& reading) {
    using enum work::Precision;
    const work::Precision precision = reading.draft.plan.precision;
    return precision == fp8_delayed || precision == fp8_tensor || precision == mxfp8;
}

constexpr std::array kConditions{
    Condition{"always", "", [](const Reading&) { return true; }},
    Condition{"in_fp8", "in fp8-delayed, fp8-tensor or mxfp8", &in_fp8},
    Condition{"in_fp16", "in fp16",
              [](const Reading& reading) { return reading.draft.plan.precision == work::Precision::fp16; }},
    Condition{"with_layers_run_again", "with layer or dense_ffn in recompute", &has_layers_run_again},
    Condition{"without_context", "with context = 1",
              [](const Reading& reading) { return reading.draft.plan.context == 1; }},
    Condition{"with_experts", "of a model with experts", &is_moe},
    Condition{"with_paired_experts_on_blackwell", "with expert > 1 under 1f1b, on Blackwell",
              [](const Reading& reading) { return has_paired_experts(reading) && on_blackwell(reading); }},
    Condition{
        "with_overlap_expert_on_blackwell", "with overlap_expert, on Blackwell",
        [](const Reading& reading) { return reading.draft.plan.overlap_expert && on_blackwell(reading); }},
    Condition{
        "with_node_limited_experts_outside_a_rack",
        "with max_nodes in [model.moe], where NVLink joins 8 GPUs",
        [](const Reading& reading) { return reading.draft.model.moe.max_nodes > 0 && !in_a_rack(reading); }},
    Condition{"with_recorded_experts_in_mxfp8_on_blackwell",
              "of a model with experts in mxfp8 and step in cuda_graphs, on Blackwell",
              [](const Reading& reading) {
                  const work::ParallelPlan& plan = reading.draft.plan;
                  return is_moe(reading) && on_blackwell(reading) && plan.cuda_graphs.step &&
                         plan.precision == work::Precision::mxfp8;
              }},
    Condition{"without_experts", "of a dense model", [](const Reading& reading) { return !is_moe(reading); }},
};

const Condition* find_condition(std::string_view section) {
    const auto* found = std::ranges::find(kConditions, section, &Condition::section);
    return found == kConditions.end() ? nullptr : found;
}

class SoftwareReader {
public:
    explicit SoftwareReader(std::vector<Diagnostic>& faults) : faults_(faults) {}

    Software read(const std::filesystem::path& file) {
        const Document document = parse_document(read_text(file, "a software"), file.string());
        for (const Entry& entry : document.entries) {
            if (entry.path.size() == 1) {
                entry.raw ? read_top(entry) : check_section(entry);
            } else if (const Condition* condition = find_condition(entry.path[0])) {
                read_choice(entry, *condition);
            }
        }
        for (const std::string name : {"id", "title", "source"}) {
            const bool given = std::ranges::any_of(
                document.entries, [&](const Entry& entry) { return join_path(entry.path) == name; });
            if (!given) {
                faults_.push_back(
                    {file.string(), 1, 1, fmt::format("missing key '{}': expected text", name)});
            }
        }
        return std::move(software_);
    }

private:
    void fault(const Place& place, std::string message) { faults_.push_back(at(place, std::move(message))); }

    void read_top(const Entry& entry) {
        const std::string& name = entry.path[0];
        const auto* text = std::get_if<std::string>(&entry.raw->value);
        std::string* field = name == "id"       ? &software_.id
                             : name == "title"  ? &software_.title
                             : name == "source" ? &software_.source
                                                : nullptr;
        if (field != nullptr && text != nullptr) {
            *field = *text;
        } else if (const auto* share = std::get_if<double>(&entry.raw->value);
                   name == "host_share" && share != nullptr && *share > 0.0 && *share <= 10.0) {
            software_.host_share = *share;
        } else if (field != nullptr) {
            fault(entry.value, fmt::format("{}: found {}; expected text", name, describe(*entry.raw)));
        } else if (name == "host_share") {
            fault(entry.value, fmt::format("host_share: found {}; expected a number above 0, up to 10.0",
                                           describe(*entry.raw)));
        } else {
            fault(entry.key,
                  fmt::format("unknown key '{}'; known: id, title, source, host_share", printable(name)));
        }
    }

    void check_section(const Entry& entry) {
        if (find_condition(entry.path[0]) == nullptr) {
            std::vector<std::string_view> known;
            for (const Condition& condition : kConditions) {
                known.push_back(condition.section);
            }
            fault(entry.key, fmt::format("unknown section [{}]; known: {}", printable(entry.path[0]),
                                         fmt::join(known, ", ")));
        }
    }

    void read_choice(const Entry& entry, const Condition& condition) {
        const std::string name = join_path(std::span(entry.path).subspan(1));
        const Key* key = find_key("plan." + name);
        const bool open = key != nullptr && (key->need == Need::defaulted || key->need == Need::computed);
        if (!open || key->path == "plan.software") {
            fault(entry.key,
                  fmt::format("'{}' is no key of [plan] that has a default of its own", printable(name)));
            return;
        }
        // Choices of [plan] are fixed lists, so that no library is needed to know them.
        static const Library none{};
        const ReadResult read = read_value(entry.raw.value_or(Raw{Foreign{kTableNoun}}), key->shape, none);
        if (!read.fault.empty()) {
            fault(entry.value, fmt::format("{}: {}", name, read.fault));
            return;
        }
        software_.choices.push_back({key, read.value, &condition});
    }

    std::vector<Diagnostic>& faults_;
    Software software_;
};

/// Whether the plan leaves this open and is one that the choice is for.
bool takes(const Reading& reading, const Software::Choice& choice) {
    const Slot& slot = reading.slot(choice.key->path);
    return !slot.given && slot.sound && choice.condition->holds(reading);
}

/// "elementwise eager, attention_kernel flash-attention-2".
std::string choices_text(const Software& software, const Reading& reading) {
    std::vector<std::string> parts;
    for (const Software::Choice& choice : software.choices) {
        if (takes(reading, choice)) {
            parts.push_back(
                fmt::format("{} {}", label(choice.key->path), to_text(choice.value, choice.key->shape)));
        }
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

const Software* name_software(Reading& reading) {
    const Slot& slot = reading.slot("plan.software");
    if (!slot.sound) {
        return nullptr;
    }
    if (slot.given) {
        return find_software(reading.library, reading.draft.software);
    }
    const SoftwareGuess guess = reading.usual_software ? *reading.usual_software : guess_software(reading);
    const Software* software = find_software(reading.library, guess.id);
    if (software == nullptr) {
        return nullptr;
    }
    reading.derive("plan.software", software->id,
                   guess.because.empty() ? std::string(slot.key->reason)
                                         : fmt::format("a guess, since {}", guess.because));
    const std::string choices = choices_text(*software, reading);
    if (!guess.because.empty() && !choices.empty()) {
        reading.warn(
            "plan.software",
            fmt::format("software is not said; since {} it is taken for {} ({}); say software = \"...\" "
                        "(chokepoint list software) if it was another",
                        guess.because, software->id, choices));
    }
    return software;
}

} // namespace

std::vector<Software> load_software(const std::filesystem::path& directory) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
        if (entry.path().extension() == ".toml") {
            files.push_back(entry.path());
        }
    }
    std::ranges::sort(files);
    std::vector<Software> all;
    std::vector<Diagnostic> faults;
    for (const std::filesystem::path& file : files) {
        Software software = SoftwareReader(faults).read(file);
        if (std::ranges::find(all, software.id, &Software::id) != all.end()) {
            faults.push_back(
                {file.string(), 1, 1, fmt::format("another file has the id {} too", in_quotes(software.id))});
        }
        all.push_back(std::move(software));
    }
    if (!faults.empty()) {
        std::ranges::stable_sort(faults, {}, [](const Diagnostic& fault) {
            return std::tuple(fault.file, fault.line, fault.column);
        });
        throw ScenarioError(std::move(faults));
    }
    return all;
}

const Software* find_software(const Library& library, std::string_view id) {
    const auto found = std::ranges::find(library.software, id, &Software::id);
    return found == library.software.end() ? nullptr : &*found;
}

/// With zero below 3 Transformer Engine's recipes are NVIDIA's, 417 of 422, and all 196 in FP16 are on A100s,
/// 102 of them by Megatron's before 2023 and the others by one later fork. With zero = 3 213 of 246 dense
/// ones in 16 bits are PyTorch's FSDP without torch.compile.
SoftwareGuess guess_software(const Reading& reading) {
    using work::Precision;
    const SoftwareGuess usual{"megatron-core", ""};
    if (!reading.sound({"cluster.gpu", "model.moe.experts", "plan.precision", "plan.zero", "plan.context"})) {
        return usual;
    }
    const work::ParallelPlan& plan = reading.draft.plan;
    const bool dense = !is_moe(reading);
    const bool in_16_bits = plan.precision == Precision::bf16 || plan.precision == Precision::fp16;
    if (plan.zero == 3) {
        return dense && in_16_bits ? SoftwareGuess{"pytorch-fsdp", "zero is 3"} : usual;
    }
    std::string because = fmt::format("precision is {}", work::name(plan.precision));
    switch (plan.precision) {
    case Precision::fp16:
        return dense && plan.context == 1 && is_of(reading, "ampere")
                   ? SoftwareGuess{"megatron-lm-2022", because + " on Ampere"}
                   : usual;
    case Precision::fp8_delayed:
        return {"nemo", std::move(because)};
    case Precision::fp8_tensor:
    case Precision::mxfp8:
    case Precision::nvfp4:
        return {"megatron-bridge", std::move(because)};
    default:
        return usual;
    }
}

void apply_software(Reading& reading) {
    const Software* software = name_software(reading);
    if (software == nullptr) {
        return;
    }
    const std::string where = fmt::format("{}: {}", software->id, software->source);
    for (const Software::Choice& choice : software->choices) {
        if (takes(reading, choice)) {
            reading.derive(choice.key->path, choice.value, where, Origin::preset);
        }
    }
    if (const Slot& call = reading.slot("cluster.host_call");
        !call.given && call.sound && software->host_share != 1.0) {
        reading.derive("cluster.host_call", to_value(software->host_share * reading.draft.host_call),
                       fmt::format("{} of {}: {}", software->host_share, call.where, where));
    }
}

} // namespace chokepoint::sim::loader

namespace chokepoint::sim {

std::vector<SoftwareEntry> software_entries() { return software_entries(hw::data_path("software")); }

std::vector<SoftwareEntry> software_entries(const std::filesystem::path& directory) {
    std::vector<SoftwareEntry> entries;
    for (const loader::Software& software : loader::load_software(directory)) {
        SoftwareEntry& entry = entries.emplace_back();
        entry.id = software.id;
        entry.title = software.title;
        entry.source = software.source;
        entry.host_share = software.host_share;
        for (const loader::Software::Choice& choice : software.choices) {
            entry.choices.push_back({std::string(choice.key->path),
                                     loader::to_text(choice.value, choice.key->shape),
                                     choice.condition->when});
        }
    }
    return entries;
}

} // namespace chokepoint::sim
