#!/bin/bash
# (h) What systemd-analyze security says of the units. The service that works as root is explained line by line: what its unit
# leaves open is in exposure-hostd with the reason, and nothing else may be open.
. "$(dirname "$0")/lib.sh"

level() { # UNIT
        systemd-analyze security --no-pager "$1" | sed -n 's/^.*Overall exposure level for .*: \([0-9.]*\).*/\1/p'
}

open_lines() { # what is not fully closed, by its identifier
        systemd-analyze security --json=short millrace-hostd.service |
                jq -r '.[] | select(.set == false and .exposure != null) | .json_field' | sort -u
}

for unit in millraced.service kafka@bench-kafka-0.service zookeeper@bench-zookeeper-0.service; do
        figure "(h) exposure of ${unit%.service}" "$(level "$unit")" "" 1.5
done
open_lines >"$work/open"
reasons=$bench/exposure-hostd
explained=$(cut -f1 "$reasons" | sort -u)
figure "(h) open lines of millrace-hostd, unexplained" "$(comm -23 "$work/open" <(echo "$explained") | grep -c .)" "" 0
note "exposure of millrace-hostd, which works as root: $(level millrace-hostd.service)"
comm -23 "$work/open" <(echo "$explained") | sed 's/^/# not explained: /' >&2
join -t $'\t' "$work/open" <(sort "$reasons") | sed 's/\t/: /; s/^/#   /' >&2
