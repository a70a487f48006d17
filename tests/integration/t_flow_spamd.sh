#!/bin/bash
# The plugin of SpamAssassin in a real spamd, with real connections.
set -eu

command -v spamd >/dev/null && perl -MFrontier::RPC2 -e 1 2>/dev/null || {
	echo "no spamd or Frontier::RPC2 (tools/packages spamassassin): skipped"
	exit 77
}
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/flow_alone.sh" flow_spamd.py "$here/../../etc/spamassassin"
