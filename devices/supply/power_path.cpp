#include "devices/supply/power_path.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace brownout::devices {
namespace {

bool is_linear(PathKind kind) {
  return kind == PathKind::direct || kind == PathKind::diode || kind == PathKind::ldo;
}

double within(double efficiency) { return std::clamp(efficiency, kLeastEfficiency, 1.0); }

}  // namespace

bool Charger::depends_on_voltage() const {
  if (kind == PathKind::direct) return input_v > 0;
  return is_linear(kind) || (kind == PathKind::buck && input_v > 0);
}

double Charger::efficiency_at(double source_w, double capacitor_v) const {
  const bool falls = kind != PathKind::ideal && kind != PathKind::boost && input_v > 0;
  if (falls && capacitor_v + drop_v >= input_v) return 0;
  if (is_linear(kind)) {
    if (input_v > 0) return capacitor_v / input_v;
    return drop_v > 0 ? capacitor_v / (capacitor_v + drop_v) : 1;
  }
  return table ? within(table->at(input_v, source_w / input_v)) : efficiency;
}

bool Converter::depends_on_voltage() const { return is_linear(kind) || table.has_value(); }

double Converter::drawn_w(double load_w, double terminal_v) const {
  if (load_w == 0) return 0;
  if (kind == PathKind::constant) return std::max(load_w, constant_w);
  if (is_linear(kind)) return load_w / within(std::min(rail_v, terminal_v - drop_v) / terminal_v);
  if (table) return load_w / within(table->at(terminal_v, load_w / rail_v));
  return load_w / efficiency;
}

double Converter::drawn_w(double load_w, double internal_v, double esr_ohm) const {
  double drawn = drawn_w(load_w, internal_v);
  if (esr_ohm == 0 || !depends_on_voltage()) return drawn;
  constexpr int kMostRounds = 50;
  for (int i = 0; i < kMostRounds; ++i) {
    const double square = internal_v * internal_v - 4 * drawn * esr_ohm;
    const double terminal_v = 0.5 * (internal_v + (square > 0 ? std::sqrt(square) : 0));
    const double next = drawn_w(load_w, terminal_v);
    const double change = next - drawn;
    drawn = next;
    if (std::max(change, -change) <= 1e-13 * drawn) break;
  }
  return drawn;
}

}  // namespace brownout::devices
