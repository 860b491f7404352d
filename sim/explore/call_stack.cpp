#include "sim/explore/call_stack.hpp"

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string_view>

#include <dlfcn.h>
#include <fmt/format.h>
#include <unistd.h>

namespace brownout::sim::explore {
namespace {

struct Closer {
  void operator()(std::FILE* pipe) const { pclose(pipe); }
};

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return size > 0 ? std::string(path.data(), static_cast<std::size_t>(size)) : std::string();
}

// From the end of the path of a source file, where a house begins.
std::string_view inside_repository(std::string_view path) {
  for (const std::string_view house : {"/heap/", "/sim/firmware/"}) {
    const std::size_t at = path.rfind(house);
    if (at != std::string::npos) return path.substr(at + 1);
  }
  return {};
}

}  // namespace

std::vector<std::string> firmware_frames(const std::vector<const void*>& stack) {
  const std::string program = own_path();
  if (program.empty() || program.find('\'') != std::string::npos || stack.empty()) return {};
  std::string command = fmt::format("addr2line -C -f -i -e '{}'", program);
  for (const void* address : stack) {
    Dl_info info{};
    if (dladdr(address, &info) == 0 || info.dli_fbase == nullptr) continue;
    // The call, not what follows it.
    const auto offset =
        reinterpret_cast<std::uintptr_t>(address) - reinterpret_cast<std::uintptr_t>(info.dli_fbase);
    command += fmt::format(" {:#x}", offset - 1);
  }
  command += " 2>/dev/null";
  const std::unique_ptr<std::FILE, Closer> pipe(
      popen(command.c_str(), "r"));  // NOLINT(cert-env33-c): no input in it
  if (pipe == nullptr) return {};
  std::vector<std::string> frames;
  std::array<char, 4096> line{};
  std::string function;
  while (std::fgets(line.data(), static_cast<int>(line.size()), pipe.get()) != nullptr) {
    std::string_view text = line.data();
    while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
    if (function.empty()) {
      function = text;
      continue;
    }
    text = text.substr(0, text.find(" (discriminator"));
    if (const std::string_view place = inside_repository(text); !place.empty()) {
      // Without its arguments: names of templates are long enough.
      frames.push_back(fmt::format("{} at {}", function.substr(0, function.find('(')), place));
    }
    function.clear();
  }
  return frames;
}

}  // namespace brownout::sim::explore
