#!/bin/bash
# (a) From a file to a ready cluster, against the same java command lines started by hand; taken in turns, because what else
# runs on the machine changes. The cluster is left up.
. "$(dirname "$0")/lib.sh"

rounds=${1:-2}
by_daemon=()
by_hand=()

start_by_daemon() {
        local begin end
        begin=$("$bench/cluster.sh" | place bench.yaml)
        end=$(when_ready 240) || die "the cluster does not become ready: $(millctl get kafka/bench -o yaml | tail -n 20)"
        by_daemon+=("$(difference "$begin" "$end")")
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

java_by_hand() { # NODE
        local words user
        mapfile -d '' words <"$work/$1.command"
        user=$(cat "$work/$1.user")
        exec setsid setpriv --reuid "$user" --regid "$user" --clear-groups --inh-caps=-all \
                env -i PATH=/usr/bin:/bin LANG=C.UTF-8 "$(command -v java)" "${words[@]:1}" >"$work/$1.log" 2>&1 </dev/null
}

start_by_hand() {
        local node begin
        started=()
        begin=$EPOCHREALTIME
        for node in $members $brokers; do
                java_by_hand "$node" &
                started+=($!)
        done
        until_true 240 ensemble_serves && until_true 240 in_sync || die "what was started by hand does not become ready"
        by_hand+=("$(difference "$begin" "$EPOCHREALTIME")")
        kill -KILL "${started[@]}"
        wait "${started[@]}" 2>/dev/null
        wipe
}

# The daemon learns that the file is gone when it starts again, and removes what it had made.
take_down() {
        rm "$resources/bench.yaml"
        systemctl start millraced
        for _ in {1..300}; do
                [ "$(metric millrace_resources)" != 0 ] || return 0
                sleep .2
        done
        die "the cluster is not taken down"
}

for ((round = 1; round <= rounds; round++)); do
        start_by_daemon
        capture
        stop_and_wipe
        start_by_hand
        note "start: ${by_daemon[-1]} s, by hand ${by_hand[-1]} s"
        take_down
done
start_by_daemon
note "start: ${by_daemon[-1]} s"
capture
figure_against "(a) apply to ready, 3 + 3" "$(printf '%s\n' "${by_daemon[@]}" | median)" s \
        "$(printf '%s\n' "${by_hand[@]}" | median)" 1.05 0.3
