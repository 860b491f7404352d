#!/bin/bash
# One scenario, one report, whatever the compiler: compares the reports and sizings of every shipped scenario, of the
# explorer and of the fuzzer, byte by byte, with those of the build under test (g++ -O3). BUILD is `asan`, the sanitized
# build by clang++ -O1, which the test command has made anyway; or COMPILER-OPTION, such as g++-O0, built here.
#   same_bytes_test.sh SOURCE_DIR WORK REFERENCE BUILD...
set -euo pipefail
source_dir=$1
work=$2
reference=$3
builds=("${@:4}")

# build NAME: leaves its program in $work/NAME/brownout.
build() {
  local folder=$work/$1/build configuration=(-DCMAKE_BUILD_TYPE=Release)
  if [[ $1 == asan ]]; then
    folder=$source_dir/build/asan
    configuration=(--preset asan)
  else
    configuration+=(-B "$folder" -G Ninja "-DCMAKE_CXX_COMPILER=${1%%-*}" "-DCMAKE_CXX_FLAGS_RELEASE=-${1#*-}"
      -DBROWNOUT_TESTS=OFF -DBROWNOUT_BENCH=OFF)
  fi
  mkdir -p "$work/$1"
  { [[ -e $folder/build.ninja ]] || cmake -S "$source_dir" "${configuration[@]}"; } >"$work/$1.log" 2>&1 &&
    cmake --build "$folder" --target brownout_cli >>"$work/$1.log" 2>&1 || {
    tail -n 40 "$work/$1.log" >&2
    exit 1
  }
  ln -sf "$folder/sim/brownout" "$work/$1/brownout"
}

for name in "${builds[@]}"; do build "$name"; done
status=0
# same NAME OTHER
same() {
  cmp "$work/$1.reference.json" "$work/$1.$2.json" && return
  diff "$work/$1.reference.json" "$work/$1.$2.json" | head -n 20 >&2 || true
  status=1
}
# size PROGRAM SCENARIO REPORT: 1 says that the capacitor is too small.
size() {
  "$1" size "$2" --monte-carlo 1000 --report "$3" >/dev/null || [ $? -eq 1 ]
}
for scenario in "$source_dir"/scenarios/*.yaml; do
  name=$(basename "$scenario" .yaml)
  "$reference" run "$scenario" --quiet --report "$work/$name.reference.json"
  size "$reference" "$scenario" "$work/$name-size.reference.json"
  for other in "${builds[@]}"; do
    "$work/$other/brownout" run "$scenario" --quiet --report "$work/$name.$other.json"
    same "$name" "$other"
    size "$work/$other/brownout" "$scenario" "$work/$name-size.$other.json"
    same "$name-size" "$other"
  done
done
# Waves, of a run and of a replay.
waves() {
  "$1" run "$source_dir/scenarios/quickstart.yaml" --quiet --window "300 ms..900 ms" --vcd "$work/vcd.$2.json" \
    --trace-json "$work/trace.$2.json"
  "$1" replay "e1~$source_dir/scenarios/rf-counter.yaml~operations:3~seed:1~retries~make#2+byte:9" \
    --vcd "$work/replayed.$2.json" >/dev/null
}
waves "$reference" reference
for other in "${builds[@]}"; do
  waves "$work/$other/brownout" "$other"
  for name in vcd trace replayed; do same "$name" "$other"; done
done
# Runs of the fuzzer, too.
"$reference" fuzz --runs 1000 --quiet --report "$work/fuzz.reference.json"
for other in "${builds[@]}"; do
  "$work/$other/brownout" fuzz --runs 1000 --quiet --report "$work/fuzz.$other.json"
  same fuzz "$other"
done
# An exploration of bytes and operations: accesses belong to one build.
explore() {
  "$1" explore "$source_dir/scenarios/quickstart.yaml" --operations 1 --points byte,operation --sample 2000 \
    --report "$work/explore.$2.json" >/dev/null
}
explore "$reference" reference
for other in "${builds[@]}"; do
  explore "$work/$other/brownout" "$other"
  same explore "$other"
done
exit $status
