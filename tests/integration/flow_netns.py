#!/usr/bin/env python3
"""flow_netns.py PROGRAM DIRECTORY - scripted connections between two network
namespaces over a wire that delays, loses, repeats and reorders.

The wire is tests/support/flow_wire.py; the same seed (FLOW_SEED) loses the same
packets.

Each is captured at the server by a socket of this script, read by sluice-flow
-r, and at the same time followed by a sluice-flow that captures.  All twenty
features are compared with a reading of the same packets that shares no code
and no method (sets of octets, whole lists), and each script knows what its
trouble must show as."""

import collections
import json
import os
import signal
import socket
import statistics
import struct
import subprocess
import sys
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "support"))
from flow_wire import Inside, Way, sh, tap

PROGRAM, PLACE = sys.argv[1:]
PORT, CLOSED_PORT = 2525, 2526
NS_S, NS_C = "flow-s-%d" % os.getpid(), "flow-c-%d" % os.getpid()
S4, C4, GHOST = "10.77.0.1", "10.77.0.2", "10.77.0.9"
S6, C6 = "fd77::1", "fd77::2"
SEED = os.environ.get("FLOW_SEED", "1")
failures = []
there = back = None  # the ways of the wire


# The server: just enough SMTP, and verbs for trouble.

def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def serve(sock):
    n = 0
    try:
        f = sock.makefile("rb", buffering=0)
        sock.sendall(b"220 mx\r\n")
        while True:
            verb = f.readline().split(b" ")[0].strip().upper()
            if verb == b"DATA":
                sock.sendall(b"354 go\r\n")
                while (line := f.readline()) not in (b".\r\n", b""):
                    pass
                n += 1
                sock.sendall(b"250 2.0.0 Ok: queued as QUEUE%d\r\n" % n)
            elif verb == b"BLOB":
                sock.sendall(b"250 " + b"x" * 400000 + b"\r\n")
            elif verb == b"RESET":
                reset(sock)
                return
            elif verb in (b"QUIT", b""):
                sock.sendall(b"221 bye\r\n")
                break
            else:
                sock.sendall(b"250 ok\r\n")
    except OSError:
        pass
    sock.close()


def listen(listener):
    while True:
        try:
            sock = listener.accept()[0]
        except OSError:
            return
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(sock,), daemon=True).start()


class Client:
    def __init__(self, to, port=PORT, buffer=0):
        family = socket.AF_INET6 if ":" in to else socket.AF_INET
        with Inside(NS_C):
            self.sock = socket.socket(family)
        self.sock.settimeout(25)
        if buffer:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        self.sock.bind((C6 if family == socket.AF_INET6 else C4, 0))
        self.port = self.sock.getsockname()[1]
        self.sock.connect((to, port))
        self.file = self.sock.makefile("rb")
        self.reply()

    def reply(self):
        return self.file.readline()

    def say(self, text):
        self.sock.sendall(text)
        return self.reply()

    def mail(self, octets=20000, lines=100):
        self.say(b"MAIL FROM:<a@b>\r\n")
        self.say(b"RCPT TO:<c@d>\r\n")
        self.say(b"DATA\r\n")
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(b"Message-ID: <%d@c>\r\n\r\n" % self.port)
        line = b"y" * (octets // lines - 2) + b"\r\n"
        for _ in range(lines):  # segments of their own
            self.sock.sendall(line)
            time.sleep(0.001)
        return self.say(b".\r\n")

    def end(self):
        self.say(b"QUIT\r\n")
        self.file.close()
        self.sock.close()
        return self.port


# The capture, by a packet socket with the kernel's times.

class Capture(threading.Thread):
    def __init__(self):
        super().__init__(daemon=True)
        with Inside(NS_S):
            self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                                      socket.htons(3))
        self.sock.bind(("fs", 3))
        self.sock.setsockopt(socket.SOL_SOCKET, 35, 1)  # SO_TIMESTAMPNS
        self.sock.setsockopt(socket.SOL_SOCKET, 33,  # SO_RCVBUFFORCE
                             64 << 20)
        self.sock.settimeout(0.2)
        self.packets, self.over = [], False
        self.start()

    def run(self):
        while not self.over:
            try:
                frame, notes, _, _ = self.sock.recvmsg(70000, 200)
            except socket.timeout:
                continue
            s, ns = struct.unpack("qq", notes[0][2])
            self.packets.append((s * 10 ** 9 + ns, frame))

    def end(self, path):
        self.over = True
        self.join()
        self.sock.close()
        with open(path, "wb") as f:
            f.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 262144, 1))
            for t, p in self.packets:
                f.write(struct.pack("<IIII", t // 10 ** 9, t % 10 ** 9,
                                    len(p), len(p)) + p)
        return self.packets


# The other reading.

Segment = collections.namedtuple(
    "Segment", "t is_in seq ack flags window scale length")


def segments_of(packets, port):
    for t, p in packets:
        kind = struct.unpack(">H", p[12:14])[0]
        if kind == 0x800:
            head, total, proto = (p[14] & 15) * 4, struct.unpack(
                ">H", p[16:18])[0], p[23]
            tcp = p[14 + head:14 + total]
        elif kind == 0x86dd:
            proto = p[20]
            tcp = p[54:54 + struct.unpack(">H", p[18:20])[0]]
        else:
            continue
        if proto != 6:
            continue
        sp, dp, seq, ack, off, flags, window = struct.unpack(
            ">HHIIBBH", tcp[:16])
        if port not in (sp, dp):
            continue
        scale, at, options = None, 0, tcp[20:(off >> 4) * 4]
        while flags & 2 and at < len(options) and options[at] != 0:
            if options[at] == 1:
                at += 1
                continue
            if options[at] == 3:
                scale = options[at + 2]
            at += options[at + 1]
        yield Segment(t, sp == port, seq, ack, flags, window, scale,
                      len(tcp) - (off >> 4) * 4)


def variance(values):
    return statistics.pvariance(values) if values else None


def numbered(segments, is_in):
    """Of one side: its segments with offsets, counted from behind its SYN."""
    mine = [s for s in segments if s.is_in == is_in]
    base = None
    for s in mine:
        if base is None:
            base = s.seq + 1 if s.flags & 2 else s.seq
        yield s, (s.seq + (s.flags >> 1 & 1) - base + 2 ** 31) % 2 ** 32 \
            - 2 ** 31


def repeats(segments, is_in):
    seen, again, early = set(), 0, []
    for s, at in numbered(segments, is_in):
        octets = set(range(at, at + s.length))
        fresh = octets - seen
        frontier = 0
        while frontier in seen:
            frontier += 1
        again += s.length > 0 and not fresh
        if fresh and at > frontier:
            early.append(at)
        seen |= octets
    frontier = 0
    while frontier in seen:
        frontier += 1
    return len(seen), again, sum(at <= frontier for at in early)


def round_trips(segments):
    """Each segment of ours: its octets, time, and the ACK that covers it."""
    offsets = {id(s): at for s, at in numbered(segments, False)}
    syn = [s for s in segments if not s.is_in and s.flags & 2]
    base = syn[0].seq + 1 if syn else None
    sent, samples, sent_octets, highest = [], [], set(), 0
    for s in segments:
        if not s.is_in and s.length:
            octets = set(range(offsets[id(s)], offsets[id(s)] + s.length))
            if octets & sent_octets:
                for other in sent:
                    other[2] |= bool(other[0] & octets)
            else:
                sent.append([octets, s.t, False])
            sent_octets |= octets
        elif s.is_in and s.flags & 0x10 and not s.flags & 4 and base:
            acked = (s.ack - base + 2 ** 31) % 2 ** 32 - 2 ** 31
            if acked > highest:
                highest = acked
                done = [x for x in sent if max(x[0]) < acked]
                sent = [x for x in sent if max(x[0]) >= acked]
                samples += [(s.t - x[1]) / 1e9 for x in done if not x[2]]
    return samples


def duplicate_acks(segments):
    offsets = {id(s): at for s, at in numbered(segments, False)}
    last, count, top, acked = None, 0, 0, 0
    base = next((s.seq + 1 for s in segments if not s.is_in and s.flags & 2),
                None)
    for s in segments:
        if not s.is_in:
            top = max(top, offsets[id(s)] + s.length if s.length else 0)
        elif s.flags & 0x10 and not s.flags & 4:
            if ((s.ack, s.window) == last and s.length == 0
                    and not s.flags & 3 and top > acked):
                count += 1
            last = (s.ack, s.window)
            if base is not None:
                acked = max(acked, (s.ack - base + 2 ** 31) % 2 ** 32
                            - 2 ** 31)
    return count


def read_independently(packets, port):
    segments = list(segments_of(packets, port))
    ins = [s for s in segments if s.is_in]
    outs = [s for s in segments if not s.is_in]
    syns = [s for s in ins if s.flags & 2]
    bytes_in, rxmt_in, ooo_in = repeats(segments, True)
    first_syn_ack = next((s for s in outs if s.flags & 2), None)
    end = next((s for s in ins if first_syn_ack and s.t >= first_syn_ack.t
                and s.flags & 0x16 == 0x10), None)
    syn_acks = [s for s in outs if s.flags & 2 and end and s.t <= end.t]
    gaps = [(b.t - a.t) / 1e9 for a, b in zip(ins, ins[1:])]
    windows = [s for s in ins if not s.flags & 6]
    scaled = (syns and syns[0].scale is not None and first_syn_ack
              and first_syn_ack.scale is not None)
    return {
        "pkts_in": len(ins), "pkts_out": len(outs), "bytes_in": bytes_in,
        "rxmt_in": rxmt_in, "rxmt_out": repeats(segments, False)[1],
        "ooo_in": ooo_in, "dupack_in": duplicate_acks(segments),
        "fin_in": sum(s.flags & 1 for s in ins),
        "fin_out": sum(s.flags & 1 for s in outs),
        "rst_in": sum(s.flags >> 2 & 1 for s in ins),
        "rst_out": sum(s.flags >> 2 & 1 for s in outs),
        "syn_rxmt": max(0, len(syns) - 1) + max(
            0, sum(s.flags >> 1 & 1 for s in outs) - 1),
        "hs_time": (end.t - syns[0].t) / 1e9 if end and syns else None,
        "rtt_init": (end.t - syn_acks[-1].t) / 1e9 if end else None,
        "rtt_var": variance(round_trips(segments)),
        "jitter_var": variance(gaps), "idle_max": max(gaps, default=None),
        "win_init": syns[0].window if syns else None,
        "win_min": min((s.window << (syns[0].scale if scaled else 0)
                        for s in windows), default=None),
        "win_zero": sum(s.window == 0 for s in windows),
    }


# The scripts.  Each returns the client's port.

def plain(to=S4):
    c = Client(to)
    c.mail()
    return c.end()


def two_messages():
    c = Client(S4)
    c.mail(2000, 10)
    c.mail(2000, 10)
    return c.end()


def zero_window():
    c = Client(S4, buffer=4096)
    c.sock.sendall(b"BLOB\r\n")
    time.sleep(1.0)
    c.reply()
    return c.end()


def small_window():
    c = Client(S4, buffer=4096)
    c.mail(2000, 10)
    return c.end()


def client_resets():
    c = Client(S4)
    c.say(b"NOOP\r\n")
    c.file.close()
    reset(c.sock)
    return c.port


def server_resets():
    c = Client(S4)
    try:
        c.say(b"RESET\r\n")
    except OSError:
        pass
    return c.port


def half_close():
    c = Client(S4)
    c.sock.sendall(b"NOOP\r\n")
    c.sock.shutdown(socket.SHUT_WR)
    while c.file.read(1000):
        pass
    c.file.close()
    c.sock.close()
    return c.port


def idle():
    c = Client(S4)
    time.sleep(1.5)
    return c.end()


def refused():
    with Inside(NS_C):
        sock = socket.socket()
    sock.bind((C4, 0))
    port = sock.getsockname()[1]
    sock.connect_ex((S4, CLOSED_PORT))
    sock.close()
    return port


def half_open():
    """A SYN of an address where nobody is."""
    source = 41234
    with Inside(NS_C):
        raw = socket.socket(socket.AF_INET, socket.SOCK_RAW,
                            socket.IPPROTO_RAW)
    tcp = struct.pack(">HHIIBBHHH", source, PORT, 77, 0, 0x50, 2, 1024, 0, 0)
    pseudo = socket.inet_aton(GHOST) + socket.inet_aton(S4) + struct.pack(
        ">HH", 6, len(tcp))
    total = sum(struct.unpack(">%dH" % ((len(pseudo) + len(tcp)) // 2),
                              pseudo + tcp))
    total = (total & 0xffff) + (total >> 16)
    total = ~((total & 0xffff) + (total >> 16)) & 0xffff
    tcp = tcp[:16] + struct.pack(">H", total) + tcp[18:]
    raw.sendto(struct.pack(">BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0,
                           socket.inet_aton(GHOST), socket.inet_aton(S4))
               + tcp, (S4, 0))
    raw.close()
    time.sleep(3.5)
    return source


def vanishes():
    c = Client(S4)
    c.say(b"NOOP\r\n")
    back.befall("loss 100", "")
    c.sock.sendall(b"NOOP\r\n")
    time.sleep(0.1)
    there.befall("loss 100", "")
    time.sleep(1.5)
    c.sock.close()
    return c.port


def at_least(name, n):
    return "%s >= %s" % (name, n), lambda f: f[name] >= n


def is_value(name, n):
    return "%s = %s" % (name, n), lambda f: f[name] == n


def between(name, low, high):
    return "%s in %s..%s" % (name, low, high), lambda f: (
        f[name] is not None and low <= f[name] <= high)


# name, script, what befalls the client's segments, ours, what must show
SCRIPTS = [
    ("plain", plain, "", "", [is_value("rxmt_in", 0), is_value("fin_in", 1),
                              is_value("state", "closed"),
                              is_value("messages", 1)]),
    ("two messages", two_messages, "", "", [is_value("messages", 2)]),
    ("delay", plain, "delay 50", "", [between("rtt_init", .05, .2)]),
    ("delay both ways", plain, "delay 40", "delay 40",
     [between("rtt_init", .08, .25), between("hs_time", .08, .3)]),
    ("jitter", plain, "delay 30 jitter 20", "", [at_least("ooo_in", 1)]),
    ("loss", plain, "loss 10", "", [at_least("ooo_in", 1)]),
    ("heavy loss", plain, "loss 25", "", [at_least("ooo_in", 1)]),
    ("loss of ours", plain, "", "loss 25", [at_least("pkts_out", 10)]),
    ("loss both ways", plain, "loss 15", "loss 15",
     [at_least("ooo_in", 1)]),
    ("duplicates", plain, "duplicate 30", "", [at_least("rxmt_in", 5)]),
    ("all twice", plain, "duplicate 100", "",
     [at_least("rxmt_in", 50), at_least("syn_rxmt", 1),
      at_least("fin_in", 2)]),
    ("ours twice", plain, "", "duplicate 100", [is_value("rxmt_in", 0)]),
    ("reordering", plain, "delay 10 reorder 25", "",
     [at_least("ooo_in", 3)]),
    ("reordering and loss", plain, "delay 10 reorder 25 loss 5", "",
     [at_least("ooo_in", 3)]),
    ("slow uplink", plain, "rate 256", "", [at_least("idle_max", .005)]),
    ("deep buffer", plain, "rate 512 delay 100", "",
     [between("rtt_init", .1, .5)]),
    ("zero window", zero_window, "", "", [at_least("win_zero", 1),
                                          is_value("win_min", 0)]),
    ("small window", small_window, "", "", [between("win_min", 1, 8192)]),
    ("reset by client", client_resets, "", "", [
        at_least("rst_in", 1), is_value("state", "reset")]),
    ("reset by server", server_resets, "", "", [
        at_least("rst_out", 1), is_value("state", "reset")]),
    ("refused", refused, "", "", [is_value("rst_out", 1),
                                  is_value("hs_time", None)]),
    ("half close", half_close, "", "", [is_value("fin_in", 1)]),
    ("idle", idle, "", "", [between("idle_max", 1.5, 2.5)]),
    ("half open", half_open, "", "", [
        is_value("state", "half-open"), at_least("syn_rxmt", 1),
        is_value("hs_time", None), is_value("rtt_init", None)]),
    ("client vanishes", vanishes, "", "", [at_least("rxmt_out", 1)]),
    ("IPv6", lambda: plain(S6), "", "", [is_value("fin_in", 1)]),
    ("IPv6 with loss", lambda: plain(S6), "loss 10", "",
     [at_least("ooo_in", 1)]),
]


def wrong(script, text):
    failures.append(script)
    print("FAILED %s: %s" % (script, text))


def same(name, a, b, tolerance):
    if a is None or b is None:
        return a is b
    if isinstance(a, float) or isinstance(b, float):
        return abs(a - b) <= tolerance + 1e-6 * abs(a)
    return a == b


def ask(port, address):
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sock.connect(PLACE + "/run/flow/flow.sock")
    sock.send(b"client=%s port=%d" % (address.encode(), port))
    words = sock.recv(4096).decode().split()
    sock.close()
    return words[0], {k: v for k, v in
                      (w.split("=", 1) for w in words[1:])}


def compare(script, flow, packets, port):
    want = read_independently(packets, port)
    for name, value in want.items():
        if not same(name, value, flow[name], 2e-9):
            wrong(script, "%s is %s, the other reading says %s" % (
                name, flow[name], value))
    found, live = ask(port, flow["client"])
    if found != "found":
        wrong(script, "not known to the one that captures")
        return
    for name, value in want.items():
        told = None if live[name] == "null" else type(value)(live[name])
        if not same(name, value, told, 1e-3):
            wrong(script, "captured live, %s is %s, not %s" % (
                name, told, value))


def run(name, script, on_way, on_way_back, shows):
    there.befall(on_way, SEED)
    back.befall(on_way_back, SEED)
    capture = Capture()
    port = script()
    time.sleep(0.7)
    packets = capture.end(PLACE + "/capture")
    lines = sh("%s -r %s/capture --port %d,%d --json" % (
        PROGRAM, PLACE, PORT, CLOSED_PORT)).stdout.splitlines()
    flows = [f for f in map(json.loads, lines) if f["client_port"] == port]
    if len(flows) != 1:
        wrong(name, "%d flows of port %d" % (len(flows), port))
        return
    before = len(failures)
    compare(name, flows[0], packets, port)
    for text, holds in shows:
        if not holds(flows[0]):
            wrong(name, "not %s: %s" % (text, flows[0]))
    print("%-20s %4d packets %s" % (
        name, len(packets), "ok" if len(failures) == before else "WRONG"))


def set_up():
    global there, back
    sh("ip netns add %s; ip netns add %s" % (NS_S, NS_C))
    server_end, client_end = tap(NS_S, "fs"), tap(NS_C, "fc")
    there, back = Way(client_end, server_end), Way(server_end, client_end)
    for ns, dev, v4, v6 in ((NS_S, "fs", S4, S6), (NS_C, "fc", C4, C6)):
        sh("ip -n %s link set lo up; ip -n %s link set %s up" % (ns, ns, dev))
        sh("ip -n %s addr add %s/24 dev %s" % (ns, v4, dev))
        sh("ip -n %s addr add %s/64 dev %s nodad" % (ns, v6, dev))
    sh("ip -n %s neigh add %s lladdr 02:00:00:00:00:09 dev fs" % (
        NS_S, GHOST))
    with Inside(NS_S):
        listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", PORT))
    listener.listen(50)
    threading.Thread(target=listen, args=(listener,), daemon=True).start()


def start_live():
    for name in ("spool", "state", "run"):
        os.makedirs(os.path.join(PLACE, name))
    with open(PLACE + "/conf", "w") as f:
        f.write('site {\n spool = "%s/spool"\n state = "%s/state"\n'
                ' runtime = "%s/run"\n flow_user = "nobody"\n'
                ' engines_user = "nobody"\n}\nflow {\n interface = "fs"\n'
                ' ports = "%d,%d"\n}\n' % (PLACE, PLACE, PLACE, PORT,
                                           CLOSED_PORT))
    log = open(PLACE + "/log", "w")
    live = subprocess.Popen(["ip", "netns", "exec", NS_S, PROGRAM, "-c",
                             PLACE + "/conf"], stderr=log)
    for _ in range(100):
        if os.path.exists(PLACE + "/run/flow/flow.sock"):
            return live
        time.sleep(0.1)
    sys.exit("sluice-flow doesn't start: " + open(PLACE + "/log").read())


def main():
    live = None
    chosen = os.environ.get("FLOW_SCRIPTS")
    try:
        set_up()
        live = start_live()
        for script in SCRIPTS:
            if not chosen or script[0] in chosen.split(","):
                run(*script)
        live.send_signal(signal.SIGTERM)
        if live.wait(10) != 0:
            wrong("end", "exit %d" % live.returncode)
    finally:
        if live and live.poll() is None:
            live.kill()
        for ns in (NS_S, NS_C):
            sh("ip netns del " + ns, check=False)
    print(open(PLACE + "/log").read())
    print("%d scripts, %d wrong" % (len(SCRIPTS), len(set(failures))))
    return 1 if failures else 0


sys.exit(main())
