// The published workloads, against their published check values.
#include "sim/firmware/workloads/kvs_keys.hpp"

#include <array>
#include <vector>

#include <gtest/gtest.h>

#include "sim/firmware/workloads/queue.hpp"

namespace brownout::sim::firmware {
namespace {

// CRC-32 (the one of zip) of little-endian words.
std::uint32_t crc32_of(const std::vector<std::uint32_t>& words) {
  std::uint32_t crc = 0xFFFF'FFFFU;
  for (const std::uint32_t word : words) {
    for (int shift = 0; shift < 32; shift += 8) {
      crc ^= (word >> shift) & 0xFFU;
      for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1U) != 0 ? 0xEDB8'8320U : 0U);
    }
  }
  return ~crc;
}

std::vector<std::uint32_t> sizes_of(KvsKeySequence& keys) {
  const KvsOptions options;
  std::vector<std::uint32_t> sizes;
  for (std::uint32_t i = 0; i < kKvsObjects; ++i) sizes.push_back(options.sizes[keys.next_class()]);
  return sizes;
}

std::vector<std::uint32_t> keys_of(KvsKeys distribution) {
  KvsOptions options;
  options.keys = distribution;
  KvsKeySequence keys(options);
  sizes_of(keys);
  std::vector<std::uint32_t> sequence;
  for (std::uint32_t i = 0; i < 10'000; ++i) sequence.push_back(keys.next_key(i));
  return sequence;
}

TEST(Kvs, GeneratorsStartAsPublished) {
  Xoshiro128 control = Xoshiro128::from_bytes(kKvsControlSeed);
  Xoshiro128 data = Xoshiro128::from_bytes(kKvsDataSeed);
  for (const std::uint32_t expected : {876307608U, 2519778496U, 3159088917U})
    EXPECT_EQ(control.next(), expected);
  for (const std::uint32_t expected : {3087719590U, 3446614124U}) EXPECT_EQ(data.next(), expected);
}

TEST(Kvs, SizesInInsertionOrder) {
  KvsKeySequence keys{KvsOptions{}};
  const std::vector<std::uint32_t> sizes = sizes_of(keys);
  std::uint32_t total = 0;
  for (const std::uint32_t size : sizes) total += size;
  EXPECT_EQ(total, 59'392U);
  EXPECT_EQ(crc32_of(sizes), 0x8f28d53aU);
}

TEST(Kvs, KeysOfEachDistribution) {
  EXPECT_EQ(crc32_of(keys_of(KvsKeys::random)), 0xe1e2081aU);
  EXPECT_EQ(crc32_of(keys_of(KvsKeys::sequential)), 0x26c0bcf2U);
  EXPECT_EQ(crc32_of(keys_of(KvsKeys::partitioned)), 0xff165dcdU);
  EXPECT_EQ(crc32_of(keys_of(KvsKeys::distributed)), 0xf580c8a7U);
  const auto first = [](KvsKeys distribution) {
    std::vector<std::uint32_t> keys = keys_of(distribution);
    keys.resize(4);
    return keys;
  };
  EXPECT_EQ(first(KvsKeys::random), (std::vector<std::uint32_t>{93, 153, 178, 231}));
  EXPECT_EQ(first(KvsKeys::partitioned), (std::vector<std::uint32_t>{217, 210, 215, 223}));
  EXPECT_EQ(first(KvsKeys::distributed), (std::vector<std::uint32_t>{127, 250, 148, 68}));
}

TEST(Queue, ItemBytesAreThePublishedFormula) {
  EXPECT_EQ(queue_item_byte(0, 0), std::byte{0});
  EXPECT_EQ(queue_item_byte(3, 5), static_cast<std::byte>((7001 * 5 + 301 * 3) % 17 + 3));
  EXPECT_EQ(queue_item_byte(10'031, 255),
            static_cast<std::byte>((7001 * 255 + 301 * 10'031) % 17 + 10'031 % 239));
}

}  // namespace
}  // namespace brownout::sim::firmware
