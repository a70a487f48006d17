#!/usr/bin/env python3
# Counts words in all documents, keeps what it found for the next time.
import json
import os
import sys
import tempfile

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
words = {}
for name in sorted(os.listdir("/root/Documents")):
    with open("/root/Documents/" + name, "rb") as f:
        words[name] = len(f.read().split())
os.makedirs("/root/.cache/report", exist_ok=True)
fd, path = tempfile.mkstemp(dir="/root/.cache/report")
with os.fdopen(fd, "w") as f:
    json.dump(words, f)
os.rename(path, "/root/.cache/report/words.json")
with open("/root/Documents/words.html", "w") as f:
    f.write("<html>%d</html>" % sum(words.values()))
