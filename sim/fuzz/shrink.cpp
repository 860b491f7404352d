#include "sim/fuzz/shrink.hpp"

#include <algorithm>

#include "sim/fuzz/draw.hpp"

namespace brownout::sim::fuzz {
namespace {

using explore::Drawn;
using explore::DrawnOutage;

class Shrinker {
 public:
  Shrinker(Workbench& bench, Shrunk& best, std::uint64_t most_runs)
      : bench_(bench), best_(best), most_(most_runs), cause_(cause_of(best.failure)) {}

  void run() {
    for (bool progress = true; progress && best_.tried < most_;) {
      progress = false;
      progress |= cut_the_rest();
      progress |= drop_outages();
      progress |= drop_operations();
      progress |= simplify_board();
      progress |= simplify_operations();
      progress |= simplify_outages();
    }
  }

 private:
  // Whether the smaller one fails for the same cause; then it is the best.
  bool holds(FuzzCase smaller) {
    if (best_.tried >= most_ || smaller == best_.smallest) return false;
    if (smaller.file.empty() && (smaller.operations.empty() || !fits(smaller.knobs))) return false;
    if (!smaller.file.empty() && smaller.iterations == 0) return false;
    const auto accesses = [](const DrawnOutage& outage) { return outage.at == explore::DrawnAt::access; };
    if (std::none_of(smaller.outages.begin(), smaller.outages.end(), accesses)) smaller.build_id.clear();
    ++best_.tried;
    RunOptions options;
    options.thorough = true;
    Outcome outcome = bench_.run(smaller, options);
    if (!outcome.failure || cause_of(*outcome.failure) != cause_) return false;
    best_.smallest = std::move(smaller);
    best_.failure = std::move(*outcome.failure);
    return true;
  }

  // Operations behind the one that failed.
  bool cut_the_rest() {
    FuzzCase smaller = best_.smallest;
    const std::uint64_t needed = best_.failure.operations + 1;
    if (!smaller.file.empty()) {
      smaller.iterations = std::min(smaller.iterations, needed);
    } else if (needed < smaller.operations.size()) {
      smaller.operations.resize(needed);
    }
    std::erase_if(smaller.outages, [&](const DrawnOutage& outage) { return outage.operation >= needed; });
    return holds(std::move(smaller));
  }

  bool drop_outages() {
    bool progress = false;
    for (std::size_t i = best_.smallest.outages.size(); i-- > 0;) {
      FuzzCase smaller = best_.smallest;
      const DrawnOutage gone = smaller.outages[i];
      smaller.outages.erase(smaller.outages.begin() + static_cast<std::ptrdiff_t>(i));
      FuzzCase later = smaller;
      if (holds(std::move(smaller))) {
        progress = true;
        continue;
      }
      // Instants count from the outage before: the next one stays where it was.
      if (gone.at != explore::DrawnAt::energy || i == later.outages.size()) continue;
      later.outages[i].offset += gone.offset;
      progress |= holds(std::move(later));
    }
    return progress;
  }

  bool drop_operations() {
    bool progress = false;
    for (std::size_t size = std::max<std::size_t>(1, best_.smallest.operations.size() / 2); size > 0;
         size /= 2) {
      for (std::size_t end = best_.smallest.operations.size(); end >= size && end > 0;) {
        end = std::min(end, best_.smallest.operations.size());
        if (end < size) break;
        if (holds(without(end - size, size))) progress = true;
        end -= size;
      }
    }
    return progress;
  }

  // Outages of what is gone are then of the operation that follows it.
  FuzzCase without(std::size_t first, std::size_t size) const {
    FuzzCase smaller = best_.smallest;
    const auto begin = smaller.operations.begin() + static_cast<std::ptrdiff_t>(first);
    smaller.operations.erase(begin, begin + static_cast<std::ptrdiff_t>(size));
    for (DrawnOutage& outage : smaller.outages) {
      if (outage.operation < first) continue;
      outage.operation -= static_cast<std::uint32_t>(std::min<std::size_t>(size, outage.operation - first));
    }
    return smaller;
  }

  bool simplify_board() {
    bool progress = false;
    FuzzCase plain = best_.smallest;
    plain.knobs = plain_knobs();
    if (holds(std::move(plain))) return true;
    for (std::size_t i = 0; i < kKnobs; ++i) {
      const KnobInfo& info = info_of(static_cast<Knob>(i));
      FuzzCase smaller = best_.smallest;
      smaller.knobs[i] = info.plain;
      progress |= holds(std::move(smaller));
    }
    // Compact slots go with their allocators only.
    FuzzCase standard = best_.smallest;
    for (const Knob knob : {Knob::slots, Knob::ram_allocator, Knob::store_allocator})
      standard.knobs[static_cast<std::size_t>(knob)] = 0;
    progress |= holds(std::move(standard));
    // Nor what a driver does about errors without the errors.
    FuzzCase quiet = best_.smallest;
    for (const Knob knob : {Knob::verify, Knob::retries, Knob::wires, Knob::every})
      quiet.knobs[static_cast<std::size_t>(knob)] = info_of(knob).plain;
    progress |= holds(std::move(quiet));
    return progress;
  }

  bool simplify_operations() {
    bool progress = false;
    for (std::size_t i = 0; i < best_.smallest.operations.size(); ++i) {
      for (std::size_t n = 0; n < best_.smallest.operations[i].n.size(); ++n) progress |= lower(i, n);
    }
    return progress;
  }

  bool lower(std::size_t operation, std::size_t n) {
    bool progress = false;
    for (;;) {
      const std::uint16_t value = best_.smallest.operations[operation].n[n];
      bool lowered = false;
      for (const int next : {0, value / 2, value - 1}) {
        if (next < 0 || next >= value) continue;
        FuzzCase smaller = best_.smallest;
        smaller.operations[operation].n[n] = static_cast<std::uint16_t>(next);
        if (!holds(std::move(smaller))) continue;
        lowered = true;
        break;
      }
      if (!lowered) return progress;
      progress = true;
    }
  }

  bool simplify_outages() {
    bool progress = false;
    for (std::size_t i = 0; i < best_.smallest.outages.size(); ++i) {
      const auto try_with = [&](auto change) {
        FuzzCase smaller = best_.smallest;
        change(smaller.outages[i]);
        progress |= holds(std::move(smaller));
      };
      try_with([](DrawnOutage& outage) {
        outage = {.operation = outage.operation, .at = outage.at, .offset = outage.offset};
      });
      const bool loss = best_.smallest.outages[i].kind == Drawn::loss;
      try_with([](DrawnOutage& outage) { outage.times = std::min(outage.times, 1U); });
      if (loss) {
        try_with([](DrawnOutage& outage) {
          outage.times = 0;
          outage.cut_at = 0;
        });
      }
      try_with([](DrawnOutage& outage) { outage.offset = 0; });
      try_with([](DrawnOutage& outage) { outage.offset /= 2; });
      try_with([](DrawnOutage& outage) { outage.cut_at /= 2; });
    }
    return progress;
  }

  Workbench& bench_;
  Shrunk& best_;
  std::uint64_t most_;
  std::string cause_;
};

}  // namespace

std::optional<Shrunk> shrink(Workbench& bench, const FuzzCase& a_case, std::uint64_t most_runs) {
  RunOptions options;
  Outcome outcome = bench.run(a_case, options);
  if (outcome.failure) {
    // The first look at everything names the place best; another cause may show before.
    options.thorough = true;
    Outcome closer = bench.run(a_case, options);
    if (closer.failure) outcome = std::move(closer);
  } else {
    options.thorough = true;
    outcome = bench.run(a_case, options);
  }
  if (!outcome.failure) return std::nullopt;
  Shrunk best;
  best.smallest = a_case;
  best.failure = std::move(*outcome.failure);
  Shrinker(bench, best, most_runs).run();
  return best;
}

}  // namespace brownout::sim::fuzz
