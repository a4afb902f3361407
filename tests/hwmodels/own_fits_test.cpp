// SPDX-License-Identifier: Apache-2.0
// A user's own runs: which of their kernels counts, what their curves replace, and which folders are refused.
#include "shipped.hpp"

#include <chokepoint/hwmodels/fit.hpp>
#include <chokepoint/hwmodels/own_fits.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace chokepoint::hw {
namespace {

using test::kHwmodels;
using testing::AllOf;
using testing::HasSubstr;

class OwnFitsFolder : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::path(testing::TempDir()) /
                  (std::string("own-fits-") + testing::UnitTest::GetInstance()->current_test_info()->name());
        std::filesystem::remove_all(folder_);
        std::filesystem::create_directories(folder_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(folder_ / name, std::ios::binary) << text;
    }
    [[nodiscard]] std::string fault() const {
        try {
            read_own_fits(folder_);
            return "read";
        } catch (const std::runtime_error& error) {
            return error.what();
        }
    }
    std::filesystem::path folder_;
};

/// Shipped rows as if measured here, each taking so many times as long.
MeasurementSet own_runs(double slower, std::string_view id = "deepgemm-infersim-h800") {
    MeasurementSet set;
    for (MeasurementSeries series : read_measurements(kHwmodels / "measurements/published").series) {
        if (series.id == id) {
            series.own_run = true;
            series.vintage = "2026-01";
            for (Measurement& row : series.rows) {
                row.time *= slower;
            }
            set.series.push_back(series);
        }
    }
    return set;
}

FitSet shipped(const std::string& architecture) {
    return read_fits(kHwmodels / "fits" / (architecture + ".json"));
}

GpuSpec h800() { return *Catalog::load({}).find_gpu("h800-sxm"); }

Operator q_b() { return gemm("q_b", KernelClass::gemm, DType::fp8, Scaling::block_128, 4096, 24576, 1536); }

} // namespace

TEST_F(OwnFitsFolder, StandBeforeTheShippedOnesInTrainingToo) {
    const FitSet otherwise = shipped("hopper");
    const auto seconds = [&](double slower) {
        write("hopper.json", to_json(fit_all(own_runs(slower), "hopper", &otherwise)));
        CalibrationOptions options;
        options.own_fits = folder_;
        options.kernel_launch = Seconds(0.0);
        return make_calibrated_model(h800(), options)->estimate(q_b(), {}).time;
    };
    // In training the shipped model takes DeepGEMM of early 2025; whoever measured their own kernels runs
    // those.
    EXPECT_NEAR(seconds(2.0) / seconds(1.0), 2.0, 0.04);
}

TEST_F(OwnFitsFolder, OfNormsStandBeforeDeepSeeksAndNotBeforePyTorchs) {
    const FitSet otherwise = shipped("hopper");
    const auto seconds = [&](double slower, KernelLibrary library) {
        write("hopper.json", to_json(fit_all(own_runs(slower, "cudnn-norms-h200"), "hopper", &otherwise)));
        CalibrationOptions options;
        options.own_fits = folder_;
        Operator norm = streaming("norm", KernelClass::norm_fwd, Bytes(1e9), Bytes(1e9));
        norm.library = library;
        return make_calibrated_model(h800(), options)->estimate(norm, {}).time;
    };
    for (const KernelLibrary library : {KernelLibrary::usual, KernelLibrary::deepseek}) {
        EXPECT_NEAR(seconds(2.0, library) / seconds(1.0, library), 2.0, 0.1);
    }
    EXPECT_EQ(seconds(2.0, KernelLibrary::pytorch), seconds(1.0, KernelLibrary::pytorch));
}

TEST_F(OwnFitsFolder, LeaveTheShippedCurvesToWhatTheyLack) {
    const FitSet otherwise = shipped("hopper");
    write("hopper.json", to_json(fit_all(own_runs(2.0), "hopper", &otherwise)));
    CalibrationOptions own;
    own.own_fits = folder_;
    const Operator bf16 = gemm("", KernelClass::gemm, DType::bf16, Scaling::none, 4096, 4096, 4096);
    EXPECT_EQ(make_calibrated_model(h800(), own)->estimate(bf16, {}).time,
              make_calibrated_model(h800())->estimate(bf16, {}).time);
    const GpuSpec b200 = *Catalog::load({}).find_gpu("b200-sxm"); // of an architecture without a file here
    EXPECT_EQ(make_calibrated_model(b200, own)->estimate(bf16, {}).time,
              make_calibrated_model(b200)->estimate(bf16, {}).time);
    const OwnFits found = read_own_fits(folder_);
    EXPECT_EQ(found.curves, 1);
    EXPECT_EQ(found.measured_on, std::vector<std::string>{"h800-sxm"});
    EXPECT_EQ(found.architectures, std::vector<std::string>{"hopper"});
}

TEST_F(OwnFitsFolder, AreKnownByTheirContent) {
    write("hopper.json", to_json(shipped("hopper")));
    const std::string digest = read_own_fits(folder_).digest;
    EXPECT_EQ(read_own_fits(folder_).digest, digest);
    write("ampere.json", to_json(shipped("ampere")));
    EXPECT_NE(read_own_fits(folder_).digest, digest);
    EXPECT_EQ(read_own_fits(folder_).curves, 0) << "nothing of it was measured here";
}

TEST_F(OwnFitsFolder, EveryFaultIsNamed) {
    EXPECT_THAT(fault(), HasSubstr("holds no *.json"));
    write("hopper.json", "{");
    write("volta.json", to_json(shipped("ampere")));
    FitSet broken = shipped("blackwell");
    broken.fits.front().parameters.front() = 1.7;
    write("blackwell.json", to_json(broken));
    EXPECT_THAT(fault(), AllOf(HasSubstr("hopper.json"), HasSubstr("expected the name 'ampere.json'"),
                               HasSubstr("tensor is 1.7; expected more than 0 and less than 1")));
    std::filesystem::remove_all(folder_);
    EXPECT_THAT(fault(), HasSubstr("No such file or directory"));
}

namespace {

/// A file of kref's with two kernels of one class: the second faster on the first shape only.
std::string two_kernels() {
    const auto series = [](const std::string& id, double first, double second) {
        return R"({"id": ")" + id + R"(", "use": "fit", "kernel": "gemm", "dtype": "bf16", "scaling": "none",
 "software": ")" +
               id +
               R"(", "vintage": "2026-01", "source": "here", "licence": "Apache-2.0", "date": "2026-01-01",
 "evidence": "A", "part": {"id": "h100-sxm", "architecture": "hopper", "sm_count": 132, "bf16_tflops": 989,
 "fp32_tflops": 67, "memory_gbps": 3350, "source": "here"}, "columns": ["m", "n", "k", "us"],
 "rows": [[4096, 4096, 4096, )" +
               std::to_string(first) + "], [4096, 8192, 4096, " + std::to_string(second) + "]]}";
    };
    return R"({"schema": "chokepoint/measurements/1", "kind": "measured", "series": [)" +
           series("slow-then-fast", 300.0, 400.0) + "," + series("fast-then-slow", 200.0, 500.0) + "]}";
}

} // namespace

TEST_F(OwnFitsFolder, OfTwoKernelsTheFasterIsFittedAndTheOtherKept) {
    write("kref.json", two_kernels());
    const MeasurementSet set = read_measurements(std::vector{folder_ / "kref.json"});
    std::vector<std::string> found;
    for (const MeasurementSeries& series : set.series) {
        for (const Measurement& row : series.rows) {
            found.push_back(series.id + (series.use == MeasurementUse::fit ? " fits " : " checks ") +
                            std::to_string(row.op.n));
        }
    }
    EXPECT_THAT(found, testing::UnorderedElementsAre("slow-then-fast fits 8192", "fast-then-slow fits 4096",
                                                     "slow-then-fast/slower checks 4096",
                                                     "fast-then-slow/slower checks 8192"));
}

} // namespace chokepoint::hw
