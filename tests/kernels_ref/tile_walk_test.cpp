// SPDX-License-Identifier: Apache-2.0
// The order of the FP8 GEMM's tiles: whatever the shape, every element is computed by one block, once.
#include "gemm/tile_walk.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>
#include <vector>

using namespace chokepoint::kref;

namespace {

/// How often each (row, column tile) is written, by all blocks together; also checks each tile's group.
template <int kRows> std::map<std::pair<int, int>, int> written(const TileSpace& space, int blocks) {
    std::map<std::pair<int, int>, int> count;
    for (int block = 0; block < blocks; ++block) {
        TileWalk<kRows> walk(space, block, blocks);
        Tile tile;
        while (walk.next(tile)) {
            for (int row = tile.row; row < tile.row + kRows && row < tile.end_row; ++row) {
                ++count[{row, tile.column}];
            }
        }
    }
    return count;
}

template <int kRows> void expect_each_once(const TileSpace& space, int blocks, const std::vector<int>& rows) {
    const auto count = written<kRows>(space, blocks);
    const int across = (space.n + kTileColumns - 1) / kTileColumns;
    RC_ASSERT(count.size() == rows.size() * static_cast<std::size_t>(across));
    for (const int row : rows) {
        for (int c = 0; c < across; ++c) {
            const auto found = count.find({row, c * kTileColumns});
            RC_ASSERT(found != count.end());
            RC_ASSERT(found->second == 1);
        }
    }
}

} // namespace

RC_GTEST_PROP(TileWalk, DenseTilesCoverEveryElementOnce, ()) {
    const TileSpace space{*rc::gen::inRange(1, 1500), *rc::gen::inRange(1, 500)};
    std::vector<int> rows(static_cast<std::size_t>(space.rows));
    for (int i = 0; i < space.rows; ++i) {
        rows[static_cast<std::size_t>(i)] = i;
    }
    const int blocks = *rc::gen::inRange(1, 140);
    expect_each_once<128>(space, blocks, rows);
    expect_each_once<256>(space, blocks, rows);
}

RC_GTEST_PROP(TileWalk, MaskedGroupsGetTheirRowsAndNoOthers, ()) {
    const int groups = *rc::gen::inRange(1, 6);
    const int room = 256 * *rc::gen::inRange(1, 5);
    std::vector<std::int32_t> held;
    std::vector<int> rows;
    for (int g = 0; g < groups; ++g) {
        held.push_back(*rc::gen::inRange(0, room + 1));
        for (int i = 0; i < held.back(); ++i) {
            rows.push_back(g * room + i);
        }
    }
    const TileSpace space{groups * room, *rc::gen::inRange(1, 600), groups, nullptr, held.data()};
    const int blocks = *rc::gen::inRange(1, 140);
    expect_each_once<128>(space, blocks, rows);
    expect_each_once<256>(space, blocks, rows);
}

RC_GTEST_PROP(TileWalk, ContiguousTilesBelongToOneGroup, ()) {
    std::vector<std::int32_t> group_of_tile;
    std::vector<int> group_of_row;
    const int groups = *rc::gen::inRange(1, 6);
    for (int g = 0; g < groups; ++g) {
        const int pairs = *rc::gen::inRange(0, 4); // multiples of 256 rows
        group_of_tile.insert(group_of_tile.end(), static_cast<std::size_t>(2 * pairs), g);
        group_of_row.insert(group_of_row.end(), static_cast<std::size_t>(256 * pairs), g);
    }
    const TileSpace space{static_cast<int>(group_of_row.size()), 300, groups, group_of_tile.data()};
    for (int block = 0; block < 5; ++block) {
        TileWalk<256> walk(space, block, 5);
        Tile tile;
        while (walk.next(tile)) {
            for (int row = tile.row; row < tile.row + 256; ++row) {
                RC_ASSERT(group_of_row.at(static_cast<std::size_t>(row)) == tile.group);
            }
        }
    }
}
