#!/bin/bash
# Brings the cluster up for figures that need one, without measuring anything.
. "$(dirname "$0")/lib.sh"

[ -e "$resources/bench.yaml" ] || "$bench/cluster.sh" | place bench.yaml >/dev/null
when_ready 240 >/dev/null && credentials
