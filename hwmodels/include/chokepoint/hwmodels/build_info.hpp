// SPDX-License-Identifier: Apache-2.0
// What was built, from which commit, and where its data lies: so that a result can name the program that made
// it.
#pragma once

#include <string_view>

namespace chokepoint::hw {

/// "0.1.0"
std::string_view version();

/// Abbreviated commit, with "-dirty" if tracked files were changed; "unknown" if it was not built from a git
/// clone.
std::string_view commit();

/// Data folder of the build tree, linking to the source tree it was built from. Holds catalog/,
/// measurements/, fits/, models/, scenarios/ and schema/. It may have gone since.
std::string_view source_data_directory();

/// The same layout where `cmake --install` puts it under the prefix known when configuring.
std::string_view installed_data_directory();

} // namespace chokepoint::hw
