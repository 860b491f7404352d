#!/usr/bin/env bash
# Firmware needs nothing but a compiler: compiles every header of heap/ by itself and the reference firmware
# for one target, and looks at what came out: what it calls, what it would run before boot, whether anything
# can call itself, how deep the stack gets. Prints size and stack.
#
# For the target msp430 it compiles both and prints the size, no more: nothing here knows that CPU's calls and stack.
#
# Usage: freestanding_test.sh TARGET REPOSITORY [FILE]
#   FILE  checks this instead: a header (.hpp) or a firmware (.cpp) with the same entry points
set -euo pipefail

usage='usage: freestanding_test.sh TARGET REPOSITORY [FILE]'
target=${1:?$usage}
readonly repository=${2:?$usage}
file=${3-}
check_name=freestanding_$target
work=$(mktemp -d)
readonly work
trap 'rm -rf -- "$work"' EXIT

# shellcheck source=tests/freestanding/firmware.sh
. "$repository/tests/freestanding/firmware.sh"

# The headers that C++20 has for freestanding implementations, as far as they have no part that is not.
readonly freestanding_headers='atomic|bit|cfloat|climits|compare|concepts|coroutine|cstdarg|cstddef|cstdint'\
'|initializer_list|limits|new|source_location|type_traits|version'

# check_header FILE: it compiles by itself, twice in one file too, and includes no hosted header. g++ has
# hosted headers even when freestanding, so the compiler does not notice.
check_header() {
  local header=$1 hosted
  printf '#include "%s"\n' "$header" "$header" >"$work/try.cpp"
  compile -fsyntax-only "$work/try.cpp" || fail "$header does not compile by itself"
  hosted=$(grep -nE '^ *# *include *<' "$header" | grep -vE "<($freestanding_headers)>") || true
  [[ -z $hosted ]] || fail "$header includes a hosted header: $hosted"
}

check_headers() {
  local header count=0
  while read -r header; do
    head -n 1 -- "$header" | grep -qiE 'hosted (systems )?only' && continue
    check_header "$header"
    count=$((count + 1))
  done < <(find "$repository/heap" -name '*.hpp' | sort)
  ((count > 0)) || fail "no header in $repository/heap"
}

# What the firmware leaves to others: memcpy and the like, nothing that allocates, throws, or computes with
# floating-point numbers.
check_calls_outside() {
  local symbol
  for symbol in $(nm --undefined-only --format=just-symbols "$work/firmware.o"); do
    [[ " ${freestanding_four[*]} ${support[*]} " == *" $symbol "* ]] ||
      fail "it needs $(c++filt "$symbol"), which is not one of ${freestanding_four[*]} ${support[*]}"
  done
}

check_nothing_runs_before_boot() {
  local found
  found=$(readelf --sections --wide "$work/firmware.o" |
    grep -oE '\.(preinit_array|init_array|fini_array|ctors|dtors)' | sort -u) || true
  [[ -z $found ]] || fail "a static object has a constructor or destructor: section $found"
  found=$(nm --format=just-symbols "$work/firmware.o" | grep -E '^_ZGV' | c++filt) || true
  [[ -z $found ]] || fail "a static object is constructed when it is first used: $found"
}

check_stack() {
  measure_stack
  ((stack[persist_interrupt] <= persist_limit)) ||
    fail "the persist path takes ${stack[persist_interrupt]} B of stack, more than its limit of" \
      "$persist_limit B:" $'\n'"$(deepest_path persist_interrupt)"
}

check_firmware() {
  build "$1"
  check_calls_outside
  check_nothing_runs_before_boot
  check_stack
}

main() {
  set_target "$target"
  make_include_root "$repository"
  case $file in
    *.hpp)
      check_header "$(realpath -- "$file")"
      return
      ;;
    '')
      check_headers
      file=$here/reference.cpp
      ;;
  esac
  if [[ $target == msp430 ]]; then
    compile -c "$file" -o "$work/firmware.o" || fail "$file does not compile"
    measure_size
    printf '%s: text %d B, data %d B, bss %d B\n' "$check_name" "$text" "$data" "$bss"
    return
  fi
  check_firmware "$file"
  measure_size
  printf '%s: text %d B, data %d B, bss %d B, ' "$check_name" "$text" "$data" "$bss"
  printf 'stack of persist %d B, of restore %d B, of use %d B\n' "${stack[persist_interrupt]}" \
    "${stack[boot_restore]}" "${stack[use]}"
}

main
