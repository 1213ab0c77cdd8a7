#!/bin/bash
# (b) From a file that is complete to the first thing done about it, as the daemon's own journal has it: a user's certificate,
# whose first act is to make a key, and a cluster's first authority.
. "$(dirname "$0")/lib.sh"

user() { # NAME
        printf '%s\n' "apiVersion: kafka.strimzi.io/v1beta2" "kind: KafkaUser" metadata: "  name: $1" "  labels:" \
                "    strimzi.io/cluster: bench" spec: "  authentication:" "    type: tls"
}

# Seconds, as the daemon stamped the message when it sent it.
first_act() { # NAME
        journalctl -u millraced --since -60s -o json --no-pager MILLRACE_NAME="$1" MILLRACE_ACTION=create |
                head -n 1 | jq -r '._SOURCE_REALTIME_TIMESTAMP | tonumber / 1e6'
}

act_within() { # NAME SECONDS
        local act
        for ((i = 0; i < $2 * 10; i++)); do
                act=$(first_act "$1")
                [ -z "$act" ] || { echo "$act"; return; }
                sleep .1
        done
        die "nothing is done about $1"
}

measure() { # NAME, content from stdin: milliseconds
        local begin act
        begin=$(place "$1.yaml")
        act=$(act_within "$1" 20) || exit 1
        awk -v a="$begin" -v b="$act" 'BEGIN {printf "%.2f\n", (b - a) * 1e3}'
}

settled 60 || note "the cluster does not settle"
for i in {1..24}; do
        user "bench-user-$i" | measure "bench-user-$i" || exit 1
        # Not in step with anything the daemon does every second.
        sleep ".$((RANDOM % 8 + 1))"
done >"$work/latency"
figure "(b) file to first act, user, median of 24" "$(median <"$work/latency")" ms 20
note "from $(sort -g "$work/latency" | head -n 1) to $(sort -g "$work/latency" | tail -n 1) ms"

for i in {1..8}; do
        "$bench/cluster.sh" | sed "s/name: bench/name: other-$i/" | measure "other-$i" || exit 1
        take_down "other-$i"
        settled 30
done >"$work/latency"
figure "(b) file to first act, cluster, median of 8" "$(median <"$work/latency")" ms 20
rm "$resources"/bench-user-*.yaml
settled 120 || note "the daemon does not settle"
