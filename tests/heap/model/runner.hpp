// Runs a sequence of operations on a heap and on its model.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <vector>

#include "checks.hpp"
#include "counters.hpp"
#include "model.hpp"
#include "operation.hpp"

namespace brownout::heap::testing::model {

class Runner {
 public:
  // `log`, if not nullptr, gets a line for each operation.
  Runner(const Combination& combination, const Setup& setup, Counters& counters, std::ostream* log = nullptr);

  // False if the sizes of the setup do not fit together.
  [[nodiscard]] bool possible() { return heap_->configuration() == Error::none; }
  // Throws Failure if heap and model disagree. done() is then the number of operations before the bad one.
  void run(std::span<const Op> ops);
  [[nodiscard]] std::size_t done() const { return done_; }

 private:
  // A state to come back to, after something that the program would not survive.
  struct Snapshot {
    std::vector<std::byte> ram;
    std::vector<std::byte> checkpoints;
    std::vector<std::byte> os;
  };

  // What a boot may bring back: RAM at a persist, and what was outside the checkpoints then.
  struct Image {
    std::vector<std::byte> ram;
    std::vector<std::byte> homes;
    std::uint32_t sequence = 0;
    [[nodiscard]] bool exists() const { return !ram.empty(); }
  };

  // Each kind of operation. False: there was nothing to work on.
  bool perform(const Op& op);
  bool make(const Op& op);
  bool free(const Op& op);
  bool read(const Op& op);
  bool write(const Op& op, bool whole);
  bool write_ends(const Op& op);
  bool hold(const Op& op, bool writer);
  bool hold_readers_to_limit(const Op& op);
  bool write_held(const Op& op);
  bool give_back(const Op& op);
  bool give_back_all();
  bool end_borrows(const Op& op);
  bool use_after_free(const Op& op);
  bool flush(const Op& op);
  bool unload(const Op& op);
  bool push(const Op& op);
  bool insert(const Op& op);
  bool remove(const Op& op);
  bool pop(const Op& op);
  bool iterate(const Op& op);
  bool walk(const Op& op);
  bool clear(const Op& op);
  bool outage(const Op& op);
  bool false_alarm(const Op& op);
  bool cut_persist(const Op& op);
  bool damaged_image(const Op& op);
  bool cold_boot(const Op& op);

  // Calls `call` with the outages and errors of the operation, judges its answer, and repeats it after an
  // error of the storage, as the operation says.
  template <class Call>
  Error execute(const Op& op, const Attempt& attempt, Call call);
  void note_fault(const Op& op);

  // A part of an object, in elements of an array or in bytes, and in bytes.
  struct Part {
    std::uint32_t first = 0;
    std::uint32_t count = 0;
    bool whole = true;
    bool within = true;
    std::uint32_t begin = 0;
    std::uint32_t end = 0;
  };
  static Part part_of(const ModelObject& object, const Op& op, bool whole);
  Error write_to(const Op& op, ModelObject& object, const Part& part);

  // What is to be expected.
  [[nodiscard]] Attempt to_make(ObjectKind kind, std::uint32_t size_bytes);
  [[nodiscard]] Attempt to_read(const ModelObject& object);
  [[nodiscard]] Attempt to_write(const ModelObject& object, std::uint32_t first, std::uint32_t count);
  void add_neighbour(Attempt& attempt, const ModelObject* node);
  void add_node(Attempt& attempt);
  [[nodiscard]] Attempt to_remove(std::uint32_t list, std::size_t at);

  void added(std::uint32_t list, std::size_t at, std::uint64_t value, std::uint32_t home);
  void removed(std::uint32_t list, std::size_t at);
  void link(std::uint32_t list);
  void check_lists();
  void check_mark();

  // The persist interrupt.
  void interrupt();
  void format();
  void persist();
  void persist_with(const ModelStore::Fault& fault);
  void die();
  void lose_power(const ModelStore::Fault& fault_in_restore);
  void note_outage();

  [[nodiscard]] Snapshot snapshot();
  void return_to(const Snapshot& snapshot);
  Error restore_from_nothing();
  [[nodiscard]] Image image_now();
  [[nodiscard]] std::span<const std::byte> homes() const;
  [[nodiscard]] bool homes_are_those_of(const Image& image) const;
  [[nodiscard]] std::uint32_t mark() const;
  [[nodiscard]] Error answer_to_a_part(const Control& before) const;
  [[nodiscard]] bool is_restored(const Image& image);
  // The answer of a restore if no image was begun since the last one.
  void expect_last_image(Error answer);
  void fill_os();

  // Checks everything and notes what happened since the last time.
  void check();
  void observe();
  [[nodiscard]] ModelObject* any_object(std::uint32_t target);
  [[nodiscard]] ModelObject* any_owned(std::uint32_t target);
  static void write_bytes(ModelObject& object, std::byte* data, std::uint32_t begin, std::uint32_t end,
                          std::uint32_t value);
  [[nodiscard]] std::size_t most_held() const;
  void release(std::size_t index);
  void say(Error error);

  const Setup& setup_;
  Counters& counters_;
  std::ostream* log_;
  std::unique_ptr<HeapUnderTest> heap_;
  Model model_;
  Checker checker_;
  std::size_t done_ = 0;
  const Op* current_ = nullptr;
  std::uint32_t strikes_ = 0;  // in the operation so far
  std::uint32_t os_pattern_ = 0;
  Image last_image_;
  std::vector<Image> failed_images_;  // of persists that failed since; they may be in the store all the same
  bool explicit_flush_ = false;
  bool unloading_ = false;
  bool repair_due_ = false;
  std::uint32_t destroyed_ = 0;
};

}  // namespace brownout::heap::testing::model
