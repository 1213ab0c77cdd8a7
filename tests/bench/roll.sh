#!/bin/bash
# (g) Restarting three brokers after a static setting changed, a broker, against doing it by hand: stop, start, wait until it
# is in sync. Taken in turns.
. "$(dirname "$0")/lib.sh"

rounds=${1:-2}
by_daemon=()
by_hand=()
partitions=6

topic() {
        kcat -b h1:9092,h1:9102,h1:9112 -P -t bench <<<"first" && until_true 60 in_sync ||
                die "there is no topic to be in sync with"
}

all_are_new() { # PIDS before
        local now pid
        now=$(pids)
        for pid in $1; do
                [[ " $now " != *" $pid "* && " $now " != *" 0 "* ]] || return 1
        done
}

is_ready() {
        api http://localhost/apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkas/bench |
                jq -e '.status.conditions[] | select(.type == "Ready").status == "True"' >/dev/null
}

roll_by_daemon() {
        local begin before
        before=$(pids)
        partitions=$((partitions + 1))
        begin=$("$bench/cluster.sh" "$partitions" | place bench.yaml)
        until_true 300 all_are_new "$before" && until_true 120 is_ready && until_true 60 in_sync || die "the roll does not end"
        by_daemon+=("$(difference "$begin" "$EPOCHREALTIME")")
}

roll_by_hand() {
        local begin node
        systemctl stop millraced
        begin=$EPOCHREALTIME
        for node in $brokers; do
                systemctl restart "$(unit "$node")" && until_true 120 in_sync || die "$node does not come back"
        done
        by_hand+=("$(difference "$begin" "$EPOCHREALTIME")")
        systemctl start millraced
        sleep 1
}

a_broker() { median | awk '{printf "%.3f", $1 / 3}'; }

settled 60 || note "the cluster does not settle"
topic
for ((round = 1; round <= rounds; round++)); do
        roll_by_daemon
        roll_by_hand
        note "roll: ${by_daemon[-1]} s, by hand ${by_hand[-1]} s"
        settled 60 || note "the cluster does not settle"
done
figure_against "(g) roll of three brokers, a broker" "$(printf '%s\n' "${by_daemon[@]}" | a_broker)" s \
        "$(printf '%s\n' "${by_hand[@]}" | a_broker)" 1.1 0.5
