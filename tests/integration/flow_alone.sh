#!/bin/bash
# flow_alone.sh SCRIPT [ARGUMENT...] - run a Python script of this directory in
# a network namespace and with a directory of its own: SCRIPT BIN DIR ARGUMENT...
set -eu

[ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null || {
	echo "no root or network namespaces here: skipped"
	exit 77
}
script=$(cd "$(dirname "$0")" && pwd)/$1
shift
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
PYTHONDONTWRITEBYTECODE=1 unshare --net python3 "$script" \
    "$SLUICE_BUILD/bin" "$dir" "$@" || {
	cat "$dir"/*.log
	exit 1
}
