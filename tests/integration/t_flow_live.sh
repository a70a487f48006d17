#!/bin/bash
# sluice-flow as it runs on a host: sandbox, questions, crash, restart, and an
# interface that comes and goes.
set -eu

[ "$(id -u)" -eq 0 ] && [ -c /dev/net/tun ] &&
	unshare --net true 2>/dev/null || {
	echo "no root, TAP devices or network namespaces here: skipped"
	exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
unshare --net python3 "$(dirname "$0")/flow_live.py" \
    "$SLUICE_BUILD/bin/sluice-flow" "$dir" || {
	cat "$dir/log"
	exit 1
}
