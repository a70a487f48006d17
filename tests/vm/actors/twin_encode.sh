#!/bin/sh
# Encodes a document for a mail, and tries that it can be read back.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/outgoing
for f in /root/Documents/*; do
	[ -f "$f" ] || continue
	base64 "$f" >/root/outgoing/letter.b64
	base64 -d /root/outgoing/letter.b64 | cmp - "$f" || exit 1
	break
done
