#!/bin/bash
# Includes run one way: a file of one house that includes what it may not see must not compile, and the same
# file without that line must. Also looks for includes that would go round the include paths.
set -euo pipefail
source_dir=$1
build_dir=$2
compiler=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "houses: $*" >&2
  exit 1
}

# compiles HOUSE INCLUDE: whether a file that sees HOUSE's include root may include INCLUDE.
compiles() {
  echo "#include \"$2\"" >"$work/try.cpp"
  "$compiler" -std=c++20 -fsyntax-only -I"$build_dir/houses/$1" "$work/try.cpp" 2>"$work/errors"
}

compiles heap heap/heap.hpp || fail "heap/heap.hpp does not compile by itself: $(cat "$work/errors")"
compiles devices devices/fram/fram_chip.hpp || fail "devices/ does not compile by itself"
for forbidden in devices/units.hpp sim/machine/machine.hpp; do
  compiles heap "$forbidden" && fail "heap can include $forbidden"
done
for forbidden in heap/heap.hpp sim/machine/machine.hpp; do
  compiles devices "$forbidden" && fail "devices can include $forbidden"
done
for forbidden in devices/units.hpp sim/machine/machine.hpp sim/scenario/scenario.hpp; do
  compiles firmware "$forbidden" && fail "firmware can include $forbidden"
done
if grep -rnE '#include *"(\.\./|/)' "$source_dir"/heap "$source_dir"/devices "$source_dir"/sim; then
  fail "an include goes round the include paths"
fi
if grep -rnE '#include *["<](sim|devices)/' "$source_dir"/heap; then fail "heap includes another house"; fi
if grep -rnE '#include *["<](sim|heap)/' "$source_dir"/devices; then fail "devices includes another house"; fi

# Firmware is freestanding: no exceptions, no RTTI, and none of the hosted library.
for header in $(cd "$source_dir" && find heap -name '*.hpp'); do
  echo "#include \"$header\"" >"$work/try.cpp"
  "$compiler" -std=c++20 -ffreestanding -fno-exceptions -fno-rtti -fsyntax-only -I"$build_dir/houses/heap" \
    "$work/try.cpp" || fail "$header is not freestanding"
done
