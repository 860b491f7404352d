// How a check of the model says that it failed.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace brownout::heap::testing::model {

// Model and heap disagree, or the heap broke a rule.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

template <class... Parts>
[[noreturn]] void fail(const Parts&... parts) {
  std::ostringstream text;
  (text << ... << parts);
  throw Failure(text.str());
}

// The text is put together only if it is needed.
template <class... Parts>
void require(bool holds, const Parts&... parts) {
  if (!holds) [[unlikely]]
    fail(parts...);
}

}  // namespace brownout::heap::testing::model
