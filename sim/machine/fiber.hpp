// Stacks of their own for simulated code, which can be abandoned where they stand.
#pragma once

#include <cstddef>
#include <vector>

namespace brownout::sim {

// Memory for one stack, with an inaccessible page below it.
class FiberStack {
 public:
  explicit FiberStack(std::size_t size_bytes);
  ~FiberStack();
  FiberStack(const FiberStack&) = delete;
  FiberStack& operator=(const FiberStack&) = delete;

  [[nodiscard]] std::byte* base() const { return base_; }
  [[nodiscard]] std::size_t size_bytes() const { return size_; }
  // Overwrites everything: what an abandoned program left there is gone.
  void poison(std::byte pattern);

 private:
  std::byte* mapping_ = nullptr;
  std::byte* base_ = nullptr;
  std::size_t size_ = 0;
  std::size_t guard_ = 0;
};

// Runs functions on such stacks. Runs nest: code on one stack may run something on another.
class Fibers {
 public:
  using Body = void (*)(void* argument);

  // Calls body(argument) on `stack` and returns true when it returns, false when it was abandoned.
  // The body must not let an exception out.
  bool run(FiberStack& stack, Body body, void* argument);

  // From code in the innermost run: goes back to who started it, never to return. No destructor runs, so
  // abandoned frames may not own host memory.
  [[noreturn]] void abandon();
  // The same for all runs at once: goes back to who started the outermost.
  [[noreturn]] void abandon_all();

  [[nodiscard]] std::size_t depth() const { return frames_.size(); }

 private:
  struct Frame {
    void* caller = nullptr;              // context to go back to
    const void* caller_stack = nullptr;  // for the address sanitizer
    std::size_t caller_stack_size = 0;
    Body body = nullptr;
    void* argument = nullptr;
  };
  struct Entry;

  [[noreturn]] void leave(std::size_t to_depth, bool finished);

  std::vector<Frame> frames_;
};

}  // namespace brownout::sim
