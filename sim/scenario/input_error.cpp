#include "sim/scenario/input_error.hpp"

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

std::string one_line(const Location& where, const std::string& message) {
  if (where.line == 0) return fmt::format("{}: {}", escaped(where.file), escaped(message));
  return fmt::format("{}:{}:{}: {}", escaped(where.file), where.line, where.column, escaped(message));
}

}  // namespace

InputError::InputError(const Location& where, const std::string& message)
    : std::runtime_error(one_line(where, message)), where_(where), message_(escaped(message)) {}

}  // namespace brownout::sim
