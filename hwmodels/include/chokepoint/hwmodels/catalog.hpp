// SPDX-License-Identifier: Apache-2.0
// Reads the part, node, fabric and price files of a catalog directory.
#pragma once

#include <chokepoint/hwmodels/cluster.hpp>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

namespace chokepoint::hw {

/// Where the shipped data lies: $CHOKEPOINT_DATA, else ../share/chokepoint beside the program, else what
/// look_for_data_in() named, else the build tree it was built in, else the installed copy. Holds catalog/,
/// fits/, measurements/, models/, scenarios/.
/// @throws std::runtime_error naming the places looked at if none exists.
std::filesystem::path data_directory();

/// Names a data directory; true, so that it can initialise a variable. Not to be called beside threads that
/// read data.
bool look_for_data_in(std::string directory);
#ifdef CHOKEPOINT_DATA_DIRECTORY // of find_package(chokepoint): an installed copy's own, wherever its prefix
                                 // lies
inline const bool kInstalledDataNamed = look_for_data_in(CHOKEPOINT_DATA_DIRECTORY);
#endif

/// One folder of the shipped data: "catalog", "fits", "measurements", "models" or "scenarios".
/// @throws std::runtime_error if the data directory has no such folder.
std::filesystem::path data_path(std::string_view kind);

/// A fault in a catalog file: "h800.toml:12:9: error: …", one line per fault.
class CatalogError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A node as parts usually come in it; its `node.gpu` is empty.
struct NodeEntry {
    std::string id; ///< "hgx-8x400g"
    Node node;
    std::vector<std::string> parts; ///< ids of the parts it is the usual node of
    std::map<std::string, Citation> citations;
    friend bool operator==(const NodeEntry&, const NodeEntry&) = default;
};

/// What NICs and switches are made of.
struct LinkEntry {
    std::string id;            ///< "infiniband"
    std::string name;          ///< "InfiniBand NDR"
    Seconds latency_same_leaf; ///< one way, NIC to NIC
    Seconds latency_cross_leaf;
    Seconds latency_cross_pod;
    std::map<std::string, Citation> citations;
    friend bool operator==(const LinkEntry&, const LinkEntry&) = default;
};

struct FabricEntry {
    std::string id;   ///< "multi-plane"
    std::string link; ///< id of its link; empty: the file has latencies of its own
    Fabric fabric;
    std::map<std::string, Citation> citations;
    friend bool operator==(const FabricEntry&, const FabricEntry&) = default;
};

/// All parts, nodes, links and fabrics, from the shipped catalog and then the user's directories (a later
/// file replaces an earlier one of the same id). A directory holds gpu/*.toml, node/*.toml, link/*.toml and
/// fabric/*.toml, each file named by its id.
class Catalog {
public:
    /// @throws CatalogError with every fault of every file.
    static Catalog load(const std::vector<std::filesystem::path>& user_directories = {});

    [[nodiscard]] const GpuSpec* find_gpu(std::string_view id) const; ///< nullptr if there is none
    [[nodiscard]] const std::vector<GpuSpec>& gpus() const { return gpus_; }
    [[nodiscard]] const NodeEntry* find_node(std::string_view id) const;
    [[nodiscard]] const std::vector<NodeEntry>& nodes() const { return nodes_; }
    /// The node that a part usually comes in; nullptr if no node file names the part.
    [[nodiscard]] const NodeEntry* usual_node_entry(const GpuSpec&) const;
    /// The node that a part usually comes in, with the part in it; nothing if no node file names the part.
    [[nodiscard]] std::optional<Node> usual_node(const GpuSpec&) const;
    [[nodiscard]] const LinkEntry* find_link(std::string_view id) const;
    [[nodiscard]] const std::vector<LinkEntry>& links() const { return links_; }
    [[nodiscard]] const FabricEntry* find_fabric(std::string_view id) const;
    [[nodiscard]] const std::vector<FabricEntry>& fabrics() const { return fabrics_; }
    /// 16 hex digits over every file's name and content, so that a result names the data it rests on.
    [[nodiscard]] const std::string& content_hash() const { return content_hash_; }

private:
    friend class CatalogLoader;
    std::vector<GpuSpec> gpus_; ///< these four are sorted by id
    std::vector<NodeEntry> nodes_;
    std::vector<LinkEntry> links_;
    std::vector<FabricEntry> fabrics_;
    std::string content_hash_;
};

} // namespace chokepoint::hw
