#include "sim/scenario/custom_workloads.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "sim/scenario/text.hpp"

namespace brownout::sim {
namespace {

constexpr std::size_t kLongestName = 40;
constexpr std::string_view kNameCharacters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

struct CustomWorkload {
  std::string name;
  firmware::CustomRun run;
  CustomStart start;
};

// Made at the first call, so that a constructor of a static object may add a workload, too.
std::vector<CustomWorkload>& workloads() {
  static std::vector<CustomWorkload> workloads;
  return workloads;
}

const CustomWorkload* find(std::string_view name) {
  const auto& all = workloads();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const CustomWorkload& each) { return each.name == name; });
  return found == all.end() ? nullptr : &*found;
}

[[noreturn]] void refuse(std::string_view name, const std::string& complaint) {
  throw std::invalid_argument(fmt::format("add_workload({}): {}", in_quotes(name), complaint));
}

}  // namespace

void add_workload(std::string_view name, firmware::CustomRun run, CustomStart start) {
  if (name.empty() || name.size() > kLongestName) {
    refuse(name, fmt::format("a name has 1 to {} characters, not {}", kLongestName, name.size()));
  }
  if (name.find_first_not_of(kNameCharacters) != std::string_view::npos) {
    refuse(name, "a name consists of the letters a to z and A to Z, digits, `_` and `-`");
  }
  if (find(name) != nullptr) refuse(name, "there is a workload of this name already");
  if (run == nullptr) refuse(name, "there is no function");
  workloads().push_back({std::string(name), run, start});
}

std::vector<std::string_view> custom_workload_names() {
  std::vector<std::string_view> names;
  for (const CustomWorkload& workload : workloads()) names.emplace_back(workload.name);
  return names;
}

firmware::CustomRun find_custom_workload(std::string_view name) {
  const CustomWorkload* found = find(name);
  return found == nullptr ? nullptr : found->run;
}

bool custom_workload_attaches(std::string_view name) {
  const CustomWorkload* found = find(name);
  return found != nullptr && found->start == CustomStart::attaches;
}

}  // namespace brownout::sim
