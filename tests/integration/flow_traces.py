#!/usr/bin/env python3
"""flow_traces.py PROGRAM DATA - every feature of every flow of the captures of
DATA against what an independent calculator made of them (expected.json)."""

import json
import math
import os
import subprocess
import sys
import tarfile
import tempfile

# Of the servers of these captures.
PORTS = "22,25,80,443,5050,5223,6649,31313"
TIMES = {"hs_time", "rtt_init", "idle_max"}
VARIANCES = {"rtt_var", "jitter_var"}
# The calculator subtracts seconds since 1970 as floating-point numbers, whose
# neighbours are 2^-22 s apart: each of its spans is that wrong at most.
GRAIN = 2.0 ** -22
# Where ours is another definition; docs/flow.md, "Against another reading".
EXPLAINED = {
    ("tcp-reassembly.pcap", "bytes_in"): 28876,
    ("tcp-reassembly.pcap", "ooo_in"): 6,
    ("tcp-window-scale-range.pcap", "win_min"): 512 << 14,
}


def equal(name, want, got):
    if want is None or got is None:
        return want is got
    if name in TIMES:
        return abs(want - got) <= GRAIN
    if name in VARIANCES:
        # If no sample is off by more than d, no standard deviation is.
        return abs(want - got) <= 2 * math.sqrt(want) * GRAIN + 2e-9
    return want == got


def flows_of(program, path):
    done = subprocess.run([program, "-r", path, "--port", PORTS, "--json"],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: exit %d: %s" % (path, done.returncode, done.stderr))
    flows = [json.loads(line) for line in done.stdout.splitlines()]
    return sorted(flows, key=lambda f: f["start"])


def compare(name, want, got):
    """Features that differ."""
    wrong = 0
    for feature, value in want["features"].items():
        value = EXPLAINED.get((name, feature), value)
        if not equal(feature, value, got[feature]):
            print("%s %s: %s is %s, expected %s" % (
                name, want["client"], feature, got[feature], value))
            wrong += 1
    return wrong


def main():
    program, data = sys.argv[1:]
    with open(os.path.join(data, "expected.json")) as f:
        traces = json.load(f)["traces"]
    compared = wrong = 0
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(os.path.join(data, "traces.tar.xz")) as archive:
            archive.extractall(place)
        for name, trace in sorted(traces.items()):
            got = flows_of(program, os.path.join(place, name))
            if len(got) != len(trace["flows"]):
                print("%s: %d flows, expected %d" % (
                    name, len(got), len(trace["flows"])))
                wrong += 1
            for want in trace["flows"]:
                same = [g for g in got if "%s:%d" % (
                    g["client"], g["client_port"]) == want["client"]]
                if not same:
                    print("%s: no flow of %s" % (name, want["client"]))
                    wrong += 1
                    continue
                got.remove(same[0])
                wrong += compare(name, want, same[0])
                compared += 1
    print("%d flows of 20 features compared, %d differences that are not "
          "explained, %d that are" % (compared, wrong, len(EXPLAINED)))
    return 1 if wrong or compared == 0 else 0


sys.exit(main())
