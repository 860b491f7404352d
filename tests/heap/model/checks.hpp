// Rules that hold between any two operations, checked from outside: RAM and store are decoded here once more,
// and compared with the model.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "counters.hpp"
#include "model.hpp"

namespace brownout::heap::testing::model {

// What an operation needs, to judge whether its error is a good one.
struct Attempt {
  std::optional<Error> must;           // the only good answer
  bool must_fail = false;              // `borrowed`, or whatever comes before that
  std::uint32_t block_granules = 0;    // of the largest object that is brought in, 0: none is
  std::uint32_t home_bytes = 0;        // the place in the store that is looked for, 0: none is
  std::uint32_t extra_bytes = 0;       // the most that an image grows by at a time, 0: it does not grow
  std::vector<std::uint32_t> targets;  // homes of what the operation itself may have borrowed
};

class Checker {
 public:
  Checker(HeapUnderTest& heap, const Model& model) : heap_(heap), model_(model) {}

  // Sizes, worked out here once more.
  [[nodiscard]] std::uint32_t block_granules(std::uint32_t size_bytes, bool partial);
  [[nodiscard]] std::uint32_t home_bytes(std::uint32_t size_bytes, bool partial);
  // Bytes of an image without slots and data.
  [[nodiscard]] std::uint32_t empty_image_bytes();
  // What writing to [first, first + count) of an object adds to an image at most.
  [[nodiscard]] std::uint32_t dirty_cost(const ModelObject& object, std::uint32_t first, std::uint32_t count);

  // Everything. Notes in the objects what it saw.
  void check_all();
  // The error of an operation that is just over.
  void judge(Error error, const Attempt& attempt, bool fault_fired, bool struck);
  // RAM as it was before an outage, as far as it means anything.
  void compare_restored(const std::vector<std::byte>& before);

  // Reads control block and slots.
  const std::vector<SlotView>& decode();

 private:
  struct Run {  // in granules, or in units
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
    bool is_free = false;
  };

  void check_slots();
  void check_object(const SlotView& slot, const ModelObject& object);
  void check_data(const SlotView& slot, const ModelObject& object);
  void check_ram();
  void check_free_runs(const std::vector<Run>& free_runs);
  void check_chains();
  void check_image();
  void check_records();
  void check_stored();
  void check_table();
  void check_held();

  void no_room_in_ram(const Attempt& attempt);
  void no_slot(const Attempt& attempt);
  void no_room_in_image(const Attempt& attempt);
  void no_place_in_store(const Attempt& attempt);

  [[nodiscard]] static bool is_target(const Attempt& attempt, const SlotView& slot);
  [[nodiscard]] std::uint32_t rounded_block(std::uint32_t granules);
  [[nodiscard]] std::uint32_t home_units(std::uint32_t bytes);
  [[nodiscard]] std::uint32_t run_units(std::uint8_t code) const;
  [[nodiscard]] std::uint8_t table_byte(std::uint32_t index);
  [[nodiscard]] std::vector<Run> free_runs();
  [[nodiscard]] std::vector<Run> table_runs();
  [[nodiscard]] bool listed(const SlotView& slot) const;
  [[nodiscard]] std::uint32_t dirty_bytes(const SlotView& slot);
  [[nodiscard]] std::uint32_t recount();
  // Pieces that are dirty of a partially dirty object.
  [[nodiscard]] std::uint32_t dirty_runs(const SlotView& slot);
  // Of a partially dirty object's block.
  [[nodiscard]] bool block_is_dirty(const SlotView& slot, std::uint32_t data_granules, std::uint32_t block);

  HeapUnderTest& heap_;
  const Model& model_;
  std::vector<SlotView> slots_;
  Control control_;
};

}  // namespace brownout::heap::testing::model
