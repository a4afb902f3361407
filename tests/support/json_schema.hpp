// SPDX-License-Identifier: Apache-2.0
// Whether a JSON document is what its schema says.
#pragma once

#include <string>

namespace chokepoint::test {

/// Every violation of the (draft-07) schema as a line "place: what is wrong"; empty if the document fits.
/// @throws std::exception if either text is not JSON.
std::string schema_violations(const std::string& schema_text, const std::string& document_text);

/// The same with docs/schema/`name`.schema.json.
std::string published_schema_violations(const std::string& name, const std::string& document_text);

} // namespace chokepoint::test
