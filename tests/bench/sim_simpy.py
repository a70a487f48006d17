#!/usr/bin/env python3
"""The queues of sim_bench.c once more, by another's event simulation (SimPy).

usage: sim_simpy.py mm1|mmc|md1|mg1 RHO MESSAGES [SEED]

Prints the mean wait in seconds and the half-width of its 99 % interval, from
20 independent runs of MESSAGES / 20 each after a tenth that isn't counted.
Service is a second in the mean; it shares no line with tools/sim.  Exit code
77: there is no SimPy."""

import math
import random
import sys

try:
    from SimPy.Simulation import Process, Resource, Simulation, hold, \
        release, request
except ImportError:
    sys.exit(77)

RUNS = 20
T_19 = 2.861  # Student's t, 19 degrees of freedom, 99 % two-sided


def mixture(rng):
    """0.5 s, and a second for each million octets of one of two sizes."""
    if rng.random() < 0.9:
        octets = rng.gauss(300000, 60000)
    else:
        octets = rng.gauss(2300000, 460000)
    return 0.5 + max(octets, 1) / 1e6


QUEUES = {
    "mm1": (1, lambda rng: rng.expovariate(1)),
    "mmc": (4, lambda rng: rng.expovariate(1)),
    "md1": (1, lambda rng: 1),
    "mg1": (1, mixture),
}


class Message(Process):
    def visit(self, run, service_s, counted):
        came_s = self.sim.now()
        yield request, self, run.servers
        if counted:
            run.waits += self.sim.now() - came_s
            run.counted += 1
        yield hold, self, service_s
        yield release, self, run.servers


class Senders(Process):
    def send(self, run, rate, draw, rng, messages):
        for i in range(messages + messages // 10):
            yield hold, self, rng.expovariate(rate)
            message = Message(sim=self.sim)
            self.sim.activate(
                message,
                message.visit(run, draw(rng), i >= messages // 10))


class Run:
    def __init__(self, queue, rho, messages, seed):
        servers, draw = QUEUES[queue]
        rng = random.Random(seed)
        sim = Simulation()
        sim.initialize()
        self.servers = Resource(capacity=servers, sim=sim)
        self.waits = 0.0
        self.counted = 0
        senders = Senders(sim=sim)
        sim.activate(
            senders, senders.send(self, rho * servers, draw, rng, messages))
        sim.simulate(until=1e18)

    def mean_s(self):
        return self.waits / self.counted


def main():
    if len(sys.argv) < 4 or sys.argv[1] not in QUEUES:
        sys.stderr.write(__doc__)
        return 100
    queue, rho, messages = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    means = [Run(queue, rho, messages // RUNS, seed * 1000 + i).mean_s()
             for i in range(RUNS)]
    mean = sum(means) / RUNS
    spread = math.sqrt(sum((m - mean) ** 2 for m in means) / (RUNS - 1))
    print("%.6f %.6f" % (mean, T_19 * spread / math.sqrt(RUNS)))
    return 0


sys.exit(main())
