// SPDX-License-Identifier: Apache-2.0
// Profiles for tests: the one that is in the repository, and files that a test writes.
#pragma once

#include <chokepoint/sim/profile.hpp>

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

namespace chokepoint::test {

inline std::filesystem::path small_profile() {
    return std::filesystem::path(CHOKEPOINT_SOURCE_DIR) / "tests/data/kineto/small.json";
}

inline std::string text_of(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// A file that is gone when the test ends.
class ProfileFile {
public:
    explicit ProfileFile(std::string_view text) {
        std::string name = (std::filesystem::temp_directory_path() / "profile-XXXXXX").string();
        const int descriptor = ::mkstemp(name.data());
        if (descriptor < 0) {
            throw std::runtime_error("cannot make a temporary file");
        }
        ::close(descriptor);
        path_ = name;
        write(text);
    }
    ~ProfileFile() { std::filesystem::remove(path_); }
    ProfileFile(const ProfileFile&) = delete;
    ProfileFile& operator=(const ProfileFile&) = delete;

    void write(std::string_view text) const { std::ofstream(path_, std::ios::binary) << text; }
    /// In place: a file system may flush each file that is written anew.
    void put(std::size_t at, char byte) const {
        std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
        file.seekp(static_cast<std::streamoff>(at));
        file.put(byte);
    }
    void cut(std::size_t size) const { std::filesystem::resize_file(path_, size); }
    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

private:
    std::filesystem::path path_;
};

/// Reads a profile from text.
inline sim::Profile profile_of(std::string_view text, const sim::ProfileOptions& options = {}) {
    const ProfileFile file(text);
    sim::Profile profile = sim::read_profile(file.path(), options);
    profile.file.clear();
    return profile;
}

/// One kernel on a stream, in microseconds.
inline std::string kernel_event(std::string_view name, double start, double duration, int stream,
                                int device = 0) {
    return fmt::format(R"({{"ph":"X","cat":"kernel","name":"{}","pid":{},"tid":{},"ts":{:.3f},"dur":{:.3f},)"
                       R"("args":{{"device":{},"stream":{}}}}})",
                       name, device, stream, start, duration, device, stream);
}

} // namespace chokepoint::test
