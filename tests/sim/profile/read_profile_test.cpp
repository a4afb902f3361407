// SPDX-License-Identifier: Apache-2.0
// A trace is read whole or refused with a reason, whatever its bytes are.
#include "profile_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include <algorithm>
#include <random>

using namespace chokepoint;
using chokepoint::test::kernel_event;
using chokepoint::test::profile_of;
using chokepoint::test::ProfileFile;
using chokepoint::test::small_profile;
using chokepoint::test::text_of;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

std::string packed(const std::string& text) {
    const ProfileFile file("");
    const gzFile out = gzopen(file.path().c_str(), "wb");
    gzwrite(out, text.data(), static_cast<unsigned>(text.size()));
    gzclose(out);
    return text_of(file.path());
}

std::string fault_of(std::string_view text, const sim::ProfileOptions& options = {}) {
    try {
        profile_of(text, options);
    } catch (const sim::ProfileError& error) {
        return error.what();
    }
    return {};
}

std::string segment_of(const sim::Profile& profile, std::size_t interval) {
    const auto segment = profile.intervals[interval].segment;
    return segment ? profile.segments[*segment] : "";
}

} // namespace

TEST(ReadProfile, KeepsNanosecondsDevicesAndRanks) {
    const sim::Profile profile = sim::read_profile(small_profile());
    EXPECT_EQ(profile.device, "NVIDIA H100 80GB HBM3");
    EXPECT_EQ(profile.rank, 2);
    EXPECT_EQ(profile.world_size, 8);
    EXPECT_EQ(profile.steps, 1);
    ASSERT_EQ(profile.intervals.size(), 8U);
    EXPECT_EQ(profile.intervals[2].start, std::chrono::nanoseconds(1'000'210'250));
    EXPECT_EQ(profile.intervals[2].end, std::chrono::nanoseconds(1'000'260'000));
}

TEST(ReadProfile, TimesBeyondTheDigitsOfADoubleKeepTheirNanoseconds) {
    const sim::Profile profile = profile_of(
        R"([{"ph":"X","cat":"kernel","name":"k","pid":0,"tid":7,"ts":1740461679471346.125,"dur":0.001}])");
    EXPECT_EQ(profile.intervals[0].start.count(), 1'740'461'679'471'346'125);
    EXPECT_EQ((profile.intervals[0].end - profile.intervals[0].start).count(), 1);
}

TEST(ReadProfile, AKernelBelongsToTheInnermostAnnotationAtItsLaunchOnAnyThread) {
    const sim::Profile profile = sim::read_profile(small_profile());
    std::vector<std::string> segments;
    for (std::size_t i = 0; i < profile.intervals.size(); ++i) {
        segments.push_back(segment_of(profile, i));
    }
    EXPECT_THAT(segments, ElementsAre("forward", "forward", "attention", "backward", "backward",
                                      "ProfilerStep", "", "ProfilerStep"));
}

TEST(ReadProfile, TheOrderOfEventsDoesNotMatter) {
    nlohmann::json trace = nlohmann::json::parse(text_of(small_profile()));
    std::vector<nlohmann::json> events = trace.at("traceEvents");
    ASSERT_GT(events.size(), 20U);
    const sim::Profile original = sim::read_profile(small_profile());
    std::mt19937 random(5);
    for (int round = 0; round < 20; ++round) {
        std::ranges::shuffle(events, random);
        trace["traceEvents"] = events;
        const sim::Profile profile = profile_of(trace.dump());
        ASSERT_EQ(profile.intervals.size(), original.intervals.size());
        for (std::size_t i = 0; i < original.intervals.size(); ++i) {
            EXPECT_EQ(profile.intervals[i].start, original.intervals[i].start);
            EXPECT_EQ(profile.kernels[profile.intervals[i].kernel],
                      original.kernels[original.intervals[i].kernel]);
            EXPECT_EQ(segment_of(profile, i), segment_of(original, i));
        }
    }
}

TEST(ReadProfile, GzipIsReadAsThePlainFile) {
    const sim::Profile plain = profile_of(text_of(small_profile()));
    const sim::Profile unpacked = profile_of(packed(text_of(small_profile())));
    EXPECT_EQ(unpacked.intervals, plain.intervals);
    EXPECT_EQ(unpacked.kernels, plain.kernels);
    EXPECT_EQ(unpacked.segments, plain.segments);
}

TEST(ReadProfile, EveryTruncationIsRefused) {
    std::string text = text_of(small_profile());
    text.erase(text.find_last_not_of('\n') + 1);
    const ProfileFile file(text);
    for (std::size_t size = text.size(); size-- > 0;) {
        file.cut(size);
        EXPECT_THROW(sim::read_profile(file.path()), sim::ProfileError) << size << " bytes";
    }
}

TEST(ReadProfile, EveryTruncationOfAPackedFileIsRefusedOrWhole) {
    const std::string text = packed(text_of(small_profile()));
    const std::size_t whole = sim::read_profile(small_profile()).intervals.size();
    const ProfileFile file(text);
    for (std::size_t size = text.size(); size-- > 0;) {
        file.cut(size);
        try {
            EXPECT_EQ(sim::read_profile(file.path()).intervals.size(), whole) << size << " bytes";
        } catch (const sim::ProfileError& error) {
            EXPECT_THAT(error.what(), HasSubstr("error: byte")) << size << " bytes";
        }
    }
}

TEST(ReadProfile, ADamagedByteIsRefusedOrGivesAProfile) {
    const std::string text = text_of(small_profile());
    const ProfileFile file(text);
    std::mt19937 random(7);
    for (int round = 0; round < 2000; ++round) {
        const std::size_t at = random() % text.size();
        file.put(at, static_cast<char>(random() % 256));
        try {
            EXPECT_FALSE(sim::read_profile(file.path()).intervals.empty());
        } catch (const sim::ProfileError& error) {
            EXPECT_THAT(error.what(), HasSubstr("error: "));
        }
        file.put(at, text[at]);
    }
}

TEST(ReadProfile, NamesEveryFaultOfTheEventsAndWhereItIs) {
    const std::string faults =
        fault_of(R"([{"ph":"X","cat":"kernel","name":"a","ts":1,"dur":-2,"pid":0,"tid":7},)"
                 R"({"ph":"X","cat":"kernel","name":"b","dur":2,"pid":0,"tid":7},)"
                 R"({"ph":"X","cat":"kernel","name":"c","ts":"x","dur":2,"pid":0,"tid":7},)"
                 R"({"ph":"X","cat":"kernel","name":"d","ts":1e30,"dur":2,"pid":0,"tid":7}])");
    EXPECT_THAT(faults, HasSubstr("'a': dur is -2; expected none below zero"));
    EXPECT_THAT(faults, HasSubstr("'b': without ts"));
    EXPECT_THAT(faults, HasSubstr("'c': ts is x; expected microseconds"));
    EXPECT_THAT(faults, HasSubstr("'d': ts is 1e30; expected microseconds"));
    EXPECT_THAT(faults, HasSubstr("error: byte 69:"));
}

TEST(ReadProfile, RefusesWhatIsNoProfile) {
    EXPECT_THAT(fault_of(""), HasSubstr("unexpected end of input"));
    EXPECT_THAT(fault_of("{}"), HasSubstr("no traceEvents"));
    EXPECT_THAT(fault_of("[]"), HasSubstr("no GPU ran anything in its 0 events"));
    EXPECT_THAT(fault_of(R"({"traceEvents": [1, null, "x"]})"), HasSubstr("no GPU ran anything"));
    EXPECT_THROW(sim::read_profile("no-such-file.json"), std::runtime_error);
    EXPECT_THROW(sim::read_profile(std::filesystem::temp_directory_path()), std::runtime_error);
}

TEST(ReadProfile, RefusesWhatWouldHoardMemory) {
    EXPECT_THAT(fault_of("[\"" + std::string(std::size_t{2} << 20, 'x')),
                HasSubstr("a name or number of more than"));
    EXPECT_THAT(fault_of("[" + std::string(std::size_t{2} << 20, '1')),
                HasSubstr("a name or number of more than"));
    EXPECT_THAT(fault_of(std::string(100'000, '[')), HasSubstr("nested deeper than 256 levels"));
}

TEST(ReadProfile, AskedForADeviceWhereThereAreSeveral) {
    const std::string text = "[" + kernel_event("a", 1, 2, 7, 0) + "," + kernel_event("b", 1, 2, 7, 3) + "]";
    EXPECT_THAT(fault_of(text), HasSubstr("kernels of devices 0, 3; name one with --device"));
    EXPECT_THAT(fault_of(text, {.device = 1}), HasSubstr("nothing ran on device 1; expected one of 0, 3"));
    const sim::Profile profile = profile_of(text, {.device = 3});
    ASSERT_EQ(profile.intervals.size(), 1U);
    EXPECT_EQ(profile.kernels[profile.intervals[0].kernel].name, "b");
}
