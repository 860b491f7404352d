// The readers of traces, by the format that the first bytes say: described, or refused in one line.
#include <cstdio>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sim/scenario/input_error.hpp"
#include "sim/trace/describe_trace.hpp"
#include "target.hpp"

using namespace brownout;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const int file = memfd_create("trace", MFD_CLOEXEC);
  if (file < 0 || ::write(file, data, size) != static_cast<ssize_t>(size)) std::abort();
  sim::TraceConfig config;
  config.path = "/proc/self/fd/" + std::to_string(file);
  try {
    static_cast<void>(sim::describe_trace(config, {"trace", 0, 0}));
  } catch (const sim::InputError&) {
  }
  ::close(file);
  return 0;
}
