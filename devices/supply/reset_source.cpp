#include "devices/supply/reset_source.hpp"

#include <cassert>
#include <cstddef>
#include <optional>
#include <utility>

namespace brownout::devices {
namespace {

class ResetSource final : public Source {
 public:
  ResetSource(std::vector<Picoseconds> instants, double power_w)
      : instants_(std::move(instants)), power_w_(power_w) {
    Picoseconds last;
    for (const Picoseconds instant : instants_) {
      assert(instant > last && instant < kForever);
      last = instant;
    }
  }

  std::optional<SourceSegment> next() override {
    if (next_ > instants_.size()) return std::nullopt;
    const Picoseconds end = next_ < instants_.size() ? instants_[next_] : kForever;
    is_cut_ = next_ > 0;
    ++next_;
    return SourceSegment{end, power_w_, true};
  }

  SourcePower power_for(const BoardState& board) override {
    if (board.is_off) is_cut_ = false;
    return {is_cut_ ? 0 : power_w_};
  }

 private:
  std::vector<Picoseconds> instants_;
  double power_w_;
  std::size_t next_ = 0;  // of the instants
  bool is_cut_ = false;
};

}  // namespace

std::unique_ptr<Source> make_reset_source(std::vector<Picoseconds> instants, double power_w) {
  return std::make_unique<ResetSource>(std::move(instants), power_w);
}

}  // namespace brownout::devices
