#!/bin/bash
# (a) From a file to a ready cluster, against the same java command lines started by hand; taken in turns, because what else
# runs on the machine changes. The cluster is left up.
. "$(dirname "$0")/lib.sh"

rounds=${1:-2}
by_daemon=()
by_hand=()

# Processor seconds of all java and, when they run, of the two daemons: on a busy machine this says more than the time.
cpu_seconds() {
        local pid
        for pid in $(pgrep -x 'java|millraced|millrace-hostd'); do
                awk '{print ($14 + $15) / 100}' "/proc/$pid/stat"
        done 2>/dev/null | awk '{n += $1} END {print n + 0}'
}

start_by_daemon() {
        local begin end cpu
        cpu=$(cpu_seconds)
        begin=$("$bench/cluster.sh" | place bench.yaml)
        end=$(when_ready 240) || die "the cluster does not become ready: $(millctl get kafka/bench -o yaml | tail -n 20)"
        by_daemon+=("$(difference "$begin" "$end")")
        cpu_daemon=$(difference "$cpu" "$(cpu_seconds)")
}

# The command lines, as java got them, and whose they are.
capture() {
        local node pid
        for node in $members $brokers; do
                pid=$(systemctl show -P MainPID "$(unit "$node")")
                cp "/proc/$pid/cmdline" "$work/$node.command"
                stat -c %U "/proc/$pid" >"$work/$node.user"
        done
        credentials || die "the daemon's credentials are missing"
}

# Nothing is left that a node finds when it starts, but what the launcher had made for it.
stop_and_wipe() {
        systemctl stop millraced millrace-hostd
        systemctl stop $(for node in $brokers; do unit "$node"; done)
        systemctl stop $(for node in $members; do unit "$node"; done)
        wipe
}

wipe() {
        rm -rf /var/lib/millrace-data/*bench-kafka*/data/kafka-log*/{,.[!.]}* \
                /var/lib/millrace-data/*bench-zookeeper*/data/*/version-2
}

# As a person would who wants them in the same place as units are: the scheduler shares by control groups first.
java_by_hand() { # NODE
        local words user
        mapfile -d '' words <"$work/$1.command"
        user=$(cat "$work/$1.user")
        systemd-run --quiet --no-block --collect --unit="by-hand-$1" --uid="$user" --gid="$user" \
                "$(command -v java)" "${words[@]:1}"
}

start_by_hand() {
        local node begin
        begin=$EPOCHREALTIME
        for node in $members $brokers; do
                java_by_hand "$node" &
        done
        wait
        until_true 240 all_bound 2181 2191 2201 9091 9101 9111 && until_true 60 ensemble_serves &&
                until_true 60 in_sync || die "what was started by hand does not become ready"
        by_hand+=("$(difference "$begin" "$EPOCHREALTIME")")
        cpu_hand=$(cpu_seconds)
        systemctl kill --signal=KILL 'by-hand-*'
        until_true 20 no_java
        wipe
}

no_java() { [ -z "$(systemctl list-units --no-legend 'by-hand-*')" ]; }

take_down bench
for ((round = 1; round <= rounds; round++)); do
        start_by_daemon
        capture
        stop_and_wipe
        start_by_hand
        note "start: ${by_daemon[-1]} s, by hand ${by_hand[-1]} s; processor: $cpu_daemon s, by hand $cpu_hand s"
        rm "$resources/bench.yaml"
        systemctl start millraced
        take_down bench
done
start_by_daemon
note "start: ${by_daemon[-1]} s"
capture
figure_against "(a) apply to ready, 3 + 3" "$(printf '%s\n' "${by_daemon[@]}" | median)" s \
        "$(printf '%s\n' "${by_hand[@]}" | median)" 1.05 0.3
