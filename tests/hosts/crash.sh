#!/bin/bash
# The daemon, and the host service, die after each step of each plan: every time what was wanted comes about all the
# same, nothing is done twice that must not be, and nothing is left behind. A producer on another host loses nothing by it.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

spec=$scratch/spec.yaml
nodes="my-cluster-zookeeper-0 my-cluster-kafka-0"

# The daemon may die before it answers; what it was told holds all the same, or is told again.
change() { sed -i "$1" "$spec" && again apply; } # SED
again() { "$@" || { sleep 1; "$@"; } || { sleep 3; "$@"; }; }

# Only the journal is asked here, and it knows more than seconds.
mark() { mark=$(h1 date +%s.%N); }

# --- dying

preload() {
        local unit
        gcc -std=gnu11 -O2 -shared -fPIC -o "$root/usr/lib/millrace-crash.so" "$MILLRACE_REPOSITORY/tests/stack/crash.c" ||
                bail "crash.c does not build"
        for unit in millraced millrace-hostd; do
                mkdir -p "$root/etc/systemd/system/$unit.service.d"
                printf '[Unit]\nStartLimitIntervalSec=0\n[Service]\nEnvironment=LD_PRELOAD=/usr/lib/millrace-crash.so\nRestartSec=100ms\n' \
                        >"$root/etc/systemd/system/$unit.service.d/crash.conf"
        done
        h1 systemctl daemon-reload
        h1 systemctl try-restart millrace-hostd
        h1 systemctl restart millraced
}
die_after() { # PID|PROGRAM STEPS SIGNAL [UNIT]; a program's next process dies, too
        echo "$*" >"$root/etc/millrace/.crash" && mv "$root/etc/millrace/.crash" "$root/etc/millrace/crash"
}
live() { rm -f "$root/etc/millrace/crash"; }
pid() { property "$1" MainPID; }
hostd() { # its pid; it runs while the daemon does
        wait_for 60 "the host service" eval '[ "$(pid millrace-hostd)" != 0 ]' >&2
        pid millrace-hostd
}
deaths() { h1 journalctl -u "$1" --no-pager -o cat --since "@$mark" | grep -c 'code=killed, status=9/KILL'; }

# It hears of the steps of a batch together, when all of them are done, so this is one death for each batch.
daemon_dies_always() { die_after millraced 1 9; }
# And this one for each step of a batch: the host service goes on when the next daemon runs.
daemon_dies_within() { die_after millrace-hostd 1 9 millraced; }
# A case in which nothing died has shown nothing.
died() { # UNIT TIMES
        check "it died at least $2 times" wait_for 10 "the deaths" eval '[ "$(deaths '"$1"')" -ge '"$2"' ]'
        note "$1 died $(deaths "$1") times"
}

# --- what came about

# With both nodes held, everything is made but the processes: a first start without the time that java takes.
is_made() {
        ctl plan -o json | jq -e '[.. | objects | select(.verb?)] | length == 2 and all(.[]; .verb == "start" and (.waits | startswith("it is held")))'
}
made() { wait_for 240 "everything to be made" is_made; }
is_gone() { ctl get kafka,kafkauser -o json | jq -e '.items == []' && same "" "$(things)"; }
gone() { wait_for 240 "everything to be gone" is_gone || { things; return 1; }; }
# Names, owners and modes of all there is; digests change with each certificate.
things() {
        h1 sh -c 'cd / && find etc/millrace/nodes var/lib/millrace-data etc/systemd/system \( -path "*my-cluster*" -o -name ".*" \) \
                -printf "%P %y %u:%g %m\n" | sort'
        ctl secret list | awk '/my-/ {print $1, $2, $3}'
}
as_expected() { same "$expected" "$(things)"; }
apply() { ctl apply -f - <"$spec"; }
# Said again it is an error, because some of it is gone already.
delete() { again ctl_delete || again ctl delete --no-wait kafkauser my-user || true; }
ctl_delete() { ctl delete --no-wait -f - <"$spec"; }

starts() { h1 journalctl -u "$1" --no-pager -o cat --since "@$mark" | grep -c '^Started '; } # UNIT
started_once() { same 1 "$(starts "$1")"; }

# --- plans without a process

test_creation_and_deletion() {
        local steps removals k
        mark
        check "undisturbed: everything is made" eval 'apply && made'
        steps=$(hostd_steps)
        expected=$(things)
        mark
        check "undisturbed: everything goes" eval 'delete && gone'
        removals=$(hostd_steps)
        note "$steps steps of the host service to create, $removals to delete"

        mark
        daemon_dies_always
        check "the daemon dies after each batch: everything is made" eval 'again apply && made && as_expected'
        died millraced 2 # secrets are no steps of the host service
        mark
        check "the daemon dies after each batch: everything goes" eval 'delete && gone'
        died millraced 1
        mark
        daemon_dies_within
        check "the daemon dies after each step of the host service: everything is made" eval 'again apply && made && as_expected'
        died millraced "$steps"
        mark
        check "the daemon dies after each step of the host service: everything goes" eval 'delete && gone'
        died millraced "$removals"
        live

        for ((k = 1; k <= steps; k++)); do
                check "the host service dies after step $k of $steps: everything is made" dies_at "$k" apply made as_expected
                check "and after step $((k % removals + 1)) of $removals of the deletion: everything goes" \
                        dies_at $((k % removals + 1)) delete gone true
        done
        for k in 1 $((steps / 2)) "$steps"; do
                check "the daemon dies while the host service is at step $k: everything is made" orphaned "$k"
                check "and everything goes" eval 'delete && gone'
        done
}
hostd_steps() { h1 journalctl -u millrace-hostd --no-pager -o json --since "@$mark" | jq -r 'select(.CODE_FUNC == "step_log") | .MESSAGE' | wc -l; }

dies_at() { # STEP BEGIN END CHECK
        local before
        before=$(hostd) || return
        die_after "$before" "$1" 9
        $2 && wait_for 120 "its death" eval '[ "$(pid millrace-hostd)" != '"$before"' ]' && $3 && live && $4
}

# The host service stands still in the middle of a batch, and goes on when a new daemon has come.
orphaned() { # STEP
        local service daemon
        service=$(hostd) && daemon=$(pid millraced) || return
        die_after "$service" "$1" 19
        apply && wait_for 120 "the host service to stand still" eval 'h1 grep -q "^State:.*T" /proc/'"$service"'/status' || return
        h1 kill -KILL "$daemon"
        wait_for 60 "a new daemon" started_anew millraced "$daemon" || return
        h1 kill -CONT "$service"
        made && live && as_expected
}

# --- plans with processes

test_processes() {
        local k before
        for node in $nodes; do ctl hold "$node"; done
        apply && made
        mark
        daemon_dies_always
        check "the daemon dies after each batch: the nodes start" eval 'for node in $nodes; do release "$node"; done; settled'
        died millraced 2 # ZooKeeper, Kafka
        live
        calm "the nodes run"
        check "a producer begins" eval 'REPLICATION=1 DELIVERY_TIMEOUT=900000 producer start h2 h1:9092 load 100'

        mark
        daemon_dies_always
        check "the daemon dies after each batch: a static setting" eval 'change "s/^      min.insync/      queued.max.requests: 400\n&/" && restarted && settled'
        died millraced 1
        live
        check "the broker was started once" started_once "$(kafka 0)"
        check "ZooKeeper was not" same 0 "$(starts "$(zookeeper 0)")"
        calm "a static setting"

        before=$(all_pids)
        mark
        daemon_dies_always
        check "the daemon dies after each batch: a dynamic setting" eval 'change "s/^      min.insync/      log.retention.ms: 7200000\n&/" && settled'
        died millraced 1
        live
        check "nothing was restarted" kept_running "$before"
        calm "a dynamic setting"

        mark
        daemon_dies_always
        check "the daemon dies after each batch: files, certificates and drop-ins edited and removed" eval 'damage && settled && undamaged'
        died millraced 1
        live
        mark
        daemon_dies_within
        check "the daemon dies after each step of the host service: the same" eval 'damage && settled && undamaged'
        died millraced 8
        live
        check "nothing was restarted" kept_running "$before"
        calm "files of a running cluster"

        mark
        daemon_dies_always
        check "the daemon dies after each batch: a restart that was asked for" eval 'again ctl restart my-cluster-zookeeper-0 --reason crash && wait_for 120 "the restart" started_once "$(zookeeper 0)" && settled'
        died millraced 1
        live
        check "it was made once" started_once "$(zookeeper 0)"
        calm "a restart that was asked for"

        for k in 1 2 3; do
                mark
                sed -i "s/queued.max.requests: .*/queued.max.requests: 40$k/" "$spec"
                check "the host service dies after step $k of a restart: the broker comes back" dies_at "$k" apply restarted settled
                live
                check "it was started once" started_once "$(kafka 0)"
        done
        calm "restarts"
        before=$(all_pids)
        sed -i '0,/jvmOptions/s/^    jvmOptions/    resources: {limits: {memory: 900Mi}}\n&/' "$spec"
        check "the host service dies before systemd has read a new limit" dies_at 1 apply settled limited
        undamaged=$(files)
        for k in 1 3 5 7; do
                check "the host service dies after step $k of a repair: everything is repaired" dies_at "$k" damage settled undamaged
        done
        check "nothing was restarted" kept_running "$before"
        calm "repairs"
}
release() { ctl release "$1" || { sleep 1; ctl release "$1"; } || ! ctl hold | grep -q "$1"; } # NODE
restarted() { wait_for 180 "a restart" started_once "$(kafka 0)"; }
limited() { same "943718400 no" "$(property "$(kafka 0)" MemoryMax) $(property "$(kafka 0)" NeedDaemonReload)"; }
files() { h1 sh -c 'cd /etc && find millrace/nodes systemd/system/*my-cluster*.d -type f -exec sha256sum {} + | sort'; }
damage() {
        undamaged=$(files)
        h1 sh -c "rm $(directory kafka 0)/*.pem $(directory kafka 0)/*.crt $(directory zookeeper 0)/zoo.cfg
                rm /etc/systemd/system/*my-cluster*.d/50-millrace.conf
                for file in $(directory kafka 0)/server.properties $(directory zookeeper 0)/*.pem $(directory kafka 0)/log4j.properties; do
                        echo x >>\$file; done"
}
undamaged() { same "$undamaged" "$(files)"; }

host_with_package h1
host up h2 || bail "the second host does not boot"
root=$(root_of h1)
preload
{ example kafka-single; echo ---; sed -n '/^apiVersion: .*/{h;d}; /^kind: KafkaUser/,$p' "$MILLRACE_REPOSITORY/etc/examples/kafka-persistent.yaml" |
        sed '1i apiVersion: kafka.strimzi.io/v1beta2'; } >"$spec"
for node in $nodes; do ctl hold "$node" --reason "no process yet"; done
test_creation_and_deletion
test_processes
load_end "deaths"
