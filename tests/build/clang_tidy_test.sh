#!/bin/bash
# clang-tidy over every source that the build compiles, by the rules of .clang-tidy. The path analysis of clang is
# left out for tests and bench, where it takes an hour over what they instantiate; the heap itself is analysed in
# the firmware of the simulator and in the reference firmware.
#
#   clang_tidy_test.sh SOURCE_DIR BUILD_DIR [REGEX]    REGEX: only the sources that match
set -euo pipefail
source_dir=$1
build_dir=$2
regex=${3:-.}
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

# Without precompiled headers: g++'s are nothing to clang-tidy, and a source has to include what it uses.
sed 's/ -Winvalid-pch / /; s/ -include [^ ]*cmake_pch[^ ]* / /' "$build_dir/compile_commands.json" \
  >"$work/compile_commands.json"

# tidy SOURCE: prints the findings, fails if there are any.
tidy() {
  local checks=() out
  [[ $1 != */tests/* && $1 != */bench/* ]] || checks=(--checks=-clang-analyzer-*)
  out=$(clang-tidy -p "$work" --quiet "${checks[@]}" "$1" 2>&1) && return
  printf '%s\n' "== $1" "$out"
  return 1
}
export -f tidy
export work

# Sources that CMake has made are not ours.
sed -n 's/^ *"file": "\(.*\)".*/\1/p' "$work/compile_commands.json" | sort -u | grep -vF -- "$build_dir/" |
  grep -E -- "$regex" |
  xargs -P "$(nproc)" -I{} bash -c 'tidy {}'

# Every module of the heap, as firmware; another compiler builds it.
clang-tidy --quiet "$source_dir/tests/freestanding/reference.cpp" -- -std=c++20 -ffreestanding -fno-exceptions \
  -fno-rtti -I "$build_dir/houses/heap"
