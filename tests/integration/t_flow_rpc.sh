#!/bin/bash
# XML-RPC about connections, with Python's client.
exec "$(dirname "$0")/flow_alone.sh" flow_rpc.py
