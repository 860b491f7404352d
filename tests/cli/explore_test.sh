#!/usr/bin/env bash
# explore_test.sh PLAIN EXPLORER SOURCE: `explore` and `replay` as a user calls them. EXPLORER is the program over the
# instrumented firmware, or empty where there is none (sanitizers).
set -euo pipefail

readonly plain=$1 explorer=$2 source=$3
scratch=$(mktemp -d)
readonly scratch
trap 'rm -rf -- "$scratch"' EXIT
failures=0

fail() {
  printf 'FAILED: %s\n' "$*" >&2
  failures=$((failures + 1))
}

# expect CODE PATTERN COMMAND...: the exit code, and a line of its output.
expect() {
  local code=$1 pattern=$2 status=0
  shift 2
  "$@" >"$scratch/out" 2>&1 || status=$?
  ((status == code)) || fail "exit code $status, not $code: $* ($(head -c 300 "$scratch/out"))"
  grep -q -- "$pattern" "$scratch/out" || fail "no '$pattern' from: $* ($(head -c 300 "$scratch/out"))"
}

cat >"$scratch/small.yaml" <<'YAML'
name: small
mcu: {profile: cortex-m0plus, os_save_bytes: 16 B, after_persist: shutdown}
storage: {part: MB85RS64V, bus: polled, sck: 8 MHz}
supply:
  source: {kind: constant, power: 1 mW}
  capacitor: {capacitance: 470 uF}
  thresholds: {turn_on: 3.6 V, warn: 3.0 V, brown_out: 2.7 V}
heap: {ram: 512 B, dirty_limit: 320 B, store: 1 KiB, max_residents: 4}
workload: {kind: counter, objects: 6, size: 32 B, compute_cycles: 0}
stop: {operations: 3}
YAML
readonly small=$scratch/small.yaml

# By bytes and operations, with any firmware: the same report for any number of jobs.
expect 0 'without access points this is no proof' "$plain" explore "$small" --points byte,operation --report "$scratch/one.json"
expect 0 'passed' "$plain" explore "$small" --points byte,operation --jobs 3 --report "$scratch/three.json"
cmp -s "$scratch/one.json" "$scratch/three.json" || fail 'the report depends on --jobs'
grep -q '"proven": false' "$scratch/one.json" || fail 'a proof without access points'
expect 0 'passed' "$plain" explore "$small" --points byte --sample 100 --depth 2 --stats "$scratch/stats.json"
grep -q '"cpu_s"' "$scratch/stats.json" || fail 'no speed in --stats'
grep -q 'cpu_s' "$scratch/one.json" && fail 'a speed in the report'
expect 0 '100 tried' "$plain" explore "$small" --points byte --from 50 --to 150
expect 0 'explore SCENARIO.yaml' "$plain" explore --help

# Wrong input.
expect 2 'not instrumented' "$plain" explore "$small" --points access
expect 2 'did you mean `byte`' "$plain" explore "$small" --points byt
expect 2 'has to be above --from' "$plain" explore "$small" --from 5 --to 5
expect 2 'needs a number from 1 to 2' "$plain" explore "$small" --depth 3
expect 2 'needs a number from 1 to 256' "$plain" explore "$small" --jobs 0
expect 2 'needs a scenario file' "$plain" explore
expect 2 'unknown flag' "$plain" explore "$small" --point byte
expect 2 'is no case' "$plain" replay nonsense
expect 2 'needs a case' "$plain" replay
expect 2 'neither a course nor a place' "$plain" replay "e1~$small~operations:3~seed:1~first_image~wirte#1+byte:3"
expect 2 'how many operations' "$plain" replay "e1~$small~seed:1"

# A case that does not fail, and places that are not there.
expect 0 'it does not fail' "$plain" replay "e1~$small~operations:3~seed:1~retries~make#2+byte:3"
expect 0 'taken instead: make#2+byte' "$plain" replay "e1~$small~operations:3~seed:1~first_image~make#2+byte:99999"
expect 0 'it does not fail' "$plain" replay "e1~$small~operations:3~seed:1~retries~make#2+byte:3" --vcd "$scratch/r.vcd" \
  --trace-json "$scratch/r.json"
tail -n 1 "$scratch/r.json" | grep -q '^]}$' || fail 'the trace of a replay is not whole'
grep -q 'no supply is modelled' "$scratch/r.vcd" || fail 'the dump of a replay does not say what it is not'
expect 2 'give one of them' "$plain" replay "e1~$small~operations:3~seed:1~retries~make#2+byte:3" --window "0 s..1 s"
expect 2 'writes no files' "$plain" replay "e1~$small~operations:3~seed:1~retries~make#2+byte:3" --gdb --vcd "$scratch/r.vcd"
expect 0 'the call is not made' "$plain" replay "e1~$small~operations:3~seed:1~first_image~write#9999+byte:0"

# Ctrl-C: a whole report of what was done, within a second or so.
"$plain" explore "$source/scenarios/kvs.yaml" --points byte --operations 1000 --report "$scratch/cut.json" --quiet &
child=$!
sleep 2
kill -INT "$child"
status=0
SECONDS=0
wait "$child" || status=$?
((status == 130)) || fail "exit code $status after Ctrl-C"
((SECONDS <= 20)) || fail "took $SECONDS s to end"
grep -q '"complete": false' "$scratch/cut.json" || fail 'the report does not say that it is not complete'
tail -c 2 "$scratch/cut.json" | grep -q '}' || fail 'half a report'

if [[ -n $explorer ]]; then
  expect 0 PROVEN "$explorer" explore "$small" --report "$scratch/proven.json"
  grep -q '"proven": true' "$scratch/proven.json" || fail 'not proven'
  grep -q '"build_id": "[0-9a-f]\{16\}"' "$scratch/proven.json" || fail 'no build id'
  expect 0 PROVEN "$explorer" explore "$small" --jobs 2 --report "$scratch/again.json"
  cmp -s "$scratch/proven.json" "$scratch/again.json" || fail 'access points differ between two runs'
  expect 0 passed "$explorer" explore "$small" --points byte,operation --report "$scratch/bytes.json"
  cmp -s "$scratch/bytes.json" "$scratch/one.json" || fail 'bytes and operations depend on the instrumentation'
  expect 0 'is of build 0123' "$explorer" replay "e1~$small~operations:3~seed:1~first_image~make#2+access:3~build:0123"
fi

((failures == 0)) || exit 1
printf 'all passed\n'
