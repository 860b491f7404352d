// write_recording FILE SECONDS: a Shepherd recording of so many seconds at 100 kHz.
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "recording.hpp"

int main(int argc, char** argv) {
  std::uint32_t seconds = 0;
  const std::string_view text = argc == 3 ? argv[2] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds == 0 || seconds > 100'000) {
    std::fputs("usage: write_recording FILE SECONDS (1 to 100000)\n", stderr);
    return 2;
  }
  try {
    brownout::bench::write_recording(argv[1], seconds);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "write_recording: %s\n", failure.what());
    return 3;
  }
  return 0;
}
