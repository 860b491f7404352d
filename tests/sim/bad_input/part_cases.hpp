// Parts of the user's own that are wrong in one place each. Data of scenario_test.cpp.
#pragma once

#include <array>

#include "scenario_cases.hpp"

namespace brownout::sim::bad_input {

inline constexpr std::array kPartCases{
    Case{"part: mb85rs64v", "part: {based_on: mb85rs64v}",
         ":12:3: storage.part: `name` is missing; write it such as `name: my part`"},
    Case{"part: mb85rs64v", "part: {name: mine}",
         ":12:3: storage.part: `based_on` is missing; write it such as `based_on: mb85rs64v`"},
    Case{"part: mb85rs64v", "part: {}",
         ":12:3: storage.part: `based_on` is missing; write it such as `based_on: mb85rs64v`"},
    Case{"part: mb85rs64v", "part: [mb85rs64v]",
         ":12:9: storage.part: is a list; write one value such as mb85rs64v"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs4tm}",
         ":12:32: storage.part.based_on: \"mb85rs4tm\" is not known; did you mean mb85rs4mt? (known: "
         "mb85rs64v, "
         "mb85rs64t, mb85rs256ty, mb85rs2mta, mb85rs4mt, cy15b104q, fm25w256, fm25v02a, msp430fr5994)"},
    Case{"part: mb85rs64v", "part: {name: MB85RS64T, based_on: mb85rs64v}",
         ":12:16: storage.part.name: \"MB85RS64T\" is a part of the catalogue; a part of your own has "
         "another name"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, sise: 16 KiB}",
         ":12:43: unknown key \"sise\" in `storage.part`; did you mean `size`?"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, standby: 1 uA}",
         ":12:43: unknown key \"standby\" in `storage.part`; known keys are name, based_on, size, "
         "access, address_bytes, "
         "fast_read, sleep, rdid, max_sck, min_vdd, max_vdd, active_current, standby_current, sleep_current, "
         "wel_cleared_by_write, power_up, sleep_entry, wake, row, endurance, reads_wear, retention"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, size: 12 KiB}",
         ":12:49: storage.part.size: \"12 KiB\" is no power of two: 8 KiB or 16 KiB would be one"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, size: 128 B}",
         ":12:49: storage.part.size: \"128 B\" is out of range: it must be between 256 B and 16 MiB"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, size: 128 KiB, address_bytes: 2}",
         ":12:73: storage.part.address_bytes: two address bytes reach 64 KiB; the part has 128 KiB"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, address_bytes: 4}",
         ":12:58: storage.part.address_bytes: \"4\" is out of range: it must be between 2 and 3"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, rdid: 04 7G}",
         ":12:49: storage.part.rdid: \"04 7G\" is neither `none` nor 1 to 9 bytes of two hexadecimal digits "
         "with "
         "one space between them, such as 04 7F 49 03"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, rdid: 04-7F}",
         ":12:49: storage.part.rdid: \"04-7F\" is neither `none` nor 1 to 9 bytes of two hexadecimal digits "
         "with "
         "one space between them, such as 04 7F 49 03"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, rdid: 00 11 22 33 44 55 66 77 88 99}",
         ":12:49: storage.part.rdid: \"00 11 22 33 44 55 66 77 88 99\" is neither `none` nor 1 to 9 bytes of "
         "two "
         "hexadecimal digits with one space between them, such as 04 7F 49 03"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, min_vdd: 6 V}",
         ":12:52: storage.part.min_vdd: the lowest supply has to be below the highest: min_vdd is 6 V, "
         "max_vdd 5.5 "
         "V"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, max_vdd: 3 V}",
         ":12:52: storage.part.max_vdd: the lowest supply has to be below the highest: min_vdd is 3 V, "
         "max_vdd 3 "
         "V"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, active_current: 1.5}",
         ":12:59: storage.part.active_current: \"1.5\" needs a unit, such as 1.5 mA"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, max_sck: 5 MHz}",
         ":13:8: storage.sck: \"10 MHz\" is above what mine allows: at most 5 MHz; `unsafe: true` in storage "
         "lets "
         "it pass, with a warning"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, wake: 400 us}",
         ":12:43: storage.part.wake: only goes with sleep: true, which mine has not"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, sleep: true, wake: 400 us}",
         ":12:3: storage.part: `sleep_current` is missing; write it such as `sleep_current: 8 uA`"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, row: 12 B}",
         ":12:48: storage.part.row: \"12 B\" is no power of two: 8 B or 16 B would be one"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, endurance: 0}",
         ":12:54: storage.part.endurance: \"0\" is out of range: it must be between 1 and 1e+18"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, retention: 10}",
         ":12:54: storage.part.retention: is \"10\", not a section with keys such as years"},
    // In the address space, or on a bus: not both.
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, access: 125 ns}",
         ":12:43: storage.part.access: only goes with a part in the address space of its MCU, such as "
         "msp430fr5994; "
         "mb85rs64v is on a bus"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: msp430fr5994, max_sck: 8 MHz}",
         ":12:46: storage.part.max_sck: only goes with a part on a bus; msp430fr5994 lies in the address "
         "space of its "
         "MCU"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: msp430fr5994, access: 2 us}",
         ":12:54: storage.part.access: \"2 us\" is out of range: it must be between 1 ps and 1 us"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: {name: mine, based_on: msp430fr5994, size: 64 KiB}",
         ":12:3: storage.part: mine lies in the address space of its MCU, and mcu.profile is esp32c3: it "
         "goes with "
         "msp430fr5994"},
    Case{"part: mb85rs64v", "part: msp430fr5994",
         ":13:3: storage.sck: msp430fr5994 lies in the address space of its MCU: there is no bus, leave this "
         "out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz", "part: msp430fr5994",
         ":13:3: storage.transfer: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced", "part: msp430fr5994",
         ":13:3: storage.slice: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  bus: {tick: {period: 1 ms, cost: 1 us}}",
         ":13:3: storage.bus: msp430fr5994 lies in the address space of its MCU: there is no bus, leave this "
         "out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  unsafe: true",
         ":13:3: storage.unsafe: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  retries: 3",
         ":13:3: storage.retries: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  timeout: 1 ms",
         ":13:3: storage.timeout: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  verify: read_back",
         ":13:3: storage.verify: msp430fr5994 lies in the address space of its MCU: there is no bus, leave "
         "this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  faults: {bit_error_rate: 1e-6}",
         ":13:12: storage.faults.bit_error_rate: msp430fr5994 lies in the address space of its MCU: there is "
         "no "
         "bus, leave this out"},
    Case{"part: mb85rs64v\n  sck: 10 MHz\n  transfer: sliced\n  slice: 64 B",
         "part: msp430fr5994\n  faults: {missing_answer: 1e-3}",
         ":13:12: storage.faults.missing_answer: msp430fr5994 lies in the address space of its MCU: there is "
         "no "
         "bus, leave this out"},
    Case{"part: mb85rs64v", "part: msp430fr5994\n  faults: {power_loss: garbage_in_flight}",
         ":13:24: storage.faults.power_loss: garbage_in_flight does not come up with msp430fr5994, whose "
         "controller "
         "ends the access at hand as power fails: write discard or garbage_below_min_vdd"},
    Case{"part: mb85rs64v", "part: msp430fr5994\n  faults: {power_loss: row_lost}",
         ":13:24: storage.faults.power_loss: row_lost does not come up with msp430fr5994, whose controller "
         "ends the "
         "access at hand as power fails: write discard or garbage_below_min_vdd"},
    Case{"part: mb85rs64v", "part: {name: mine, based_on: mb85rs64v, power_up: 2 s}",
         ":12:53: storage.part.power_up: \"2 s\" is out of range: it must be between 0 s and 1 s"},
};

}  // namespace brownout::sim::bad_input
