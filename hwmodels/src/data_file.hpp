// SPDX-License-Identifier: Apache-2.0
// A TOML data file as plain values that know their place, so that every fault of a file is found and located
// at once.
#pragma once

#include <chokepoint/hwmodels/gpu_spec.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace chokepoint::hw {

/// 1-based; 0 where there is no place, such as an unreadable file.
struct Place {
    int line = 0;
    int column = 0;
};

struct DataValue;
using DataTable = std::map<std::string, DataValue, std::less<>>;
using DataList = std::vector<DataValue>;

struct DataValue {
    Place at;
    Place key_at; ///< of the key that names it; list elements have none
    std::variant<std::monostate, bool, std::int64_t, double, std::string, DataList, DataTable> held;
};

/// A table with the path that leads to it, "dense_peak.bf16"; the path of the whole file is empty.
struct Section {
    std::string path;
    Place at;
    const DataTable* entries = nullptr;
    [[nodiscard]] bool has(std::string_view key) const { return entries->contains(key); }
};

/// A parsed file that collects faults. Every reader demands its key, reports what is wrong with it and then
/// returns an empty value, so that reading can go on.
class DataFile {
public:
    DataFile(std::string name, std::string_view content);

    [[nodiscard]] Section root() const { return {"", {1, 1}, &root_}; }
    /// "file.toml:12:9: error: …", one per fault.
    [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }
    /// False after a syntax error, whose fault is then the only one worth reading.
    [[nodiscard]] bool parsed() const { return parsed_; }
    void fault(Place, std::string_view message);

    /// Reports every key of the section that is not among `keys`.
    void allow(const Section&, std::initializer_list<std::string_view> keys);
    std::string text(const Section&, std::string_view key);
    bool flag(const Section&, std::string_view key);
    /// A positive number with its unit, in base units.
    double quantity(const Section&, std::string_view key, Dimension);
    /// A positive whole number.
    int count(const Section&, std::string_view key);
    Section section(const Section&, std::string_view key);
    std::vector<Section> sections(const Section&, std::string_view key);
    std::vector<std::string> texts(const Section&, std::string_view key);
    /// The keys `source`, `date` and, where it is there, `estimate`.
    Citation citation(const Section&);

private:
    const DataValue* require(const Section&, std::string_view key);

    std::string name_;
    DataTable root_;
    std::vector<std::string> faults_;
    bool parsed_ = false;
};

/// The *.toml files of a folder by name; none if there is no such folder.
std::vector<std::filesystem::path> toml_files(const std::filesystem::path& folder);

/// The whole file. @throws std::runtime_error naming the file and the reason.
std::string read_text_file(const std::string& path);

} // namespace chokepoint::hw
