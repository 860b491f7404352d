// Handles to objects, and the references through which they are read and written.
#pragma once

#include <cstdint>

#include "heap/types.hpp"

namespace brownout::heap {

// Owns an object of the heap: its place in the store and its size. Move-only. There is no heap behind
// the destructor: freeing writes to the store and can fail, so it is a call with a result (Heap::free),
// and a handle that is dropped leaks its object.
class Handle {
 public:
  Handle() = default;
  Handle(std::uint32_t home, std::uint32_t size_bytes) : home_(home), size_bytes_(size_bytes) {}
  Handle(Handle&& other) noexcept : home_(other.home_), size_bytes_(other.size_bytes_) { other.home_ = 0; }
  Handle& operator=(Handle&& other) noexcept {
    home_ = other.home_;
    size_bytes_ = other.size_bytes_;
    if (this != &other) other.home_ = 0;
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() = default;

  [[nodiscard]] bool valid() const { return home_ != 0; }
  [[nodiscard]] std::uint32_t home() const { return home_; }  // store address, a multiple of 8; never 0
  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

 private:
  std::uint32_t home_ = 0;
  std::uint32_t size_bytes_ = 0;
};

// An object of type T.
template <class T>
class Object : public Handle {
 public:
  static_assert(std::is_trivially_copyable_v<T>, "objects are moved as bytes between RAM and store");
  static_assert(alignof(T) <= 8, "objects are aligned to 8 bytes");
  static_assert(!std::is_empty_v<T>, "an empty type has nothing to keep");
  using Handle::Handle;
  explicit Object(Handle&& handle) : Handle(static_cast<Handle&&>(handle)) {}
};

// An object whose size is known at run time.
class Buffer : public Handle {
 public:
  using Handle::Handle;
  explicit Buffer(Handle&& handle) : Handle(static_cast<Handle&&>(handle)) {}
};

// A borrow of a resident object: while it lives, the object stays in RAM where it is, across outages
// too. Move-only; gives the borrow back when it dies.
template <class H, class T>
class [[nodiscard]] Reference {
 public:
  static constexpr bool kMutable = !std::is_const_v<T>;

  Reference(H& heap, std::uint16_t slot, T* data, std::uint32_t size_bytes)
      : heap_(&heap), data_(data), size_bytes_(size_bytes), slot_(slot) {}
  Reference(Reference&& other) noexcept
      : heap_(other.heap_), data_(other.data_), size_bytes_(other.size_bytes_), slot_(other.slot_) {
    other.heap_ = nullptr;
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  Reference& operator=(Reference&&) = delete;
  ~Reference() {
    if (heap_ != nullptr) heap_->give_back(slot_);
  }

  [[nodiscard]] T& operator*() const { return *data_; }
  [[nodiscard]] T* operator->() const { return data_; }
  [[nodiscard]] T* data() const { return data_; }
  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

 private:
  H* heap_;
  T* data_;
  std::uint32_t size_bytes_;
  std::uint16_t slot_;
};

template <class H, class T>
using Ref = Reference<H, const T>;
template <class H, class T>
using MutRef = Reference<H, T>;

}  // namespace brownout::heap
