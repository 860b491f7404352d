#!/bin/bash
# `brownout fuzz`, `merge` and `replay` of its cases as a user calls them: exit codes, errors in one line, shards, kill -9
# and resume, Ctrl-C.
# Usage: fuzz_cli_test.sh PROGRAM SOURCE_DIR
set -uo pipefail
program=$1
source_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

complain() {
  echo "fuzz: $*" >&2
  failures=$((failures + 1))
}
expect() {
  local code=$1
  shift
  "$program" "$@" >out 2>err
  local got=$?
  [ "$got" -eq "$code" ] || complain "'$*' ended with $got instead of $code: $(head -c 300 err)"
}
says() {
  grep -qE -- "$2" "$1" || complain "no '$2' in: $(head -c 300 "$1")"
}
refused() {
  local pattern=$1
  shift
  expect 2 "$@"
  says err "$pattern"
  [ "$(wc -l <err)" -eq 1 ] || complain "'$*' did not answer with one line: $(cat err)"
  [ ! -s out ] || complain "'$*' printed something: $(head -c 300 out)"
}

expect 0 fuzz --help
says out '--shard'
expect 0 merge --help
expect 0 fuzz --runs 40 --report whole.json --stats stats.json
says out 'nothing failed'
says stats.json '"runs": 40'
[ ! -s err ] || complain "a pipe got a progress line: $(head -c 100 err)"
expect 0 fuzz --runs 10 --quiet
[ ! -s out ] || complain "--quiet printed something"
expect 0 fuzz --time 1s --jobs 2
says out 'runs a CPU second'
runs_a_second=$(awk '$1 == "runs" {print $2}' out)

# With a scenario: its workload, its board.
expect 0 fuzz "$source_dir/scenarios/quickstart.yaml" --runs 30 --set workload.objects=6
says out 'quickstart.yaml'

# Shards.
for shard in 0 1 2; do
  expect 0 fuzz --runs 40 --jobs 2 --shard $shard/3 --report $shard.json
done
expect 0 merge 2.json 0.json 1.json --report merged.json
cmp -s merged.json whole.json || complain "three shards came to something else than one"
refused 'shard 1 of 3 is missing' merge 0.json 2.json
refused '1.json: is shard 1 of 3, and so is 1.json' merge 0.json 1.json 1.json 2.json
refused 'is of another campaign than 0.json' merge 0.json whole.json
refused 'is no report of `brownout fuzz`' merge stats.json
refused 'cannot be read' merge nothing.json

# What is wrong is said in one line.
refused 'needs a time such as' fuzz --time 5
refused 'needs a time such as' fuzz --time -1s
refused 'give one of the two' fuzz --time 5s --runs 3
refused 'needs I/N' fuzz --shard 3
refused 'needs I/N' fuzz --shard a/2
refused 'I counts from 0' fuzz --shard 2/2
refused 'needs a number from 1 to' fuzz --runs 0
refused 'needs --corpus' fuzz --resume
refused 'none is given' fuzz --set heap.ram=512
refused 'state-0-of-1.json: cannot be read' fuzz --resume --corpus empty
refused 'is no operation such as' replay 'f1~ops:xx'
refused 'is no operation such as' fuzz --minimize 'f1~ops:xx'
refused 'no/one.case. is no case' replay no/one.case
mkdir bad && echo 'f1~ops:xx' >bad/one.case
refused '^bad/one.case:1:1: .* is no operation' fuzz --runs 1 --corpus bad

# A case.
expect 0 replay 'f1~seed:1~ops:mk0.0.24.1,wr0.0.8.7,rd0~1+byte:3:outage'
says out 'it does not fail'
expect 0 fuzz --minimize 'f1~seed:1~ops:mk0.0.24.1'
says out 'it does not fail'
printf '%s\n# what it found\n' 'f1~seed:1~ops:mk0.0.24.1,wr0.0.8.7,rd0~1+byte:3:outage' >one.case
expect 0 replay one.case
says out 'it does not fail'
expect 0 fuzz --minimize one.case
says out 'it does not fail'

# kill -9 at some moment, and on from there: as if nothing had happened. So many runs that this takes seconds.
runs=$((3 * runs_a_second))
expect 0 fuzz --runs $runs --seed 9 --jobs 2 --report straight.json
"$program" fuzz --runs $runs --seed 9 --jobs 2 --corpus corpus --report never.json >/dev/null 2>&1 &
victim=$!
for _ in $(seq 100); do
  [ -e corpus/state-0-of-1.json ] && break
  sleep 0.1
done
kill -9 $victim 2>/dev/null
wait $victim 2>/dev/null
[ ! -e never.json ] || complain "it was done before it was killed"
expect 0 fuzz --runs $runs --seed 9 --jobs 2 --corpus corpus --resume --report resumed.json
cmp -s resumed.json straight.json || complain "a campaign that was killed came to something else"
refused 'is of another campaign' fuzz --runs $runs --seed 8 --corpus corpus --resume

# Ctrl-C: whole files.
"$program" fuzz --time 100s --report stopped.json >/dev/null 2>&1 &
victim=$!
sleep 0.7
kill -INT $victim
wait $victim
[ $? -eq 130 ] || complain "Ctrl-C did not end it with 130"
says stopped.json '"complete": false'

[ "$failures" -eq 0 ]
