#!/bin/bash
# What a spec asks for is what runs: listeners, authorization, limits, quorums with TLS, claims that outlive their
# cluster, and a second cluster on the same host.
# long
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

password=correct-horse

# --- the specs

# Fields that have no effect yet are kept, and told.
not_yet="cruiseControl kafkaExporter"

user() { # NAME
        printf '%s\n' --- 'apiVersion: kafka.strimzi.io/v1beta2' 'kind: KafkaUser' "metadata: {name: $1, labels: {strimzi.io/cluster: my-cluster}}" \
                'spec: {authentication: {type: tls}}'
}

spec() { # DELETE-CLAIM
        cat <<-P
		apiVersion: kafka.strimzi.io/v1beta2
		kind: Kafka
		metadata: {name: my-cluster}
		spec:
		  kafka:
		    version: 3.9.1
		    replicas: 3
		    listeners:
		    - {name: plain, port: 9092, type: internal, tls: false}
		    - {name: tls, port: 9093, type: internal, tls: true}
		    - {name: mtls, port: 9094, type: internal, tls: true, authentication: {type: tls}}
		    - {name: scram, port: 9095, type: internal, tls: true, authentication: {type: scram-sha-512}}
		    authorization: {type: simple, superUsers: [CN=admin-user, probe]}
		    config:
		      default.replication.factor: 3
		      min.insync.replicas: 2
		      offsets.topic.replication.factor: 3
		      auto.create.topics.enable: false
		      queued.max.requests: 321
		      log.retention.ms: 5000000
		    jvmOptions: {-Xms: 64m, -Xmx: 250m, javaSystemProperties: [{name: my.property, value: my-value}]}
		    resources: {requests: {memory: 400Mi, cpu: 200m}, limits: {memory: 800Mi, cpu: 1500m}}
		    storage: {type: persistent-claim, size: 10Gi, deleteClaim: ${1:-false}}
		  zookeeper:
		    replicas: 3
		    jvmOptions: {-Xms: 32m, -Xmx: 100m}
		    resources: {limits: {memory: 500Mi}}
		    storage: {type: persistent-claim, size: 1Gi, deleteClaim: ${1:-false}}
		$(printf '  %s: {}\n' $not_yet)
	P
        user my-user
        user admin-user
}

other_spec() {
        cat <<-P
		apiVersion: kafka.strimzi.io/v1beta2
		kind: Kafka
		metadata: {name: other}
		spec:
		  kafka:
		    version: 3.9.1
		    replicas: 1
		    listeners: [{name: plain, port: 9092, type: internal, tls: false}]
		    config: {offsets.topic.replication.factor: 1, default.replication.factor: 1, min.insync.replicas: 1}
		    jvmOptions: {-Xms: 64m, -Xmx: 200m}
		    storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}
		  zookeeper:
		    replicas: 5
		    jvmOptions: {-Xms: 16m, -Xmx: 64m}
		    storage: {type: ephemeral}
	P
}

# --- what is told

test_warnings() {
        local field
        for field in $not_yet; do
                check "spec.$field has no effect yet, and that is told" warning "spec.$field"
        done
        check "three nodes on one host: a warning" warning "SharedHost: all 3 nodes of my-cluster-kafka run on one host"
        check "that holds for ZooKeeper, too" warning "SharedHost: all 3 nodes of my-cluster-zookeeper run on one host"
}

# --- processes

test_processes() {
        local option
        for option in -Xms64m -Xmx250m -Dmy.property=my-value; do
                check "$option reaches a broker" eval 'command_line "$(kafka 1)" | contains '"$option"
        done
        check "-Xmx100m reaches a ZooKeeper node" eval 'command_line "$(zookeeper 1)" | contains -Xmx100m'
        check "the limits of a broker are its unit's" same "838860800 419430400 1.500000s" \
                "$(property "$(kafka 2)" MemoryMax) $(property "$(kafka 2)" MemoryMin) $(property "$(kafka 2)" CPUQuotaPerSecUSec)"
        check "the limits of a ZooKeeper node, too" same 524288000 "$(property "$(zookeeper 2)" MemoryMax)"
        check "settings are in each broker's file" eval 'for n in 0 1 2; do h1 grep -qx queued.max.requests=321 "$(directory kafka $n)/server.properties" || return 1; done'
        check "the processes run as their own users" same "kafka zookeeper" "$(h1 ps -o user= -p "$(property "$(kafka 0)" MainPID)") $(h1 ps -o user= -p "$(property "$(zookeeper 0)" MainPID)")"
}

# --- ZooKeeper

# The operator's certificate is the one that millrace itself uses; only root can look it up here.
operator_files() {
        h1 sh -c "umask 077; millctl secret get my-cluster-cluster-operator-certs -o /root/operator && millctl secret get my-cluster-cluster-ca-cert -o /root/operator"
}
four_letters() { # PORT WORD OPTIONS...
        local port=$1 word=$2
        shift 2
        h1 sh -c "{ printf $word; sleep 1; } | timeout 20 openssl s_client -quiet -connect h1:$port -CAfile /root/operator/ca.crt $*" 2>"$scratch/tls"
}
as_operator="-cert /root/operator/cluster-operator.crt -key /root/operator/cluster-operator.key"
modes() { # PORT...
        local port
        for port; do four_letters "$port" srvr "$as_operator" | sed -n 's/^Mode: //p'; done | sort | uniq -c | xargs
}
no_answer() { # CMD...: it may end as it likes, but says nothing of ZooKeeper's
        "$@" >"$scratch/answer" 2>&1
        ! grep -aE 'Mode:|Zookeeper version|imok' "$scratch/answer"
}
plain_text() { h1 timeout 10 bash -c "exec 3<>/dev/tcp/h1/$1; printf ${2:-ruok} >&3; timeout 5 cat <&3 | tr -d '\0'"; } # PORT
# TLS 1.3 tells only after the handshake that a certificate was missing, so it is asked for more.
refuses_tls() { # PORT OPTIONS...
        local port=$1
        shift
        ! h1 sh -c "{ sleep 2; echo; sleep 1; } | timeout 20 openssl s_client -connect h1:$port -CAfile /root/operator/ca.crt $*" >"$scratch/tls" 2>&1 ||
                grep -E 'alert (certificate required|bad certificate|handshake failure|unknown ca|certificate unknown)|:error:.*alert' "$scratch/tls"
}

test_zookeeper() {
        local n port
        operator_files
        check "three ZooKeeper nodes: one leads, two follow" same "2 follower 1 leader" "$(modes 2181 2191 2201)"
        for n in 0 1 2; do
                check "ZooKeeper node $n has the others in its configuration" same "server.1=h1:2888:3888 server.2=h1:2898:3898 server.3=h1:2908:3908" \
                        "$(h1 grep "^server\." "$(directory zookeeper $n)/zoo.cfg" | xargs)"
        done
        check "its clients' port answers no plain text" no_answer plain_text 2181
        check "nor somebody without a certificate" no_answer four_letters 2181 srvr
        check "nor a user of Kafka" no_answer four_letters 2181 srvr "-cert /root/my-user/user.crt -key /root/my-user/user.key"
        for port in 2888 3888; do
                # Only the leader listens on the first of the two.
                [ "$port" = 3888 ] || port=$(leader_port)
                check "port $port of the quorum is closed without a certificate" refuses_tls "$port"
                check "and with a user's" refuses_tls "$port" "-cert /root/my-user/user.crt -key /root/my-user/user.key"
                check "and to plain text" eval 'same "" "$(plain_text '"$port"')"'
        done
        check "user nobody cannot read the keys" fails h1 setpriv --reuid=65534 --clear-groups cat "$(directory zookeeper 0)/my-cluster-zookeeper-0.pem"
}
leader_port() {
        local n
        for n in 0 1 2; do
                [ "$(modes $((2181 + 10 * n)))" != "1 leader" ] || echo $((2888 + 10 * n))
        done
}

# --- Kafka

test_stores() {
        local n
        for n in 0 1 2; do
                check "broker $n keeps its key and trust in PEM" eval 'same "PEM PEM" "$(h1 sed -n "s/^listener.name.mtls-9'"$n"'.*store.type=//p; s/^listener.name.mtls-9...\.ssl\.[a-z]*store\.type=//p" "$(directory kafka '"$n"')/server.properties" | xargs)"'
        done
        check "a broker shows a certificate for its address" eval 'h1 sh -c "echo | openssl s_client -connect h1:9093 -CAfile /root/operator/ca.crt -verify_hostname h1 -verify_return_error" | contains "Verification: OK"'
        check "the port between brokers is closed without a certificate" refuses_tls 9091
        check "and with a user's" refuses_tls 9091 "-cert /root/my-user/user.crt -key /root/my-user/user.key"
}

brokers() { same 3 "$(broker_count "$@")"; }
tls="-X security.protocol=ssl -X ssl.ca.location=/root/my-user/ca.crt"
scram() { echo "-X security.protocol=sasl_ssl -X ssl.ca.location=/root/my-user/ca.crt -X sasl.mechanisms=SCRAM-SHA-512 -X sasl.username=alice -X sasl.password=$1"; } # PASSWORD

test_listeners() {
        check "listener plain answers with all brokers" brokers h1:9092
        check "listener tls, too" brokers h1:9093 $tls
        check "but not in plain text" fails brokers h1:9093 -m 5
        check "and its certificate is not just anyone's" fails brokers h1:9093 -m 5 -X security.protocol=ssl
        check "listener mtls answers a KafkaUser" brokers h1:9094 $(tls_options my-user)
        check "and nobody without a certificate" fails brokers h1:9094 -m 5 $tls
        check "every broker answers for itself" eval 'for port in 9092 9102 9112; do brokers h1:$port || return 1; done'
        admin_settings
        check "a SCRAM credential is made" java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9094 --command-config /root/admin.properties \
                --alter --add-config "SCRAM-SHA-512=[password=$password]" --entity-type users --entity-name alice
        check "listener scram answers with it" brokers h1:9095 $(scram $password)
        check "and to nobody with another password" fails brokers h1:9095 -m 5 $(scram wrong)
        check "millrace's own client makes a SCRAM credential" eval 'probe "" --cert /root/admin-user/user.crt --key /root/admin-user/user.key --set-scram probe h1:9094'
        check "and logs in with it" eval 'probe "" --user probe h1:9095 | jq -e ".brokers | length == 3"'
        check "but not with another password" eval '! probe wrong --user probe h1:9095 >"$scratch/probe" 2>&1 && contains uthentication <"$scratch/probe"'
}
# Passwords are lines of stdin: one's own, and the one to set.
probe() { # OTHER-PASSWORD ARGUMENT...
        local first=${1:-$password}
        shift
        printf '%s\n' "$first" "$password" | h1 "$MILLRACE_BUILD/kafka-probe" --ca /root/my-user/ca.crt "$@"
}
admin_settings() {
        h1 sh -c "umask 077; cat /root/admin-user/user.key /root/admin-user/user.crt >/root/admin.pem
                printf '%s\n' security.protocol=SSL ssl.keystore.type=PEM ssl.keystore.location=/root/admin.pem ssl.truststore.type=PEM \
                ssl.truststore.location=/root/admin-user/ca.crt >/root/admin.properties"
}
denied() { # BOOTSTRAP OPTIONS...
        local bootstrap=$1
        shift
        ! h1 sh -c "echo x | kcat -P -b $bootstrap -t demo -X message.timeout.ms=8000 $*" >"$scratch/denied" 2>&1 || return 1
        contains authorization <"$scratch/denied"
}
acl() { java_tool org.apache.kafka.tools.AclCommand "$@" || java_tool kafka.admin.AclCommand "$@"; }

test_authorization() {
        local principal arguments=()
        check "a super user makes a topic" java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9094 \
                --command-config /root/admin.properties --create --topic demo --partitions 3
        check "and uses it" passes h1:9094 demo "$(tls_options admin-user)"
        check "an anonymous client may not" denied h1:9092
        check "nor a user with a certificate" denied h1:9094 "$(tls_options my-user)"
        check "nor one with a password" denied h1:9095 "$(scram $password)"
        for principal in User:CN=my-user User:alice User:ANONYMOUS; do arguments+=(--allow-principal "$principal"); done
        check "they are allowed to" java_tool kafka.admin.AclCommand --bootstrap-server h1:9094 --command-config /root/admin.properties --add \
                "${arguments[@]}" --operation All --topic demo
        check "a user with a certificate may now" passes h1:9094 demo "$(tls_options my-user)"
        check "and one with a password" passes h1:9095 demo "$(scram $password)"
        check "and anonymous clients over TLS" passes h1:9093 demo "$tls"
        check "and without" passes h1:9092 demo
}

# --- two clusters

ports() { api "/apis/millrace.io/v1/namespaces/default/kafkas/$1/describe" | jq -cS '[.nodes[] | {name, ports}] | sort_by(.name)'; } # CLUSTER
numbers() { ports "$1" | jq -r '.[].ports[]'; }

test_second_cluster() {
        local before
        first=$(all_pids)
        standard=$(ports my-cluster)
        check "a second cluster with five ZooKeeper nodes is applied" eval 'other_spec | ctl apply -f -'
        check "it becomes ready" settles 900 other
        others=$(ports other)
        check "no port is used twice" same "" "$({ numbers my-cluster; numbers other; } | sort | uniq -d)"
        check "the first cluster kept its ports" same "$standard" "$(ports my-cluster)"
        check "and its processes" same "$first" "$(pids $(kafka 0) $(kafka 1) $(kafka 2) $(zookeeper 0) $(zookeeper 1) $(zookeeper 2))"
        h1 sh -c "umask 077; millctl secret get other-cluster-operator-certs -o /root/operator && millctl secret get other-cluster-ca-cert -o /root/operator"
        check "five ZooKeeper nodes: one leads, four follow" same "4 follower 1 leader" \
                "$(modes $(ports other | jq -r '.[].ports["tcp-clients"]? // empty' | head -n 6))"
        check "its messages go through its own port" passes "h1:$(ports other | jq -r '.[] | select(.name == "other-kafka-0").ports["tcp-clients"]')" demo2 -X allow.auto.create.topics=true
        before=$(all_pids)
        h1 systemctl restart millraced
        check "after a restart of the daemon nothing is to be done" settles 600 other
        check "ports are remembered" same "$standard$others" "$(ports my-cluster)$(ports other)"
        check "and nothing was restarted" kept_running "$before"
}

# --- claims

claims() { h1 ls /var/lib/millrace-data | grep "$1-" | xargs; } # CLUSTER
cluster_id() { h1 sed -n 's/^cluster.id=//p' "/var/lib/millrace-data/data-$1-kafka-0/data/kafka-log0/meta.properties"; }
gone() { ! ctl get kafka "$1"; }
messages() { same "$1" "$(h1 sh -c "kcat -C -q -e -o beginning -b h1:9094 -t demo $(tls_options my-user)" | wc -l)"; }

test_claims() {
        local id before kept count
        id=$(cluster_id my-cluster)
        kept=$(claims my-cluster)
        count=$(h1 sh -c "kcat -C -q -e -o beginning -b h1:9094 -t demo $(tls_options my-user)" | wc -l)
        before=$(pids kafka@other-kafka-0)
        check "the first cluster is deleted" eval 'spec | ctl delete -f - && gone my-cluster'
        check "its claims stay" same "$kept" "$(claims my-cluster)"
        check "the second cluster runs on" same "$before" "$(pids kafka@other-kafka-0)"
        check "and keeps its ports" same "$others" "$(ports other)"
        check "the second cluster is deleted" eval 'ctl delete kafka other && gone other'
        check "its claims go, because its spec says so" same "" "$(claims other)"
        check "the first cluster is applied once more" eval 'spec | ctl apply -f -'
        check "it becomes ready" settles
        secret_files my-user
        check "it has adopted its claims: the same id" same "$id" "$(cluster_id my-cluster)"
        check "and the messages ($count)" messages "$count"
        check "with deleteClaim" eval 'spec true | ctl apply -f - && settles'
        check "it is deleted" eval 'spec true | ctl delete -f - && gone my-cluster'
        check "with its claims" same "" "$(claims my-cluster)"
        check "nothing of it is left" same "" "$(units)$(h1 find /etc/millrace/nodes /var/lib/millrace-data -mindepth 1)"
}

host_with_package h1
root=$(root_of h1)
from=$(seconds)
check "a cluster is applied" eval 'spec | ctl apply -f -'
check "it becomes ready" settles
note "Ready after $(since "$from") s"
secret_files my-user
secret_files admin-user
test_warnings
test_processes
test_zookeeper
test_stores
test_listeners
test_authorization
test_second_cluster
test_claims
