#include "sim/trace/line_reader.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <system_error>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 20;
static_assert(kBufferBytes >= 2 * kMaxLineBytes);
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

std::string reason(int error) { return std::generic_category().message(error); }

}  // namespace

void check_trace_file(const std::string& path, const Location& named_at) {
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    throw InputError(named_at, fmt::format("trace {}: there is no such file", in_quotes(path)));
  }
  if (status.type() == std::filesystem::file_type::directory) {
    throw InputError(named_at, fmt::format("trace {}: is a directory, not a file", in_quotes(path)));
  }
  if (error) throw InputError(named_at, fmt::format("trace {}: {}", in_quotes(path), error.message()));
  if (status.type() != std::filesystem::file_type::regular) {
    throw InputError(named_at, fmt::format("trace {}: is not a regular file; a trace is read more than once",
                                           in_quotes(path)));
  }
}

LineReader::LineReader(const std::string& path, const Location& named_at)
    : path_(path), buffer_(kBufferBytes) {
  check_trace_file(path, named_at);
  errno = 0;
  file_.reset(std::fopen(path.c_str(), "rb"));
  if (!file_)
    throw InputError(named_at, fmt::format("trace {}: cannot be read: {}", in_quotes(path), reason(errno)));
  // This class buffers on its own.
  static_cast<void>(std::setvbuf(file_.get(), nullptr, _IONBF, 0));
}

std::optional<std::string_view> LineReader::next() {
  std::size_t searched = begin_;
  while (true) {
    const void* found = searched == end_ ? nullptr : std::memchr(&buffer_[searched], '\n', end_ - searched);
    if (found != nullptr) {
      const char* start = &buffer_[begin_];
      const auto length = static_cast<std::size_t>(static_cast<const char*>(found) - start);
      begin_ += length + 1;
      return finish({start, length});
    }
    const std::size_t left = end_ - begin_;
    // However much of the line is still to come, finish() refuses it: a CR and a byte order mark are all that
    // it takes away.
    if (left > kMaxLineBytes + 1 + kByteOrderMark.size()) return finish({&buffer_[begin_], left});
    if (!fill()) {
      if (left == 0) return std::nullopt;
      const std::string_view last(&buffer_[begin_], left);
      begin_ = end_;
      return finish(last);
    }
    searched = begin_ + left;
  }
}

std::string_view LineReader::finish(std::string_view line) {
  ++line_number_;
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  if (line_number_ == 1 && line.starts_with(kByteOrderMark)) line.remove_prefix(kByteOrderMark.size());
  if (line.size() > kMaxLineBytes) {
    throw InputError(location(), fmt::format("a line longer than {} bytes; is this a trace?", kMaxLineBytes));
  }
  if (may_have_nul_) {
    if (const std::size_t nul = line.find('\0'); nul != std::string_view::npos) {
      throw InputError(location(nul), "a NUL byte; a trace is text");
    }
  }
  return line;
}

bool LineReader::fill() {
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  errno = 0;
  const std::size_t read = std::fread(buffer_.data() + end_, 1, buffer_.size() - end_, file_.get());
  if (std::ferror(file_.get()) != 0) {
    ++line_number_;
    throw InputError(location(), fmt::format("cannot read on from here: {}", reason(errno)));
  }
  may_have_nul_ = may_have_nul_ || std::memchr(buffer_.data() + end_, '\0', read) != nullptr;
  end_ += read;
  return read > 0;
}

void LineReader::rewind() {
  std::rewind(file_.get());
  begin_ = 0;
  end_ = 0;
  line_number_ = 0;
}

Location LineReader::location(std::size_t offset) const {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
  return {path_, static_cast<int>(std::min(line_number_, kLargest)), static_cast<int>(offset + 1)};
}

}  // namespace brownout::sim
