// The lines of a large text file, one after the other, in constant memory.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {

// No line of a trace is longer; whatever is, is not a trace.
inline constexpr std::size_t kMaxLineBytes = 65'536;

// Throws InputError at `named_at`, the place that names the file, if there is no such file, or it is not a
// regular one.
void check_trace_file(const std::string& path, const Location& named_at);

class LineReader {
 public:
  // Opens a file. Throws InputError at `named_at`, the place that names the file, if there is no such file,
  // it cannot be read, or is not a regular file (it is read more than once).
  LineReader(const std::string& path, const Location& named_at);

  // The next line without its end (LF or CRLF) and, for the first one, without a UTF-8 byte order mark;
  // nothing at the end of the file. The text is valid until the next call. Throws InputError at the line for
  // one that is longer than kMaxLineBytes, has a NUL byte in it, or cannot be read. Amortised O(length).
  std::optional<std::string_view> next();

  // Starts over at the first line.
  void rewind();

  // Of the line that next() gave last, from 1.
  [[nodiscard]] std::uint64_t line_number() const { return line_number_; }
  // The place of byte `offset` of that line.
  [[nodiscard]] Location location(std::size_t offset = 0) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Closer {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };

  // Moves what is left to the front of the buffer and fills the rest. False at the end of the file.
  bool fill();
  std::string_view finish(std::string_view line);

  std::string path_;
  std::unique_ptr<std::FILE, Closer> file_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  // of what has not been handed out
  std::size_t end_ = 0;    // of what has been read
  std::uint64_t line_number_ = 0;
  bool may_have_nul_ = false;
};

}  // namespace brownout::sim
