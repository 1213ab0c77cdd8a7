#!/bin/bash
# Nodes of a cluster give their data up when told, one by one and only when nothing is lost by it, while a producer with
# acks=all runs.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

export KAFKA_VERSION=4.3.1 MILLRACE_VERSIONS=4.3.1
spec=$scratch/spec.yaml
bootstrap=h1:9092,h1:9102,h1:9112
node() { echo "my-cluster-dual-role-$1"; }
unit() { echo "kafka@$(node "$1").service"; }
claim() { echo "/var/lib/millrace-data/data-$(node "$1")/data/kafka-log$1"; }

spec_make() { # ANNOTATIONS
        printf '%s\n' "apiVersion: kafka.strimzi.io/v1" "kind: KafkaNodePool" \
                "metadata: {name: dual-role, labels: {strimzi.io/cluster: my-cluster}}" \
                "spec: {replicas: 3, roles: [controller, broker], storage: {type: persistent-claim, size: 1Gi}}" \
                "---" "apiVersion: kafka.strimzi.io/v1" "kind: Kafka" "metadata: {name: my-cluster, annotations: {$1}}" "spec:" \
                "  kafka:" "    version: 4.3.1" "    jvmOptions: {-Xms: 64m, -Xmx: 256m}" \
                "    listeners: [{name: plain, port: 9092, type: internal, tls: false}]" \
                "    config: {default.replication.factor: 3, min.insync.replicas: 2}" >"$spec"
}
apply() { spec_make "$1" && ctl apply -f - <"$spec"; }

# A file in the claim that is gone when the claim is another one.
leave_trace() { h1 touch "$(claim "$1")/trace"; } # NUMBER
is_another() { fails h1 test -e "$(claim "$1")/trace"; }
is_the_same() { h1 test -e "$(claim "$1")/trace"; }
topic() { java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9092 "$@"; }
plan_says() { ctl plan | contains "$1"; }
in_sync() { same 3 "$(topic --describe --topic load | tr -s '\t ' '  ' | grep -c 'Isr: [0-2],[0-2],[0-2]')"; }
caught_up() { # NUMBER
        calm "$(node "$1") has caught up"
        check "its storage is another" is_another "$1"
        check "every replica is in sync again" wait_for 60 "the replicas" in_sync
}

test_told() {
        local others
        others=$(pids "$(unit 0)" "$(unit 2)")
        leave_trace 1
        mark
        check "a node is told to give its data up" ctl discard "$(node 1)" --reason "a damaged disk"
        check "it is stopped, with the reason" tells "Normal Stopped $(node 1): *its data is given up: a damaged disk*"
        check "its claim goes" tells "Normal Removed $(node 1): *data-$(node 1)*its data is given up*"
        check "and it begins anew" tells "* $(node 1): start $(node 1): its data was given up: a damaged disk*"
        caught_up 1
        check "nobody else was touched" same "$others" "$(pids "$(unit 0)" "$(unit 2)")"
        leave_trace 1
        check "once" second_pass
        check "its storage stays" is_the_same 1
}

test_annotation() {
        leave_trace 2
        mark
        check "an annotation names a node" apply "strimzi.io/delete-pod-and-pvc: $(node 2)"
        check "its claim goes" tells "Normal Removed $(node 2): *data-$(node 2)*delete-pod-and-pvc*"
        caught_up 2
}

# What is only there stays there.
test_only_copy() {
        local before
        check "a topic without copies" topic --create --topic alone --replica-assignment 0 --config min.insync.replicas=1
        sleep 5
        before=$(pids "$(unit 0)")
        leave_trace 0
        check "its node is told to give its data up" ctl discard "$(node 0)"
        check "it waits, and the plan says why" wait_for 60 "the plan" plan_says "1 partitions are in sync only on it"
        sleep 10
        check "it runs" same "$before" "$(pids "$(unit 0)")"
        check "and has its data" is_the_same 0
        mark
        check "the topic goes" topic --delete --topic alone
        check "now its data may go" tells "Normal Removed $(node 0): *data-$(node 0)*"
        caught_up 0
}

host_with_package h1
check "three nodes are applied" apply "a: b"
check "they become ready" settled 300 || bail "there is no cluster"
check_fails "a node nobody knows is refused" ctl discard my-cluster-dual-role-7
export REPLICATION=3 DELIVERY_TIMEOUT=600000
check "a producer begins" producer start h1 "$bootstrap" load 100
test_told
test_annotation
test_only_copy
check "the producer ends" producer stop h1
check "nothing was lost" producer report h1
note "$(tail -n 1 "$scratch/check")"
