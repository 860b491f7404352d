// The least that a heap needs to be compiled; nothing here runs.
#pragma once

#include "heap/heap.hpp"
#include "heap/objects/list.hpp"
#include "heap/slots/compact.hpp"

using namespace brownout::heap;

struct Board {
  void charge(Work, std::uint32_t);
  void enter_critical();
  void exit_critical();
  std::uint32_t power_epoch();
  void wait_since_power_on(std::uint32_t);
};
struct Store {
  std::uint32_t size_bytes();
  Status start();
  Status begin_write(std::uint32_t, OutStream);
  Status begin_read(std::uint32_t, InStream);
  TransferState poll();
  void abort();
};
using TheHeap = Heap<Board, Store>;
