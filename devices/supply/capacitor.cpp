#include "devices/supply/capacitor.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <limits>

#include "devices/math/elementary.hpp"
#include "devices/supply/discharge_path.hpp"

namespace brownout::devices {
namespace {

using discharge::Path;
using discharge::Stop;

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kPicosecond = 1e-12;    // s
constexpr double kLongestWaitPs = 1e18;  // longer waits are reported as never

[[maybe_unused]] bool is_finite(double value) { return value - value == 0; }

double terminal_from(double internal_v, double k) {
  const double square = discharge::discriminant(internal_v, k);
  return square < 0 ? 0.5 * internal_v : 0.5 * (internal_v + std::sqrt(square));
}

// How far past the collapse a step may lead without a programming error: rounding of the time to whole
// picoseconds, and of the energy when the steps before were many.
[[maybe_unused]] bool is_rounding(double overshoot_s, double net_load_w, double energy_j) {
  return net_load_w * overshoot_s <= 2 * kPicosecond * net_load_w + 1e-9 * energy_j;
}

Capacitor::Losses losses_to(const Path& path, const Stop& stop, double seconds, double esr_ohm) {
  Capacitor::Losses losses;
  losses.esr_j = std::max(0.0, discharge::esr_loss(path, stop, discharge::log_ratio(path, stop)));
  if (path.leaks) losses.leakage_j = discharge::leakage_loss(path, stop, seconds, losses.esr_j, esr_ohm);
  assert(is_finite(losses.esr_j) && is_finite(losses.leakage_j));
  return losses;
}

}  // namespace

Capacitor::Capacitor(CapacitorParameters parameters, double internal_v) : parameters_(parameters) {
  assert(parameters_.capacitance_f > 0 && is_finite(parameters_.capacitance_f));
  assert(parameters_.esr_ohm >= 0 && is_finite(parameters_.esr_ohm));
  assert(parameters_.leakage_ohm > 0);
  assert(parameters_.max_voltage_v > 0);
  assert(internal_v >= 0 && is_finite(internal_v) && internal_v <= parameters_.max_voltage_v);
  energy_j_ = 0.5 * parameters_.capacitance_f * internal_v * internal_v;
}

double Capacitor::full_energy_j() const {
  return 0.5 * parameters_.capacitance_f * parameters_.max_voltage_v * parameters_.max_voltage_v;
}

double Capacitor::internal_v() const {
  // A full capacitor is at its limit to the last bit, which the square root need not find.
  if (energy_j_ >= full_energy_j()) return parameters_.max_voltage_v;
  return std::min(std::sqrt(2 * energy_j_ / parameters_.capacitance_f), parameters_.max_voltage_v);
}

double Capacitor::terminal_v(double net_load_w) const {
  return terminal_from(internal_v(), net_load_w * parameters_.esr_ohm);
}

// From Vt (Vc - Vt) = P R.
void Capacitor::bring_to(double terminal_v, double net_load_w) {
  assert(terminal_v > 0 && terminal_v <= parameters_.max_voltage_v);
  const double internal = terminal_v + net_load_w * parameters_.esr_ohm / terminal_v;
  assert(2 * terminal_v >= internal && "in the collapse");
  set_energy(std::min(0.5 * parameters_.capacitance_f * internal * internal, full_energy_j()));
  while (this->terminal_v(net_load_w) > terminal_v) set_energy(energy_j_ * (1 - 0x1p-52));
}

void Capacitor::set_energy(double joules) {
  energy_j_ = std::max(0.0, joules);
  energy_rest_j_ = 0;
}

void Capacitor::add_energy(double joules) {
  const double change = joules + energy_rest_j_;
  const double sum = energy_j_ + change;
  const double added = sum - energy_j_;
  energy_rest_j_ = (energy_j_ - (sum - added)) + (change - added);
  energy_j_ = sum;
  if (energy_j_ < 0) set_energy(0);
}

// Arrival at the whole picosecond at or after `seconds`, or at the first of a few later ones at which the
// rounded state is there as well.
std::optional<Picoseconds> Capacitor::first_arrival(double seconds, double target_v, double net_load_w,
                                                    bool falling) const {
  assert(seconds >= 0);
  const double exact = seconds / kPicosecond;
  if (!(exact <= kLongestWaitPs)) return std::nullopt;
  auto count = static_cast<std::int64_t>(exact);
  if (static_cast<double>(count) < exact || count == 0) ++count;
  for (std::int64_t more = 1; static_cast<double>(count) <= kLongestWaitPs; more *= 2) {
    Capacitor trial = *this;
    trial.advance({count}, net_load_w);
    const double reached = trial.terminal_v(net_load_w);
    if (falling ? reached <= target_v : reached >= target_v) return Picoseconds{count};
    count += more;
  }
  return std::nullopt;
}

std::optional<Picoseconds> Capacitor::time_until_falls_to(double target_v, double net_load_w) const {
  assert(is_finite(target_v) && is_finite(net_load_w));
  if (terminal_v(net_load_w) <= target_v) return Picoseconds{0};
  const bool leaks = parameters_.leakage_ohm < kInfinity;
  const double k = net_load_w * parameters_.esr_ohm;
  if (net_load_w > 0) {
    if (energy_j_ <= 0 || discharge::discriminant(internal_v(), k) <= 0) return Picoseconds{0};
    if (target_v <= 0 || target_v * target_v <= k) {
      const Path path = discharge::path_from(parameters_, internal_v(), net_load_w);
      const double exact =
          discharge::elapsed(path, discharge::stop_at_collapse(path)) * path.seconds / kPicosecond;
      if (!(exact <= kLongestWaitPs)) return std::nullopt;
      return Picoseconds{static_cast<std::int64_t>(exact)};
    }
  } else if (!leaks || target_v <= 0) {
    return std::nullopt;
  }
  const Path path = discharge::path_from(parameters_, internal_v(), net_load_w);
  if (path.leaks && (path.g <= 0 || target_v * target_v + path.a <= 0)) return std::nullopt;
  const Stop stop = discharge::stop_at_voltage(path, target_v, (path.vt - target_v) * (path.vt + target_v));
  return first_arrival(discharge::elapsed(path, stop) * path.seconds, target_v, net_load_w, true);
}

std::optional<Picoseconds> Capacitor::time_until_rises_to(double target_v, double net_load_w) const {
  assert(is_finite(target_v) && is_finite(net_load_w));
  if (terminal_v(net_load_w) >= target_v) return Picoseconds{0};
  if (net_load_w >= 0) return std::nullopt;
  const double k = net_load_w * parameters_.esr_ohm;
  if (target_v > terminal_from(parameters_.max_voltage_v, k)) return std::nullopt;
  const Path path = discharge::path_from(parameters_, internal_v(), net_load_w);
  if (path.leaks && (path.g >= 0 || target_v * target_v + path.a >= 0)) return std::nullopt;
  const Stop stop = discharge::stop_at_voltage(path, target_v, (path.vt - target_v) * (path.vt + target_v));
  return first_arrival(discharge::elapsed(path, stop) * path.seconds, target_v, net_load_w, false);
}

// Whether the charger can replace what leaks at the voltage limit (at full current, so ESR included).
bool Capacitor::is_held_full(double net_load_w) const {
  if (net_load_w >= 0 || energy_j_ < full_energy_j()) return false;
  if (parameters_.leakage_ohm == kInfinity) return true;
  const double vt = terminal_from(parameters_.max_voltage_v, net_load_w * parameters_.esr_ohm);
  return vt * vt + net_load_w * (parameters_.esr_ohm + parameters_.leakage_ohm) <= 0;
}

// At the limit only the leakage current flows, through the ESR too; the charger's rest is clipped.
Capacitor::Losses Capacitor::stay_full(double seconds, double net_load_w) const {
  const double current = parameters_.max_voltage_v / parameters_.leakage_ohm;
  Losses losses;
  losses.leakage_j = parameters_.max_voltage_v * current * seconds;
  losses.esr_j = current * current * parameters_.esr_ohm * seconds;
  losses.clipped_j = std::max(0.0, -net_load_w * seconds - losses.leakage_j - losses.esr_j);
  return losses;
}

Capacitor::Losses Capacitor::advance(Picoseconds span, double net_load_w) {
  assert(span.count >= 0 && is_finite(net_load_w));
  if (span.count == 0) return {};
  const double seconds = span.seconds();
  if (is_held_full(net_load_w)) return stay_full(seconds, net_load_w);
  const Losses losses = net_load_w * parameters_.esr_ohm == 0 ? advance_without_esr(seconds, net_load_w)
                                                              : advance_with_esr(seconds, net_load_w);
  assert(energy_j_ >= 0 && (net_load_w >= 0 || energy_j_ <= full_energy_j()));
  return losses;
}

Capacitor::Losses Capacitor::advance_without_esr(double seconds, double net_load_w) {
  Losses losses;
  const double full = full_energy_j();
  if (parameters_.leakage_ohm == kInfinity) {
    const double change = -net_load_w * seconds;
    const double room = (full - energy_j_) - energy_rest_j_;
    if (net_load_w < 0 && change >= room) {
      losses.clipped_j = change - room;
      set_energy(full);
      return losses;
    }
    assert(energy_j_ + change >= 0 || is_rounding(-(energy_j_ + change) / net_load_w, net_load_w, energy_j_));
    add_energy(change);
    return losses;
  }
  // dE/dt = -P - E / tau: E + P tau decays exponentially.
  const double start = energy_j_;
  const double tau = 0.5 * parameters_.capacitance_f * parameters_.leakage_ohm;
  const double offset = net_load_w * tau;
  const double units = seconds / tau;
  const double change = (start + offset) * expm1_of(-units);
  if (net_load_w < 0 && start + change >= full) {
    const double to_full =
        std::min(units, full + offset < 0 ? log1p_of((start - full) / (full + offset)) : units);
    const double leaked = -start * expm1_of(-to_full) - offset * expm1_excess_of(-to_full);
    losses = stay_full(seconds - to_full * tau, net_load_w);
    losses.leakage_j += std::max(0.0, leaked);
    set_energy(full);
    return losses;
  }
  assert(start + change >= 0 || net_load_w <= 0 ||
         is_rounding(-(start + change) / net_load_w, net_load_w, start));
  losses.leakage_j = std::max(0.0, -start * expm1_of(-units) - offset * expm1_excess_of(-units));
  if (start + change < 0.5 * start && std::max(offset, -offset) < start) {
    set_energy((start + offset) * exp_of(-units) - offset);  // a sum would keep only start's precision
  } else {
    add_energy(change);
  }
  return losses;
}

Capacitor::Losses Capacitor::advance_with_esr(double seconds, double net_load_w) {
  const double internal = internal_v();
  const double k = net_load_w * parameters_.esr_ohm;
  if (discharge::discriminant(internal, k) <= 0) {
    assert(is_rounding(seconds, net_load_w, energy_j_));  // the caller went past the collapse
    return {};
  }
  const Path path = discharge::path_from(parameters_, internal, net_load_w);
  const Stop stop = discharge::stop_after(path, seconds / path.seconds);
  const double change = discharge::energy_change(path, stop);
  const double full = full_energy_j();
  if (net_load_w < 0 && energy_j_ + change >= full) {
    // Vt1 - Vt2 from Vc1 - Vc2, which does not cancel.
    const double limit = parameters_.max_voltage_v;
    const double full_vt = terminal_from(limit, k);
    const double roots =
        std::sqrt(discharge::discriminant(internal, k)) + std::sqrt(discharge::discriminant(limit, k));
    const double fall = 0.5 * (internal - limit) * (1 + (internal + limit) / roots);
    // An equilibrium at the limit, give or take rounding, is only reached now.
    const bool reached_early = !path.leaks || full_vt * full_vt + path.a < 0;
    const Stop top =
        reached_early ? discharge::stop_at_voltage(path, full_vt, fall * (path.vt + full_vt)) : stop;
    const double seconds_to_full = std::min(seconds, discharge::elapsed(path, top) * path.seconds);
    const Losses before = losses_to(path, top, seconds_to_full, parameters_.esr_ohm);
    Losses losses = stay_full(seconds - seconds_to_full, net_load_w);
    losses.leakage_j += before.leakage_j;
    losses.esr_j += before.esr_j;
    set_energy(full);
    return losses;
  }
  if (path.leaks_most() && energy_j_ + change < 0.5 * energy_j_) {
    set_energy(0.5 * path.c * stop.s * (stop.s / stop.x));  // a sum would keep only the start's precision
  } else {
    add_energy(change);
  }
  if (stop.u <= 0) {
    assert(is_rounding(seconds - discharge::elapsed(path, stop) * path.seconds, net_load_w, path.c * path.s));
    // Collapsed also for whoever asks: the sum may have ended a bit above 2 C k.
    set_energy(std::min(energy_j_, 2 * path.c * k));
    while (discharge::discriminant(internal_v(), k) > 0) set_energy(energy_j_ * (1 - 0x1p-52));
  }
  return losses_to(path, stop, seconds, parameters_.esr_ohm);
}

}  // namespace brownout::devices
