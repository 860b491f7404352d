// The typed operations, made of those on bytes. Everything that keeps objects can offer them: a heap, and
// what a simulator puts in its place.
#pragma once

#include <cstdint>

#include "heap/objects/handle.hpp"
#include "heap/objects/reference.hpp"

namespace brownout::heap {

// H offers, for all of this:
//   Result<Handle> make_bytes(size_bytes, Dirtiness, const std::byte* value)  a new object; value nullptr:
//   zeros Status free_bytes(Handle&, void (*destroy)(std::byte*))                   destroy, if not nullptr,
//   is called
//                                                                             on the object in RAM before it
//                                                                             goes
//   Result<Lent> lend_reader(const Handle&)
//   Result<Lent> lend_writer(const Handle&, offset_bytes, size_bytes)         makes that part dirty
//   void give_back(const Lent&)
// and for roots, where there are any:
//   Result<Handle> find_root(std::uint32_t name)
template <class H>
class Typed {
 public:
  // A new object, moved into the heap. no_storage, no_ram, dirty_limit, too_large, storage_failed: nothing is
  // left behind.
  template <class T>
  Result<Object<T>> make(T value) {
    Result<Handle> handle =
        self().make_bytes(sizeof(T), Dirtiness::whole, reinterpret_cast<std::byte*>(&value));
    if (!handle.ok()) return handle.error();
    if constexpr (!std::is_trivially_copyable_v<T>) {
      // The object lives on in the heap. What is left here is a copy of its bytes, which must not be
      // destroyed twice: a fresh T that was moved from takes its place.
      static_assert(std::is_nothrow_default_constructible_v<T>,
                    "a relocatable T needs a default constructor");
      new (&value) T();
    }
    return Object<T>(handle.take());
  }
  // A new array of zeros.
  template <class T, std::uint32_t N>
  Result<Array<T, N>> make_array() {
    Result<Handle> handle = self().make_bytes(sizeof(T) * N, Dirtiness::partial, nullptr);
    if (!handle.ok()) return handle.error();
    return Array<T, N>(handle.take());
  }
  // A new buffer of zeros.
  Result<Buffer> make_buffer(std::uint32_t size_bytes, Dirtiness dirtiness = Dirtiness::whole) {
    Result<Handle> handle = self().make_bytes(size_bytes, dirtiness, nullptr);
    if (!handle.ok()) return handle.error();
    return Buffer(handle.take());
  }

  // Frees an object; the handle is invalid afterwards. `borrowed` while a reference lives; storage_failed
  // leaves object and handle as they were. An object with a destructor is loaded first.
  template <class T>
  Status free(Object<T>& object) {
    if constexpr (std::is_trivially_destructible_v<T>) {
      return self().free_bytes(object, nullptr);
    } else {
      return self().free_bytes(object,
                               [](std::byte* data) { std::launder(reinterpret_cast<T*>(data))->~T(); });
    }
  }
  template <class T, std::uint32_t N>
  Status free(Array<T, N>& array) {
    return self().free_bytes(array, nullptr);
  }
  Status free(Buffer& buffer) { return self().free_bytes(buffer, nullptr); }

  // References. An object that is not resident is loaded, which may unload and flush others. Any number of
  // readers (14) or one writer at a time, else `borrowed`. A mutable reference makes the object dirty, or of
  // an array or a buffer with partial dirtiness the part that it covers; out_of_range if there is no such
  // part. Not of a temporary handle: nobody could free its object.
  template <class T>
  Result<Ref<H, T>> read(const Object<T>& object) {
    Result<Lent> lent = self().lend_reader(object);
    if (!lent.ok()) return lent.error();
    return Ref<H, T>(self(), lent.value());
  }
  template <class T>
  Result<MutRef<H, T>> write(const Object<T>& object) {
    Result<Lent> lent = self().lend_writer(object, 0, object.size_bytes());
    if (!lent.ok()) return lent.error();
    return MutRef<H, T>(self(), lent.value());
  }
  template <class T, std::uint32_t N>
  Result<SpanRef<H, T>> read(const Array<T, N>& array) {
    return span<const T>(self().lend_reader(array), 0, N);
  }
  template <class T, std::uint32_t N>
  Result<MutSpanRef<H, T>> write(const Array<T, N>& array) {
    return write(array, 0, N);
  }
  // Elements [first, first + count).
  template <class T, std::uint32_t N>
  Result<MutSpanRef<H, T>> write(const Array<T, N>& array, std::uint32_t first, std::uint32_t count) {
    if (first > N || count > N - first) return Error::out_of_range;
    return span<T>(self().lend_writer(array, first * sizeof(T), count * sizeof(T)), first, count);
  }
  Result<SpanRef<H, std::byte>> read(const Buffer& buffer) {
    return span<const std::byte>(self().lend_reader(buffer), 0, buffer.size_bytes());
  }
  Result<MutSpanRef<H, std::byte>> write(const Buffer& buffer) {
    return write(buffer, 0, buffer.size_bytes());
  }
  // Bytes [first, first + count).
  Result<MutSpanRef<H, std::byte>> write(const Buffer& buffer, std::uint32_t first, std::uint32_t count) {
    if (first > buffer.size_bytes() || count > buffer.size_bytes() - first) return Error::out_of_range;
    return span<std::byte>(self().lend_writer(buffer, first, count), first, count);
  }
  // What a named root leads to. invalid_handle if it is something else, as far as its size tells.
  template <class T>
  Result<Object<T>> root(std::uint32_t name) {
    return rooted<Object<T>>(name, sizeof(T), Dirtiness::whole);
  }
  template <class T, std::uint32_t N>
  Result<Array<T, N>> root_array(std::uint32_t name) {
    return rooted<Array<T, N>>(name, sizeof(T) * N, Dirtiness::partial);
  }
  Result<Buffer> root_buffer(std::uint32_t name) {
    Result<Handle> found = self().find_root(name);
    if (!found.ok()) return found.error();
    return Buffer(found.take());
  }

  template <class T>
  void read(const Object<T>&&) = delete;
  template <class T>
  void write(const Object<T>&&) = delete;
  template <class T, std::uint32_t N>
  void read(const Array<T, N>&&) = delete;
  template <class T, std::uint32_t N>
  void write(const Array<T, N>&&) = delete;
  template <class T, std::uint32_t N>
  void write(const Array<T, N>&&, std::uint32_t, std::uint32_t) = delete;
  void read(const Buffer&&) = delete;
  void write(const Buffer&&) = delete;
  void write(const Buffer&&, std::uint32_t, std::uint32_t) = delete;

 protected:
  Typed() = default;
  ~Typed() = default;

 private:
  H& self() { return static_cast<H&>(*this); }

  template <class Kind>
  Result<Kind> rooted(std::uint32_t name, std::uint32_t size_bytes, Dirtiness dirtiness) {
    Result<Handle> found = self().find_root(name);
    if (!found.ok()) return found.error();
    const bool fits = found.value().size_bytes() == size_bytes &&
                      found.value().partial() == (dirtiness == Dirtiness::partial);
    if (!fits) return Error::invalid_handle;
    return Kind(found.take());
  }

  template <class T>
  Result<SpanReference<H, T>> span(Result<Lent> lent, std::uint32_t first, std::uint32_t count) {
    if (!lent.ok()) return lent.error();
    return SpanReference<H, T>(self(), lent.value(), first, count);
  }
};

}  // namespace brownout::heap
