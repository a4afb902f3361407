// SPDX-License-Identifier: Apache-2.0
// The results of sweeps in one SQLite file: docs/sweeps.md describes its tables. What is written stays
// written whatever happens to the process.
#pragma once

#include <chokepoint/sim/grid.hpp>
#include <chokepoint/sim/point.hpp>

namespace chokepoint::sim {

/// The file is no store of this program: another format, another kind of file.
class StoreFormatError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// What a sweep was asked for, enough to go on with it.
struct SweepRecord {
    std::int64_t id = 0;
    std::string title;
    std::string file; ///< absolute path of the scenario
    std::string text; ///< of the scenario
    LoadOptions options;
    std::vector<Axis> axes;
    std::int64_t points = 0;
    std::string catalog_hash;
    std::string program; ///< version and commit
    std::string created; ///< UTC, ISO 8601
    /// Whether the same program asks for the same points of the same scenario.
    friend bool operator==(const SweepRecord&, const SweepRecord&);
};

/// The record of a new sweep.
SweepRecord sweep_record(const ScenarioTemplate&, const LoadOptions&, const Grid&);

/// A point of a sweep, without its JSON.
struct StoredPoint {
    std::int64_t position = 0; ///< in the grid
    std::string key;           ///< of content
    PointResult result;
};

class ResultStore {
public:
    /// Creates the file if it is not there and keeps other writers out until it is closed.
    /// @throws StoreFormatError, or std::runtime_error saying why it cannot be written or who else writes to
    /// it
    static ResultStore open_to_write(const std::filesystem::path&);
    /// Also while a sweep writes to it.
    /// @throws StoreFormatError, or std::runtime_error saying why it cannot be read
    static ResultStore open_to_read(const std::filesystem::path&);
    ~ResultStore();
    ResultStore(ResultStore&&) noexcept;
    ResultStore& operator=(ResultStore&&) noexcept;

    /// In the order in which they were begun.
    [[nodiscard]] std::vector<SweepRecord> sweeps() const;
    /// The sweep that asks for the same, or else this one, new. @return its id
    std::int64_t enter(const SweepRecord&);

    /// The positions of a sweep that have a result, in ascending order.
    [[nodiscard]] std::vector<std::int64_t> finished(std::int64_t sweep) const;
    [[nodiscard]] std::optional<PointStatus> status(const std::string& key) const;
    /// Writes a result, in place of an earlier one with this key, and that it is a position's.
    void record(std::int64_t sweep, std::int64_t position, const std::string& key, const PointResult&);
    /// A position whose result is there already.
    void link(std::int64_t sweep, std::int64_t position, const std::string& key);
    /// Forgets failed points of a sweep, so that they are run again.
    void forget_failed(std::int64_t sweep);

    /// Every finished point of a sweep, by position.
    [[nodiscard]] std::vector<StoredPoint> points(std::int64_t sweep) const;
    /// chokepoint/run/1 of a point; empty if it has none.
    [[nodiscard]] std::string json(const std::string& key) const;

    /// Changes until the next `settle` are one write.
    void gather();
    void settle();

private:
    struct Content;
    explicit ResultStore(std::unique_ptr<Content>);
    std::unique_ptr<Content> content_;
};

} // namespace chokepoint::sim
