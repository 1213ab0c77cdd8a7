#!/bin/bash
# Limits, logging, quotas, a pause and a roll that is asked for, while a producer runs.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"
. "$(dirname "$0")/../stack/knobs.sh"

# shellcheck disable=SC2086
knobs ${KNOBS:-limits levels logging quotas asked}
