// SPDX-License-Identifier: Apache-2.0
// An axis is a list of values of a key, or a range that stands for one.
#include "axes.hpp"

#include "text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace chokepoint::sim::loader {
namespace {

constexpr std::string_view kSweep = "sweep";
constexpr std::string_view kZip = "sweep.zip";
constexpr std::string_view kLabels = "labels";
constexpr int kMostPositions = 1'000'000;

/// Where axes are read: what they refer to, and where their faults go.
struct Reader {
    const Library& library;
    std::vector<Diagnostic>& faults;

    void fault(const Place& place, std::string_view key, std::string_view message) const {
        faults.push_back(at(place, fmt::format("{}: {}", printable(key), message)));
    }
};

std::string unknown_key(std::string_view path) {
    std::vector<std::string> paths;
    for (const Key& key : all_keys()) {
        paths.emplace_back(key.path);
    }
    std::optional<std::string> guess = nearest(path, paths);
    if (!guess) {
        const std::string_view last = path.substr(path.rfind('.') + 1);
        const auto elsewhere = std::ranges::find_if(
            paths, [&](const std::string& known) { return known.substr(known.rfind('.') + 1) == last; });
        guess = elsewhere == paths.end() ? std::nullopt : std::optional(*elsewhere);
    }
    return fmt::format("no key of a scenario is called so{}",
                       guess ? fmt::format("; did you mean '{}'?", *guess) : "; docs/scenario.md lists them");
}

/// The key of "plan.expert", "perturb[0].speed" or "campaign.phase[1].plan.sequence"; nullptr: none.
const Key* key_at(const std::string& path) {
    const std::size_t open = path.find('[');
    const std::size_t close = path.find("].", open);
    if (open == std::string::npos || close == std::string::npos) {
        const Key* key = find_key(spelled_out(path));
        return key != nullptr && in_record(*key) ? nullptr : key;
    }
    const std::string inner = path.substr(close + 2);
    const Key* own = find_key(path.substr(0, open) + "." + inner);
    return own != nullptr ? own : find_key(inner);
}

/// As --set takes it.
std::string override_text(const Raw& raw) {
    if (const auto* items = std::get_if<RawList>(&raw.value)) {
        std::vector<std::string> texts;
        for (const Raw& item : *items) {
            const auto* text = std::get_if<std::string>(&item.value);
            texts.push_back(text != nullptr ? fmt::format("\"{}\"", *text) : override_text(item));
        }
        return fmt::format("[{}]", fmt::join(texts, ", "));
    }
    const auto* text = std::get_if<std::string>(&raw.value);
    return text != nullptr ? *text : describe(raw);
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t");
    return first == std::string_view::npos ? std::string_view{}
                                           : text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// At the separators outside brackets and quotes.
std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts(1);
    int depth = 0;
    bool quoted = false;
    for (const char c : text) {
        quoted = quoted != (c == '"');
        depth += quoted ? 0 : int(c == '[') - int(c == ']');
        if (c == separator && depth == 0 && !quoted) {
            parts.emplace_back();
        } else {
            parts.back() += c;
        }
    }
    std::ranges::transform(parts, parts.begin(),
                           [](const std::string& p) { return std::string(trimmed(p)); });
    return parts;
}

bool takes_ranges(const Shape& shape) {
    return shape.kind == Kind::integer || shape.kind == Kind::number || shape.kind == Kind::quantity;
}

/// A number and the unit behind it: 50 and "GB/s".
struct Bound {
    double base = 0.0; ///< in base units
    double unit = 1.0; ///< one of the unit in base units
    std::string suffix;
};

std::optional<Bound> bound_from(std::string_view text, const Shape& shape) {
    double number = 0.0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || !std::isfinite(number)) {
        return std::nullopt;
    }
    const std::string unit(trimmed(std::string_view(end, text.data() + text.size())));
    const bool bare = shape.dimension == hw::Dimension::count || shape.dimension == hw::Dimension::ratio;
    if (shape.kind != Kind::quantity || (bare && unit.empty())) {
        return unit.empty() ? std::optional(Bound{number, 1.0, ""}) : std::nullopt;
    }
    const auto one = hw::parse_quantity("1 " + unit);
    if (!one || one->dimension != shape.dimension) {
        return std::nullopt;
    }
    return Bound{number * one->base, one->base, unit};
}

struct Range {
    Bound from, to;
    int count = 0;
    bool logarithmic = false;

    [[nodiscard]] double at(int i) const {
        if (count == 1) {
            return from.base;
        }
        const double share = static_cast<double>(i) / (count - 1);
        return logarithmic ? from.base * std::pow(to.base / from.base, share)
                           : from.base + (to.base - from.base) * share;
    }
};

constexpr std::string_view kForms = "expected values such as a,b,c, or from:to:count, or log:from:to:count";

/// Reads "log:50 GB/s:900 GB/s:13". @return nothing, and a fault told, if it is no range
std::optional<Range> range_from(const std::string& text, const Key& key, const Place& place,
                                const Reader& reader) {
    std::vector<std::string> parts = split(text, ':');
    Range range;
    if (parts.front() == "log") {
        range.logarithmic = true;
        parts.erase(parts.begin());
    }
    const auto wrong = [&](std::string_view what) {
        reader.fault(place, key.path, fmt::format("{} {}; {}", in_quotes(text), what, kForms));
        return std::nullopt;
    };
    if (parts.size() != 3) {
        return wrong("is no range");
    }
    const auto from = bound_from(parts[0], key.shape);
    const auto to = bound_from(parts[1], key.shape);
    if (!from || !to) {
        return wrong(fmt::format("has {} that is not {}", from ? "an end" : "a start",
                                 expected(key.shape, reader.library)));
    }
    const std::string& count = parts[2];
    const auto [end, error] = std::from_chars(count.data(), count.data() + count.size(), range.count);
    if (error != std::errc() || end != count.data() + count.size() || range.count < 1 ||
        range.count > kMostPositions) {
        return wrong(
            fmt::format("has the count {}, which is not from 1 to {}", in_quotes(count), kMostPositions));
    }
    if (range.logarithmic && (from->base <= 0.0 || to->base <= 0.0)) {
        return wrong("starts or ends at or below zero, which has no logarithm");
    }
    range.from = *from;
    range.to = *to;
    return range;
}

std::vector<Raw> values_of(const Range& range, const Key& key) {
    std::vector<Raw> values;
    for (int i = 0; i < range.count; ++i) {
        const double number = range.at(i) / range.from.unit;
        constexpr double kRounding = 1e-9; // of a range that should land on whole numbers
        const double whole = std::round(number);
        if (key.shape.kind == Kind::integer && std::abs(number - whole) <= kRounding * std::abs(number)) {
            values.push_back({static_cast<std::int64_t>(whole)});
        } else if (range.from.suffix.empty()) {
            values.push_back({number});
        } else {
            values.push_back({fmt::format("{:.12g} {}", number, range.from.suffix)});
        }
    }
    return values;
}

/// The values of a text: a range, or a list with commas.
std::vector<Raw> values_of(const std::string& text, const Key& key, const Place& place,
                           const Reader& reader) {
    if (takes_ranges(key.shape) && text.find(':') != std::string::npos) {
        const std::optional<Range> range = range_from(text, key, place, reader);
        return range ? values_of(*range, key) : std::vector<Raw>{};
    }
    std::vector<Raw> values;
    for (const std::string& part : split(text, ',')) {
        if (!part.empty()) {
            values.push_back(raw_from_text(part, key.shape));
        }
    }
    if (values.empty()) {
        reader.fault(place, key.path, fmt::format("the axis is empty; {}", kForms));
    }
    return values;
}

std::optional<AxisValue> read(const Raw& raw, const std::string& path, const Key& key, const Place& place,
                              const Reader& reader) {
    const ReadResult result = read_value(raw, key.shape, reader.library);
    if (!result.fault.empty()) {
        reader.fault(place, path, result.fault);
        return std::nullopt;
    }
    AxisValue value{override_text(raw), std::nullopt};
    if (const auto* whole = std::get_if<std::int64_t>(&result.value)) {
        value.number = static_cast<double>(*whole);
    } else if (const auto* number = std::get_if<double>(&result.value)) {
        value.number = *number;
    }
    return value;
}

/// A key with its values, of which each axis has one or, zipped, several.
struct Column {
    std::string path;
    Place place;
    std::vector<AxisValue> values;
};

Column column_from(std::string path, const Place& place, const Raw& raw, const Reader& reader) {
    Column column{std::move(path), place, {}};
    const Key* key = key_at(column.path);
    if (key == nullptr) {
        reader.fault(place, column.path, unknown_key(column.path));
        return column;
    }
    std::vector<Raw> values;
    if (const auto* list = std::get_if<RawList>(&raw.value)) {
        values = *list;
        if (values.empty()) {
            reader.fault(place, column.path, "the axis is empty; expected at least one value");
        }
    } else if (const auto* text = std::get_if<std::string>(&raw.value)) {
        values = values_of(*text, *key, place, reader);
    } else {
        reader.fault(place, column.path,
                     fmt::format("found {}; expected a list of values, or a range in quotes such as "
                                 "\"from:to:count\"",
                                 describe(raw)));
    }
    for (const Raw& value : values) {
        if (auto made = read(value, column.path, *key, place, reader)) {
            column.values.push_back(std::move(*made));
        } else if (std::holds_alternative<std::string>(raw.value)) {
            break; // of a range that misses the whole numbers, one says enough
        }
    }
    return column;
}

Axis zip(const std::vector<Column>& columns, std::vector<std::string> labels, const Place& place,
         const Reader& reader) {
    Axis axis{{}, {}, std::move(labels)};
    std::size_t length = 0;
    for (const Column& column : columns) {
        axis.keys.push_back(column.path);
        length = std::max(length, column.values.size());
    }
    const bool even =
        std::ranges::all_of(columns, [&](const Column& c) { return c.values.size() == length; });
    if (!even || (!axis.labels.empty() && axis.labels.size() != length)) {
        std::vector<std::string> counts;
        for (const Column& column : columns) {
            counts.push_back(fmt::format("{} has {}", column.path, column.values.size()));
        }
        if (!axis.labels.empty()) {
            counts.push_back(fmt::format("{} has {}", kLabels, axis.labels.size()));
        }
        reader.fault(place, "zip",
                     fmt::format("values that change together must be as many; {}", fmt::join(counts, ", ")));
        return axis;
    }
    for (std::size_t i = 0; i < length; ++i) {
        std::vector<AxisValue>& position = axis.positions.emplace_back();
        for (const Column& column : columns) {
            position.push_back(column.values[i]);
        }
    }
    return axis;
}

std::vector<std::string> labels_from(const Raw& raw, const Place& place, const Reader& reader) {
    if (const auto* text = std::get_if<std::string>(&raw.value)) {
        return split(*text, ',');
    }
    std::vector<std::string> labels;
    if (const auto* list = std::get_if<RawList>(&raw.value)) {
        for (const Raw& item : *list) {
            const auto* text = std::get_if<std::string>(&item.value);
            labels.push_back(text != nullptr ? *text : std::string());
        }
    }
    if (labels.empty() || std::ranges::find(labels, "") != labels.end()) {
        reader.fault(place, kLabels, fmt::format("found {}; expected a list of texts", describe(raw)));
        labels.clear();
    }
    return labels;
}

Axis axis_from(const Record& record, const Reader& reader) {
    std::vector<Column> columns;
    std::vector<std::string> labels;
    for (const Entry& entry : record.entries) {
        const std::string path = join_path(entry.path);
        if (entry.raw && path == kLabels) {
            labels = labels_from(*entry.raw, entry.value, reader);
        } else if (entry.raw) {
            columns.push_back(column_from(path, entry.value, *entry.raw, reader));
        }
    }
    if (columns.empty()) {
        reader.fault(record.place, "zip", "names no key");
    }
    return zip(columns, std::move(labels), record.place, reader);
}

/// A key can be on one axis only.
void check_distinct(const std::vector<Axis>& axes, const Place& place, const Reader& reader) {
    std::vector<std::string> seen;
    for (const Axis& axis : axes) {
        for (const std::string& key : axis.keys) {
            if (std::ranges::find(seen, key) != seen.end()) {
                reader.fault(place, key, "is on two axes");
            }
            seen.push_back(key);
        }
    }
}

} // namespace

std::vector<Axis> take_axes(Document& document, const Library& library, std::vector<Diagnostic>& faults) {
    const Reader reader{library, faults};
    std::vector<Axis> axes;
    Place header;
    for (const Entry& entry : document.entries) {
        const std::string path = join_path(entry.path);
        if (path == kSweep) {
            header = entry.value;
            if (entry.raw) {
                reader.fault(entry.value, kSweep,
                             fmt::format("found {}; expected a section, [sweep]", describe(*entry.raw)));
            }
        } else if (below(path, kSweep) && entry.raw && path != kZip) {
            const Column column =
                column_from(path.substr(kSweep.size() + 1), entry.value, *entry.raw, reader);
            axes.push_back(zip({column}, {}, entry.value, reader));
        }
    }
    for (const Record& record : document.records) {
        if (join_path(record.path) == kZip) {
            axes.push_back(axis_from(record, reader));
        }
    }
    check_distinct(axes, header, reader);
    std::erase_if(document.entries, [](const Entry& entry) { return below(join_path(entry.path), kSweep); });
    std::erase_if(document.records,
                  [](const Record& record) { return below(join_path(record.path), kSweep); });
    return axes;
}

Axis axis_from(const std::string& text, const Place& place, const Library& library,
               std::vector<Diagnostic>& faults) {
    const Reader reader{library, faults};
    std::vector<Column> columns;
    std::vector<std::string> labels;
    for (const std::string& part : split(text, ';')) {
        const std::size_t equals = part.find('=');
        const std::string path(trimmed(std::string_view(part).substr(0, equals)));
        if (equals == std::string::npos || path.empty()) {
            faults.push_back(
                at(place, fmt::format("expected KEY=VALUES, such as plan.expert=8,16,32; {}", kForms)));
            continue;
        }
        const Raw value{part.substr(equals + 1)};
        if (path == kLabels) {
            labels = labels_from(value, place, reader);
        } else {
            columns.push_back(column_from(path, place, value, reader));
        }
    }
    return zip(columns, std::move(labels), place, reader);
}

} // namespace chokepoint::sim::loader

namespace chokepoint::sim {

std::string Axis::name() const { return fmt::format("{}", fmt::join(keys, "; ")); }

std::string Axis::label(std::size_t position) const {
    if (!labels.empty()) {
        return labels.at(position);
    }
    std::vector<std::string> texts;
    for (const AxisValue& value : positions.at(position)) {
        texts.push_back(value.text);
    }
    return fmt::format("{}", fmt::join(texts, "; "));
}

std::optional<std::string> fault_of_key(std::string_view path) {
    return loader::find_key(path) != nullptr ? std::nullopt : std::optional(loader::unknown_key(path));
}

} // namespace chokepoint::sim
