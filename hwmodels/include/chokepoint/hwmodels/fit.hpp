// SPDX-License-Identifier: Apache-2.0
// Efficiency curves of kernels, fitted to published measurements: what was measured, the curves, and how well
// they hold.
#pragma once

#include <chokepoint/hwmodels/cost_model.hpp>

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace chokepoint::hw {

/// The software that was published when the training run behind MeasurementUse::training was recorded.
inline constexpr std::string_view kTrainingVintage = "2025-02-25";

/// PyTorch's own kernels where a library has better ones.
inline constexpr std::string_view kPyTorchVintage = "pytorch";

/// FlashAttention-2 where it is not what training software uses by itself.
inline constexpr std::string_view kFlashAttention2 = "flash-attention-2";

/// What a series of measurements is for.
enum class MeasurementUse {
    fit,      ///< a curve is fitted to it
    check,    ///< it is only compared with: another part, an older version, another library
    training, ///< kernels of a real training run: gives the factor between a benchmark and training
};

/// One kernel timed, or several that a benchmark timed as one.
struct Measurement {
    Operator op;
    std::vector<Operator> then; ///< further operators of the same class in the time: an expert's second GEMM
    Bytes side;                 ///< traffic of memory-bound kernels in the time: quantising, activations
    Seconds time;
    double beside = 0.0;  ///< share of the time during which a transfer streamed through memory
    bool holdout = false; ///< kept from the fit, to score it
    friend bool operator==(const Measurement&, const Measurement&) = default;
};

/// Measurements of one source on one part with one software.
struct MeasurementSeries {
    std::string id;
    std::string file;
    MeasurementUse use = MeasurementUse::check;
    std::string software;
    std::string vintage; ///< version or date of the software; a curve stands for the first vintage listed
    std::string source;
    std::string licence;
    GpuSpec part;         ///< the figures that measured rates are normalised by
    bool own_run = false; ///< measured by this project's kernels, not published by others
    double loop = 0.0;    ///< launched without pause until the power limit acts: time of large GEMMs on this
                          ///< node over that of bursts; 0: launched in bursts
    int sms_held = 0;
    std::map<std::string, double>
        older; ///< time of other vintages over this one's, where only that is published
    std::vector<Measurement> rows;
};

/// What the compute stream does between and beside kernels, from the training trace.
struct StreamFigures {
    Seconds gap;                      ///< idle time between two kernels
    Seconds floor;                    ///< duration of a kernel that does next to nothing
    double streaming_slowdown = 1.0;  ///< memory-bound kernel beside a transfer against alone
    double arithmetic_slowdown = 1.0; ///< GEMM or attention beside a transfer against alone
    double transfer_share = 1.0;      ///< share of an overlapped pair during which transfers stream
    friend bool operator==(const StreamFigures&, const StreamFigures&) = default;
};

struct MeasurementSet {
    std::vector<MeasurementSeries> series; ///< sorted by file, then in the file's order
    StreamFigures stream;
};

/// Reads every *.json of a folder.
/// @throws std::runtime_error naming the file and what is wrong with it.
MeasurementSet read_measurements(const std::filesystem::path& folder);
/// The same of files named one by one, in that order.
MeasurementSet read_measurements(const std::vector<std::filesystem::path>& files);

/// `streaming` and `vector` are of kernels that compute little: bytes at a share of the memory bandwidth, or
/// at what the vector units of the SMs get through.
enum class CurveForm { tiled, attention, streaming, vector };
std::string_view name(CurveForm);
std::optional<CurveForm> curve_form_from(std::string_view);

struct Range {
    double low = 0.0;
    double high = 0.0;
    friend bool operator==(const Range&, const Range&) = default;
};

/// Where a shape lies for hulls and residuals: GEMM m, n, k, groups (a weight
/// gradient's longer side first); attention seq, batch x heads, dim_qk, dim_v.
using ShapePoint = std::array<double, 4>;
ShapePoint shape_point(const Operator&);

/// What is left of a measured row after the curve: log(measured / curve).
struct Residual {
    ShapePoint at{};
    double log_ratio = 0.0;
    friend bool operator==(const Residual&, const Residual&) = default;
};

/// Kernels of a real training run against the benchmark curve at the same shapes and SMs.
struct TrainingFactor {
    double factor = 1.0;    ///< total time over total time
    double log_sigma = 0.0; ///< spread of the single kernels about it
    int rows = 0;
    std::string reason;
    friend bool operator==(const TrainingFactor&, const TrainingFactor&) = default;
};

/// The part that a curve was measured on, by the figures that its times scale with.
struct MeasuredPart {
    std::string id;
    int sm_count = 0;
    FlopsPerSecond tensor; ///< dense peak in the curve's format; zero for memory-bound classes
    BytesPerSecond memory;
    friend bool operator==(const MeasuredPart&, const MeasuredPart&) = default;
};

/// One curve: kernels of a class in one number format on one architecture. Parameters are dimensionless but
/// for the launch time, so the curve moves to another part of the architecture by that part's own figures.
struct Fit {
    KernelClass kernel = KernelClass::gemm;
    DType dtype = DType::bf16;
    Scaling scaling = Scaling::none;
    CurveForm form = CurveForm::tiled;
    std::string software;
    std::string vintage;            ///< of the software, if it is not the newest measured
    MeasuredPart measured_on;       ///< the first series' part
    std::vector<std::string> parts; ///< the parts it is for; empty: all that have no curve of their own
    bool own_run = false;           ///< some of its rows are this project's own
    Seconds launch;                 ///< kernel start and end, the gap between kernels not included
    std::vector<double> parameters; ///< in the order of `parameter_names(form)`
    double side_bandwidth = 0.0;    ///< share of the bandwidth at which `Measurement::side` moves; 0: none
    Seconds side_launch;            ///< what starting those kernels takes
    double sustained_loss = 0.0;    ///< share of the time that a continuous load adds by lowering the clock
    std::vector<double> covariance; ///< of the fitted parameters' transforms, row by row
    std::vector<std::string> free;  ///< the parameters that were fitted; the others are another class's
    double rms_log_error = 0.0;
    double cv_mape = 0.0; ///< each n x k family predicted from the others, correction included if used
    int rows = 0;
    bool corrected = false; ///< residuals near a measured shape are applied inside the hull
    std::array<Range, 4> hull{};
    std::vector<Residual> residuals;
    std::map<std::string, double> vintages; ///< log(time / curve) of the other vintages fitted along
    TrainingFactor training;
    std::vector<std::string> data; ///< ids of the series fitted
    std::string note;
    friend bool operator==(const Fit&, const Fit&) = default;
};

struct FitSet {
    std::string architecture;
    StreamFigures stream;
    std::vector<Fit> fits;
    friend bool operator==(const FitSet&, const FitSet&) = default;

    /// The curve of exactly this class, format and vintage (empty: the newest), or nullptr. The part's own if
    /// it has one.
    [[nodiscard]] const Fit* find(KernelClass, DType, Scaling, std::string_view vintage = {},
                                  std::string_view part = {}) const;
};

/// Names of a form's parameters, in order.
std::vector<std::string> parameter_names(CurveForm);

/// The architectures that have curves of their own, the one that lends to the others first.
std::span<const std::string_view> fitted_architectures();

/// Fits every curve of an architecture. Curves that the measurements do not cover are taken from `otherwise`.
/// @throws std::runtime_error naming the class that lacks measurements, if there is no `otherwise`.
FitSet fit_all(const MeasurementSet&, std::string_view architecture, const FitSet* otherwise = nullptr);

/// A measured row beside what the curve says of it.
struct ScoredRow {
    Flops arithmetic;
    Bytes traffic; ///< each tensor once
    Seconds measured, predicted;
};

/// Errors of a series' rows of training size: model against measured.
struct SeriesScore {
    std::string id;
    std::string part;
    MeasurementUse use = MeasurementUse::check;
    bool holdout = false; ///< the rows kept from the fit, scored apart
    KernelClass kernel = KernelClass::gemm;
    DType dtype = DType::bf16;
    Scaling scaling = Scaling::none;
    int rows = 0;
    double mean = 0.0; ///< of the absolute relative error
    double median = 0.0;
    double p90 = 0.0;
    double bias = 0.0; ///< mean of the signed one
    std::vector<ScoredRow> scored;
};
/// Series of the fits' architecture, in the set's order; memory-bound classes and training runs left out.
std::vector<SeriesScore> score(const FitSet&, const MeasurementSet&);

/// Whether a training step has kernels of this size: below, libraries pick tiles that none uses.
bool is_training_size(const Operator&);

/// One measured row of any series beside what the curves say of it.
struct RowScore {
    const MeasurementSeries* series = nullptr; ///< of the set
    const Measurement* row = nullptr;
    Seconds predicted; ///< kernels of a training run: with the factor between benchmarks and training
};
/// Every row of the architecture that has a curve, in the set's order: also those too small for a training
/// step, memory-bound classes and training runs.
std::vector<RowScore> score_rows(const FitSet&, const MeasurementSet&);

/// What of an operator the curve times at once, and how many times.
struct Repeated {
    Operator op;
    int times = 1;
};
/// Transformer Engine runs each expert's product by itself, with the dense library's kernels: where grouped
/// products have no curve of their own, the dense one times them one by one.
Repeated repeated(const Fit&, const Operator&);

/// What the curve says without launch time and training factor.
/// `sms_held` SMs are taken away, `beside` is the share of the time beside a transfer.
Seconds curve_time(const Fit&, const StreamFigures&, const GpuSpec&, const Operator&, int sms_held,
                   double beside, double clock = 1.0);

/// How much longer than its first milliseconds a kernel takes in a benchmark that repeats it, because the
/// power limit lowers the clock: nothing for short kernels, all of `sustained_loss` for long ones.
double benchmark_slowdown(const Fit&, Seconds burst);

/// What the curve says that the benchmark behind a row measured.
Seconds predicted_time(const Fit&, const StreamFigures&, const MeasurementSeries&, const Measurement&);

/// Whether the shape lies between the smallest and largest measured ones.
bool inside_hull(const Fit&, const Operator&);

/// @throws std::runtime_error naming the file and what is wrong with it.
FitSet read_fits(const std::filesystem::path& file);

/// Fit files read once, for programs that price scenario after scenario.
class FitLibrary {
public:
    /// @throws std::runtime_error as `read_fits`.
    std::shared_ptr<const FitSet> read(const std::filesystem::path& file);

private:
    std::map<std::filesystem::path, std::shared_ptr<const FitSet>> sets_;
};

/// The fit file's text: JSON, one line per curve's member, with nine significant digits.
std::string to_json(const FitSet&);

} // namespace chokepoint::hw
