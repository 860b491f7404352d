// Storage in a file. For hosted systems only: the one header of heap/ that needs an operating system
// (POSIX: open, pread, pwrite, fsync). Firmware does not include it.
#pragma once

#include <cerrno>
#include <cstdint>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "heap/storage/slicer.hpp"
#include "heap/storage/storage.hpp"

namespace brownout::heap {

// The file has the size of the store and nothing else in it. It is one program's: nothing locks it.
class FileStorage {
 public:
  enum class Sync : std::uint8_t {
    never,       // bytes outlive the program, not an outage of the host
    each_write,  // fsync at the end of each write transfer: they outlive that as well
  };

  FileStorage() = default;
  FileStorage(const FileStorage&) = delete;
  FileStorage& operator=(const FileStorage&) = delete;
  ~FileStorage() { close(); }

  // Opens the file, or makes one of `size_bytes` zeros where there is none; one that is open is closed
  // first. wrong_part: a file of another size, which stays as it is. storage_failed: the system refuses.
  Status open(const char* path, std::uint32_t size_bytes, Sync sync) {
    close();
    const Status status = open_file(path, size_bytes);
    if (!status.ok()) {
      close();
      return status;
    }
    size_bytes_ = size_bytes;
    sync_ = sync;
    return {};
  }

  // Bytes; 0 if no file is open.
  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

  // storage_failed if no file is open. O(1).
  [[nodiscard]] Status start() const { return fd_ >= 0 ? Error::none : Error::storage_failed; }

  // Take up a transfer; always succeed. One that leaves the file fails in poll(). O(1).
  Status begin_write(std::uint32_t address, OutStream data) {
    transfer_.begin_write(address, data);
    return {};
  }
  Status begin_read(std::uint32_t address, InStream data) {
    transfer_.begin_read(address, data);
    return {};
  }

  // Writes or reads one piece, or syncs at the end. `failed` if the system reports an error, and if the
  // piece leaves the file; nothing of it is written then. O(its bytes).
  TransferState poll() {
    const bool sync = sync_ == Sync::each_write && transfer_.is_write();
    const TransferState state = transfer_.poll(
        size_bytes_, [this](std::uint32_t address, auto piece) { return move(address, piece); });
    if (state != TransferState::done || !sync) return state;
    return repeat_interrupted([this] { return ::fsync(fd_); }) == 0 ? state : TransferState::failed;
  }

  // The piece that a poll has moved is in the file; none follows.
  void abort() { transfer_.drop(); }

 private:
  static_assert(sizeof(off_t) >= 8, "offsets of 32 bits do not reach every address");

  // Makes a system call again as long as a signal cuts it short.
  template <class Call>
  static auto repeat_interrupted(Call call) -> decltype(call()) {
    for (;;) {
      const auto result = call();
      if (result >= 0 || errno != EINTR) return result;
    }
  }

  Status open_file(const char* path, std::uint32_t size_bytes) {
    fd_ = repeat_interrupted([&] { return ::open(path, O_RDWR | O_CLOEXEC); });
    if (fd_ < 0) return errno == ENOENT ? create_file(path, size_bytes) : Error::storage_failed;
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return Error::storage_failed;
    return info.st_size == off_t{size_bytes} ? Error::none : Error::wrong_part;
  }
  // Leaves no file behind that open() would refuse from then on.
  Status create_file(const char* path, std::uint32_t size_bytes) {
    fd_ = repeat_interrupted([&] { return ::open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666); });
    if (fd_ < 0) return Error::storage_failed;
    if (repeat_interrupted([&] { return ::ftruncate(fd_, off_t{size_bytes}); }) == 0) return {};
    ::unlink(path);
    return Error::storage_failed;
  }
  void close() {
    transfer_.drop();
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
    size_bytes_ = 0;
  }

  [[nodiscard]] bool move(std::uint32_t address, ConstBytes piece) const {
    return move_all(address, piece, [this](off_t offset, ConstBytes rest) {
      return ::pwrite(fd_, rest.data, rest.size, offset);
    });
  }
  [[nodiscard]] bool move(std::uint32_t address, MutableBytes piece) const {
    return move_all(address, piece, [this](off_t offset, MutableBytes rest) {
      return ::pread(fd_, rest.data, rest.size, offset);
    });
  }
  // The system may move less than it is told to. Nothing at all is an error: the file became shorter.
  template <class Piece, class Call>
  static bool move_all(std::uint32_t address, Piece rest, Call call) {
    off_t offset{address};
    while (rest.size > 0) {
      const ssize_t moved = repeat_interrupted([&] { return call(offset, rest); });
      if (moved <= 0) return false;
      offset += moved;
      rest.data += moved;
      rest.size -= static_cast<std::uint32_t>(moved);
    }
    return true;
  }

  int fd_ = -1;
  std::uint32_t size_bytes_ = 0;
  Sync sync_ = Sync::never;
  PieceTransfer transfer_;
};

}  // namespace brownout::heap
