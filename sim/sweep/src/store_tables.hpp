// SPDX-License-Identifier: Apache-2.0
// Makes the tables of a store, or refuses a file that has others.
#pragma once

#include <chokepoint/sim/result_store.hpp>

#include <SQLiteCpp/SQLiteCpp.h>

namespace chokepoint::sim {

/// "CKPT", as `file` and `PRAGMA application_id` tell what a database is.
inline constexpr int kApplicationId = 0x434b5054;
inline constexpr int kStoreFormat = 1;

/// @throws StoreFormatError if the database is not a store, or not of this format
void check_tables(SQLite::Database&, const std::filesystem::path&);
/// Makes them where there are none.
void make_tables(SQLite::Database&);

} // namespace chokepoint::sim
