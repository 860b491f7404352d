// YAML text to nodes: the part of document.hpp that knows yaml-cpp.
#pragma once

#include <cstdint>
#include <string>

#include "sim/scenario/document.hpp"

namespace brownout::sim {

enum class YamlOrigin : std::uint8_t {
  file,      // places get lines and columns
  override,  // every place is Location{name, 0, 0}; collections in flow style only
};

// The one document of `text`, valid UTF-8 without NUL; a null node if there is none. O(n log n). Throws
// InputError for what is not YAML and for what document.hpp refuses.
Node parse_yaml(const std::string& text, const std::string& name, YamlOrigin origin);

}  // namespace brownout::sim
