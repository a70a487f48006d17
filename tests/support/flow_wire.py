"""flow_wire.py - a wire between two network namespaces that delays, loses,
repeats and reorders: this process between two TAP devices, so that no module of
the kernel (netem) is needed, and the same seed loses the same packets."""

import ctypes
import fcntl
import heapq
import os
import random
import select
import socket
import struct
import subprocess
import threading
import time

LIBC = ctypes.CDLL(None, use_errno=True)


def sh(text, check=True):
    return subprocess.run(text, shell=True, check=check,
                          capture_output=True, text=True)


class Inside:
    """The calling thread is in another network namespace for a while."""

    def __init__(self, name):
        self.name = name

    def enter(self, path):
        fd = os.open(path, os.O_RDONLY)
        if LIBC.setns(fd, 0x40000000) != 0:
            raise OSError(ctypes.get_errno(), "setns")
        os.close(fd)

    def __enter__(self):
        self.old = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        self.enter("/run/netns/" + self.name)

    def __exit__(self, *_):
        LIBC.setns(self.old, 0x40000000)
        os.close(self.old)


# The wire.

class Way(threading.Thread):
    """Frames from one end to the other, with what befalls segments of TCP."""

    def __init__(self, source, sink):
        super().__init__(daemon=True)
        self.source, self.sink = source, sink
        self.befall("", "")
        self.start()

    def befall(self, trouble, seed):
        """delay MS, jitter MS, loss %, duplicate %, reorder % (of these, none
        is delayed), rate kbit; in words."""
        words = trouble.split()
        what = {"delay": 0.0, "jitter": 0.0, "loss": 0.0, "duplicate": 0.0,
                "reorder": 0.0, "rate": 0.0}
        for name, value in zip(words[::2], words[1::2]):
            what[name] = float(value)
        self.random = random.Random(seed + trouble)
        self.free_at = 0.0
        self.what = what

    def due_times(self, frame):
        what, now, chance = self.what, time.monotonic(), self.random.random
        kind = frame[12:14]
        if not (kind == b"\x08\x00" and frame[23] == 6
                or kind == b"\x86\xdd" and frame[20] == 6):
            return [now]
        if chance() * 100 < what["loss"]:
            return []
        delay = (what["delay"] + what["jitter"] * (2 * chance() - 1)) / 1000
        if what["rate"]:
            self.free_at = (max(self.free_at, now)
                            + len(frame) * 8 / (what["rate"] * 1000))
            now = self.free_at
        if chance() * 100 < what["reorder"]:
            delay = 0
        again = chance() * 100 < what["duplicate"]
        return [now + max(0, delay)] * (1 + again)

    def run(self):
        waiting, number = [], 0
        while True:
            wait = (max(0, waiting[0][0] - time.monotonic()) if waiting
                    else 1)
            if select.select([self.source], [], [], wait)[0]:
                frame = os.read(self.source, 70000)
                for due in self.due_times(frame):
                    number += 1
                    heapq.heappush(waiting, (due, number, frame))
            while waiting and waiting[0][0] <= time.monotonic():
                try:
                    os.write(self.sink, heapq.heappop(waiting)[2])
                except OSError:
                    pass  # the end is down


def tap(ns, name):
    with Inside(ns):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        # TUNSETIFF; IFF_TAP, IFF_NO_PI
        fcntl.ioctl(fd, 0x400454ca, struct.pack("16sH22x", name.encode(),
                                                0x1002))
    return fd
