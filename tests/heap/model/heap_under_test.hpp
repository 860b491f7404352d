// A heap with any modules behind one interface, so that the model is compiled once.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "board.hpp"
#include "heap/layout.hpp"
#include "heap/objects/handle.hpp"
#include "heap/slots/slot.hpp"
#include "heap/types.hpp"

namespace brownout::heap::testing::model {

enum class RamKind : std::uint8_t { linked_list, buddy };
enum class StoreKind : std::uint8_t { linked_list, buddy, block };
enum class PolicyKind : std::uint8_t { in_order, clock, round_robin };

// The choice of modules that a heap is made of.
struct Modules {
  const char* name = "";
  bool compact = false;
  RamKind ram = RamKind::linked_list;
  StoreKind store = StoreKind::linked_list;
  PolicyKind policy = PolicyKind::in_order;

  [[nodiscard]] std::uint32_t slot_bytes() const { return compact ? 4 : 8; }
  // The policy's bits are in every image.
  [[nodiscard]] bool referenced_bits() const { return !compact && policy == PolicyKind::clock; }
};

// What an object is to the typed interface.
enum class ObjectKind : std::uint8_t {
  buffer,          // any size
  partial_buffer,  // any size, partial dirtiness
  plain,           // Object<Plain>
  owner,           // Object<Owner>, with a destructor
  array,           // Array<std::uint32_t, kArrayElements>, partial dirtiness
  node,            // of a list
};
inline constexpr std::uint32_t kObjectKinds = 6;

struct Plain {
  std::uint64_t words[3];
};
inline constexpr std::uint32_t kArrayElements = 21;
inline constexpr std::uint32_t kNodeBytes = 16;  // two links, a value of 8 B
inline constexpr std::uint32_t kLists = 2;

// Tells when it is destroyed, unless it was moved from.
struct Owner {
  Owner() = default;
  explicit Owner(std::uint32_t number) : first(number), second(~number) {}
  Owner(Owner&& other) noexcept : first(other.first), second(other.second) { other.forget(); }
  Owner& operator=(Owner&& other) noexcept {
    first = other.first;
    second = other.second;
    if (this != &other) other.forget();
    return *this;
  }
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() {
    if (first == 0 && second == 0) return;
    ++destroyed;
    last_first = first;
    last_second = second;
  }
  void forget() { first = second = 0; }

  std::uint32_t first = 0;
  std::uint32_t second = 0;

  inline static std::uint32_t destroyed = 0;
  inline static std::uint32_t last_first = 0;
  inline static std::uint32_t last_second = 0;
};

// A slot, decoded.
struct SlotView {
  bool used = false;
  bool dirty = false;
  bool referenced = false;
  bool partial = false;
  Record record = Record::vacant;
  std::uint16_t key = 0;
  std::uint16_t next = 0;
  std::uint32_t borrows = 0;
  // Of a used one, in granules but for the home.
  std::uint32_t home = 0;
  std::uint32_t block = 0;
  std::uint32_t granules = 0;

  bool operator==(const SlotView&) const = default;
};

// What a borrow gave.
struct Lease {
  std::uint32_t token = 0;
  std::byte* data = nullptr;
};

// A board with one heap: its RAM, its store, and the operations.
class HeapUnderTest {
 public:
  HeapUnderTest(const Modules& chosen, const HeapConfig& wanted, std::uint32_t store_bytes)
      : modules(chosen),
        config(wanted),
        store(platform, store_bytes),
        os(wanted.os_bytes),
        words_(wanted.ram_bytes / 8) {}
  HeapUnderTest(const HeapUnderTest&) = delete;
  HeapUnderTest& operator=(const HeapUnderTest&) = delete;
  virtual ~HeapUnderTest() = default;

  const Modules modules;
  const HeapConfig config;
  ModelPlatform platform;
  ModelStore store;
  std::vector<std::byte> os;

  [[nodiscard]] std::byte* ram() { return reinterpret_cast<std::byte*>(words_.data()); }
  [[nodiscard]] std::byte* granule(std::uint32_t number) { return ram() + number * kGranule; }
  [[nodiscard]] Control control() {
    Control control;
    std::memcpy(&control, ram(), sizeof control);
    return control;
  }
  // Everything that is volatile is lost.
  void poison() {
    ++pattern_;
    std::memset(ram(), static_cast<int>(0xA0U ^ (pattern_ & 0xFFU)), config.ram_bytes);
    for (std::byte& b : os) b = static_cast<std::byte>(pattern_ & 0xFFU);
    poison_heap(static_cast<unsigned char>(0x50U ^ (pattern_ & 0xFFU)));
    store.abort();
  }

  // From now on the store refuses writes at the wrong place.
  void guard() {
    const Geometry& g = geometry();
    store.map = {0, g.checkpoint_base, g.intent_base, g.store_base, g.store.first_unit};
  }

  // Constructs the heap anew, as boot code does.
  virtual void boot() = 0;
  virtual const Geometry& geometry() = 0;
  virtual Error configuration() = 0;
  virtual Error format() = 0;
  virtual Error persist() = 0;
  virtual Error restore() = 0;

  virtual Error make(ObjectKind kind, std::uint32_t size_bytes, const std::byte* value, Handle& made) = 0;
  virtual Error free(ObjectKind kind, Handle& handle) = 0;
  virtual Error read(ObjectKind kind, Handle& handle, Lease& lease) = 0;
  // Elements [first, first + count) of an array, else bytes; `whole` by the call without a range.
  virtual Error write(ObjectKind kind, Handle& handle, bool whole, std::uint32_t first, std::uint32_t count,
                      Lease& lease) = 0;
  virtual void give_back(std::uint32_t token) = 0;
  // All references are overwritten without a destructor.
  virtual void drop_references() = 0;
  virtual std::uint32_t end_borrows() = 0;
  virtual Error flush() = 0;
  virtual Error unload(const Handle& handle) = 0;
  virtual bool is_resident(const Handle& handle) = 0;
  virtual std::uint32_t checkpoint_bytes() = 0;

  virtual Error push(std::uint32_t list, bool at_front, std::uint64_t value, std::uint32_t& home) = 0;
  virtual Error insert(std::uint32_t list, bool before, std::uint32_t at, std::uint64_t value,
                       std::uint32_t& home) = 0;
  virtual Error remove(std::uint32_t list, std::uint32_t at) = 0;
  virtual Error pop(std::uint32_t list, bool at_front) = 0;
  virtual Error clear(std::uint32_t list) = 0;
  virtual Error for_each(std::uint32_t list, std::vector<std::uint64_t>& values) = 0;
  // Homes from the first to the last by after(), or from the last to the first by before().
  virtual Error walk(std::uint32_t list, bool forward, std::vector<std::uint32_t>& homes) = 0;
  // First, last, size.
  virtual std::array<std::uint32_t, 3> ends(std::uint32_t list) = 0;

  virtual void decode_slots(std::vector<SlotView>& slots) = 0;
  // What the store's record of a slot says.
  virtual SlotView decode_record(std::uint32_t index) = 0;

 protected:
  virtual void poison_heap(unsigned char pattern) = 0;

 private:
  std::vector<std::uint64_t> words_;
  unsigned pattern_ = 0;
};

using MakeHeap = std::unique_ptr<HeapUnderTest> (*)(const Modules& modules, const HeapConfig& config,
                                                    std::uint32_t store_bytes);

// A combination of modules and how to make a heap of them.
struct Combination {
  Modules modules;
  MakeHeap make = nullptr;
};

}  // namespace brownout::heap::testing::model

namespace brownout::heap {
template <>
inline constexpr bool kRelocatable<testing::model::Owner> = true;
}  // namespace brownout::heap
