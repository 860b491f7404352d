#!/bin/bash
# Builds the targets for libFuzzer, as OSS-Fuzz wants it: CC, CXX, CFLAGS, CXXFLAGS, LIB_FUZZING_ENGINE, OUT and SRC are
# taken from the environment; alone it takes clang and build/libfuzzer.
#   tests/fuzz/targets/build.sh && build/libfuzzer/case_target -max_total_time=60 build/libfuzzer/case_corpus
set -euo pipefail
source_dir=${SRC:+$SRC/brownout}
source_dir=${source_dir:-$(cd "$(dirname "$0")/../../.." && pwd)}
out=${OUT:-$source_dir/build/libfuzzer}
work=${WORK:-$source_dir/build/libfuzzer}/objects
export CC=${CC:-clang} CXX=${CXX:-clang++}
export CXXFLAGS=${CXXFLAGS:--O1 -g1 -fsanitize=fuzzer-no-link}
engine=${LIB_FUZZING_ENGINE:--fsanitize=fuzzer}
mkdir -p "$out" "$work"
cmake -S "$source_dir" -B "$work" -G Ninja -DCMAKE_BUILD_TYPE=None -DCMAKE_CXX_COMPILER="$CXX" \
  -DBROWNOUT_TARGETS=ON -DBROWNOUT_FUZZING_ENGINE="$engine"
targets=(case_target scenario_target trace_target report_target image_target)
ninja -C "$work" "${targets[@]}"
for target in "${targets[@]}"; do
  cp "$work/tests/fuzz/targets/$target" "$out/"
done
cp "$source_dir/tests/fuzz/targets/case.dict" "$out/case_target.dict"
for kind in case trace report image; do
  mkdir -p "$out/${kind}_corpus"
  cp "$source_dir/tests/fuzz/targets/seeds/$kind/"* "$out/${kind}_corpus/"
done
mkdir -p "$out/scenario_corpus"
cp "$source_dir"/scenarios/*.yaml "$out/scenario_corpus/"
