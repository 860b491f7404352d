#!/bin/bash
# fetch_page_test.sh SOURCE: the page's packages are fetched again by the next build if that failed, and only then.
set -euo pipefail
source_dir=$1/sim/report/page
work=$(mktemp -d)
trap 'rm -rf -- "$work"' EXIT

fail() {
  echo "fetch_page_test: $*" >&2
  exit 1
}
# fetch NPM: as the build does it.
fetch() {
  cmake "-DNPM=$1" "-DSOURCE=$source_dir" "-DFOLDER=$work/page" -P "$source_dir/fetch.cmake" >"$work/said" 2>&1 ||
    fail "the build ends: $(cat "$work/said")"
}
printf '#!/bin/sh\nexit 1\n' >"$work/failing"
printf '#!/bin/sh\nexit 0\n' >"$work/working"
chmod +x "$work/failing" "$work/working"

fetch "$work/failing"
grep -q 'The next build tries again' "$work/said" || fail "nothing is said: $(cat "$work/said")"
[ ! -e "$work/page/fetched" ] || fail "what failed counts as fetched"
fetch "$work/working"
[ -e "$work/page/fetched" ] || fail "what was fetched will be fetched again"
rm "$work/page/fetched"
fetch ''
[ -e "$work/page/fetched" ] || fail "without npm every build tries"

# What is embedded is written once.
embed() { cmake "-DOUT=$work/parts.cpp" "-DNAMES=js;css" "-DFILES=$source_dir/page.js;$work/none" -P "$source_dir/embed.cmake"; }
embed
touch -d '2001-01-01' "$work/parts.cpp"
embed
[ "$(date -r "$work/parts.cpp" +%Y)" = 2001 ] || fail "the same parts were written again"
