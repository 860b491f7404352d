#include "sim/report/sparkline.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace brownout::sim {

std::string sparkline(const VoltageEnvelope& envelope, std::size_t columns, double bottom_v) {
  constexpr std::array<const char*, 8> kBlocks = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::vector<double> voltages;
  for (const VoltageEnvelope::Stretch& stretch : envelope.stretches()) {
    if (!stretch.empty) voltages.push_back(stretch.lowest.v);
  }
  columns = std::min(columns, voltages.size());
  if (columns < 2) return "";
  double top_v = bottom_v;
  for (std::size_t i = 0; i < columns; ++i) top_v = std::max(top_v, voltages[i * voltages.size() / columns]);
  std::string line;
  for (std::size_t i = 0; i < columns; ++i) {
    const double above_v = std::max(0.0, voltages[i * voltages.size() / columns] - bottom_v);
    const double share = top_v > bottom_v ? above_v / (top_v - bottom_v) : 0;
    line += kBlocks[std::min<std::size_t>(7, static_cast<std::size_t>(share * 8))];
  }
  return line;
}

}  // namespace brownout::sim
