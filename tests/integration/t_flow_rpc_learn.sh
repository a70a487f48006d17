#!/bin/bash
# The learner, taught and asked by XML-RPC.
exec "$(dirname "$0")/flow_alone.sh" flow_rpc_learn.py
