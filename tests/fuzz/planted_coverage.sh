#!/bin/bash
# The coverage-guided campaigns of the table of planted bugs (tests/README.md): libFuzzer on firmware with the bug, from an
# empty corpus, until the first finding or the cap. Writes lines as planted_table does, and skips those that are there.
# No outages between accesses: its instrumentation is another.
# Usage: planted_coverage.sh RESULTS CAP_IN_CPU_SECONDS SEEDS BUG...
set -euo pipefail
results=$1 cap=$2 seeds=$3
shift 3
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
objects=$source_dir/build/libfuzzer/objects
names=$(IFS=';'; echo "$*")
export CXX=clang++ CXXFLAGS="-O1 -g1 -fsanitize=fuzzer-no-link"
cmake -S "$source_dir" -B "$objects" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER=clang++ \
  -DBROWNOUT_TARGETS=ON -DBROWNOUT_FUZZING_ENGINE=-fsanitize=fuzzer "-DBROWNOUT_PLANTED=$names" >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for bug in "$@"; do
  what=$(head -n 1 "$source_dir/tests/explore/planted/$bug.bug")
  ninja -C "$objects" -j1 "planted_$bug" >/dev/null
  missed=0
  for seed in $(seq "$seeds"); do
    [ $((2 * missed)) -le "$seeds" ] || break
    if known=$(grep "^$bug coverage $seed " "$results" 2>/dev/null | tail -n 1) && [ -n "$known" ]; then
      [ "$(cut -d' ' -f7 <<<"$known")" != - ] || missed=$((missed + 1))
      continue
    fi
    rm -rf "$work/corpus"
    mkdir "$work/corpus"
    code=0
    # No leak is one: what is abandoned with a fiber is not freed. A bug that spoils malloc's lists can leave
    # libFuzzer's own handler waiting for ever.
    (ulimit -t $((cap + 1)) && cd "$work" && exec /usr/bin/env time -f 'cpu %U %S' timeout -s KILL $((4 * cap)) "$objects/tests/fuzz/targets/planted_$bug" \
      -seed="$seed" -max_len=8192 -timeout=5 -detect_leaks=0 -print_final_stats=1 -max_total_time=$((4 * cap)) corpus) \
      >"$work/log" 2>&1 || code=$?
    cpu=$(awk '/^cpu /{print $2 + $3}' "$work/log")
    runs=$(awk '/number_of_executed_units/{print $2}' "$work/log")
    if [ "$code" -ne 0 ] && grep -q '^brownout replay\|ERROR: libFuzzer' "$work/log"; then
      check=$(grep -oE '^[a-z]+: ' "$work/log" | head -n 1 | tr -d ': ') || true
      [ -n "$check" ] || check=crashes
    else
      check=-
      missed=$((missed + 1))
    fi
    echo "$bug coverage $seed ${runs:-0} ${cpu:-$cap} $cap $check $what" >>"$results"
  done
done
