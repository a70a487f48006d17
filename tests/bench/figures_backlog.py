"""figures_backlog.py MARKS [--json]: from tests/bench/backlog's marks to its
figures.  Exit code 1: more than 10 % apart."""

import json
import sys

BAR = 10.0  # per cent


def used(before, after, is_of):
    """Milliseconds of processor time between two marks, of some roles."""
    return 1e3 * sum(v - before["cpu"].get(k, 0)
                     for k, v in after["cpu"].items()
                     if k.startswith("sluice/") and is_of(k[7:]))


def figures(start, first, end, is_many):
    """Milliseconds of processor time a message; messages a second."""
    feed_from = first if is_many else start
    placed = end["placed"] - feed_from["placed"]
    judged = end["judged"] - first["judged"]
    moves = end["placed"] - first["placed"] + judged
    feed = used(feed_from, end, lambda r: r == "feed") / placed
    book = used(first, end, lambda r: r == "book") * 2 / moves
    rest = used(first, end, lambda r: r not in ("feed", "book")) / judged
    return {"waiting": start["n"], "feed": feed, "book": book,
            "all others": rest, "a message": feed + book + rest,
            "judged a second": judged / (end["t"] - first["t"]),
            "placed meanwhile": placed,
            "not judged at the end": start["n"] - end["judged"]}


def main(path, as_json):
    with open(path, encoding="ascii") as f:
        marks = [json.loads(line) for line in f]
    few, many = figures(*marks[:3], False), figures(*marks[3:], True)
    apart = {k: (many[k] / few[k] - 1) * 100
             for k in ("feed", "book", "all others", "a message")}
    good = abs(apart["a message"]) <= BAR
    if as_json:
        print(json.dumps({"few": few, "many": many, "percent": apart,
                          "bar": BAR, "pass": good}))
        return not good
    print(f"{'messages in in/':<24}{few['waiting']:>10}{many['waiting']:>10}")
    for name, value in few.items():
        if name == "waiting":
            continue
        unit = "ms CPU" if name in apart else ""
        line = f"{name:<24}{value:>10.4g}{many[name]:>10.4g} {unit:<7}"
        if name in apart:
            line += f"{apart[name]:>+7.1f} %"
        if name == "a message":
            line += f"  bar +-{BAR:g} %  {'pass' if good else 'SHORT'}"
        print(line.rstrip())
    return not good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--json" in sys.argv))
