#!/usr/bin/env bash
# The checks of freestanding_test.sh can fail: each file in planted/ has one error, and its first line says
# which message has to find it, its second line on which targets it is none. The control has no error.
#
# Usage: planted_test.sh REPOSITORY
set -euo pipefail

readonly repository=${1:?usage: planted_test.sh REPOSITORY}
readonly here=$repository/tests/freestanding
errors=$(mktemp)
readonly errors
trap 'rm -f -- "$errors"' EXIT

fail() {
  printf 'freestanding_planted: %s\n' "$*" >&2
  cat -- "$errors" >&2
  exit 1
}

# passes TARGET FILE
passes() {
  "$here/freestanding_test.sh" "$1" "$repository" "$2" >/dev/null 2>"$errors"
}

check_is_found() {
  local file=$1 target message excepted
  message=$(sed -n 's/^\/\/ Found by: //p' "$file")
  excepted=$(sed -n 's/^\/\/ No error on: //p' "$file")
  [[ -n $message ]] || fail "$file does not say what finds it"
  for target in x86_64 cortex_m0plus cortex_m4 rv32imc; do
    [[ " $excepted " != *" $target "* ]] || continue
    ! passes "$target" "$file" || fail "$file: nobody noticed on $target"
    grep -qE -- "$message" "$errors" || fail "$file: found on $target, but not by '$message'"
  done
}

main() {
  local file target count=0
  for target in x86_64 cortex_m0plus cortex_m4 rv32imc; do
    passes "$target" "$here/planted/control.cpp" || fail "the control does not pass on $target"
  done
  for file in "$here"/planted/*; do
    case ${file##*/} in
      control.cpp | entries.hpp) continue ;;
    esac
    check_is_found "$file"
    count=$((count + 1))
  done
  ((count > 0)) || fail "there is nothing in $here/planted"
  printf 'freestanding_planted: %d planted errors found\n' "$count"
}

main
