#!/usr/bin/env python3
"""The table of planted bugs from lines of planted_table (and of planted_coverage.sh), as Markdown.

A line: bug, way, seed, runs, CPU seconds, cap, check or "-", what the bug is. Usage: planted_table.py RESULTS...
"""

import statistics
import sys

WAYS = ["random", "swarm", "coverage"]


def main(files):
    campaigns, what = {}, {}
    for file in files:
        for line in open(file):
            bug, way, _, runs, seconds, cap, check, words = line.rstrip("\n").split(" ", 7)
            found = check != "-"
            key = (bug, way)
            # The last line of a seed counts.
            campaigns.setdefault(key, {})[_] = (int(runs), float(seconds), found, float(cap), check)
            what[bug] = words
    print("| bug | random: runs | s | swarm: runs | s | coverage-guided: runs | s | check |")
    print("|---|---|---|---|---|---|---|---|")
    for bug in sorted(what, key=lambda name: what[name]):
        cells, checks = [], []
        for way in WAYS:
            results = list(campaigns.get((bug, way), {}).values())
            if not results:
                cells += ["", ""]
                continue
            infinite = float("inf")
            runs = statistics.median_low([r[0] if r[2] else infinite for r in results])
            seconds = statistics.median_low([r[1] if r[2] else infinite for r in results])
            checks += [r[4] for r in results if r[2]]
            if seconds == infinite:
                cells += ["-", f"> {max(r[3] for r in results):.0f}"]
            else:
                cells += [f"{runs}", f"{seconds:.2f}"]
        check = max(sorted(set(checks)), key=checks.count) if checks else ""
        print(f"| {what[bug]} | {' | '.join(cells)} | {check} |")


main(sys.argv[1:])
