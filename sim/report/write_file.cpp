#include "sim/report/write_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kBufferBytes = 64 * 1024;

bool is_special(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
}

}  // namespace

void check_output_path(const std::string& flag, const std::string& path) {
  namespace fs = std::filesystem;
  std::error_code ignored;
  const Location where{flag + " " + path, 0, 0};
  if (path.empty()) throw InputError(where, "needs a file name");
  if (fs::is_directory(path, ignored)) throw InputError(where, "is a directory, needs a file");
  const fs::path folder = fs::path(path).parent_path();
  if (!folder.empty() && !fs::is_directory(folder, ignored)) {
    throw InputError(where, fmt::format("folder {} does not exist", folder.string()));
  }
}

OutputFile::OutputFile(std::string path)
    : path_(std::move(path)), temporary_(path_), special_(is_special(path_)) {
  if (!special_) temporary_ += ".XXXXXX";
  file_ = special_ ? ::open(path_.c_str(), O_WRONLY) : ::mkstemp(temporary_.data());
  if (file_ < 0)
    throw EnvironmentError(fmt::format("cannot create {}: {}", temporary_, std::strerror(errno)));
}

OutputFile::~OutputFile() {
  if (file_ < 0) return;
  ::close(file_);
  if (!special_) ::unlink(temporary_.c_str());
}

void OutputFile::append(std::string_view text) {
  if (!failure_.empty()) return;
  buffer_ += text;
  if (buffer_.size() >= kBufferBytes) flush();
}

void OutputFile::flush() {
  std::string_view left = buffer_;
  while (!left.empty() && failure_.empty()) {
    const ssize_t written = ::write(file_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      fail("write", temporary_);
    } else {
      left.remove_prefix(static_cast<std::size_t>(written));
    }
  }
  buffer_.clear();
}

void OutputFile::finish() {
  flush();
  if (!special_ && failure_.empty()) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    if (::fchmod(file_, 0666 & ~mask) != 0) fail("set the mode of", temporary_);
    if (::fsync(file_) != 0) fail("flush", temporary_);
  }
  const int file = file_;
  file_ = -1;
  if (::close(file) != 0) fail("close", temporary_);
  if (!special_ && failure_.empty() && ::rename(temporary_.c_str(), path_.c_str()) != 0)
    fail("rename to", path_);
  if (failure_.empty()) return;
  if (!special_) ::unlink(temporary_.c_str());
  throw EnvironmentError(failure_);
}

// The first thing that went wrong counts.
void OutputFile::fail(const char* doing, const std::string& path) {
  const int error = errno;
  if (failure_.empty()) failure_ = fmt::format("cannot {} {}: {}", doing, path, std::strerror(error));
}

void write_file(const std::string& path, std::string_view text) {
  OutputFile file(path);
  file.append(text);
  file.finish();
}

}  // namespace brownout::sim
