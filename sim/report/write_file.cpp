#include "sim/report/write_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {
namespace {

[[noreturn]] void fail(const std::string& doing, const std::string& path, int error) {
  throw EnvironmentError(fmt::format("cannot {} {}: {}", doing, path, std::strerror(error)));
}

void write_all(int file, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
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

void write_file(const std::string& path, std::string_view text) {
  // A device or a pipe is written to as it is: there is nothing to keep whole.
  std::error_code ignored;
  const bool special =
      std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored);
  std::string temporary = special ? path : path + ".XXXXXX";
  const int file = special ? ::open(path.c_str(), O_WRONLY) : ::mkstemp(temporary.data());
  if (file < 0) fail("create", temporary, errno);
  try {
    write_all(file, text, temporary);
    if (!special) {
      const mode_t mask = ::umask(0);
      ::umask(mask);
      if (::fchmod(file, 0666 & ~mask) != 0) fail("set the mode of", temporary, errno);
      if (::fsync(file) != 0) fail("flush", temporary, errno);
    }
    if (::close(file) != 0) fail("close", temporary, errno);
    if (!special && ::rename(temporary.c_str(), path.c_str()) != 0) fail("rename to", path, errno);
  } catch (...) {
    if (!special) ::unlink(temporary.c_str());
    throw;
  }
}

}  // namespace brownout::sim
