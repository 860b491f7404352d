// Handles: who owns which object.
#pragma once

#include <cstdint>
#include <type_traits>

#include "heap/types.hpp"

namespace brownout::heap {

// May be moved as bytes between RAM and store, and back to another address. True of what is trivially
// copyable; specialise it for a type of your own that has handles as members.
template <class T>
inline constexpr bool kRelocatable = std::is_trivially_copyable_v<T>;

// How much of an object a mutable reference makes dirty.
enum class Dirtiness : std::uint8_t { whole, partial };

// Owns an object of the heap: its place in the store and its size, in 8 bytes, so that it can itself be part
// of an object. Move-only. There is no heap behind the destructor: freeing writes to the store and can fail,
// so it is a call with a result (free()), and a handle that is dropped leaks its object.
class Handle {
 public:
  Handle() = default;
  // For an object that `home` and `size_bytes` of another handle told of.
  Handle(std::uint32_t home, std::uint32_t size_bytes, Dirtiness dirtiness = Dirtiness::whole)
      : home_(home), size_(size_bytes | (dirtiness == Dirtiness::partial ? kPartial : 0U)) {}
  Handle(Handle&& other) noexcept : home_(other.home_), size_(other.size_) { other.home_ = 0; }
  Handle& operator=(Handle&& other) noexcept {
    home_ = other.home_;
    size_ = other.size_;
    if (this != &other) other.home_ = 0;
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() = default;

  [[nodiscard]] bool valid() const { return home_ != 0; }
  [[nodiscard]] std::uint32_t home() const { return home_; }  // store address, a multiple of 8; never 0
  [[nodiscard]] std::uint32_t size_bytes() const { return size_ & ~kPartial; }
  [[nodiscard]] bool partial() const { return (size_ & kPartial) != 0; }

  // For what keeps handles as numbers: size_bytes() and partial() in one word, and back.
  [[nodiscard]] std::uint32_t raw_size() const { return size_; }
  static Handle from_raw(std::uint32_t home, std::uint32_t raw_size) {
    return Handle(home, raw_size & ~kPartial,
                  (raw_size & kPartial) != 0 ? Dirtiness::partial : Dirtiness::whole);
  }

 private:
  static constexpr std::uint32_t kPartial = 0x8000'0000U;

  std::uint32_t home_ = 0;
  std::uint32_t size_ = 0;
};
static_assert(sizeof(Handle) == 8);

// An object of type T. T must be relocatable, of at most kMaxObjectBytes, and aligned to no more than 8. An
// empty type is kept as one byte.
template <class T>
class Object : public Handle {
 public:
  static_assert(kRelocatable<T>,
                "T is moved as bytes: make it trivially copyable, or declare kRelocatable<T>");
  static_assert(alignof(T) <= 8, "objects are aligned to 8 bytes");
  static_assert(!std::is_pointer_v<T> && !std::is_const_v<T>,
                "a pointer into RAM does not outlive its object");
  using Handle::Handle;
  explicit Object(Handle&& handle) : Handle(static_cast<Handle&&>(handle)) {}
};

// N elements of type T, of which only what was touched counts as dirty, in blocks of kDirtyBlockBytes.
template <class T, std::uint32_t N>
class Array : public Handle {
 public:
  static_assert(std::is_trivially_copyable_v<T>, "elements begin as zeros and are moved as bytes");
  static_assert(alignof(T) <= 8, "objects are aligned to 8 bytes");
  static_assert(!std::is_pointer_v<T> && !std::is_const_v<T>,
                "a pointer into RAM does not outlive its object");
  static_assert(N > 0, "an array of nothing");
  // Whether it fits a heap is known to the heap only; this keeps its size from overflowing.
  static_assert(N <= 0x7FFF'FFFFU / sizeof(T), "an array of more than 2 GiB");
  static constexpr std::uint32_t kElements = N;
  Array() = default;
  explicit Array(Handle&& handle) : Handle(static_cast<Handle&&>(handle)) {}
};

// Bytes, so many as are known at run time.
class Buffer : public Handle {
 public:
  using Handle::Handle;
  explicit Buffer(Handle&& handle) : Handle(static_cast<Handle&&>(handle)) {}
};

template <>
inline constexpr bool kRelocatable<Handle> = true;
template <>
inline constexpr bool kRelocatable<Buffer> = true;
template <class T>
inline constexpr bool kRelocatable<Object<T>> = true;
template <class T, std::uint32_t N>
inline constexpr bool kRelocatable<Array<T, N>> = true;

}  // namespace brownout::heap
