// SPDX-License-Identifier: Apache-2.0
// Verdicts, percentiles, files and the supervisor, with functions in the GPU's place.
#include "attention/attention.hpp"
#include "framework/compare.hpp"
#include "framework/cuda_error.hpp"
#include "framework/json_writer.hpp"
#include "framework/kernel_table.hpp"
#include "framework/measurement.hpp"
#include "framework/number_formats.hpp"
#include "framework/options.hpp"
#include "framework/report.hpp"
#include "framework/supervisor.hpp"
#include "gemm/cublas_library.hpp"
#include "gemm/fp8_block_gemm.hpp"
#include "support/json_schema.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <memory>
#include <set>
#include <sys/mman.h>
#include <unistd.h>

using namespace chokepoint::kref;
using nlohmann::json;

namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

FrobeniusError error_of(std::vector<double> found, std::vector<double> expected) {
    FrobeniusError e;
    for (std::size_t i = 0; i < found.size(); ++i) {
        e.add(found[i], expected[i]);
    }
    return e;
}

Measurement timed(int kernel, double microseconds) {
    Measurement m;
    m.kernel = kernel;
    m.outcome = Outcome::timed;
    m.check = {true, 1e-3, 4e-3, ""};
    const Seconds t(microseconds * 1e-6);
    m.time = {t, t, t, t, t, 9};
    m.board = {1755, 2619, 512'000, 60, 0x4};
    return m;
}

std::string violations(const json& document) {
    return chokepoint::test::published_schema_violations("measurement", document.dump());
}

RunFacts facts() {
    RunFacts f;
    f.machine = {{"device", "NVIDIA H100 80GB HBM3"},
                 {"sms", "132"},
                 {"driver", "580.1"},
                 {"cuda_runtime", "13.0"},
                 {"cublas", "13.1.0"}};
    f.commit = "0123abc";
    f.date = "2026-01-02T03:04:05Z";
    f.seed = 7;
    return f;
}

WorkOrder order_of(std::size_t count) {
    WorkOrder order;
    for (std::size_t i = 0; i < count; ++i) {
        order.items.push_back({0, static_cast<int>(i)});
    }
    return order;
}

/// A worker whose item `bad` misbehaves.
WorkFunction worker_that(std::size_t bad, const std::function<void()>& misbehave) {
    return [=](const WorkOrder& order, const Emit& emit) {
        emit("fact\tdevice\ta test");
        for (std::size_t i = order.first; i < order.items.size(); ++i) {
            emit("begin\t" + std::to_string(i));
            if (i == bad) {
                misbehave();
            }
            Measurement m;
            m.case_index = order.items[i].case_index;
            m.outcome = Outcome::checked;
            emit("row\t" + to_line(m));
            emit("done");
        }
        emit("end");
    };
}

std::vector<Outcome> outcomes(const RunResult& result) {
    std::vector<Outcome> found;
    for (const Measurement& m : result.measurements) {
        found.push_back(m.outcome);
    }
    return found;
}

const Progress kIgnore = [](const RunResult&) {};

/// Counts across processes, which share nothing else.
class Counter {
public:
    int next() const { return count_->fetch_add(1); }
    int count() const { return count_->load(); }

private:
    std::atomic<int>* count_ = std::construct_at(
        static_cast<std::atomic<int>*>(mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                                            MAP_SHARED | MAP_ANONYMOUS, -1, 0)),
        0);
};

int kernel_named(std::string_view name) {
    const auto all = kernels();
    return static_cast<int>(std::ranges::find(all, name, &Kernel::name) - all.begin());
}

/// Index of the kernel's first case of a role.
int case_of(int kernel, Role role) {
    const std::vector<Case> cases = kernels()[static_cast<std::size_t>(kernel)].cases();
    return static_cast<int>(std::ranges::find(cases, role, &Case::role) - cases.begin());
}

} // namespace

TEST(Verdict, NanNeverPasses) {
    EXPECT_FALSE(judge(error_of({1.0, kNan}, {1.0, 1.0}), 1.0).passed);
    EXPECT_FALSE(judge(error_of({1.0}, {kNan}), 1.0).passed);
}

TEST(Verdict, NothingComparedIsNotAPass) {
    EXPECT_FALSE(judge(FrobeniusError(), 1.0).passed);
    EXPECT_FALSE(judge_exact(0, 0).passed);
}

TEST(Verdict, AnUnwrittenElementFails) {
    EXPECT_TRUE(judge(error_of({1.0}, {1.0}), 1e-9).passed);
    EXPECT_FALSE(judge(error_of({1.0}, {1.0}), 1e-9, 1).passed);
    EXPECT_FALSE(judge_exact(5, 0, 1).passed);
}

TEST(Verdict, TheBoundIsRelativeToTheReference) {
    EXPECT_NEAR(error_of({3.03, 4.04}, {3.0, 4.0}).relative(), 0.01, 1e-12);
    EXPECT_TRUE(judge(error_of({303, 404}, {300, 400}), 0.0101).passed);
    EXPECT_FALSE(judge(error_of({303, 404}, {300, 400}), 0.0099).passed);
}

TEST(Verdict, OneWrongElementFailsWhateverTheNormSays) {
    std::vector<double> found;
    std::vector<double> expected;
    for (int i = 1; i <= 300'000; ++i) {
        expected.push_back(std::sin(i) + 1.5);
        found.push_back(from_bf16(to_bf16(static_cast<float>(expected.back()))));
    }
    const auto verdict = [&] {
        FrobeniusError norm;
        WorstElement worst;
        compare_rounded(found, expected, norm, worst);
        EXPECT_LE(norm.relative(), 4e-3);
        return judge(norm, 4e-3, worst);
    };
    EXPECT_TRUE(verdict().passed);
    EXPECT_LT(verdict().error, 4e-3) << "a pass reports the norm";
    found[7] = 0.0;
    EXPECT_FALSE(verdict().passed);
    EXPECT_GT(verdict().error, 1.0);
    found[7] = expected[7] * 1.01;
    EXPECT_FALSE(verdict().passed) << "more than half a step of BF16";
    WorstElement nan;
    nan.add(kNan, 1.0, 1.0);
    nan.add(1.0, 1.0, 1.0);
    EXPECT_FALSE(judge(error_of({1.0}, {1.0}), 1.0, nan).passed);
}

TEST(Verdict, OfTwoTheFailureOrTheTighterOneIsKept) {
    const Check loose{true, 1e-3, 1.0, "loose"};
    const Check tight{true, 9e-7, 1e-6, "tight"};
    const Check wrong{false, 1e-9, 1.0, "wrong"};
    EXPECT_EQ(both(loose, tight).note, "tight");
    EXPECT_EQ(both(wrong, tight).note, "wrong");
    EXPECT_EQ(both(tight, wrong).note, "wrong");
}

TEST(Percentiles, InterpolateBetweenSamples) {
    const Percentiles p = percentiles({Seconds(5), Seconds(1), Seconds(3), Seconds(2), Seconds(4)});
    EXPECT_DOUBLE_EQ(p.median.count(), 3.0);
    EXPECT_DOUBLE_EQ(p.p25.count(), 2.0);
    EXPECT_DOUBLE_EQ(p.p95.count(), 4.8);
    EXPECT_EQ(p.samples, 5);
    EXPECT_THROW(percentiles({}), std::invalid_argument);
}

TEST(MeasurementLine, ComesBackWhole) {
    Measurement m = timed(3, 12.5);
    m.case_index = 2;
    m.mode = Mode::sustained;
    m.sharing = Sharing::beside;
    m.sms_held = 20;
    m.beside_bytes_per_second = 3.2e11;
    m.note = "a\tb\nc";
    const Measurement back = measurement_from(to_line(m));
    EXPECT_EQ(back.kernel, 3);
    EXPECT_EQ(back.case_index, 2);
    EXPECT_EQ(back.mode, Mode::sustained);
    EXPECT_EQ(back.sharing, Sharing::beside);
    EXPECT_EQ(back.time.median, m.time.median);
    EXPECT_EQ(back.board.throttle_bits, 4U);
    EXPECT_EQ(back.beside_bytes_per_second, 3.2e11);
    EXPECT_EQ(back.note, "a b c");
    EXPECT_TRUE(back.check.passed);
}

TEST(MeasurementLine, SaysWhichFieldIsBroken) {
    EXPECT_THROW(measurement_from("1\t2\t99"), std::runtime_error);
    EXPECT_THROW(measurement_from(""), std::runtime_error);
    try {
        measurement_from("1\tx\t0");
        FAIL() << "a case that is no number was accepted";
    } catch (const std::runtime_error& e) {
        EXPECT_NE(std::string(e.what()).find("case is 'x'"), std::string::npos) << e.what();
    }
}

TEST(JsonWriter, EscapesAndReadsBackEqual) {
    JsonWriter w;
    w.begin_object();
    w.key("text").value("quote \" slash \\ line\n bell\x07");
    w.key("third").value(1.0 / 3.0);
    w.key("nan").value(kNan);
    w.key("row").begin_row().value(1).value(true).value("x").end_array();
    w.key("empty").begin_array().end_array();
    w.end_object();
    const json back = json::parse(w.text());
    EXPECT_EQ(back["text"], "quote \" slash \\ line\n bell\x07");
    EXPECT_EQ(back["third"], 1.0 / 3.0);
    EXPECT_TRUE(back["nan"].is_null());
    EXPECT_EQ(back["row"], json::parse(R"([1, true, "x"])"));
    EXPECT_TRUE(back["empty"].empty());
}

TEST(KernelTable, NamesAreUniqueAndEveryKernelHasShapes) {
    std::set<std::string_view> names;
    for (const Kernel& kernel : kernels()) {
        EXPECT_TRUE(names.insert(kernel.name).second) << kernel.name;
        EXPECT_FALSE(kernel.cases().empty()) << kernel.name;
        for (const Case& c : kernel.cases()) {
            const Work work = kernel.work(c);
            EXPECT_GT(work.read_bytes, 0) << kernel.name << " " << c.op;
            EXPECT_GT(work.written_bytes, 0) << kernel.name << " " << c.op;
        }
    }
}

TEST(KernelTable, StreamingWorkIsWhatThreeTerabytesASecondTake) {
    // Microseconds at 3 TB/s of DeepSeek-V3's kernels at 4,096 tokens, worked out apart from this table.
    const std::vector<std::pair<std::string_view, double>> expected{
        {"norm-fwd", 39},     {"norm-bwd", 59},   {"quantize", 30},
        {"permute-fp8", 161}, {"unpermute", 176}, {"swiglu-fwd", 113},
        {"swiglu-bwd", 224},  {"rope", 45},       {"cross-entropy", 1059}};
    for (const auto& [name, microseconds] : expected) {
        for (const Kernel& kernel : kernels()) {
            if (kernel.name == name) {
                const Work work = kernel.work(kernel.cases().front());
                EXPECT_NEAR(static_cast<double>(work.read_bytes + work.written_bytes) / 3e6, microseconds,
                            0.03 * microseconds)
                    << name;
            }
        }
    }
}

TEST(KernelTable, OurGemmsAreOneFamilyAndOthersStandAlone) {
    const int dense = kernel_named("gemm-fp8-block");
    std::set<std::string_view> family;
    for (std::size_t k = 0; k < kernels().size(); ++k) {
        if (family_of(static_cast<int>(k)) == dense) {
            family.insert(kernels()[k].name);
        } else {
            EXPECT_EQ(family_of(static_cast<int>(k)), static_cast<int>(k)) << kernels()[k].name;
        }
    }
    EXPECT_EQ(family,
              (std::set<std::string_view>{"gemm-fp8-block", "grouped-fp8-block", "gemm-fp8-block-wgrad",
                                          "grouped-fp8-block-wgrad", "grouped-fp8-block-masked"}));
    for (const Item& item : items_of(Phase::check, "grouped-fp8-block*,copy")) {
        EXPECT_EQ(item.family, family_of(item.kernel));
    }
}

TEST(KernelTable, AWeightGradientInBf16IsWrittenOnce) {
    const int once = kernel_named("grouped-bf16");
    const int added = kernel_named("grouped-bf16-lt");
    const auto work = [](int kernel, Role role) {
        const Kernel& k = kernels()[static_cast<std::size_t>(kernel)];
        return k.work(k.cases()[static_cast<std::size_t>(case_of(kernel, role))]);
    };
    EXPECT_EQ(work(once, Role::forward).written_bytes, work(added, Role::forward).written_bytes);
    EXPECT_EQ(work(once, Role::forward).read_bytes, work(added, Role::forward).read_bytes);
    const Work w = work(once, Role::wgrad);
    const Work fp32 = work(added, Role::wgrad);
    EXPECT_EQ(2 * w.written_bytes, fp32.written_bytes);
    EXPECT_EQ(w.read_bytes, fp32.read_bytes - fp32.written_bytes); // no gradients of before
    EXPECT_EQ(w.flops, fp32.flops);
}

TEST(KernelTable, FiltersTakeNamesPatternsAndLists) {
    EXPECT_TRUE(matches("gemm-bf16-lt", ""));
    EXPECT_TRUE(matches("gemm-bf16-lt", "gemm-*"));
    EXPECT_TRUE(matches("gemm-bf16-lt", "norm-fwd,*-lt"));
    EXPECT_FALSE(matches("grouped-bf16", "gemm*"));
    EXPECT_FALSE(matches("copy", "cop"));
}

TEST(TileHeight, TallTilesNeedRoomAndAlignment) {
    EXPECT_EQ(choose_tile_rows(4096, 36864, 132, 256), 256); // many waves either way
    EXPECT_EQ(choose_tile_rows(4096, 36864, 132, 128), 128);
    EXPECT_EQ(choose_tile_rows(4096, 576, 132, 256), 256); // 80 tiles or 160: one wave against two
    EXPECT_EQ(choose_tile_rows(2048, 1024, 132, 256),
              128); // 128 tiles fill the device, 64 leave half of it idle
}

TEST(MeasurementFile, FitsItsSchema) {
    std::vector<Measurement> measurements{timed(0, 1500.0)};
    for (std::size_t k = 0; k < kernels().size(); ++k) {
        measurements.push_back(timed(static_cast<int>(k), 10.0 + static_cast<double>(k)));
    }
    Measurement wrong;
    wrong.outcome = Outcome::wrong;
    wrong.check = {false, kNan, 4e-3, "3 elements unwritten or NaN"};
    measurements.push_back(wrong);
    const json document = json::parse(measurement_file(facts(), measurements));
    EXPECT_EQ(violations(document), "");
    EXPECT_EQ(document["machine"]["sms"], 132);
}

TEST(MeasurementFile, AWrongResultIsNoTiming) {
    Measurement wrong = timed(4, 10.0);
    wrong.outcome = Outcome::wrong;
    wrong.check.passed = false;
    const json document = json::parse(measurement_file(facts(), {timed(3, 5.0), wrong}));
    ASSERT_EQ(document["series"].size(), 1U);
    EXPECT_EQ(document["series"][0]["rows"].size(), 1U);
    ASSERT_EQ(document["not_timed"].size(), 1U);
    EXPECT_EQ(document["not_timed"][0]["outcome"], "wrong");
    EXPECT_FALSE(document["not_timed"][0].contains("us"));
}

TEST(MeasurementFile, OnlyUndisturbedTimingsAreForFitting) {
    Measurement beside = timed(5, 20.0);
    beside.sharing = Sharing::beside;
    beside.sms_held = 20;
    Measurement cold = timed(5, 20.0);
    cold.mode = Mode::cold;
    const json document =
        json::parse(measurement_file(facts(), {timed(5, 10.0), beside, cold, timed(0, 9.0)}));
    std::map<std::string, std::string> uses;
    for (const json& series : document["series"]) {
        uses[series["id"]] = series["use"];
    }
    const std::map<std::string, std::string> expected{{"kref/ceiling-memcpy/copy/hot", "check"},
                                                      {"kref/concat-keys/copy/cold", "check"},
                                                      {"kref/concat-keys/copy/hot", "fit"},
                                                      {"kref/concat-keys/copy/hot/beside-20", "check"}};
    EXPECT_EQ(uses, expected);
}

TEST(MeasurementFile, AWeightGradientThatIsNotAddedIsNotForFitting) {
    std::vector<Measurement> measurements;
    for (const std::string_view name : {"grouped-bf16", "grouped-bf16-lt"}) {
        for (const Role role : {Role::forward, Role::wgrad}) {
            Measurement m = timed(kernel_named(name), 10.0);
            m.case_index = case_of(m.kernel, role);
            measurements.push_back(m);
        }
    }
    const json document = json::parse(measurement_file(facts(), measurements));
    EXPECT_EQ(violations(document), "");
    std::map<std::string, std::string> uses;
    for (const json& series : document["series"]) {
        uses[series["id"]] = series["use"];
        EXPECT_EQ(series.contains("note"), series["use"] == "check");
    }
    const std::map<std::string, std::string> expected{{"kref/grouped-bf16/grouped_gemm/hot", "fit"},
                                                      {"kref/grouped-bf16/grouped_wgrad/hot", "check"},
                                                      {"kref/grouped-bf16-lt/grouped_gemm/hot", "fit"},
                                                      {"kref/grouped-bf16-lt/grouped_wgrad/hot", "fit"}};
    EXPECT_EQ(uses, expected);
}

TEST(MeasurementFile, SaysThatALibraryMayExceedItsLimit) {
    std::vector<Measurement> measurements;
    for (const std::string_view name : {"gemm-bf16-lt", "gemm-fp8-block"}) {
        for (const Sharing sharing : {Sharing::limited, Sharing::held}) {
            Measurement m = timed(kernel_named(name), 10.0);
            m.sharing = sharing;
            m.sms_held = 20;
            measurements.push_back(m);
        }
    }
    const json document = json::parse(measurement_file(facts(), measurements));
    EXPECT_EQ(violations(document), "");
    std::map<std::string, std::string> notes;
    for (const json& series : document["series"]) {
        notes[series["id"]] = series.value("note", "");
    }
    EXPECT_NE(notes["kref/gemm-bf16-lt/gemm/hot/limited-20"].find("hint"), std::string::npos);
    EXPECT_EQ(notes["kref/gemm-fp8-block/gemm/hot/limited-20"].find("hint"), std::string::npos);
    EXPECT_EQ(notes["kref/gemm-bf16-lt/gemm/hot/held-20"], "");
}

TEST(MeasurementFile, SchemaRefusesATimingWithoutADevice) {
    json document = json::parse(measurement_file(facts(), {timed(3, 5.0)}));
    document.erase("machine");
    EXPECT_NE(violations(document), "");
}

TEST(Statuses, EveryFailureOfCudnnIsOneWhateverItsDetail) {
    for (const int status : {4000, 4001, 4002, 4003, 4004, 4005, 4006, 5000, 5001, 5002, 5003, 5004}) {
        EXPECT_TRUE(is_failure(static_cast<cudnnStatus_t>(status))) << status;
    }
    for (const int status : {1008, 2000, 2011, 3000, 3007, 3013}) {
        EXPECT_FALSE(is_failure(static_cast<cudnnStatus_t>(status))) << status;
    }
}

TEST(Statuses, AnInvalidValueIsUnsupportedFromTheHeuristicAlone) {
    EXPECT_NO_THROW(require(CUBLAS_STATUS_SUCCESS, "call"));
    EXPECT_THROW(require(CUBLAS_STATUS_NOT_SUPPORTED, "call"), Unsupported);
    EXPECT_THROW(require(CUBLAS_STATUS_INVALID_VALUE, "call"), GpuError);
    EXPECT_TRUE(has_no_algorithm(CUBLAS_STATUS_INVALID_VALUE, 0));
    EXPECT_TRUE(has_no_algorithm(CUBLAS_STATUS_NOT_SUPPORTED, 0));
    EXPECT_TRUE(has_no_algorithm(CUBLAS_STATUS_SUCCESS, 0));
    EXPECT_FALSE(has_no_algorithm(CUBLAS_STATUS_SUCCESS, 1));
    EXPECT_FALSE(has_no_algorithm(CUBLAS_STATUS_EXECUTION_FAILED, 0));
}

TEST(AttentionBackward, CudnnClearsItsSumItselfFrom96On) {
    EXPECT_FALSE(clears_dq_sum(90501));
    EXPECT_TRUE(clears_dq_sum(90600));
    EXPECT_TRUE(clears_dq_sum(91900));
}

TEST(QueueDepth, LeavesFiftyMillisecondsAndLittleMore) {
    for (const double milliseconds : {0.05, 0.3, 1.0, 7.0, 30.0, 49.0, 51.0, 300.0}) {
        const QueueDepth depth = queue_depth(Seconds(milliseconds * 1e-3));
        const double batch = depth.replays * milliseconds;
        EXPECT_GE((depth.batches - 1) * batch, 49.99) << milliseconds;
        EXPECT_LE((depth.batches - 1) * batch, std::max(100.0, milliseconds)) << milliseconds;
    }
    const QueueDepth tiny = queue_depth(Seconds(1e-6));
    EXPECT_LE(tiny.replays * tiny.batches, 2000) << "the device's queue is full before";
}

TEST(Supervisor, PassesOnWhatTheWorkerSays) {
    std::vector<std::size_t> seen;
    const RunResult result = supervise(order_of(3), worker_that(99, [] {}), {},
                                       [&](const RunResult& r) { seen.push_back(r.measurements.size()); });
    EXPECT_EQ(seen, (std::vector<std::size_t>{1, 2, 3})) << "each row is there when progress hears of it";
    EXPECT_EQ(outcomes(result), std::vector<Outcome>(3, Outcome::checked));
    EXPECT_EQ(result.facts, (MachineFacts{{"device", "a test"}}));
    EXPECT_EQ(result.fatal, "");
}

TEST(Supervisor, AKernelThatKillsItsProcessCostsOneShape) {
    const RunResult result = supervise(order_of(4), worker_that(1, [] { std::abort(); }), {}, kIgnore);
    EXPECT_EQ(outcomes(result),
              (std::vector<Outcome>{Outcome::checked, Outcome::died, Outcome::checked, Outcome::checked}));
    EXPECT_EQ(result.measurements[1].case_index, 1);
    EXPECT_NE(result.measurements[1].note.find("signal 6"), std::string::npos) << result.measurements[1].note;
}

TEST(Supervisor, AKernelThatHangsCostsOneShape) {
    const RunResult result =
        supervise(order_of(3), worker_that(0, [] { sleep(60); }), {.loading = Seconds(0.2)}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::checked, Outcome::checked}));
    EXPECT_NE(result.measurements[0].note.find("silent"), std::string::npos) << result.measurements[0].note;
    EXPECT_TRUE(result.given_up.empty());
}

TEST(Supervisor, OfAKernelThatHangsOnceLaunchedNoOtherShapeIsTried) {
    WorkOrder order = order_of(4);
    order.items[1] = {1, 1, 1};
    const WorkFunction hangs = [](const WorkOrder& o, const Emit& emit) {
        for (std::size_t i = o.first; i < o.items.size(); ++i) {
            emit("begin\t" + std::to_string(i));
            emit("launch");
            if (o.items[i].kernel == 0) {
                sleep(60);
            }
            Measurement m;
            m.kernel = o.items[i].kernel;
            m.outcome = Outcome::checked;
            emit("row\t" + to_line(m));
            emit("done");
        }
        emit("end");
    };
    const RunResult result = supervise(order, hangs, {.running = Seconds(0.2)}, kIgnore);
    EXPECT_EQ(outcomes(result),
              (std::vector<Outcome>{Outcome::died, Outcome::skipped, Outcome::skipped, Outcome::checked}));
    EXPECT_EQ(result.measurements[3].kernel, 1);
    EXPECT_EQ(result.given_up, std::set<int>{0});
    EXPECT_NE(result.measurements[1].note.find("given up"), std::string::npos);
}

TEST(Supervisor, AKernelThatKillsThreeWorkersIsGivenUp) {
    const WorkFunction fragile = [](const WorkOrder& o, const Emit& emit) {
        emit("begin\t" + std::to_string(o.first));
        std::abort();
    };
    const RunResult result = supervise(order_of(5), fragile, {}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::died, Outcome::died,
                                                      Outcome::skipped, Outcome::skipped}));
    EXPECT_EQ(result.fatal, "");
}

TEST(Supervisor, SilenceAtTheEndOfTheBudgetIsNoHang) {
    WorkOrder order = order_of(3);
    order.budget = Seconds(0.5);
    const Counter workers;
    const WorkFunction slow = [&](const WorkOrder& o, const Emit& emit) {
        workers.next();
        worker_that(1, [&] {
            emit("launch");
            sleep(60);
        })(o, emit);
    };
    const RunResult result = supervise(
        order, slow, {.loading = Seconds(50), .running = Seconds(50), .overtime = Seconds(0.3)}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::checked, Outcome::skipped, Outcome::skipped}));
    EXPECT_EQ(result.measurements[1].note, "out of time");
    EXPECT_EQ(result.measurements[2].note, "out of time");
    EXPECT_TRUE(result.given_up.empty());
    EXPECT_EQ(result.fatal, "");
    EXPECT_EQ(workers.count(), 1) << "no worker is started to say that there is no time";
}

TEST(Supervisor, OvertimeEndsWhateverTheWorkerSays) {
    WorkOrder order = order_of(2);
    order.budget = Seconds(0.3);
    const WorkFunction talks = [](const WorkOrder&, const Emit& emit) {
        emit("begin\t0");
        for (int i = 0; i < 1'000; ++i) {
            emit("launch");
            usleep(10'000);
        }
    };
    const RunResult result = supervise(order, talks, {.overtime = Seconds(0.2)}, kIgnore);
    EXPECT_EQ(outcomes(result), std::vector<Outcome>(2, Outcome::skipped));
}

TEST(Supervisor, AHangThatOutlastsPatienceIsOneWhateverIsLeft) {
    WorkOrder order = order_of(3);
    order.budget = Seconds(0.1);
    const RunResult result =
        supervise(order, worker_that(0, [] { sleep(60); }), {.loading = Seconds(0.2)}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::skipped, Outcome::skipped}));
    EXPECT_EQ(result.measurements[1].note, "out of time");
}

TEST(Supervisor, AStartThatFailsIsTriedAgain) {
    const Counter workers;
    const WorkFunction busy = [&](const WorkOrder& o, const Emit& emit) {
        const int worker = workers.next();
        if (worker == 0 || worker == 2 || worker == 3) { // the first of all, and two after the one that died
            throw GpuError("allocate the arena: out of memory");
        }
        worker_that(0, [] { std::abort(); })(o, emit);
    };
    const RunResult result = supervise(order_of(3), busy, {.pause = Seconds(0.01)}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::checked, Outcome::checked}));
    EXPECT_EQ(result.fatal, "");
    EXPECT_EQ(workers.count(), 5);
}

TEST(Supervisor, StartsThatNeverSucceedSkipTheRestWithTheirReason) {
    const Counter workers;
    const WorkFunction lost = [&](const WorkOrder& o, const Emit& emit) {
        if (workers.next() > 0) {
            throw NoDevice("no CUDA device: all devices are busy");
        }
        worker_that(1, [] { std::abort(); })(o, emit);
    };
    const RunResult result = supervise(order_of(4), lost, {.pause = Seconds(0.01), .starts = 3}, kIgnore);
    EXPECT_EQ(outcomes(result),
              (std::vector<Outcome>{Outcome::checked, Outcome::died, Outcome::skipped, Outcome::skipped}));
    EXPECT_EQ(result.measurements[3].note, "no CUDA device: all devices are busy");
    EXPECT_EQ(result.fatal, "no CUDA device: all devices are busy");
    EXPECT_EQ(workers.count(), 4);
}

TEST(Supervisor, AHangCostsEveryKernelThatSharesItsCode) {
    WorkOrder order;
    order.items = {{5, 0, 5}, {6, 0, 5}, {7, 0, 7}};
    const WorkFunction hangs = [](const WorkOrder& o, const Emit& emit) {
        for (std::size_t i = o.first; i < o.items.size(); ++i) {
            emit("begin\t" + std::to_string(i));
            emit("launch");
            if (o.items[i].family == 5) {
                sleep(60);
            }
            Measurement m;
            m.outcome = Outcome::checked;
            emit("row\t" + to_line(m));
        }
        emit("end");
    };
    const RunResult first = supervise(order, hangs, {.running = Seconds(0.2)}, kIgnore);
    EXPECT_EQ(outcomes(first), (std::vector<Outcome>{Outcome::died, Outcome::skipped, Outcome::checked}));
    EXPECT_EQ(first.given_up, (std::set<int>{5, 6}));
    // Nor are they tried in a later phase, which says so.
    const RunResult both = supervise(order, hangs, {.running = Seconds(0.2)}, kIgnore, first);
    ASSERT_EQ(both.measurements.size(), 6U);
    EXPECT_EQ(both.measurements[3].outcome, Outcome::skipped);
    EXPECT_EQ(both.measurements[4].outcome, Outcome::skipped);
    EXPECT_EQ(both.measurements[5].outcome, Outcome::checked);
}

TEST(Supervisor, AKernelThatDiesCostsNoOther) {
    WorkOrder order;
    order.items = {{5, 0, 5}, {5, 1, 5}, {5, 2, 5}, {6, 0, 5}};
    const WorkFunction fragile = [](const WorkOrder& o, const Emit& emit) {
        worker_that(o.items[o.first].kernel == 5 ? o.first : 99, [] { std::abort(); })(o, emit);
    };
    const RunResult result = supervise(order, fragile, {.deaths = 2}, kIgnore);
    EXPECT_EQ(outcomes(result),
              (std::vector<Outcome>{Outcome::died, Outcome::died, Outcome::skipped, Outcome::checked}));
}

TEST(Steps, APhaseThatFailsLeavesTheOthersTheirTurn) {
    const Counter workers;
    const WorkFunction gone_for_a_while = [&](const WorkOrder& o, const Emit& emit) {
        const int worker = workers.next();
        if (worker >= 1 && worker <= 2) {
            throw GpuError("create a context: busy");
        }
        worker_that(worker == 0 ? 0 : 99, [] { std::abort(); })(o, emit);
    };
    int saved = 0;
    const RunResult result =
        run_steps({{order_of(2)}, {order_of(1)}}, Seconds(60), gone_for_a_while,
                  {.pause = Seconds(0.01), .starts = 2}, kIgnore, [&](const RunResult&) { ++saved; });
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::skipped, Outcome::checked}));
    EXPECT_EQ(result.measurements[1].note, "create a context: busy");
    EXPECT_NE(result.fatal.find("busy"), std::string::npos) << "the run says that it is incomplete";
    EXPECT_EQ(saved, 2);
}

TEST(Steps, WithoutAnyWorkerTheRunEnds) {
    const Counter workers;
    const WorkFunction busy = [&](const WorkOrder&, const Emit&) {
        workers.next();
        throw GpuError("create a context: busy");
    };
    const RunResult result = run_steps({{order_of(2)}, {order_of(1)}}, Seconds(60), busy,
                                       {.pause = Seconds(0.01), .starts = 3}, kIgnore, kIgnore);
    EXPECT_TRUE(result.measurements.empty());
    EXPECT_EQ(result.fatal, "create a context: busy");
    EXPECT_EQ(workers.count(), 3);
}

TEST(Steps, APhaseWithoutTimeIsSkippedWithoutAWorker) {
    const Counter workers;
    const WorkFunction slow = [&](const WorkOrder& o, const Emit& emit) {
        workers.next();
        worker_that(0, [] { sleep(60); })(o, emit);
    };
    const RunResult result =
        run_steps({{order_of(1)}, {order_of(2)}}, Seconds(1), slow, {}, kIgnore, kIgnore);
    EXPECT_EQ(outcomes(result), std::vector<Outcome>(3, Outcome::skipped));
    EXPECT_EQ(workers.count(), 1);
}

TEST(Steps, KeepTimeForTheLastItemAndTheFile) {
    const Patience patience;
    for (const double budget : {1.0, 20.0, 590.0, 7200.0}) {
        const Allowance a = allowance(Seconds(budget), patience);
        EXPECT_LT((a.work + a.overtime).count(), budget);
        EXPECT_GE(a.work.count(), 0.9 * budget);
    }
    const Allowance lease = allowance(Seconds(600), patience);
    EXPECT_EQ(lease.work, Seconds(600) - patience.overtime - patience.saving);
    EXPECT_EQ(lease.overtime, patience.overtime);
}

TEST(Supervisor, ToldToStopItKeepsWhatItHas) {
    const auto stopped = [] {
        stop_on_signals();
        const WorkFunction signals = worker_that(2, [] {
            kill(getppid(), SIGTERM);
            sleep(60);
        });
        const RunResult result = supervise(order_of(4), signals, {}, kIgnore);
        const std::vector<Outcome> expected{Outcome::checked, Outcome::checked, Outcome::skipped,
                                            Outcome::skipped};
        const bool kept = outcomes(result) == expected && result.fatal == "told to stop";
        std::_Exit(kept ? 0 : 1);
    };
    EXPECT_EXIT(stopped(), testing::ExitedWithCode(0), "");
}

TEST(Supervisor, ALostContextIsReportedInItsOwnWords) {
    const RunResult result =
        supervise(order_of(2), worker_that(0, [] { throw GpuError("illegal address"); }), {}, kIgnore);
    EXPECT_EQ(outcomes(result), (std::vector<Outcome>{Outcome::died, Outcome::checked}));
    EXPECT_NE(result.measurements[0].note.find("illegal address"), std::string::npos);
}

TEST(Supervisor, WithoutADeviceItSaysSoAndStops) {
    const Counter workers;
    const WorkFunction none = [&](const WorkOrder&, const Emit&) {
        workers.next();
        throw NoDevice("no CUDA device: none");
    };
    const RunResult result = supervise(order_of(5), none, {}, kIgnore);
    EXPECT_TRUE(result.measurements.empty());
    EXPECT_EQ(result.fatal, "no CUDA device: none");
    EXPECT_EQ(workers.count(), 1) << "it is not waited for";
}

TEST(Supervisor, GivesUpWhenEveryShapeKills) {
    const WorkFunction fragile = [](const WorkOrder& order, const Emit& emit) {
        emit("begin\t" + std::to_string(order.first));
        std::abort();
    };
    const RunResult result = supervise(order_of(20), fragile, {.restarts = 3, .deaths = 100}, kIgnore);
    ASSERT_EQ(result.measurements.size(), 20U);
    EXPECT_EQ(result.measurements[3].outcome, Outcome::died);
    EXPECT_EQ(result.measurements[4].outcome, Outcome::skipped);
    EXPECT_EQ(result.fatal, "gave up after 4 lost workers");
}

TEST(Options, NameTheArgumentThatIsWrong) {
    const auto message = [](const std::vector<std::string>& arguments) -> std::string {
        try {
            parse_options(arguments);
            return "accepted";
        } catch (const std::invalid_argument& e) {
            return e.what();
        }
    };
    EXPECT_EQ(message({"--al"}), "unknown argument '--al'; see kref --help");
    EXPECT_EQ(message({"--all", "--mode", "warm"}), "--mode: 'warm'; expected cold, hot or sustained");
    EXPECT_EQ(message({"--all", "--budget-s", "-3"}), "--budget-s: '-3'; expected seconds above zero");
    EXPECT_EQ(message({"--all", "--json"}), "--json: ends the line; expected a value");
    EXPECT_EQ(message({"--all", "--check"}),
              "more than one of --list, --check, --run and --all; expected one");
    EXPECT_EQ(message({"--json", "x"}), "nothing to do; expected --list, --check, --run or --all");
    EXPECT_EQ(message({"--run", "gemm-*", "--sm-limit", "112"}), "accepted");
}
