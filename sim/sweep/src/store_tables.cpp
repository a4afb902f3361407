// SPDX-License-Identifier: Apache-2.0
// The tables of a store. docs/sweeps.md describes them to other programs.
#include "store_tables.hpp"

#include <fmt/format.h>

namespace chokepoint::sim {
namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE point (
    key TEXT PRIMARY KEY,
    status TEXT NOT NULL CHECK (status IN ('done', 'infeasible', 'failed')),
    feasible INTEGER NOT NULL,
    error TEXT NOT NULL,
    gpu TEXT,
    gpus INTEGER,
    step_seconds REAL,
    step_p5 REAL,
    step_p95 REAL,
    gpu_hours REAL,
    gpu_hours_p5 REAL,
    gpu_hours_p95 REAL,
    usd REAL,
    usd_p5 REAL,
    usd_p95 REAL,
    mfu REAL,
    tokens_per_second_per_gpu REAL,
    peak_memory_bytes REAL,
    wall_seconds REAL NOT NULL,
    finished TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ')),
    version TEXT NOT NULL,
    program_commit TEXT NOT NULL,
    json TEXT NOT NULL
);
CREATE INDEX point_step_seconds ON point (step_seconds);
CREATE INDEX point_gpu_hours ON point (gpu_hours);
CREATE INDEX point_usd ON point (usd);
CREATE INDEX point_mfu ON point (mfu);
CREATE INDEX point_feasible ON point (feasible);
CREATE INDEX point_error ON point (error);

CREATE TABLE sweep (
    id INTEGER PRIMARY KEY,
    title TEXT NOT NULL,
    file TEXT NOT NULL,
    scenario TEXT NOT NULL,
    overrides TEXT NOT NULL,
    catalogs TEXT NOT NULL,
    points INTEGER NOT NULL,
    catalog_hash TEXT NOT NULL,
    version TEXT NOT NULL,
    program_commit TEXT NOT NULL,
    created TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ'))
);
CREATE TABLE axis (
    sweep INTEGER NOT NULL REFERENCES sweep (id),
    axis INTEGER NOT NULL,
    name TEXT NOT NULL,
    length INTEGER NOT NULL,
    stride INTEGER NOT NULL,
    labelled INTEGER NOT NULL,
    PRIMARY KEY (sweep, axis)
);
CREATE TABLE axis_value (
    sweep INTEGER NOT NULL REFERENCES sweep (id),
    axis INTEGER NOT NULL,
    step INTEGER NOT NULL,
    part INTEGER NOT NULL,
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    number REAL,
    label TEXT NOT NULL,
    PRIMARY KEY (sweep, axis, step, part)
);
CREATE TABLE sweep_point (
    sweep INTEGER NOT NULL REFERENCES sweep (id),
    position INTEGER NOT NULL,
    point TEXT NOT NULL REFERENCES point (key),
    PRIMARY KEY (sweep, position)
) WITHOUT ROWID;
CREATE INDEX sweep_point_point ON sweep_point (point);

CREATE VIEW coordinate AS
    SELECT sp.sweep, sp.position, sp.point, a.axis, v.key, v.value, v.number, v.label
    FROM sweep_point sp
    JOIN axis a ON a.sweep = sp.sweep
    JOIN axis_value v ON v.sweep = a.sweep AND v.axis = a.axis AND v.step = (sp.position / a.stride) % a.length;
)sql";

int pragma(SQLite::Database& database, const char* text) { return database.execAndGet(text).getInt(); }

bool is_empty(SQLite::Database& database) {
    return database.execAndGet("SELECT count(*) FROM sqlite_master").getInt() == 0;
}

} // namespace

void check_tables(SQLite::Database& database, const std::filesystem::path& file) {
    if (pragma(database, "PRAGMA application_id") != kApplicationId) {
        throw StoreFormatError(
            is_empty(database) ? fmt::format("'{}' is an empty file, not a result store", file.string())
                               : fmt::format("'{}' is a database, but not a result store", file.string()));
    }
    if (const int format = pragma(database, "PRAGMA user_version"); format != kStoreFormat) {
        throw StoreFormatError(
            fmt::format("'{}' is a result store of format {}; this program knows format {}. "
                        "Give another --store, or use the chokepoint that wrote it",
                        file.string(), format, kStoreFormat));
    }
}

void make_tables(SQLite::Database& database) {
    if (is_empty(database) && pragma(database, "PRAGMA application_id") == 0) {
        SQLite::Transaction whole(database);
        database.exec(kTables);
        database.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
        database.exec(fmt::format("PRAGMA user_version = {}", kStoreFormat));
        whole.commit();
    }
}

} // namespace chokepoint::sim
