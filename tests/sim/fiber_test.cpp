#include "sim/machine/fiber.hpp"

#include <functional>

#include <gtest/gtest.h>

namespace brownout::sim {
namespace {

// Runs a lambda as a fiber's body.
bool run_on(Fibers& fibers, FiberStack& stack, std::function<void()> body) {
  return fibers.run(
      stack, [](void* f) { (*static_cast<std::function<void()>*>(f))(); }, &body);
}

TEST(Fibers, ReturnsWhenTheBodyDoes) {
  Fibers fibers;
  FiberStack stack(64 * 1024);
  int steps = 0;
  EXPECT_TRUE(run_on(fibers, stack, [&] { ++steps; }));
  EXPECT_EQ(steps, 1);
  EXPECT_EQ(fibers.depth(), 0U);
}

TEST(Fibers, AbandonGoesBackOneRun) {
  Fibers fibers;
  FiberStack outer(64 * 1024);
  FiberStack inner(64 * 1024);
  std::string trace;
  EXPECT_TRUE(run_on(fibers, outer, [&] {
    trace += "a";
    const bool finished = run_on(fibers, inner, [&] {
      trace += "b";
      fibers.abandon();
    });
    trace += finished ? "!" : "c";
  }));
  EXPECT_EQ(trace, "abc");
}

TEST(Fibers, AbandonAllGoesBackToTheFirst) {
  Fibers fibers;
  FiberStack outer(64 * 1024);
  FiberStack inner(64 * 1024);
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(run_on(fibers, outer, [&] {
      static_cast<void>(run_on(fibers, inner, [&] { fibers.abandon_all(); }));
      ADD_FAILURE() << "came back";
    }));
    EXPECT_EQ(fibers.depth(), 0U);
    outer.poison(std::byte{1});
    inner.poison(std::byte{2});
  }
}

}  // namespace
}  // namespace brownout::sim
