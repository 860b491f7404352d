#include "sim/machine/fiber.hpp"

#include <cassert>
#include <cstdint>
#include <cstring>
#include <new>

#include <boost/context/detail/fcontext.hpp>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define BROWNOUT_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BROWNOUT_ASAN 1
#endif
#endif
#ifdef BROWNOUT_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif

namespace brownout::sim {
namespace {

namespace context = boost::context::detail;

void announce_switch([[maybe_unused]] const void* stack, [[maybe_unused]] std::size_t size) {
#ifdef BROWNOUT_ASAN
  // A null fake stack: whoever switches away by leaving never comes back.
  __sanitizer_start_switch_fiber(nullptr, stack, size);
#endif
}

void forget_red_zones([[maybe_unused]] const void* stack, [[maybe_unused]] std::size_t size) {
#ifdef BROWNOUT_ASAN
  __asan_unpoison_memory_region(stack, size);
#endif
}

void confirm_switch([[maybe_unused]] const void** from, [[maybe_unused]] std::size_t* size) {
#ifdef BROWNOUT_ASAN
  __sanitizer_finish_switch_fiber(nullptr, from, size);
#endif
}

}  // namespace

FiberStack::FiberStack(std::size_t size_bytes) : guard_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
  size_ = (size_bytes + guard_ - 1) / guard_ * guard_;
  void* memory = mmap(nullptr, size_ + guard_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  mapping_ = static_cast<std::byte*>(memory);
  base_ = mapping_ + guard_;
  if (mprotect(mapping_, guard_, PROT_NONE) != 0) {
    munmap(mapping_, size_ + guard_);
    throw std::bad_alloc();
  }
  forget_red_zones(base_, size_);  // of a stack that was mapped here before
}

FiberStack::~FiberStack() { munmap(mapping_, size_ + guard_); }

void FiberStack::poison(std::byte pattern) {
  forget_red_zones(base_, size_);  // of frames that were abandoned
  std::memset(base_, static_cast<int>(pattern), size_);
}

// The first thing on a new stack.
struct Fibers::Entry {
  static void start(context::transfer_t transfer) {
    auto* fibers = static_cast<Fibers*>(transfer.data);
    Frame& frame = fibers->frames_.back();
    confirm_switch(&frame.caller_stack, &frame.caller_stack_size);
    frame.caller = transfer.fctx;
    frame.body(frame.argument);
    fibers->leave(fibers->frames_.size() - 1, true);
  }
};

bool Fibers::run(FiberStack& stack, Body body, void* argument) {
  Frame frame;
  frame.body = body;
  frame.argument = argument;
  frames_.push_back(frame);
  const context::fcontext_t entry =
      context::make_fcontext(stack.base() + stack.size_bytes(), stack.size_bytes(), &Entry::start);
#ifdef BROWNOUT_ASAN
  void* fake_stack = nullptr;
  __sanitizer_start_switch_fiber(&fake_stack, stack.base(), stack.size_bytes());
#endif
  const context::transfer_t back = context::jump_fcontext(entry, this);
#ifdef BROWNOUT_ASAN
  __sanitizer_finish_switch_fiber(fake_stack, nullptr, nullptr);
#endif
  return back.data != nullptr;
}

void Fibers::abandon() {
  assert(!frames_.empty());
  leave(frames_.size() - 1, false);
}

void Fibers::abandon_all() {
  assert(!frames_.empty());
  leave(0, false);
}

void Fibers::leave(std::size_t to_depth, bool finished) {
  const Frame frame = frames_[to_depth];
  frames_.resize(to_depth);
  announce_switch(frame.caller_stack, frame.caller_stack_size);
  context::jump_fcontext(frame.caller, finished ? this : nullptr);
  __builtin_unreachable();
}

}  // namespace brownout::sim
