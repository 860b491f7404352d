// Bad input from the user: where it was written, and the one line that says so.
#pragma once

#include <stdexcept>
#include <string>

namespace brownout::sim {

// Where a value was written. `file` is a path, or "--set path=value" for an override, which has no lines;
// line and column (in bytes) count from 1, and line 0 means that there is none to name.
struct Location {
  std::string file;
  int line = 0;
  int column = 0;
};

// What the user wrote is wrong: the program ends with one line "file:line:column: message" and exit
// code 2. The message names the value and what would be right. what() is that line; it never holds a line
// break, a control character or invalid UTF-8, whatever the input held: those are escaped.
class InputError : public std::runtime_error {
 public:
  InputError(const Location& where, const std::string& message);

  // The place, with `file` as given, not escaped.
  [[nodiscard]] const Location& where() const { return where_; }
  // The message alone, escaped.
  [[nodiscard]] const std::string& message() const { return message_; }

 private:
  Location where_;
  std::string message_;
};

}  // namespace brownout::sim
