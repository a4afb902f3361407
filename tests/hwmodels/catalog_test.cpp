// SPDX-License-Identifier: Apache-2.0
// Every shipped part is complete and cited; every fault of a user's file is found at once and located.
#include <chokepoint/hwmodels/catalog.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

namespace chokepoint::hw {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

/// A catalog directory of its own, gone with the test.
class UserCatalog {
public:
    UserCatalog() {
        std::string pattern = (std::filesystem::temp_directory_path() / "catalog_test_XXXXXX").string();
        root_ = mkdtemp(pattern.data());
    }
    ~UserCatalog() { std::filesystem::remove_all(root_); }
    UserCatalog(const UserCatalog&) = delete;
    UserCatalog& operator=(const UserCatalog&) = delete;

    void write(const std::string& name, std::string_view content) const {
        const auto path = root_ / name;
        std::filesystem::create_directories(path.parent_path());
        std::ofstream(path, std::ios::binary) << content;
    }
    [[nodiscard]] const std::filesystem::path& root() const { return root_; }

    /// The message of the CatalogError that loading throws; empty if it throws none.
    [[nodiscard]] std::string faults() const {
        try {
            (void)Catalog::load({root_});
            return {};
        } catch (const CatalogError& error) {
            return error.what();
        }
    }

private:
    std::filesystem::path root_;
};

std::string shipped(const std::string& name) {
    std::ifstream file(data_path("catalog") / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Catalog, EveryPartIsCompleteAndCited) {
    const Catalog catalog = Catalog::load();
    ASSERT_GE(catalog.gpus().size(), 2U);
    for (const GpuSpec& gpu : catalog.gpus()) {
        EXPECT_FALSE(gpu.name.empty()) << gpu.id;
        EXPECT_GT(gpu.sm_count, 0) << gpu.id;
        EXPECT_GT(gpu.memory.value(), 0.0) << gpu.id;
        EXPECT_GT(gpu.memory_bandwidth.value(), 5e11) << gpu.id << ": a datacentre part of our time";
        const PeerLink link = peer_link(gpu);
        EXPECT_LE(link.achievable * 2.0, link.rate) << gpu.id;
        EXPECT_GT(link.achievable * 3.0, link.rate)
            << gpu.id << ": one direction reaches two thirds of its half";
        for (const auto& [dtype, rate] : gpu.dense_peak) {
            EXPECT_GT(rate.value(), 0.0) << gpu.id;
            EXPECT_TRUE(gpu.citations.contains("dense_peak." + std::string(name(dtype)))) << gpu.id;
        }
        const bool linked = gpu.nvlink.value() > 0.0;
        for (const char* field : {"sm_count", "memory", "memory_bandwidth", linked ? "nvlink" : "pcie",
                                  linked ? "nvlink_achievable" : "pcie_achievable", "tdp"}) {
            ASSERT_TRUE(gpu.citations.contains(field)) << gpu.id << ' ' << field;
            EXPECT_FALSE(gpu.citations.at(field).source.empty()) << gpu.id << ' ' << field;
            EXPECT_FALSE(gpu.citations.at(field).date.empty()) << gpu.id << ' ' << field;
        }
        EXPECT_TRUE(catalog.usual_node(gpu)) << gpu.id;
        EXPECT_TRUE(std::ranges::is_sorted(gpu.prices, {}, &PriceEntry::date)) << gpu.id;
    }
}

TEST(Catalog, NodesAndFabricsAreThePublishedOnes) {
    const Catalog catalog = Catalog::load();
    const Node node = catalog.usual_node(*catalog.find_gpu("h800-sxm")).value();
    EXPECT_EQ(node.gpu.id, "h800-sxm");
    EXPECT_EQ(node.gpus, 8);
    EXPECT_EQ(nic_per_gpu(node), 50_GBps);
    const FabricEntry* entry = catalog.find_fabric("multi-plane");
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(max_endpoints(entry->fabric), 16384); // arXiv 2505.09343, table 3: MPFT
    EXPECT_EQ(max_endpoints(catalog.find_fabric("fat-tree-2")->fabric), 2048); // FT2
    EXPECT_EQ(max_endpoints(catalog.find_fabric("fat-tree")->fabric), 65536);  // FT3
    EXPECT_EQ(entry->fabric.latency_same_leaf, 2.8_us);
    EXPECT_EQ(entry->fabric.latency_cross_leaf, 3.7_us);
    for (const FabricEntry& fabric : catalog.fabrics()) {
        EXPECT_THAT(check_fabric(fabric.fabric), IsEmpty()) << fabric.id;
        EXPECT_TRUE(fabric.citations.contains("latency_same_leaf")) << fabric.id;
    }
    EXPECT_EQ(catalog.find_gpu("h800"), nullptr);
    EXPECT_EQ(catalog.find_fabric("ring"), nullptr);
    EXPECT_EQ(catalog.find_node("rack"), nullptr);
}

TEST(Catalog, APartWithoutNvlinkReachesItsNodeOverPcie) {
    const Catalog catalog = Catalog::load();
    const GpuSpec& l20 = *catalog.find_gpu("l20");
    EXPECT_EQ(l20.nvlink, BytesPerSecond());
    EXPECT_EQ(peer_link(l20), (PeerLink{l20.pcie, l20.pcie_achievable}));
    const GpuSpec& h800 = *catalog.find_gpu("h800-sxm");
    EXPECT_EQ(peer_link(h800), (PeerLink{400_GBps, 160_GBps}));
    UserCatalog user;
    user.write("gpu/l20.toml", replaced(shipped("gpu/l20.toml"), "[pcie]", "[nvlink]"));
    EXPECT_THAT(user.faults(),
                AllOf(HasSubstr("missing key 'pcie'"), HasSubstr("missing key 'nvlink_achievable'")));
}

TEST(Catalog, FabricFilesSayWhatDoesNotFit) {
    UserCatalog user;
    const std::string cite = "source = \"s\", date = \"2024\" }\n";
    user.write("fabric/mine.toml", "id = \"mine\"\nkind = \"fat-tree-2\"\nlink = \"infiniband\"\n"
                                   "radix = { value = 64, " +
                                       cite + "planes = { value = 2, " + cite +
                                       "oversubscription = { value = 0.5, " + cite);
    user.write("fabric/lost.toml", "id = \"lost\"\nkind = \"fat-tree-2\"\nlink = \"carrier-pigeon\"\n"
                                   "radix = { value = 0, " +
                                       cite);
    const std::string faults = user.faults();
    EXPECT_THAT(faults,
                HasSubstr("mine.toml:5:10: error: planes: a fat-tree-2 fabric of 2 tiers has no planes"));
    EXPECT_THAT(faults, HasSubstr("mine.toml:6:20: error: oversubscription: 0.5; expected"));
    EXPECT_THAT(faults, HasSubstr("lost.toml:4:19: error: radix.value: 0 is no whole number from 1 up"));
}

TEST(Catalog, AFabricsLinkMustExist) {
    UserCatalog user;
    user.write("fabric/lost.toml",
               replaced(replaced(shipped("fabric/fat-tree.toml"), "id = \"fat-tree\"", "id = \"lost\""),
                        "link = \"infiniband\"", "link = \"x\""));
    EXPECT_THAT(user.faults(), HasSubstr("no link is called 'x'"));
}

TEST(Catalog, AFileMayGiveEndpointsInPlaceOfPorts) {
    UserCatalog user;
    user.write("fabric/mine.toml",
               "id = \"mine\"\nkind = \"multi-plane-fat-tree\"\n"
               "max_endpoints = { value = 16384, source = \"s\", date = \"2024\" }\n"
               "latency_same_leaf = { value = \"2 us\", source = \"s\", date = \"2024\" }\n"
               "latency_cross_leaf = { value = \"3 us\", source = \"s\", date = \"2024\" }\n");
    const Catalog catalog = Catalog::load({user.root()});
    const Fabric& fabric = catalog.find_fabric("mine")->fabric;
    EXPECT_EQ(fabric.radix, 64);
    EXPECT_NEAR(fabric.latency_cross_pod / 4_us, 1.0, 1e-12) << "a third tier adds what the second did";
}

TEST(Catalog, FindsEveryFaultOfEveryFileAtOnce) {
    UserCatalog user;
    std::string part = replaced(shipped("gpu/h100-sxm.toml"), "\"3.35 TB/s\"", "\"3.35 TB\"");
    part = replaced(part, "value = \"700 W\"", "value = \"-700 W\"");
    part = replaced(part, "[sm_count]", "[sm_cuont]");
    part = replaced(part, "date = \"2023-06\"", "date = \"June 2023\"");
    user.write("gpu/h100-sxm.toml", part);
    user.write("fabric/odd.toml", "id = \"odd\"\nkind = \"torus\"\n");
    user.write("node/broken.toml", "id = \"broken\nparts = []\n");

    const std::string faults = user.faults();
    EXPECT_THAT(faults, HasSubstr("gpu/h100-sxm.toml:1:1: error: missing key 'sm_count'"));
    EXPECT_THAT(faults,
                HasSubstr("error: unknown key 'sm_cuont'; expected one of id, name, architecture, sm_count"));
    EXPECT_THAT(faults,
                HasSubstr("memory_bandwidth.value: \"3.35 TB\" is a size; expected a bandwidth such as"));
    EXPECT_THAT(faults, HasSubstr("tdp.value: \"-700 W\" is not positive"));
    EXPECT_THAT(faults, HasSubstr("\"June 2023\" is no date"));
    EXPECT_THAT(faults, HasSubstr("fabric/odd.toml:2:8: error: kind: no fabric is called \"torus\""));
    EXPECT_THAT(faults, HasSubstr("fabric/odd.toml:1:1: error: missing key 'radix'"));
    EXPECT_THAT(faults, HasSubstr("node/broken.toml:1:"));
}

TEST(Catalog, NamesLineAndColumnOfAFault) {
    UserCatalog user;
    user.write("fabric/mine.toml",
               "id = \"mine\"\n"
               "kind = \"fat-tree\"\n"
               "max_endpoints = { value = 0, source = \"s\", date = \"2024\" }\n"
               "latency_same_leaf = { value = \"2 us\", source = \"s\", date = \"2024\" }\n"
               "latency_cross_leaf = { value = \"3 us\", source = \"\", date = \"2024\" }\n");
    const std::string mine = (user.root() / "fabric/mine.toml").string();
    EXPECT_EQ(user.faults(), mine + ":3:27: error: max_endpoints.value: 0 is no whole number from 1 up\n" +
                                 mine + ":5:49: error: latency_cross_leaf.source: \"\" is no text");
}

TEST(Catalog, AFigureWithoutASourceIsAFault) {
    UserCatalog user;
    user.write("gpu/h100-sxm.toml", replaced(shipped("gpu/h100-sxm.toml"), "source = ", "# source = "));
    EXPECT_THAT(user.faults(), HasSubstr("missing key 'sm_count.source'"));
}

TEST(Catalog, SurvivesFilesThatAreNoToml) {
    UserCatalog user;
    user.write("gpu/empty.toml", "");
    user.write("gpu/binary.toml", std::string_view("\x7f\x45\x4c\x46\0\xff\xfe\x80", 8));
    user.write("gpu/deep.toml", "a = " + std::string(1'000'000, '['));
    const std::string faults = user.faults();
    EXPECT_THAT(faults, HasSubstr("gpu/empty.toml:1:1: error: missing key 'id'"));
    EXPECT_THAT(faults, HasSubstr("gpu/binary.toml:1:"));
    EXPECT_THAT(faults, HasSubstr("gpu/deep.toml:1:"));
}

TEST(Catalog, AUsersPartReplacesTheShippedOneOfItsId) {
    UserCatalog user;
    user.write("gpu/h100-sxm.toml", replaced(shipped("gpu/h100-sxm.toml"), "\"700 W\"", "\"650 W\""));
    const Catalog shipped_only = Catalog::load();
    const Catalog both = Catalog::load({user.root()});
    EXPECT_EQ(both.gpus().size(), shipped_only.gpus().size());
    EXPECT_EQ(shipped_only.find_gpu("h100-sxm")->tdp, 700_W);
    EXPECT_EQ(both.find_gpu("h100-sxm")->tdp, 650_W);
    EXPECT_NE(both.content_hash(), shipped_only.content_hash());
}

TEST(Catalog, TheFileIsNamedByItsId) {
    UserCatalog user;
    user.write("gpu/other.toml", shipped("gpu/h100-sxm.toml"));
    EXPECT_THAT(user.faults(),
                HasSubstr("id: \"h100-sxm\" in a file called \"other.toml\"; they must agree"));
}

TEST(Catalog, ADirectoryThatIsNoneIsAFault) {
    EXPECT_THROW((void)Catalog::load({"/no/such/directory"}), CatalogError);
    const UserCatalog empty;
    EXPECT_THAT(empty.faults(), AllOf(HasSubstr("has none"), Not(HasSubstr(".toml:"))));
}

TEST(Catalog, TheHashNamesTheContent) {
    const std::string hash = Catalog::load().content_hash();
    EXPECT_EQ(hash.size(), 16U);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(hash, Catalog::load().content_hash());
}

TEST(DataDirectory, AWrongOverrideIsAnErrorNotAFallback) {
    const char* before = std::getenv("CHOKEPOINT_DATA");
    const std::string kept = before == nullptr ? "" : before;
    setenv("CHOKEPOINT_DATA", "/no/such/directory", 1);
    EXPECT_THROW((void)data_directory(), std::runtime_error);
    before == nullptr ? unsetenv("CHOKEPOINT_DATA") : setenv("CHOKEPOINT_DATA", kept.c_str(), 1);
    EXPECT_TRUE(std::filesystem::is_directory(data_path("catalog")));
    EXPECT_THROW((void)data_path("no-such-kind"), std::runtime_error);
}

} // namespace
} // namespace chokepoint::hw
