// SPDX-License-Identifier: Apache-2.0
// Turns catalog files into parts, nodes and fabrics, or into the list of all their faults.
#include <chokepoint/hwmodels/catalog.hpp>

#include "catalog_figures.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace chokepoint::hw {
namespace {

/// FNV-1a, 64 bit: http://www.isthe.com/chongo/tech/comp/fnv/
class Fnv1a {
public:
    void add(std::string_view bytes) {
        for (const char c : bytes) {
            hash_ = (hash_ ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
        }
    }
    [[nodiscard]] std::uint64_t value() const { return hash_; }

private:
    std::uint64_t hash_ = 0xcbf29ce484222325ULL;
};

void read_peaks(DataFile& file, GpuSpec& gpu) {
    const Section peaks = file.section(file.root(), "dense_peak");
    for (const auto& [key, value] : *peaks.entries) {
        if (const auto dtype = dtype_from(key)) {
            gpu.dense_peak[*dtype] =
                FlopsPerSecond(read_figure(file, peaks, key, Dimension::flop_rate, gpu.citations));
        } else {
            file.fault(value.key_at, fmt::format("dense_peak.{}: no number format of that name", key));
        }
    }
    if (!gpu.dense_peak.contains(DType::bf16)) {
        file.fault(peaks.at, "missing key 'dense_peak.bf16', which MFU is counted against");
    }
}

void read_prices(DataFile& file, GpuSpec& gpu) {
    if (!file.root().has("price")) {
        return;
    }
    for (const Section& entry : file.sections(file.root(), "price")) {
        file.allow(entry, {"per_gpu", "source", "date"});
        const double per_gpu = file.quantity(entry, "per_gpu", Dimension::usd_per_gpu_hour);
        const Citation cited = file.citation(entry);
        gpu.prices.push_back({UsdPerSecond(per_gpu), cited.date, cited.source});
    }
    std::ranges::stable_sort(gpu.prices, {}, &PriceEntry::date);
}

/// NVLink or its like; a part without any states PCIe instead.
void read_peer_link(DataFile& file, GpuSpec& gpu) {
    const Section root = file.root();
    const auto read = [&](const std::string& name, BytesPerSecond& rate, BytesPerSecond& achievable) {
        const std::string reached = name + "_achievable";
        rate = BytesPerSecond(read_figure(file, root, name, Dimension::bandwidth, gpu.citations));
        achievable = BytesPerSecond(read_figure(file, root, reached, Dimension::bandwidth, gpu.citations));
        if (rate.value() > 0.0 && achievable * 2.0 > rate) {
            file.fault(root.entries->at(reached).at,
                       fmt::format("{}: {} in one direction is above half of {} ({} in both)", reached,
                                   to_text(achievable), name, to_text(rate)));
        }
    };
    const bool pcie = root.has("pcie") || root.has("pcie_achievable");
    if (pcie) {
        read("pcie", gpu.pcie, gpu.pcie_achievable);
    }
    if (!pcie || root.has("nvlink") || root.has("nvlink_achievable")) {
        read("nvlink", gpu.nvlink, gpu.nvlink_achievable);
    }
}

GpuSpec read_gpu(DataFile& file) {
    const Section root = file.root();
    file.allow(root,
               {"id", "name", "architecture", "sm_count", "dense_peak", "memory", "memory_bandwidth",
                "nvlink", "nvlink_achievable", "pcie", "pcie_achievable", "tdp", "die_area_mm2", "price"});
    GpuSpec gpu;
    gpu.id = file.text(root, "id");
    gpu.name = file.text(root, "name");
    gpu.architecture = file.text(root, "architecture");
    gpu.sm_count = read_count(file, root, "sm_count", gpu.citations);
    read_peaks(file, gpu);
    gpu.memory = Bytes(read_figure(file, root, "memory", Dimension::bytes, gpu.citations));
    gpu.memory_bandwidth =
        BytesPerSecond(read_figure(file, root, "memory_bandwidth", Dimension::bandwidth, gpu.citations));
    read_peer_link(file, gpu);
    gpu.tdp = Watts(read_figure(file, root, "tdp", Dimension::watts, gpu.citations));
    if (root.has("die_area_mm2")) {
        gpu.die_area_mm2 = read_figure(file, root, "die_area_mm2", Dimension::count, gpu.citations);
    }
    read_prices(file, gpu);
    return gpu;
}

NodeEntry read_node(DataFile& file) {
    const Section root = file.root();
    file.allow(root, {"id", "gpus", "nics", "nic", "nvlink_latency", "host_link", "host_memory", "host_call",
                      "nvls", "parts"});
    NodeEntry entry;
    entry.id = file.text(root, "id");
    entry.parts = file.texts(root, "parts");
    entry.node.gpus = read_count(file, root, "gpus", entry.citations);
    entry.node.nics = read_count(file, root, "nics", entry.citations);
    entry.node.nic = BytesPerSecond(read_figure(file, root, "nic", Dimension::bandwidth, entry.citations));
    entry.node.nvlink_latency =
        Seconds(read_figure(file, root, "nvlink_latency", Dimension::seconds, entry.citations));
    entry.node.host_link =
        BytesPerSecond(read_figure(file, root, "host_link", Dimension::bandwidth, entry.citations));
    entry.node.host_memory =
        BytesPerSecond(read_figure(file, root, "host_memory", Dimension::bandwidth, entry.citations));
    entry.node.host_call = Seconds(read_figure(file, root, "host_call", Dimension::seconds, entry.citations));
    if (root.has("nvls")) { // without it: a switch that only forwards, or none
        const Section nvls = file.section(root, "nvls");
        file.allow(nvls, {"value", "source", "date", "estimate"});
        entry.node.nvls = file.flag(nvls, "value");
        entry.citations["nvls"] = file.citation(nvls);
    }
    return entry;
}

/// Keeps `entries` sorted by id; one of the same id gives way.
template <typename Entry> void put(std::vector<Entry>& entries, Entry entry) {
    const auto at = std::ranges::lower_bound(entries, entry.id, {}, &Entry::id);
    if (at != entries.end() && at->id == entry.id) {
        *at = std::move(entry);
    } else {
        entries.insert(at, std::move(entry));
    }
}

template <typename Entry> const Entry* find(const std::vector<Entry>& entries, std::string_view id) {
    const auto at = std::ranges::find(entries, id, &Entry::id);
    return at == entries.end() ? nullptr : &*at;
}

} // namespace

Section read_citation(DataFile& file, const Section& parent, std::string_view key, Citations& citations) {
    const Section table = file.section(parent, key);
    if (parent.has(key)) {
        file.allow(table, {"value", "source", "date", "estimate"});
        citations[table.path] = file.citation(table);
    }
    return table;
}

double read_figure(DataFile& file, const Section& parent, std::string_view key, Dimension dimension,
                   Citations& citations) {
    const Section table = read_citation(file, parent, key, citations);
    return parent.has(key) ? file.quantity(table, "value", dimension) : 0.0;
}

int read_count(DataFile& file, const Section& parent, std::string_view key, Citations& citations) {
    const Section table = read_citation(file, parent, key, citations);
    return parent.has(key) ? file.count(table, "value") : 0;
}

class CatalogLoader {
public:
    void add_directory(const std::filesystem::path& directory) {
        std::error_code ignored;
        if (!std::filesystem::is_directory(directory, ignored)) {
            faults_.push_back(fmt::format("{}: error: no such catalog directory", directory.string()));
            return;
        }
        bool any = false;
        for (const std::string_view kind : {"link", "fabric", "gpu", "node", "rule", "cost", "failure",
                                            "grid", "network", "power", "premium", "purchase"}) {
            for (const auto& path : toml_files(directory / kind)) {
                any = true;
                add_file(kind, path);
            }
        }
        if (!any) {
            faults_.push_back(
                fmt::format("{}: error: a catalog directory holds gpu/*.toml, node/*.toml, "
                            "fabric/*.toml, rule/*.toml or economic data, and this one has none",
                            directory.string()));
        }
    }

    Catalog finish() {
        for (const NodeEntry& entry : catalog_.nodes_) {
            for (const std::string& part : entry.parts) {
                if (find(catalog_.gpus_, part) == nullptr && faults_.empty()) {
                    faults_.push_back(
                        fmt::format("node '{}': error: parts: no part is called '{}'", entry.id, part));
                }
            }
        }
        for (FabricEntry& entry : catalog_.fabrics_) {
            const LinkEntry* link = find(catalog_.links_, entry.link);
            if (link != nullptr) {
                fill_latencies(entry, *link);
            } else if (!entry.link.empty() && faults_.empty()) {
                faults_.push_back(
                    fmt::format("fabric '{}': error: link: no link is called '{}'", entry.id, entry.link));
            }
        }
        if (!faults_.empty()) {
            throw CatalogError(fmt::format("{}", fmt::join(faults_, "\n")));
        }
        catalog_.content_hash_ = fmt::format("{:016x}", hash_.value());
        return std::move(catalog_);
    }

private:
    void add_file(std::string_view kind, const std::filesystem::path& path) {
        std::string content;
        try {
            content = read_text_file(path.string());
        } catch (const std::runtime_error& error) {
            faults_.push_back(fmt::format("{}: error: {}", path.string(), error.what()));
            return;
        }
        // Names and contents are set apart, so that moving a byte between them changes the hash.
        hash_.add(fmt::format("{}/{}", kind, path.filename().string()));
        hash_.add(std::string_view("\0", 1));
        hash_.add(content);
        hash_.add(std::string_view("\0", 1));

        DataFile file(path.string(), content);
        if (file.parsed()) {
            read(kind, path.stem().string(), file);
        }
        faults_.insert(faults_.end(), file.faults().begin(), file.faults().end());
    }

    void read(std::string_view kind, const std::string& stem, DataFile& file) {
        if (kind == "gpu") {
            keep(read_gpu(file), catalog_.gpus_, stem, file);
        } else if (kind == "node") {
            keep(read_node(file), catalog_.nodes_, stem, file);
        } else if (kind == "link") {
            keep(read_link(file), catalog_.links_, stem, file);
        } else if (kind == "fabric") {
            keep(read_fabric(file), catalog_.fabrics_, stem, file);
        } // rules are read by load_rules(), economic data by load_economics(); here they count as data a
          // result rests on
    }

    template <typename Entry>
    void keep(Entry entry, std::vector<Entry>& entries, const std::string& stem, DataFile& file) {
        if (!entry.id.empty() && entry.id != stem) {
            file.fault(
                file.root().entries->at("id").at,
                fmt::format("id: \"{}\" in a file called \"{}.toml\"; they must agree", entry.id, stem));
        }
        put(entries, std::move(entry));
    }

    Catalog catalog_;
    std::vector<std::string> faults_;
    Fnv1a hash_;
};

Catalog Catalog::load(const std::vector<std::filesystem::path>& user_directories) {
    CatalogLoader loader;
    loader.add_directory(data_path("catalog"));
    for (const std::filesystem::path& directory : user_directories) {
        loader.add_directory(directory);
    }
    return loader.finish();
}

const GpuSpec* Catalog::find_gpu(std::string_view id) const { return find(gpus_, id); }

const NodeEntry* Catalog::find_node(std::string_view id) const { return find(nodes_, id); }

const NodeEntry* Catalog::usual_node_entry(const GpuSpec& gpu) const {
    const auto entry = std::ranges::find_if(nodes_, [&](const NodeEntry& node) {
        return std::ranges::find(node.parts, gpu.id) != node.parts.end();
    });
    return entry == nodes_.end() ? nullptr : &*entry;
}

std::optional<Node> Catalog::usual_node(const GpuSpec& gpu) const {
    const NodeEntry* entry = usual_node_entry(gpu);
    if (entry == nullptr) {
        return std::nullopt;
    }
    Node node = entry->node;
    node.gpu = gpu;
    return node;
}

const LinkEntry* Catalog::find_link(std::string_view id) const { return find(links_, id); }

const FabricEntry* Catalog::find_fabric(std::string_view id) const { return find(fabrics_, id); }

} // namespace chokepoint::hw
