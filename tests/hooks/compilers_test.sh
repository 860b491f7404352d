#!/usr/bin/env bash
# A small firmware, hooked by g++ and clang++ at -O0, -O2 and -O3: each access of functions whose accesses are known,
# every change of RAM in runs of two workloads, and the same accesses however the program is linked. Then what happens
# without the one object, so that this is known to notice it.
#
# Usage: compilers_test.sh SOURCE_DIR BUILD_DIR SIMULATOR HOOKS PLAIN MAIN_OBJECTS GNU_FLAGS CLANG_FLAGS LIBRARY...
# SIMULATOR, HOOKS, PLAIN: the libraries brownout_simulator, brownout_hooked_firmware, brownout_firmware.
# MAIN_OBJECTS and flags: lists with semicolons.
set -euo pipefail

readonly source_dir=$1 build_dir=$2 simulator=$3 hooks=$4 plain=$5
IFS=';' read -ra main_objects <<<"$6"
IFS=';' read -ra gnu_flags <<<"$7"
IFS=';' read -ra clang_flags <<<"$8"
readonly libraries=("${@:9}")
readonly here=$source_dir/tests/hooks/compilers
work=$(mktemp -d)
readonly work
trap 'rm -rf -- "$work"' EXIT

fail() {
  printf 'compilers: %s\n' "$*" >&2
  [[ ! -s $work/log ]] || tail -n 20 -- "$work/log" >&2
  exit 1
}

# compile COMPILER LEVEL FLAG...: the parts, and the object made of them.
compile() {
  local compiler=$1 level=$2 source parts=()
  for source in "$here"/{one_heap,known_accesses}.cpp \
    "$source_dir"/sim/{firmware/build_id,hooks/memory_functions}.cpp; do
    parts+=("$work/$(basename "$source" .cpp).o")
    "$compiler" -std=c++20 "$level" -fno-exceptions -fno-rtti "${@:3}" -DBROWNOUT_HOOKED \
      -I"$build_dir/houses/heap" -I"$build_dir/houses/firmware" -I"$here" -c "$source" -o "${parts[-1]}" \
      2>"$work/log" || fail "$compiler $level does not compile $source"
  done
  cmake "-DOBJECTS=$(IFS=';' && echo "${parts[*]}")" -DOUTPUT="$work/firmware.o" \
    '-DENTRY_POINTS=build_id;known_accesses;make_firmware;plan_baseline;plan_heap;run_fuzz;set_fuzz' -DBUILT_WITH="$compiler $level" \
    -DSECTIONS="$source_dir/sim/hooks/one_object.ld" -DLD=ld.bfd -DOBJCOPY=objcopy -DNM=nm \
    -P "$source_dir/sim/hooks/one_object.cmake" >"$work/log" 2>&1 || fail "$compiler $level: no object"
}

# link NAME FILE...: in that order; archives are searched again until nothing is missing.
link() {
  g++ -o "$work/$1" "${main_objects[@]}" -Wl,--start-group "${@:2}" -Wl,--end-group "${libraries[@]}" \
    >"$work/log" 2>&1
}

# accesses NAME WHO: what the program counts; WHO is g++, clang, or count.
accesses() {
  "$work/$1" "$2" 2>"$work/log" || fail "$what, $1: it misses something"
}

check_orders() {
  local first other order
  link first "$work/firmware.o" "$hooks" "$simulator" || fail "$what does not link"
  link last "$simulator" "$hooks" "$work/firmware.o" || fail "$what does not link after the simulator"
  link beside "$work/firmware.o" "$hooks" "$simulator" "$plain" || fail "$what does not link beside the plain one"
  first=$(accesses first "$1")
  printf '%s: %s\n' "$what" "$first"
  for order in last beside; do
    other=$(accesses $order "$1")
    [[ $other == "$first" ]] || fail "$what, linked $order: $other"
  done
  # The plain one before it: an error, never the one for the other.
  ! link mixed "$simulator" "$plain" "$hooks" "$work/firmware.o" || fail "$what: linked with two firmwares"
  grep -q 'multiple definition of .*make_firmware' "$work/log" || fail "$what: another error than expected"
}

# The same files without being made one: what the two orders count differs, and nothing says so. The C library keeps
# its memcpy here.
check_planted() {
  local parts=("$work"/{one_heap,known_accesses,build_id}.o) members=$work/members first last
  link parts-first "${parts[@]}" "$hooks" "$simulator" || fail 'the parts do not link'
  # So that inline functions of the simulator come first.
  mkdir -p "$members"
  (cd -- "$members" && ar x "$simulator")
  link parts-last "$members"/*.o "$hooks" "${parts[@]}" || fail 'the parts do not link after the simulator'
  rm -r -- "$members"
  first=$(accesses parts-first count)
  last=$(accesses parts-last count)
  printf '  as parts, before the simulator: %s\n  as parts, after it: %s\n' "$first" "$last"
  [[ $first != "$last" ]] || fail 'without the one object the counts are the same: this test would notice nothing'
}

for level in -O0 -O2 -O3; do
  what="g++ $level"
  compile g++ "$level" "${gnu_flags[@]}"
  check_orders g++
  [[ $level != -O2 ]] || check_planted
  what="clang++ $level"
  compile clang++ "$level" "${clang_flags[@]}"
  check_orders clang
  [[ $level != -O2 ]] || check_planted
done
