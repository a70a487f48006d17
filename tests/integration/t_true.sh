#!/bin/bash
# tests/bench/true in brief: a worker serves as the simulator's model says.
#
# Each message is replayed in the queue where it was, so no decision that fell
# the other way adds to the difference, as a few do among so few messages.  15
# per cent: the two constants come from some dozens of messages and vary with
# how busy the disk is just then, which is some milliseconds of a wait of
# fifty.  Two servers in a queue are off by far more.
#
# The bench's own failure (111) is one here too.
exec "$(dirname "$0")/../bench/true" --loads 0.7 --seconds 15 --fixed 100 \
    --per-octet 6 --bar 15 --judge recorded --enough 15
