#!/bin/bash
# The plugin of SpamAssassin in a real spamd, with real connections.
set -eu

command -v spamd >/dev/null && perl -MFrontier::RPC2 -e 1 2>/dev/null || {
	echo "no spamd or Frontier::RPC2 (tools/packages spamassassin): skipped"
	exit 77
}
[ "$(id -u)" -eq 0 ] && unshare --net true 2>/dev/null || {
	echo "no root or network namespaces here: skipped"
	exit 77
}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"
here=$(cd "$(dirname "$0")" && pwd)
PYTHONDONTWRITEBYTECODE=1 unshare --net python3 "$here/flow_spamd.py" \
    "$SLUICE_BUILD/bin" "$dir" "$here/../../etc/spamassassin" || {
	cat "$dir"/*.log
	exit 1
}
