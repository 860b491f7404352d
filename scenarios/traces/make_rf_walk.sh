#!/bin/sh
# Makes rf_walk.csv: the voltage across 30 kOhm behind an RF harvester that is carried past a reader again and
# again, 10 s at 1 kHz. Its own generator of random numbers, so that every awk makes the same bytes.
# Usage: make_rf_walk.sh [seed] > rf_walk.csv
set -eu
awk -v seed="${1:-1}" '
function draw() { state = (state * 69069 + 1) % 4294967296; return state / 4294967296 }
BEGIN {
  state = seed
  print "# Made by make_rf_walk.sh, seed " seed ": RF harvester passing a reader, voltage across 30 kOhm."
  print "time_ms,voltage_v,load_ohm"
  level = 0
  target = 0
  for (t = 0; t < 10000; t++) {
    # Every quarter second the distance to the reader changes; fading within it.
    if (t % 250 == 0) { target = draw() < 0.35 ? 0.1 : 1.2 + 2.3 * draw() }
    level += (target - level) / 32
    fade = 0.75 + 0.5 * draw()
    printf "%d,%.4f,30000\n", t, level * fade
  }
}'
