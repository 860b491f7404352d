// What the C library of HDF5 is needed for: a file, its groups, whole-number columns and attributes, each
// checked and refused in one line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hdf5.h>

#include "sim/scenario/input_error.hpp"

namespace brownout::sim {

// An open thing of the library, closed by the function for its kind.
class Hdf5Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Hdf5Handle() = default;
  Hdf5Handle(hid_t id, Close close) : id_(id), close_(close) {}
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle(Hdf5Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Hdf5Handle& operator=(Hdf5Handle&& other) noexcept {
    std::swap(id_, other.id_);
    std::swap(close_, other.close_);
    return *this;
  }
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }

  [[nodiscard]] hid_t id() const { return id_; }
  [[nodiscard]] bool is_open() const { return id_ >= 0; }

 private:
  hid_t id_ = -1;
  Close close_ = nullptr;
};

// Whether the file begins as HDF5 does.
bool is_hdf5(const std::string& path);

// A column of unsigned integers, read in blocks.
class Hdf5Column {
 public:
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  // As a double that is finite, or nothing if there is no such attribute. Throws InputError for anything
  // else.
  [[nodiscard]] std::optional<double> number_attribute(const char* attribute) const;
  [[nodiscard]] std::optional<std::string> text_attribute(const char* attribute) const;
  // Rows [first, first + count) into `values`; throws InputError if they cannot be read.
  void read(std::uint64_t first, std::size_t count, std::uint64_t* values) const;
  void read(std::uint64_t first, std::size_t count, std::uint32_t* values) const;
  // Throws InputError: "<file>:<column>: <complaint>".
  [[noreturn]] void fail(const std::string& complaint) const;

 private:
  friend class Hdf5File;
  void read_as(hid_t type, std::uint64_t first, std::size_t count, void* values) const;

  std::string path_;
  std::string name_;
  Hdf5Handle dataset_;
  std::uint64_t size_ = 0;
};

class Hdf5File {
 public:
  // Opens the file; throws InputError if the library does not take it.
  explicit Hdf5File(const std::string& path);

  // Throws InputError if there is no such group.
  void need_group(const char* name, std::string_view hint) const;
  [[nodiscard]] bool has(const char* name) const;
  // One-dimensional, not empty, unsigned integers of at most `most_bytes` bytes, in chunks that fit into
  // memory and by filters that the library has. Throws InputError for anything else.
  [[nodiscard]] Hdf5Column column(const char* name, std::size_t most_bytes) const;
  // Of a group; nothing if there is none.
  [[nodiscard]] std::optional<std::string> text_attribute(const char* group, const char* attribute) const;
  [[nodiscard]] std::optional<double> number_attribute(const char* group, const char* attribute) const;
  [[noreturn]] void fail(std::string_view object, const std::string& complaint) const;

 private:
  std::string path_;
  Hdf5Handle file_;
};

}  // namespace brownout::sim
