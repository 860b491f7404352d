// Workload `fuzz`: runs the operations that the fuzzer has drawn.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "sim/firmware/fuzz_program.hpp"
#include "sim/firmware/object_memory.hpp"
#include "sim/firmware/port.hpp"

namespace brownout::sim::firmware {

// All state of the run is here and on the stack, in memory that the OS saves over an outage; none of it owns
// memory of the host. The program itself is constant.
class FuzzWorkload {
 public:
  FuzzWorkload(ObjectMemory& memory, Port& port, const FuzzProgram& program, FuzzCounters& counters)
      : memory_(memory), port_(port), program_(program), counters_(counters) {}

  void run() {
    if (memory_.attached()) {
      if (const heap::Status status = recover(); !status.ok()) {
        static_cast<void>(port_.failed(status.error(), "find the fuzzer's objects again"));
        return;
      }
    }
    while (counters_.next < program_.operations.size()) {
      const FuzzOperation& operation = program_.operations[counters_.next];
      const heap::Status status = run(operation);
      if (status.ok()) {
        ++counters_.done[static_cast<std::size_t>(operation.act)];
      } else if (may_refuse(status.error())) {
        ++counters_.refused;
      } else {
        static_cast<void>(port_.failed(status.error(), "run an operation of the fuzzer"));
        return;
      }
      ++counters_.next;
      port_.operation_done();
    }
  }

 private:
  // A write goes in pieces between which time passes, so that an outage finds it half done.
  static constexpr std::uint32_t kPieceBytes = 32;

  struct Record {
    std::uint32_t words[5];
  };
  static constexpr std::uint32_t kSamples = 40;
  using Samples = heap::Array<std::uint32_t, kSamples>;
  struct Small {
    std::uint32_t word;
  };
  struct Large {
    std::uint32_t words[9];
  };

  struct Slot {
    std::uint32_t home = 0;  // 0: none
    std::uint32_t size_bytes = 0;
    FuzzType type = FuzzType::buffer;
  };

  // What a full or small heap may answer. Anything else is an error of the heap's.
  static bool may_refuse(heap::Error error) {
    switch (error) {
      case heap::Error::no_ram:
      case heap::Error::no_storage:
      case heap::Error::dirty_limit:
      case heap::Error::too_large:
      case heap::Error::no_slot:
      case heap::Error::no_root: return true;
      default: return false;
    }
  }

  heap::Status run(const FuzzOperation& operation) {
    const auto& n = operation.n;
    switch (operation.act) {
      case FuzzAct::make: return make(slot(n[0]), n[1] % kFuzzTypes, n[2], n[3]);
      case FuzzAct::write: return write(slot(n[0]), n[1], n[2], n[3]);
      case FuzzAct::read: return read(slot(n[0]));
      case FuzzAct::free: return release(slot(n[0]));
      case FuzzAct::flush: return memory_.flush();
      case FuzzAct::flush_object: return flush(slot(n[0]));
      case FuzzAct::set_root: return set_root(slot(n[0]), n[1]);
      case FuzzAct::find_root: return find_root(n[0]);
      case FuzzAct::clear_root: return clear_root(n[0]);
      case FuzzAct::compute: port_.charge(heap::Work::compute_cycle, 1'000U * n[0]); return {};
      case FuzzAct::two_writers: return two_writers(slot(n[0]), slot(n[1]), n[2]);
      case FuzzAct::write_read: return write_read(slot(n[0]), slot(n[1]), n[2]);
      case FuzzAct::read_make: return read_make(slot(n[0]), slot(n[1]), n[2], n[3]);
      default: break;
    }
    return n[0] % kFuzzLists == 0 ? run_list(operation, small_) : run_list(operation, large_);
  }

  Slot& slot(std::uint32_t number) { return slots_[number % kFuzzSlots]; }
  static heap::Buffer handle(const Slot& slot) {
    const bool partial = slot.type == FuzzType::parts || slot.type == FuzzType::samples;
    return {slot.home, slot.size_bytes, partial ? heap::Dirtiness::partial : heap::Dirtiness::whole};
  }

  // A slot that is taken is freed first.
  heap::Status make(Slot& slot, std::uint32_t type, std::uint32_t bytes, std::uint32_t value) {
    if (slot.home != 0) {
      if (const heap::Status status = release(slot); !status.ok()) return status;
    }
    slot.type = static_cast<FuzzType>(type);
    slot.size_bytes = 1 + (bytes + kFuzzBytes - 1) % kFuzzBytes;
    switch (slot.type) {
      case FuzzType::record: {
        Record record;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the next line
        fill(&record, sizeof record, value);
        slot.size_bytes = sizeof record;
        return take(slot, memory_.make(record));
      }
      case FuzzType::samples:
        slot.size_bytes = kSamples * sizeof(std::uint32_t);
        return take(slot, memory_.make_array<std::uint32_t, kSamples>());
      case FuzzType::parts: return take(slot, memory_.make_buffer(slot.size_bytes, heap::Dirtiness::partial));
      case FuzzType::buffer: break;
    }
    return take(slot, memory_.make_buffer(slot.size_bytes));
  }
  // In a program that attaches a root leads to each slot's object, as far as there are roots.
  template <class Kind>
  heap::Status take(Slot& slot, const heap::Result<Kind>& made) {
    if (!made.ok()) return made.error();
    slot.home = made.value().home();
    return memory_.attaches() ? memory_.set_root(name_of(slot), handle(slot)) : heap::Status();
  }

  heap::Status write(Slot& slot, std::uint32_t first, std::uint32_t count, std::uint32_t value) {
    if (slot.home == 0) return {};
    switch (slot.type) {
      case FuzzType::record: {
        const heap::Object<Record> object(slot.home, slot.size_bytes);
        auto result = memory_.write(object);
        if (!result.ok()) return result.error();
        const auto record = result.take();
        record->words[first % 5] = value;
        return {};
      }
      case FuzzType::samples: {
        const Samples array(heap::Handle(slot.home, slot.size_bytes, heap::Dirtiness::partial));
        first %= kSamples;
        count = 1 + count % (kSamples - first);
        auto result = memory_.write(array, first, count);
        if (!result.ok()) return result.error();
        const auto samples = result.take();
        for (std::uint32_t i = 0; i < count; ++i) samples[i] = value + i;
        port_.charge(heap::Work::copied_byte, count * 4);
        return {};
      }
      case FuzzType::buffer:
      case FuzzType::parts: break;
    }
    first %= slot.size_bytes;
    count = 1 + count % (slot.size_bytes - first);
    const heap::Buffer buffer = handle(slot);
    auto result = memory_.write(buffer, first, count);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    for (std::uint32_t done = 0; done < count; done += kPieceBytes) {
      const std::uint32_t piece = std::min(kPieceBytes, count - done);
      fill(bytes.data() + done, piece, value + done);
      port_.charge(heap::Work::copied_byte, piece);
    }
    return {};
  }

  heap::Status read(const Slot& slot) {
    if (slot.home == 0) return {};
    const heap::Buffer buffer = handle(slot);
    auto result = memory_.read(buffer);
    if (!result.ok()) return result.error();
    const auto bytes = result.take();
    observe(bytes.data(), bytes.size());
    port_.charge(heap::Work::copied_byte, bytes.size());
    return {};
  }

  // FNV-1a over words: of the test bench, so it costs no time.
  void observe(const void* data, std::uint32_t size_bytes) {
    const auto* bytes = static_cast<const std::byte*>(data);
    std::uint32_t hash = counters_.observed;
    for (std::uint32_t done = 0; done < size_bytes; done += sizeof(std::uint32_t)) {
      std::uint32_t word = 0;
      std::memcpy(&word, bytes + done, std::min<std::size_t>(sizeof word, size_bytes - done));
      hash = (hash ^ word) * 16'777'619U;
    }
    counters_.observed = hash ^ size_bytes;
  }

  // Roots that name it are cleared first: they would lead to nothing.
  heap::Status release(Slot& slot) {
    if (slot.home == 0) return {};
    for (std::uint32_t name = 0; name < kFuzzRoots; ++name) {
      if (roots_[name] != slot.home) continue;
      if (const heap::Status status = clear_root(name); !status.ok()) return status;
    }
    if (memory_.attaches()) {
      const heap::Status status = memory_.clear_root(name_of(slot));
      if (!status.ok() && status.error() != heap::Error::no_root) return status;
    }
    heap::Buffer buffer = handle(slot);
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): the heap's free, not that of the C library
    const heap::Status status = memory_.free(buffer);
    if (status.ok()) slot.home = 0;
    return status;
  }

  heap::Status flush(const Slot& slot) {
    return slot.home == 0 ? heap::Status() : memory_.flush_object(handle(slot));
  }

  static std::uint32_t name_of(std::uint32_t root) { return heap::root_name("fuzz") + root; }
  [[nodiscard]] std::uint32_t name_of(const Slot& slot) const {
    return heap::root_name("fuzz: slot") + static_cast<std::uint32_t>(&slot - slots_);
  }

  // After a loss: the objects that roots lead to. Nothing leads to lists, whose elements are then freed.
  heap::Status recover() {
    std::uint32_t lost = 0;  // a bit for each slot whose root leads to nothing that can be kept
    for (Slot& slot : slots_) {
      const auto found = memory_.find_root(name_of(slot));
      if (found.error() == heap::Error::no_root) continue;
      if (!found.ok()) return found.error();
      const heap::Handle& object = found.value();
      const std::uint32_t bit = 1U << (&slot - slots_);
      lost |= bit;
      if (memory_.is_in_doubt(object)) continue;
      const heap::Status kept = memory_.keep(object, memory_.marks());
      if (kept.error() == heap::Error::invalid_handle) continue;
      if (!kept.ok()) return kept;
      lost &= ~bit;
      slot = {object.home(), object.size_bytes(), object.partial() ? FuzzType::parts : FuzzType::buffer};
    }
    const heap::Result<std::uint32_t> reclaimed = memory_.reclaim(memory_.marks());
    if (!reclaimed.ok()) return reclaimed.error();
    for (const Slot& slot : slots_) {
      if ((lost >> (&slot - slots_) & 1U) == 0) continue;
      if (const heap::Status cleared = memory_.clear_root(name_of(slot)); !cleared.ok()) return cleared;
    }
    for (std::uint32_t name = 0; name < kFuzzRoots; ++name) {
      const auto found = memory_.find_root(name_of(name));
      if (found.error() == heap::Error::no_root) continue;
      if (!found.ok()) return found.error();
      const std::uint32_t home = found.value().home();
      const bool there =
          std::any_of(slots_, slots_ + kFuzzSlots, [home](const Slot& s) { return s.home == home; });
      roots_[name] = home;
      if (there) continue;
      if (const heap::Status cleared = clear_root(name); !cleared.ok()) return cleared;
    }
    return {};
  }
  heap::Status set_root(const Slot& slot, std::uint32_t name) {
    name %= kFuzzRoots;
    if (slot.home == 0) return {};
    const heap::Status status = memory_.set_root(name_of(name), handle(slot));
    if (status.ok()) roots_[name] = slot.home;
    return status;
  }
  heap::Status find_root(std::uint32_t name) {
    name %= kFuzzRoots;
    const auto found = memory_.find_root(name_of(name));
    const std::uint32_t home = found.ok() ? found.value().home() : 0;
    if (found.error() == heap::Error::no_root && roots_[name] == 0) return {};
    if (!found.ok())
      return found.error() == heap::Error::no_root ? heap::Error::invalid_handle : found.error();
    return home == roots_[name] ? heap::Status() : heap::Error::invalid_handle;
  }
  heap::Status clear_root(std::uint32_t name) {
    name %= kFuzzRoots;
    const heap::Status status = memory_.clear_root(name_of(name));
    const bool was_there = roots_[name] != 0;
    if (status.ok()) roots_[name] = 0;
    if (status.error() == heap::Error::no_root && was_there) return heap::Error::invalid_handle;
    return was_there ? status : heap::Status();
  }

  heap::Status two_writers(Slot& one, Slot& other, std::uint32_t value) {
    if (one.home == 0 || other.home == 0 || &one == &other) return {};
    const heap::Buffer first = handle(one);
    const heap::Buffer second = handle(other);
    auto of_first = memory_.write(first, 0, 1);
    if (!of_first.ok()) return of_first.error();
    auto of_second = memory_.write(second, 0, 1);
    if (!of_second.ok()) return of_second.error();
    of_first.value()[0] = static_cast<std::byte>(value);
    of_second.value()[0] = static_cast<std::byte>(value + 1);
    port_.charge(heap::Work::copied_byte, 2);
    return {};
  }

  heap::Status write_read(Slot& one, Slot& other, std::uint32_t value) {
    if (one.home == 0 || &one == &other) return {};
    const heap::Buffer first = handle(one);
    auto lent = memory_.write(first, 0, one.size_bytes);
    if (!lent.ok()) return lent.error();
    const std::uint32_t half = one.size_bytes / 2;
    fill(lent.value().data(), half, value);
    const heap::Status status = read(other);
    fill(lent.value().data() + half, one.size_bytes - half, value + half);
    port_.charge(heap::Work::copied_byte, one.size_bytes);
    return status;
  }

  heap::Status read_make(Slot& one, Slot& other, std::uint32_t bytes, std::uint32_t value) {
    if (one.home == 0 || &one == &other) return {};
    const heap::Buffer first = handle(one);
    auto lent = memory_.read(first);
    if (!lent.ok()) return lent.error();
    const heap::Status status = make(other, 0, bytes, value);
    port_.charge(heap::Work::copied_byte, lent.value().size());
    return status;
  }

  // --- lists ----------------------------------------------------------------------------------------

  template <class T>
  heap::Status run_list(const FuzzOperation& operation, heap::List<T>& list) {
    const auto& n = operation.n;
    switch (operation.act) {
      case FuzzAct::push_front: return list.push_front(memory_, element<T>(n[1])).error();
      case FuzzAct::push_back: return list.push_back(memory_, element<T>(n[1])).error();
      case FuzzAct::clear_list: return list.clear(memory_);
      case FuzzAct::scan:
        return list.for_each(memory_, [this](const T& value) { observe(&value, sizeof value); });
      default: break;
    }
    if (list.empty()) return {};
    if (operation.act == FuzzAct::pop_front) return list.pop_front(memory_);
    if (operation.act == FuzzAct::pop_back) return list.pop_back(memory_);
    auto place = list.first();
    for (std::uint32_t i = n[1] % list.size(); i > 0; --i) {
      const auto next = list.after(memory_, place);
      if (!next.ok()) return next.error();
      place = next.value();
    }
    if (operation.act == FuzzAct::insert) return list.insert_before(memory_, place, element<T>(n[2])).error();
    if (operation.act == FuzzAct::remove) return list.remove(memory_, place);
    auto result = list.write(memory_, place);
    if (!result.ok()) return result.error();
    const auto node = result.take();
    node->value = element<T>(n[2]);
    port_.charge(heap::Work::copied_byte, sizeof(T));
    return {};
  }

  template <class T>
  static T element(std::uint32_t value) {
    T element;  // NOLINT(cppcoreguidelines-pro-type-member-init): filled by the next line
    fill(&element, sizeof element, value);
    return element;
  }

  // Bytes that depend on the operation alone, so that it writes the same wherever it stands.
  static void fill(void* to, std::uint32_t size_bytes, std::uint32_t value) {
    auto* bytes = static_cast<std::byte*>(to);
    std::uint32_t word = value * 0x9E37'79B9U + 0x7F4A'7C15U;
    for (std::uint32_t done = 0; done < size_bytes; done += sizeof word) {
      std::memcpy(bytes + done, &word, std::min<std::size_t>(sizeof word, size_bytes - done));
      word = word * 0x0019'660DU + 0x3C6E'F35FU;
    }
  }

  ObjectMemory& memory_;
  Port& port_;
  const FuzzProgram& program_;
  FuzzCounters& counters_;
  Slot slots_[kFuzzSlots] = {};
  std::uint32_t roots_[kFuzzRoots] = {};  // homes
  heap::List<Small> small_;
  heap::List<Large> large_;
};

}  // namespace brownout::sim::firmware
