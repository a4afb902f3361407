// SPDX-License-Identifier: Apache-2.0
// Reads the economic data from TOML, or lists every fault of it.
#include "catalog_figures.hpp"

#include <chokepoint/hwmodels/economics.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

namespace chokepoint::hw {
namespace {

template <class Q> Q figure(DataFile& file, std::string_view key, Dimension dimension, Citations& citations) {
    return Q(read_figure(file, file.root(), key, dimension, citations));
}

double number(DataFile& file, std::string_view key, Citations& citations) {
    return read_figure(file, file.root(), key, Dimension::count, citations);
}

/// A figure that may say between which values it lies, `low` and `high`.
double ranged(DataFile& file, std::string_view key, Dimension dimension, OwnershipModel& model) {
    const Section table = file.section(file.root(), key);
    if (!file.root().has(key)) {
        return 0.0;
    }
    file.allow(table, {"value", "low", "high", "source", "date", "estimate"});
    model.citations[table.path] = file.citation(table);
    const double value = file.quantity(table, "value", dimension);
    if (!table.has("low") && !table.has("high")) {
        return value;
    }
    const double low = file.quantity(table, "low", dimension);
    const double high = file.quantity(table, "high", dimension);
    if (low > value || value > high) {
        file.fault(table.at, fmt::format("{}: the value is not between low and high", key));
    }
    model.ranges.emplace(key, std::array{low, high});
    return value;
}

void expect_share(DataFile& file, std::string_view key, double value) {
    if (value > 1.0) {
        file.fault(file.root().entries->find(key)->second.at,
                   fmt::format("{}: {} is no share of one", key, value));
    }
}

double share(DataFile& file, std::string_view key, OwnershipModel& model) {
    const double value = ranged(file, key, Dimension::count, model);
    expect_share(file, key, value);
    if (const auto range = model.ranges.find(key); range != model.ranges.end()) {
        expect_share(file, key, range->second[1]);
    }
    return value;
}

double share(DataFile& file, std::string_view key, Citations& citations) {
    const double value = number(file, key, citations);
    expect_share(file, key, value);
    return value;
}

PowerProfile read_power(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "parts", "compute", "communication", "idle", "host", "rated"});
    PowerProfile p;
    p.id = file.text(root, "id");
    p.parts = file.texts(root, "parts");
    p.compute = share(file, "compute", p.citations);
    p.communication = share(file, "communication", p.citations);
    p.idle = share(file, "idle", p.citations);
    p.host = figure<Watts>(file, "host", Dimension::watts, p.citations);
    p.rated = number(file, "rated", p.citations);
    return p;
}

PurchasePrice read_purchase(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "low", "high", "released"});
    PurchasePrice p;
    p.id = file.text(root, "id");
    p.low = figure<Usd>(file, "low", Dimension::usd, p.citations);
    p.high = figure<Usd>(file, "high", Dimension::usd, p.citations);
    const Section released = file.section(root, "released");
    file.allow(released, {"source", "date", "estimate"});
    p.citations["released"] = file.citation(released);
    p.released = p.citations["released"].date;
    if (p.high < p.low) {
        file.fault(root.entries->at("high").at,
                   fmt::format("high: {} is below low, {}", to_text(p.high), to_text(p.low)));
    }
    return p;
}

Depreciation read_depreciation(DataFile& file) {
    const Section root = file.root();
    const std::string text = file.text(root, "depreciation");
    for (const Depreciation d : {Depreciation::straight_line, Depreciation::market_value}) {
        if (name(d) == text) {
            return d;
        }
    }
    if (!text.empty()) {
        file.fault(root.entries->at("depreciation").at,
                   fmt::format("depreciation: \"{}\" is unknown; expected \"{}\" or \"{}\"", text,
                               name(Depreciation::straight_line), name(Depreciation::market_value)));
    }
    return Depreciation::straight_line;
}

OwnershipModel read_ownership_model(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "title", "depreciation", "server_overhead", "network_share", "storage",
                      "facility", "lifetime", "facility_lifetime", "price_trend", "delay", "utilisation",
                      "cost_of_capital", "power_price", "power_share"});
    OwnershipModel m;
    m.id = file.text(root, "id");
    m.title = file.text(root, "title");
    m.depreciation = read_depreciation(file);
    const auto figure = [&](std::string_view key, Dimension dimension) {
        return ranged(file, key, dimension, m);
    };
    m.server_overhead = figure("server_overhead", Dimension::count);
    if (root.has("network_share")) {
        m.network_share = share(file, "network_share", m);
    }
    if (root.has("power_share")) {
        m.power_share = share(file, "power_share", m);
    }
    m.power_price = UsdPerJoule(figure("power_price", Dimension::usd_per_kwh));
    if (m.depreciation == Depreciation::market_value) {
        m.price_trend = figure("price_trend", Dimension::count);
        m.delay = Seconds(figure("delay", Dimension::seconds));
        return m;
    }
    m.storage = Usd(figure("storage", Dimension::usd));
    m.facility = UsdPerWatt(figure("facility", Dimension::usd_per_watt));
    m.lifetime = Seconds(figure("lifetime", Dimension::seconds));
    m.facility_lifetime = Seconds(figure("facility_lifetime", Dimension::seconds));
    m.utilisation = share(file, "utilisation", m);
    m.cost_of_capital = share(file, "cost_of_capital", m);
    return m;
}

NetworkCosts read_networks(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "source", "date", "row"});
    NetworkCosts table;
    table.citation = {file.text(root, "source"), file.text(root, "date"), false};
    for (const Section& row : file.sections(root, "row")) {
        file.allow(row, {"topology", "endpoints", "switches", "links", "cost"});
        table.rows.push_back({file.text(row, "topology"), static_cast<double>(file.count(row, "endpoints")),
                              static_cast<double>(file.count(row, "switches")),
                              static_cast<double>(file.count(row, "links")),
                              Usd(file.quantity(row, "cost", Dimension::usd))});
    }
    if (file.faults().empty()) {
        try {
            table.prices = network_prices(table.rows);
        } catch (const std::invalid_argument& error) {
            file.fault(root.at, error.what());
        }
    }
    return table;
}

Grid read_grid(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "name", "carbon"});
    Grid g;
    g.id = file.text(root, "id");
    g.name = file.text(root, "name");
    g.carbon = figure<KilogramsPerJoule>(file, "carbon", Dimension::kg_per_kwh, g.citations);
    return g;
}

Premium read_premium(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "title", "parts", "since", "share"});
    Premium p;
    p.id = file.text(root, "id");
    p.title = file.text(root, "title");
    p.since = file.text(root, "since");
    if (root.has("parts")) {
        p.parts = file.texts(root, "parts");
    }
    p.share = number(file, "share", p.citations);
    return p;
}

FailureRecord read_failures(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "title", "gpu_mtbf"});
    FailureRecord r;
    r.id = file.text(root, "id");
    r.title = file.text(root, "title");
    r.gpu_mtbf = figure<Seconds>(file, "gpu_mtbf", Dimension::seconds, r.citations);
    return r;
}

template <class Entry> void put(std::vector<Entry>& entries, Entry entry) {
    std::erase_if(entries, [&](const Entry& other) { return other.id == entry.id; });
    entries.insert(std::ranges::lower_bound(entries, entry.id, {}, &Entry::id), std::move(entry));
}

struct Folder {
    std::string_view name;
    void (*read)(DataFile&, Economics&);
};
constexpr std::array kFolders{
    Folder{"power", [](DataFile& file, Economics& e) { put(e.power, read_power(file)); }},
    Folder{"purchase", [](DataFile& file, Economics& e) { put(e.purchases, read_purchase(file)); }},
    Folder{"cost", [](DataFile& file, Economics& e) { put(e.cost_models, read_ownership_model(file)); }},
    Folder{"network", [](DataFile& file, Economics& e) { e.networks = read_networks(file); }},
    Folder{"grid", [](DataFile& file, Economics& e) { put(e.grids, read_grid(file)); }},
    Folder{"premium", [](DataFile& file, Economics& e) { put(e.premiums, read_premium(file)); }},
    Folder{"failure", [](DataFile& file, Economics& e) { put(e.failures, read_failures(file)); }},
};

void read_file(const Folder& folder, const std::filesystem::path& path, Economics& economics,
               std::vector<std::string>& faults) {
    try {
        DataFile file(path.string(), read_text_file(path.string()));
        if (file.parsed()) {
            folder.read(file, economics);
            if (const std::string id = file.text(file.root(), "id"); id != path.stem().string()) {
                file.fault(file.root().at, fmt::format("id: \"{}\" in a file called \"{}\"; they must agree",
                                                       id, path.filename().string()));
            }
        }
        faults.insert(faults.end(), file.faults().begin(), file.faults().end());
    } catch (const std::runtime_error& error) {
        faults.push_back(fmt::format("{}: error: {}", path.string(), error.what()));
    }
}

} // namespace

Economics load_economics(const std::vector<std::filesystem::path>& user_directories) {
    std::vector<std::filesystem::path> directories{data_path("catalog")};
    directories.insert(directories.end(), user_directories.begin(), user_directories.end());
    Economics economics;
    std::vector<std::string> faults;
    for (const std::filesystem::path& directory : directories) {
        for (const Folder& folder : kFolders) {
            for (const std::filesystem::path& path : toml_files(directory / folder.name)) {
                read_file(folder, path, economics, faults);
            }
        }
    }
    if (!faults.empty()) {
        throw CatalogError(fmt::format("{}", fmt::join(faults, "\n")));
    }
    return economics;
}

} // namespace chokepoint::hw
