// Makes a failing sequence small enough to be understood.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "operation.hpp"

namespace brownout::heap::testing::model {

// Why a sequence fails; empty if it does not.
using Fails = std::function<std::string(const std::vector<Op>& ops)>;

struct Shrunk {
  std::vector<Op> ops;
  std::string reason;
  std::size_t runs = 0;
};

// Drops operations, large pieces first, then makes what is left simpler, for as long as that finds anything and
// no longer than `seconds`. What is left need not fail for the same reason.
Shrunk shrink(std::vector<Op> ops, const Fails& fails, double seconds);

}  // namespace brownout::heap::testing::model
