#!/bin/bash
# The features of 120 flows that others captured, against an independent
# calculator's.  The captures are not part of the tree: skipped without them.
set -eu

data=${SLUICE_SHARED:-../shared}/datasets/tcp-traces
[ -r "$data/expected.json" ] || {
	echo "no captures at $data: skipped (SLUICE_SHARED names their place)"
	exit 77
}
exec python3 "$(dirname "$0")/flow_traces.py" "$SLUICE_BUILD/bin/sluice-flow" \
    "$data"
