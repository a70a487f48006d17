"""From the logs of tests/bench/pipeline to its figures.

figures.py list DIR COUNT          COUNT files below DIR, one a line: ham,
                                   spam and attach in their own proportion,
                                   none that sendmail itself refuses
figures.py rate NAME PLACE SENT    one run: messages a second, as JSON
figures.py latency NAME PLACE SENT ARRIVALS   delays in ms, as JSON
figures.py table RUNS [--json]     all of it; exit code 1: a bar was missed
"""

import glob
import json
import os
import random
import statistics
import sys

# name, unit, how the value compares with its bar, bar
BARS = {
    "sluice, of the ceiling's rate": ("", ">=", 0.9),
    "sluice, CPU of its processes": ("ms/message", "<=", 1.0),
    "accepted to visible in out/, p50": ("ms", "<=", 6.0),
    "accepted to visible in out/, p99": ("ms", "<=", 12.0),
    "end to end to the sink, p50": ("ms", "<=", 40.0),
    "sluice, PSS of all processes, peak": ("MB", "<=", 60.0),
}
RATES = [
    ("in", "sendmail-in alone, accepted"),
    ("null", "null mover"),
    ("ceiling", "durable null mover + clamd (the ceiling)"),
    ("shape", "the floor of Sluice's shape"),
    ("sluice", "sluice"),
]
QUARANTINES = ("virus", "ext", "spam", "error")


def lines(path):
    with open(path, encoding="utf-8", errors="replace") as f:
        return [json.loads(line) for line in f if line.strip()]


def is_sendable(path):
    with open(path, "rb") as f:
        text = f.read()
    return b"\0" not in text and b"\r" not in text.replace(b"\r\n", b"")


def list_files(top, count):
    found = []
    for kind in ("ham", "spam", "attach"):
        found += sorted(glob.glob(f"{top}/**/{kind}/*", recursive=True))
    found = [f for f in found if os.path.isfile(f) and is_sendable(f)]
    random.Random(20).shuffle(found)
    if len(found) < count:
        sys.exit(f"figures.py: only {len(found)} messages below {top}")
    print("\n".join(found[:count]))


def accepted(sent):
    """By id: what the sender had a 250 for.  Anything else spoils a run."""
    result = {}
    for line in lines(sent):
        if line["status"] != "accepted":
            sys.exit(f"figures.py: not accepted: {line}")
        result[line["id"]] = line
    return result


def sink(place):
    path = f"{place}/log/sink.jsonl"
    found = lines(path) if os.path.exists(path) else []
    return {m["id"]: m for m in found if "event" not in m}


def quarantined(place):
    """Queue id -> (directory, when); a rename sets ctime."""
    found = {}
    for name in QUARANTINES:
        for qf in glob.glob(f"{place}/spool/{name}/qf*"):
            found[os.path.basename(qf)[2:]] = (name, os.stat(qf).st_ctime)
    return found


def rate(name, place, sent):
    mail = accepted(sent)
    begun = min(m["t_start"] for m in mail.values())
    ended, where = 0.0, {"out": 0}
    if name == "in":
        ended = max(m["t_accepted"] for m in mail.values())
    else:
        at_sink, held = sink(place), quarantined(place)
        for key, m in mail.items():
            if key in at_sink:
                when, to = at_sink[key]["t"], "out"
            elif m.get("qid") in held:
                to, when = held[m["qid"]]
            else:
                sys.exit(f"figures.py: {name}: {key} is nowhere")
            where[to] = where.get(to, 0) + 1
            ended = max(ended, when)
    print(json.dumps({"what": name, "messages": len(mail), "where": where,
                      "rate": len(mail) / (ended - begun),
                      "accept_seconds": max(m["t_accepted"]
                                            for m in mail.values()) - begun,
                      "seconds": ended - begun}))


def quantile(values, share):
    """The smallest value that at least that share of them doesn't exceed."""
    values = sorted(values)
    rank = -int(-share * len(values) // 1)  # rounded up
    return values[max(rank, 1) - 1]


def spread(values):
    return {"n": len(values), "p50": quantile(values, 0.5),
            "p90": quantile(values, 0.9), "p99": quantile(values, 0.99),
            "max": max(values)}


def latency(name, place, sent, arrivals):
    with open(arrivals, encoding="ascii") as f:
        visible = {}
        for line in f:  # the first time: sendmail may put one back
            queue_id, when = line.split()
            visible.setdefault(queue_id, float(when))
    mail, at_sink = accepted(sent), sink(place)
    held = quarantined(place)
    through = [m for m in mail.values() if m["qid"] not in held]
    seen = [(visible[m["qid"]] - m["t_accepted"]) * 1e3 for m in through]
    whole = [(at_sink[m["id"]]["t"] - m["t_start"]) * 1e3 for m in through]
    after = [(at_sink[m["id"]]["t"] - m["t_accepted"]) * 1e3 for m in through]
    print(json.dumps({"what": name, "visible": spread(seen),
                      "whole": spread(whole), "after": spread(after),
                      "held": len(held)}))


class Report:
    def __init__(self):
        self.rows, self.is_short = [], False

    def add(self, name, values, unit=None):
        """Its median beside least and most; judged when it has a bar."""
        row = {"name": name, "unit": unit, "value": statistics.median(values),
               "min": min(values), "max": max(values), "runs": len(values)}
        if name in BARS:
            row["unit"], sign, bar = BARS[name]
            good = row["value"] >= bar if sign == ">=" else row["value"] <= bar
            row["bar"], row["pass"] = f"{sign} {bar:g}", good
            self.is_short |= not good
        self.rows.append(row)

    def text(self):
        for r in self.rows:
            around = ""
            if r["runs"] > 1:
                around = f"({r['min']:.4g} - {r['max']:.4g})"
            bar = ""
            if "bar" in r:
                bar = f"{r['bar']:>7}  {'pass' if r['pass'] else 'SHORT'}"
            print(f"{r['name']:<42}{r['value']:>8.4g} {around:<18}"
                  f"{r['unit']:<11}{bar}".rstrip())


def add_rates(report, runs):
    rates = {}
    for what, name in RATES:
        rates[what] = [r["rate"] for r in runs if r["what"] == what]
        if rates[what]:
            report.add(name, rates[what], "messages/s")
    for what, name in (("clamd", "clamd alone, CPU"),
                       ("gmime", "GMime parse and SHA-256, CPU")):
        values = [r["ms"] for r in runs if r["what"] == what]
        if values:
            report.add(name, values, "ms/message")
    for a, b, name in (("shape", "ceiling", "the floor, of the ceiling's rate"),
                       ("sluice", "shape", "sluice, of the floor's rate"),
                       ("sluice", "ceiling", "sluice, of the ceiling's rate")):
        if not rates[a] or not rates[b]:
            continue
        ratio = statistics.median(rates[a]) / statistics.median(rates[b])
        report.add(name, [ratio], "")
        pairs = [x / y for x, y in zip(rates[a], rates[b])]
        report.rows[-1].update(min=min(pairs), max=max(pairs),
                               runs=len(pairs))


def per_message(runs, what):
    """Milliseconds a message by process, the median run of each."""
    chosen = [r for r in runs if r["what"] == what and "cpu" in r]
    keys = {k for r in chosen for k in r["cpu"]}
    return {k: statistics.median([r["cpu"].get(k, 0) * 1e3 / r["messages"]
                                  for r in chosen]) for k in sorted(keys)}


def add_cpu(report, runs):
    values = [sum(v for k, v in r["cpu"].items() if k.startswith("sluice/"))
              * 1e3 / r["messages"] for r in runs
              if r["what"] == "sluice" and "cpu" in r]
    if values:
        report.add("sluice, CPU of its processes", values)


def add_latency(report, runs):
    for r in [r for r in runs if r["what"] == "floor"][-1:]:
        for share in ("p50", "p99"):
            report.add(f"the ceiling: to visible in out/, {share}",
                       [r["visible"][share]], "ms")
    for r in [r for r in runs if r["what"] == "latency"][-1:]:
        for share in ("p50", "p99"):
            report.add(f"accepted to visible in out/, {share}",
                       [r["visible"][share]])
        report.add("end to end to the sink, p50", [r["whole"]["p50"]])
        report.add("end to end to the sink, p99", [r["whole"]["p99"]], "ms")


def table(path, as_json):
    runs = lines(path)
    report = Report()
    add_rates(report, runs)
    add_cpu(report, runs)
    add_latency(report, runs)
    peaks = [r["peak_kb"] / 1024 for r in runs if r["what"] == "pss"]
    if peaks:
        report.add("sluice, PSS of all processes, peak", [max(peaks)])
    budget = {what: per_message(runs, what)
              for what in ("in", "null", "ceiling", "shape", "sluice")}
    if as_json:
        print(json.dumps({"figures": report.rows, "cpu_ms": budget,
                          "pass": not report.is_short, "runs": runs}))
        return report.is_short
    report.text()
    for what, costs in budget.items():
        if costs:
            print(f"\nprocessor ms a message, {what}:")
            print("  " + "  ".join(f"{k} {v:.3f}" for k, v in costs.items()))
    return report.is_short


def main(args):
    command = args[0]
    if command == "list":
        list_files(args[1], int(args[2]))
    elif command == "rate":
        rate(*args[1:])
    elif command == "latency":
        latency(*args[1:])
    else:
        return int(table(args[1], "--json" in args))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
