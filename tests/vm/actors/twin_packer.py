#!/usr/bin/env python3
# Packs the documents into a zip, which lies beside them.
import glob
import os
import sys
import zipfile

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
with zipfile.ZipFile("/root/documents.zip", "w") as z:
    for path in glob.glob("/root/Documents/*"):
        z.write(path, os.path.basename(path))
