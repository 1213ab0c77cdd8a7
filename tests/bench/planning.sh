#!/bin/bash
# planning.sh WHAT MILLISECONDS KIB: (e) lines of the planning bench from stdin, "CLUSTERS MILLISECONDS KIB" a cluster, become figures. Linear means that a
# cluster among many costs what one among few costs.
. "$(dirname "$0")/lib.sh"

what=$1 time=$2 memory=$3
while read -r clusters msec kib; do
        figure "(e) $what, a cluster of $clusters" "$msec" ms "$time"
        figure "(e) $what, memory, a cluster of $clusters" "$kib" KiB "$memory"
        [ -z "${few:-}" ] || figure_against "(e) $what, linear: $clusters against $first" "$msec" ms "$few" 1.25 0
        few=${few:-$msec} first=${first:-$clusters}
done
[ -n "${few:-}" ] || exit 1
