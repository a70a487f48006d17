"""flow_mail_published.py - the second mix of senders of tests/bench/flow-mail:
shares and lines as somebody measured them, as far as anybody has.

Written down before the first run (docs/notes/flow-mail.md says when) and not
changed to fit a result.  [M] measured and read, [R] recalled from a paper that
could not be read here, [G] a guess.

- Share of spam from botnets [M]: 88.2 % on average in 2010 (Symantec
  Intelligence, June 2011); its highest, 95 %, in August 2010 (MessageLabs).
  The rest came from hijacked mail servers and web mail [M: MessageLabs, June
  2009]: nothing of their lines is a spammer's, so they are drawn as good
  senders are.
- Round trips and windows of SYNs [M]: quantiles of the handshake's time and
  shares, one connection a sender, in datasets/icsi-flows (2009; without the
  forwarder): spam from Windows for bots (267 senders), ham for all others
  (291).  Of a bot's round trip what is above 300 ms is left to its own queue.
- What a bot sends [M]: up to 25,000 mails an hour (Marshal8e6 TRACElabs, 2009),
  some 2,500 to 3,300 in the wild (Sunbelt, 2006), each of 5,800 octets (the
  median of icsi-flows' Windows spam).  TCP gives way, so not more than 95 % of
  the uplink [G].
- Uplinks of homes: 128 to 2048 kbit/s [R: Dischinger and others, IMC 2007];
  their buffers hold up to some seconds [M: Wustner and others, TMA 2014, who
  quote earlier ones; R for the ranges of DSL and cable].
- Loss, jitter, how many good senders sit behind what line [G]: one in seven a
  small office behind a home's line, as in the other mix.
- Pauses before a command are the same for all [G]: no difference without a
  source.  Bots leave without QUIT [M: junkemailfilter.com, 2007]; but that is
  after the message.
"""

import random

BOTS = {"published": 0.882, "peak": 0.95}
MAIL_OCTETS = 5800
MAILS_AN_HOUR = (2500, 25000)
LOAD_MOST = 0.95
PAUSE_MS = (0, 20)

# (share of the senders up to here, round trip in ms)
BOT_RTT = ((0, 6), (.05, 71), (.1, 101), (.25, 186), (.5, 230), (1, 300))
GOOD_RTT = ((0, 1), (.1, 3), (.25, 6), (.5, 64), (.75, 89), (.9, 176),
            (.95, 193), (1, 398))
# (share, octets in the SYN); the kernel rounds down to whole segments.
BOT_WINDOWS = ((69, 65535), (11, 16384), (9, 8192), (6, 64800), (5, 32767))
GOOD_WINDOWS = ((40, 5840), (18, 65535), (13, 5720), (11, 49640), (8, 16384),
                (3, 32850), (2, 33580), (2, 8192))

# (share, name, uplink kbit/s, downlink kbit/s, buffer ms, jitter ms, loss %,
#  load of the uplink (None: what the bot sends), ms more than the round trip)
BOT = [
    (3, "dsl bot", (128, 1024), (512, 8192), (150, 2500), (0, 2), (0.1, 1.5),
     None, (0, 0)),
    (2, "cable bot", (256, 2048), (2048, 16384), (150, 1000), (1, 8),
     (0.1, 1), None, (0, 0)),
]
GOOD = [
    (8, "provider", (50000, 200000), (50000, 200000), (5, 50), (0, 1),
     (0, 0.1), (0, 0), (0, 0)),
    (4, "company", (2000, 50000), (5000, 100000), (20, 200), (0, 2), (0, 0.3),
     (0, 0.3), (0, 0)),
    (2, "small office", (384, 4000), (2048, 16384), (150, 1500), (0, 5),
     (0, 1), (0, 0.5), (0, 0)),
]
# Held out: nothing of these is learned from, nor was anything tuned on them.
HELD_BOT = [
    (3, "mobile bot", (64, 1000), (384, 4000), (500, 3000), (10, 60),
     (0.1, 2), None, (50, 200)),
    (2, "radio bot", (256, 2048), (512, 8192), (100, 1000), (5, 40),
     (0.5, 3), None, (0, 20)),
    (1, "satellite bot", (128, 512), (512, 4000), (500, 2500), (5, 20),
     (0.3, 1.5), None, (450, 550)),
]
HELD_GOOD = [
    (3, "university", (10000, 100000), (10000, 100000), (20, 100), (0, 4),
     (0, 0.3), (0, 0.3), (0, 0)),
    (1, "far provider", (50000, 200000), (50000, 200000), (5, 50), (0, 2),
     (0, 0.3), (0, 0), (100, 200)),
    (1, "office on cable", (1000, 8000), (8000, 60000), (100, 800), (1, 8),
     (0, 0.8), (0, 0.5), (0, 0)),
]


def from_quantiles(table, rng):
    at = rng.random()
    for (low, a), (high, b) in zip(table, table[1:]):
        if at <= high:
            return a + (b - a) * (at - low) / (high - low)
    return table[-1][1]


def log_uniform(low, high, rng):
    return low * (high / low) ** rng.random()


class Buffer:
    """A line's buffer, drop-tail: this connection's frames wait behind those
    of others, which come as whole mails at random."""

    def __init__(self, kbit, most_s, load, rng):
        self.octet_s = 8 / (kbit * 1000)
        self.most_s, self.random = most_s, rng
        self.others_a_s = load / (MAIL_OCTETS * self.octet_s)
        self.empty_at = self.next_at = 0.0

    def put(self, at, octets):
        """False: there is no room."""
        begin = max(at, self.empty_at)
        if begin - at > self.most_s:
            return False
        self.empty_at = begin + octets * self.octet_s
        return True

    def others(self, now):
        self.next_at = max(self.next_at, now - 10)  # older ones have left
        while self.next_at < now:
            self.put(self.next_at, self.random.expovariate(1 / MAIL_OCTETS))
            self.next_at += self.random.expovariate(self.others_a_s)

    def leaves_at(self, now, octets):
        """None: dropped."""
        if self.others_a_s:
            self.others(now)
        return self.empty_at if self.put(now, octets) else None


class Sender:
    """One address, and how it is connected."""

    buffer = 262144

    def __init__(self, mix, is_held, address, is_spam, rng):
        is_bot = is_spam and rng.random() < BOTS[mix]
        rows = ((HELD_BOT if is_bot else HELD_GOOD) if is_held
                else (BOT if is_bot else GOOD))
        row = rng.choices(rows, [r[0] for r in rows])[0]
        self.address, self.is_spam = address, is_spam
        self.name = ("hijacked, " if is_spam and not is_bot else "") + row[1]
        self.random = random.Random(rng.random())
        self.rtt = (from_quantiles(BOT_RTT if is_bot else GOOD_RTT, rng)
                    + rng.uniform(*row[8]))
        windows = BOT_WINDOWS if is_bot else GOOD_WINDOWS
        self.window = rng.choices([w[1] for w in windows],
                                  [w[0] for w in windows])[0]
        # Behind hops [G]; only for the guard against NAT, and no feature.
        self.ttl = (128 if is_bot else 64) - rng.randint(5, 25)
        self.jitter, self.loss = rng.uniform(*row[5]), rng.uniform(*row[6])
        self.pause = rng.uniform(*PAUSE_MS)
        self.rude = rng.random() < (0.9 if is_bot else 0.02)
        self.buffers = self.make_buffers(row, rng)
        self.last = {True: 0.0, False: 0.0}

    def make_buffers(self, row, rng):
        up, down = log_uniform(*row[2], rng), log_uniform(*row[3], rng)
        most_s = log_uniform(*row[4], rng) / 1000
        if row[7] is None:
            bits_a_s = log_uniform(*MAILS_AN_HOUR, rng) / 3600 \
                * MAIL_OCTETS * 8
            load = min(LOAD_MOST, bits_a_s / (up * 1000))
        else:
            load = rng.uniform(*row[7])
        return {True: Buffer(up, most_s, load, self.random),
                False: Buffer(down, 1.0, 0, self.random)}

    def due(self, now, octets, is_up):
        """When a frame arrives; None: never.  In order, as on a line."""
        if self.random.random() * 100 < self.loss:
            return None
        left_at = self.buffers[is_up].leaves_at(now, octets)
        if left_at is None:
            return None
        self.last[is_up] = max(self.last[is_up], left_at + self.rtt / 2000
                               + self.random.random() * self.jitter / 1000)
        return self.last[is_up]
