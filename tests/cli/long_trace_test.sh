#!/usr/bin/env bash
# A recording is streamed, and so are the waves of a run: a run over two minutes at 100 kHz takes the memory that one minute takes.
#
# Usage: long_trace_test.sh BROWNOUT WRITE_RECORDING PEAK_MEMORY REPOSITORY
set -euo pipefail

readonly brownout=$1 write_recording=$2 peak_memory=$3 repository=$4
# KiB. Two runs over the same recording differ by a hundred; what a run keeps of its power cycles and of the voltage is
# bounded, and fills up in the first minutes. The samples of the second minute alone are 24 MiB.
readonly most_difference=2048
work=$(mktemp -d)
readonly work
trap 'rm -rf -- "$work"' EXIT

fail() {
  echo "long_trace_test: $*" >&2
  exit 1
}

# peak_of SECONDS: KiB of a run over so long a recording, which has to be played to its end.
peak_of() {
  local file=$work/recording.h5
  "$write_recording" "$file" "$1"
  "$peak_memory" "$brownout" run "$repository/scenarios/rf-counter.yaml" --set supply.source.trace="$file" \
    --set supply.source.repeat=false --set stop.time=1h --set supply.source.gaps=error \
    --vcd /dev/null --trace-json "$work/trace.json" \
    >"$work/out" 2>"$work/peak" || fail "the run over $1 s failed: $(cat "$work/out" "$work/peak")"
  grep -q "simulated  $2" "$work/out" || fail "not $1 s were simulated: $(cat "$work/out")"
  cat "$work/peak"
}

one=$(peak_of 60 '60.0 s')
two=$(peak_of 120 '120 s')
echo "peak memory: $one KiB over one minute, $two KiB over two"
difference=$((two > one ? two - one : one - two))
((difference <= most_difference)) || fail "$one KiB over one minute and $two KiB over two: it grows with the length"
((two < 200 * 1024)) || fail "$two KiB are more than 200 MiB"
