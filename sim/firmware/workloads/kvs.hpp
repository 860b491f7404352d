// Workload `kvs`: the published key-value store, all writes.
#pragma once

#include <cstdint>

#include "sim/firmware/directory.hpp"
#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"
#include "sim/firmware/workloads/kvs_keys.hpp"

namespace brownout::sim::firmware {

class KvsWorkload {
 public:
  KvsWorkload(ObjectMemory& heap, Port& port, const KvsOptions& options)
      : heap_(heap),
        port_(port),
        options_(options),
        directory_(heap, port, heap::root_name("kvs"), options.objects()),
        keys_(options),
        values_(Xoshiro128::from_bytes(kKvsDataSeed)) {}

  void run() {
    const std::uint32_t objects = options_.objects();
    for (std::uint32_t key = 0; key < objects; ++key) sizes_[key] = options_.sizes[keys_.next_class()];
    const auto shape_of = [this](std::uint32_t key) { return ObjectShape{sizes_[key]}; };
    const heap::Status recovered = directory_.recover(objects_, objects, shape_of);
    if (!recovered.ok()) return port_.give_up(recovered.error(), "find the objects again");
    for (std::uint32_t key = 0; key < objects; ++key) {
      if (!objects_[key].valid() && !insert(key)) return;
    }
    if (const heap::Status status = heap_.flush(); !status.ok()) {
      static_cast<void>(port_.failed(status.error(), "flush"));
      return;
    }
    for (std::uint32_t i = 0; i < options_.iterations; ++i) {
      // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): there is at least one
      if (!overwrite(keys_.next_key(i) % objects)) return;
      port_.charge(heap::Work::compute_cycle, options_.compute_cycles);
      port_.operation_done();
    }
  }

 private:
  bool insert(std::uint32_t key) {
    heap::Result<heap::Buffer> made = heap_.make_buffer(sizes_[key]);
    if (!made.ok()) return port_.failed(made.error(), "insert an object");
    objects_[key] = made.take();
    if (!overwrite(key)) return false;
    const heap::Status entered = directory_.enter(key, objects_[key]);
    return entered.ok() || port_.failed(entered.error(), "enter an object");
  }

  // The low byte of one data draw, repeated.
  bool overwrite(std::uint32_t key) {
    const auto value = static_cast<std::byte>(values_.next() & 0xFFU);
    auto result = heap_.write(objects_[key]);
    if (!result.ok()) return port_.failed(result.error(), "overwrite an object");
    const auto ref = result.take();
    for (std::uint32_t j = 0; j < ref.size(); ++j) ref.data()[j] = value;
    port_.charge(heap::Work::copied_byte, ref.size());
    return true;
  }

  ObjectMemory& heap_;
  Port& port_;
  KvsOptions options_;
  Directory directory_;
  KvsKeySequence keys_;
  Xoshiro128 values_;
  std::uint32_t sizes_[kKvsObjects] = {};
  heap::Buffer objects_[kKvsObjects];
};

}  // namespace brownout::sim::firmware
