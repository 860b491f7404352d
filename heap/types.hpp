// Small types that all of heap/ shares: byte ranges, errors, results.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <new>
#include <type_traits>

namespace brownout::heap {

static_assert(std::endian::native == std::endian::little, "persisted structures are little-endian");

struct ConstBytes {
  const std::byte* data = nullptr;
  std::uint32_t size = 0;
};

struct MutableBytes {
  std::byte* data = nullptr;
  std::uint32_t size = 0;
};

enum class Error : std::uint8_t {
  none,
  no_ram,             // no room in RAM, and nothing that may be unloaded
  no_storage,         // no room in the store
  dirty_limit,        // the object cannot become dirty within the limit
  too_large,          // larger than an object may be, or than all RAM for objects
  no_slot,            // more objects borrowed at once than the heap has slots for
  out_of_range,       // beyond the end of an array
  invalid_handle,     // the handle owns nothing: it was moved from, or its object was freed
  borrowed,           // still borrowed, or borrowed in a way that excludes this
  storage_failed,     // the storage reported an error
  wrong_part,         // the storage did not identify as configured
  bad_configuration,  // the sizes do not fit together
  empty,              // no checkpoint
  torn,               // the newest checkpoint is not whole; nothing was written since the one before it
  stale,              // the program ran on after the newest checkpoint
  foreign,            // written by another configuration
  wrong_version,      // written by another version of the format
  no_root,            // no root of that name, or no room for another one
};

// Success, or the reason of a failure.
class [[nodiscard]] Status {
 public:
  constexpr Status() = default;
  constexpr Status(Error error)
      : error_(error) {}  // NOLINT(google-explicit-constructor): reads as `return Error::x`
  [[nodiscard]] constexpr bool ok() const { return error_ == Error::none; }
  [[nodiscard]] constexpr Error error() const { return error_; }

 private:
  Error error_ = Error::none;
};

// Makes a T that stands for no value, for a Result without one. A type that must not be empty otherwise has a
// constructor that takes this.
struct NoValue {};

// A value, or the reason why there is none. value() on a failure is the caller's error. It always holds a T,
// so that a compiler keeps its parts in registers, which it cannot for a union.
template <class T>
class [[nodiscard]] Result {
 public:
  Result(Error error) : value_(none()), error_(error) {}                       // NOLINT
  Result(T&& value) : value_(static_cast<T&&>(value)), error_(Error::none) {}  // NOLINT
  Result(const T& value) requires std::is_trivially_copyable_v<T>              // NOLINT
      : value_(value), error_(Error::none) {}
  Result(Result&&) noexcept = default;
  Result(const Result&) = delete;
  Result& operator=(const Result&) = delete;
  Result& operator=(Result&&) = delete;
  ~Result() = default;

  [[nodiscard]] bool ok() const { return error_ == Error::none; }
  [[nodiscard]] Error error() const { return error_; }
  // Not of a temporary: the reference would be gone before it is used.
  [[nodiscard]] T& value() & { return value_; }
  [[nodiscard]] const T& value() const& { return value_; }
  void value() && = delete;
  // Moves the value out: `auto ref = heap.read(object).take();`
  [[nodiscard]] T take() { return static_cast<T&&>(value_); }

 private:
  static T none() {
    if constexpr (std::is_constructible_v<T, NoValue>) {
      return T(NoValue{});
    } else {
      return T();
    }
  }
  T value_;
  Error error_;
};

inline void copy_bytes(std::byte* to, const std::byte* from, std::uint32_t size) {
  __builtin_memcpy(to, from, size);
}

constexpr std::uint32_t round_up_8(std::uint32_t n) { return (n + 7U) & ~std::uint32_t{7}; }

}  // namespace brownout::heap
