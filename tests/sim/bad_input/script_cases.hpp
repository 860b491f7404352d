// Scripts that are wrong in one place each, and the line that has to say so. Data of script_test.cpp.
#pragma once

#include <array>
#include <string_view>

#include "scenario_cases.hpp"

namespace brownout::sim::bad_input {

// A script with nothing wrong. In kGood its first line is line 37 of the file.
inline constexpr std::string_view kScript = R"(  objects: [{name: state, size: 64 B, count: 4}]
  arrays: [{name: samples, element: 4 B, length: 256}]
  lists: [{name: log, element: 24 B, limit: 32, on_full: skip}]
  setup: [{write: state}]
  loop:
    - {write: samples, first: next, elements: 16}
    - {read: state, pick: 3}
    - {push: log}
    - {load: 15 mA, for: 3 ms}
    - {compute_cycles: 100}
    - {sleep: 10 ms}
    - {flush: all}
    - {repeat: 4, do: [{scan: log}]}
    - mix: [{weight: 3, do: [{pop: log}]}, {do: [{renew: state}]}]
)";

inline constexpr std::array kScriptCases{
    // Definitions.
    Case{"size: 64 B", "size: 0 B",
         ":37:33: workload.objects.0.size: \"0 B\" is out of range: it must be between 1 B and 16376 B"},
    Case{"size: 64 B", "size: 16377 B",
         ":37:33: workload.objects.0.size: \"16377 B\" is out of range: it must be between 1 B and 16376 B"},
    Case{"size: 64 B", "size: 64", ":37:33: workload.objects.0.size: \"64\" needs a unit, such as 64 B"},
    Case{", size: 64 B", "", ":37:13: workload.objects.0: `size` is missing; write it such as `size: 64 B`"},
    Case{"size: 64 B", "sise: 64 B",
         ":37:27: unknown key \"sise\" in `workload.objects.0`; did you mean `size`?"},
    Case{"size: 64 B", "length: 3",
         ":37:27: unknown key \"length\" in `workload.objects.0`; known keys are name, size, count"},
    Case{"{name: state, ", "{",
         ":37:13: workload.objects.0: `name` is missing; write it such as `name: state`"},
    Case{"{name: state, ", "{name: '', ", ":37:20: workload.objects.0.name: is empty; write a few words"},
    Case{"{name: state, ", "{name: aaaaabbbbbcccccdddddeeeeefffffggggghhhhhi, ",
         ":37:20: workload.objects.0.name: is 41 bytes long; at most 40"},
    Case{"count: 4", "count: 0",
         ":37:46: workload.objects.0.count: \"0\" is out of range: it must be between 1 and 4000"},
    Case{"count: 4", "count: 4001",
         ":37:46: workload.objects.0.count: \"4001\" is out of range: it must be between 1 and 4000"},
    Case{"count: 4", "count: 4000",
         ":38:12: workload.arrays.0: objects and arrays up to here are 4001; there may be 4000 in all"},
    Case{"{name: samples,", "{name: state,",
         ":38:19: workload.arrays.0.name: \"state\" is the name of workload.objects.0 already"},
    Case{"{name: log,", "{name: samples,",
         ":39:18: workload.lists.0.name: \"samples\" is the name of workload.arrays.0 already"},
    Case{"element: 4 B, ", "",
         ":38:12: workload.arrays.0: `element` is missing; write it such as `element: 4 B`"},
    Case{"element: 4 B", "element: 64 B",
         ":38:51: workload.arrays.0.length: 256 elements of 64 B are 16384 B; an array has at most 16312 B"},
    Case{
        "element: 4 B", "element: 16313 B",
        ":38:37: workload.arrays.0.element: \"16313 B\" is out of range: it must be between 1 B and 16312 B"},
    Case{", length: 256", "",
         ":38:12: workload.arrays.0: `length` is missing; write it such as `length: 256`"},
    Case{"length: 256", "length: 0",
         ":38:50: workload.arrays.0.length: \"0\" is out of range: it must be between 1 and 16312"},
    Case{"element: 24 B", "element: 16369 B",
         ":39:32: workload.lists.0.element: \"16369 B\" is out of range: it must be between 1 B and 16368 B"},
    Case{", limit: 32", "", ":39:11: workload.lists.0: `limit` is missing; write it such as `limit: 32`"},
    Case{"limit: 32", "limit: 0",
         ":39:45: workload.lists.0.limit: \"0\" is out of range: it must be between 1 and 4000"},
    Case{"limit: 32", "limit: 4001",
         ":39:45: workload.lists.0.limit: \"4001\" is out of range: it must be between 1 and 4000"},
    Case{"on_full: skip", "on_full: drop",
         ":39:58: workload.lists.0.on_full: \"drop\" is not known (known: drop_oldest, skip)"},
    Case{"[{name: state, size: 64 B, count: 4}]", "{name: state}",
         ":37:12: workload.objects: has to be a list"},
    Case{"[{name: state, size: 64 B, count: 4}]", "[]",
         ":37:12: workload.objects: has 0 items; it must have 1 to 64"},
    Case{"[{name: state, size: 64 B, count: 4}]", "[state]",
         ":37:13: workload.objects.0: is \"state\", not a section with keys such as name"},
    Case{"objects:", "object:", ":37:3: unknown key \"object\" in `workload`; did you mean `objects`?"},
    Case{"objects:", "sizes:",
         ":37:3: unknown key \"sizes\" in `workload`; known keys are kind, objects, arrays, lists, setup, "
         "loop, iterations"},
    Case{"count: 4}]", "count: 4}, {name: spare, size: 8 B}]",
         ":37:57: workload.objects.1.name: no step uses \"spare\"; use it or leave it out"},
    // Steps.
    Case{"  setup: [{write: state}]\n", "  setup: []\n",
         ":40:10: workload.setup: has 0 items; it must have 1 to 1000"},
    Case{"  setup: [{write: state}]\n", "  setup: {write: state}\n",
         ":40:10: workload.setup: has to be a list"},
    Case{"  setup: [{write: state}]\n", "  setup:\n", ":40:3: workload.setup: has to be a list"},
    Case{"  setup: [{write: state}]\n", "  iterations: 0\n",
         ":40:15: workload.iterations: \"0\" is out of range: it must be between 1 and 1000000000"},
    Case{"  loop:\n", "  lopo:\n", ":41:3: unknown key \"lopo\" in `workload`; did you mean `loop`?"},
    Case{"{read: state, pick: 3}", "{raed: state}",
         ":43:8: unknown key \"raed\" in `workload.loop.1`; did you mean `read`?"},
    Case{"{read: state, pick: 3}", "{pick: 3}",
         ":43:7: workload.loop.1: does not say what to do, which is one of write, read, renew, push, pop, "
         "insert, remove, scan, flush, compute_cycles, sleep, load, repeat, mix"},
    Case{"{read: state, pick: 3}", "read",
         ":43:7: workload.loop.1: is \"read\", not a section with keys such as write"},
    Case{"{read: state, pick: 3}", "",
         ":44:5: workload.loop.1: has nothing in it; it is a section with keys such as write"},
    Case{"{read: state, pick: 3}", "{}",
         ":43:7: workload.loop.1: does not say what to do, which is one of write, read, renew, push, pop, "
         "insert, remove, scan, flush, compute_cycles, sleep, load, repeat, mix"},
    Case{"{read: state, pick: 3}", "{read: state, write: state}",
         ":43:21: workload.loop.1: has both `read` and `write`; a step does one thing"},
    Case{"{read: state, pick: 3}", "{read: stat}",
         ":43:14: workload.loop.1.read: \"stat\" is not known; did you mean state? (known: state, samples)"},
    Case{"{read: state, pick: 3}", "{read: log}",
         ":43:14: workload.loop.1.read: \"log\" is a list; this step needs an object or an array"},
    Case{"{read: state, pick: 3}", "{read:}",
         ":43:8: workload.loop.1.read: has no value; write one such as state"},
    Case{"{read: state, pick: 3}", "{read: [state]}",
         ":43:14: workload.loop.1.read: is a list; write one value such as state"},
    Case{"{read: state, pick: 3}", "{read: state, first: 3}",
         ":43:21: unknown key \"first\" in `workload.loop.1`; known keys are read, pick"},
    Case{"{read: state, pick: 3}", "{write: state, first: 0, elements: 1}",
         ":43:22: workload.loop.1.first: only goes with an array, and \"state\" is an object"},
    Case{"{read: state, pick: 3}", "{write: state, elements: 1}",
         ":43:22: workload.loop.1.elements: only goes with an array, and \"state\" is an object"},
    Case{"pick: 3", "pick: 4",
         ":43:27: workload.loop.1.pick: \"4\" is out of range: it must be between 0 and 3"},
    Case{"pick: 3", "pick: randm",
         ":43:27: workload.loop.1.pick: \"randm\" is not known; did you mean random? (known: next, random, "
         "an index from 0 to 3)"},
    Case{"pick: 3", "pick: last",
         ":43:27: workload.loop.1.pick: \"last\" is not known (known: next, random, an index from 0 to 3)"},
    Case{"pick: 3", "pick: -1",
         ":43:27: workload.loop.1.pick: \"-1\" is not known (known: next, random, an index from 0 to 3)"},
    Case{"first: next, elements: 16", "first: next",
         ":42:24: workload.loop.0.first: needs `elements` as well, such as `elements: 16`"},
    Case{"first: next, elements: 16", "first: 241, elements: 16",
         ":42:31: workload.loop.0.first: \"241\" is out of range: it must be between 0 and 240"},
    Case{"first: next, elements: 16", "elements: 257",
         ":42:34: workload.loop.0.elements: \"257\" is out of range: it must be between 1 and 256"},
    Case{"first: next, elements: 16", "elements: 0",
         ":42:34: workload.loop.0.elements: \"0\" is out of range: it must be between 1 and 256"},
    Case{"{push: log}", "{push: samples}",
         ":44:14: workload.loop.2.push: \"samples\" is an array; this step needs a list"},
    Case{"{push: log}", "{push: lgo}",
         ":44:14: workload.loop.2.push: \"lgo\" is not known; did you mean log? (known: log)"},
    Case{"{push: log}", "{push: log, at: end}",
         ":44:23: workload.loop.2.at: \"end\" is not known (known: front, back)"},
    Case{"{push: log}", "{pop: log, at: random}",
         ":44:22: workload.loop.2.at: \"random\" is not known (known: front, back)"},
    Case{"{push: log}", "{insert: log, at: front}",
         ":44:21: unknown key \"at\" in `workload.loop.2`; known keys are insert"},
    Case{"load: 15 mA", "load: 11 A",
         ":45:14: workload.loop.3.load: \"11 A\" is out of range: it must be between 0 A and 10 A"},
    Case{"load: 15 mA", "load: 15", ":45:14: workload.loop.3.load: \"15\" needs a unit, such as 15 mA"},
    Case{"load: 15 mA", "load: 1.5 uA",
         ":45:14: workload.loop.3.load: \"1.5 uA\" is not a whole number of microamperes"},
    Case{", for: 3 ms", "", ":45:7: workload.loop.3: `for` is missing; write it such as `for: 3 ms`"},
    Case{"for: 3 ms", "for: 0 s",
         ":45:26: workload.loop.3.for: \"0 s\" is out of range: it must be between 1 us and 1 d"},
    Case{"for: 3 ms", "for: 1500 ns",
         ":45:26: workload.loop.3.for: \"1500 ns\" is not a whole number of microseconds"},
    Case{"for: 3 ms", "for: 25 h",
         ":45:26: workload.loop.3.for: \"25 h\" is out of range: it must be between 1 us and 1 d"},
    Case{"for: 3 ms", "for: 3 ms, cpu: asleep",
         ":45:37: workload.loop.3.cpu: \"asleep\" is not known; did you mean sleep? (known: busy, sleep)"},
    Case{
        "compute_cycles: 100", "compute_cycles: 0",
        ":46:24: workload.loop.4.compute_cycles: \"0\" is out of range: it must be between 1 and 1000000000"},
    Case{"compute_cycles: 100", "compute_cycles: 1000000001",
         ":46:24: workload.loop.4.compute_cycles: \"1000000001\" is out of range: it must be between 1 and "
         "1000000000"},
    Case{"compute_cycles: 100", "compute_cycles: 100 cycles",
         R"(:46:24: workload.loop.4.compute_cycles: "100 cycles" is not a plain number; leave out "cycles")"},
    Case{"compute_cycles: 100", "compute: 100",
         ":46:8: unknown key \"compute\" in `workload.loop.4`; known keys are write, read, renew, push, pop, "
         "insert, remove, scan, flush, compute_cycles, sleep, load, repeat, mix, pick, first, elements, at, "
         "for, cpu, do, times"},
    Case{"sleep: 10 ms", "sleep: 10", ":47:15: workload.loop.5.sleep: \"10\" needs a unit, such as 10 ms"},
    Case{"sleep: 10 ms", "sleep: 2 d",
         ":47:15: workload.loop.5.sleep: \"2 d\" is out of range: it must be between 1 us and 1 d"},
    Case{"sleep: 10 ms", "sleep: 10 ms, load: 1 mA",
         ":47:22: workload.loop.5: has both `sleep` and `load`; a step does one thing"},
    Case{"flush: all", "flush: state", ":48:15: workload.loop.6.flush: \"state\" is not known (known: all)"},
    Case{"repeat: 4", "repeat: 0",
         ":49:16: workload.loop.7.repeat: \"0\" is out of range: it must be between 1 and 100000"},
    Case{"repeat: 4", "repeat: 100001",
         ":49:16: workload.loop.7.repeat: \"100001\" is out of range: it must be between 1 and 100000"},
    Case{", do: [{scan: log}]", "",
         ":49:7: workload.loop.7: `do` is missing; write it such as `do: [{write: state}]`"},
    Case{"do: [{scan: log}]", "do: {scan: log}", ":49:23: workload.loop.7.do: has to be a list"},
    Case{"do: [{scan: log}]", "do: []", ":49:23: workload.loop.7.do: has 0 items; it must have 1 to 1000"},
    Case{"repeat: 4", "repeat: 4000",
         ":41:3: workload.loop: one pass runs more than 100000 steps, repetitions included"},
    Case{"weight: 3", "weight: 0",
         ":50:22: workload.loop.8.mix.0.weight: \"0\" is out of range: it must be between 1 and 1000000"},
    Case{"weight: 3", "weight: 1000001",
         ":50:22: workload.loop.8.mix.0.weight: \"1000001\" is out of range: it must be between 1 and "
         "1000000"},
    Case{"weight: 3, do: [{pop: log}]", "weight: 3",
         ":50:13: workload.loop.8.mix.0: `do` is missing; write it such as `do: [{write: state}]`"},
    Case{", {do: [{renew: state}]}", "", ":50:12: workload.loop.8.mix: has 1 items; it must have 2 to 32"},
    Case{"{do: [{renew: state}]}", "{do: [{renew: state}], times: 2}",
         ":50:67: unknown key \"times\" in `workload.loop.8.mix.1`; known keys are weight, do"},
};

}  // namespace brownout::sim::bad_input
