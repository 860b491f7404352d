#!/bin/bash
# The program as a user calls it: exit codes, help, errors in one line, reports whole or not there.
# Usage: cli_test.sh PROGRAM SOURCE_DIR
set -uo pipefail
program=$1
source_dir=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
failures=0

complain() {
  echo "cli: $*" >&2
  failures=$((failures + 1))
}

# expect CODE ARGUMENTS...: runs the program; its output goes to the files out and err.
expect() {
  local code=$1
  shift
  "$program" "$@" >out 2>err
  local got=$?
  [ "$got" -eq "$code" ] || complain "'$*' ended with $got instead of $code: $(head -c 300 err)"
}
# says FILE PATTERN
says() {
  grep -qE -- "$2" "$1" || complain "no '$2' in: $(head -c 300 "$1")"
}
# refused PATTERN ARGUMENTS...: exit code 2, one line on the standard error, nothing else.
refused() {
  local pattern=$1
  shift
  expect 2 "$@"
  says err "$pattern"
  [ "$(wc -l <err)" -eq 1 ] || complain "'$*' did not answer with one line: $(cat err)"
  [ ! -s out ] || complain "'$*' printed something: $(head -c 300 out)"
}

scenario=$source_dir/scenarios/rf-counter.yaml

expect 0 --help
says out 'usage: brownout'
expect 0 --version
says out '^brownout [0-9]+\.[0-9]+\.[0-9]+$'
expect 0 run --help
says out '--set'
says out '--report'
says out '--image'
expect 0 inspect --help
says out '--salvage'
expect 0 timing --help
expect 0 list
for word in mb85rs64v mb85rs4mt esp32c3 cortex-m0plus esp32c3-zephyr counter queue kvs linked_list in_order bq25570 bq25504 ltc3588 diode-capacitor constant-132mw; do
  says out "^  $word"
done

# Parts: a line each, and the record of one with the source of each figure.
parts='mb85rs64v mb85rs64t mb85rs256ty mb85rs2mta mb85rs4mt cy15b104q fm25w256 fm25v02a'
expect 0 parts --help
says out 'usage: brownout parts'
expect 0 parts
for part in $parts; do says out "^$part +[0-9]+ KiB, up to"; done
says out '^msp430fr5994 +256 KiB, mapped, 125 ns, 1.8 V to 3.6 V'
for part in $parts; do
  expect 0 parts "$part"
  says out 'opcodes +WREN 06, WRDI 04, RDSR 05, WRSR 01, READ 03, WRITE 02'
  says out 'size +[0-9]+ KiB +(ESTIMATE: )?data sheet'
done
expect 0 parts MB85RS64V
says out '^  rdid +04 7F 03 02 +data sheet$'
says out '^  power_up +600 us +data sheet, at 3.3 V$'
says out '^  retention .*ESTIMATE: '
refused 'did you mean cy15b104q' parts cy15b104
refused 'too many arguments' parts mb85rs64v mb85rs64t
refused 'did you mean `parts`' prats

expect 2
refused 'did you mean `run`' rnu
refused 'did you mean `--report`' run "$scenario" --reprot x.json
refused 'needs a scenario' run
refused 'too many arguments' run "$scenario" other.yaml
refused 'whole number' run "$scenario" --seed x
refused 'missing.yaml' run missing.yaml
refused 'directory' run "$work"
refused 'capacitance' run "$scenario" --set supply.capacitor.capacitanse=1uF
refused 'dirty_limit' run "$scenario" --set heap.dirty_limit="2 KiB"
refused 'larger than the part' run "$scenario" --set heap.store="8 KiB"
refused 'cannot fit the store' run "$scenario" --set workload.objects=400
refused 'largest object' run "$scenario" --set workload.size="2 KiB"
refused 'needs a supply of 3 V' run "$scenario" --set mcu.rail="2.8 V"
refused 'takes a supply of 3.6 V at most' run "$scenario" --set mcu.rail="5 V" --set storage.part=mb85rs4mt
refused 'storage.sck.*above what mb85rs64v allows: at most 20 MHz' run "$scenario" --set storage.sck="21 MHz"
refused 'did you mean `size`' run "$scenario" --set storage.part="{name: mine, based_on: mb85rs64v, sise: 1 KiB}"
refused 'turn_on|warn' run "$scenario" --set supply.thresholds.turn_on="2.8 V"
refused 'does not exist' run "$scenario" --report missing/report.json
refused 'directory' run "$scenario" --report "$work"
refused 'does not exist' run "$scenario" --image missing/fram.bin
refused 'directory' run "$scenario" --image "$work"
refused 'needs a file name' run "$scenario" --image ''
refused 'mb85rs64v' timing --part mb85rs --sck "20 MHz" --transfer fifo --sizes 1
refused 'there is no bus to time' timing --part msp430fr5994 --sck "8 MHz" --transfer fifo --sizes 1
refused '20 MHz' timing --part mb85rs64v --sck "40 MHz" --transfer fifo --sizes 1
refused '--slice' timing --part mb85rs64v --sck "20 MHz" --transfer sliced --sizes 1
refused 'more than the part' timing --part mb85rs64v --sck "20 MHz" --transfer fifo --sizes 9000

# A wrong run writes no report, a good one a whole one; the file is replaced, not appended to.
[ "$(find . -name '*.json*' | wc -l)" -eq 0 ] || complain "a refused run left a report"
expect 0 run "$scenario" --report report.json
says out '^rf-counter: PASS'
says out 'bound +[0-9.]+ ms, .* from the warning level on; largest'
says report.json '"largest_over_bound"'
says report.json '"verdict": "pass"'
cp report.json first.json
expect 0 run "$scenario" --report report.json --quiet
[ ! -s out ] && [ ! -s err ] || complain "--quiet printed something"
cmp -s report.json first.json || complain "the same run gave another report"
expect 0 run "$scenario" --report report.json --quiet --seed 7
says report.json '"seed": 7'
[ "$(find . -name '*.json*' | wc -l)" -eq 2 ] || complain "temporary files were left behind"

# Colour on a terminal only, and not with NO_COLOR; the voltage as a line where the locale can.
LC_ALL=C.UTF-8 "$program" run "$scenario" >out
says out '^  voltage +[^ ]{67,}$'
grep -q $'\x1b' out && complain "colours in a pipe"
LC_ALL=C "$program" run "$scenario" >out
grep -q '^  voltage' out && complain "blocks without UTF-8"
# on_terminal VARIABLE...: the same on a terminal of 50 columns.
on_terminal() {
  env LC_ALL=C.UTF-8 TERM=xterm "$@" script -qec "stty cols 50; '$program' run '$scenario' 2>/dev/null" /dev/null </dev/null >out
}
if type -P script >/dev/null; then
  on_terminal NO_COLOR=
  grep -q $'\x1b\[1;32mPASS\x1b\[0m' out || complain "no colour on a terminal"
  line=$(sed -n 's/.*voltage *\x1b\[0m//p' out | tr -d '\r')
  LC_ALL=C.UTF-8 bash -c '[ ${#1} -eq 37 ]' - "$line" || complain "the voltage is not as wide as the terminal: $line"
  # No line is wider, and the words are those of a pipe, in their order.
  plain=$(tr -d '\r' <out | sed 's/\x1b\[[0-9;]*m//g')
  grep -v '^  voltage' <<<"$plain" | awk 'length($0) > 50 { exit 1 }' || complain "wider than the terminal: $plain"
  grep -qE '^             [^ ]' <<<"$plain" || complain "what is left of a line does not begin below its text"
  "$program" run "$scenario" >pipe
  cmp -s <(grep -v '^  voltage' <<<"$plain" | tr -s ' \n' '\n') <(grep -v '^  voltage' pipe | tr -s ' \n' '\n') ||
    complain "words are missing on a narrow terminal: $plain"
  [ "$(awk '{ if (length($0) > most) most = length($0) } END { print most }' pipe)" -gt 90 ] ||
    complain "lines are broken in a pipe"
  on_terminal NO_COLOR=1
  grep -q $'\x1b\[[0-9;]*m' out && complain "NO_COLOR is ignored"
fi

# Records of power cycles: the notable ones, or all.
expect 0 run "$scenario" --quiet --cycles all --report all.json
cmp -s <(grep -v kept first.json) <(grep -v kept all.json) || complain "27 cycles were not all kept anyway"
refused 'there are `all` and `notable`' run "$scenario" --cycles some

# Comparisons: 0 if no rule strikes, 1 if one does, 2 for what is no report.
expect 0 compare --help
says out '--fail-on'
expect 0 compare first.json first.json
says out '^  equal: all [0-9]+ fields$'
[ "$(wc -l <out)" -eq 4 ] || complain "equal reports were shown as different: $(cat out)"
expect 0 compare first.json report.json
says out '^  inputs|^  seed +1 +7'
expect 0 run "$scenario" --quiet --set supply.capacitor.capacitance="56 uF" --report larger.json
expect 0 compare first.json larger.json --fail-on 'outages.lost > 0' --fail-on 'work.operations < -1%'
says out 'inputs.supply.capacitor.capacitance +47 uF +56 uF'
says out 'configuration.capacitance_f +47 uF +56 uF +\+9 uF +\+19.1 %'
says out '^held   outages.lost > 0: 0 in B$'
grep -q mcu_clock_hz out && complain "compare shows what is equal"
expect 0 compare first.json larger.json --all
says out 'configuration.mcu_clock_hz'
expect 1 compare first.json first.json larger.json --fail-on 'work.operations > +5%'
says out '^held   work.operations > \+5%: \+0 % in B$'
says out '^STRUCK work.operations > \+5%: \+[0-9.]+ % in C$'
for format in text markdown json html; do expect 0 compare first.json larger.json --format $format; done
says out '^<!doctype html>'
refused 'there are text, markdown, json and html' compare first.json larger.json --format pdf
refused 'did you mean `work.operations`' compare first.json larger.json --fail-on 'work.operation > 1'
refused 'needs PATH OP VALUE' compare first.json larger.json --fail-on 'work.operations'
refused 'needs two reports' compare first.json
refused 'missing.json.*cannot be read' compare first.json missing.json
refused 'is a directory' compare first.json "$work"
: >empty.json
refused '^empty.json: is empty' compare first.json empty.json
head -c 5000 first.json >cut.json
refused '^cut.json:[0-9]+:[0-9]+: is cut short' compare first.json cut.json
sed 's/"seed": 1,/"seed": one,/' first.json >wrong.json
refused '^wrong.json:6:11: is no JSON' compare first.json wrong.json
echo '{"a": 1}' >foreign.json
refused '^foreign.json: is JSON, but no report of this program' compare first.json foreign.json
refused 'did you mean `compare`' compere first.json first.json

# Pages, pictures and tables of a report.
expect 0 report --help
says out '--html'
expect 0 report first.json --html page.html --svg voltage.svg --csv cycles.csv
says page.html 'Content-Security-Policy'
says page.html 'uPlot'
grep -qE 'src="|href="http|@import' page.html && complain "the page asks for something"
says voltage.svg '^<svg '
[ "$(wc -l <cycles.csv)" -eq 29 ] || complain "cycles.csv has $(wc -l <cycles.csv) lines"
says cycles.csv '^cycle,end,begin_s,turn_on_s,'
expect 0 report first.json larger.json --html both.html
refused 'needs a report' report --html page.html
refused 'needs --html, --svg or --csv' report first.json
refused 'take one report' report first.json larger.json --svg voltage.svg
refused 'does not exist' report first.json --html missing/page.html
refused 'is JSON, but no report' report foreign.json --html no.html
grep -v '"stretch_s"' first.json >part.json
refused 'has no `voltage.stretch_s`' report part.json --html no.html
sed 's/"schema_version": 2/"schema_version": 1/' first.json >old.json
refused 'is of schema version 1' report old.json --html no.html
[ ! -e no.html ] || complain "a refused page was written"
expect 3 report first.json --html /dev/full

# Sweeps: a grid, its table, and a cell that fails is a result.
expect 0 sweep --help
says out '--vary'
capacitors='supply.capacitor.capacitance=10 uF,47 uF'
expect 0 sweep "$scenario" --vary "$capacitors" --vary 'storage.sck=4 MHz,8 MHz' --jobs 2 --out sweep.csv
says out '^rf-counter: 4 runs$'
says out '^  10 uF +4 MHz +fail +lost'
says out '^  47 uF +8 MHz +pass +time'
says out '^against the first$'
[ "$(wc -l <sweep.csv)" -eq 5 ] || complain "sweep.csv has $(wc -l <sweep.csv) lines"
says sweep.csv '^supply.capacitor.capacitance,storage.sck,verdict,stop_reason,'
says sweep.csv '^47 uF,8 MHz,pass,time,'
expect 0 sweep "$scenario" --vary "$capacitors" --quiet --out sweep.json
says sweep.json '"schema": "brownout-sweep"'
[ ! -s out ] || complain "sweep --quiet printed something"
refused 'is a table of `brownout sweep`' compare first.json sweep.json
refused 'needs --vary' sweep "$scenario"
refused 'needs a scenario' sweep --vary "$capacitors"
refused 'did you mean' sweep "$scenario" --vary supply.capacitor.capacitanse=1uF
refused 'needs key=value' sweep "$scenario" --vary supply.capacitor.capacitance
refused 'is there twice' sweep "$scenario" --vary seed=1,1
refused 'is varied already' sweep "$scenario" --vary seed=1,2 --vary seed=3
refused 'has to end in .csv or .json' sweep "$scenario" --vary seed=1,2 --out table.txt
refused 'has to be from 1 to 256' sweep "$scenario" --vary seed=1,2 --jobs 0
rm -f part.json old.json *.html voltage.svg cycles.csv sweep.* all.json larger.json cut.json wrong.json foreign.json empty.json

# A report that cannot be written is the environment's failure.
expect 3 run "$scenario" --report /dev/full --quiet

# Too small a capacitor: exit 1, with what was lost, what lacked, and what would do.
expect 1 run "$scenario" --set supply.capacitor.capacitance="10 uF" --report lost.json
says out 'LOST'
says out 'lacked'
says out 'capacitor +is 10.0 uF; this persist needs'
says lost.json '"stop_reason": "lost"'

expect 1 run "$scenario" --set supply.capacitor.capacitance="4.7 uF"
says out 'no_progress'
says out 'would do'

# A clock that the part does not allow: only where the scenario says so, and with a warning.
expect 0 run "$scenario" --set storage.sck="40 MHz" --set storage.bus=esp32c3-zephyr --set storage.unsafe=true --report fast.json
says out 'WARNING +storage.sck is 40 MHz, and mb85rs64v allows 20 MHz'
says fast.json 'storage.sck is 40 MHz, and mb85rs64v allows 20 MHz'
expect 0 run "$scenario" --set storage.part="{name: mine, based_on: mb85rs4mt, size: 16 KiB, endurance: 1e6}"
says out 'wear +hottest row of 1 B at [0-9]+: [0-9]+ accesses; 1e\+06 of them last [0-9.]+ years'
# The FRAM needs 3.0 V, and the MCU goes on down to 2.6 V.
expect 1 run "$scenario" --set storage.faults="{power_loss: garbage_below_min_vdd}" --report garbage.json
says out 'faults +garbage_below_min_vdd: .* [1-9][0-9]* bytes of garbage'
says garbage.json '"power_loss": "garbage_below_min_vdd"'

# Too slow a comparator: exit 1, and no warning.
expect 1 run "$scenario" --set supply.comparator.latency="20 ms" --report late.json
says out 'the supply fell without a warning'
says late.json '"cause": "no_warning"'
# A converter's losses are shown where there are some.
expect 0 run "$scenario" --set supply.converter="{efficiency: 90 %}" --set supply.comparator="{latency: 10 us}"
says out 'clipped 0 J, converter [0-9.]+ uJ'
refused 'did you mean 90 %' run "$scenario" --set supply.converter.efficiency=90
refused 'did you mean `latency`' run "$scenario" --set supply.comparator.latancy="10 us"

# Images: the FRAM's bytes and nothing else, whole or not there, and what they amount to.
# verdict WORD IMAGE: the first line of `inspect` is that word, with and without --salvage.
verdict() {
  local flag
  for flag in '' --salvage; do
    expect 0 inspect "$2" $flag
    [ "$(head -n 1 out)" = "$1" ] || complain "inspect $2 $flag says $(head -n 1 out) instead of $1"
  done
}
# Ends between two charges, with the board off.
expect 0 run "$scenario" --quiet --set stop.time="2 s" --image current.bin
[ "$(wc -c <current.bin)" -eq 8192 ] || complain "an image of an MB85RS64V has $(wc -c <current.bin) bytes"
verdict current current.bin
says out 'boot +takes checkpoint [0-9]+;'
says out 'policy in_order, slots standard'
says out 'objects +16 allocated, 512 B'
says out 'salvage +all, as it was at checkpoint'
expect 0 run "$scenario" --quiet --set stop.time="2 s" --image again.bin
cmp -s current.bin again.bin || complain "the same run gave another image"
expect 0 run "$source_dir/scenarios/false-alarm.yaml" --quiet --set stop.time="2 s" --image asleep.bin
verdict current asleep.bin

# The loss, at its very instant: the program ran on after an outage, and the next persist was cut.
expect 1 run "$scenario" --quiet --set supply.capacitor.capacitance="10 uF" --image lost.bin
verdict stale lost.bin
says out 'checkpoint 2, torn: cut'
says out 'mark +the program ran on since checkpoint 1'
says out 'boot +takes none'
says out 'OS part +128 B at [0-9]+, from checkpoint 1 only'
says out 'home only: as last written home'

head -c 8192 /dev/zero >zeros.bin
verdict empty zeros.bin
expect 1 run "$scenario" --quiet --set supply.source="{kind: constant, power: 0 W}" --image dark.bin
verdict empty dark.bin
expect 0 run "$source_dir/scenarios/queue.yaml" --quiet --set heap.memory=pages --set heap.ram="16 KiB" \
  --set stop.time="1 s" --image pages.bin
verdict foreign pages.bin
says out 'nothing of this heap'
# A superblock of which a byte is lost, with checkpoints that nobody can place.
{ head -c 20 current.bin; printf '\xff'; tail -c +22 current.bin; } >damaged.bin
verdict foreign damaged.bin
says out 'the superblock is damaged.*headers of checkpoints are there'

refused 'needs an image' inspect
refused 'too many arguments' inspect zeros.bin zeros.bin
refused 'did you mean `--salvage`' inspect zeros.bin --salvag
refused 'missing.bin.*cannot be read' inspect missing.bin
refused 'is a directory' inspect "$work"
: >nothing.bin
refused 'is empty' inspect nothing.bin
head -c 248 zeros.bin >small.bin
refused 'fewer than 256 B' inspect small.bin
head -c 8190 current.bin >odd.bin
refused 'no multiple of 8' inspect odd.bin
head -c 4096 current.bin >short.bin
refused 'cut short' inspect short.bin
head -c 600000 /dev/zero >large.bin
refused 'more than 524288 B' inspect large.bin
[ "$(find . -name '*.bin.*' | wc -l)" -eq 0 ] || complain "temporary files of images were left behind"
expect 3 run "$scenario" --image /dev/full --quiet

# Waves: whole files, the same bytes each time, and the report as it is without them.
expect 0 run --help
says out '--window'
says out 'gtkwave'
says out 'ui.perfetto.dev'
expect 0 run "$scenario" --quiet --report waves-report.json --vcd run.vcd --trace-json trace.json
cmp -s first.json waves-report.json || complain "--vcd changed the report"
expect 0 run "$scenario" --quiet --vcd again.vcd --trace-json again.json
cmp -s run.vcd again.vcd || complain "the same run gave another dump"
cmp -s trace.json again.json || complain "the same run gave another trace"
says run.vcd '^\$timescale 1 ps \$end$'
says run.vcd '^\$var real 64 a voltage \$end$'
says trace.json '"ph":"X","pid":1,"tid":1,"ts":[0-9]+\.[0-9]{6},"dur":[0-9]+\.[0-9]{6}'
says trace.json '^\]\}$'
expect 0 run "$scenario" --quiet --vcd part.vcd --window "2 s..2500 ms"
[ "$(grep -m1 '^#' part.vcd)" = '#2000000000000' ] || complain "the window does not begin at 2 s"
[ "$(grep '^#' part.vcd | tail -n 1)" = '#2500000000000' ] || complain "the window does not end at 2.5 s"
expect 0 run "$scenario" --quiet --vcd part.vcd --window "1 d..2 d"
says err '^brownout: --window begins at 1 d, and the run ended at 25 s: there is nothing to write$'
refused 'does not exist' run "$scenario" --vcd missing/run.vcd
refused 'directory' run "$scenario" --trace-json "$work"
refused 'is the file of --vcd, too' run "$scenario" --vcd x.out --trace-json x.out
refused 'give one of them' run "$scenario" --window "1 ms..2 ms"
refused 'two times with `\.\.` between them' run "$scenario" --vcd x.vcd --window "1 ms"
refused 'needs a unit, such as 1 ms' run "$scenario" --vcd x.vcd --window "1..2 ms"
refused 'has no end' run "$scenario" --vcd x.vcd --window "1 ms.."
refused 'the end has to be later' run "$scenario" --vcd x.vcd --window "2 ms..1 ms"
refused 'the end has to be later' run "$scenario" --vcd x.vcd --window "2 ms..2 ms"
refused 'did you mean `--window`' run "$scenario" --vcd x.vcd --windo "1 ms..2 ms"
refused 'capacitance' run "$scenario" --vcd x.vcd --set supply.capacitor.capacitanse=1uF
refused 'nothing.csv' run "$scenario" --vcd x.vcd --set supply.source.trace=nothing.csv
[ "$(find . -name 'x.*' -o -name '*.vcd.*' -o -name 'trace.json.*' | wc -l)" -eq 0 ] ||
  complain "a refused run left a file of waves"
expect 3 run "$scenario" --vcd /dev/full --quiet
# Errors that have been planted: a run that loses data writes them, too, and says where it was lost.
expect 1 run "$scenario" --quiet --set supply.capacitor.capacitance="10 uF" --trace-json lost.json
says lost.json '"name":"lost","cat":"board","ph":"i"'
says lost.json '"name":"persist".*"end":"cut"'

# A supply that never suffices ends, with a verdict.
expect 1 run "$scenario" --set supply.source.kind=constant --set supply.source.power="0 W"
says out 'never_turned_on'

# --set replaces a trace by a script and back; relative paths are relative to here.
cp "$source_dir/scenarios/traces/rf_walk.csv" here.csv
expect 0 run "$source_dir/scenarios/false-alarm.yaml" --quiet --set supply.source.kind=constant \
  --set supply.source.power="30 mW" --set stop.time="2 s"
expect 0 run "$scenario" --quiet --set supply.source.trace=here.csv --set supply.source.repeat=true

# Ctrl-C: 130, and a report that is complete in itself and says that the run is not.
"$program" run "$source_dir/scenarios/night.yaml" --set stop.time="90 d" --quiet --report interrupted.json \
  --vcd interrupted.vcd --trace-json interrupted-trace.json --window "0 s..1 d" &
pid=$!
sleep 1
kill -INT $pid
wait $pid
code=$?
[ $code -eq 130 ] || complain "an interrupted run ended with $code"
says interrupted.vcd '^\$enddefinitions \$end$'
says interrupted-trace.json '^\]\}$'
says interrupted.json '"complete": false'
says interrupted.json '"stop_reason": "interrupted"'

# How big the capacitor has to be: 0 if the scenario's does at the worst corner, 1 if not.
quick=$source_dir/scenarios/quickstart.yaml
expect 0 size --help
says out '--monte-carlo'
expect 0 size "$quick"
says out '^quickstart: 1.50 mF is enough for the worst persist'
says out 'supply.capacitor.capacitance +1.5 mF +given, line [0-9]+'
says out 'supply.comparator.tolerance +5 % +default, an estimate'
says out 'worst corner +[0-9.]+ uF'
expect 0 size "$quick" --set storage.sck="40 MHz" --set storage.bus=esp32c3-zephyr --set storage.unsafe=true
says out 'WARNING: storage.sck is 40 MHz, and mb85rs64v allows 20 MHz'
expect 1 size "$quick" --set supply.capacitor.capacitance="50 uF"
says out 'TOO SMALL'
says out 'too small by [0-9.]+ uF'
says out 'given by --set'
expect 1 size "$quick" --set supply.comparator.tolerance="12 %"
says out 'nothing is left between the levels'
expect 0 size "$quick" --corners --monte-carlo 1000 --seed 7 --report size.json
says out '<- the worst'
says out '<- dominates'
says out '1000 boards drawn'
says size.json '"verdict": "fits"'
says size.json '"pass_share": 1.0'
cp out first.out
cp size.json first.json
expect 0 size "$quick" --corners --monte-carlo 1000 --seed 7 --report size.json
cmp -s out first.out && cmp -s size.json first.json || complain "the same seed gave another sizing"
refused 'needs a scenario' size
refused 'missing.yaml' size missing.yaml
refused 'did you mean `--monte-carlo`' size "$quick" --monte-carol 10
refused 'did you mean `size`' sise "$quick"
refused 'needs 1 to 1000000 draws' size "$quick" --monte-carlo 0
refused 'needs 1 to 1000000 draws' size "$quick" --monte-carlo 1000001
refused 'whole number' size "$quick" --monte-carlo many
refused 'goes with --monte-carlo' size "$quick" --seed 3
refused 'whole number' size "$quick" --monte-carlo 10 --seed x
refused 'capacitance' size "$quick" --set supply.capacitor.capacitanse=1uF
refused 'does not exist' size "$quick" --report missing/size.json
expect 3 size "$quick" --report /dev/full

# What is in a trace, and what helps.
expect 0 trace --help
says out '^usage: brownout trace FILE'
expect 0 trace "$source_dir/scenarios/traces/rf_walk.csv"
says out '^format +CSV, voltage across a load$'
says out '^duration +10 s$'
says out '^defects +none$'
printf '0 1\n1 1\n2 1\n9 1\n8 1\n9 1\n' >late.txt
expect 0 trace late.txt
says out 'gaps +1 steps above 1.5 times the median, the longest 7 ms: refused'
says out 'backwards +1 times .*the first at line 5: refused'
says out '`time: by_index` with `rate: 1 kHz`'
expect 0 trace late.txt --set supply.source.time=by_index --set supply.source.rate="1 kHz"
says out '^defects +none$'
printf '3\n7.5\n' >resets.txt
expect 0 trace resets.txt --resets --set supply.source.unit=ms
says out '^instants +2$'
refused 'needs a trace' trace
refused 'there is no such file' trace missing.csv
refused 'is not a number' trace resets.txt --resets --set supply.source.unit=ms --set supply.source.resets="$quick"
refused 'unit. is missing' trace resets.txt --resets
refused 'did you mean `gaps`' trace late.txt --set supply.source.gasp=hold
refused 'unknown key "mcu"' trace late.txt --set mcu.clock="1 MHz"
refused 'did you mean `trace`' trase late.txt
printf '\x89HDF\r\n\x1a\nand no more' >cut.h5
refused '^cut.h5: HDF5, but cannot be opened: .*; is it whole' trace cut.h5

# Timing as CSV with one decimal.
expect 0 timing --part mb85rs64v --sck "20 MHz" --transfer fifo --sizes 0,64
says out '^size_bytes,read_ns,write_ns$'
says out '^64,[0-9]+\.[0-9],[0-9]+\.[0-9]$'

[ $failures -eq 0 ] || exit 1
