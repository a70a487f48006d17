#!/bin/bash
# Connections with every kind of trouble between two network namespaces: all
# features against a second reading, from a file and captured live.
set -eu

[ "$(id -u)" -eq 0 ] && [ -c /dev/net/tun ] &&
	ip netns add "flow-try-$$" 2>/dev/null && ip netns del "flow-try-$$" || {
	echo "no root, TAP devices or network namespaces here: skipped"
	exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
python3 "$(dirname "$0")/flow_netns.py" "$SLUICE_BUILD/bin/sluice-flow" "$dir"
