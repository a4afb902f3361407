// SPDX-License-Identifier: Apache-2.0
// Texts on a socket between two processes of one machine.
#include "frames.hpp"

#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/socket.h>
#include <unistd.h>

namespace chokepoint::sim {
namespace {

bool send_all(int socket, const char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t sent = ::send(socket, bytes, count, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        count -= static_cast<std::size_t>(sent);
    }
    return true;
}

bool receive_all(int socket, char* bytes, std::size_t count) {
    while (count > 0) {
        const ssize_t got = ::read(socket, bytes, count);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return false;
        }
        bytes += got;
        count -= static_cast<std::size_t>(got);
    }
    return true;
}

} // namespace

bool send_frame(int socket, std::string_view text) {
    const std::uint64_t length = text.size();
    char head[sizeof length];
    std::memcpy(head, &length, sizeof length);
    return send_all(socket, head, sizeof head) && send_all(socket, text.data(), text.size());
}

std::optional<std::string> receive_frame(int socket) {
    std::uint64_t length = 0;
    char head[sizeof length];
    if (!receive_all(socket, head, sizeof head)) {
        return std::nullopt;
    }
    std::memcpy(&length, head, sizeof length);
    std::string text(length, '\0');
    return receive_all(socket, text.data(), text.size()) ? std::optional(std::move(text)) : std::nullopt;
}

std::optional<std::string> take_frame(std::string& buffer) {
    std::uint64_t length = 0;
    if (buffer.size() < sizeof length) {
        return std::nullopt;
    }
    std::memcpy(&length, buffer.data(), sizeof length);
    if (buffer.size() < sizeof length + length) {
        return std::nullopt;
    }
    std::string text = buffer.substr(sizeof length, length);
    buffer.erase(0, sizeof length + length);
    return text;
}

} // namespace chokepoint::sim
