#include "shrink.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace brownout::heap::testing::model {
namespace {

class Shrinking {
 public:
  Shrinking(std::vector<Op> ops, const Fails& fails, double seconds)
      : fails_(fails), end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(
                                               std::chrono::duration<double>(seconds))) {
    best_.ops = std::move(ops);
    best_.reason = fails_(best_.ops);
  }

  Shrunk run() {
    if (best_.reason.empty()) return best_;
    do {
      improved_ = false;
      for (std::size_t piece = std::max<std::size_t>(1, best_.ops.size() / 2);; piece /= 2) {
        drop_pieces(piece);
        if (piece == 1) break;
      }
      if (best_.ops.size() <= kFewForPairs) drop_pairs();
      for (std::size_t i = best_.ops.size(); i-- > 0;) simplify(i);
    } while (improved_ && !over());
    return best_;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kFewForPairs = 40;

  [[nodiscard]] bool over() const { return Clock::now() > end_; }

  bool keep_if_it_fails(std::vector<Op> candidate) {
    if (over()) return false;
    ++best_.runs;
    std::string reason = fails_(candidate);
    if (reason.empty()) return false;
    best_.ops = std::move(candidate);
    best_.reason = std::move(reason);
    improved_ = true;
    return true;
  }

  // From the end, because what comes last is what failed, and depends on what was before.
  void drop_pieces(std::size_t piece) {
    for (std::size_t end = best_.ops.size(); end > 0;) {
      const std::size_t begin = end > piece ? end - piece : 0;
      std::vector<Op> candidate = best_.ops;
      candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(begin),
                      candidate.begin() + static_cast<std::ptrdiff_t>(std::min(end, candidate.size())));
      keep_if_it_fails(std::move(candidate));
      end = begin;
    }
  }

  // Two that need each other, such as a make and its free.
  void drop_pairs() {
    for (std::size_t second = best_.ops.size(); second-- > 1;) {
      for (std::size_t first = std::min(second, best_.ops.size()); first-- > 0;) {
        if (second >= best_.ops.size()) break;
        std::vector<Op> candidate = best_.ops;
        candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(second));
        candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(first));
        if (keep_if_it_fails(std::move(candidate))) break;
      }
    }
  }

  template <class Change>
  bool try_change(std::size_t i, Change change) {
    std::vector<Op> candidate = best_.ops;
    if (!change(candidate[i])) return false;
    return keep_if_it_fails(std::move(candidate));
  }
  template <class Number>
  static bool set(Number& number, Number value) {
    return std::exchange(number, value) != value;
  }
  template <class Field>
  void reduce(std::size_t i, Field field) {
    if (try_change(i, [&](Op& op) { return set(field(op), {}); })) return;
    while (try_change(i, [&](Op& op) {
      auto& number = field(op);
      return set(number, static_cast<std::remove_reference_t<decltype(number)>>(number / 2));
    })) {
    }
    while (try_change(i, [&](Op& op) {
      auto& number = field(op);
      if (number == 0) return false;
      --number;
      return true;
    })) {
    }
  }

  void simplify(std::size_t i) {
    try_change(i, [](Op& op) { return set(op.strikes.count, std::uint8_t{0}); });
    try_change(i, [](Op& op) { return op.strikes.count > 1 && set(op.strikes.count, std::uint8_t{1}); });
    try_change(i, [](Op& op) { return op.strikes.count > 0 && set(op.strikes.kind, Strikes::Kind::outage); });
    try_change(i, [](Op& op) { return op.strikes.count > 0 && set(op.strikes.in_transfers, false); });
    try_change(i, [](Op& op) { return op.strikes.count > 0 && set(op.strikes.error, false); });
    try_change(i, [](Op& op) { return set(op.trouble.error, false); });
    try_change(i, [](Op& op) {
      return op.trouble.error && std::exchange(op.trouble.region, std::nullopt).has_value();
    });
    try_change(i, [](Op& op) { return op.trouble.error && set(op.trouble.attempts, std::uint8_t{1}); });
    try_change(i, [](Op& op) { return op.trouble.error && set(op.trouble.damage, Damage::nothing); });
    try_change(i, [](Op& op) { return set(op.object, ObjectKind::buffer); });
    if (best_.ops[i].trouble.error) {
      reduce(i, [](Op& op) -> std::uint16_t& { return op.trouble.calls_before; });
    }
    for (std::size_t strike = 0; strike < best_.ops[i].strikes.count; ++strike) {
      reduce(i, [strike](Op& op) -> std::uint16_t& { return op.strikes.gaps[strike]; });
    }
    if (best_.ops[i].kind == OpKind::make) reduce(i, [](Op& op) -> std::uint32_t& { return op.size_bytes; });
    // What names an object means another one as soon as there are fewer: first as small as it may be.
    for (std::uint32_t target = 0; target < 4; ++target) {
      if (try_change(i, [target](Op& op) { return op.target > target && set(op.target, target); })) break;
    }
    try_change(i, [](Op& op) { return set(op.first, std::uint32_t{0}); });
    try_change(i, [](Op& op) { return set(op.count, std::uint32_t{0}); });
    try_change(i, [](Op& op) { return op.count > 1 && set(op.count, std::uint32_t{1}); });
    try_change(i, [](Op& op) { return set(op.value, std::uint32_t{1}); });
  }

  const Fails& fails_;
  const Clock::time_point end_;
  Shrunk best_;
  bool improved_ = false;
};

}  // namespace

Shrunk shrink(std::vector<Op> ops, const Fails& fails, double seconds) {
  return Shrinking(std::move(ops), fails, seconds).run();
}

}  // namespace brownout::heap::testing::model
