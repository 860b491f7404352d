#include "known_accesses.hpp"

#include <atomic>
#include <cstdint>
#include <cstring>

namespace brownout::sim::firmware {
namespace {

struct Words2 {
  std::uint32_t word[2];
};
struct Words4 {
  std::uint64_t word[2];
};
struct Words6 {
  std::uint32_t word[6];
};
struct Words10 {
  std::uint64_t word[5];
};
struct Bits {
  std::uint8_t low : 3;
  std::uint8_t high : 5;
  std::uint8_t whole : 8;
};
struct [[gnu::packed]] Shifted {
  std::uint8_t byte;
  std::uint32_t word;
};

template <class T>
T& at(unsigned char* memory, std::size_t offset) {
  return *reinterpret_cast<T*>(memory + offset);
}

std::uint32_t sink;

[[gnu::noinline]] Words2 two_words(std::uint32_t n) { return {{n, n + 1}}; }

constexpr KnownAccesses kKnown[] = {
    {"load", [](unsigned char* m) { sink = at<std::uint32_t>(m, 0); }, "r0:4"},
    {"store", [](unsigned char* m) { at<std::uint32_t>(m, 4) = 7; }, "w4:4"},
    {"read before write", [](unsigned char* m) { at<std::uint32_t>(m, 8) += 7; }, "r8:4 w8:4"},
    {"bytes side by side",
     [](unsigned char* m) {
       m[0] = 21;
       m[1] = 22;
       m[2] = 23;
       m[3] = 24;
     },
     "w0:1 w1:1 w2:1 w3:1"},
    {"loop of words",
     [](unsigned char* m) {
       for (std::size_t i = 0; i < 4; ++i) at<std::uint32_t>(m, 4 * i) = 9;
     },
     "w0:4 w4:4 w8:4 w12:4"},
    {"memcpy of 24 bytes", [](unsigned char* m) { std::memcpy(m, m + 64, 24); },
     "r64:4 w0:4 r68:4 w4:4 r72:4 w8:4 r76:4 w12:4 r80:4 w16:4 r84:4 w20:4"},
    {"built-in memcpy", [](unsigned char* m) { __builtin_memcpy(m, m + 64, 8); }, "r64:4 w0:4 r68:4 w4:4"},
    {"memcpy that is not aligned", [](unsigned char* m) { std::memcpy(m + 1, m + 64, 5); },
     "r64:1 w1:1 r65:1 w2:1 r66:1 w3:1 r67:1 w4:1 r68:1 w5:1"},
    {"memmove up", [](unsigned char* m) { std::memmove(m + 1, m, 3); }, "r2:1 w3:1 r1:1 w2:1 r0:1 w1:1"},
    {"memset of 10 bytes", [](unsigned char* m) { std::memset(m, 3, 10); }, "w0:4 w4:4 w8:1 w9:1"},
    {"memcmp", [](unsigned char* m) { sink = std::memcmp(m, m, 2) == 0 ? 1 : 0; }, "r0:1 r0:1 r1:1 r1:1"},
    {"copy of 24 bytes", [](unsigned char* m) { at<Words6>(m, 0) = at<Words6>(m, 64); }, "*", 0, 24},
    {"copy of 16 bytes", [](unsigned char* m) { at<Words4>(m, 8) = at<Words4>(m, 64); }, "*", 8, 16},
    {"clearing of 40 bytes", [](unsigned char* m) { at<Words10>(m, 64) = Words10{}; }, "*", 64, 40},
    {"result of a function", [](unsigned char* m) { at<Words2>(m, 0) = two_words(7); }, "*", 0, 8, true},
    {"bits of a byte", [](unsigned char* m) { at<Bits>(m, 0).low = 5; }, "*", 0, 1},
    {"a byte of bits", [](unsigned char* m) { at<Bits>(m, 0).whole = 77; }, "*", 1, 1},
    {"word that is not aligned", [](unsigned char* m) { at<Shifted>(m, 0).word += 3; }, "r1:4 w1:4"},
    {"volatile",
     [](unsigned char* m) {
       auto& word = at<volatile std::uint32_t>(m, 4);
       word = word + 1;
       sink = word;
     },
     "r4:4 w4:4 r4:4"},
    {"atomic",
     [](unsigned char* m) {
       auto& word = at<std::atomic<std::uint32_t>>(m, 16);
       word.store(5);
       sink = word.fetch_add(3);
       sink += word.load();
       std::uint32_t expected = 8;
       if (word.compare_exchange_strong(expected, 11)) sink += word.exchange(12);
     },
     "w16:4 w16:4 r16:4 w16:4 w16:4"},
    {"atomic bytes", [](unsigned char* m) { at<std::atomic<std::uint8_t>>(m, 3).fetch_or(0x40); }, "w3:1"},
};

}  // namespace

std::span<const KnownAccesses> known_accesses() { return kKnown; }

}  // namespace brownout::sim::firmware
