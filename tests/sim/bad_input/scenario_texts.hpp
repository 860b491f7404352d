// Scenarios with nothing wrong. Data of scenario_test.cpp.
#pragma once

#include <string_view>

namespace brownout::sim::bad_input {

// A scenario with nothing wrong; the cases of scenario_cases.hpp replace text in it. Lines count from 1.
inline constexpr std::string_view kGood = R"(name: board
seed: 7
mcu:
  profile: esp32c3
  clock: 80 MHz
  os_save_bytes: 512 B
  after_persist: sleep
  boot:
    - {name: rom, time: 5 ms, current: 25 mA}
  costs: {call: 10}
storage:
  part: mb85rs64v
  sck: 10 MHz
  transfer: sliced
  slice: 64 B
supply:
  source:
    kind: square
    high: 2 mW
    period: 100 ms
    duty: 0.5
  capacitor:
    capacitance: 1.5 mF
    leakage: 10 MOhm
    max_voltage: 5 V
    initial_voltage: 1 V
  thresholds:
    turn_on: 3.0 V
    warn: 2.5 V
    brown_out: 2.0 V
heap:
  ram: 8 KiB
  dirty_limit: 2 KiB
  policy: in_order
workload:
  kind: counter
  size: 16 B
stop:
  time: 60 s
)";

// Only what is required.
inline constexpr std::string_view kMinimal = R"(
name: small
mcu: {profile: Cortex-M0plus}
storage: {part: MB85RS64V}
supply:
  source: {trace: harvest.csv}
  capacitor: {capacitance: 100 uF}
  thresholds: {turn_on: 3 V, warn: 2.5 V, brown_out: 2 V}
heap: {ram: 4 KiB, dirty_limit: 4 KiB}
workload: {kind: counter}
)";

// Every key of a board with a trace.
inline constexpr std::string_view kFull = R"(name: everything
description: |
  several lines
  of text
seed: 18446744073709551615
mcu:
  profile: ESP32C3
  clock: 80 MHz
  rail: 3.0 V
  active_current: 15 mA
  sleep_current: 5 uA
  deep_sleep_current: 2 uA
  boot: [{name: one, time: 1 ms, current: 1 mA}, {name: two, time: 2 us, current: 0 A}]
  os_save_bytes: 1 KiB
  after_persist: shutdown
  on_loss: reformat
  costs: {call: 1, step: 2.5, copied_byte: 3, checksum_byte: 4, checksum_byte_by_table: 2, section: 0}
storage: {part: mb85rs4mt, sck: 8 MHz, transfer: sliced, slice: 32 B, bus: {profile: Polled, cs_setup: 50 ns, abort: chunk, tick: {period: 2 ms, cost: 10 us}}}
supply:
  source: {trace: sub/harvest.csv, time: by_index, rate: 2.5 kHz, load: 10 kOhm, repeat: true}
  capacitor:
    {capacitance: 1.5 mF, initial_voltage: 4 V, leakage: 2 uA, esr: 30 mOhm, max_voltage: 5 V, tolerance: 10 %}
  thresholds: {turn_on: 3.2 V, warn: 2.6 V, brown_out: 2.1 V}
  comparator: {latency: 10.5 us, tolerance: 3 %}
  converter: {efficiency: 0.85}
heap:
  ram: 64 KiB
  dirty_limit: 16 KiB
  max_residents: 64
  store: 256 KiB
  store_unit: 264 B
  memory: heap
  checksum: table
  ram_allocator: buddy
  nv_allocator: block
  policy: round_robin
  slots: standard
  roots: 7
  write_intents: true
workload: {kind: counter, objects: 3, size: 24 B, compute_cycles: 0}
stop: {time: 1 h, operations: 1000}
)";

}  // namespace brownout::sim::bad_input
