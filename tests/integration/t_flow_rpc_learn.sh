#!/bin/bash
# The learner, taught and asked by XML-RPC.
set -eu

[ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null || {
	echo "no root or network namespaces here: skipped"
	exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
PYTHONDONTWRITEBYTECODE=1 unshare --net python3 \
    "$(dirname "$0")/flow_rpc_learn.py" "$SLUICE_BUILD/bin" "$dir" || {
	cat "$dir"/*.log
	exit 1
}
