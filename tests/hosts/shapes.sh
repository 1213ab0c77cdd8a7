#!/bin/bash
# Clusters in shapes of their own: controllers apart from brokers that have several disks, on Kafka 3.9 and then on two releases
# of Kafka 4; three nodes of both roles, on these two. A disk is added and given up again, a broker leaves, a release follows
# another; and disks that are foreign, or have lost what they held, stop their node and nobody else's.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

export MILLRACE_VERSIONS="3.9.1 4.1.2 4.3.1"
data=/var/lib/millrace-data
spec=$scratch/spec.yaml

apply() { ctl apply -f - <"$spec"; }
change() { sed -i "$1" "$spec" && apply; } # SED
unit() { echo "kafka@my-cluster-$1.service"; }
pid() { property "$(unit "$1")" MainPID; }
says() { own plan | jq -r '.steps[] | select(.waits) | "\(.verb) \(.subject) waits: \(.waits)"' | contains "$1"; } # TEXT
disks() { h1 grep -h "^log.dirs=" "/etc/millrace/nodes/my-cluster-$1/server.properties" | tr ',' '\n' | grep -c .; } # NODE
has_disks() { same "$2" "$(disks "$1")"; } # NODE NUMBER
meta() { h1 sh -c "sed -n 's/^$2=//p' $data/$1/data/kafka-log*/meta.properties"; } # CLAIM KEY
# Ports are remembered, so a cluster that follows another one has others.
bootstrap() { ctl get kafka my-cluster -o json | jq -r '.status.listeners[0].bootstrapServers'; }
controller_address() { h1 sed -n 's/^controller.quorum.*=\(.*@\)\{0,1\}\([^,@]*\)$/\2/p' /etc/millrace/nodes/my-cluster-controller-2/server.properties; }
tool() { java_tool "$@" 2>&1; }
# TLS 1.3 tells only after the handshake that a certificate was missing, so the connection is kept for a while.
as_operator="-cert /root/operator/cluster-operator.crt -key /root/operator/cluster-operator.key"
secret_files_of_operator() {
        h1 sh -c "umask 077; millctl secret get my-cluster-cluster-operator-certs -o /root/operator && millctl secret get my-cluster-cluster-ca-cert -o /root/operator" >/dev/null
}
controllers_answer() { # OPTIONS
        h1 sh -c "sleep 2 | timeout 20 openssl s_client -connect $(controller_address) -CAfile /root/operator/ca.crt -verify_return_error $1" >"$scratch/tls" 2>&1
        cat "$scratch/tls"
        contains "Verify return code: 0 (ok)" <"$scratch/tls" && ! grep -E 'alert|:error:' "$scratch/tls"
}
voters() { tool org.apache.kafka.tools.MetadataQuorumCommand --bootstrap-server "$(bootstrap)" describe --status | grep -o '^CurrentVoters.*'; }
quorum_of() { # NUMBER
        local seen
        seen=$(voters)
        same "$1" "$(grep -oE '"id": *[0-9]+|[[,] *[0-9]+ *[],]' <<<"$seen" | wc -l)" || { echo "$seen"; return 1; }
}
down() { h1 systemctl stop "$(unit "$1")"; } # NODE
refused() { # NODE STATUS: what the launcher says when it is started by hand, while the daemon is away
        h1 systemctl start "$(unit "$1")"
        wait_for 30 "$1 to give up" ended_with "$1" "$2"
}
ended_with() { same "$2" "$(property "$(unit "$1")" ExecMainStatus)"; } # NODE STATUS
journal_says() { h1 journalctl -u "$(unit "$1")" -n 20 --no-pager -o cat | contains "$2"; } # NODE TEXT

config='offsets.topic.replication.factor: 2, transaction.state.log.replication.factor: 2, default.replication.factor: 2, min.insync.replicas: 1, broker.session.timeout.ms: 3000, broker.heartbeat.interval.ms: 500'
heap='jvmOptions: {-Xms: 64m, -Xmx: 256m}'
pool() { # NAME REPLICAS ROLES STORAGE
        printf '%s\n' --- 'apiVersion: kafka.strimzi.io/v1' 'kind: KafkaNodePool' \
                "metadata: {name: $1, labels: {strimzi.io/cluster: my-cluster}}" \
                "spec: {replicas: $2, roles: [$3], $heap, storage: $4}"
}
kafka_kraft() { # VERSION CONFIG
        printf '%s\n' 'apiVersion: kafka.strimzi.io/v1' 'kind: Kafka' 'metadata: {name: my-cluster}' \
                "spec: {kafka: {version: $1, listeners: [{name: plain, port: 9092, type: internal, tls: false}], config: {$2}}}"
}

# --- controllers apart from brokers, Kafka 3.9

test_dedicated() {
        local from
        export KAFKA_VERSION=3.9.1
        {
                kafka_kraft 3.9.1 "$config"
                pool controller 3 controller '{type: persistent-claim, size: 1Gi}'
                pool broker 2 broker '{type: jbod, volumes: [{id: 0, type: persistent-claim, size: 1Gi}]}'
        } >"$spec"
        from=$(seconds)
        check "3.9.1: three controllers and two brokers are applied" apply
        calm "they become ready"
        note "Ready after $(since "$from") s"
        check "the controllers are a quorum of three" quorum_of 3
        check "controllers are no brokers" eval 'same 2 "$(broker_count $(bootstrap))"'
        secret_files_of_operator
        check "the controllers' port speaks with whom the cluster has certified" controllers_answer "$as_operator"
        check "and with nobody without a certificate" fails controllers_answer ""
        check "messages pass" passes "$(bootstrap)" demo
        check "a broker says whose its disk is" same 0 "$(meta data-0-my-cluster-broker-0 node.id)"
        check "both tell the same cluster" same "$(meta data-0-my-cluster-broker-0 cluster.id)" "$(meta data-my-cluster-controller-2 cluster.id)"
}

# Brokers hand over before they go, which needs the controllers: without them each would wait for minutes.
test_poweroff() {
        local from took
        mark
        from=$(seconds)
        check "the host is shut down" host poweroff h1
        took=$(since "$from")
        note "the host was off after $took s"
        check "brokers did not wait for controllers that had gone" [ "${took%.*}" -lt 60 ]
        check "it boots" host boot h1
        calm "the host was shut down: everything is there again"
        check "no controller went before the last broker" controllers_went_last
}
ended() { h1 journalctl -u "kafka@my-cluster-$1-*" --no-pager -o short-unix --since "@$mark" | sed -n "s/^\([0-9.]*\) .* systemd\[1\]: $2 .*/\1/p" | sort -n; } # POOL WORD
controllers_went_last() {
        local last first
        last=$(ended broker Stopped | head -n 2 | tail -n 1)
        first=$(ended controller Stopping | head -n 1)
        echo "the last broker had stopped at $last, the first controller began to at $first"
        awk -v a="$last" -v b="$first" 'BEGIN {exit !(a > 0 && a <= b)}'
}

test_disks() {
        local before
        before=$(pids "$(unit controller-2)" "$(unit controller-3)" "$(unit controller-4)")
        check "a disk is added" change 's/volumes: \[/&{id: 1, type: persistent-claim, size: 1Gi}, /'
        calm "a disk added"
        check "both brokers have two" eval 'has_disks broker-0 2 && has_disks broker-1 2'
        check "the new one is formatted for the node" same 1 "$(meta data-1-my-cluster-broker-1 node.id)"
        check "the controllers went on" same "$before" "$(pids "$(unit controller-2)" "$(unit controller-3)" "$(unit controller-4)")"
        check "a topic spreads over the disks" tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$(bootstrap)" --create --topic wide --partitions 12 --replication-factor 2
        before=$(pid broker-0)
        check "the disk is given up" change 's/{id: 1, type: persistent-claim, size: 1Gi}, //'
        check "it stays, because replicas are on it" wait_for 60 "the warning" warning "volume 1 of my-cluster-broker-0 stays:"
        check "and says how many" wait_for 90 "the count" warning "replicas are on it"
        check "nothing was restarted" same "$before" "$(pid broker-0)"
        check "the topic is removed" tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$(bootstrap)" --delete --topic wide
        check "the messages' topic leaves the disk, too" tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$(bootstrap)" --delete --topic demo
        check "then it goes" wait_for 300 "one disk" has_disks broker-0 1
        calm "a disk given up"
        check "its data is still there" h1 test -e "$data/data-1-my-cluster-broker-0/data"
        check "messages pass" passes "$(bootstrap)" demo
}

test_foreign() {
        local one=$data/data-0-my-cluster-broker-0 two=$data/data-0-my-cluster-broker-1
        h1 systemctl stop millraced
        down broker-1
        h1 sh -c "sed -i s/^node.id=1/node.id=7/ $two/data/kafka-log1/meta.properties"
        check "a disk that was written by another node: the launcher refuses it" refused broker-1 65
        check "and says why" journal_says broker-1 "does not say node.id=1"
        h1 sh -c "sed -i s/^node.id=7/node.id=1/ $two/data/kafka-log1/meta.properties"
        h1 mv "$two" "$two.away"
        h1 cp -a "$one" "$two"
        h1 systemctl start millraced
        check "the claim of another node: the daemon says whose it is" wait_for 60 "the reason" says "data-0-my-cluster-broker-1 holds data of kafka 0, not of kafka 1"
        check "the node stays down, the other goes on" eval 'is_state "$(unit broker-0)" active && fails is_state "$(unit broker-1)" active'
        h1 sh -c "rm -rf $two && mv $two.away $two"
        calm "with its own disk it comes back"
}

test_empty() {
        local claim=$data/data-0-my-cluster-broker-1
        check "nothing is lost, so nothing can be renewed" fails ctl renew my-cluster-broker-1
        h1 systemctl stop millraced
        down broker-1
        h1 sh -c "rm -rf $claim/data/*"
        check "the disk of a known node is empty: the launcher refuses it" refused broker-1 65
        check "and says what to do" journal_says broker-1 "the disk of a known node is empty"
        h1 systemctl start millraced
        check "so does the daemon" wait_for 60 "the reason" says "the disk of a known node is empty"
        check "it stays down" fails is_state "$(unit broker-1)" active
        check "the others go on" eval 'same 1 "$(broker_count $(bootstrap))"'
        check "it is renewed" ctl renew my-cluster-broker-1 --reason "its disk died"
        calm "it begins anew and catches up"
        check "under its old name" same 1 "$(meta data-0-my-cluster-broker-1 node.id)"
        check "messages pass" passes "$(bootstrap)" demo
        claim=$data/data-my-cluster-controller-4
        down controller-4
        h1 mv "$claim" "$claim.away"
        check "the disk of a controller is gone: it does not begin anew" wait_for 60 "the reason" says "data-my-cluster-controller-4 has lost its data"
        check "the others are still a quorum" quorum_of 3
        h1 mv "$claim.away" "$claim"
        calm "with its disk it comes back"
}

test_leaves() {
        check "a broker is no longer asked for" change '/name: broker,/{n;s/replicas: 2/replicas: 1/}'
        check "it stays while it hosts partitions" wait_for 60 "the warning" warning "my-cluster-broker-1 stays: it hosts"
        for topic in demo __consumer_offsets __transaction_state; do
                tool org.apache.kafka.tools.TopicCommand --bootstrap-server "$(bootstrap)" --delete --topic "$topic" >/dev/null
        done
        check "it goes when it hosts none" wait_for 180 "its end" fails h1 test -e /etc/millrace/nodes/my-cluster-broker-1
        calm "a broker gone"
        check "its data stays" h1 test -e "$data/data-0-my-cluster-broker-1/data/kafka-log1/meta.properties"
}

# The rest of them, one broker and the three controllers, follows to Kafka 4, where the quorum stays the static one it is.
test_follows() { # VERSION METADATA
        KAFKA_VERSION=$1
        check "$1 is applied" change "s/version: [0-9.]*,/version: $1,/; s/default.replication.factor: 2/default.replication.factor: 1/"
        calm "$1: controllers apart from brokers"
        check "every node runs it" eval 'for i in broker-0 controller-2 controller-3 controller-4; do command_line "$(unit $i)" | contains "kafka-$KAFKA_VERSION/libs" || exit 1; done'
        check "the metadata followed" wait_for 60 "the version" eval 'same '"$2"' "$(ctl get kafka my-cluster -o json | jq -r .status.kafkaMetadataVersion)"'
        check "the controllers are a quorum of three" quorum_of 3
        check "messages pass" passes "$(bootstrap)" demo
}

make_room() {
        wait_for 60 "the units to go" no_units
        h1 sh -c "rm -rf $data/*"
}

# --- both roles in one, Kafka 4

test_combined() {
        export KAFKA_VERSION=4.1.2
        {
                kafka_kraft 4.1.2 "${config//factor: 2/factor: 3}"
                pool dual 3 'controller, broker' '{type: jbod, volumes: [{id: 0, type: ephemeral, sizeLimit: 1Gi}, {id: 1, type: ephemeral, kraftMetadata: shared}]}'
        } >"$spec"
        check "4.1.2: three nodes of both roles are applied" apply
        calm "they become ready"
        check "they are a quorum of three" quorum_of 3
        check "metadata are on the disk that the spec says" eval 'h1 test -d "$data/data-1-my-cluster-dual-1/data/kafka-log1/__cluster_metadata-0" && fails h1 test -e "$data/data-0-my-cluster-dual-1/data/kafka-log1/__cluster_metadata-0"'
        check "its directories were known before" eval 'same "$(h1 jq -r .directory_id $data/data-1-my-cluster-dual-1/identity.json)" "$(meta data-1-my-cluster-dual-1 directory.id)"'
        check "messages pass" passes "$(bootstrap)" demo
        down dual-2
        h1 sh -c "rm -rf $data/data-*-my-cluster-dual-2"
        calm "an ephemeral one that lost its disk begins anew, because the others have a majority"
        check "messages pass" passes "$(bootstrap)" demo
}

test_release() {
        export KAFKA_VERSION=4.3.1
        check "4.3.1 follows, with another disk" change 's/version: 4.1.2/version: 4.3.1/; s/volumes: \[/&{id: 2, type: ephemeral}, /'
        calm "another release and another disk"
        check "it is a quorum of three" quorum_of 3
        check "every node runs it" eval 'for i in 0 1 2; do command_line "$(unit dual-$i)" | contains kafka-4.3.1/libs || exit 1; done'
        check "they have three disks" has_disks dual-1 3
        check "the metadata followed" eval 'same 4.3-IV0 "$(ctl get kafka my-cluster -o json | jq -r .status.kafkaMetadataVersion)"'
        check "messages pass" passes "$(bootstrap)" demo
}

registered() { # NUMBER
        same "$1" "$(tool org.apache.kafka.tools.ClusterTool list-endpoints --bootstrap-server "$(bootstrap)" --include-fenced-brokers | grep -c '^[0-9]')"
}
test_votes() {
        check "a fourth node of both roles, with an id of its own" change '/name: dual,/{s/labels:/annotations: {strimzi.io\/next-node-ids: "[7-9]"}, &/;n;s/replicas: 3/replicas: 4/}'
        calm "a fourth node"
        check "it has that id" is_state "$(unit dual-7)" active
        check "it votes" wait_for 60 "four voters" quorum_of 4
        check "it is no longer asked for" change '/name: dual,/{n;s/replicas: 4/replicas: 3/}'
        check "it loses its vote" wait_for 90 "three voters" quorum_of 3
        check "then it goes" wait_for 90 "its end" fails h1 test -e /etc/millrace/nodes/my-cluster-dual-7
        calm "three nodes again"
        check "it is no longer registered" wait_for 90 "three members" registered 3
}

test_majority() {
        h1 systemctl stop millraced
        down dual-1
        down dual-2
        h1 sh -c "rm -rf $data/data-*-my-cluster-dual-[12]"
        h1 systemctl start millraced
        check "two of three lost their disks: they do not begin anew" wait_for 90 "the reason" says "data-1-my-cluster-dual-2 has lost its data"
        check "both stay down" eval 'fails is_state "$(unit dual-1)" active && fails is_state "$(unit dual-2)" active'
}

# --- a disk for each claim

disks_offer() { # DEVICE...
        local root
        root=$(root_of h1)
        sed -i '/^storage_classes:/,$d' "$root/etc/millrace/hostd.yaml"
        printf '%s\n' storage_classes: '- {name: directory, path: /var/lib/millrace-data}' \
                "- {name: disks, path: /var/lib/millrace-disks, devices: [$*]}" >>"$root/etc/millrace/hostd.yaml"
        h1 systemctl try-restart millrace-hostd
}
shows() { wipefs --noheadings --output TYPE "$1" | head -n 1; } # DEVICE
told() { own events | jq -r '.[].message' | contains "$1"; } # TEXT
test_device() {
        local claim=data-my-cluster-one-0 where mount node=my-cluster-one-0
        where=/var/lib/millrace-disks/$claim
        mount=$(systemd-escape --path --suffix=mount "$where")
        export KAFKA_VERSION=4.3.1
        disks_offer "${loops[0]}"
        {
                kafka_kraft 4.3.1 "${config//factor: 2/factor: 1}"
                pool one 1 'controller, broker' '{type: persistent-claim, size: 300Mi, class: disks}'
        } >"$spec"
        check "a node that wants a disk of its own is applied" apply
        check "a disk with a signature is no blank disk" wait_for 60 "the reason" told "has no blank disk left for $claim: ${loops[0]} holds ext4"
        check "it is left alone" same ext4 "$(shows "${loops[0]}")"
        disks_offer "${loops[0]}," "${loops[1]}"
        calm "with a blank one it becomes ready"
        check "the blank one has a file system" same xfs "$(shows "${loops[1]}")"
        check "and is mounted where the claim is" same "xfs ${loops[1]}" "$(h1 findmnt -n -o FSTYPE,SOURCE --mountpoint "$where" | xargs)"
        check "the other one is still as it was" same ext4 "$(shows "${loops[0]}")"
        check "data is beneath the mount" h1 test -e "$where/data/kafka-log0/meta.properties"
        check "messages pass" passes "$(bootstrap)" demo
        test_growth "$claim" "$where"
        h1 systemctl stop millraced
        h1 systemctl stop "$(unit one-0)" "$mount"
        h1 mv "/etc/systemd/system/$mount" /root/
        h1 systemctl daemon-reload
        check "without its disk it does not start" fails h1 systemctl start "$(unit one-0)"
        check "and nothing is written in its place" same "" "$(h1 ls -A "$where")"
        h1 mv "/root/$mount" /etc/systemd/system/
        h1 systemctl daemon-reload
        h1 systemctl start "$(unit one-0)"
        check "its start mounts the disk" h1 mountpoint -q "$where"
        h1 systemctl start millraced
        calm "with its disk it goes on"
        check "messages pass" passes "$(bootstrap)" demo
        check "with deleteClaim" eval 'change "s/class: disks/class: disks, deleteClaim: true/" && settles'
        check "it is deleted" ctl delete -f - <"$spec"
        check "its disk is given back" wait_for 60 "that" fails h1 mountpoint -q "$where"
        check "with its unit" fails h1 test -e "/etc/systemd/system/$mount"
}

# A disk becomes larger as a logical volume does, or that of a virtual machine: the file system follows while the node runs.
test_growth() { # CLAIM DIRECTORY
        local before
        before=$(pid one-0)
        check "more is asked for than the disk has" change 's/size: 300Mi/size: 500Mi/'
        check "that is told" wait_for 60 "the warning" warning "$1 asks for 500 MiB, but its disk has 3"
        calm "more is asked for"
        mark
        truncate -s 700M "$scratch/blank" && losetup --set-capacity "${loops[1]}"
        h1 systemctl reload millraced
        check "the disk grows, and that is seen" wait_for 60 "the event" event_says "* update volume $1: its disk has grown*"
        check "so does its file system" wait_for 30 "the size" has_mebibytes 600 "$2"
        calm "a disk that has grown"
        check "it is large enough" fails warning "$1 asks for"
        check "of the same process" same "$before" "$(pid one-0)"
        check "messages pass" passes "$(bootstrap)" demo
}
has_mebibytes() { [ "$(h1 df --output=size --block-size=1M "$2" | tail -n 1)" -ge "$1" ]; } # NUMBER DIRECTORY

# Loop devices stand for disks: one that was used before, and a blank one.
loops=()
loops_make() {
        local file
        for file in used blank; do
                truncate -s 400M "$scratch/$file" && loops+=("$(losetup -f --show "$scratch/$file")") || return
        done
        mkfs.ext4 -q "${loops[0]}"
}
loops_end() {
        local status=$? device
        for device in ${loops[@]+"${loops[@]}"}; do
                losetup -d "$device" # once nobody has it open any more
        done
        (exit "$status")
        finish
}
trap loops_end EXIT
loops_make || bail "there are no loop devices"
export MILLRACE_DEVICES="${loops[*]}"

host_with_package h1
setting "grace_seconds: 4"
shapes=${MILLRACE_SHAPES:-device dedicated}
if [[ $shapes == *device* ]]; then
        test_device
fi
if [[ $shapes == *dedicated* ]]; then
        test_dedicated
        test_poweroff
        test_disks
        test_foreign
        test_empty
        test_leaves
        test_follows 4.1.2 4.1-IV1
        test_follows 4.3.1 4.3-IV0
        deleted_soon "controllers apart from brokers"
fi
if [[ $shapes == *combined* ]]; then
        [[ $shapes != *dedicated* ]] || make_room
        test_combined
        test_release
        test_votes
        test_majority
fi
