// Writes long recordings in Shepherd's format, for the benchmarks and for tests of memory.
#pragma once

#include <cstdint>
#include <string>

namespace brownout::bench {

// `seconds` of power at 100 kHz, about 100 uW to 3 mW, never twice the same in a row; in chunks of 10,000
// samples, compressed as Shepherd does it. Throws std::runtime_error if the file cannot be written.
void write_recording(const std::string& path, std::uint32_t seconds);

}  // namespace brownout::bench
