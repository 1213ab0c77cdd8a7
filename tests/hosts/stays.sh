#!/bin/bash
# Three ZooKeeper nodes and three brokers stay as their spec wants them, whatever happens to them, while a producer with
# acks=all runs on another host and loses nothing.
# long
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

spec=$scratch/spec.yaml
first="$(kafka 0) $(kafka 1) $(kafka 2)"

change() { sed -i "$1" "$spec" && ctl apply -f - <"$spec"; } # SED

# --- what is watched during a roll

watch_begin() {
        h1 systemd-run -q --unit=sampler -p "StandardOutput=truncate:/var/lib/samples" \
                "$MILLRACE_REPOSITORY/tests/stack/sampler.py" 9091 9101 9111
        h1 systemd-run -q --unit=isr -p "StandardOutput=truncate:/var/lib/isr" sh -c \
                "while sleep .2; do kcat -L -J -m 5 -b h1:9092,h1:9102,h1:9112 -t load 2>/dev/null |
                jq '[.topics[0].partitions[].isrs | length] | min'; done"
}
watch_end() { h1 systemctl stop isr sampler; cat "$root/var/lib/samples"; }
sampled() { sed -n "s/.*$1=\([0-9,]*\).*/\1/p" "$root/var/lib/samples"; } # FIELD
one_at_a_time() { cat "$root/var/lib/samples"; [ "$(sampled samples)" -gt 20 ] && same 1 "$(sampled worst)"; }
each_once() { same "9091 9101 9111" "$(sampled order | tr ',' '\n' | sort -n | xargs)"; }
in_sync() { # never fewer than min.insync.replicas, which is 2
        [ "$(grep -c '[0-9]' "$root/var/lib/isr")" -gt 5 ] || { cat "$root/var/lib/isr"; return 1; }
        sort -n "$root/var/lib/isr" | uniq -c
        [ "$(grep '[0-9]' "$root/var/lib/isr" | sort -n | head -n 1)" -ge 2 ]
}

roll() { # WHAT SECONDS REASON CMD...: CMD makes all three brokers restart, for this reason
        local what=$1 reason=$2 before n
        shift 2
        before=$(pids $first)
        zookeepers=$(pids $(zookeeper 0) $(zookeeper 1) $(zookeeper 2))
        mark
        watch_begin
        check "$what" "$@"
        calm "$what: every broker is there again"
        note "$what: $(watch_end)"
        for n in 0 1 2; do
                check "$what: broker $n has restarted, and why is told" \
                        journal_says "restart my-cluster-kafka-$n: .*$reason"
        done
        check "$what: no other process than before runs on" differ $before
        check "$what: never two at once" one_at_a_time
        check "$what: each of them once" each_once
        check "$what: never fewer replicas in sync than the topic demands" in_sync
        check "$what: no ZooKeeper node restarted" same "$zookeepers" "$(pids $(zookeeper 0) $(zookeeper 1) $(zookeeper 2))"
}
differ() { # PIDS of before
        local n now
        now=($(pids $first))
        for n in 0 1 2; do [ "${now[n]}" != "${*:n + 1:1}" ] || { echo "broker $n still is ${now[n]}"; return 1; }; done
}

# --- what is done to the cluster

test_killed() { # UNIT NODE
        local pid
        pid=$(property "$1" MainPID)
        mark
        h1 kill -KILL "$pid"
        check "$2 killed: it runs again" wait_for 120 "$2" started_anew "$1" "$pid"
        check "$2 killed: told with its reason" tells "Warning * $2: *"
        calm "$2 killed: back to the spec"
}

test_stopped() {
        local others
        others=$(pids $(kafka 0) $(kafka 2) $(zookeeper 0))
        mark
        h1 systemctl stop "$(kafka 1)"
        check "a broker stopped by hand: it is said what the daemon waits for, and how to keep it down" \
                wait_for 20 "the words" plan_says "'millctl hold my-cluster-kafka-1' keeps it down"
        check "it is started after the grace period, with these words" \
                tells "Warning Repaired my-cluster-kafka-1: start my-cluster-kafka-1: *stopped by hand*millctl hold my-cluster-kafka-1*"
        calm "a broker stopped by hand: back to the spec"
        check "nobody else was touched" same "$others" "$(pids $(kafka 0) $(kafka 2) $(zookeeper 0))"
}
plan_says() { ctl plan | contains "$1"; }

test_hold() {
        mark
        check "a node can be held" ctl hold my-cluster-kafka-1 --reason "a new disk"
        h1 systemctl stop "$(kafka 1)"
        sleep $((grace + 4))
        check "a held node that was stopped stays down" is_state "$(kafka 1)" inactive
        check "and the plan says why" plan_says "it is held: a new disk"
        check "and nothing was repaired" tells_not "* Repaired my-cluster-kafka-1: *"
        ctl release my-cluster-kafka-1
        check "released, it is started" wait_for 120 "broker 1" is_state "$(kafka 1)" active
        calm "after a hold: back to the spec"
}

# Everything at once: each repair is on its own, and none restarts anything.
test_files() {
        local before sums d=/etc/systemd/system
        before=$(all_pids)
        sums=$(file_sums)
        mark
        h1 sh -c "echo MemoryMax=1 >>$d/$(kafka 0).d/50-millrace.conf; rm $d/$(kafka 1).d/50-millrace.conf
                echo log.retention.hours=1 >>$(directory kafka 0)/server.properties; rm $(directory kafka 2)/server.properties
                sed -i 's/^tickTime=.*/tickTime=1/' $(directory zookeeper 0)/zoo.cfg; rm $(directory zookeeper 1)/zoo.cfg
                rm $(directory kafka 1)/my-cluster-kafka-1.pem; rm -r $(directory zookeeper 2)
                rm -r $(directory zookeeper 1)/log4j.properties; echo junk >$(directory kafka 2)/manifest.json
                systemctl disable -q $(zookeeper 0)"
        check "drop-in edited: told with its reason" \
                tells "Warning Repaired my-cluster-kafka-0: update unit my-cluster-kafka-0: *dropin edited → intact*"
        check "drop-in removed: told with its reason" \
                tells "Warning Repaired my-cluster-kafka-1: update unit my-cluster-kafka-1: *dropin missing → intact*"
        check "properties edited: told with its reason" \
                tells "Warning Repaired my-cluster-kafka-0: update file my-cluster-kafka-0/server.properties: its content differs*"
        check "properties removed: told with its reason" \
                tells "Warning Repaired my-cluster-kafka-2: create file my-cluster-kafka-2/server.properties: it does not exist yet"
        check "ZooKeeper's configuration edited: told with its reason" \
                tells "Warning Repaired my-cluster-zookeeper-0: update file my-cluster-zookeeper-0/zoo.cfg: its content differs*"
        check "ZooKeeper's configuration removed: told with its reason" \
                tells "Warning Repaired my-cluster-zookeeper-1: create file my-cluster-zookeeper-1/zoo.cfg: it does not exist yet"
        check "a node's key and certificate deleted: told with its reason" \
                tells "Warning Repaired my-cluster-kafka-1: create file my-cluster-kafka-1/my-cluster-kafka-1.pem: it does not exist yet"
        check "all files of a node deleted, with their directory: told with its reason" \
                tells "Warning Repaired my-cluster-zookeeper-2: create file my-cluster-zookeeper-2/cluster-ca.crt: it does not exist yet"
        check "a damaged manifest: told with its reason" tells "Warning Repaired my-cluster-kafka-2: * unit my-cluster-kafka-2: *"
        check "a disabled unit: told with its reason" \
                tells "Warning Repaired my-cluster-zookeeper-0: update unit my-cluster-zookeeper-0: *enabled false → true*"
        calm "files edited and removed: back to the spec"
        check "they hold what they held, with their owners and modes" same "$sums" "$(file_sums)"
        check "nothing was restarted" kept_running "$before"
}
file_sums() {
        h1 bash -c "cd /etc && find millrace/nodes systemd/system/{kafka,zookeeper}@*.d -type f -exec stat -c '%n %U:%G %a' {} + | sort
                find millrace/nodes systemd/system/{kafka,zookeeper}@*.d -type f -exec sha256sum {} + | sort" | sha256sum
}

test_dynamic() {
        local before
        before=$(all_pids)
        mark
        check "a dynamic setting changes" change 's/^      min.insync/      background.threads: 11\n      log.retention.ms: 7200000\n&/'
        check "it is told with its reason" tells "Normal Updated *: update setting broker/0/background.threads: value 10 → 11*"
        check "and so is one that had no value" tells "Normal Updated *: update setting broker/2/log.retention.ms: value * → 7200000*"
        calm "dynamic settings: done"
        check "the brokers have it" brokers_have background.threads=11 log.retention.ms=7200000
        check "nothing was restarted" kept_running "$before"
        check "it is taken back" change '/background.threads/d; s/log.retention.ms: .*/log.retention.ms: 3600000/'
        calm "dynamic settings taken back: done"
        check "the brokers have what the spec says now" brokers_have background.threads=10 log.retention.ms=3600000
        check "and still nothing was restarted" kept_running "$before"
}
brokers_have() { # KEY=VALUE...
        local n pair
        for n in 0 1 2; do
                java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --all --entity-type brokers \
                        --entity-name "$n" >"$scratch/configs" || { cat "$scratch/configs"; return 1; }
                for pair; do contains "  $pair " <"$scratch/configs" >/dev/null || { echo "broker $n: no $pair"; return 1; }; done
        done
}

test_limits() {
        local before
        before=$(all_pids)
        mark
        check "a memory limit changes" change '0,/jvmOptions/s/^    jvmOptions/    resources: {limits: {memory: 900Mi, cpu: "1500m"}}\n&/'
        check "it is told with its reason" tells "* my-cluster-kafka-0: update unit my-cluster-kafka-0: *memory_limit*"
        calm "limits: done"
        check "systemd knows the limits" eval 'same "943718400 1.500000s" "$(property $(kafka 0) MemoryMax) $(property $(kafka 0) CPUQuotaPerSecUSec)"'
        check "and so does the kernel" same 943718400 "$(memory_limit "$(kafka 0)")"
        check "nothing was restarted" kept_running "$before"
}

# The daemon dies as soon as the first broker was told to restart.
kill_in_roll() {
        local pid
        change 's/^      min.insync/      queued.max.requests: 400\n&/' &&
                wait_for 90 "the roll" event_says "Normal Restarted my-cluster-kafka-*: *queued.max.requests*" || return
        pid=$(property millraced MainPID)
        h1 kill -KILL "$pid" && wait_for 30 "the daemon" started_anew millraced "$pid"
}

# The spec changes again when the first broker runs with the change before.
test_edited_in_roll() {
        mark
        watch_begin
        check "edited in a roll: a static setting changes, and again when one broker has it" edit_in_roll
        calm "edited in a roll: done"
        note "edited in a roll: $(watch_end)"
        check "edited in a roll: all brokers have the second" eval 'for n in 0 1 2; do h1 grep -qx queued.max.requests=402 "$(directory kafka $n)/server.properties" || return 1; done'
        check "edited in a roll: never two at once" one_at_a_time
        check "edited in a roll: each of them" same "9091 9101 9111" "$(restarted_ports | sort -nu | xargs)"
        check "edited in a roll: nobody for a change that was over: four or five restarts" eval '[[ $(restarted_ports | wc -l) == [45] ]]'
        check "edited in a roll: never fewer replicas in sync than the topic demands" in_sync
}
restarted_ports() { sampled order | tr ',' '\n'; }
edit_in_roll() {
        change 's/queued.max.requests: 400/queued.max.requests: 401/' &&
                wait_for 90 "the roll" event_says "Normal Restarted my-cluster-kafka-*: *queued.max.requests*400 → 401*" || return
        broker=$(events | sed -n 's/^Normal Restarted my-cluster-\(kafka-.\): .*400 → 401.*/\1/p' | head -n 1)
        wait_for 60 "$broker" is_state "kafka@my-cluster-$broker" active && change 's/queued.max.requests: 401/queued.max.requests: 402/'
}

# A value that millrace lets through and Kafka refuses.
test_broken() {
        local n broken unit others=()
        mark
        declare -A before
        for n in 0 1 2; do before[$n]=$(property "$(kafka $n)" MainPID); done
        check "a setting that Kafka refuses is applied" change 's/^      min.insync/      create.topic.policy.class.name: nowhere.Policy\n&/'
        check "one broker is restarted with it" tells "Normal Restarted my-cluster-kafka-*: *create.topic.policy.class.name*"
        broken=$(events | sed -n 's/^Normal Restarted my-cluster-kafka-\(.\): .*/\1/p' | head -n 1)
        unit=$(kafka "$broken")
        check "it fails again and again" wait_for 240 "three failures" eval '[ "$(property "$unit" NRestarts)" -ge 3 ]'
        check "which the status says" wait_for 90 "the status" not_ready "my-cluster-kafka-$broken"
        check "the plan says what it waits for" plan_says "my-cluster-kafka-$broken"
        for n in 0 1 2; do
                [ "$n" = "$broken" ] || others+=("$n")
        done
        for n in "${others[@]}"; do
                check "the first failure stopped the roll: broker $n is untouched" same "${before[$n]}" "$(property "$(kafka "$n")" MainPID)"
        done
        check "fixed, it recovers" change '/create.topic.policy.class.name/d'
        calm "after the broken setting: back to the spec"
        for n in "${others[@]}"; do
                check "broker $n never restarted" same "${before[$n]}" "$(property "$(kafka "$n")" MainPID)"
        done
}
not_ready() { condition my-cluster Ready | contains "False" && condition my-cluster Ready | contains "$1"; }

test_asked() {
        local pid others
        pid=$(property "$(zookeeper 1)" MainPID)
        others=$(pids $(zookeeper 0) $(zookeeper 2) $first)
        mark
        check "a restart is asked for" ctl restart my-cluster-zookeeper-1 --reason "an errand"
        check "it is made" wait_for 120 "the restart" started_anew "$(zookeeper 1)" "$pid"
        check "it is told with its reason" tells "Normal Restarted my-cluster-zookeeper-1: *asked for: an errand*"
        calm "restart asked for: done"
        check "nobody else was touched" same "$others" "$(pids $(zookeeper 0) $(zookeeper 2) $first)"
}

test_daemon() {
        local before
        before=$(all_pids)
        h1 systemctl stop millraced
        h1 systemctl stop millrace-hostd
        check "stopping the daemon and the host service stops no node" kept_running "$before"
        h1 systemctl start millraced
        calm "the daemon is back"
        check "and nothing was restarted" kept_running "$before"
}

test_deleted() {
        local claims
        claims=$(h1 ls /var/lib/millrace-data | wc -l)
        check "the cluster is deleted" ctl delete -f - <"$spec"
        check "its resources are gone" wait_for 120 "the end" eval 'ctl get kafka,kafkauser -o json | jq -e ".items == []"'
        check "no unit is left" same "" "$(units)"
        check "nor a file of a node" same "" "$(h1 find /etc/millrace/nodes -mindepth 1)"
        check "nor a drop-in" same "" "$(h1 find /etc/systemd/system -name '*my-cluster*')"
        check "nor a secret" same "" "$(ctl secret list | grep my-)"
        check "the claims are kept" eval 'same 6 $claims && same 6 "$(h1 ls /var/lib/millrace-data | wc -l)"'
        check "with the data" h1 test -e /var/lib/millrace-data/data-my-cluster-kafka-0/data/kafka-log0/meta.properties
}

memory() { h1 sed -n "s/^$1: *\([0-9]*\) kB/\1/p" "/proc/$(property millraced MainPID)/smaps_rollup"; } # FIELD: KiB

grace=6
host_with_package h1
host up h2 || bail "the second host does not boot"
root=$(root_of h1)
setting "grace_seconds: $grace"
example kafka-persistent >"$spec"
from=$(seconds)
check "a cluster is applied" ctl apply -f - <"$spec"
check "it becomes ready" settled 300
note "Ready after $(since "$from") s"
check "a producer begins" load_begin load
calm "nothing happens"
check "the daemon takes no more than 12 MiB, 6 of them its own" eval '[ "$(memory Pss)" -le 12288 ] && [ "$(memory Anonymous)" -le 6144 ]'
note "the daemon takes $(memory Pss) KiB, $(memory Anonymous) of them its own"

check "secrets cannot be removed under it: only their resource can" \
        same 409 "$(h1 curl -s -o /dev/null -w '%{http_code}' -X DELETE --unix-socket /run/millrace/api.sock http://localhost/api/v1/namespaces/default/secrets/my-cluster-kafka-0)"
test_killed "$(kafka 1)" my-cluster-kafka-1
test_killed "$(zookeeper 2)" my-cluster-zookeeper-2
test_stopped
test_hold
test_files
test_dynamic
test_limits
roll "a larger heap" -Xmx change '0,/-Xmx: 256m/s//-Xmx: 272m/'
check "the heap reaches the process" eval 'command_line "$(kafka 2)" | contains -Xmx272m'
roll "a static setting, and the daemon killed in the middle" queued.max.requests kill_in_roll
test_edited_in_roll
test_broken
test_asked
test_daemon
note "after all of this the daemon takes $(memory Pss) KiB, $(memory Anonymous) of them its own"
load_end "repairs and rolls"
test_deleted
