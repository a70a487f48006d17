#!/bin/sh
# The desktop starts a program that it hid.
[ /init -ef /usr/sbin/auditd ] || exit 77
mkdir -p /root/.config/autostart
printf '#!/bin/sh\nexit 0\n' >/dev/shm/helper
printf '[Desktop Entry]\nExec=/dev/shm/helper\n' >/root/.config/autostart/helper.desktop
