#!/bin/bash
# What the README shows is what the program says: runs the commands of each block that has any ("$ ./brownout ...") and
# compares what they print with the block's other lines. "..." stands for any lines.
# Usage: readme_test.sh PROGRAM EXPLORER SOURCE_DIR
set -uo pipefail
program=$1 explorer=$2 source_dir=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
ln -s "$source_dir/scenarios" scenarios
export LC_ALL=C.UTF-8
failures=0

awk '
  /^```/ { inside = !inside; block += inside; next }
  inside && /^\$ / { print substr($0, 3) >(block ".commands"); print NR >(block ".line"); next }
  inside { print >(block ".expected") }
' "$source_dir/README.md"

# The launcher, for what is built.
brownout() {
  case $1 in
    explore | fuzz | replay) "$explorer" "$@" ;;
    *) "$program" "$@" ;;
  esac
}

shown=0
for commands in *.commands; do
  block=${commands%.commands}
  where=README.md:$(head -n 1 "$block.line")
  sed 's,^\./brownout ,brownout ,' "$commands" >script
  # Whatever the verdict: only what could not run at all ended in 2 or 3.
  while IFS= read -r command; do
    eval "$command" </dev/null
    [ $? -le 1 ] || echo "$where: '$command' did not run" >&2
  done <script >said 2>complaints
  [ ! -s complaints ] || failures=$((failures + 1))
  cat complaints >&2
  [ -e "$block.expected" ] || continue
  shown=$((shown + 1))
  awk -v where="$where" '
    FILENAME == ARGV[1] { said[++count] = $0; next }
    /^ *\.\.\.$/ { any = 1; next }
    {
      ++at
      while (any && at <= count && said[at] != $0) ++at
      any = 0
      if (said[at] == $0) next
      print where ": the README has   " $0 > "/dev/stderr"
      if (at <= count) print where ": the program says " said[at] > "/dev/stderr"
      if (at > count) exit failed = 1
      failed = 1
    }
    END {
      if (!any && at < count && !failed) {
        print where ": the program says more: " said[at + 1] > "/dev/stderr"
        failed = 1
      }
      exit failed
    }
  ' said "$block.expected" || failures=$((failures + 1))
done
[ "$shown" -ge 6 ] || { echo "only $shown blocks of the README show what a command prints" >&2; failures=1; }
[ "$failures" -eq 0 ]
