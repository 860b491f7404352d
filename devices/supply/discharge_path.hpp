// Closed forms of the discharge (derivation).
//
// Net load P at the terminals, ESR R, insulation resistance Rl across the internal voltage Vc, terminal
// voltage Vt: P = Vt (Vc - Vt) / R. With k = P R, x = Vt^2 this is Vc = Vt + k / Vt, and the energy is
// E = C Vc^2 / 2 = C (x + k)^2 / (2 x). From dE/dt = -Vc (Vc - Vt) / R - Vc^2 / Rl follows
//   dt = -(C Rl / 2) (x - k) / (x (x + a)) dx,   a = P (Rl + R),
// and with rho = R / (R + Rl), g = x + a, d = x1 - x2, theta = ln(g1 / g2) by partial fractions
//   t = (C Rl / 2) [(1 + rho) theta - rho ln(x1 / x2)],          without leakage
//   t = C / (2 P) [d - k ln(x1 / x2)].
// The equilibrium of a leaking capacitor that is charged is g = 0; the collapse of one that is discharged
// is x = k. What the resistors take are integrals of their own, not the remainder of a balance:
//   ESR:      int P^2 R / x dt = (C k (1 - rho) / 2) [(1 + rho) ln(1 + a d / (x2 g1)) - k d / (x1 x2)]
//   leakage:  int Vc^2 / Rl dt = (int x dt + 2 k t + R ESR) / Rl,  int x dt = (C Rl / 2) [d - (a + k) theta]
// All of them are evaluated with d (or theta), never with differences of x, and the losses and the change of
// the energy are rearranged so that short spans and huge Rl do not cancel (see each function).
//
// This header is the capacitor's own arithmetic: include it from capacitor.cpp alone. Everything is O(1); the
// only iteration is bounded.
#pragma once

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

#include "devices/math/elementary.hpp"
#include "devices/supply/capacitor.hpp"

namespace brownout::devices::discharge {

inline constexpr int kMostIterations = 60;
inline constexpr double kHalfUlp = 0x1p-54;

// Square of the difference of the two roots for Vt; negative after a collapse.
inline double discriminant(double internal_v, double k) { return internal_v * internal_v - 4 * k; }

// The trajectory of one net load through one state, in the symbols of the derivation; index 1 there.
struct Path {
  double c = 0;
  double p = 0;
  double rl = 0;
  bool leaks = false;
  double k = 0;
  double a = 0;  // 0 without leakage
  double rho = 0;
  double seconds = 0;  // of one unit of elapsed()
  double vt = 0;
  double x = 0;
  double s = 0;  // x + k = Vt Vc
  double u = 0;  // x - k = Vt (difference of the roots)
  double g = 0;  // x + a

  // Whether the leakage moves more than the net load does: then distances to the equilibrium are as exact as
  // x, and what is left after a long decay is best computed from them.
  [[nodiscard]] bool leaks_most() const { return leaks && x > a && x > -a; }
};

// Where the trajectory leads. `eta` is theta with leakage and d without: the variable in which the elapsed
// time has a slope between 0 and 1 (P > 0) or between 1 and 2 (charging).
struct Stop {
  double eta = 0;
  double d = 0;
  double share = 0;  // d / g1, also where g1 is 0
  double x = 0;
  double s = 0;
  double u = 0;
  double g = 0;
};

// Needs a state that has not collapsed.
inline Path path_from(const CapacitorParameters& parameters, double internal_v, double net_load_w) {
  Path path;
  path.c = parameters.capacitance_f;
  path.p = net_load_w;
  path.rl = parameters.leakage_ohm;
  path.leaks = path.rl < std::numeric_limits<double>::infinity();
  path.k = net_load_w * parameters.esr_ohm;
  if (path.leaks) {
    path.a = net_load_w * (path.rl + parameters.esr_ohm);
    // Without current through the ESR its share has no effect, and 0 saves the terms 0 / 0.
    path.rho = path.k == 0 ? 0 : parameters.esr_ohm / (parameters.esr_ohm + path.rl);
    path.seconds = 0.5 * path.c * path.rl;
  } else {
    path.seconds = 0.5 * path.c / net_load_w;
  }
  const double roots = std::sqrt(discriminant(internal_v, path.k));
  path.vt = 0.5 * (internal_v + roots);
  path.x = path.vt * path.vt;
  path.s = path.vt * internal_v;
  path.u = path.vt * roots;
  path.g = path.x + path.a;
  return path;
}

inline Stop stop_at_eta(const Path& path, double eta) {
  Stop stop;
  stop.eta = eta;
  if (path.leaks) {
    stop.share = -expm1_of(-eta);
    stop.d = path.g * stop.share;
    stop.g = eta < 1 ? path.g - stop.d : path.g * exp_of(-eta);
  } else {
    stop.d = eta;
  }
  if (stop.d > 0 && path.leaks_most()) {
    stop.x = stop.g - path.a;
    stop.s = stop.g - path.p * path.rl;
  } else {
    stop.x = path.x - stop.d;
    stop.s = path.s - stop.d;
  }
  // Close by, u1 - d keeps the digits that x - k loses next to the collapse. Far down, u has to fit to an x
  // that has lost digits of its own, or the energy would have the error of the one relative to the other.
  stop.u = path.p > 0 && stop.d < 0.5 * path.x ? path.u - stop.d : stop.x - path.k;
  if (path.p > 0 && stop.u <= 0) {
    stop.x = path.k;
    stop.s = 2 * path.k;
    stop.u = 0;
  }
  return stop;
}

// The stop where the terminal voltage is `terminal_v`, with d = x1 - x2 as exact as the caller knows it. With
// leakage the equilibrium must not lie between.
inline Stop stop_at_voltage(const Path& path, double terminal_v, double d) {
  Stop stop;
  stop.d = d;
  stop.x = terminal_v * terminal_v;
  stop.s = stop.x + path.k;
  stop.u = stop.x - path.k;
  stop.g = stop.x + path.a;
  stop.eta = d;
  if (path.leaks) {
    assert(d / stop.g >= 0);
    stop.eta = log1p_of(d / stop.g);
    stop.share = -expm1_of(-stop.eta);  // not d / g1: next to the equilibrium it has to fit to eta
  }
  return stop;
}

// Where the supply collapses; P > 0.
inline Stop stop_at_collapse(const Path& path) {
  Stop stop;
  stop.d = path.u;
  stop.x = path.k;
  stop.s = 2 * path.k;
  stop.g = path.k + path.a;
  stop.eta = stop.d;
  if (path.leaks) {
    stop.eta = log1p_of(stop.d / stop.g);
    stop.share = stop.d / path.g;
  }
  return stop;
}

// ln(x1 / x2) to full relative precision on either side of 1.
inline double log_ratio(const Path& path, const Stop& stop) {
  return stop.d >= 0 ? log1p_of(stop.d / stop.x) : -log1p_of(-stop.d / path.x);
}

// Time to the stop in units of path.seconds. The difference cancels next to the collapse only, and there no
// more than the state's own distance to it.
inline double elapsed(const Path& path, const Stop& stop) {
  if (path.k == 0) return stop.eta;
  const double ratio = log_ratio(path, stop);
  return path.leaks ? (1 + path.rho) * stop.eta - path.rho * ratio : stop.d - path.k * ratio;
}

// The stop after `units` of elapsed time; k != 0. `elapsed` grows from 0 with slope u / x, is concave when it
// ends at a collapse or an equilibrium from below and convex towards one from above: Newton's iteration
// approaches the root from one side. A bracket guards it against the last bits.
inline Stop stop_after(const Path& path, double units) {
  const double sign = units < 0 ? -1 : 1;  // without leakage eta is negative when charging
  const double goal = sign * units;
  double low = path.p > 0 ? goal : 0;  // of |eta|
  double high = path.p > 0 ? std::numeric_limits<double>::infinity() : goal;
  Stop collapse;
  if (path.p > 0) {
    collapse = stop_at_collapse(path);
    high = collapse.eta;
    if (low >= high) return collapse;
  }
  // Of the collapse only its own time tells whether it comes too late or too early.
  bool is_collapse_open = path.p > 0;
  double eta = std::clamp(goal * path.x / path.u, low, high);
  for (int i = 0; i < kMostIterations; ++i) {
    const Stop stop = is_collapse_open && eta == high ? collapse : stop_at_eta(path, sign * eta);
    const double missing = goal - sign * elapsed(path, stop);
    if (missing == 0 || (stop.u <= 0 && missing > 0)) return stop;
    if (missing < 0) is_collapse_open = false;
    (missing > 0 ? low : high) = eta;
    double next = stop.u > 0 ? eta + missing * stop.x / stop.u : low;
    bool is_newton = true;
    if (is_collapse_open && next >= high) {
      next = high;
      is_newton = false;
    } else if (next <= low || next >= high) {
      next = low + 0.5 * (high - low);
      is_newton = false;
      if (next == low || next == high) return stop;
    }
    if (next == eta) return stop;
    const double change = next - eta;
    eta = next;
    if (is_newton && stop.u > 0) {
      // What the next error will be, from the second derivative.
      const double slope = path.leaks ? stop.g : 1;
      const double curvature = 0.5 * path.k * slope / (stop.x * stop.u);
      if (std::max(curvature, -curvature) * change * change <= kHalfUlp * eta) break;
    }
  }
  return stop_at_eta(path, sign * eta);
}

// E2 - E1 = -(C / 2) d (1 - k^2 / (x1 x2)), the bracket by sums of like signs. Ratios, because the products
// of tiny charging powers would underflow.
inline double energy_change(const Path& path, const Stop& stop) {
  const bool discharges = path.p > 0;
  const double k = discharges ? path.k : -path.k;
  const double first = (discharges ? path.u : path.s) / path.x;
  const double second = (discharges ? stop.u : stop.s) / stop.x;
  return -0.5 * path.c * stop.d * (first * second + first * (k / stop.x) + second * (k / path.x));
}

// y - ln(1 + y), where `log` is ln(1 + y) from better sources than a y close to -1.
inline double deficit_of(double y, double log) { return y < -0.5 ? y - log : log1p_deficit_of(y); }

// The integral of P^2 R / x over the time to the stop. ln(1 + a d / (x2 g1)) is expanded around that end
// which makes both terms have the same sign.
inline double esr_loss(const Path& path, const Stop& stop, double ratio) {
  const double theta = path.leaks ? stop.eta : 0;
  double bracket = 0;
  if (path.p > 0) {
    const double step = (path.leaks ? path.a * stop.d / stop.g : stop.d) / path.x;
    bracket = step * (stop.u / stop.x) + (1 + path.rho) * deficit_of(-step, theta - ratio);
  } else {
    const double step = (path.leaks ? path.a * stop.share : stop.d) / stop.x;
    bracket = step * (path.u / path.x) - (1 + path.rho) * deficit_of(step, ratio - theta);
  }
  return 0.5 * path.c * path.k * (1 - path.rho) * bracket;
}

// The integral of Vc^2 / Rl = (x + 2 k + k^2 / x) / Rl; `esr_j` is the ESR's. While a capacitor next to
// empty is charged the parts nearly cancel, and what is left of them may have the wrong sign.
inline double leakage_loss(const Path& path, const Stop& stop, double seconds, double esr_j, double esr_ohm) {
  const double theta = stop.eta;
  double integral = 0;
  if (path.g <= 0) {
    integral = theta * path.u - path.g * expm1_excess_of(-theta);
  } else {
    integral = theta * stop.u + (theta < 1 ? stop.g * expm1_excess_of(theta) : stop.d - stop.g * theta);
  }
  return std::max(0.0, 0.5 * path.c * integral + (2 * path.k * seconds + esr_ohm * esr_j) / path.rl);
}

}  // namespace brownout::devices::discharge
