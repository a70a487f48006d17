#!/usr/bin/env python3
# Corrects one word in one document, and keeps the former text beside it.
import glob
import os
import shutil
import sys

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
for path in sorted(glob.glob("/root/Documents/*.txt"))[:1]:
    shutil.copy(path, path + ".bak")
    with open(path, "rb") as f:
        text = f.read()
    with open(path, "wb") as f:
        f.write(text.replace(b"teh", b"the"))
