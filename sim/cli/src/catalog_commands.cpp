// SPDX-License-Identifier: Apache-2.0
// The commands that only look: check, list, show.
#include "commands.hpp"

#include "economic_lists.hpp"
#include "figures.hpp"
#include "json.hpp"
#include "network_figures.hpp"
#include "output_file.hpp"
#include "result.hpp"

#include <chokepoint/hwmodels/catalog.hpp>
#include <chokepoint/hwmodels/cost_model.hpp>
#include <chokepoint/hwmodels/own_fits.hpp>
#include <chokepoint/sim/scenario.hpp>
#include <chokepoint/sim/software.hpp>
#include <chokepoint/workloads/schedule.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <span>

namespace chokepoint::cli {

namespace {

std::vector<Entry> list_gpus(const hw::Catalog& catalog) {
    std::vector<Entry> entries;
    for (const hw::GpuSpec& gpu : catalog.gpus()) {
        entries.push_back({gpu.id, fmt::format("{}: {} BF16, {} at {}, {} {}", gpu.name,
                                               hw::to_text(gpu.peak(hw::DType::bf16)),
                                               hw::to_text(gpu.memory), hw::to_text(gpu.memory_bandwidth),
                                               gpu.nvlink.value() > 0.0 ? "NVLink" : "PCIe",
                                               hw::to_text(hw::peer_link(gpu).rate))});
    }
    return entries;
}

std::vector<Entry> list_fabrics(const hw::Catalog& catalog) {
    std::vector<Entry> entries;
    for (const hw::FabricEntry& entry : catalog.fabrics()) {
        entries.push_back(
            {entry.id, fmt::format("{}, {}-port switches, up to {} NICs", hw::name(entry.fabric.kind),
                                   entry.fabric.radix,
                                   hw::group_digits(static_cast<double>(hw::max_endpoints(entry.fabric))))});
    }
    return entries;
}

std::vector<Entry> list_nodes(const hw::Catalog& catalog) {
    std::vector<Entry> entries;
    for (const hw::NodeEntry& entry : catalog.nodes()) {
        const std::string of = entry.parts.empty() ? "" : fmt::format(": {}", fmt::join(entry.parts, ", "));
        entries.push_back({entry.id, fmt::format("{} GPUs, {} NICs of {}{}", entry.node.gpus, entry.node.nics,
                                                 hw::to_text(entry.node.nic), of)});
    }
    return entries;
}

std::vector<Entry> list_links(const hw::Catalog& catalog) {
    std::vector<Entry> entries;
    for (const hw::LinkEntry& link : catalog.links()) {
        entries.push_back({link.id, fmt::format("{}: {} under a leaf, {} across", link.name,
                                                hw::to_text(link.latency_same_leaf),
                                                hw::to_text(link.latency_cross_leaf))});
    }
    return entries;
}

std::vector<Entry> list_models(const hw::Catalog&) {
    std::vector<Entry> entries;
    constexpr double kBillion = 1e9;
    for (const work::ModelArch& model : work::load_presets(hw::data_path("models"))) {
        const work::ParameterCount count = work::count_parameters(model);
        entries.push_back({model.id, fmt::format("{} layers, {:.1f} B parameters, {:.1f} B active",
                                                 model.layers, static_cast<double>(count.total) / kBillion,
                                                 static_cast<double>(count.active) / kBillion)});
    }
    return entries;
}

std::vector<Entry> list_schedules(const hw::Catalog&) {
    std::vector<Entry> entries;
    for (const work::ScheduleKind& kind : work::schedule_kinds()) {
        entries.push_back({std::string(kind.id), std::string(kind.summary)});
    }
    return entries;
}

std::vector<Entry> list_software(const hw::Catalog&) {
    std::vector<Entry> entries;
    for (const sim::SoftwareEntry& software : sim::software_entries()) {
        entries.push_back({software.id, software.title});
    }
    return entries;
}

struct Kind {
    std::string_view plural;
    std::vector<Entry> (*list)(const hw::Catalog&);
    std::vector<Entry> (*list_economics)(const hw::Economics&) = nullptr; ///< instead
};
constexpr std::array kKinds{
    Kind{"gpus", &list_gpus},
    Kind{"nodes", &list_nodes},
    Kind{"fabrics", &list_fabrics},
    Kind{"links", &list_links},
    Kind{"models", &list_models},
    Kind{"schedules", &list_schedules},
    Kind{"software", &list_software},
    Kind{"costs", nullptr, &list_costs},
    Kind{"premiums", nullptr, &list_premiums},
    Kind{"grids", nullptr, &list_grids},
    Kind{"networks", nullptr, &list_networks},
    Kind{"failures", nullptr, &list_failures},
};

std::vector<std::string> ids(const std::vector<Entry>& entries) {
    std::vector<std::string> out;
    std::ranges::transform(entries, std::back_inserter(out), &Entry::id);
    return out;
}

void emit_figures(const Common& common, const hw::Catalog& catalog, std::string_view kind,
                  const std::string& id, const std::vector<Figure>& figures) {
    Json values = Json::object();
    std::string text = fmt::format("{} {}\n", kind, id);
    for (const Figure& figure : figures) {
        values[figure.key] = {{"value", figure.value}, {"text", figure.text}, {"source", figure.source}};
        fmt::format_to(std::back_inserter(text), "  {:<26} {:>18}   {}\n", figure.key, figure.text,
                       figure.source);
    }
    emit(common,
         {{"schema", "chokepoint/show/1"},
          {"program", program_json(catalog.content_hash())},
          {"kind", kind},
          {"id", id},
          {"values", std::move(values)}},
         text);
}

/// "kernels.gemm.fp8.block_128": the class, and for arithmetic the number format.
std::string kernel_key(const hw::CurveBasis& basis) {
    const std::string key = fmt::format("kernels.{}", hw::name(basis.kernel));
    if (hw::is_memory_bound(basis.kernel)) {
        return key;
    }
    return basis.scaling == hw::Scaling::none
               ? fmt::format("{}.{}", key, hw::name(basis.dtype))
               : fmt::format("{}.{}.{}", key, hw::name(basis.dtype), hw::name(basis.scaling));
}

std::string basis_text(const hw::CurveBasis& basis) {
    constexpr double kPercent = 100.0;
    const std::string elsewhere =
        hw::is_memory_bound(basis.kernel)
            ? ""
            : fmt::format(" at measured shapes, {:.0f}% at others", kPercent * basis.outside);
    return fmt::format("{} rows on {}, {}, error {:.1f}% left out{}; sigma {:.0f}%{}", basis.rows,
                       basis.measured_on, basis.software, kPercent * basis.held_out_error,
                       basis.curve.empty() ? "" : "; the curve of " + basis.curve, kPercent * basis.inside,
                       elsewhere);
}

/// Rents by their dates, then what the part costs to buy.
void add_prices(const hw::GpuSpec& gpu, const hw::PurchasePrice* purchase, std::vector<Figure>& out) {
    std::map<std::string, int> quotes; ///< of one date
    for (const hw::PriceEntry& price : gpu.prices) {
        const int quote = ++quotes[price.date];
        const double usd_per_hour = (price.per_gpu * hw::kHour).value();
        out.push_back({fmt::format("rent {}{}", price.date, quote > 1 ? fmt::format(" ({})", quote) : ""),
                       fmt::format("{:.2f} USD/GPU-h", usd_per_hour), usd_per_hour, price.source});
    }
    if (purchase != nullptr) {
        for (const auto& [name, usd] : {std::pair("low", purchase->low), std::pair("high", purchase->high)}) {
            const hw::Citation& citation = purchase->citations.at(name);
            out.push_back({fmt::format("purchase {} {}", citation.date, name), hw::to_text(usd), usd.value(),
                           cited(purchase->citations, name)});
        }
    }
}

/// Of --fits; throws UsageError with every fault.
hw::CalibrationOptions with_own_fits(const std::filesystem::path& folder) {
    hw::CalibrationOptions options;
    if (!folder.empty()) {
        try {
            options.own_fits = hw::read_own_fits(folder).folder;
        } catch (const std::runtime_error& error) {
            throw UsageError(fmt::format("--fits: {}", error.what()));
        }
    }
    return options;
}

std::vector<Figure> gpu_figures(const hw::GpuSpec& gpu, const hw::Economics& economics,
                                const hw::CalibrationOptions& curves) {
    std::vector<Figure> figures{
        {"name", gpu.name, gpu.name, ""},
        {"architecture", gpu.architecture, gpu.architecture, ""},
        {"sm_count", fmt::format("{}", gpu.sm_count), gpu.sm_count, cited(gpu.citations, "sm_count")}};
    for (const auto& [dtype, peak] : gpu.dense_peak) {
        const std::string key = fmt::format("dense_peak.{}", hw::name(dtype));
        figures.push_back({key, hw::to_text(peak), peak.value(), cited(gpu.citations, key)});
    }
    const auto add = [&](const char* key, auto quantity) {
        figures.push_back({key, hw::to_text(quantity), quantity.value(), cited(gpu.citations, key)});
    };
    add("memory", gpu.memory);
    add("memory_bandwidth", gpu.memory_bandwidth);
    if (gpu.nvlink.value() > 0.0) {
        add("nvlink", gpu.nvlink);
        add("nvlink_achievable", gpu.nvlink_achievable);
    } else {
        figures.push_back({"nvlink", "none", 0.0, "the node's other parts are reached over PCIe"});
        add("pcie", gpu.pcie);
        add("pcie_achievable", gpu.pcie_achievable);
    }
    add("tdp", gpu.tdp);
    const double tpp = hw::total_processing_performance(gpu);
    figures.push_back({"tpp", fmt::format("{:.0f}", tpp), tpp, "derived: largest TOPS x bit length"});
    if (gpu.die_area_mm2) {
        const double area = *gpu.die_area_mm2;
        figures.push_back(
            {"die_area_mm2", fmt::format("{:g} mm2", area), area, cited(gpu.citations, "die_area_mm2")});
        figures.push_back({"performance_density", fmt::format("{:.2f}", tpp / area), tpp / area,
                           "derived: TPP per mm2 of die"});
    }
    add_prices(gpu, economics.purchase_of(gpu.id), figures);
    for (const hw::CurveBasis& basis : hw::calibration_basis(gpu, curves)) {
        const std::string kind(hw::name(basis.kind));
        figures.push_back({kernel_key(basis), kind, kind, basis_text(basis)});
    }
    return figures;
}

/// What the software does by itself, key by key.
std::vector<Figure> software_figures(const sim::SoftwareEntry& software) {
    std::vector<Figure> figures{{"software", "", software.title, software.title},
                                {"host_share", fmt::format("{}", software.host_share), software.host_share,
                                 "of the node's host_call, to start a kernel"}};
    for (const sim::SoftwareEntry::Choice& choice : software.choices) {
        figures.push_back({choice.key, choice.value, choice.value, std::string(choice.when)});
    }
    figures.push_back({"source", "", software.source, software.source});
    return figures;
}

} // namespace

int check_command(const std::string& file, const Common& common) {
    try {
        const sim::Scenario scenario =
            sim::load_scenario(file, {common.overrides, common.catalog_directories});
        Json values = Json::object();
        std::string text = fmt::format("{}: {}\n", scenario.file(), scenario.title());
        for (const sim::ResolvedValue& value : scenario.resolved()) {
            values[value.key] = {{"value", value.is_text ? Json(value.text) : Json(value.base)},
                                 {"text", value.text},
                                 {"origin", std::string(sim::name(value.origin))},
                                 {"where", value.where}};
            fmt::format_to(std::back_inserter(text), "  {:<34} {:>20}   {:<8} {}\n", value.key, value.text,
                           sim::name(value.origin), value.where);
        }
        Json warnings = Json::array();
        for (const sim::Diagnostic& warning : scenario.warnings()) {
            warnings.push_back(sim::to_text(warning, "warning"));
            fmt::print(stderr, "{}\n", sim::to_text(warning, "warning"));
        }
        emit(common,
             {{"schema", "chokepoint/check/1"},
              {"program", program_json(scenario.catalog_hash())},
              {"valid", true},
              {"values", std::move(values)},
              {"warnings", std::move(warnings)},
              {"faults", Json::array()}},
             text);
        return kFine;
    } catch (const sim::ScenarioError& error) {
        if (!common.json.empty()) {
            Json faults = Json::array();
            for (const sim::Diagnostic& fault : error.faults()) {
                faults.push_back({{"file", fault.file},
                                  {"line", fault.line},
                                  {"column", fault.column},
                                  {"message", fault.message}});
            }
            OutputFile(common.json)
                .commit(Json{{"schema", "chokepoint/check/1"},
                             {"program",
                              program_json(hw::Catalog::load(common.catalog_directories).content_hash())},
                             {"valid", false},
                             {"values", Json::object()},
                             {"warnings", Json::array()},
                             {"faults", std::move(faults)}}
                            .dump(2) +
                        "\n");
        }
        throw;
    }
}

int list_command(const std::string& plural, const Common& common) {
    const auto kind = std::ranges::find(kKinds, plural, &Kind::plural);
    if (kind == kKinds.end()) {
        std::vector<std::string> plurals;
        std::ranges::transform(kKinds, std::back_inserter(plurals),
                               [](const Kind& k) { return std::string(k.plural); });
        throw unknown("list", plural, plurals);
    }
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    Json entries = Json::array();
    std::string text;
    for (const Entry& entry : kind->list != nullptr
                                  ? kind->list(catalog)
                                  : kind->list_economics(hw::load_economics(common.catalog_directories))) {
        entries.push_back({{"id", entry.id}, {"summary", entry.summary}});
        fmt::format_to(std::back_inserter(text), "{:<26} {}\n", entry.id, entry.summary);
    }
    emit(common,
         {{"schema", "chokepoint/list/1"},
          {"program", program_json(catalog.content_hash())},
          {"kind", plural},
          {"entries", std::move(entries)}},
         text);
    return kFine;
}

int show_command(const std::string& kind, const std::string& id, const ShowOptions& options,
                 const Common& common) {
    const PluggedIn& plugged = options.plugged;
    if (plugged.gpus > 0 && kind != "fabric") {
        throw UsageError(fmt::format("--gpus: a {} joins no GPUs; expected `show fabric`", kind));
    }
    if (!options.fits.empty() && kind != "gpu") {
        throw UsageError(fmt::format("--fits: a {} has no kernels; expected `show gpu`", kind));
    }
    const hw::Catalog catalog = hw::Catalog::load(common.catalog_directories);
    if (kind == "gpu") {
        const hw::GpuSpec* gpu = catalog.find_gpu(id);
        if (gpu == nullptr) {
            throw unknown("gpu", id, ids(list_gpus(catalog)));
        }
        emit_figures(
            common, catalog, kind, id,
            gpu_figures(*gpu, hw::load_economics(common.catalog_directories), with_own_fits(options.fits)));
    } else if (kind == "fabric") {
        const hw::FabricEntry* fabric = catalog.find_fabric(id);
        if (fabric == nullptr) {
            throw unknown("fabric", id, ids(list_fabrics(catalog)));
        }
        emit_figures(common, catalog, kind, id, fabric_figures(*fabric, catalog, plugged));
    } else if (kind == "node") {
        const hw::NodeEntry* node = catalog.find_node(id);
        if (node == nullptr) {
            throw unknown("node", id, ids(list_nodes(catalog)));
        }
        emit_figures(common, catalog, kind, id, node_figures(*node));
    } else if (kind == "link") {
        const hw::LinkEntry* link = catalog.find_link(id);
        if (link == nullptr) {
            throw unknown("link", id, ids(list_links(catalog)));
        }
        emit_figures(common, catalog, kind, id, link_figures(*link));
    } else if (kind == "model") {
        const work::ModelArch model = model_called(id);
        emit_figures(common, catalog, kind, model.id, model_figures(model, options.sequence));
    } else if (kind == "software") {
        const std::vector<sim::SoftwareEntry> all = sim::software_entries();
        const auto software = std::ranges::find(all, id, &sim::SoftwareEntry::id);
        if (software == all.end()) {
            throw unknown("software", id, ids(list_software(catalog)));
        }
        emit_figures(common, catalog, kind, id, software_figures(*software));
    } else {
        throw unknown("kind", kind, {"gpu", "node", "fabric", "link", "model", "software"});
    }
    return kFine;
}

} // namespace chokepoint::cli
