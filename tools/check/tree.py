"""What the checks of this repository share: its files, and how to say what is
wrong with them.

Every check is a program `tools/check/NAME [ROOT]`: it prints one line for each
violation, "FILE:LINE: what is wrong; what to do", and ends with 1; with 0 when
there is none, 77 when a tool that it needs is missing.  `tools/check/selftest
NAME` shows that it notices."""

import os
import re
import subprocess
import sys

# Made by builds and deployments, or not ours.
SKIP = re.compile(r"^(build[^/]*|run|\.git|\.cache|__pycache__)$")

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]')


class Tree:
    def __init__(self, argv):
        here = os.path.dirname(os.path.abspath(argv[0]))
        self.root = os.path.abspath(
            argv[1] if len(argv) > 1 else os.path.join(here, "../.."))
        self.bad = 0
        self.seen = 0

    def files(self, *endings):
        """Paths from the root on, sorted; all files without endings."""
        found = []
        for folder, dirs, names in os.walk(self.root):
            at_top = folder == self.root
            dirs[:] = [d for d in dirs
                       if not (SKIP.match(d) if at_top
                               else d == "__pycache__")]
            for name in names:
                path = os.path.join(folder, name)
                if os.path.islink(path) or not os.path.isfile(path):
                    continue
                if not endings or name.endswith(endings):
                    found.append(os.path.relpath(path, self.root))
        self.seen += len(found)
        return sorted(found)

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        with open(self.path(name), "rb") as f:
            return f.read()

    def lines(self, name):
        return self.read(name).decode("utf-8", "replace").splitlines()

    def includes(self, name):
        """(line number, "<" or '"', header) of each #include."""
        for number, line in enumerate(self.lines(name), 1):
            m = INCLUDE.match(line)
            if m:
                yield number, m.group(1), m.group(2)

    def wrong(self, name, line, what, remedy):
        print("%s:%d: %s; %s" % (name, line, what, remedy))
        self.bad += 1

    def end(self):
        """Exit status.  A check that looked at nothing has checked nothing."""
        if self.seen == 0:
            print("%s: no files to check; name the root of the tree"
                  % self.root)
            return 1
        return 1 if self.bad else 0


def need(*programs):
    """End with 77 (skipped) unless all of these can be run."""
    for program in programs:
        try:
            subprocess.run([program, "--version"], stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL, check=False)
        except OSError:
            print("skipped: %s is not installed (tools/packages test)"
                  % program)
            sys.exit(77)
