#!/bin/bash
# Knobs of a node of Kafka 4, which logs with log4j2, while a producer runs.
export KRAFT=yes
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"
. "$(dirname "$0")/../stack/knobs.sh"

# shellcheck disable=SC2086
knobs ${KNOBS:-limits log4j2 metrics reporter quotas java tiered asked}
