"""flow_mail_net.py - senders with networks of their own, for tests/bench/flow-mail.

A profile says from which ranges each sender's network is drawn.  They were
written down before the first run and have not been changed to fit a result:
what botnets sent from is described in the papers (contention on slow uplinks,
deep buffers, loss, clients that vanish), how much of each is a guess.

One spammer in seven sits in a data centre, and one in seven of the good
senders behind a poor line: these look like the others."""

import os
import random
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from flow_wire import Way

# (share, name, round trip ms, jitter ms, loss %, uplink kbit, downlink kbit,
#  other traffic: mean wait in the sender's buffer ms, receive buffer octets,
#  pause before a command ms, how often it doesn't say QUIT)
SPAM = [
    (6, "dsl bot", (50, 220), (2, 25), (0.3, 3), (128, 768), (2000, 16000),
     (20, 250), (8192, 65536), (0, 60), 0.35),
    (4, "wireless bot", (60, 320), (5, 60), (0.5, 4), (256, 1500),
     (1000, 8000), (10, 150), (16384, 131072), (0, 40), 0.35),
    (2, "far server bot", (120, 350), (1, 10), (0.1, 1.5), (2000, 20000),
     (2000, 20000), (0, 20), (32768, 131072), (0, 20), 0.3),
    (2, "data centre", (5, 160), (0, 3), (0, 0.3), (50000, 200000),
     (50000, 200000), (0, 1), (65536, 262144), (0, 5), 0.1),
]
HAM = [
    (8, "provider", (3, 120), (0, 3), (0, 0.2), (50000, 200000),
     (50000, 200000), (0, 1), (65536, 262144), (0, 5), 0.02),
    (4, "company", (8, 180), (0, 6), (0, 0.4), (5000, 50000),
     (10000, 100000), (0, 8), (65536, 262144), (0, 15), 0.02),
    (2, "small office on dsl", (25, 120), (1, 15), (0, 1.2), (512, 4000),
     (4000, 32000), (5, 80), (32768, 131072), (0, 30), 0.05),
]
# Held out: nothing of these is seen, nor learned from.
HELD_SPAM = [
    (2, "satellite bot", (480, 640), (5, 30), (0.3, 2), (256, 1000),
     (2000, 8000), (10, 120), (16384, 65536), (0, 50), 0.3),
    (3, "mobile bot", (70, 260), (15, 90), (0.2, 2), (500, 4000),
     (2000, 16000), (10, 200), (16384, 131072), (0, 60), 0.35),
    (2, "cable bot", (30, 180), (2, 20), (0.1, 2), (384, 2000),
     (8000, 60000), (30, 300), (32768, 131072), (0, 40), 0.35),
]
HELD_HAM = [
    (3, "far provider", (150, 280), (0, 5), (0, 0.4), (50000, 200000),
     (50000, 200000), (0, 1), (65536, 262144), (0, 5), 0.02),
    (3, "university", (10, 90), (0, 8), (0, 0.3), (10000, 100000),
     (10000, 100000), (0, 5), (65536, 262144), (0, 25), 0.02),
    (1, "office on cable", (20, 90), (1, 10), (0, 0.8), (1000, 8000),
     (8000, 60000), (3, 50), (32768, 131072), (0, 30), 0.05),
]


class Sender:
    """One address, and how it is connected."""

    window = None  # of its SYN: what its receive buffer comes to

    def __init__(self, profiles, address, is_spam, rng):
        row = rng.choices(profiles, [p[0] for p in profiles])[0]
        ranges = [rng.uniform(*r) for r in row[2:10]]
        self.address, self.is_spam, self.name = address, is_spam, row[1]
        (self.rtt, self.jitter, self.loss, self.up, self.down, self.wait,
         buffer, self.pause) = ranges
        self.buffer, self.rude = int(buffer), rng.random() < row[10]
        self.random = random.Random(rng.random())
        self.ttl = 64 - self.random.randint(5, 25)  # is no feature
        self.free_at = {True: 0.0, False: 0.0}

    def due(self, now, octets, is_up):
        """When a frame arrives; None: never.  In order, as a queue is."""
        if self.random.random() * 100 < self.loss:
            return None
        rate = self.up if is_up else self.down
        start = max(now, self.free_at[is_up])
        if is_up and self.wait:  # behind what else is in its buffer
            start += self.random.expovariate(1000 / self.wait) \
                if self.random.random() < 0.3 else 0
        self.free_at[is_up] = start + octets * 8 / (rate * 1000)
        return (self.free_at[is_up] + self.rtt / 2000
                + self.random.random() * self.jitter / 1000)


class Lines(Way):
    """A way on which each sender has a line of his own."""

    def __init__(self, source, sink, is_up, senders):
        self.is_up, self.senders, self.random = is_up, senders, random.Random()
        super().__init__(source, sink)

    def due_times(self, frame):
        now = time.monotonic()
        if frame[12:14] != b"\x08\x00" or frame[23] != 6:
            return [now]
        at = 26 if self.is_up else 30
        sender = self.senders.get(frame[at:at + 4])
        if not sender:
            return [now]
        due = sender.due(now, len(frame), self.is_up)
        return [] if due is None else [due]
