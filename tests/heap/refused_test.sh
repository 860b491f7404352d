#!/bin/bash
# What the heap's types refuse: each file in refused/ must compile with -DALLOWED, so that it fails for its one
# reason only, and must not compile without, with a message that its first line describes.
set -euo pipefail
source_dir=$1
compiler=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# check FILE: writes what is wrong with it into the work folder.
check() {
  local file=$1 name
  name=$(basename "$file" .cpp)
  local expected
  expected=$(sed -n '1s|^// refused: ||p' "$file")
  local compile=("$compiler" -std=c++20 -fsyntax-only -Wall -Wextra -Werror "-I$source_dir")
  if [[ -z $expected ]]; then
    echo "its first line does not say what the compiler says"
  elif ! "${compile[@]}" -DALLOWED "$file" 2>"$work/$name.allowed"; then
    echo "the variant that is allowed does not compile: $(head -5 "$work/$name.allowed")"
  elif "${compile[@]}" "$file" 2>"$work/$name.refused"; then
    echo "it compiles"
  elif ! grep -qE "error: .*$expected|error: $expected" "$work/$name.refused"; then
    echo "refused for another reason than '$expected': $(grep -m3 error: "$work/$name.refused")"
  fi >"$work/$name.wrong"
}

shopt -s nullglob
files=("$source_dir"/tests/heap/refused/*.cpp)
if ((${#files[@]} < 25)); then
  echo "refused: only ${#files[@]} files" >&2
  exit 1
fi
for file in "${files[@]}"; do
  while (($(jobs -rp | wc -l) >= $(nproc))); do wait -n; done
  check "$file" &
done
wait

failed=0
for file in "${files[@]}"; do
  wrong=$work/$(basename "$file" .cpp).wrong
  if [[ -s $wrong ]]; then
    echo "refused: $(basename "$file"): $(cat "$wrong")" >&2
    failed=1
  fi
done
((failed == 0)) && echo "refused: ${#files[@]} files"
exit $failed
