// Counts how often it was started, in a heap whose store is a file. Usage: starts FILE
#include <cstdio>

#include "heap/heap.hpp"
#include "heap/storage/file_storage.hpp"

using namespace brownout::heap;

// The platform of a process: nothing interrupts it, and its work costs nothing.
struct Process {
  void charge(Work, std::uint32_t) {}
  void enter_critical() {}
  void exit_critical() {}
  std::uint32_t power_epoch() { return 0; }
  void wait_since_power_on(std::uint32_t) {}
};

alignas(8) std::byte ram[1024];

// Restores what the last start left, or makes a counter at the first; counts; saves. The counter's handle is
// the OS part of the checkpoint: what the program has to find its objects by.
Status count_start(const char* path, std::uint32_t& starts) {
  FileStorage file;
  if (const Status status = file.open(path, 8192, FileStorage::Sync::each_write); !status.ok()) return status;
  Process process;
  Object<std::uint32_t> counter;
  auto* root = reinterpret_cast<std::byte*>(&counter);
  Heap heap(ram, {.ram_bytes = sizeof ram, .dirty_limit_bytes = 512, .os_bytes = sizeof counter}, file,
            process);
  if (const Status status = heap.configuration(); !status.ok()) return status;
  Status restored = heap.restore({root, sizeof counter});
  if (restored.error() == Error::empty) {
    restored = heap.format();
    if (!restored.ok()) return restored;
    auto made = heap.make(std::uint32_t{0});
    if (!made.ok()) return made.error();
    counter = made.take();
  }
  if (!restored.ok()) return restored;
  {
    auto count = heap.write(counter);
    if (!count.ok()) return count.error();
    starts = ++*count.value();
  }
  return heap.persist({root, sizeof counter});
}

int main(int argc, char** argv) {
  std::uint32_t starts = 0;
  if (argc != 2) {
    std::fputs("usage: starts FILE\n", stderr);
    return 2;
  }
  if (const Status status = count_start(argv[1], starts); !status.ok()) {
    std::fprintf(stderr, "starts: %s: error %u\n", argv[1], static_cast<unsigned>(status.error()));
    return 1;
  }
  std::printf("%u\n", starts);
  return 0;
}
