#!/bin/bash
# One node of both roles goes through every release of Kafka that Maven Central has whole, from 3.8 without ZooKeeper to
# the newest: each follows by a change of the spec, takes the metadata's version along, and keeps what was written first.
# A broker and a ZooKeeper do the same as far as there is one: releases-zookeeper.sh.
# long
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

# Each line a release, and the version its metadata gets.
releases=$MILLRACE_REPOSITORY/tests/stack/releases
MILLRACE_VERSIONS=$(cut -d' ' -f1 "$releases" | xargs)
export MILLRACE_VERSIONS
# Archives of classes would be made for each, and take longer than they save.
export MILLRACE_CLASSES=no
node=my-cluster-dual-role-0
unit=kafka@$node.service
spec=$scratch/spec.yaml

apply() { ctl apply -f - <"$spec"; }
status() { ctl get kafka my-cluster -o json | jq -r ".status.$1"; }
release_is() { same "$1 $2" "$(status kafkaVersion) $(status kafkaMetadataVersion)"; } # VERSION METADATA
read_all() { h1 kcat -C -q -e -o beginning -b h1:9092 -t demo | wc -l; }
runs() { command_line "$unit" | contains "kafka-$1/libs"; } # VERSION

# A cluster that began with a metadata version that takes no changed voters keeps its static quorum.
test_release() { # VERSION METADATA
        sed -i "s/^    version: .*/    version: $1/" "$spec"
        check "$1 is applied" apply
        calm "$1: it becomes ready"
        check "$1 runs" runs "$1"
        check "$1: the status says so, and metadata version $2" wait_for 60 "the version" release_is "$1" "$2"
        check "$1: what was written first is still there" same 100 "$(read_all)"
}

test_back() {
        local before
        before=$(property "$unit" MainPID)
        sed -i "s/^    version: .*/    version: 4.2.0/" "$spec"
        check "a release that cannot read the metadata is accepted as text" apply
        check "and refused, with the reason" wait_for 60 "the reason" eval 'condition my-cluster Ready | contains "which Kafka 4.2.0 cannot read; use a version that can"'
        check "nothing was restarted" same "$before" "$(property "$unit" MainPID)"
}

# --- with ZooKeeper

zookeeper_runs() { # VERSION: both of them, from the libraries of the release
        command_line "$(kafka 0)" | contains "kafka-$1/libs" && command_line "$(zookeeper 0)" | contains "kafka-$1/libs"
}
protocol_is() { h1 cat "$(directory kafka 0)/server.properties" | contains "inter.broker.protocol.version=$1"; } # VERSION
# Ports are remembered, so a cluster that follows another one has others.
bootstrap() { ctl get kafka my-cluster -o json | jq -r '.status.listeners[0].bootstrapServers'; }

begin() {
        example kafka-single | sed 's/^\( *\)type: ephemeral/\1type: persistent-claim\n\1size: 1Gi/; /^  kafka:/a\    version: 3.8.0' |
                grep -v '^    version: 3.9' >"$spec"
        check "3.8.0 with ZooKeeper is applied" apply
        calm "3.8.0 with ZooKeeper: it becomes ready"
        check "messages pass" passes "$(bootstrap)" demo
}
test_zookeeper() { # VERSION METADATA
        sed -i "s/^    version: .*/    version: $1/" "$spec"
        check "$1 with ZooKeeper is applied" apply
        calm "$1 with ZooKeeper: it becomes ready"
        check "both run $1" zookeeper_runs "$1"
        check "with the protocol of its line" wait_for 60 "the protocol" protocol_is "${2%-*}"
        calm "$1 with ZooKeeper: the protocol followed"
        check "what was written first is still there" same 100 "$(h1 kcat -C -q -e -o beginning -b "$(bootstrap)" -t demo | wc -l)"
}
through_zookeeper() {
        local version metadata
        begin
        while read -r version metadata <&3; do
                [[ $version == 4.* ]] || test_zookeeper "$version" "$metadata"
        done 3<"$releases"
}

through_all() {
        local version metadata
        sed 's/^    version: .*/    version: 3.8.0\n    jvmOptions: {-Xms: 64m, -Xmx: 256m}/' "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" >"$spec"
        check "3.8.0 is applied" apply
        calm "it becomes ready"
        check "messages pass" passes h1:9092 demo
        while read -r version metadata <&3; do
                test_release "$version" "$metadata"
        done 3<"$releases"
        test_back
        deleted_soon "the newest"
}

host_with_package h1
"${MILLRACE_RELEASES:-through_all}"
