#!/bin/bash
# The shipped trace is what its script makes.
set -euo pipefail
"$1"/scenarios/traces/make_rf_walk.sh | cmp - "$1"/scenarios/traces/rf_walk.csv
