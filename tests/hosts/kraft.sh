#!/bin/bash
# One node of Kafka 4 that is broker and controller in one: it is formatted once, clients reach it with certificates of an
# authority of one's own, it stays as its spec wants it, and its claim outlives it.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

export KAFKA_VERSION=4.3.1
node=my-cluster-dual-role-0
unit=kafka@$node.service
claim=/var/lib/millrace-data/data-0-$node
spec=$scratch/spec.yaml

change() { sed -i "$1" "$spec" && ctl apply -f - <"$spec"; } # SED
pid() { property "$unit" MainPID; }
restarted() { wait_for 180 "a restart" started_anew "$unit" "$1"; } # PID of before
meta() { h1 sed -n 's/^cluster.id=//p; s/^directory.id=//p' "$claim/data/kafka-log0/meta.properties" | xargs; }
read_all() { h1 sh -c "kcat -C -q -e -o beginning -b h1:9092 -t demo" | wc -l; }
configs() { java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --all --entity-type brokers --entity-name 0; }

# An authority for clients as somebody would have it: a key of RSA, and Secrets as Strimzi wants them.
authority() {
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=our clients" -addext keyUsage=critical,keyCertSign,cRLSign \
                -keyout "$scratch/clients.key" -out "$scratch/clients.crt" 2>/dev/null
        printf '%s\n' "apiVersion: v1" "kind: Secret" "metadata: {name: my-cluster-clients-ca-cert}" "stringData:" "  ca.crt: |"
        sed 's/^/    /' "$scratch/clients.crt"
        printf '%s\n' --- "apiVersion: v1" "kind: Secret" "metadata: {name: my-cluster-clients-ca}" "stringData:" "  ca.key: |"
        sed 's/^/    /' "$scratch/clients.key"
}
signed_by_ours() { openssl verify -CAfile "$scratch/clients.crt" "$root/root/my-user/user.crt"; }
spec_make() {
        sed -e '/^  kafka:/i\  clientsCa: {generateCertificateAuthority: false}' -e '/^    config:/i\    - {name: mtls, port: 9094, type: internal, tls: true, authentication: {type: tls}}\n    jvmOptions: {-Xms: 64m, -Xmx: 256m}' \
                "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" >"$spec"
        sed -n '/^---/,$p' "$MILLRACE_REPOSITORY/etc/examples/kafka-persistent.yaml" >>"$spec"
}

test_runs() {
        check "it runs Kafka 4.3.1" eval 'command_line "$unit" | contains kafka-4.3.1/libs'
        check "it leads its quorum" quorum_has_leader
        check "listener plain answers" eval 'same 1 "$(broker_count h1:9092)"'
        check "listener tls, too" eval 'same 1 "$(broker_count h1:9093 -X security.protocol=ssl -X ssl.ca.location=/root/my-user/ca.crt)"'
        check "listener mtls refuses a client without a certificate" fails broker_count h1:9094 -m 5 -X security.protocol=ssl -X ssl.ca.location=/root/my-user/ca.crt
        check "a user's certificate is signed by the authority of one's own" signed_by_ours
        check "messages of a KafkaUser come back over mTLS" passes h1:9094 demo "$(tls_options my-user)"
        check "its pool has a status of its own" eval 'ctl get kafkanodepool dual-role -o json | jq -e ".status.observedGeneration == .metadata.generation"'
}
quorum_has_leader() {
        java_tool org.apache.kafka.tools.MetadataQuorumCommand --bootstrap-server h1:9092 describe --status | tr -s ' ' | contains "LeaderId: 0"
}

test_repairs() {
        local before
        before=$(pid)
        mark
        h1 kill -KILL "$before"
        check "killed, it runs again" restarted "$before"
        check "that is told with its reason" tells "Warning Repaired $node: *"
        calm "killed: back to the spec"
        before=$(pid)
        mark
        h1 sh -c "rm /etc/millrace/nodes/$node/server.properties; echo x >>/etc/systemd/system/$unit.d/50-millrace.conf"
        check "a removed file is written again" tells "Warning Repaired $node: create file $node/server.properties: it does not exist yet"
        check "an edited drop-in is, too" tells "Warning Repaired $node: update unit $node: *dropin edited → intact*"
        calm "files: back to the spec"
        check "nothing was restarted" same "$before" "$(pid)"
        mark
        h1 systemctl stop "$unit"
        check "stopped by hand, it is started after the grace period" tells "Warning Repaired $node: start $node: *stopped by hand*millctl hold $node*"
        calm "stopped by hand: back to the spec"
}

test_changes() {
        local before
        before=$(pid)
        check "a dynamic setting changes" change 's/^      min.insync/      log.retention.ms: 7200000\n&/'
        calm "a dynamic setting: done"
        check "the broker has it" eval 'configs | contains "  log.retention.ms=7200000 "'
        check "nothing was restarted" same "$before" "$(pid)"
        mark
        check "a static setting changes" change 's/^      min.insync/      queued.max.requests: 400\n&/'
        check "it restarts" restarted "$before"
        check "that is told with its reason" tells "Normal Restarted $node: *queued.max.requests*nothing → 400"
        calm "a static setting: done"
        check "the broker has it" eval 'configs | contains "  queued.max.requests=400 "'
        before=$(pid)
        check "a restart is asked for" ctl restart "$node" --reason "an errand"
        check "it is made" restarted "$before"
        calm "a restart that was asked for: done"
        check "it was formatted once" same "$identity" "$(meta)"
}

test_reboot() {
        check "the host loses its power, and boots" eval 'host crash h1 && host boot h1'
        calm "the host rebooted: it is there again"
        check "with its messages" same 100 "$(read_all)"
}

test_claim() {
        check "the cluster is deleted" ctl delete -f - <"$spec"
        check "its unit and files are gone" same "" "$(units)$(h1 find /etc/millrace/nodes -mindepth 1)"
        check "its claim stays" same "$identity" "$(meta)"
        check "it is applied once more" ctl apply -f - <"$spec"
        calm "applied once more: ready"
        check "it has adopted its claim: the same ids" same "$identity" "$(meta)"
        check "and the messages" same 100 "$(read_all)"
        check "with deleteClaim" eval 'change "s/deleteClaim: false/deleteClaim: true/" && settles'
        check "it is deleted" ctl delete -f - <"$spec"
        check "with its claim" same "" "$(h1 ls /var/lib/millrace-data)"
}

host_with_package h1
root=$(root_of h1)
setting "grace_seconds: 6"
spec_make
from=$(seconds)
check "an authority for clients is brought" ctl apply -f - < <(authority)
check "a cluster is applied" ctl apply -f - <"$spec"
calm "it becomes ready"
note "Ready after $(since "$from") s"
secret_files my-user
identity=$(meta)
test_runs
test_repairs
test_changes
test_reboot
test_claim
