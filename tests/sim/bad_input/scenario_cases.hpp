// Scenarios that are wrong in one place each, and the line that has to say so. Data of scenario_test.cpp.
#pragma once

#include <array>
#include <string_view>

namespace brownout::sim::bad_input {

struct Case {
  std::string_view from;  // occurs in kGood
  std::string_view to;
  std::string_view error;  // after the file's name
};

inline constexpr std::array kCases{
    // Structure.
    Case{"name: board\n", "", ":1:1: scenario: `name` is missing; write it such as `name: my board`"},
    Case{"name: board", "name:", ":1:1: name: has no value; write one such as a few words"},
    Case{"name: board", "name: ''", ":1:7: name: is empty; write a few words"},
    Case{"name: board", "name: [a]", ":1:7: name: is a list; write one value such as a few words"},
    Case{"name: board", R"(name: "a\nb")", R"(:1:7: name: "a\nb" has a control character in it)"},
    Case{"seed: 7", "seed: seven", ":2:7: seed: \"seven\" is not a plain number; write a number, such as 8"},
    Case{"seed: 7", "seed: -7", ":2:7: seed: \"-7\" must not be negative"},
    Case{"seed: 7", "seed: 1.5", ":2:7: seed: \"1.5\" is not a whole number"},
    Case{"seed: 7", "sede: 7", ":2:1: unknown key \"sede\" in a scenario; did you mean `seed`?"},
    Case{"seed: 7", "zzz: 7",
         ":2:1: unknown key \"zzz\" in a scenario; known keys are name, description, seed, mcu, storage, "
         "supply, heap, "
         "workload, stop"},
    Case{"seed: 7", "name: twice", ":2:1: key \"name\" is there twice; the first one is on line 1"},
    Case{"seed: 7", "seed: &a 7", ":2:7: YAML anchors (&a) are not used in scenarios; write the value out"},
    Case{"seed: 7", "seed: *a", ":2:7: not valid YAML: the referenced anchor is not defined"},
    Case{"seed: 7", "<<: {a: 7}", ":2:1: YAML merge keys (<<) are not used in scenarios; write the keys out"},
    Case{"seed: 7", "seed: !!int 7", ":2:7: YAML tags (\"tag:yaml.org,2002:int\") are not used in scenarios"},
    Case{"seed: 7", "? [a]\n: 7",
         ":2:3: a key must be a name, not a collection or nothing (is a [ or { not closed?)"},
    Case{"seed: 7", "---\nseed: 7", ":2:1: a second YAML document begins here; a scenario is one document"},
    Case{"seed: 7", "seed: 7: 8",
         ":2:8: not valid YAML: illegal map value (a value with ': ' in it needs quotes)"},
    Case{"heap:\n  ram: 8 KiB\n  dirty_limit: 2 KiB\n  policy: in_order\n", "",
         ":1:1: scenario: section `heap` is missing"},
    Case{"  ram: 8 KiB\n  dirty_limit: 2 KiB\n  policy: in_order\n", "",
         ":31:1: heap: has nothing in it; it is a section with keys such as ram"},
    Case{"heap:\n  ram: 8 KiB\n  dirty_limit: 2 KiB\n  policy: in_order\n", "heap: 8 KiB\n",
         ":31:7: heap: is \"8 KiB\", not a section with keys such as ram"},
    Case{"heap:\n  ram: 8 KiB\n  dirty_limit: 2 KiB\n  policy: in_order\n", "heap: [ram]\n",
         ":31:7: heap: is a list, not a section with keys such as ram"},
    // mcu
    Case{"profile: esp32c3", "profile: esp32c33",
         ":4:12: mcu.profile: \"esp32c33\" is not known; did you mean esp32c3? (known: esp32c3, "
         "cortex-m0plus, msp430fr5994)"},
    Case{"  profile: esp32c3\n", "", ":3:1: mcu: `profile` is missing; write it such as `profile: esp32c3`"},
    Case{"clock: 80 MHz", "clock: 80", ":5:10: mcu.clock: \"80\" needs a unit, such as 80 MHz"},
    Case{"clock: 80 MHz", "clock: 2 GHz",
         ":5:10: mcu.clock: \"2 GHz\" is out of range: it must be between 1 MHz and 1 GHz"},
    Case{"clock: 80 MHz", "rail: 30 V",
         ":5:9: mcu.rail: \"30 V\" is out of range: it must be between 500 mV and 10 V"},
    Case{"clock: 80 MHz", "active_current: 0 A",
         ":5:19: mcu.active_current: \"0 A\" is out of range: it must be between 1 nA and 10 A"},
    Case{"clock: 80 MHz", "sleep_current: 2 V",
         ":5:18: mcu.sleep_current: \"2 V\" is a voltage, not a current; write it such as 2 mA"},
    Case{"512 B", "65 KiB",
         ":6:18: mcu.os_save_bytes: \"65 KiB\" is out of range: it must be between 0 B and 64 KiB"},
    Case{"512 B", "65537",
         ":6:18: mcu.os_save_bytes: \"65537\" is out of range: it must be between 0 and 65536"},
    Case{"after_persist: sleep", "after_persist: slep",
         ":7:18: mcu.after_persist: \"slep\" is not known; did you mean sleep? (known: sleep, deep_sleep, "
         "shutdown)"},
    Case{"after_persist: sleep", "on_loss: retry",
         ":7:12: mcu.on_loss: \"retry\" is not known (known: stop, reformat, attach)"},
    Case{"time: 5 ms, ", "", ":9:7: mcu.boot.0: `time` is missing; write it such as `time: 2 ms`"},
    Case{"time: 5 ms", "tme: 5 ms", ":9:19: unknown key \"tme\" in `mcu.boot.0`; did you mean `time`?"},
    Case{"current: 25 mA}", "current: 25 A}",
         ":9:40: mcu.boot.0.current: \"25 A\" is out of range: it must be between 0 A and 10 A"},
    Case{"    - {name: rom, time: 5 ms, current: 25 mA}\n", "    rom: 5 ms\n",
         ":9:5: mcu.boot: has to be a list"},
    Case{"{call: 10}", "{call: 10, stpe: 3}",
         ":10:21: unknown key \"stpe\" in `mcu.costs`; did you mean `step`?"},
    Case{"{call: 10}", "{call: 10, stored_word: 3}",
         ":10:21: mcu.costs.stored_word: only goes with an MCU that has FRAM in its address space, which "
         "esp32c3 has "
         "not"},
    Case{"{call: 10}", "{call: 10 V}",
         R"(:10:17: mcu.costs.call: "10 V" is not a plain number; leave out "V")"},
    // storage
    Case{"slice: 64 B", "slice: 64 B\n  bus: {profil: polled}",
         ":16:9: unknown key \"profil\" in `storage.bus`; did you mean `profile`?"},
    Case{
        "slice: 64 B", "slice: 64 B\n  bus: {abort: bit}",
        ":16:16: storage.bus.abort: \"bit\" is not known; did you mean byte? (known: byte, chunk, transfer)"},
    Case{"slice: 64 B", "slice: 64 B\n  bus: {setup_send: 1 s}",
         ":16:21: storage.bus.setup_send: \"1 s\" is out of range: it must be between 0 s and 100 ms"},
    Case{"slice: 64 B", "slice: 64 B\n  bus: {tick: {period: 1 ms, cost: 2 ms}}",
         ":16:16: storage.bus.tick.period: a tick has to be over before the next one strikes"},
    Case{"part: mb85rs64v", "part: mb85rs64",
         ":12:9: storage.part: \"mb85rs64\" is not known; did you mean mb85rs64v? (known: mb85rs64v, "
         "mb85rs64t, mb85rs256ty, mb85rs2mta, mb85rs4mt, cy15b104q, fm25w256, fm25v02a, msp430fr5994)"},
    Case{"sck: 10 MHz", "sck: 21 MHz",
         ":13:8: storage.sck: \"21 MHz\" is above what mb85rs64v allows: at most 20 MHz; `unsafe: true` in "
         "storage lets it pass, with a warning"},
    Case{"sck: 10 MHz", "sck: 999 Hz",
         ":13:8: storage.sck: \"999 Hz\" is out of range: it must be between 1 kHz and 1 GHz"},
    Case{"transfer: sliced", "transfer: dam",
         ":14:13: storage.transfer: \"dam\" is not known; did you mean dma? (known: fifo, dma, sliced)"},
    Case{"transfer: sliced", "transfer: dma",
         ":15:3: storage.slice: only goes with transfer: sliced, and transfer is dma"},
    Case{"  slice: 64 B\n", "",
         ":11:1: storage: transfer: sliced needs `slice` as well, such as `slice: 64 B`"},
    Case{"slice: 64 B", "slice: 4097 B",
         ":15:10: storage.slice: \"4097 B\" is out of range: it must be between 1 B and 4 KiB"},
    Case{"slice: 64 B", "slice: 64 B\n  bus: pold",
         ":16:8: storage.bus: \"pold\" is not known; did you mean polled? (known: esp32c3-zephyr, "
         "esp32c3-zephyr-tick, esp32c3-baremetal, polled)"},
    Case{"sck: 10 MHz", "sck: 21 MHz\n  unsafe: false",
         ":13:8: storage.sck: \"21 MHz\" is above what mb85rs64v allows: at most 20 MHz; `unsafe: true` in "
         "storage lets it pass, with a warning"},
    Case{"sck: 10 MHz", "unsafe: yes", ":13:11: storage.unsafe: \"yes\" is neither true nor false"},
    Case{"sck: 10 MHz", "unsave: true", ":13:3: unknown key \"unsave\" in `storage`; did you mean `unsafe`?"},
    Case{"sck: 10 MHz", "faults: {power_loss: garbage}",
         ":13:24: storage.faults.power_loss: \"garbage\" is not known (known: discard, garbage_in_flight, "
         "garbage_below_min_vdd, row_lost)"},
    Case{"sck: 10 MHz", "faults: {power_los: discard}",
         ":13:12: unknown key \"power_los\" in `storage.faults`; did you mean `power_loss`?"},
    Case{"sck: 10 MHz", "faults: {}",
         ":13:3: storage.faults: has nothing in it; write a fault such as `power_loss: garbage_in_flight`"},
    Case{"sck: 10 MHz", "faults: {bit_error_rate: 0.2}",
         ":13:28: storage.faults.bit_error_rate: \"0.2\" is out of range: it must be between 0 and 0.1"},
    Case{"sck: 10 MHz", "faults: {bit_error_rate: -1e-9}",
         ":13:28: storage.faults.bit_error_rate: \"-1e-9\" must not be negative"},
    Case{"sck: 10 MHz", "faults: {bit_error_rate: 1 ms}",
         ":13:28: storage.faults.bit_error_rate: \"1 ms\" is not a plain number; leave out \"ms\""},
    Case{"sck: 10 MHz", "timeout: 1 ms\n  faults: {missing_answer: 1.5}",
         ":14:28: storage.faults.missing_answer: \"1.5\" is out of range: it must be between 0 and 1"},
    Case{"sck: 10 MHz", "faults: {missing_answer: 0.1}",
         ":13:12: storage.faults.missing_answer: a driver without a timeout waits for ever; add one, such as "
         "`timeout: 1 ms` in storage"},
    Case{"sck: 10 MHz", "retries: -1", ":13:12: storage.retries: \"-1\" must not be negative"},
    Case{"sck: 10 MHz", "retries: 101",
         ":13:12: storage.retries: \"101\" is out of range: it must be between 0 and 100"},
    Case{"sck: 10 MHz", "retries: 1.5", ":13:12: storage.retries: \"1.5\" is not a whole number"},
    Case{"sck: 10 MHz", "timeout: 0 s",
         ":13:12: storage.timeout: \"0 s\" is out of range: it must be between 1 us and 10 s"},
    Case{"sck: 10 MHz", "timeout: 5", ":13:12: storage.timeout: \"5\" needs a unit, such as 5 ms"},
    Case{"sck: 10 MHz", "verify: always",
         ":13:11: storage.verify: \"always\" is not known (known: none, read_back, read_twice)"},
    Case{"sck: 10 MHz", "verfy: none", ":13:3: unknown key \"verfy\" in `storage`; did you mean `verify`?"},
    Case{"sck: 10 MHz", "sck: 10 MHz\n  bus: {mode: 1}",
         ":14:15: storage.bus.mode: \"1\" samples at the falling edge, and the parts take bits at the rising "
         "one: mode "
         "0 or 3"},
    Case{"sck: 10 MHz", "sck: 10 MHz\n  bus: {mode: 4}",
         ":14:15: storage.bus.mode: \"4\" is out of range: it must be between 0 and 3"},
    Case{"sck: 10 MHz", "sck: 78 kHz",
         ":13:8: storage.sck: \"78 kHz\" is slower than esp32c3-zephyr can make it: at least 78.125 kHz"},
    Case{"clock: 80 MHz", "brown_out_level: 2.9 V",
         ":5:20: mcu.brown_out_level: \"2.9 V\" is no level of esp32c3; the nearest is 2.92 V (it has 2.51 "
         "V, 2.64 V, "
         "2.76 V, 2.92 V, 3.1 V, 3.27 V). That of a supervisor at the capacitor goes to "
         "supply.thresholds.brown_out"},
    Case{"clock: 80 MHz", "brown_out_level: 2.51 V",
         ":30:16: supply.thresholds.brown_out: \"2.0 V\" is not mcu.brown_out_level, which is 2.51 V; leave "
         "one of the "
         "two out"},
    Case{"profile: esp32c3\n  clock: 80 MHz", "profile: cortex-m0plus\n  brown_out_level: 2.51 V",
         ":5:3: mcu.brown_out_level: the levels of cortex-m0plus are not known; supply.thresholds.brown_out "
         "takes "
         "any voltage"},
    // supply
    Case{"capacitance: 1.5 mF", "capacitence: 1.5 mF",
         ":23:5: unknown key \"capacitence\" in `supply.capacitor`; did you mean `capacitance`?"},
    Case{"capacitance: 1.5 mF", "capacitance: 1.5",
         ":23:18: supply.capacitor.capacitance: \"1.5\" needs a unit, such as 1.5 mF"},
    Case{"leakage: 10 MOhm", "leakage: 10 MV",
         ":24:14: supply.capacitor.leakage: \"10 MV\" is neither a resistance, such as 10 MOhm, nor a "
         "current, such as "
         "1 uA"},
    Case{"leakage: 10 MOhm", "leakage: 0 Ohm",
         ":24:14: supply.capacitor.leakage: \"0 Ohm\" is out of range: it must be between 1 Ohm and 1e+06 "
         "GOhm"},
    Case{"max_voltage: 5 V", "max_voltage: 2.9 V",
         ":25:5: supply.capacitor.max_voltage: 2.9 V must not be below supply.thresholds.turn_on, which is 3 "
         "V"},
    Case{"    max_voltage: 5 V\n    initial_voltage: 1 V\n  thresholds:\n    turn_on: 3.0 V",
         "  thresholds:\n    turn_on: 6 V",
         ":26:5: supply.thresholds.turn_on: 6 V must not be above supply.capacitor.max_voltage, which is 5.5 "
         "V where "
         "it is left out"},
    Case{"initial_voltage: 1 V", "initial_voltage: 5.1 V",
         ":26:5: supply.capacitor.initial_voltage: 5.1 V must not be above supply.capacitor.max_voltage, "
         "which is 5 V"},
    Case{"warn: 2.5 V", "warn: 3.0 V",
         ":29:5: supply.thresholds.warn: 3 V must be below supply.thresholds.turn_on, which is 3 V"},
    Case{"brown_out: 2.0 V", "brown_out: 2.6 V",
         ":30:5: supply.thresholds.brown_out: 2.6 V must be below supply.thresholds.warn, which is 2.5 V"},
    Case{"brown_out: 2.0 V", "brown_out: 0 V",
         ":30:16: supply.thresholds.brown_out: \"0 V\" is out of range: it must be between 1 mV and 100 V"},
    Case{"    turn_on: 3.0 V\n", "",
         ":27:3: supply.thresholds: `turn_on` is missing; write it such as `turn_on: 3.0 V`"},
    Case{"leakage: 10 MOhm", "tolerance: 20",
         ":24:16: supply.capacitor.tolerance: \"20\" is out of range: it must be between 0 % and 90 %; did "
         "you mean 20 %?"},
    Case{"leakage: 10 MOhm", "tolerance: 91 %",
         ":24:16: supply.capacitor.tolerance: \"91 %\" is out of range: it must be between 0 % and 90 %"},
    Case{"leakage: 10 MOhm", "tolerance: 20 uF",
         ":24:16: supply.capacitor.tolerance: \"20 uF\" is a capacitance, not a ratio; write it such as 5 %"},
    Case{"leakage: 10 MOhm", "tolerence: 20 %",
         ":24:5: unknown key \"tolerence\" in `supply.capacitor`; did you mean `tolerance`?"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator:\n",
         ":31:3: supply.comparator: has nothing in it; it is a section with keys such as latency"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: 10 us\n",
         ":31:15: supply.comparator: is \"10 us\", not a section with keys such as latency"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  compaartor: {latency: 10 us}\n",
         ":31:3: unknown key \"compaartor\" in `supply`; did you mean `comparator`?"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {delay: 10 us}\n",
         ":31:16: unknown key \"delay\" in `supply.comparator`; known keys are latency, tolerance, poll, "
         "hysteresis"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {latency: 10}\n",
         ":31:25: supply.comparator.latency: \"10\" needs a unit, such as 10 ms"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {latency: 1001 ms}\n",
         ":31:25: supply.comparator.latency: \"1001 ms\" is out of range: it must be between 0 s and 1 s"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {tolerance: 51 %}\n",
         ":31:27: supply.comparator.tolerance: \"51 %\" is out of range: it must be between 0 % and 50 %"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {tolerance: -5 %}\n",
         ":31:27: supply.comparator.tolerance: \"-5 %\" must not be negative"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {efficency: 90 %}\n",
         ":31:15: unknown key \"efficency\" in `supply.converter`; did you mean `efficiency`?"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {efficiency: 0 %}\n",
         ":31:27: supply.converter.efficiency: \"0 %\" is out of range: it must be between 1 % and 100 %"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {efficiency: 101 %}\n",
         ":31:27: supply.converter.efficiency: \"101 %\" is out of range: it must be between 1 % and 100 %"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {efficiency: 90}\n",
         ":31:27: supply.converter.efficiency: \"90\" is out of range: it must be between 1 % and 100 %; did "
         "you mean 90 %?"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {efficiency: good}\n",
         ":31:27: supply.converter.efficiency: \"good\" is not a ratio; write a number, such as 5 %"},
    // supply: presets, paths, comparator
    Case{
        "  capacitor:\n    capacitance: 1.5 mF\n    leakage: 10 MOhm\n    max_voltage: 5 V\n    "
        "initial_voltage: 1 V\n"
        "  thresholds:\n    turn_on: 3.0 V\n    warn: 2.5 V\n    brown_out: 2.0 V\n",
        "  thresholds: {turn_on: 6 V}\n  preset: bq25570\n",
        ":22:16: supply.thresholds.turn_on: 6 V must not be above supply.capacitor.max_voltage, which is 5.5 "
        "V where it is left out"},
    Case{"    turn_on: 3.0 V\n    warn: 2.5 V\n    brown_out: 2.0 V\n",
         "    brown_out: 2.6 V\n  preset: bq25570\n",
         R"(:28:5: supply.thresholds.brown_out: 2.6 V must be below supply.thresholds.warn, which is 2.5 V)"},
    Case{"    turn_on: 3.0 V\n    warn: 2.5 V\n    brown_out: 2.0 V\n",
         "    turn_on: 2.4 V\n  preset: bq25570\n",
         R"(:28:5: supply.thresholds.turn_on: 2.4 V must be above supply.thresholds.warn, which is 2.5 V)"},
    Case{"    turn_on: 3.0 V\n    warn: 2.5 V\n    brown_out: 2.0 V\n",
         "    warn: 4 V\n  preset: constant-132mw\n",
         R"(:27:3: supply.thresholds: `turn_on` is missing; write it such as `turn_on: 3.0 V`)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  preset: bq25571\n",
        R"(:31:11: supply.preset: "bq25571" is not known; did you mean bq25570? (known: bq25570, bq25504, ltc3588, diode-capacitor, constant-132mw))"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  perset: bq25570\n",
         R"(:31:3: unknown key "perset" in `supply`; did you mean `preset`?)"},
    Case{
        "    brown_out: 2.0 V\n",
        "    brown_out: 2.0 V\n  preset: bq25570\n  comparator: {hysteresis: 600 mV}\n",
        R"(:32:16: supply.comparator.hysteresis: 600 mV above supply.thresholds.warn, which is 2.5 V, must not lead above supply.thresholds.turn_on, which is 3 V)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {poll: 11 s}\n",
         R"(:31:22: supply.comparator.poll: "11 s" is out of range: it must be between 0 s and 10 s)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  comparator: {pol: 64 ms}\n",
         R"(:31:16: unknown key "pol" in `supply.comparator`; did you mean `poll`?)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  off_current: 2 mV\n",
         R"(:31:16: supply.off_current: "2 mV" is a voltage, not a current; write it such as 2 mA)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: bukc, efficiency: 80 %}\n",
        R"(:31:21: supply.converter.path: "bukc" is not known; did you mean buck? (known: direct, diode, ldo, buck, boost, constant))"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: buck}\n",
        R"(:31:15: supply.converter.path: needs `efficiency` or `table` as well, such as `efficiency: 85 %`)"},
    Case{"    brown_out: 2.0 V\n",
         "    brown_out: 2.0 V\n  converter: {path: ldo, efficiency: 80 %, drop: 0.1 V}\n",
         R"(:31:26: supply.converter.efficiency: only goes with path: buck or boost, or without a path)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: ldo}\n",
        R"(:31:3: supply.converter: `drop` is missing: a diode's forward voltage, or what the regulator needs; write it such as `drop: 300 mV`)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: direct, drop: 0.1 V}\n",
         R"(:31:29: supply.converter.drop: only goes with path: diode or ldo)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: constant}\n",
        R"(:31:3: supply.converter: `power` is missing: what is drawn as long as the board is on; write it such as `power: 132 mW`)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {power: 132 mW}\n",
         R"(:31:15: supply.converter.power: only goes with path: constant)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {table: bq25570-buck}\n",
         R"(:31:15: supply.converter.table: only goes with path: buck or boost)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  converter: {path: buck, table: bq25570-bukc}\n",
        R"(:31:34: supply.converter.table: "bq25570-bukc" is not known; did you mean bq25570-buck? (known: bq25570-charger, bq25570-buck, bq25504-charger, ltc3588-buck))"},
    Case{"    brown_out: 2.0 V\n",
         "    brown_out: 2.0 V\n  converter: {path: buck, efficiency: 80 %, table: bq25570-buck}\n",
         R"(:31:45: supply.converter.table: goes without `efficiency`: a table says it all)"},
    Case{"    brown_out: 2.0 V\n",
         "    brown_out: 2.0 V\n  converter: {path: buck, table: {voltages: [2 V, 2 V], currents: [1 mA], "
         "efficiencies: [[0.8], [0.8]]}}\n",
         R"(:31:51: supply.converter.table.voltages.1: 2 V must be above the one before, which is 2 V)"},
    Case{"    brown_out: 2.0 V\n",
         "    brown_out: 2.0 V\n  converter: {path: buck, table: {voltages: [2 V], currents: [1 mA, 2 mA], "
         "efficiencies: [[0.8]]}}\n",
         R"(:31:91: supply.converter.table.efficiencies.0: has 1 items; it must have 2 to 2)"},
    Case{
        "    brown_out: 2.0 V\n",
        "    brown_out: 2.0 V\n  converter: {path: buck, table: {voltages: [2 V], currents: [1 mA], "
        "efficiencies: [[1.2]]}}\n",
        R"(:31:86: supply.converter.table.efficiencies.0.0: "1.2" is out of range: it must be between 1 % and 100 %; did you mean 1.2 %?)"},
    Case{
        "    brown_out: 2.0 V\n",
        "    brown_out: 2.0 V\n  converter: {path: buck, table: {voltages: [2 V], currents: [1 mA]}}\n",
        R"(:31:27: supply.converter.table: `efficiencies` is missing; write it such as `efficiencies: [[70 %, 85 %], [75 %, 90 %]]`)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  charger: {path: constant}\n",
         R"(:31:19: supply.charger.path: "constant" is not known (known: direct, diode, ldo, buck, boost))"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  charger: {path: boost, table: bq25570-charger}\n",
        R"(:31:3: supply.charger: `input_voltage` is missing: at which the source delivers its power; write it such as `input_voltage: 1 V`)"},
    Case{"    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  charger: {input_voltage: 1 V}\n",
         R"(:31:13: supply.charger.input_voltage: only goes with a path; of path: boost with `table`)"},
    Case{
        "    brown_out: 2.0 V\n", "    brown_out: 2.0 V\n  charger: {quiescent: 1 uA}\n",
        R"(:31:13: unknown key "quiescent" in `supply.charger`; known keys are efficiency, path, table, drop, input_voltage)"},
    // heap
    Case{"ram: 8 KiB", "ram: 255 B",
         ":32:8: heap.ram: \"255 B\" is out of range: it must be between 256 B and 512 KiB"},
    Case{"dirty_limit: 2 KiB", "dirty_limit: 9 KiB",
         ":33:3: heap.dirty_limit: a dirty limit of 9216 B is above the RAM of the heap: heap.ram is 8192 B"},
    Case{"policy: in_order", "policy: in_oder",
         ":34:11: heap.policy: \"in_oder\" is not known; did you mean in_order? (known: in_order, clock, "
         "round_robin)"},
    Case{
        "policy: in_order", "memory: page",
        ":34:11: heap.memory: \"page\" is not known; did you mean pages? (known: heap, ram_snapshot, direct, "
        "pages)"},
    Case{"policy: in_order", "nv_allocator: bitmap",
         ":34:17: heap.nv_allocator: \"bitmap\" is not known (known: linked_list, buddy, block)"},
    Case{"policy: in_order", "slots: compact",
         ":34:3: heap.slots: compact slots need blocks of powers of two: ram_allocator: buddy and "
         "nv_allocator: "
         "buddy"},
    Case{"policy: in_order", "store_unit: 12 B",
         ":34:15: heap.store_unit: 12 B is not a multiple of 8 B, in which the store is divided"},
    Case{"policy: in_order", "store_unit: 17 KiB",
         ":34:15: heap.store_unit: \"17 KiB\" is out of range: it must be between 8 B and 16 KiB"},
    Case{"policy: in_order", "roots: 65",
         ":34:10: heap.roots: \"65\" is out of range: it must be between 0 and 64"},
    Case{"policy: in_order", "roots: -1", ":34:10: heap.roots: \"-1\" must not be negative"},
    Case{"policy: in_order", "write_intents: 1",
         ":34:18: heap.write_intents: \"1\" is neither true nor false"},
    Case{"policy: in_order", "write_intent: true",
         ":34:3: unknown key \"write_intent\" in `heap`; did you mean `write_intents`?"},
    Case{"policy: in_order", "page: 64 B", ":34:3: heap.page: a page is for memory: pages only"},
    Case{"policy: in_order", "memory: pages\n  page: 48 B",
         ":35:9: heap.page: 48 B is no power of two (32, 64, 128, 256, 512)"},
    Case{"policy: in_order", "memory: pages\n  page: 16 B",
         ":35:9: heap.page: \"16 B\" is out of range: it must be between 32 B and 512 B"},
    Case{"policy: in_order", "max_residents: 4097",
         ":34:18: heap.max_residents: \"4097\" is out of range: it must be between 1 and 4096"},
    Case{"policy: in_order", "store: 17 MiB",
         ":34:10: heap.store: \"17 MiB\" is out of range: it must be between 1 B and 16 MiB"},
    // workload
    Case{"kind: counter\n", "kind: conter\n",
         ":36:9: workload.kind: \"conter\" is not known; did you mean counter? (known: counter, queue, kvs, "
         "script, custom)"},
    Case{"  kind: counter\n", "", ":35:1: workload: `kind` is missing; write it such as `kind: counter`"},
    Case{"  kind: counter\n", "  knid: counter\n",
         ":36:3: unknown key \"knid\" in `workload`; did you mean `kind`?"},
    Case{"kind: counter\n", "kind: kvs\n",
         ":37:3: unknown key \"size\" in `workload`; did you mean `sizes`?"},
    Case{"kind: counter\n  size: 16 B\n", "kind: kvs\n  counts: [64, 64, 64, 65]\n",
         ":37:3: workload.counts: the counts add up to 257; they have to make 1 to 256"},
    Case{"kind: counter\n  size: 16 B\n", "kind: kvs\n  counts: [0, 0, 0, 0]\n",
         ":37:3: workload.counts: the counts add up to 0; they have to make 1 to 256"},
    Case{"kind: counter\n  size: 16 B\n", "kind: queue\n  iterations: 0\n",
         ":37:15: workload.iterations: \"0\" is out of range: it must be between 1 and 1000000000"},
    Case{"size: 16 B", "size: 3 B",
         ":37:9: workload.size: \"3 B\" is out of range: it must be between 4 B and 16376 B"},
    Case{"size: 16 B", "objects: 0",
         ":37:12: workload.objects: \"0\" is out of range: it must be between 1 and 4000"},
    // stop
    Case{"stop:\n  time: 60 s\n", "",
         ":1:1: scenario: section `stop` is missing: source and workload go on for ever, so the run would "
         "too; "
         "write it such "
         "as `stop: {time: 60 s}`"},
    Case{"stop:\n  time: 60 s\n", "stop: {}\n",
         ":38:1: stop: needs `time` or `operations`: source and workload go on for ever, so the run would "
         "too"},
    Case{"time: 60 s", "time: 60", ":39:9: stop.time: \"60\" needs a unit, such as 60 ms"},
    Case{"time: 60 s", "time: 101 d",
         ":39:9: stop.time: \"101 d\" is out of range: it must be between 1 ps and 100 d"},
    Case{"time: 60 s", "operations: 0",
         ":39:15: stop.operations: \"0\" is out of range: it must be between 1 and 18446744073709551615"},
};

// What stands in for the square wave of kGood, lines 18 to 21, as the content of `source`.
inline constexpr std::array kSourceCases{
    Case{"", "{kind: squrae}",
         ":17:18: supply.source.kind: \"squrae\" is not known; did you mean square? (known: constant, "
         "square, ramp, "
         "sine, bursts, markov, solar, sequence)"},
    Case{"", "{knid: square}", ":17:12: unknown key \"knid\" in `supply.source`; did you mean `kind`?"},
    Case{"", "{load: 3 Ohm}",
         ":17:3: supply.source: needs `trace` (a file), `kind` (a script) or `resets` (a list), such as "
         "`kind: constant`"},
    Case{"", "{trace: a, kind: constant}",
         ":17:22: supply.source: has both `trace` and `kind`; a source is a file, a list of resets or a "
         "script, so leave one out"},
    Case{"", "{resets: a, kind: constant}",
         ":17:23: supply.source: has both `resets` and `kind`; a source is a file, a list of resets or a "
         "script, so leave one out"},
    Case{"", "constant", ":17:11: supply.source: is \"constant\", not a section with keys such as trace"},
    Case{"", "{kind: constant}",
         ":17:3: supply.source: `power` is missing; write it such as `power: 150 uW`"},
    Case{"", "{kind: constant, power: 1001 W}",
         ":17:35: supply.source.power: \"1001 W\" is out of range: it must be between 0 W and 1 kW"},
    Case{"", "{kind: constant, power: 1 W, high: 2 W}",
         ":17:40: unknown key \"high\" in `supply.source`; known keys are kind, power, for, repeat"},
    Case{"", "{kind: constant, power: 1 W, repeat: true}",
         ":17:40: supply.source.repeat: needs `for`, the length of what repeats, such as `for: 2 s`"},
    Case{"", "{kind: constant, power: 1 W, for: 2 s, repeat: yes}",
         ":17:58: supply.source.repeat: \"yes\" is neither true nor false"},
    Case{"", "{kind: square, high: 1 W, low: 2 W, period: 1 s}",
         ":17:37: supply.source.low: 2 W must not be above supply.source.high, which is 1 W"},
    Case{"", "{kind: square, high: 1 W, period: 1 s, duty: 0}",
         ":17:56: supply.source.duty: 0 leaves less than 1 ns of a period of 1 s to one of the halves; it is "
         "a share "
         "above 0 and below 1, such as 0.5"},
    Case{"", "{kind: square, high: 1 W, period: 1 s, duty: 1}",
         ":17:56: supply.source.duty: 1 leaves less than 1 ns of a period of 1 s to one of the halves; it is "
         "a share "
         "above 0 and below 1, such as 0.5"},
    Case{"", "{kind: square, high: 1 W, period: 1 s, duty: 1.1}",
         ":17:56: supply.source.duty: \"1.1\" is out of range: it must be between 0 and 1"},
    Case{"", "{kind: square, high: 1 W, period: 1 ns}",
         ":17:45: supply.source.period: \"1 ns\" is out of range: it must be between 1 us and 100 d"},
    Case{"", "{kind: ramp, from: 0 W, to: 1 W, over: 1 s, step: 2 s}",
         ":17:55: supply.source.step: 2 s must not be longer than supply.source.over, which is 1 s"},
    Case{"", "{kind: sine, mean: 1 W, amplitude: -1 W, period: 1 s}",
         ":17:46: supply.source.amplitude: \"-1 W\" must not be negative"},
    Case{"",
         "{kind: bursts, min: 2 W, max: 1 W, min_length: 1 s, max_length: 1 s, min_gap: 1 s, max_gap: 1 s}",
         ":17:36: supply.source.max: 1 W must not be below supply.source.min, which is 2 W"},
    Case{"",
         "{kind: bursts, min: 1 W, max: 1 W, min_length: 2 s, max_length: 1 s, min_gap: 1 s, max_gap: 1 s}",
         ":17:63: supply.source.max_length: 1 s must not be below supply.source.min_length, which is 2 s"},
    Case{"",
         "{kind: bursts, min: 1 W, max: 1 W, min_length: 1 s, max_length: 1 s, min_gap: 2 s, max_gap: 1 s}",
         ":17:94: supply.source.max_gap: 1 s must not be below supply.source.min_gap, which is 2 s"},
    Case{"", "{kind: sequence, parts: []}",
         ":17:35: supply.source.parts: has 0 items; it must have 1 to 1000"},
    Case{"", "{kind: sequence, parts: [{kind: constant, power: 1 W}, {kind: constant, power: 1 W}]}",
         ":17:36: supply.source.parts.0: `for` is missing: a part that another one follows needs a length, "
         "such as "
         "`for: 2 s`"},
    Case{"", "{kind: sequence, repeat: true, parts: [{kind: constant, power: 1 W}]}",
         ":17:50: supply.source.parts.0: `for` is missing: the last part of what repeats needs a length, "
         "such as "
         "`for: 2 s`"},
    Case{"", "{kind: sequence, parts: [{kind: sequence, parts: []}]}",
         ":17:43: supply.source.parts.0.kind: \"sequence\" is not known (known: constant, square, ramp, "
         "sine, bursts, markov, solar)"},
    Case{"", "{kind: sequence, parts: [{kind: constant, power: 1 W, repeat: true}]}",
         ":17:65: unknown key \"repeat\" in `supply.source.parts.0`; known keys are kind, power, for"},
    Case{"", "{kind: sequence, parts: [{power: 1 W}]}",
         ":17:36: supply.source.parts.0: `kind` is missing; write it such as `kind: constant`"},
    Case{"", "{kind: sequence, parts: [1 W]}",
         ":17:36: supply.source.parts.0: is \"1 W\", not a section with keys such as kind"},
    Case{"",
         "{kind: sequence, parts: [{kind: constant, power: 1 W, for: 60 d}, {kind: constant, power: 1 W, "
         "for: 60 d}]}",
         ":17:77: supply.source.parts.1: the parts up to here are longer than 100 d"},
    Case{"", "{trace: ''}", ":17:19: supply.source.trace: is empty; write a few words"},
    Case{"", "{trace: a, time: indexed}",
         ":17:28: supply.source.time: \"indexed\" is not known (known: stamped, by_index)"},
    Case{"", "{trace: a, time: by_index}",
         ":17:3: supply.source: time: by_index needs `rate` as well, such as `rate: 1 kHz`"},
    Case{"", "{trace: a, rate: 1 kHz}",
         ":17:22: supply.source.rate: only goes with time: by_index; stamped traces have their own times"},
    Case{"", "{trace: a, time: by_index, rate: 1 kHz, gaps: hold}",
         ":17:51: supply.source.gaps: has no meaning with time: by_index, whose samples are evenly spaced; "
         "leave it "
         "out"},
    Case{"", "{trace: a, gaps: fill}",
         ":17:28: supply.source.gaps: \"fill\" is not known (known: error, hold, zero)"},
    Case{"", "{trace: a, load: 0 Ohm}",
         ":17:28: supply.source.load: \"0 Ohm\" is out of range: it must be between 1 mOhm and 1 GOhm"},
    Case{"", "{trace: a, scale: 0}",
         ":17:29: supply.source.scale: \"0\" is out of range: it must be between 1e-06 and 1e+06"},
    Case{"", "{trace: a, resample: 1 ns}",
         ":17:32: supply.source.resample: \"1 ns\" is out of range: it must be between 1 us and 100 d"},
    Case{"", "{trace: a, ofset: 1 s}",
         ":17:22: unknown key \"ofset\" in `supply.source`; did you mean `offset`?"},
    Case{"", "{resets: a, power: 1 W}",
         ":17:3: supply.source: `unit` is missing; write it such as `unit: ms`"},
    Case{"", "{resets: a, unit: us, power: 1 W}",
         ":17:29: supply.source.unit: \"us\" is not known; did you mean ms? (known: ms, cycles)"},
    Case{
        "", "{resets: a, unit: cycles, power: 1 W}",
        ":17:3: supply.source: unit: cycles needs `clock` as well, whose cycles they are, such as `clock: 16 "
        "MHz`"},
    Case{"", "{resets: a, unit: ms, clock: 1 MHz, power: 1 W}",
         ":17:33: supply.source.clock: only goes with unit: cycles; leave it out"},
    Case{"", "{kind: markov, on: 1 W, mean_on: 1 s}",
         ":17:3: supply.source: `mean_off` is missing; write it such as `mean_off: 30 ms`"},
    Case{"", "{kind: solar, peak: 1 W, day: 1 h, daylight: 2 h}",
         ":17:46: supply.source.daylight: 2 h must not be longer than supply.source.day, which is 1 h"},
    Case{"", "{kind: solar, peak: 1 W, clouds: 101 %}",
         ":17:44: supply.source.clouds: \"101 %\" is out of range: it must be between 0 % and 100 %"},
};

}  // namespace brownout::sim::bad_input
