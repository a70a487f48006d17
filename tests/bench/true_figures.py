"""Before and after the loads of tests/bench/true.

true_figures.py sizes                   options of sluice-traffic: the sizes
true_figures.py rate LOAD FIXED PER_OCTET LIMITS   messages a second; times in
                                        ms and us, limits in octets by commas
true_figures.py count LEDGER            how many messages it saw to their end
true_figures.py trace LEDGER SEED       the trace as sluice-sim reads it
true_figures.py run LEDGER SEED COUNT LOAD LIMITS [SIM_JSON]
                                        one load, as JSON
true_figures.py table RUNS BAR HOW ENOUGH [--json]   all of it; HOW is the
                                        replay that is judged, of queues with
                                        ENOUGH messages; exit code 1: one is
                                        more than BAR per cent off
"""

import json
import math
import statistics
import sys

from true_replay import Constants, class_of, read_ledger, replay

# Text and attachments: share, then mu and sigma of the octets' logarithm.
HUMPS = ((0.75, 7.8, 0.7), (0.25, 10.6, 0.8))
MOST = 400000
QF_OCTETS = 650  # about; a message's size in a queue is qf + df
# About what a move and a claim take here: only the rate's choice needs it.
HANDLING = 0.005

HOW = ("recorded", "half-way", "predicted")


def sizes_options():
    (_, mu, sigma), (share, attach_mu, attach_sigma) = HUMPS
    return (f"--size-mu {mu} --size-sigma {sigma} --attach-share {share} "
            f"--attach-mu {attach_mu} --attach-sigma {attach_sigma} "
            f"--max-bytes {MOST}")


def limits_of(text):
    return [int(x) for x in text.split(",")]


def work_bound(sizes_and_work, limits):
    """The share of a server's time that the busiest of the lanes from some
    class on can't avoid, each of those taking the same part of it."""
    n = len(limits) + 1
    work = [0.0] * n
    for size, seconds in sizes_and_work:
        work[class_of(limits, size)] += seconds
    return max(sum(work[c:]) / (n - c) for c in range(n))


def rate(load, fixed, per_octet, limits):
    """The share load of the greatest rate at which no queue must grow."""
    drawn, normal = [], statistics.NormalDist()
    for share, mu, sigma in HUMPS:
        n = int(share * 4000)
        for i in range(n):
            size = math.exp(mu + sigma * normal.inv_cdf((i + 0.5) / n))
            drawn.append(min(size, MOST) + QF_OCTETS)
    work = [(x, fixed + per_octet * x + HANDLING) for x in drawn]
    return load * len(drawn) / work_bound(work, limits)


def trace(messages):
    """ARRIVED BYTES SERVICE WAIT LANE, with the two constants in them."""
    c = Constants(messages)
    for m in messages:
        print(f"{m.placed + c.transit:.6f} {m.size} "
              f"{m.service + c.handling:.6f} "
              f"{max(0.0, m.begin - m.placed - c.transit):.6f} {m.lane + 1}")


def mean(values):
    values = list(values)
    return statistics.mean(values) if values else None


def queue_figures(k, messages, replays, sim, transit):
    mine = [m for m in messages if m.lane == k]
    row = {"queue": k + 1, "messages": len(mine), "replayed": {}}
    if not mine:
        return row
    row["in_ms"] = mean(m.placed - m.arrived for m in mine) * 1e3
    row["wait_ms"] = mean(m.begin - m.arrived for m in mine) * 1e3
    waits = {how: mean(w for lane, w in r if lane == k)
             for how, r in replays.items()}
    if sim and sim[k] is not None:
        waits["sluice-sim"] = sim[k] + transit
    for how, wait in waits.items():
        if wait is None:
            continue
        whole = row["in_ms"] + wait * 1e3
        row["replayed"][how] = {
            "wait_ms": whole, "percent": (whole / row["wait_ms"] - 1) * 100}
    return row


def sim_waits(path):
    with open(path, encoding="utf-8") as f:
        answer = json.load(f)
    return [q["wait_mean_s"] for q in answer["queues"]]


def run(messages, load, limits, sim_json):
    c = Constants(messages)
    replays = {how: replay(messages, limits, c, how) for how in HOW}
    sim = sim_waits(sim_json) if sim_json else None
    span = messages[-1].arrived - messages[0].arrived
    work = [(m.size, (m.service + c.handling) / span) for m in messages]
    same = {how: mean(lane == m.lane for (lane, _), m in zip(r, messages))
            for how, r in replays.items()}
    print(json.dumps({
        "load": load, "messages": len(messages), "seconds": span,
        "rate": len(messages) / span,
        "measured_load": work_bound(work, limits),
        "busy": [sum(w for (_, w), m in zip(work, messages) if m.lane == k)
                 for k in range(len(limits) + 1)],
        "transit_ms": c.transit * 1e3, "handling_ms": c.handling * 1e3,
        "transit_of": c.n_idle, "handling_of": c.n_after,
        "service_fixed_ms": c.fixed * 1e3,
        "service_per_octet_us": c.per_octet * 1e6, "same_queue": same,
        "queues": [queue_figures(k, messages, replays, sim, c.transit)
                   for k in range(len(limits) + 1)]}))


class Bar:
    def __init__(self, percent, how, enough):
        self.percent, self.how, self.enough = percent, how, enough

    def judge(self, row):
        """None: not judged, else is it good?"""
        if row["messages"] < self.enough or self.how not in row["replayed"]:
            return None
        return abs(row["replayed"][self.how]["percent"]) <= self.percent


def print_run(r, bar):
    print(f"load {r['load']:g}: {r['messages']} messages, {r['rate']:.2f} a "
          f"second, {r['measured_load']:.2f} of the greatest stable rate\n"
          f"  queues busy {' '.join(f'{b:.2f}' for b in r['busy'])}; "
          f"service {r['service_fixed_ms']:.1f} ms + "
          f"{r['service_per_octet_us']:.2f} us an octet;\n"
          f"  transit {r['transit_ms']:.1f} ms, handling "
          f"{r['handling_ms']:.1f} ms; chosen again, the same queue for\n"
          f"  {r['same_queue']['half-way']:.0%} (half-way), "
          f"{r['same_queue']['predicted']:.0%} (predicted)")
    hows = [h for h in HOW + ("sluice-sim",)
            if any(h in q["replayed"] for q in r["queues"])]
    print("  queue  messages     in in/  mean wait" +
          "".join(f"{h:>20}" for h in hows))
    for q in r["queues"]:
        if not q["messages"]:
            continue
        line = (f"  feed{q['queue']:<3}{q['messages']:>8}"
                f"{q['in_ms']:>8.1f} ms{q['wait_ms']:>8.1f} ms")
        for h in hows:
            w = q["replayed"].get(h)
            line += (f"{w['wait_ms']:>9.1f} {w['percent']:>+6.1f} %  "
                     if w else " " * 19)
        good = bar.judge(q)
        if good is not None:
            line += "pass" if good else "SHORT"
        print(line.rstrip())
    if r["handling_ms"] < 0:
        print("  SHORT: who waited began before the other's end: a queue has "
              "more than one server")


def table(path, bar, as_json):
    with open(path, encoding="utf-8") as f:
        runs = [json.loads(line) for line in f]
    goods = [bar.judge(q) for r in runs for q in r["queues"]]
    is_good = (False not in goods and True in goods and
               min(r["handling_ms"] for r in runs) >= 0)
    if as_json:
        print(json.dumps({"runs": runs, "bar_percent": bar.percent,
                          "judged": bar.how, "pass": is_good}))
    else:
        for r in runs:
            print_run(r, bar)
    if True not in goods and False not in goods:
        print(f"true_figures.py: no queue has {bar.enough} messages and a "
              f"figure by {bar.how}", file=sys.stderr)
    return int(not is_good)


def main(command, *args):
    if command == "sizes":
        print(sizes_options())
    elif command == "rate":
        load, fixed, per_octet = (float(x) for x in args[:3])
        per_s = rate(load, fixed / 1e3, per_octet / 1e6, limits_of(args[3]))
        print(f"{per_s:.3f}")
    elif command == "count":
        print(len(read_ledger(args[0], "%")))
    elif command == "trace":
        trace(read_ledger(args[0], args[1]))
    elif command == "run":
        messages = read_ledger(args[0], args[1])
        if len(messages) != int(args[2]):
            sys.exit(f"true_figures.py: {args[0]}: {len(messages)} messages "
                     f"of {args[2]}")
        run(messages, float(args[3]), limits_of(args[4]),
            args[5] if len(args) > 5 else None)
    elif command == "table":
        return table(args[0], Bar(float(args[1]), args[2], int(args[3])),
                     "--json" in args)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
