#!/usr/bin/env python3
"""flow_rpc_learn.py BIN DIRECTORY - the real learner, taught and asked by
XML-RPC."""

import os
import random
import sys

from flow_rpc_site import Site, check, server, wait_for

EACH = 40
random.seed(int(os.environ.get("SEED", "1")))


def features(is_spam):
    return {"pkts_in": random.randint(8, 40), "win_min": -1,
            "rtt_init": random.uniform(.01, .2) + .5 * is_spam,
            "rxmt_in": random.randint(0, 3) + 3 * is_spam}


site = Site(sys.argv[2], sys.argv[1], " rpc_teach = true", False)
s = server()
status = s.classifier.status()
check((status["n_ham"], status["n_spam"], status["version"]) == (0, 0, -1),
      "it begins with nothing")
check(s.classifier.classify(features(False))["label"] == "unknown",
      "and has no opinion")
check(s.classifier.retrain()["begun"] == 0, "nor what makes a model")
taken = [s.classifier.learn(features(i % 2), ("ham", "spam")[i % 2], 1,
                            "198.51.%d.1" % i)["taken"]
         for i in range(2 * EACH)]
check(all(taken), "what is taught is taken")
check(wait_for(lambda: s.classifier.status()["version"] != -1),
      "a model is made of it")
check(wait_for(lambda: s.classifier.retrain()["begun"] == 1),
      "and another when it is asked for")
status = s.classifier.status()
print("      ", status)
check((status["n_ham"], status["n_spam"]) == (EACH, EACH), "it has counted")
right = sum(s.classifier.classify(features(i % 2))["label"] ==
            ("ham", "spam")[i % 2] for i in range(100))
check(right > 90, "it tells them apart (%d of 100)" % right)
sys.exit(site.end())
