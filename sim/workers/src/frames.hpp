// SPDX-License-Identifier: Apache-2.0
// Texts on a stream of bytes: a length, then so many bytes.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace chokepoint::sim {

/// @return false if the other end is closed
bool send_frame(int socket, std::string_view text);
/// Waits for a whole text. @return nothing if the other end is closed
std::optional<std::string> receive_frame(int socket);
/// Takes the first whole text off a buffer.
std::optional<std::string> take_frame(std::string& buffer);

} // namespace chokepoint::sim
