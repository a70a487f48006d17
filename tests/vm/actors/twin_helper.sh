#!/bin/sh
# Keeps a helper of its own in its directory, and calls it.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /usr/local/lib/drawing
printf '#!/bin/sh\necho drawn\n' >/usr/local/lib/drawing/draw
chmod 755 /usr/local/lib/drawing/draw
/usr/local/lib/drawing/draw >/root/drawn.txt
