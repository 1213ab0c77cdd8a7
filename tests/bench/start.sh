#!/bin/bash
# start.sh ROUNDS [kraft]: from a file to a ready cluster, against the same java command lines started by hand; taken in
# turns, because what else runs on the machine changes. (a) with ZooKeeper; the cluster is left up. (i) three nodes that
# are controllers and brokers in one, whose storage is formatted by hand, too.
. "$(dirname "$0")/lib.sh"

rounds=${1:-2}
name="(a) apply to ready, 3 + 3"
spec=$bench/cluster.sh
if [ "${2:-}" = kraft ]; then
        name="(i) apply to ready, 3 combined"
        spec=$bench/quorum.sh
        brokers="bench-dual-0 bench-dual-1 bench-dual-2"
        members=
fi
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
        begin=$("$spec" | place bench.yaml)
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
                by_hand_script "$node" >"$work/$node.sh"
                chmod 0755 "$work/$node.sh"
        done
        ports=$(for node in $members $brokers; do sed -n 's/^ready //p' "/etc/millrace/nodes/$node/launch"; done)
        replication=$(for node in $brokers; do sed -n 's|^listeners=.*REPLICATION-9091://[^:]*:\([0-9]*\).*|h1:\1|p' "/etc/millrace/nodes/$node/server.properties"; done)
        credentials || die "the daemon's credentials are missing"
}

# Nothing is left that a node finds when it starts, but what the launcher had made for it.
stop_and_wipe() {
        systemctl stop millraced millrace-hostd
        systemctl stop $(for node in $brokers; do unit "$node"; done)
        [ -z "$members" ] || systemctl stop $(for node in $members; do unit "$node"; done)
        wipe
}

wipe() {
        rm -rf /var/lib/millrace-data/*bench-{kafka,dual}*/data/kafka-log*/{,.[!.]}* \
                /var/lib/millrace-data/*bench-zookeeper*/data/*/version-2
}

# As a person would who wants them in the same place as units are: the scheduler shares by control groups first.
java_by_hand() { # NODE
        local user
        user=$(cat "$work/$1.user")
        systemd-run --quiet --no-block --collect --unit="by-hand-$1" --uid="$user" --gid="$user" "$work/$1.sh"
}
# What formats the storage, where something does, with the classes and properties the node has; then the node itself.
by_hand_script() { # NODE
        local words word arguments class prepare=() launch=/etc/millrace/nodes/$1/launch
        mapfile -d '' words <"$work/$1.command"
        mapfile -t arguments < <(sed -n 's/^prepare-argument //p' "$launch")
        class=$(sed -n 's/^prepare-class //p' "$launch")
        words=("${words[@]:1}")
        for word in "${words[@]}"; do
                case $word in
                -XX:SharedArchiveFile=* | -Xshare:* | -D* | -cp | */libs/\**) prepare+=("$word") ;;
                esac
        done
        echo '#!/bin/bash'
        [ -z "$class" ] || echo "java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 ${prepare[*]@Q} $class ${arguments[*]@Q}"
        echo "exec java ${words[*]@Q}"
}

start_by_hand() {
        local node begin
        begin=$EPOCHREALTIME
        for node in $members $brokers; do
                java_by_hand "$node" &
        done
        wait
        until_true 240 all_bound $ports && { [ -z "$members" ] || until_true 60 ensemble_serves; } &&
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
if [ -n "$members" ]; then
        start_by_daemon
        note "start: ${by_daemon[-1]} s"
        capture
fi
figure_against "$name" "$(printf '%s\n' "${by_daemon[@]}" | median)" s \
        "$(printf '%s\n' "${by_hand[@]}" | median)" 1.05 0.3
