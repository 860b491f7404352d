#!/usr/bin/env bash
# Prints the table of heap/README.md: code size and stack of the reference firmware on every target, from
# the builds that the tests check.
#
# Usage: footprint.sh
set -euo pipefail

check_name=footprint
work=$(mktemp -d)
readonly check_name work
trap 'rm -rf -- "$work"' EXIT

# shellcheck source=tests/freestanding/firmware.sh
. "$(dirname -- "${BASH_SOURCE[0]}")/firmware.sh"

# shellcheck disable=SC2016 # the backquotes are Markdown
print_row() {
  printf '| %s | `%s` %s, `-Os %s` | %d | %d | %d | %d | %d | %d |\n' "$title" "$compiler" \
    "$("$compiler" -dumpfullversion -dumpversion)" "${target_flags[*]}" "$text" "$data" "$bss" \
    "${stack[persist_interrupt]}" "${stack[boot_restore]}" "${stack[use]}"
}

main() {
  local name
  make_include_root "$here/../.."
  printf '| target | compiler | text | data | bss | stack: persist | restore | use |\n'
  printf '|---|---|---|---|---|---|---|---|\n'
  for name in "${targets[@]}"; do
    set_target "$name"
    build "$here/reference.cpp"
    measure_size
    measure_stack
    print_row
  done
}

main
