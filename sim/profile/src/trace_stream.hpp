// SPDX-License-Identifier: Apache-2.0
// A file's text, unpacked while it is read, that refuses what would make a parser hoard memory.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <streambuf>
#include <string>

struct gzFile_s;

namespace chokepoint::sim {

/// Plain text and gzip alike. No token may be longer than kLongestToken.
class TraceStream : public std::streambuf {
public:
    static constexpr std::int64_t kLongestToken = std::int64_t{1} << 20;

    /// @throws std::runtime_error naming the file and the reason.
    explicit TraceStream(const std::filesystem::path&);

    /// Bytes of unpacked text that were handed out.
    [[nodiscard]] std::int64_t position() const;

protected:
    /// @throws ProfileError where the packed data are damaged or end early, and at a token that is too long.
    int_type underflow() override;

private:
    void check_tokens(const char* begin, const char* end);

    struct Close {
        void operator()(gzFile_s*) const;
    };
    std::string name_;
    std::unique_ptr<gzFile_s, Close> file_;
    std::array<char, std::size_t{1} << 16> block_{};
    std::int64_t before_block_ = 0;
    std::int64_t token_length_ = 0;
    bool in_text_ = false;
    bool escaped_ = false;
};

} // namespace chokepoint::sim
