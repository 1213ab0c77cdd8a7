# What the figures share; sourced by what runs inside of the host, as root.
set -uo pipefail
umask 022
export LC_ALL=C.UTF-8

bench=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=/var/tmp/bench
resources=/etc/millrace/resources.d
brokers="bench-kafka-0 bench-kafka-1 bench-kafka-2"
members="bench-zookeeper-0 bench-zookeeper-1 bench-zookeeper-2"
replication="h1:9091 h1:9101 h1:9111"
[ ! -d "$resources" ] || mkdir -p "$work"

note() { echo "# $*" >&2; }
die() { note "$*"; exit 1; }
difference() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.3f", b - a}'; } # FROM TO

# --- figures: name value unit reference ratio verdict

# What has an upper bound of its own.
figure() { # NAME VALUE UNIT BOUND
        awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" 'BEGIN {
                ratio = (b > 0) ? sprintf("%.2f", v / b) : "-"
                verdict = (v + 0 <= b + 0) ? "ok" : "missed"
                printf "%-44s %10.6g %-4s %10.6g %6s %s\n", n, v, u, b, ratio, verdict }'
}

# What is compared with the same done by hand: at most FACTOR times as long, and OFFSET.
figure_against() { # NAME VALUE UNIT REFERENCE FACTOR OFFSET
        awk -v n="$1" -v v="$2" -v u="$3" -v b="$4" -v f="$5" -v o="$6" 'BEGIN {
                verdict = (v <= b * f + o) ? "ok" : "missed"
                printf "%-44s %10.6g %-4s %10.6g %6.2f %s\n", n, v, u, b, v / b, verdict }'
}

median() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }

# --- the daemon

api() { curl -sf --unix-socket /run/millrace/api.sock "$@"; }
metric() { api http://localhost/metrics | sed -n "s/^$1 //p"; }

# The moment at which the cluster becomes ready: a watch tells it, so that nobody polls.
when_ready() { # SECONDS
        local line
        while IFS= read -r -t "$1" line; do
                [[ $line == *'"name":"bench"'*'"type":"Ready"'* && $line =~ \{[^{}]*\"type\":\"Ready\"[^{}]*\} ]] || continue
                [[ ${BASH_REMATCH[0]} != *'"status":"True"'* ]] || { echo "$EPOCHREALTIME"; return; }
        done < <(curl -sN --max-time "$1" --unix-socket /run/millrace/api.sock \
                "http://localhost/apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkas?watch=true")
        return 1
}

# The daemon learns that the file is gone, and removes what it had made.
take_down() { # NAME
        rm -f "$resources/$1.yaml"
        for _ in {1..400}; do
                api "http://localhost/apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkas/$1" >/dev/null || return 0
                sleep .2
        done
        die "$1 is not taken down"
}

settled() { # SECONDS: until nothing is left to do
        for ((i = 0; i < $1 * 5; i++)); do
                [ "$(metric millrace_resources_settled)" != "$(metric millrace_resources)" ] || return 0
                sleep .2
        done
        return 1
}

# A file appears at once and complete; prints the moment before.
place() { # NAME, content from stdin
        cat >"$work/.$1"
        chgrp millrace "$work/.$1"
        chmod 0640 "$work/.$1"
        cp -p "$work/.$1" "$resources/.$1"
        # Not with mv: the start of a program would be measured with it.
        python3 -c 'import os, sys, time; print(f"{time.time():.6f}"); os.rename(*sys.argv[1:])' \
                "$resources/.$1" "$resources/$1"
}

# --- the cluster

unit() { # NODE
        case $1 in
        *-zookeeper-*) echo "zookeeper@$1.service" ;;
        *) echo "kafka@$1.service" ;;
        esac
}
pids() { systemctl show -P MainPID $(for node in $brokers; do unit "$node"; done) | tr -s '\n' ' '; }

credentials() {
        rm -rf "$work/ca" "$work/operator"
        millctl secret get bench-cluster-ca-cert -o "$work/ca" >/dev/null &&
                millctl secret get bench-cluster-operator-certs -o "$work/operator" >/dev/null
}

probe() {
        timeout 10 "$MILLRACE_PROBE" --ca "$work/ca/ca.crt" --cert "$work/operator/cluster-operator.crt" \
                --key "$work/operator/cluster-operator.key" "$@" 2>/dev/null
}

# What the daemon calls ready, seen by its own clients: every member serves, every broker is registered and in sync.
ensemble_serves() { [ "$(probe --zookeeper h1:2181 h1:2191 h1:2201 | grep -cE '"state": "(leader|follower)"')" = 3 ]; }
in_sync() {
        probe $replication | jq -e '(.brokers | length) == 3 and .partitions.not_in_sync == {} and
                .partitions.offline == 0 and (.configs | length) == 3' >/dev/null
}

# Whether somebody listens on all these ports, told without starting a process or touching the listeners.
all_bound() { # PORT...
        local port table=
        for file in /proc/net/tcp /proc/net/tcp6; do
                [ ! -r "$file" ] || table+=$(<"$file")
        done
        for port; do
                printf -v port ':%04X [0-9A-F:]* 0A ' "$port"
                [[ $table =~ $port ]] || return 1
        done
}

until_true() { # SECONDS CMD...
        local limit=$((SECONDS + $1))
        shift
        until "$@"; do
                [ "$SECONDS" -lt "$limit" ] || return 1
                sleep .1
        done
}
