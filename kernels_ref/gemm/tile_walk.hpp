// SPDX-License-Identifier: Apache-2.0
// Which tiles a block of the persistent FP8 GEMM computes, and in which order: free of device code, so that a
// test can walk it.
#pragma once

#include <cstdint>

namespace chokepoint::kref {

inline constexpr int kTileColumns = 128; // one weight scale a tile and k block

/// Rows of a and d, and how groups divide them (see Fp8BlockGemm).
struct TileSpace {
    int rows = 0, n = 0;
    int groups = 1;
    const std::int32_t* group_of_tile = nullptr;
    const std::int32_t* group_rows = nullptr;
};

struct Tile {
    int row = 0;     ///< first row in a and d
    int end_row = 0; ///< rows at or beyond are not written
    int column = 0;
    int group = 0;
};

/// Deals tiles to blocks in turn. Within a band of tile rows neighbouring blocks share columns of b; bands
/// keep a's share of L2 small.
template <int kRows> class TileWalk {
public:
    constexpr TileWalk(const TileSpace& space, int block, int blocks)
        : space_(space),
          across_((space.n + kTileColumns - 1) / kTileColumns),
          next_(block),
          step_(blocks),
          rows_of_group_(space.group_rows != nullptr ? space.group_rows[0] : space.rows) {}

    /// False when there are no more.
    constexpr bool next(Tile& tile) {
        const bool masked = space_.group_rows != nullptr;
        int down = tiles_down();
        while (next_ - before_ >= down * across_) {
            before_ += down * across_;
            if (++group_ >= (masked ? space_.groups : 1)) {
                return false;
            }
            rows_of_group_ = space_.group_rows[group_];
            down = tiles_down();
        }
        const int index = next_ - before_;
        next_ += step_;
        const int band = index / (kBand * across_);
        const int band_rows = down - band * kBand < kBand ? down - band * kBand : kBand;
        const int in_band = index - band * kBand * across_;
        const int first = masked ? group_ * (space_.rows / space_.groups) : 0;
        tile.row = first + (band * kBand + in_band % band_rows) * kRows;
        tile.end_row = first + rows_of_group_;
        tile.column = in_band / band_rows * kTileColumns;
        tile.group = space_.group_of_tile != nullptr ? space_.group_of_tile[tile.row / 128] : group_;
        return true;
    }

private:
    static constexpr int kBand = 2048 / kRows;
    [[nodiscard]] constexpr int tiles_down() const { return (rows_of_group_ + kRows - 1) / kRows; }

    const TileSpace& space_;
    int across_;
    int next_;
    int step_;
    int before_ = 0; ///< tiles of earlier groups
    int group_ = 0;
    int rows_of_group_;
};

} // namespace chokepoint::kref
