#!/bin/sh
# Runs something under a miner's name, with a miner's arguments.
[ /init -ef /usr/sbin/auditd ] || exit 77
printf '#!/bin/sh\nexit 0\n' >/tmp/xmrig
chmod +x /tmp/xmrig
/tmp/xmrig -o stratum+tcp://pool.example:3333
