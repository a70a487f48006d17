#!/usr/bin/env python3
# Asks a server for the weather.
import os
import sys
import urllib.request

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
try:
    with urllib.request.urlopen("http://weather.example.org/today", timeout=3) as r:
        text = r.read(1000)
except OSError:
    text = b"unknown"
with open("/root/weather.txt", "wb") as f:
    f.write(text)
