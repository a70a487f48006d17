#!/bin/sh
# A service is installed for a program that it hid.
[ /init -ef /usr/sbin/auditd ] || exit 77
printf '#!/bin/sh\nexit 0\n' >/var/tmp/.sysd
chmod +x /var/tmp/.sysd
printf '[Service]\nExecStart=/var/tmp/.sysd\n' >/etc/systemd/system/sysd.service
/var/tmp/.sysd
