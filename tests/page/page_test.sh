#!/bin/bash
# The page of `brownout report` in headless Chromium. Usage: page_test.sh PROGRAM SOURCE_DIR FOLDER [PICTURES]
set -euo pipefail
program=$1
source_dir=$2
folder=$3
pictures=${4-}
chromium=$(type -P chromium || type -P chromium-browser || true)
if [ -z "$chromium" ]; then
  echo 'page: there is no chromium; apt-get install chromium' >&2
  exit 1
fi
mkdir -p "$folder"
cd "$folder"
cp "$source_dir"/tests/page/package.json "$source_dir"/tests/page/package-lock.json .
npm ci --ignore-scripts --no-audit --no-fund --prefer-offline >npm.log 2>&1 || { cat npm.log >&2; exit 1; }
[ -f day.json ] && [ day.json -nt "$program" ] || {
  # A day with 100,000 outages: a lamp that flashes, and a capacitor that lasts for one of the gaps.
  "$program" run "$source_dir/tests/page/day.yaml" --quiet --report day.json
}
"$program" run "$source_dir/scenarios/rf-counter.yaml" --quiet --report rf.json
"$program" report rf.json --html rf.html
"$program" report day.json --html day.html
for file in day.json day.html; do
  size=$(wc -c <$file)
  [ "$size" -lt 20000000 ] || { echo "page: $file has $size bytes" >&2; exit 1; }
  echo "page: $file has $size bytes"
done
outages=$(sed -n 's/^    "persisted": \([0-9]*\),$/\1/p' day.json)
[ "$outages" -ge 100000 ] || { echo "page: the day has $outages outages only" >&2; exit 1; }
node "$source_dir/tests/page/page_test.mjs" "$chromium" rf.html rf.json day.html $pictures
