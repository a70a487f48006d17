#!/usr/bin/env python3
"""tests/integration/spread_mail.py - mail whose files spread, as journals, and
the measures of it counted the slow way.

usage: spread_mail.py make SPOOL FILES     write journal/feed and worker-1
       spread_mail.py check SPOOL JSON     compare `sluice model spread --json`

A third of the files are pictures in signatures, most are documents that one
or two people see, and one is sent on by each who gets it, faster and faster.
Names and addresses are as hostile as a journal can hold them."""

import hashlib
import json
import random
import sys
import time
from collections import defaultdict
from math import comb, isclose

HOUR = 3600 * 10**6
PAST = 24
NASTY = ["a'; DROP TABLE attachment; --.exe", "\u202egnp.exe", "\x1b[2Jx.zip",
         '{"kind":"file"}', "%s%n.doc", "line\nbreak.pdf", "\u20ac" * 60,
         "a,b;\"c\".xls", ""]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


class Spool:
    def __init__(self, path):
        self.path = path
        self.feed = open(path + "/journal/feed", "w")
        self.worker = open(path + "/journal/worker-1", "w")
        self.n = 0

    def put(self, t, sender, rcpts, files, place="out"):
        """files: (hash, name, verdict)"""
        self.n += 1
        name = "M%09d" % self.n
        if place != "out":  # there it lies, or the audit looks for it
            open("%s/%s/qf%s" % (self.path, place, name), "w").close()
        parts = [{"sha256": h, "names": [n], "type": "application/x",
                  "bytes": 1000, "view": "mime", "flags": ["attachment"],
                  "verdicts": [{"engine": "clamd", "answer": v}]}
                 for h, n, v in files]
        parts.insert(0, {"sha256": sha(name), "names": [], "bytes": 30,
                         "type": "text/plain", "view": "mime",
                         "flags": ["body"], "verdicts": []})
        line = {"t": t - 1000, "event": "move", "id": name, "from": "in",
                "to": "feed1", "bytes": 2000, "sender": sender,
                "rcpt": " ".join(rcpts), "wait_usec": 1, "service_usec": 0}
        self.feed.write(json.dumps(line, separators=(",", ":")) + "\n")
        line = {"t": t, "event": "move", "id": name, "from": "feed1",
                "to": place, "bytes": 2000, "sender": sender,
                "rcpt": rcpts[0] if rcpts else "",
                "verdict": "clean" if place == "out" else place,
                "reason": "", "wait_usec": 1, "service_usec": 1,
                "evidence": {"engines": [], "reading": {"parts": parts}}}
        self.worker.write(json.dumps(line, separators=(",", ":")) + "\n")


def worm(spool, end):
    """Two hours: who gets it sends it to a dozen within minutes."""
    h, at, sick = sha("worm"), end - 2 * HOUR + 10**6, ["w0@out.test"]
    for generation in range(3):
        fresh = []
        for who in sick[:10]:
            for i in range(12):
                at += 5 * 10**6
                to = "w%d.%d.%d@site.test" % (generation, len(fresh), i)
                fresh.append(to)
                spool.put(at, who, [to], [(h, NASTY[i % 9], "clean")])
        sick = fresh
    for i in range(50):  # then the scanner knows it
        at += 10**6
        spool.put(at, sick[i], ["z%d@site.test" % i],
                  [(h, "worm.exe", "hit")], "virus")


def make(path, count):
    rng = random.Random(1)
    now = time.time_ns() // 1000
    end = now - 60 * 10**6
    spool = Spool(path)
    done = 0
    worm(spool, end)
    while done < count:
        t = end - int(rng.random() ** 1.5 * 60 * HOUR)
        sender = "Person%d@Site%d.test" % (rng.randrange(4000), done % 7)
        rcpts = ["p%d@site.test" % rng.randrange(4000)
                 for _ in range(rng.choice((1, 1, 1, 2, 5)))]
        files = []
        for _ in range(rng.choice((1, 1, 2))):
            kind = rng.random()
            name = rng.choice(NASTY)
            if kind < 0.3:
                files.append((sha("logo%d" % rng.randrange(20)), "l.png",
                              "clean"))
            else:
                files.append((sha("doc%d" % rng.randrange(2 * count)), name,
                              "clean"))
        place = rng.choice(("out", "out", "out", "spam"))
        spool.put(t, rng.choice((sender, sender, sender.lower(), "")), rcpts,
                  files, place)
        done += len(files)
    print(done)


def tail(n, x, q):
    return sum(comb(n, k) * q**k * (1 - q)**(n - k) for k in range(x, n + 1))


def read(path):
    """Rows (hash, t, id, sender, rcpts, passed), clients by time, mail by
    period; straight from the journals."""
    people, rows, times = {}, [], {}
    for line in open(path + "/journal/feed"):
        e = json.loads(line)
        people[e["id"]] = (e["sender"].lower(),
                           [r.lower() for r in e["rcpt"].split()])
    for line in open(path + "/journal/worker-1"):
        e = json.loads(line)
        sender, rcpts = people[e["id"]]
        hashes = {p["sha256"] for p in e["evidence"]["reading"]["parts"]
                  if "attachment" in p["flags"]}
        if hashes:
            times[e["id"]] = e["t"]
        for h in hashes:
            rows.append((h, e["t"], e["id"], sender, rcpts,
                         e["to"] == "out"))
    return people, rows, times


def mean_of_rates(copies):
    got, sent = {}, defaultdict(list)
    for t, sender, rcpt, passed, _ in sorted(copies):
        if passed and rcpt:
            got.setdefault(rcpt, t)
        if sender:
            sent[sender].append(t)
    rates = []
    for who, when in sent.items():
        since = min([when[0]] + [got[who]] if who in got else [when[0]])
        if when[-1] > since:
            rates.append(len(when) * 60e6 / (when[-1] - since))
    return rates


def close(have, want):
    if want is None or have is None:
        return want is have
    return isclose(have, want, rel_tol=1e-6, abs_tol=1e-12)


class Check:
    def __init__(self, path, frame):
        self.people, self.rows, self.times = read(path)
        self.begin = frame["begin_usec"]
        self.size, self.end = frame["period_usec"], frame["end_usec"]
        self.first = self.begin - PAST * self.size
        self.bad = self.seen = 0
        crowd = set()
        for name, (sender, rcpts) in self.people.items():
            # all mail here has a file, judged 1 ms after it was accepted
            if self.times[name] >= self.first:
                crowd.update(rcpts + [sender])
        self.clients = len(crowd - {""})
        self.same("clients", frame["clients"], self.clients)
        self.mail = defaultdict(int)
        for t in self.times.values():
            self.mail[(t - self.first) // self.size] += 1
        self.log_begin = min(self.times.values())

    def same(self, what, have, want):
        self.seen += 1
        if have != want and not (isinstance(want, (float, type(None)))
                                 and close(have, want)):
            self.bad += 1
            if self.bad < 20:
                print("%s: %r, not %r" % (what, have, want))

    def chance(self, p, sources, own, birth):
        x = len(sources[p]) - (p == birth)
        n, e, e_past = 0, self.mail[p] - own[p] + 1, 0
        for k in range(p - PAST, p):
            if self.first + (k + 1) * self.size > self.log_begin:
                n += len(sources[k]) - (k == birth)
                e_past += self.mail[k] - own[k] + 1
        return tail(n + x, x, e / (e + e_past)) if x else 1.0

    def file(self, got, rows):
        h = got["sha256"][:8]
        copies = [(t, s, r, passed, i) for _, t, i, s, rs, passed in rows
                  for r in rs or [""]]
        times = [c[0] for c in copies]
        self.same(h + " copies", got["copies"], len(copies))
        self.same(h + " blocked", got["blocked"],
                  sum(not c[3] for c in copies))
        self.same(h + " lifespan", got["lifespan_usec"],
                  max(times) - min(times))
        rates = mean_of_rates(copies)
        self.same(h + " spread", got["spread"],
                  sum(rates) / len(rates) if rates else None)
        sources, own, first, hold = (defaultdict(set), defaultdict(int), {},
                                     defaultdict(list))
        for t, s, r, passed, i in sorted(copies):
            p = (t - self.first) // self.size
            sources[p].add(s)
            for who in {s, r} - {""}:
                first.setdefault(who, p)
            if s:
                hold[s].append(p)
            if r and passed:
                hold[r].append(p)
        for _, t, *_ in rows:
            own[(t - self.first) // self.size] += 1
        birth = (min(times) - self.first) // self.size
        fresh = defaultdict(int)
        for p in first.values():
            fresh[p] += 1
        for period in got["periods"]:
            p = (period["t_usec"] - self.first) // self.size
            what = "%s period %d " % (h, p)
            self.same(what + "sources", period["sources"], len(sources[p]))
            self.same(what + "new", period["new_clients"], fresh[p])
            holders = sum(min(w) <= p <= max(w) for w in hold.values())
            self.same(what + "holders", period["holders"], holders)
            self.same(what + "prevalence", period["prevalence"],
                      holders / self.clients)
            if len(rows) < 800:  # binomials of thousands take minutes here
                self.same(what + "p", period["p"],
                          self.chance(p, sources, own, birth))


def check(path, name):
    lines = [json.loads(line) for line in open(name)]
    assert lines[0]["kind"] == "frame"
    c = Check(path, lines[0])
    rows = defaultdict(list)
    for row in c.rows:
        rows[row[0]].append(row)
    wanted = {h for h, r in rows.items() if any(x[1] >= c.begin for x in r)}
    got = {line["sha256"] for line in lines[1:]}
    c.same("files", got ^ wanted, set())
    alarms = {line["sha256"]: line["alarms"] for line in lines[1:]
              if line["alarms"]}
    c.same("alarms", alarms, {sha("worm"): ["burst", "replication"]})
    for line in lines[1:]:
        c.file(line, rows[line["sha256"]])
    print("%d values of %d files, %d wrong" % (c.seen, len(got), c.bad))
    return 1 if c.bad else 0


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in ("make", "check"):
        sys.exit(__doc__)
    if sys.argv[1] == "make":
        return make(sys.argv[2], int(sys.argv[3]))
    return check(sys.argv[2], sys.argv[3])


sys.exit(main())
