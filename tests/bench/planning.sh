#!/bin/bash
# (e) Lines of the planning bench from stdin, "CLUSTERS MILLISECONDS KIB" a cluster, become figures. Linear means that a
# cluster among many costs what one among few costs.
. "$(dirname "$0")/lib.sh"

while read -r clusters msec kib; do
        figure "(e) planning, a cluster of $clusters" "$msec" ms 2
        figure "(e) memory, a cluster of $clusters" "$kib" KiB 256
        [ -z "${few:-}" ] || figure_against "(e) linear: $clusters against $first" "$msec" ms "$few" 1.25 0
        few=${few:-$msec} first=${first:-$clusters}
done
[ -n "${few:-}" ] || exit 1
