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

// A file that is written piece by piece, to a temporary file beside `path` that is renamed once it is whole.
// A device or a pipe is written to as it is: there is nothing to keep whole.
class OutputFile {
 public:
  // Throws EnvironmentError if the temporary file cannot be created.
  explicit OutputFile(std::string path);
  // Removes the temporary file if it was not finished; `path` is then as it was.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Never throws: what goes wrong is kept for finish(), and nothing is written any more.
  void append(std::string_view text);
  // Flushes to the disk, and renames. Throws EnvironmentError.
  void finish();

 private:
  void flush();
  void fail(const char* doing, const std::string& path);

  std::string path_;
  std::string temporary_;
  bool special_;
  int file_ = -1;
  std::string buffer_;
  std::string failure_;
};

// Writes `text` to such a file. Throws EnvironmentError; `path` is then as it was.
void write_file(const std::string& path, std::string_view text);

}  // namespace brownout::sim
