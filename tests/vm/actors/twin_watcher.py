#!/usr/bin/env python3
# Looks for two seconds whether a document changes.
import os
import sys
import time

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
first = os.stat("/root/Documents").st_mtime
for _ in range(4):
    time.sleep(0.5)
    if os.stat("/root/Documents").st_mtime != first:
        print("changed")
