// Found by: does not compile by itself
#pragma once

inline std::uint32_t twice(std::uint32_t n) { return n * 2; }
