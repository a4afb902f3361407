// SPDX-License-Identifier: Apache-2.0
// The built program: its list, its behaviour without a GPU, and the machine code inside.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <sys/wait.h>

namespace {

struct Finished {
    int status = -1;
    std::string out;
};

Finished run(const std::string& arguments) {
    const std::string command = std::string(KREF_PROGRAM) + " " + arguments + " 2>&1";
    Finished result;
    FILE* pipe = popen(command.c_str(), "r");
    char piece[4096];
    while (const std::size_t count = fread(piece, 1, sizeof piece, pipe)) {
        result.out.append(piece, count);
    }
    result.status = WEXITSTATUS(pclose(pipe));
    return result;
}

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

template <class T> T at(const std::string& bytes, std::size_t offset) {
    T value{};
    if (offset + sizeof value <= bytes.size()) {
        std::memcpy(&value, bytes.data() + offset, sizeof value);
    }
    return value;
}

// Low twelve bits of an instruction's first word on compute capability 9.0, found by compiling kernels that
// differ in one instruction.
constexpr std::uint64_t kTensorFp8 = 0x9f3;  // QGMMA
constexpr std::uint64_t kTensorCopy = 0x5b4; // UTMALDG
constexpr std::uint64_t kLocalLoad = 0x983;  // LDL
constexpr std::uint64_t kLocalStore = 0x387; // STL

using Histogram = std::map<std::uint64_t, int>;

struct MachineCode {
    Histogram instructions;
    std::uint32_t registers = 0; ///< of a thread
};

/// Registers by symbol: attribute 0x2f of a section .nv.info, pairs of symbol and count (seen by compiling
/// with ptxas -v).
std::map<std::uint32_t, std::uint32_t> register_counts(const std::string& program, std::size_t at_byte,
                                                       std::size_t size) {
    constexpr unsigned char kRegisterCount = 0x2f;
    constexpr unsigned char kSized = 4; // the value's length follows
    std::map<std::uint32_t, std::uint32_t> counts;
    for (std::size_t offset = at_byte; offset + 4 <= at_byte + size;) {
        const auto form = at<unsigned char>(program, offset);
        const auto attribute = at<unsigned char>(program, offset + 1);
        const auto length = at<std::uint16_t>(program, offset + 2);
        if (form == kSized && attribute == kRegisterCount) {
            counts[at<std::uint32_t>(program, offset + 4)] = at<std::uint32_t>(program, offset + 8);
        }
        offset += 4 + (form == kSized ? length : 0U);
    }
    return counts;
}

/// Every kernel in the device code (ELF machine 190) that a program embeds, by mangled name.
std::map<std::string, MachineCode> kernels_in(const std::string& program) {
    std::map<std::string, MachineCode> kernels;
    for (std::size_t start = program.find("\x7f"
                                          "ELF",
                                          1);
         start != std::string::npos; start = program.find("\x7f"
                                                          "ELF",
                                                          start + 4)) {
        if (at<std::uint16_t>(program, start + 18) != 190) {
            continue;
        }
        const auto sections = start + at<std::uint64_t>(program, start + 0x28);
        const auto count = at<std::uint16_t>(program, start + 0x3c);
        const auto names_index = at<std::uint16_t>(program, start + 0x3e);
        const auto names = start + at<std::uint64_t>(program, sections + 64UL * names_index + 24);
        std::map<std::uint32_t, std::uint32_t> registers;
        std::map<std::string, std::uint32_t> symbols;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t header = sections + 64 * i;
            const std::string name = program.c_str() + names + at<std::uint32_t>(program, header);
            const auto code = start + at<std::uint64_t>(program, header + 24);
            const auto size = at<std::uint64_t>(program, header + 32);
            if (name == ".nv.info") {
                registers = register_counts(program, code, size);
            }
            if (!name.starts_with(".text.")) {
                continue;
            }
            symbols[name.substr(6)] = at<std::uint32_t>(program, header + 44);
            Histogram& histogram = kernels[name.substr(6)].instructions;
            for (std::size_t offset = 0; offset + 16 <= size; offset += 16) {
                ++histogram[at<std::uint64_t>(program, code + offset) & 0xfff];
            }
        }
        for (const auto& [name, symbol] : symbols) {
            kernels[name].registers = registers.contains(symbol) ? registers.at(symbol) : 0;
        }
    }
    return kernels;
}

bool has_gpu() { return run("--check --filter ceiling-memcpy --budget-s 20").status != 77; }

} // namespace

TEST(Kref, ListsWhatTheGoldenFileLists) {
    const std::string path = std::string(CHOKEPOINT_SOURCE_DIR) + "/tests/kernels_ref/golden/list.txt";
    const Finished list = run("--list");
    EXPECT_EQ(list.status, 0);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::ofstream(path) << list.out;
    }
    EXPECT_EQ(list.out, read_file(path));
}

TEST(Kref, SaysWhatItExpectsOfItsArguments) {
    const Finished bad = run("--mode hot");
    EXPECT_EQ(bad.status, 2);
    EXPECT_EQ(bad.out, "kref: nothing to do; expected --list, --check, --run or --all\n");
    EXPECT_EQ(run("--check --filter no-such-kernel").status, 2);
}

TEST(Kref, AFileThatCannotBeWrittenIsRefusedBeforeAnythingRuns) {
    const Finished all = run("--all --json /no/such/folder/out.json");
    EXPECT_EQ(all.status, 2);
    EXPECT_EQ(all.out, "kref: --json: cannot write '/no/such/folder/out.json'\n");
}

TEST(Kref, WithoutAGpuItSaysSoAndWritesNothing) {
    if (has_gpu()) {
        GTEST_SKIP() << "this machine has a GPU";
    }
    const std::string path = testing::TempDir() + "kref_without_gpu.json";
    std::remove(path.c_str());
    const Finished all = run("--all --json " + path);
    EXPECT_EQ(all.status, 77);
    EXPECT_NE(all.out.find("no CUDA device"), std::string::npos) << all.out;
    EXPECT_FALSE(std::ifstream(path).good());
}

TEST(MachineCode, TheFp8GemmUsesTheTensorUnitAndTheCopyEngine) {
    int found = 0;
    for (const auto& [name, machine_code] : kernels_in(read_file(KREF_PROGRAM))) {
        if (name.find("8multiplyILi") == std::string::npos) {
            continue;
        }
        ++found;
        const Histogram& histogram = machine_code.instructions;
        const auto count = [&](std::uint64_t code) {
            return histogram.contains(code) ? histogram.at(code) : 0;
        };
        EXPECT_GE(count(kTensorFp8), 4) << name;
        EXPECT_GE(count(kTensorCopy), 2) << name;
        // A warpgroup that asks for more registers than its block started with waits for ever.
        EXPECT_GE(machine_code.registers * 384, 128 * 24 + 256 * 240U) << name;
    }
    EXPECT_EQ(found, 3) << "expected tiles of 128 and of 256 rows, and weight gradients";
}

TEST(MachineCode, StreamingKernelsKeepTheirValuesInRegisters) {
    int kernels = 0;
    for (const auto& [name, machine_code] : kernels_in(read_file(KREF_PROGRAM))) {
        const Histogram& histogram = machine_code.instructions;
        if (name.find("8multiplyILi") != std::string::npos || name.find("kref") == std::string::npos) {
            continue;
        }
        ++kernels;
        EXPECT_FALSE(histogram.contains(kLocalLoad) || histogram.contains(kLocalStore)) << name;
    }
    EXPECT_GT(kernels, 20);
}
