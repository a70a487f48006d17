"""figures_backlog.py MARKS [--json]: from tests/bench/backlog's marks to its
figures.  Exit code 1: more than 10 % apart."""

import json
import sys

BAR = 10.0  # per cent


def total(cpu, only=""):
    return sum(v for k, v in cpu.items() if k.startswith("sluice/" + only))


def figures(start, placed, end):
    """Milliseconds of processor time a message; messages a second."""
    n1 = placed["placed"] - start["placed"]
    judged1 = placed["judged"] - start["judged"]
    judged2 = end["judged"] - placed["judged"]
    cpu1 = total(placed["cpu"]) - total(start["cpu"])
    cpu2 = total(end["cpu"]) - total(placed["cpu"])
    feed = total(placed["cpu"], "feed") - total(start["cpu"], "feed")
    judging = cpu2 / judged2
    placing = (cpu1 - judged1 * judging) / n1
    return {"waiting": start["n"], "feed alone": feed / n1 * 1e3,
            "placing": placing * 1e3, "judging": judging * 1e3,
            "a message": (placing + judging) * 1e3,
            "placed a second": n1 / (placed["t"] - start["t"]),
            "judged a second": judged2 / (end["t"] - placed["t"]),
            "still waiting": start["n"] - end["judged"]}


def main(path, as_json):
    with open(path, encoding="ascii") as f:
        marks = [json.loads(line) for line in f]
    few, many = figures(*marks[:3]), figures(*marks[3:])
    apart = {k: (many[k] / few[k] - 1) * 100
             for k in ("feed alone", "placing", "judging", "a message")}
    good = abs(apart["a message"]) <= BAR
    if as_json:
        print(json.dumps({"few": few, "many": many, "percent": apart,
                          "bar": BAR, "pass": good}))
        return not good
    print(f"{'messages in in/':<24}{few['waiting']:>10}{many['waiting']:>10}")
    for name, value in few.items():
        if name == "waiting":
            continue
        unit = "" if "second" in name or "still" in name else "ms CPU"
        line = f"{name:<24}{value:>10.4g}{many[name]:>10.4g} {unit:<7}"
        if name in apart:
            line += f"{apart[name]:>+7.1f} %"
        if name == "a message":
            line += f"  bar +-{BAR:g} %  {'pass' if good else 'SHORT'}"
        print(line.rstrip())
    return not good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--json" in sys.argv))
