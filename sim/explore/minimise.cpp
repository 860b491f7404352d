#include "sim/explore/minimise.hpp"

#include <optional>
#include <variant>

#include <fmt/format.h>

#include "sim/scenario/fit.hpp"
#include "sim/scenario/input_error.hpp"

namespace brownout::sim::explore {
namespace {

// A number of a scenario that can be made smaller, and its least value.
struct Knob {
  const char* path;
  std::uint64_t value;
  std::uint64_t least;
  const char* unit;
};

std::vector<Knob> knobs_of(const Scenario& scenario) {
  std::vector<Knob> knobs;
  if (const auto* counter = std::get_if<CounterConfig>(&scenario.workload)) {
    knobs.push_back({"workload.objects", counter->objects, 1, ""});
    knobs.push_back({"workload.size", counter->size_bytes, 4, " B"});
    knobs.push_back({"workload.compute_cycles", counter->compute_cycles, 0, ""});
  }
  if (const auto* queue = std::get_if<QueueConfig>(&scenario.workload)) {
    knobs.push_back({"workload.length", queue->length, 0, ""});
    knobs.push_back({"workload.item_bytes", queue->item_bytes, 4, " B"});
  }
  knobs.push_back({"mcu.os_save_bytes", scenario.mcu.os_save_bytes, 0, " B"});
  knobs.push_back({"heap.ram", scenario.heap.ram_bytes, 128, " B"});
  return knobs;
}

std::optional<Scenario> load(const std::string& file, const std::vector<std::string>& sets,
                             std::uint64_t seed) {
  try {
    std::vector<Override> overrides;
    for (const std::string& set : sets) overrides.push_back({set});
    Scenario scenario = load_scenario(file, overrides, seed);
    check_fit(scenario);
    return scenario;
  } catch (const InputError&) {
    return std::nullopt;  // too small to be one
  }
}

std::optional<Failure> first_failure(const Scenario& scenario, ExploreOptions options, Course course) {
  options.stops_at_failure = true;
  options.jobs = 1;
  options.from = 0;
  options.to.reset();
  options.sample.reset();
  // The control run of a course is what others are held against.
  options.courses = course == Course::first_image ? std::vector<Course>{course}
                                                  : std::vector<Course>{Course::first_image, course};
  const ExploreResult result = explore(scenario, options);
  for (const Failure& failure : result.failures) {
    if (failure.course == course) return failure;
  }
  return std::nullopt;
}

}  // namespace

Minimised minimise(const std::string& file, const std::vector<std::string>& sets, std::uint64_t seed,
                   const ExploreOptions& options, const Failure& failure, const std::string& build_id) {
  Minimised best;
  best.failure = failure;
  std::vector<std::string> best_sets = sets;
  ExploreOptions smaller = options;
  smaller.operations = failure.operations + 1;
  const auto try_sets = [&](const std::vector<std::string>& candidate) {
    ++best.tried;
    const auto scenario = load(file, candidate, seed);
    if (!scenario) return false;
    const auto found = first_failure(*scenario, smaller, failure.course);
    if (!found || found->check != failure.check) return false;
    best.failure = *found;
    best_sets = candidate;
    ++best.shrunk;
    smaller.operations = std::min(smaller.operations, found->operations + 1);
    return true;
  };
  for (bool progress = true; progress;) {
    progress = false;
    const auto scenario = load(file, best_sets, seed);
    if (!scenario) break;
    for (const Knob& knob : knobs_of(*scenario)) {
      for (std::uint64_t value = knob.value; value > knob.least;) {
        const std::uint64_t half = std::max(knob.least, value / 2);
        std::vector<std::string> candidate = best_sets;
        const std::string prefix = fmt::format("{}=", knob.path);
        std::erase_if(candidate, [&](const std::string& set) { return set.rfind(prefix, 0) == 0; });
        candidate.push_back(fmt::format("{}{}{}", prefix, half, knob.unit));
        if (!try_sets(candidate)) break;
        progress = true;
        value = half;
      }
    }
  }
  best.smallest = case_of(best.failure, file, best_sets, seed, build_id);
  return best;
}

}  // namespace brownout::sim::explore
