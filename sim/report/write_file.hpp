// Files that are whole or not there.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace brownout::sim {

// The environment failed: disk full, no permission. Exit code 3.
class EnvironmentError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// Throws InputError if `path` cannot be an output file: a directory, or in no existing directory.
void check_output_path(const std::string& flag, const std::string& path);

// Writes `text` to a temporary file beside `path`, flushes it to the disk and renames it. Throws
// EnvironmentError; `path` is then as it was.
void write_file(const std::string& path, std::string_view text);

}  // namespace brownout::sim
