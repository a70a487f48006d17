#!/usr/bin/env python3
"""flow_mail.py SLUICE CONF SPOOL DIR NS-SERVER NS-CLIENT PORT - the campaign of
tests/bench/flow-mail: senders in a namespace of their own send a corpus's ham
and spam over lines of all kinds; sluice learns from a (fake) content filter
that is deliberately weak; what it then says of connections is compared with
what the mail was, which it never learns."""

import collections
import glob
import json
import os
import random
import socket
import sys
import tarfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import flow_mail_net as net
import flow_mail_published as published
from flow_wire import Inside, sh, tap

SLUICE, CONF, SPOOL, DIR, NS_S, NS_C = sys.argv[1:7]
PORT = int(sys.argv[7])
MESSAGES = int(os.environ.get("FLOW_MAIL_MESSAGES", "1500"))
HELD = int(os.environ.get("FLOW_MAIL_HELD", "400"))
AT_A_TIME = int(os.environ.get("FLOW_MAIL_AT_A_TIME", "24"))
SEED = os.environ.get("FLOW_SEED", "1")
MIX = os.environ.get("FLOW_MAIL_MIX", "hard")
SERVER = "100.64.0.1"
rng = random.Random("flow-mail " + SEED)
senders, failures = {}, collections.Counter()


def corpus():
    """Lists of messages, by what they are; in random order."""
    path = os.path.join(os.environ["SLUICE_CORPUS"])
    mail = {"ham": [], "spam": []}
    with tarfile.open(path) as tar:
        for member in tar:
            kind = member.name.split("/")[1] if "/" in member.name else ""
            if kind in mail and member.isfile() and member.size < 100000:
                mail[kind].append(tar.extractfile(member).read())
    for kind in mail:
        mail[kind].sort()
        rng.shuffle(mail[kind])
    return mail["ham"], mail["spam"]


def content_score(is_spam):
    """A weak filter: of the spam it is sure of two thirds, misses a fifth;
    it is sure of most ham; three in a thousand of each it takes for the other."""
    at = rng.random()
    if at < 0.003:
        is_spam = not is_spam
        at = 0.1
    if is_spam:
        low, high = ((12, 30) if at < 0.65 else (5, 12) if at < 0.8
                     else (0.2, 4.9))
    else:
        low, high = (-3, 0.1) if at < 0.8 else (0.2, 4.9)
    return round(rng.uniform(low, high), 1)


class Job:
    def __init__(self, sender, mail, score):
        self.sender, self.mail, self.score = sender, mail, score


def wire_text(job):
    text = b"X-Content-Score: %.1f\r\n" % job.score
    lines = job.mail.replace(b"\r\n", b"\n").split(b"\n")
    if lines and lines[0].startswith(b"From "):
        lines = lines[1:]
    return text + b"\r\n".join(
        b"." + l if l.startswith(b".") else l for l in lines) + b"\r\n.\r\n"


def transact(sock, job):
    sender, f = job.sender, sock.makefile("rb")

    def read():
        while (line := f.readline())[3:4] == b"-":
            pass
        if line[:1] not in (b"2", b"3"):
            raise OSError("server said %r" % line)
        return line

    def say(text):
        time.sleep(sender.random.random() * sender.pause / 1000)
        sock.sendall(text + b"\r\n")
        return read()

    read()
    for text in (b"EHLO client.example", b"MAIL FROM:<a@client.example>",
                 b"RCPT TO:<b@rcpt.test>", b"DATA"):
        say(text)
    sock.sendall(wire_text(job))
    job.id = read().split()[2].decode()
    if sender.rude:
        sock.close()
    else:
        say(b"QUIT")
    f.close()


def send(job):
    with Inside(NS_C):
        sock = socket.socket()
    try:
        sock.settimeout(60)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF,
                        job.sender.buffer)
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, job.sender.ttl)
        if job.sender.window:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_WINDOW_CLAMP,
                            job.sender.window)
        sock.bind((job.sender.address, 0))
        sock.connect((SERVER, PORT))
        transact(sock, job)
    except OSError as e:
        failures[str(e)] += 1
    finally:
        sock.close()


def send_all(jobs):
    waiting = collections.deque(jobs)

    def work():
        while True:
            try:
                job = waiting.popleft()
            except IndexError:
                return
            send(job)

    crew = [threading.Thread(target=work) for _ in range(AT_A_TIME)]
    for t in crew:
        t.start()
    for t in crew:
        t.join()


def address_of(n):
    """In a network of its own, as the trials by sender want it."""
    return "100.%d.%d.7" % (65 + n // 250, 1 + n % 250)


def make_sender(is_held, address, is_spam):
    if MIX != "hard":
        return published.Sender(MIX, is_held, address, is_spam, rng)
    rows = (((net.HAM, net.SPAM), (net.HELD_HAM, net.HELD_SPAM))
            [is_held][is_spam])
    return net.Sender(rows, address, is_spam, rng)


def make_jobs(n, is_held, mail, first_sender, score):
    """Each sender sends one to four; spam is three fifths."""
    jobs, left, number = [], 0, first_sender
    while len(jobs) < n:
        if left == 0:
            is_spam = rng.random() < 0.6
            sender = make_sender(is_held, address_of(number), is_spam)
            senders[socket.inet_aton(sender.address)] = sender
            number, left = number + 1, rng.randint(1, 4)
        pool = mail[sender.is_spam]
        jobs.append(Job(sender, pool[len(jobs) % len(pool)],
                        score(sender.is_spam)))
        left -= 1
    rng.shuffle(jobs)
    return jobs, number


def find(o, key):
    if isinstance(o, dict):
        if isinstance(o.get(key), dict):
            return o[key]
        o = list(o.values())
    for v in o if isinstance(o, list) else []:
        found = find(v, key)
        if found:
            return found
    return None


def judgements():
    """By queue id, and in the order in which they were made."""
    lines = []
    for path in glob.glob(SPOOL + "/journal/*"):
        with open(path, errors="replace") as f:
            for line in f:
                if '"evidence"' in line:
                    o = json.loads(line)
                    lines.append((o["t"], o))
    return [o for _, o in sorted(lines, key=lambda x: x[0])]


def said(o):
    """Why the engine flow has no opinion; "": it has one."""
    text = json.dumps(o)
    at = text.find("no opinion: ")
    return text[at:text.find('"', at)] if at >= 0 else ""


def share(n, of):
    return n / of if of else float("nan")


def figures(rows):
    tp = sum(s > 0 and j.sender.is_spam for j, s, _ in rows)
    fp = sum(s > 0 and not j.sender.is_spam for j, s, _ in rows)
    fn = sum(s <= 0 and j.sender.is_spam for j, s, _ in rows)
    return (share(len(rows) - fp - fn, len(rows)), share(tp, tp + fp),
            share(tp, tp + fn))


def auc(rows):
    ranked = sorted((s, j.sender.is_spam) for j, s, _ in rows)
    below = wins = at = 0
    spam = sum(is_spam for _, is_spam in ranked)
    while at < len(ranked):
        to = at
        while to < len(ranked) and ranked[to][0] == ranked[at][0]:
            to += 1
        ham = sum(not is_spam for _, is_spam in ranked[at:to])
        wins += (to - at - ham) * (below + ham / 2)
        below += ham
        at = to
    return share(wins, spam * (len(ranked) - spam))


def best_threshold(values):
    """Accuracy of the best rule "spam above (or below) x"; null is lowest."""
    ranked = sorted((-1.0 if v is None else v, is_spam)
                    for v, is_spam in values)
    spam = sum(is_spam for _, is_spam in ranked)
    ham, right, best = len(ranked) - spam, 0, 0
    best = max(spam, ham)
    for i, (v, is_spam) in enumerate(ranked):
        right += -1 if is_spam else 1  # ham below, spam above
        if i + 1 == len(ranked) or ranked[i + 1][0] != v:
            best = max(best, spam + right, len(ranked) - spam - right)
    return share(best, len(ranked))


def recovered(rows):
    """Of spam that the content filter missed: points given; and of ham."""
    missed = [f for j, _, f in rows if j.sender.is_spam and j.score < 5]
    ham = [f for j, _, f in rows if not j.sender.is_spam and j.score < 5]
    return (sum(f["points"] > 0 for f in missed), len(missed),
            sum(f["points"] > 0 for f in ham), len(ham))


def recovered_at(rows, most):
    """The same, had the threshold been where at most so many ham exceed it."""
    ham = sorted((s for j, s, _ in rows
                  if not j.sender.is_spam and j.score < 5), reverse=True)
    limit = ham[int(most * len(ham))] if ham else 0
    missed = [s for j, s, _ in rows if j.sender.is_spam and j.score < 5]
    return share(sum(s > limit for s in missed), len(missed))


def report(title, rows):
    acc, precision, recall = figures(rows)
    print("%-34s %5d  %.3f     %.3f      %.3f   %.3f" % (
        title, len(rows), acc, precision, recall, auc(rows)))


def take(jobs, by_id):
    rows, unknown = [], collections.Counter()
    for job in jobs:
        o = by_id.get(getattr(job, "id", None))
        flow = find(o, "flow") if o else None
        if flow and flow.get("score") is not None:
            rows.append((job, flow["score"], flow))
        else:
            unknown["not sent" if not hasattr(job, "id") else
                    "not judged" if not o else
                    "no connection" if not flow else
                    "late or no model"] += 1
    return rows, unknown


def print_features(jobs, by_id):
    flows = [(find(by_id[j.id], "flow"), j.sender.is_spam) for j in jobs
             if getattr(j, "id", None) in by_id]
    flows = [(f, s) for f, s in flows if f]
    names = [n for n in flows[0][0] if n not in (
        "by", "ordinal", "score", "points", "client", "port", "start", "at",
        "ttl")]
    print("\nThe best threshold on one feature alone (of %d):" % len(flows))
    best = sorted(((best_threshold([(f[n], s) for f, s in flows]), n)
                   for n in names), reverse=True)
    for accuracy, name in best:
        print("  %-12s %.3f" % (name, accuracy))


def write_labelled(jobs, by_id):
    """What they were, in the order in which they came: DIR/labelled.jsonl, and
    ham.jsonl and spam.jsonl of what isn't held out, for who learns by that."""
    with open(DIR + "/labelled.jsonl", "w") as all_of_them, \
            open(DIR + "/ham.jsonl", "w") as ham, \
            open(DIR + "/spam.jsonl", "w") as spam:
        for j, is_held in jobs:
            flow = find(by_id[j.id], "flow")
            if not flow:
                continue
            line = json.dumps(dict(
                flow, is_spam=j.sender.is_spam, network=j.sender.name,
                is_held=is_held, content_score=j.score,
                client=j.sender.address)) + "\n"
            all_of_them.write(line)
            if not is_held:
                (spam if j.sender.is_spam else ham).write(line)


def add_addresses(last):
    batch = "".join("addr add %s/32 dev fc\n" % address_of(n)
                    for n in range(last))
    with open(DIR + "/addresses", "w") as f:
        f.write(batch)
    sh("ip -n %s -batch %s/addresses" % (NS_C, DIR))


def main():
    ham, spam = corpus()
    print("corpus: %d ham, %d spam" % (len(ham), len(spam)))
    server_end, client_end = tap(NS_S, "fs"), tap(NS_C, "fc")
    for ns, dev in ((NS_S, "fs"), (NS_C, "fc")):
        sh("ip -n %s link set lo up; ip -n %s link set %s up" % (ns, ns, dev))
    sh("ip -n %s addr add %s/10 dev fs" % (NS_S, SERVER))
    sh("ip -n %s addr add 100.127.255.254/10 dev fc" % NS_C)
    jobs, n = make_jobs(MESSAGES, False, (ham, spam), 0, content_score)
    # Nothing of these is learned: no score is sure.
    held, n = make_jobs(HELD, True, (ham[::-1], spam[::-1]), n,
                        lambda is_spam: 4.0)
    add_addresses(n)
    net.Lines(client_end, server_end, True, senders)
    net.Lines(server_end, client_end, False, senders)
    with open(DIR + "/ready", "w"):
        pass
    while not os.path.exists(DIR + "/go"):
        time.sleep(0.1)
    begun = time.monotonic()
    send_all(jobs)
    print("%d messages of %d senders in %.0f s" % (
        len(jobs), len({j.sender for j in jobs}), time.monotonic() - begun))
    send_all(held)
    for _ in range(300):
        order = judgements()
        by_id = {o["id"]: o for o in order}
        if all(getattr(j, "id", None) in by_id for j in jobs + held
               if hasattr(j, "id")):
            break
        time.sleep(0.2)
    for text, times in failures.most_common(4):
        print("  %d times: %s" % (times, text))
    place = {o["id"]: i for i, o in enumerate(order)}
    jobs = sorted((j for j in jobs if getattr(j, "id", None) in place),
                  key=lambda j: place[j.id])
    write_labelled([(j, False) for j in jobs] +
                   [(j, True) for j in held
                    if getattr(j, "id", None) in place], by_id)
    rows, unknown = take(jobs, by_id)
    found = sum(bool(find(by_id[j.id], "flow")) for j in jobs)
    print("%d of %d found their connection; no opinion: %s" % (
        found, len(jobs), dict(unknown) or "none"))
    why = collections.Counter(said(by_id[j.id]) for j in jobs)
    for text, times in why.most_common():
        if text:
            print("  %d times: %s" % (times, text))
    print("\n%-34s %5s  accuracy  precision  recall  AUC" % ("", "mails"))
    known = {id(j): r for r in rows for j in [r[0]]}
    for first, last in ((0, 100), (100, 200), (200, 500), (500, 1000),
                        (1000, len(jobs))):
        part = [known[id(j)] for j in jobs[first:last] if id(j) in known]
        if part:
            report("messages %d to %d" % (first + 1, min(last, len(jobs))),
                   part)
    held_rows, unknown = take(held, by_id)
    report("held-out networks", held_rows)
    if unknown:
        print("  held out, no opinion: %s" % dict(unknown))
    late = [known[id(j)] for j in jobs[500:] if id(j) in known]
    print("\nafter 500 messages, spam below 5 points of content:")
    print("  points given to %d of %d, and to %d of %d ham" % recovered(late))
    print("  above the score that 1 %% of the ham exceeds: %.3f" %
          recovered_at(late, 0.01))
    print_features(jobs, by_id)
    print("\nby network, after 500 messages:")
    nets = collections.defaultdict(list)
    for j, s, _ in late + held_rows:
        nets[(j.sender.is_spam, j.sender.name)].append(
            (s > 0) == j.sender.is_spam)
    for (is_spam, name), right in sorted(nets.items()):
        print("  %-4s %-20s %4d  %.3f" % ("spam" if is_spam else "ham", name,
                                          len(right), share(sum(right),
                                                            len(right))))
    return 0


sys.exit(main())
