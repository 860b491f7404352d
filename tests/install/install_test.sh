#!/usr/bin/env bash
# The package as a user has it: installs the build into a folder of its own and builds user/ against it, outside
# the tree, in a build folder of its own: a workload under the simulator, and the heap alone.
#
# Usage: install_test.sh SOURCE_DIR BUILD_DIR COMPILER
set -euo pipefail

readonly source_dir=$1 build_dir=$2 compiler=$3
work=$(mktemp -d)
readonly work prefix=$work/prefix user=$work/user
trap 'rm -rf -- "$work"' EXIT

fail() {
  printf 'install: %s\n' "$*" >&2
  [[ ! -s $work/log ]] || tail -n 40 -- "$work/log" >&2
  exit 1
}

# expect CODE COMMAND...: its output goes to the log.
expect() {
  local expected=$1 status=0
  shift
  "$@" >"$work/log" 2>&1 || status=$?
  ((status == expected)) || fail "'$*' ended with $status instead of $expected"
}

# says TEXT: the last command.
says() {
  grep -qF -- "$1" "$work/log" || fail "it does not say '$1'"
}

install_package() {
  expect 0 cmake --install "$build_dir" --prefix "$prefix"
}

# No path of the package may lead back into the tree, and the project's own options are not the user's.
build_user() {
  cp -R -- "$source_dir/tests/install/user" "$user"
  ! grep -rF --include='*.cmake' -e "$source_dir" -e "$build_dir" "$prefix" || fail 'it leads into the tree'
  ! grep -rE --include='*.cmake' -e '-W[a-z]|-ffp-contract' "$prefix" || fail 'it has options of the project'
  expect 0 cmake -S "$user" -B "$user/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
    -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_BUILD_TYPE=Debug
  expect 0 cmake --build "$user/build"
}

check_workload() {
  local sensor=$user/build/sensor
  expect 0 "$sensor" run "$user/sensor.yaml" --report "$work/report.json"
  says 'sensor: PASS (time)'
  ! grep -qE 'outages +0 ' "$work/log" || fail 'there was no outage'
  expect 0 "$sensor" list
  says '  sensor'
  expect 2 "$sensor" run "$user/sensor.yaml" --set workload.name=sensr
  says '"sensr" is not known; did you mean sensor? (known: sensor)'
  expect 2 "$sensor" run "$user/sensor.yaml" --set 'stop={}'
  says 'the run would too'
}

check_program() {
  local program=$prefix/bin/brownout
  expect 0 "$program" run "$prefix/share/brownout/scenarios/rf-counter.yaml"
  says 'rf-counter: PASS'
  expect 2 "$program" run "$user/sensor.yaml"
  says '"sensor" is not known: this program has no custom workloads'
}

# The heap alone outlives its process; as firmware it compiles from where it was installed.
check_heap() {
  local start
  for start in 1 2 3; do
    expect 0 "$user/build/starts" "$work/store"
    [[ $(cat "$work/log") == "$start" ]] || fail "start $start was counted as $(cat "$work/log")"
  done
  printf '#include "%s"\n' heap/heap.hpp heap/storage/spi_fram.hpp heap/storage/ram_storage.hpp >"$work/try.cpp"
  expect 0 "$compiler" -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -fsyntax-only \
    -I"$prefix/include/brownout" "$work/try.cpp"
}

# Who takes the heap alone needs none of the simulator's libraries.
check_components() {
  cat >"$work/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.25)
project(components LANGUAGES NONE)
find_package(brownout REQUIRED COMPONENTS heap devices)
if(NOT TARGET brownout::heap OR NOT TARGET brownout::devices OR TARGET brownout::sim OR yaml-cpp_FOUND)
  message(FATAL_ERROR "not what was asked for")
endif()
find_package(brownout QUIET COMPONENTS lathe)
if(brownout_FOUND)
  message(FATAL_ERROR "found a component that there is not")
endif()
CMAKE
  expect 0 cmake -S "$work" -B "$work/components" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
}

install_package
build_user
check_workload
check_program
check_heap
check_components
