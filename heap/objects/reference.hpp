// References: a resident object, lent.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heap/types.hpp"

namespace brownout::heap {

// What a heap hands out for a borrow and takes back at its end.
struct Lent {
  std::byte* data = nullptr;
  std::uint16_t key = 0;   // of the object
  std::uint16_t slot = 0;  // where its slot was
};

// A borrow: while it lives, the object stays in RAM where it is, across outages too, and nobody else may
// borrow it in a way that excludes this. Move-only; gives the borrow back when it dies; lives on the stack or
// as a member, not on a heap of the language.
template <class H>
class [[nodiscard]] Borrow {
 public:
  Borrow(const Borrow&) = delete;
  Borrow& operator=(const Borrow&) = delete;
  Borrow& operator=(Borrow&&) = delete;
  static void* operator new(std::size_t) = delete;
  static void* operator new[](std::size_t) = delete;

 protected:
  explicit Borrow(NoValue) : heap_(nullptr) {}
  Borrow(H& heap, const Lent& lent) : heap_(&heap), lent_(lent) {}
  Borrow(Borrow&& other) noexcept : heap_(other.heap_), lent_(other.lent_) { other.heap_ = nullptr; }
  ~Borrow() {  // NOLINT(bugprone-exception-escape): a platform may throw in a test only
    if (heap_ != nullptr) heap_->give_back(lent_);
  }
  [[nodiscard]] std::byte* bytes() const { return lent_.data; }

 private:
  H* heap_;
  Lent lent_;
};

// One object. T is const for readers.
template <class H, class T>
class [[nodiscard]] Reference : public Borrow<H> {
 public:
  explicit Reference(NoValue none) : Borrow<H>(none) {}
  Reference(H& heap, const Lent& lent) : Borrow<H>(heap, lent) {}

  [[nodiscard]] T& operator*() const { return *data(); }
  [[nodiscard]] T* operator->() const { return data(); }
  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(this->bytes()); }
};

// Some elements, one after the other.
template <class H, class T>
class [[nodiscard]] SpanReference : public Borrow<H> {
 public:
  explicit SpanReference(NoValue none) : Borrow<H>(none), first_(0), size_(0) {}
  SpanReference(H& heap, const Lent& lent, std::uint32_t first, std::uint32_t size)
      : Borrow<H>(heap, lent), first_(first), size_(size) {}

  [[nodiscard]] T* data() const { return reinterpret_cast<T*>(this->bytes()) + first_; }
  [[nodiscard]] std::uint32_t size() const { return size_; }  // in elements
  [[nodiscard]] T& operator[](std::uint32_t i) const { return data()[i]; }
  [[nodiscard]] T* begin() const { return data(); }
  [[nodiscard]] T* end() const { return data() + size_; }

 private:
  std::uint32_t first_;
  std::uint32_t size_;
};

template <class H, class T>
using Ref = Reference<H, const T>;
template <class H, class T>
using MutRef = Reference<H, T>;
template <class H, class T>
using SpanRef = SpanReference<H, const T>;
template <class H, class T>
using MutSpanRef = SpanReference<H, T>;

}  // namespace brownout::heap
