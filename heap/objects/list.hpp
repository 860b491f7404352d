// A doubly linked list whose elements are objects of a heap.
#pragma once

#include <cstdint>

#include "heap/objects/handle.hpp"
#include "heap/objects/reference.hpp"

namespace brownout::heap {

// Twelve bytes: first and last element and their number. May itself be part of an object. A list that is
// dropped leaks its elements; clear() frees them.
//
// An element costs 8 bytes beside its value. push_* and insert_* write one or two neighbours, remove() and
// pop_* too: so much must fit the dirty limit at once beside the new element. Whatever fails leaves the list
// as it was, and can be repeated.
template <class T>
class List {
 public:
  static_assert(std::is_trivially_copyable_v<T>, "elements are moved as bytes");
  static_assert(alignof(T) <= 8, "objects are aligned to 8 bytes");

  struct Node {
    std::uint32_t before = 0;  // homes of the neighbours, 0: none
    std::uint32_t after = 0;
    T value;
  };

  // An element, as long as it is in the list.
  class Place {
   public:
    Place() = default;
    [[nodiscard]] bool valid() const { return home_ != 0; }
    [[nodiscard]] std::uint32_t home() const { return home_; }
    friend bool operator==(Place, Place) = default;

   private:
    friend class List;
    explicit Place(std::uint32_t home) : home_(home) {}
    std::uint32_t home_ = 0;
  };

  List() = default;
  List(List&& other) noexcept : first_(other.first_), last_(other.last_), size_(other.size_) {
    other.forget();
  }
  List& operator=(List&& other) noexcept {
    first_ = other.first_;
    last_ = other.last_;
    size_ = other.size_;
    if (this != &other) other.forget();
    return *this;
  }
  List(const List&) = delete;
  List& operator=(const List&) = delete;
  ~List() = default;

  [[nodiscard]] std::uint32_t size() const { return size_; }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] Place first() const { return Place(first_); }
  [[nodiscard]] Place last() const { return Place(last_); }

  // The element behind or in front of this one; not valid at the end. O(1), one read.
  template <class H>
  Result<Place> after(H& heap, Place place) const {
    const Object<Node> at = object(place.home_);
    auto node = heap.read(at);
    if (!node.ok()) return node.error();
    return Place(node.value()->after);
  }
  template <class H>
  Result<Place> before(H& heap, Place place) const {
    const Object<Node> at = object(place.home_);
    auto node = heap.read(at);
    if (!node.ok()) return node.error();
    return Place(node.value()->before);
  }

  // References to the element, as to any object; the value is `reference->value`. Its links are the list's.
  template <class H>
  Result<Ref<H, Node>> read(H& heap, Place place) const {
    const Object<Node> at = object(place.home_);
    return heap.read(at);
  }
  template <class H>
  Result<MutRef<H, Node>> write(H& heap, Place place) const {
    const Object<Node> at = object(place.home_);
    return heap.write(at);
  }

  // Inserts a value; no_storage if the store is full. O(1).
  template <class H>
  Result<Place> push_front(H& heap, const T& value) {
    return insert(heap, 0, value, first_);
  }
  template <class H>
  Result<Place> push_back(H& heap, const T& value) {
    return insert(heap, last_, value, 0);
  }
  template <class H>
  Result<Place> insert_before(H& heap, Place place, const T& value) {
    Result<Place> previous = before(heap, place);
    if (!previous.ok()) return previous.error();
    return insert(heap, previous.value().home_, value, place.home_);
  }
  template <class H>
  Result<Place> insert_after(H& heap, Place place, const T& value) {
    Result<Place> next = after(heap, place);
    if (!next.ok()) return next.error();
    return insert(heap, place.home_, value, next.value().home_);
  }

  // Removes an element and frees it; invalid_handle if the list is empty. `borrowed` if somebody has a
  // reference to it or to a neighbour. O(1).
  template <class H>
  Status remove(H& heap, Place place) {
    std::uint32_t before = 0;
    std::uint32_t after = 0;
    Object<Node> gone = object(place.home_);
    {
      auto node = heap.read(gone);
      if (!node.ok()) return node.error();
      before = node.value()->before;
      after = node.value()->after;
    }
    // The neighbours first: once both are at hand, nothing can fail after the element is freed.
    Neighbour<H> previous(heap, before);
    if (!previous.status().ok()) return previous.status();
    Neighbour<H> next(heap, after);
    if (!next.status().ok()) return next.status();
    if (const Status status = heap.free(gone); !status.ok()) return status;
    (previous.there() ? previous.node().after : first_) = after;
    (next.there() ? next.node().before : last_) = before;
    --size_;
    return {};
  }
  template <class H>
  Status pop_front(H& heap) {
    return remove(heap, first());
  }
  template <class H>
  Status pop_back(H& heap) {
    return remove(heap, last());
  }

  // Removes all elements. After an error those that are left are still a list. O(size).
  template <class H>
  Status clear(H& heap) {
    while (!empty()) {
      if (const Status status = pop_front(heap); !status.ok()) return status;
    }
    return {};
  }

  // Calls visit(const T&) for each element from the first to the last; stops at an error. O(size).
  template <class H, class Visit>
  Status for_each(H& heap, Visit visit) const {
    std::uint32_t left = size_;
    for (std::uint32_t home = first_; home != 0 && left > 0; --left) {
      const Object<Node> at = object(home);
      auto node = heap.read(at);
      if (!node.ok()) return node.error();
      visit(static_cast<const T&>(node.value()->value));
      home = node.value()->after;
    }
    return {};
  }

  // After attach(): says keep() of all elements and mends the list. Links are written home one by one, so a
  // cut can leave a list whose end is missing, or whose way back differs from its way forth: the elements
  // that can be reached from the first one are those that are left. O(size), writes only what is wrong.
  template <class H>
  Status recover(H& heap, MutableBytes marks) {
    std::uint32_t kept = 0;
    std::uint32_t previous = 0;
    std::uint32_t home = first_;
    while (home != 0) {
      const Object<Node> at = object(home);
      if (heap.is_kept(at, marks)) break;
      const Status status = heap.keep(at, marks);
      if (status.error() == Error::invalid_handle) break;
      if (!status.ok()) return status;
      std::uint32_t next = 0;
      if (const Status mended = mend(heap, at, previous, next); !mended.ok()) return mended;
      ++kept;
      previous = home;
      home = next;
    }
    if (home != 0) {  // the rest is gone
      if (previous == 0) {
        first_ = 0;
      } else {
        const Object<Node> end = object(previous);
        auto node = heap.write(end);
        if (!node.ok()) return node.error();
        node.value()->after = 0;
      }
    }
    last_ = previous;
    size_ = kept;
    return {};
  }

 private:
  template <class H>
  static Status mend(H& heap, const Object<Node>& at, std::uint32_t previous, std::uint32_t& next) {
    bool sound = false;
    {
      auto node = heap.read(at);
      if (!node.ok()) return node.error();
      next = node.value()->after;
      sound = node.value()->before == previous;
    }
    if (sound) return {};
    auto node = heap.write(at);
    if (!node.ok()) return node.error();
    node.value()->before = previous;
    return {};
  }

  static Object<Node> object(std::uint32_t home) { return Object<Node>(home, sizeof(Node)); }
  void forget() { first_ = last_ = size_ = 0; }

  // A node whose link is about to change, borrowed; or the end of the list.
  template <class H>
  class Neighbour {
   public:
    Neighbour(H& heap, std::uint32_t home) : node_(borrow(heap, home)), there_(home != 0) {}
    [[nodiscard]] Status status() const { return there_ ? node_.error() : Error::none; }
    [[nodiscard]] bool there() const { return there_; }
    [[nodiscard]] Node& node() { return *node_.value(); }

   private:
    using Mutable = MutRef<H, Node>;
    static Result<Mutable> borrow(H& heap, std::uint32_t home) {
      if (home == 0) return Error::invalid_handle;
      const Object<Node> node = object(home);
      return heap.write(node);
    }
    Result<Mutable> node_;
    bool there_;
  };

  template <class H>
  Result<Place> insert(H& heap, std::uint32_t before, const T& value, std::uint32_t after) {
    Neighbour<H> previous(heap, before);
    if (!previous.status().ok()) return previous.status().error();
    Neighbour<H> next(heap, after);
    if (!next.status().ok()) return next.status().error();
    Result<Object<Node>> made = heap.make(Node{before, after, value});
    if (!made.ok()) return made.error();
    const std::uint32_t home = made.value().home();
    (previous.there() ? previous.node().after : first_) = home;
    (next.there() ? next.node().before : last_) = home;
    ++size_;
    return Place(home);
  }

  std::uint32_t first_ = 0;
  std::uint32_t last_ = 0;
  std::uint32_t size_ = 0;
};

template <class T>
inline constexpr bool kRelocatable<List<T>> = true;

}  // namespace brownout::heap
