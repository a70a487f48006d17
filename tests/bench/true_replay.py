"""A trace played again, as tests/bench/true wants it: a second look at what
tools/sim does, short enough to be compared line by line with feed/load.h.

Times in seconds.  A lane serves one message at a time, in order.  Between
two of them it is held by the move of the first and by the claim of the next,
which no figure of a message counts: HANDLING.  And a message that finds its
lane idle begins only when the feed has moved it and the worker has seen it:
TRANSIT.  Both are taken from the trace as means."""

import sqlite3
import statistics

# Above what a commit takes, far below a service: who was placed so long
# before the other's end waited for that, and who came so long after didn't.
CLEAR = 0.03

# id, arrival in in/, placing, begin and end of service, octets, lane
QUERY = """
SELECT m.id, m.bytes, m.accepted_at, m.wait_usec, m.service_usec, max(e.t),
       substr(e."from", 5) FROM event e JOIN message m ON m.id = e.id
WHERE e.kind = 'move' AND e."from" GLOB 'feed[1-9]*' AND m.sender LIKE ?
GROUP BY e.id"""


class Message:
    """wait_usec of a worker's line counts from the arrival to the verdict."""

    def __init__(self, row):
        _, self.size, placed, stay, service, verdict, lane = row
        self.placed, self.end = placed / 1e6, verdict / 1e6
        self.arrived = (verdict - stay) / 1e6
        self.begin = (verdict - service) / 1e6
        self.service, self.lane = service / 1e6, int(lane) - 1


def read_ledger(path, seed):
    """The messages of sluice-traffic's seed, in the order of placing."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    rows = db.execute(QUERY, (f"t{seed}-%",)).fetchall()
    db.close()
    return sorted((Message(r) for r in rows), key=lambda m: m.placed)


def class_of(limits, size):
    return sum(size > limit for limit in limits)


class Constants:
    """What the trace says of TRANSIT and HANDLING, and the service line."""

    def __init__(self, messages):
        idle, after, last = [], [], {}
        for m in messages:
            before = last.get(m.lane)
            if before is None or before.end + CLEAR < m.placed:
                idle.append(m.begin - m.placed)
            elif before.end - CLEAR > m.placed:
                after.append(m.begin - before.end)
            last[m.lane] = m
        self.transit = statistics.mean(idle) if idle else 0.0
        self.handling = statistics.mean(after) if after else 0.0
        self.n_idle, self.n_after = len(idle), len(after)
        self.per_octet, self.fixed = statistics.linear_regression(
            [m.size for m in messages], [m.service for m in messages])


class Lane:
    """What is known of one lane.  queue: (predicted, begin, free, service)
    of those that are not gone yet, the oldest first."""

    def __init__(self):
        self.free, self.queue, self.typical = 0.0, [], 0.0
        self.seen, self.left, self.left_at = None, 0.0, 0.0

    def forget(self, now):
        while self.queue and self.queue[0][2] <= now:
            service = self.queue.pop(0)[3]
            self.typical += (service - self.typical) / 8

    def half_way(self, serving, now):
        """Half of what was typical lately, as of the feed's first look."""
        if serving is not self.seen:
            self.seen, self.left_at = serving, now
            self.left = self.typical / 2 if serving else 0.0
        return max(0.0, self.left - (now - self.left_at))

    def empty(self, how, now):
        self.forget(now)
        first = self.queue[0] if self.queue else None
        serving = first if first and first[1] <= now else None
        if how == "half-way":
            left = self.half_way(serving, now)
        elif serving:
            left = max(0.0, serving[0] - (now - serving[1]))
        else:
            left = 0.0
        return left + sum(q[0] for q in self.queue if q[1] > now)

    def put(self, m, constants):
        """Returns how long it waits from its placing."""
        begin = max(m.placed + constants.transit, self.free)
        self.free = begin + m.service + constants.handling
        self.queue.append((constants.fixed + constants.per_octet * m.size,
                           begin, self.free, m.service))
        return begin - m.placed


def replay(messages, limits, constants, how):
    """Pairs of lane and wait.  how: "recorded", each in the lane where it
    was; else chosen again as policy size+load does.  What is still to do of
    the message in service: "predicted", its predicted service without the
    time gone; "half-way", half of a typical one, whichever it is."""
    lanes = [Lane() for _ in range(len(limits) + 1)]
    result = []
    for m in messages:
        k = m.lane
        if how != "recorded":
            empty = [lane.empty(how, m.placed) for lane in lanes]
            k = min(range(class_of(limits, m.size), len(lanes)),
                    key=lambda i, empty=empty: (empty[i], i))
        result.append((k, lanes[k].put(m, constants)))
    return result
