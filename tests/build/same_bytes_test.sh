#!/bin/bash
# One scenario, one report, whatever the compiler: builds the program with g++ -O0 and clang++ -O3 and compares
# the reports of every shipped scenario, byte by byte, with those of the build under test (g++ -O3).
set -euo pipefail
source_dir=$1
work=$2
reference=$3
jobs=$(nproc)

# build NAME COMPILER FLAGS
build() {
  cmake -S "$source_dir" -B "$work/$1" -G Ninja -DCMAKE_CXX_COMPILER="$2" -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_CXX_FLAGS_RELEASE="$3" -DBROWNOUT_TESTS=OFF -DBROWNOUT_BENCH=OFF >"$work/$1.log" 2>&1 &&
    cmake --build "$work/$1" -j "$jobs" --target brownout_cli >>"$work/$1.log" 2>&1 || {
    tail -n 40 "$work/$1.log" >&2
    exit 1
  }
}

mkdir -p "$work"
build gcc-O0 g++ -O0
build clang-O3 clang++ -O3
status=0
for scenario in "$source_dir"/scenarios/*.yaml; do
  name=$(basename "$scenario" .yaml)
  "$reference" run "$scenario" --quiet --report "$work/$name.reference.json"
  for other in gcc-O0 clang-O3; do
    "$work/$other/sim/brownout" run "$scenario" --quiet --report "$work/$name.$other.json"
    if ! cmp "$work/$name.reference.json" "$work/$name.$other.json"; then
      diff "$work/$name.reference.json" "$work/$name.$other.json" | head -n 20 >&2 || true
      status=1
    fi
  done
done
exit $status
