#!/bin/bash
# One node with limits: they change in the cgroup of the running process, below what an administrator sets; storage that
# outgrows its sizeLimit is told. And how one waits for conditions, watches, asks for health, and reads what a node wrote.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

export KAFKA_VERSION=4.3.1 MILLRACE_VERSIONS=4.3.1
node=my-cluster-dual-0
unit=kafka@$node.service
spec=$scratch/spec.yaml
dropins=/etc/systemd/system/$unit.d
claim=/var/lib/millrace-data/data-$node/data

spec_make() { # MEMORY CPU
        printf '%s\n' "apiVersion: kafka.strimzi.io/v1" "kind: KafkaNodePool" \
                "metadata: {name: dual, labels: {strimzi.io/cluster: my-cluster}}" \
                "spec: {replicas: 1, roles: [controller, broker], storage: {type: ephemeral, sizeLimit: 64Mi}," \
                "  jvmOptions: {-Xms: 64m, -Xmx: 256m}, resources: {limits: {memory: $1, cpu: $2}}}" \
                "---" "apiVersion: kafka.strimzi.io/v1" "kind: Kafka" "metadata: {name: my-cluster}" "spec:" \
                "  kafka:" "    version: 4.3.1" \
                "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]" \
                "    config: {offsets.topic.replication.factor: 1}" >"$spec"
}
apply() { spec_make "$@" && ctl apply -f - <"$spec"; }

# --- waiting

waits() { ctl wait kafka/my-cluster "$@" >"$scratch/waited" 2>&1; }
exits() { # STATUS CMD...
        local expected=$1 status=0
        shift
        "$@" || status=$?
        same "$expected" "$status" || { cat "$scratch/waited"; return 1; }
}
test_waits() {
        check "whoever waits for Ready sees it come" waits --for condition=Ready --timeout 300s
        check "and what it waited for on the way" eval 'contains "$node: " <"$scratch/waited"'
        check "a condition that is never there takes the time one gives it" exits 3 waits --for condition=Happy --timeout 2s
        check "and it is said" eval 'contains "no such condition" <"$scratch/waited"'
        check "its value is waited for, too: not this one" exits 3 waits --for condition=Ready=False --timeout 2s
}
test_waits_for_trouble() {
        local lines
        lines=$(grep -c '^my-cluster ' "$scratch/watched")
        ctl hold "$node" --reason "a test" >/dev/null && h1 systemctl stop "$unit"
        check "a node that is held and stopped: Ready becomes False" waits --for condition=Ready=False --timeout 60s
        ctl release "$node" >/dev/null
        check "released: it is Ready again" waits --for condition=Ready --timeout 180s
        check "whoever watches has seen both" wait_for 30 "two lines" watched $((lines + 2))
        kill "$watching" 2>/dev/null
}
test_waits_for_the_end() {
        waits --for delete --timeout 120s &
        local waiting=$!
        check "a deleted cluster ends" ctl delete --timeout 90s -f - <"$spec"
        check "whoever waited for that knows" wait "$waiting"
}

# --- watching, versions, health

watched() { # LINES of the cluster that a watch has told
        [ "$(grep -c '^my-cluster ' "$scratch/watched")" -ge "$1" ] || { cat "$scratch/watched"; return 1; }
}
watch_begin() {
        : >"$scratch/watched"
        timeout 850 "$MILLRACE_REPOSITORY/tests/stack/host" exec h1 timeout 850 millctl get kafka -w >"$scratch/watched" 2>&1 &
        watching=$!
        wait_for 30 "the first line" watched 1
}
http() { h1 curl -s -o /dev/null -w '%{http_code}' "http://127.0.0.1:8085$1"; } # TARGET
test_tools() {
        check "whoever watches sees what there is" watch_begin
        check "a wide table has more columns" eval '[ "$(ctl get kafka -o wide | wc -c)" -gt "$(ctl get kafka | wc -c)" ]'
        check "millctl and the daemon tell one version" eval 'same 1 "$(ctl version | cut -d" " -f2 | sort -u | wc -l)" && ctl version | grep -x "millraced [0-9.]*"'
        check "health, readiness and figures are served over TCP, too" same "200 200 200" "$(http /healthz) $(http /readyz) $(http /metrics)"
        check "and nothing else" same "403 403" "$(http /api/v1/namespaces/default/secrets) $(http /apis/kafka.strimzi.io/v1beta2/kafkas)"
        mark
        h1 sed -i 's/^http: .*/http: {port: 8086}/' /etc/millrace/millraced.yaml
        h1 systemctl reload millraced
        check "a port that changes only with a restart is told" wait_for 20 "the words" journal_says "http change only with a restart"
        check "preflight looks at what this host runs with" eval 'h1 sh -c "millctl check; true" >"$scratch/preflight" &&
                for text in "systemd is version" "OK    Java 17 in " "OK    kafka 4.3.1 is in " "name h1 " "to change."; do contains "$text" <"$scratch/preflight" || return 1; done'
}

# --- logs

test_logs() {
        local pid
        check "what a node wrote can be read" eval 'ctl logs "$node" | contains "Kafka Server started"'
        check "or the last of it" eval 'same 3 "$(ctl logs "$node" --lines 3 | wc -l)"'
        check "or what is new" eval 'ctl logs "$node" --since "1 hour ago" | contains "Kafka Server started" && ! ctl logs "$node" --since now | contains "Kafka Server started"'
        timeout 60 "$MILLRACE_REPOSITORY/tests/stack/host" exec h1 timeout 50 millctl logs "$node" -f --lines 1 >"$scratch/followed" 2>&1 &
        pid=$!
        java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9092 --create --topic followed >/dev/null 2>&1
        check "or what it goes on to write" wait_for 40 "the line" eval 'contains followed-0 <"$scratch/followed"'
        kill "$pid" 2>/dev/null
        ctl logs my-cluster-dual-7 >"$scratch/unknown" 2>&1
        check "a node nobody has is said to be none" eval 'contains "no resource has a node my-cluster-dual-7 now; there are: $node" <"$scratch/unknown"'
}

# --- limits

test_limits() {
        local before
        before=$(pids "$unit")
        check "the kernel has the limits the node began with" eval 'same "943718400 1.50" "$(memory_limit "$unit") $(processors "$unit")"'
        mark
        check "both are changed" apply 1000Mi 2
        check "they are told to be live" tells "* $node: update unit $node: *memory_limit*live limit?"
        calm "limits"
        check "the kernel has the new ones" eval 'same "1048576000 2.00" "$(memory_limit "$unit") $(processors "$unit")"'
        check "of the same process" same "$before" "$(pids "$unit")"
}
test_administrator() {
        local before
        before=$(pids "$unit")
        h1 sh -c "printf '[Service]\nMemoryMax=1200M\n' >$dropins/override.conf; systemctl daemon-reload"
        check "an administrator's own drop-in is above ours" same 1258291200 "$(memory_limit "$unit")"
        calm "an administrator's own drop-in"
        check "our limits change" apply 1100Mi 1
        calm "limits below it"
        check "his stays in force, and what he does not set is ours" eval 'same "1258291200 1.00" "$(memory_limit "$unit") $(processors "$unit")"'
        h1 sh -c "rm $dropins/override.conf; systemctl daemon-reload"
        check "without it, ours is" same 1153433600 "$(memory_limit "$unit")"
        check "nothing is kept elsewhere" eval 'same "" "$(h1 sh -c "ls -d /etc/systemd/system.control/$unit.d /run/systemd/system.control/$unit.d 2>/dev/null")"'
        check "all that with the same process" same "$before" "$(pids "$unit")"
}

# --- a sizeLimit; what a claim holds is counted once a minute

grow() { h1 dd if=/dev/zero of="$claim/ballast" bs=1M count=80 status=none; }
exceeds() {
        h1 systemctl reload millraced
        condition my-cluster Warning | grep -E "^True SizeLimitExceeded: data-$node holds (8[0-9]|9[0-9]) MiB, more than its sizeLimit of 64 MiB;"
}
test_outgrown() {
        local before=$1
        check "storage that outgrows its sizeLimit is told" wait_for 120 "the warning" exceeds
        check "the cluster stays Ready" is_ready
        check "the node runs on" same "$before" "$(pids "$unit")"
        check "and keeps what it has" h1 test -e "$claim/ballast"
        h1 rm "$claim/ballast"
}
is_within() { h1 systemctl reload millraced && fails warning SizeLimitExceeded; }

host_with_package h1
setting "http: {port: 8085}" && h1 systemctl restart millraced
check "a node with limits is applied" apply 900Mi 1500m
test_waits
test_tools
check "it is within its sizeLimit" is_within
grow
test_limits
test_administrator
test_outgrown "$(pids "$unit")"
test_logs
check "with less in it, nothing is told any more" wait_for 120 "the warning to go" is_within
test_waits_for_trouble
test_waits_for_the_end
