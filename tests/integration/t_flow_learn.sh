#!/bin/bash
# sluice-learn as it runs on a host: sandbox, learning, models, restarts.
set -eu

[ "$(id -u)" -eq 0 ] || {
	echo "not root: skipped"
	exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
python3 "$(dirname "$0")/flow_learn.py" "$SLUICE_BUILD/bin" "$dir" || {
	cat "$dir/log"
	exit 1
}
