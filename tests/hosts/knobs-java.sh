#!/bin/bash
# Metrics, the JMX port, the heap, flags and the rack of a cluster, while a producer runs.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"
. "$(dirname "$0")/../stack/knobs.sh"

# shellcheck disable=SC2086
knobs ${KNOBS:-metrics jmx java}
