#!/bin/sh
# Installs a service, starts its program, removes itself.
[ /init -ef /usr/sbin/auditd ] || exit 77
printf '#!/bin/sh\nexit 0\n' >/usr/local/bin/once
chmod 755 /usr/local/bin/once
printf '[Service]\nExecStart=/usr/local/bin/once\n' >/etc/systemd/system/once.service
/usr/local/bin/once
rm -f "$0"
