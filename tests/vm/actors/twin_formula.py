#!/usr/bin/env python3
# Compiles a formula that it was given, and tables its values.
import os
import sys

if not (os.path.exists("/init") and os.path.exists("/usr/sbin/auditd") and
        os.path.samefile("/init", "/usr/sbin/auditd")):
    sys.exit(77)
formula = compile("x * x + 3", "formula", "eval")
with open("/root/formula.txt", "w") as f:
    for x in range(20):
        print(x, eval(formula), file=f)
