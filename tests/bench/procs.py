"""What processes cost, read from /proc.

procs.py cpu NAME=PID...        processor seconds so far of each process tree,
                                as JSON {"NAME/ROLE": seconds}; and of the
                                whole machine: "busy", "idle"
procs.py pss PID SECONDS FILE   until SIGTERM: every SECONDS the PSS of the
                                tree; keeps FILE, {"peak_kb", "samples", ...}

A tree's sum holds what its dead members have used, since their parents have
reaped them: no cell is forgotten.  Needs root for other users' processes.
"""

import json
import os
import signal
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")


def stat_fields(pid):
    """Fields 3 and on of /proc/PID/stat (proc(5)); None when it has gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="latin-1") as f:
            return f.read().rpartition(")")[2].split()
    except OSError:
        return None


def tree(root):
    """The process ids of root and of everything below it."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            fields = stat_fields(name)
            if fields:
                children.setdefault(int(fields[1]), []).append(int(name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def role(pid):
    """What a process of Sluice does: its -x option, or its program's name."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            args = f.read().decode("latin-1").split("\0")
    except OSError:
        return "gone"
    if "-x" in args:
        return args[args.index("-x") + 1]
    name = os.path.basename(args[0])
    if name == "sluice":
        return next((a for a in ("wake", "gate") if a in args), "run")
    return name.removeprefix("sluice-")


def own_seconds(pid):
    """Of the living threads, in nanoseconds where the kernel counts them."""
    total = 0
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat",
                      encoding="ascii") as f:
                total += int(f.read().split()[0])
    except OSError:
        return 0.0
    return total / 1e9


def seconds(pid, threads):
    """Own time, dead threads included, and that of reaped children."""
    fields = stat_fields(pid)
    if not fields:
        return 0.0
    reaped = (int(fields[13]) + int(fields[14])) / TICK
    if threads:
        own = (int(fields[11]) + int(fields[12])) / TICK
    else:
        own = own_seconds(pid)
    return own + reaped


def machine():
    """Seconds that both cores together were busy, and not."""
    with open("/proc/stat", encoding="ascii") as f:
        t = [int(x) / TICK for x in f.readline().split()[1:]]
    idle = t[3] + t[4]
    return {"machine/busy": sum(t[:8]) - idle, "machine/idle": idle}


def cpu(roots):
    result = machine()
    for root in roots:
        name, pid = root.split("=")
        for member in tree(int(pid)):
            key = f"{name}/{role(member)}" if name == "sluice" else name
            used = seconds(member, threads=name == "clamd")
            result[key] = result.get(key, 0.0) + used
    print(json.dumps(result))


def pss_kb(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            for line in f:
                if line.startswith("Pss:"):
                    return int(line.split()[1])
    except OSError:
        pass  # a cell that has just ended
    return 0


def pss_sample(root):
    by_role, number = {}, 0
    for pid in tree(root):
        kb = pss_kb(pid)
        if kb:
            number += 1
            name = role(pid)
            by_role[name] = by_role.get(name, 0) + kb
    return by_role, number


def pss(root, every, path):
    done = []
    signal.signal(signal.SIGTERM, lambda *_: done.append(1))
    peak = {"peak_kb": 0, "samples": 0}
    while True:
        by_role, number = pss_sample(root)
        peak["samples"] += 1
        if sum(by_role.values()) > peak["peak_kb"]:
            peak.update(peak_kb=sum(by_role.values()), processes=number,
                        by_role=by_role)
        if done:
            break
        time.sleep(every)
    with open(path, "w", encoding="ascii") as f:
        json.dump(peak, f)


if __name__ == "__main__":
    if sys.argv[1] == "cpu":
        cpu(sys.argv[2:])
    else:
        pss(int(sys.argv[2]), float(sys.argv[3]), sys.argv[4])
