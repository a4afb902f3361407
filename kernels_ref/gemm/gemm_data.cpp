// SPDX-License-Identifier: Apache-2.0
// Buffers of GEMMs and the check by sampled rows and columns.
#include "gemm/gemm_data.hpp"

#include "framework/device_tools.hpp"

#include <numeric>

namespace chokepoint::kref {
namespace {

constexpr int kSampledLines = 28; // rows and columns of each sampled group
constexpr float kLowScale = 0.5e-2F;
constexpr float kHighScale = 1.5e-2F; // codes of up to 448 become values of a few units

std::int64_t padded_blocks(std::int64_t k_blocks) { return (k_blocks + 3) / 4 * 4; }

std::int64_t n_blocks(const Shape& s) { return (s.n + 127) / 128; }

std::vector<std::int64_t> rows_of_groups(const Shape& s, std::mt19937_64& random) {
    return s.uneven ? uneven_rows(s.m, s.groups, random)
                    : std::vector<std::int64_t>(static_cast<std::size_t>(s.groups), s.m);
}

} // namespace

GemmData::GemmData(const Case& c, Precision precision_of, RowScales row_scales, Device& device,
                   bool wgrad_in_bf16)
    : shape(c.shape),
      role(c.role),
      precision(precision_of),
      layout(gemm_layout(c.shape, c.role, precision_of)),
      accumulates(c.role == Role::wgrad && !wgrad_in_bf16),
      group_rows(rows_of_groups(c.shape, *device.random)),
      total_rows(std::accumulate(group_rows.begin(), group_rows.end(), std::int64_t{0})),
      row_scales_(row_scales),
      random_(device.random) {
    const Work work = gemm_work(shape, role, precision, accumulates);
    const int count = device.rotation(work.read_bytes + (accumulates ? 0 : work.written_bytes));
    for (int i = 0; i < count; ++i) {
        fill(sets_.emplace_back(), device);
    }
}

std::int64_t GemmData::first_row(int group) const {
    return std::accumulate(group_rows.begin(), group_rows.begin() + group, std::int64_t{0});
}

std::int64_t GemmData::a_offset(int group) const { return first_row(group) * shape.k; }

std::int64_t GemmData::a_scale_offset(int group) const {
    return row_scales_ == RowScales::across_groups ? first_row(group) : first_row(group) * k_blocks();
}

std::int64_t GemmData::b_scale_offset(int group) const {
    return role == Role::wgrad ? group * shape.n * k_blocks() : group * n_blocks(shape) * b_scale_pitch();
}

std::int64_t GemmData::a_scale_pitch(int group) const {
    return row_scales_ == RowScales::across_groups ? total_rows
                                                   : group_rows.at(static_cast<std::size_t>(group));
}

std::int64_t GemmData::b_scale_pitch() const {
    return role == Role::wgrad ? shape.n : padded_blocks(k_blocks());
}

void GemmData::fill(GemmOperands& o, Device& device) {
    Arena& arena = *device.arena;
    const std::int64_t a_count = total_rows * shape.k;
    const std::int64_t b_count = shape.groups * shape.n * shape.k;
    const std::int64_t d_count = total_rows * shape.n;
    const auto seed = [&] { return (*random_)(); };
    if (precision == Precision::bf16) {
        o.a16 = arena.take<Bf16Bits>(a_count);
        o.b16 = arena.take<Bf16Bits>(b_count);
        fill_normal(o.a16, a_count, 1.0F, seed(), device.stream);
        fill_normal(o.b16, b_count, 1.0F, seed(), device.stream);
    } else {
        o.a8 = arena.take<E4m3Bits>(a_count);
        o.b8 = arena.take<E4m3Bits>(b_count);
        fill_quantised(o.a8, a_count, seed(), device.stream);
        fill_quantised(o.b8, b_count, seed(), device.stream);
        const bool block = precision == Precision::fp8_block;
        const std::int64_t a_scales = block ? total_rows * k_blocks() : 1;
        const std::int64_t b_scales = block ? b_scale_offset(shape.groups) : 1;
        o.a_scale = arena.take<float>(a_scales);
        o.b_scale = arena.take<float>(b_scales);
        fill_uniform(o.a_scale, a_scales, kLowScale, kHighScale, seed(), device.stream);
        fill_uniform(o.b_scale, b_scales, kLowScale, kHighScale, seed(), device.stream);
    }
    if (accumulates) {
        o.d32 = arena.take<float>(d_count);
        fill_normal(o.d32, d_count, 1.0F, seed(), device.stream);
    } else {
        o.d16 = arena.take<Bf16Bits>(d_count);
    }
}

std::vector<std::vector<double>> GemmData::operand_lines(bool of_a, int group,
                                                         const std::vector<std::int64_t>& lines) const {
    const GemmOperands& o = sets_[0];
    const Strides& strides = of_a ? layout.a : layout.b;
    std::vector<std::int64_t> starts;
    for (const std::int64_t line : lines) {
        starts.push_back((of_a ? a_offset(group) : b_offset(group)) + line * strides.row);
    }
    if (precision == Precision::bf16) {
        return read_lines(of_a ? o.a16 : o.b16, starts, strides.depth, shape.k);
    }
    auto values = read_lines(of_a ? o.a8 : o.b8, starts, strides.depth, shape.k);
    const float* scales = of_a ? o.a_scale : o.b_scale;
    const bool rowwise = of_a || role == Role::wgrad;
    if (precision == Precision::fp8_tensor) {
        const double scale = to_host(scales, 1).front();
        for (auto& line : values) {
            for (double& value : line) {
                value *= scale;
            }
        }
        return values;
    }
    const std::int64_t base = of_a ? a_scale_offset(group) : b_scale_offset(group);
    const std::int64_t step = rowwise ? (of_a ? a_scale_pitch(group) : b_scale_pitch()) : 1;
    std::vector<std::int64_t> scale_starts;
    for (const std::int64_t line : lines) {
        scale_starts.push_back(base + (rowwise ? line : line / 128 * b_scale_pitch()));
    }
    const auto line_scales = read_lines(scales, scale_starts, step, k_blocks());
    for (std::size_t i = 0; i < lines.size(); ++i) {
        apply_scales(values[i], line_scales[i]);
    }
    return values;
}

std::vector<std::vector<double>> GemmData::read_d(int group, const std::vector<std::int64_t>& rows) const {
    std::vector<std::int64_t> starts;
    for (const std::int64_t row : rows) {
        starts.push_back(d_offset(group) + row * shape.n);
    }
    return accumulates ? read_lines(sets_[0].d32, starts, 1, shape.n)
                       : read_lines(sets_[0].d16, starts, 1, shape.n);
}

void GemmData::check_group(int group, const std::vector<std::vector<double>>& before,
                           const std::vector<std::int64_t>& rows, const std::vector<std::int64_t>& columns,
                           FrobeniusError& error) const {
    const auto a = operand_lines(true, group, rows);
    const auto b = operand_lines(false, group, columns);
    const auto d = read_d(group, rows);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        for (std::size_t j = 0; j < columns.size(); ++j) {
            const auto column = static_cast<std::size_t>(columns[j]);
            const double start = accumulates ? before[i][column] : 0.0;
            error.add(d[i][column] - start, dot_reference(a[i], b[j]));
        }
    }
}

std::int64_t GemmData::unwritten(cudaStream_t stream, const std::vector<std::int64_t>* written_rows) const {
    if (accumulates) {
        return count_poison(sets_[0].d32, total_rows * shape.n, stream);
    }
    const std::int64_t found = count_poison(sets_[0].d16, total_rows * shape.n, stream);
    if (written_rows == nullptr) {
        return found;
    }
    const std::int64_t written = std::accumulate(written_rows->begin(), written_rows->end(), std::int64_t{0});
    return std::abs(found - (total_rows - written) * shape.n);
}

Check GemmData::check(const std::function<void()>& run, double bound, cudaStream_t stream,
                      const std::vector<std::int64_t>* written_rows) {
    if (!accumulates) {
        poison(sets_[0].d16, total_rows * shape.n, stream);
    }
    // The first, the last and one group between.
    std::vector<int> groups{0};
    for (const int g : {shape.groups / 2, shape.groups - 1}) {
        if (g != groups.back()) {
            groups.push_back(g);
        }
    }
    const std::vector<std::int64_t>& extent = written_rows != nullptr ? *written_rows : group_rows;
    struct Sampled {
        int group;
        std::vector<std::int64_t> rows;
        std::vector<std::vector<double>> before;
    };
    std::vector<Sampled> sampled;
    for (const int g : groups) {
        const std::int64_t rows = extent[static_cast<std::size_t>(g)];
        if (rows > 0) {
            Sampled& s = sampled.emplace_back(Sampled{g, sample(rows, kSampledLines, *random_), {}});
            s.before = accumulates ? read_d(g, s.rows) : std::vector<std::vector<double>>{};
        }
    }
    run();
    FrobeniusError error;
    for (const Sampled& s : sampled) {
        check_group(s.group, s.before, s.rows, sample(shape.n, kSampledLines, *random_), error);
    }
    return judge(error, bound, static_cast<std::size_t>(unwritten(stream, written_rows)));
}

} // namespace chokepoint::kref
