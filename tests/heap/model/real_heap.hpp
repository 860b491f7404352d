// HeapUnderTest of a heap with given modules.
#pragma once

#include <deque>
#include <map>
#include <new>
#include <utility>

#include "heap/heap.hpp"
#include "heap/objects/list.hpp"

#include "heap_under_test.hpp"

namespace brownout::heap::testing::model {

template <class HeapModules>
class RealHeap : public HeapUnderTest {
 public:
  using H = Heap<ModelPlatform, ModelStore, HeapModules>;
  using S = typename H::Slot;
  using Numbers = List<std::uint64_t>;
  using Node = typename Numbers::Node;
  using Elements = Array<std::uint32_t, kArrayElements>;
  static_assert(sizeof(Node) == kNodeBytes);

  RealHeap(const Modules& chosen, const HeapConfig& wanted, std::uint32_t store_bytes)
      : HeapUnderTest(chosen, wanted, store_bytes) {
    construct();
  }
  // Without the destructors of references: the heap that they lead to is gone.
  ~RealHeap() override = default;

  void boot() override { construct(); }
  const Geometry& geometry() override { return heap().geometry(); }
  Error configuration() override { return heap().configuration().error(); }
  Error format() override { return heap().format().error(); }
  Error persist() override { return heap().persist({os.data(), config.os_bytes}).error(); }
  Error restore() override { return heap().restore({os.data(), config.os_bytes}).error(); }

  Error make(ObjectKind kind, std::uint32_t size_bytes, const std::byte* value, Handle& made) override {
    switch (kind) {
      case ObjectKind::buffer: return keep(heap().make_buffer(size_bytes), made);
      case ObjectKind::partial_buffer: return keep(heap().make_buffer(size_bytes, Dirtiness::partial), made);
      case ObjectKind::plain: {
        Plain plain = {};
        std::memcpy(&plain, value, sizeof plain);
        return keep(heap().make(plain), made);
      }
      case ObjectKind::owner: {
        std::uint32_t number = 0;
        std::memcpy(&number, value, sizeof number);
        return keep(heap().make(Owner(number)), made);
      }
      case ObjectKind::array:
        return keep(heap().template make_array<std::uint32_t, kArrayElements>(), made);
      case ObjectKind::node: break;
    }
    fail("nodes are made by lists");
  }

  Error free(ObjectKind kind, Handle& handle) override {
    switch (kind) {
      case ObjectKind::buffer:
      case ObjectKind::partial_buffer:
        return with<Buffer>(handle, [&](Buffer& buffer) { return heap().free(buffer).error(); });
      case ObjectKind::plain:
        return with<Object<Plain>>(handle, [&](auto& object) { return heap().free(object).error(); });
      case ObjectKind::owner:
        return with<Object<Owner>>(handle, [&](auto& object) { return heap().free(object).error(); });
      case ObjectKind::array:
        return with<Elements>(handle, [&](Elements& array) { return heap().free(array).error(); });
      case ObjectKind::node: break;
    }
    fail("nodes are freed by lists");
  }

  Error read(ObjectKind kind, Handle& handle, Lease& lease) override {
    const auto borrow = [&](auto& object) { return hold(heap().read(std::as_const(object)), lease); };
    switch (kind) {
      case ObjectKind::buffer:
      case ObjectKind::partial_buffer: return with<Buffer>(handle, borrow);
      case ObjectKind::plain: return with<Object<Plain>>(handle, borrow);
      case ObjectKind::owner: return with<Object<Owner>>(handle, borrow);
      case ObjectKind::array: return with<Elements>(handle, borrow);
      case ObjectKind::node: return hold(lists_[0].read(heap(), places_.at(handle.home())), lease);
    }
    fail("no such kind");
  }

  Error write(ObjectKind kind, Handle& handle, bool whole, std::uint32_t first, std::uint32_t count,
              Lease& lease) override {
    const auto borrow = [&](auto& object) { return hold(heap().write(std::as_const(object)), lease); };
    const auto borrow_part = [&](auto& object) {
      return whole ? hold(heap().write(std::as_const(object)), lease)
                   : hold(heap().write(std::as_const(object), first, count), lease);
    };
    switch (kind) {
      case ObjectKind::buffer:
      case ObjectKind::partial_buffer: return with<Buffer>(handle, borrow_part);
      case ObjectKind::plain: return with<Object<Plain>>(handle, borrow);
      case ObjectKind::owner: return with<Object<Owner>>(handle, borrow);
      case ObjectKind::array: return with<Elements>(handle, borrow_part);
      case ObjectKind::node: return hold(lists_[0].write(heap(), places_.at(handle.home())), lease);
    }
    fail("no such kind");
  }

  void give_back(std::uint32_t token) override {
    Held& held = held_.at(token);
    held.destroy(held.memory);
    free_tokens_.push_back(token);
  }
  void drop_references() override {
    held_.clear();
    free_tokens_.clear();
  }
  std::uint32_t end_borrows() override { return heap().end_borrows(); }
  Error flush() override { return heap().flush().error(); }
  Error unload(const Handle& handle) override { return heap().unload(handle).error(); }
  bool is_resident(const Handle& handle) override { return heap().is_resident(handle); }
  std::uint32_t checkpoint_bytes() override { return heap().checkpoint_bytes(); }

  Error push(std::uint32_t list, bool at_front, std::uint64_t value, std::uint32_t& home) override {
    return added(at_front ? lists_[list].push_front(heap(), value) : lists_[list].push_back(heap(), value),
                 home);
  }
  Error insert(std::uint32_t list, bool before, std::uint32_t at, std::uint64_t value,
               std::uint32_t& home) override {
    const typename Numbers::Place place = places_.at(at);
    return added(before ? lists_[list].insert_before(heap(), place, value)
                        : lists_[list].insert_after(heap(), place, value),
                 home);
  }
  Error remove(std::uint32_t list, std::uint32_t at) override {
    return lists_[list].remove(heap(), places_.at(at)).error();
  }
  Error pop(std::uint32_t list, bool at_front) override {
    return at_front ? lists_[list].pop_front(heap()).error() : lists_[list].pop_back(heap()).error();
  }
  Error clear(std::uint32_t list) override { return lists_[list].clear(heap()).error(); }
  Error for_each(std::uint32_t list, std::vector<std::uint64_t>& values) override {
    return lists_[list].for_each(heap(), [&](const std::uint64_t& value) { values.push_back(value); }).error();
  }
  Error walk(std::uint32_t list, bool forward, std::vector<std::uint32_t>& homes) override {
    const Numbers& numbers = lists_[list];
    typename Numbers::Place place = forward ? numbers.first() : numbers.last();
    while (place.valid()) {
      homes.push_back(place.home());
      require(homes.size() <= numbers.size(), "a list does not end");
      auto following = forward ? numbers.after(heap(), place) : numbers.before(heap(), place);
      if (!following.ok()) return following.error();
      place = following.value();
    }
    return Error::none;
  }
  std::array<std::uint32_t, 3> ends(std::uint32_t list) override {
    return {lists_[list].first().home(), lists_[list].last().home(), lists_[list].size()};
  }

  void decode_slots(std::vector<SlotView>& slots) override {
    const Geometry& g = geometry();
    slots.resize(g.config.max_residents);
    for (std::uint32_t i = 0; i < slots.size(); ++i) slots[i] = view(ram() + g.slots_offset + i * sizeof(S));
  }
  SlotView decode_record(std::uint32_t index) override {
    return view(store.memory.data() + geometry().records_base + index * sizeof(S));
  }

 protected:
  H& heap() { return *std::launder(reinterpret_cast<H*>(memory_)); }
  void poison_heap(unsigned char pattern) override { std::memset(memory_, pattern, sizeof memory_); }

 private:
  // A reference of some type.
  struct Held {
    alignas(16) std::byte memory[48];
    void (*destroy)(std::byte*) = nullptr;
  };

  void construct() { ::new (static_cast<void*>(memory_)) H(ram(), config, store, platform); }

  template <class T>
  static Error keep(Result<T> result, Handle& made) {
    if (result.ok()) made = result.take();
    return result.error();
  }
  // The handle as one of type T for the time of a call.
  template <class T, class Use>
  static Error with(Handle& handle, Use use) {
    T typed{std::move(handle)};
    const Error error = use(typed);
    handle = std::move(typed);
    return error;
  }
  Error added(Result<typename Numbers::Place> result, std::uint32_t& home) {
    if (!result.ok()) return result.error();
    home = result.value().home();
    places_[home] = result.value();
    return Error::none;
  }

  template <class R>
  Error hold(Result<R> result, Lease& lease) {
    if (!result.ok()) return result.error();
    static_assert(sizeof(R) <= sizeof(Held::memory));
    if (free_tokens_.empty()) {
      free_tokens_.push_back(static_cast<std::uint32_t>(held_.size()));
      held_.emplace_back();
    }
    lease.token = free_tokens_.back();
    free_tokens_.pop_back();
    Held& held = held_[lease.token];
    R* reference = ::new (static_cast<void*>(held.memory)) R(result.take());
    held.destroy = [](std::byte* memory) { std::launder(reinterpret_cast<R*>(memory))->~R(); };
    const void* data = reference->data();
    lease.data = static_cast<std::byte*>(const_cast<void*>(data));  // NOLINT(*-const-cast)
    return Error::none;
  }

  SlotView view(const std::byte* bytes) {
    S slot;
    std::memcpy(&slot, bytes, sizeof slot);
    SlotView view{.used = slot.used(),
                  .dirty = slot.dirty(),
                  .referenced = slot.referenced(),
                  .partial = slot.partial(),
                  .record = slot.record(),
                  .key = slot.key(),
                  .next = slot.next(),
                  .borrows = slot.borrows()};
    if (view.used) {
      view.home = slot.home(geometry());
      view.block = slot.block(geometry());
      view.granules = slot.granules(geometry());
    }
    return view;
  }

  alignas(H) std::byte memory_[sizeof(H)];
  std::array<Numbers, kLists> lists_;
  std::map<std::uint32_t, typename Numbers::Place> places_;  // by home
  std::deque<Held> held_;
  std::vector<std::uint32_t> free_tokens_;
};

}  // namespace brownout::heap::testing::model
