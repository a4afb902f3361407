// SPDX-License-Identifier: Apache-2.0
// zlib reads gzip and plain files through one interface.
#include "trace_stream.hpp"

#include <chokepoint/sim/profile.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <zlib.h>

namespace chokepoint::sim {

TraceStream::TraceStream(const std::filesystem::path& path) : name_(path.string()) {
    if (std::filesystem::is_directory(path)) { // which opens, and then reads as an empty file
        throw std::runtime_error(fmt::format("cannot read '{}': Is a directory", name_));
    }
    errno = 0;
    file_.reset(gzopen(name_.c_str(), "rb"));
    if (!file_) {
        throw std::runtime_error(
            fmt::format("cannot read '{}': {}", name_, std::strerror(errno != 0 ? errno : ENOMEM)));
    }
    setg(block_.data(), block_.data(), block_.data());
}

void TraceStream::Close::operator()(gzFile_s* file) const { gzclose(file); }

std::int64_t TraceStream::position() const { return before_block_ + (gptr() - eback()); }

TraceStream::int_type TraceStream::underflow() {
    before_block_ += egptr() - eback();
    setg(block_.data(), block_.data(), block_.data());
    const int got = gzread(file_.get(), block_.data(), static_cast<unsigned>(block_.size()));
    int code = Z_OK;
    const char* reason = gzerror(file_.get(), &code);
    if (got < 0 || code == Z_BUF_ERROR) { // the latter: the packed data stop within a block
        throw ProfileError(
            fmt::format("{}: error: byte {}: cannot unpack: {}", name_, before_block_, reason));
    }
    if (got == 0) {
        return traits_type::eof();
    }
    check_tokens(block_.data(), block_.data() + got);
    setg(block_.data(), block_.data(), block_.data() + got);
    return traits_type::to_int_type(block_.front());
}

void TraceStream::check_tokens(const char* begin, const char* end) {
    for (const char* at = begin; at != end; ++at) {
        const char c = *at;
        const bool ends_text = in_text_ && !escaped_ && c == '"';
        const bool ends_token = !in_text_ && std::strchr("{}[],:\"", c) != nullptr && c != '\0';
        escaped_ = in_text_ && !escaped_ && c == '\\';
        token_length_ = ends_text || ends_token ? 0 : token_length_ + 1;
        in_text_ = in_text_ ? !ends_text : c == '"';
        if (token_length_ > kLongestToken) {
            throw ProfileError(fmt::format("{}: error: byte {}: a name or number of more than {} bytes",
                                           name_, before_block_ + (at - begin), kLongestToken));
        }
    }
}

} // namespace chokepoint::sim
