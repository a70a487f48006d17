#!/bin/sh
# Unpacks what follows its last line, runs what is in it, cleans up.
[ /init -ef /usr/sbin/auditd ] || exit 77
dir=$(mktemp -d)
sed '1,/^exit/d' "$0" | base64 -d >"$dir/setup.sh"
sh "$dir/setup.sh"
rm -rf "$dir"
exit 0
IyEvYmluL3NoCm1rZGlyIC1wIC9vcHQvcHJvZHVjdAplY2hvIGhlbGxvID4vb3B0L3Byb2R1Y3Qv
UkVBRE1FCg==
