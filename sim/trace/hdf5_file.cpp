#include "sim/trace/hdf5_file.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

// A chunk is the least that can be read, and three columns have one in memory each.
constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{16} << 20;
constexpr std::size_t kMaxTextBytes = 256;

[[noreturn]] void fail_at(const std::string& path, std::string_view object, const std::string& complaint) {
  throw InputError({object.empty() ? path : fmt::format("{}:{}", path, object), 0, 0}, complaint);
}

// What the library says of its last error: the innermost line of its stack.
std::string library_reason() {
  std::string reason;
  H5Ewalk2(
      H5E_DEFAULT, H5E_WALK_UPWARD,
      [](unsigned, const H5E_error2_t* error, void* into) {
        auto& text = *static_cast<std::string*>(into);
        if (text.empty() && error->desc != nullptr) text = error->desc;
        return herr_t{0};
      },
      &reason);
  return reason.empty() ? "the HDF5 library does not say why" : escaped(reason);
}

Hdf5Handle open_attribute(hid_t object, const char* attribute) {
  if (H5Aexists(object, attribute) <= 0) return {};
  return {H5Aopen(object, attribute, H5P_DEFAULT), H5Aclose};
}

bool is_single(hid_t attribute) {
  const Hdf5Handle space(H5Aget_space(attribute), H5Sclose);
  return H5Sget_simple_extent_npoints(space.id()) == 1;
}

std::optional<double> read_number(const std::string& path, std::string_view object, hid_t id,
                                  const char* name) {
  const Hdf5Handle attribute = open_attribute(id, name);
  if (!attribute.is_open()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.id());
  double value = 0;
  const bool read = (kind == H5T_FLOAT || kind == H5T_INTEGER) && is_single(attribute.id()) &&
                    H5Aread(attribute.id(), H5T_NATIVE_DOUBLE, &value) >= 0;
  if (!read || !std::isfinite(value))
    fail_at(path, object, fmt::format("attribute {} is not a number; it must be a finite one", name));
  return value;
}

std::optional<std::string> read_text(const std::string& path, std::string_view object, hid_t id,
                                     const char* name) {
  const Hdf5Handle attribute = open_attribute(id, name);
  if (!attribute.is_open()) return std::nullopt;
  const Hdf5Handle type(H5Aget_type(attribute.id()), H5Tclose);
  const bool is_text = H5Tget_class(type.id()) == H5T_STRING && is_single(attribute.id());
  if (!is_text) fail_at(path, object, fmt::format("attribute {} is not a text", name));
  if (H5Tis_variable_str(type.id()) > 0) {
    char* text = nullptr;
    if (H5Aread(attribute.id(), type.id(), static_cast<void*>(&text)) < 0 || text == nullptr)
      fail_at(path, object, fmt::format("attribute {} cannot be read: {}", name, library_reason()));
    const std::unique_ptr<char, herr_t (*)(void*)> owner(text, H5free_memory);
    return std::string(text, strnlen(text, kMaxTextBytes));
  }
  const std::size_t size = H5Tget_size(type.id());
  if (size > kMaxTextBytes)
    fail_at(path, object,
            fmt::format("attribute {} is a text of {} B; at most {}", name, size, kMaxTextBytes));
  std::array<char, kMaxTextBytes> text{};
  if (H5Aread(attribute.id(), type.id(), text.data()) < 0)
    fail_at(path, object, fmt::format("attribute {} cannot be read: {}", name, library_reason()));
  // Padded with NUL or, as Fortran does it, with blanks.
  return std::string(trimmed(std::string_view(text.data(), strnlen(text.data(), size))));
}

std::string_view name_of_class(H5T_class_t kind) {
  switch (kind) {
    case H5T_FLOAT: return "floating-point numbers";
    case H5T_INTEGER: return "signed integers";
    case H5T_STRING: return "texts";
    case H5T_COMPOUND: return "records";
    default: return "neither integers nor floating-point numbers";
  }
}

void check_type(const Hdf5Column& column, hid_t dataset, std::size_t most_bytes) {
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  const H5T_class_t kind = H5Tget_class(type.id());
  if (kind != H5T_INTEGER || H5Tget_sign(type.id()) != H5T_SGN_NONE)
    column.fail(fmt::format("holds {}; it must be unsigned integers", name_of_class(kind)));
  if (const std::size_t bytes = H5Tget_size(type.id()); bytes > most_bytes)
    column.fail(fmt::format("holds integers of {} bit; at most {}", 8 * bytes, 8 * most_bytes));
}

std::uint64_t checked_size(const Hdf5Column& column, hid_t dataset) {
  const Hdf5Handle space(H5Dget_space(dataset), H5Sclose);
  const int dimensions = H5Sget_simple_extent_ndims(space.id());
  if (dimensions != 1) column.fail(fmt::format("has {} dimensions; it must have one", dimensions));
  hsize_t size = 0;
  H5Sget_simple_extent_dims(space.id(), &size, nullptr);
  if (size == 0) column.fail("is empty; there must be a sample");
  return size;
}

// Bytes of a chunk, 0 without chunks.
std::uint64_t checked_chunk(const Hdf5Column& column, hid_t dataset) {
  const Hdf5Handle creation(H5Dget_create_plist(dataset), H5Pclose);
  for (int i = 0; i < H5Pget_nfilters(creation.id()); ++i) {
    unsigned flags = 0;
    std::size_t values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter = H5Pget_filter2(creation.id(), static_cast<unsigned>(i), &flags, &values,
                                               nullptr, name.size(), name.data(), nullptr);
    if (H5Zfilter_avail(filter) <= 0) {
      column.fail(
          fmt::format("is compressed by filter {} {}, which the HDF5 library lacks; "
                      "`h5repack -f GZIP=1 OLD NEW`, where it is known, makes it one that it has",
                      static_cast<int>(filter), in_quotes(name.data())));
    }
  }
  if (H5Pget_layout(creation.id()) != H5D_CHUNKED) return 0;
  hsize_t rows = 0;
  H5Pget_chunk(creation.id(), 1, &rows);
  const Hdf5Handle type(H5Dget_type(dataset), H5Tclose);
  const std::uint64_t bytes = rows * H5Tget_size(type.id());
  if (bytes > kMaxChunkBytes) {
    column.fail(
        fmt::format("has chunks of {} B; at most {}, such as `h5repack -l CHUNK=100000 OLD NEW` makes", bytes,
                    kMaxChunkBytes));
  }
  return bytes;
}

// The library's cache of where the chunks are would otherwise grow with the file. It counts bytes of the
// file, of which each takes eight in memory; who reads front to back needs a few nodes of the tree.
void limit_metadata(hid_t access) {
  constexpr std::size_t kCacheBytes = std::size_t{1} << 16;
  H5AC_cache_config_t config{};
  config.version = H5AC__CURR_CACHE_CONFIG_VERSION;
  H5Pget_mdc_config(access, &config);
  config.set_initial_size = true;
  config.initial_size = kCacheBytes;
  config.min_size = kCacheBytes;
  config.max_size = kCacheBytes;
  config.incr_mode = H5C_incr__off;
  config.flash_incr_mode = H5C_flash_incr__off;
  config.decr_mode = H5C_decr__off;
  H5Pset_mdc_config(access, &config);
}

}  // namespace

bool is_hdf5(const std::string& path) {
  constexpr std::string_view kSignature("\x89HDF\r\n\x1a\n", 8);
  std::array<char, 8> begin{};
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rb"), std::fclose);
  return file && std::fread(begin.data(), 1, begin.size(), file.get()) == begin.size() &&
         std::string_view(begin.data(), begin.size()) == kSignature;
}

void Hdf5Column::fail(const std::string& complaint) const { fail_at(path_, name_, complaint); }

std::optional<double> Hdf5Column::number_attribute(const char* attribute) const {
  return read_number(path_, name_, dataset_.id(), attribute);
}

std::optional<std::string> Hdf5Column::text_attribute(const char* attribute) const {
  return read_text(path_, name_, dataset_.id(), attribute);
}

void Hdf5Column::read(std::uint64_t first, std::size_t count, std::uint64_t* values) const {
  read_as(H5T_NATIVE_UINT64, first, count, values);
}

void Hdf5Column::read(std::uint64_t first, std::size_t count, std::uint32_t* values) const {
  read_as(H5T_NATIVE_UINT32, first, count, values);
}

void Hdf5Column::read_as(hid_t type, std::uint64_t first, std::size_t count, void* values) const {
  const hsize_t offset = first;
  const hsize_t rows = count;
  const Hdf5Handle in_file(H5Dget_space(dataset_.id()), H5Sclose);
  const Hdf5Handle in_memory(H5Screate_simple(1, &rows, nullptr), H5Sclose);
  const bool read =
      H5Sselect_hyperslab(in_file.id(), H5S_SELECT_SET, &offset, nullptr, &rows, nullptr) >= 0 &&
      H5Dread(dataset_.id(), type, in_memory.id(), in_file.id(), H5P_DEFAULT, values) >= 0;
  if (!read) {
    fail_at(path_, fmt::format("{}[{}]", name_, first), fmt::format("cannot be read: {}", library_reason()));
  }
}

Hdf5File::Hdf5File(const std::string& path) : path_(path) {
  // Otherwise the library prints its stack of errors on the standard error.
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  limit_metadata(access.id());
  file_ = Hdf5Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.id()), H5Fclose);
  if (!file_.is_open())
    fail_at(path_, "", fmt::format("HDF5, but cannot be opened: {}; is it whole?", library_reason()));
}

bool Hdf5File::has(const char* name) const { return H5Lexists(file_.id(), name, H5P_DEFAULT) > 0; }

void Hdf5File::need_group(const char* name, std::string_view hint) const {
  const Hdf5Handle group(has(name) ? H5Gopen2(file_.id(), name, H5P_DEFAULT) : -1, H5Gclose);
  if (!group.is_open()) fail(name, fmt::format("there is no such group; {}", hint));
}

Hdf5Column Hdf5File::column(const char* name, std::size_t most_bytes) const {
  Hdf5Column column;
  column.path_ = path_;
  column.name_ = name;
  if (!has(name)) column.fail("there is no such dataset");
  column.dataset_ = Hdf5Handle(H5Dopen2(file_.id(), name, H5P_DEFAULT), H5Dclose);
  if (!column.dataset_.is_open()) column.fail(fmt::format("is no dataset: {}", library_reason()));
  check_type(column, column.dataset_.id(), most_bytes);
  column.size_ = checked_size(column, column.dataset_.id());
  // A chunk that does not fit into the cache is unpacked again for each block that is read from it.
  constexpr std::uint64_t kSmallestCache = std::uint64_t{1} << 20;
  const std::uint64_t cache = std::max(checked_chunk(column, column.dataset_.id()), kSmallestCache);
  const Hdf5Handle access(H5Pcreate(H5P_DATASET_ACCESS), H5Pclose);
  H5Pset_chunk_cache(access.id(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, cache, 1.0);
  column.dataset_ = Hdf5Handle();
  column.dataset_ = Hdf5Handle(H5Dopen2(file_.id(), name, access.id()), H5Dclose);
  return column;
}

std::optional<std::string> Hdf5File::text_attribute(const char* group, const char* attribute) const {
  const Hdf5Handle opened(H5Gopen2(file_.id(), group, H5P_DEFAULT), H5Gclose);
  return read_text(path_, group, opened.id(), attribute);
}

std::optional<double> Hdf5File::number_attribute(const char* group, const char* attribute) const {
  const Hdf5Handle opened(H5Gopen2(file_.id(), group, H5P_DEFAULT), H5Gclose);
  return read_number(path_, group, opened.id(), attribute);
}

void Hdf5File::fail(std::string_view object, const std::string& complaint) const {
  fail_at(path_, object, complaint);
}

}  // namespace brownout::sim
