#!/bin/bash
# One broker with a listener of every type: real clients reach each under the name and port that are declared for it, and
# find the broker where it says it is. A limit of connections holds and changes live, a certificate of one's own is shown.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

export KAFKA_VERSION=4.3.1 MILLRACE_VERSIONS=4.3.1
node=my-cluster-dual-role-0
unit=kafka@$node.service
spec=$scratch/spec.yaml
names="internal.test kafka.test boot.route.test $node.route.test boot.ingress.test zero.ingress.test
        boot.gateway.test broker-0.gateway.test balancer.test nodes.test"
cluster_ca=/root/my-user/ca.crt
own_ca=/root/own-ca.crt

names_make() { h1 sh -c "echo $(host address h1) $(echo $names) >>/etc/hosts"; }
pid() { property "$unit" MainPID; }
change() { sed -i "$1" "$spec" && ctl apply -f - <"$spec"; } # SED
indent() { sed 's/^/    /' "$1"; }

own_certificate() { # makes $scratch/own.crt and own.key, signed by an authority of ours
        local common=$1
        [ -e "$scratch/own-ca.key" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=our-own \
                -keyout "$scratch/own-ca.key" -out "$scratch/own-ca.crt" 2>/dev/null
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$common" \
                -keyout "$scratch/own.key" -out "$scratch/own.csr" 2>/dev/null
        openssl x509 -req -in "$scratch/own.csr" -CA "$scratch/own-ca.crt" -CAkey "$scratch/own-ca.key" -days 1 \
                -extfile <(echo "subjectAltName=DNS:balancer.test") -out "$scratch/own.leaf" 2>/dev/null
        cat "$scratch/own.leaf" "$scratch/own-ca.crt" >"$scratch/own.crt"
}

secret_make() {
        printf '%s\n' "apiVersion: v1" "kind: Secret" "metadata: {name: own-certificate}" "stringData:"
        printf '  tls.crt: |\n%s\n  tls.key: |\n%s\n' "$(indent "$scratch/own.crt")" "$(indent "$scratch/own.key")"
}

spec_make() {
        cat <<-EOF
	apiVersion: kafka.strimzi.io/v1
	kind: KafkaNodePool
	metadata: {name: dual-role, labels: {strimzi.io/cluster: my-cluster}}
	spec: {replicas: 1, roles: [controller, broker], storage: {type: persistent-claim, size: 1Gi}}
	---
	apiVersion: kafka.strimzi.io/v1
	kind: KafkaUser
	metadata: {name: my-user, labels: {strimzi.io/cluster: my-cluster}}
	spec: {authentication: {type: tls}}
	---
	apiVersion: kafka.strimzi.io/v1
	kind: Kafka
	metadata: {name: my-cluster}
	spec:
	  kafka:
	    version: 4.3.1
	    jvmOptions: {-Xms: 64m, -Xmx: 256m}
	    authorization: {type: simple, superUsers: [ANONYMOUS, CN=my-user, ann]}
	    config: {default.replication.factor: 1, offsets.topic.replication.factor: 1}
	    listeners:
	    - name: plain
	      port: 9092
	      type: internal
	      tls: false
	    - name: tls
	      port: 9093
	      type: internal
	      tls: true
	      configuration: {brokers: [{broker: 0, advertisedHost: internal.test}]}
	    - name: service
	      port: 9094
	      type: cluster-ip
	      tls: true
	      authentication: {type: tls}
	      configuration: {bootstrap: {alternativeNames: [kafka.test, "*.wild.test", 10.1.2.3]}}
	    - name: route
	      port: 9095
	      type: route
	      tls: true
	      configuration: {bootstrap: {host: boot.route.test}, hostTemplate: "{nodePodName}.route.test"}
	    - name: ingress
	      port: 9096
	      type: ingress
	      tls: true
	      configuration: {bootstrap: {host: boot.ingress.test}, brokers: [{broker: 0, host: zero.ingress.test}]}
	    - name: gateway
	      port: 9097
	      type: tlsroute
	      tls: true
	      configuration: {parentRefs: [{name: g}], bootstrap: {host: boot.gateway.test}, hostTemplate: "broker-{nodeId}.gateway.test"}
	    - name: balancer
	      port: 9098
	      type: loadbalancer
	      tls: true
	      configuration:
	        brokerCertChainAndKey: {secretName: own-certificate, certificate: tls.crt, key: tls.key}
	        advertisedHostTemplate: balancer.test
	        advertisedPortTemplate: "9098 + {nodeId}"
	        maxConnections: 3
	    - name: nodes
	      port: 9099
	      type: nodeport
	      tls: false
	      configuration: {brokers: [{broker: 0, nodePort: 32000, advertisedHost: nodes.test}]}
	    - name: scram
	      port: 9100
	      type: internal
	      tls: true
	      authentication: {type: scram-sha-512}
	    - name: custom
	      port: 9101
	      type: internal
	      tls: true
	      authentication:
	        type: custom
	        sasl: true
	        listenerConfig:
	          sasl.enabled.mechanisms: PLAIN
	          plain.sasl.jaas.config: org.apache.kafka.common.security.plain.PlainLoginModule required user_ann="secret of ann";
	---
	EOF
        secret_make
}

tls() { echo "-X security.protocol=ssl -X ssl.endpoint.identification.algorithm=https -X ssl.ca.location=${1:-$cluster_ca}"; }
advertised() { # BOOTSTRAP OPTIONS...: host and port of the broker, as clients are told
        local bootstrap=$1
        shift
        h1 sh -c "kcat -L -J -m ${PATIENCE:-20} -b $bootstrap $*" | jq -r '.brokers[].name'
}
reached() { # BOOTSTRAP ADVERTISED OPTIONS...: by metadata, and with messages there and back
        local bootstrap=$1 expected=$2
        shift 2
        same "$expected" "$(advertised "$bootstrap" "$@")" && passes "$bootstrap" demo "$@"
}

listens() { h1 bash -c "exec 3<>/dev/tcp/h1/$1"; } # PORT
refused_to() { PATIENCE=5 fails advertised "$@"; }
says() { # TEXT COMMAND...: whether it fails or not
        local text=$1 output
        output=$("${@:2}" 2>&1)
        contains "$text" <<<"$output"
}

# kcat is too old for SCRAM with Kafka 4.
scram_settings() { # PASSWORD
        printf '%s\n' security.protocol=SASL_SSL sasl.mechanism=SCRAM-SHA-512 ssl.truststore.type=PEM \
                request.timeout.ms=10000 default.api.timeout.ms=15000 \
                "ssl.truststore.location=$cluster_ca" \
                "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username=\"ann\" password=\"$1\";"
}
topics_by_scram() { # PASSWORD
        scram_settings "$1" | h1 sh -c "umask 077; cat >/root/scram.properties"
        java_tool org.apache.kafka.tools.TopicCommand --bootstrap-server h1:9100 --command-config /root/scram.properties --list
}

test_clients() {
        check "internal: at the address of the host" reached h1:9092 h1:9092
        check "internal with a declared host" reached h1:9093 internal.test:9093 "$(tls)"
        check "cluster-ip, with a certificate of the client" reached kafka.test:9094 h1:9094 "$(tls_options my-user)" \
                -X ssl.endpoint.identification.algorithm=https
        check "cluster-ip refuses a client without one" refused_to kafka.test:9094 "$(tls)"
        check "route: under the host of its template" reached boot.route.test:9095 "$node.route.test:9095" "$(tls)"
        check "ingress: under the host of the broker" reached boot.ingress.test:9096 zero.ingress.test:9096 "$(tls)"
        check "tlsroute: under the host of its template" reached boot.gateway.test:9097 broker-0.gateway.test:9097 "$(tls)"
        check "loadbalancer: with a certificate of our own" reached balancer.test:9098 balancer.test:9098 "$(tls $own_ca)"
        check "which the cluster's authority did not sign" refused_to balancer.test:9098 "$(tls)"
        check "nodeport: the broker listens on its node port" reached nodes.test:32000 nodes.test:32000
        check "nothing listens on the listener's own" fails listens 9099
        check "as it does on others" listens 9098
        check "a user with a password is made" java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --alter \
                --entity-type users --entity-name ann --add-config 'SCRAM-SHA-512=[password=geheim]'
        check "scram-sha-512: with the password" eval 'topics_by_scram geheim | contains demo'
        check "scram-sha-512 refuses another" says SaslAuthenticationException topics_by_scram falsch
        check "custom: with what listenerConfig says" reached h1:9101 h1:9101 "$(tls | sed s/=ssl/=sasl_ssl/)" \
                -X sasl.mechanisms=PLAIN -X sasl.username=ann "-X 'sasl.password=secret of ann'"
        check "custom refuses another password" refused_to h1:9101 "$(tls | sed s/=ssl/=sasl_ssl/)" \
                -X sasl.mechanisms=PLAIN -X sasl.username=ann -X sasl.password=x
}

status() { ctl get kafka my-cluster -o json | jq -r ".status.listeners[] | select(.name == \"$1\") | $2"; } # LISTENER JQ
served() { h1 sh -c "openssl s_client -connect h1:$1 -servername x </dev/null 2>/dev/null" | openssl x509 -noout "${@:2}"; } # PORT OPTION...

test_status() {
        check "the status: the declared host of the first contact, then the broker" same \
                "boot.route.test:9095,$node.route.test:9095" "$(status route .bootstrapServers)"
        check "with a node port" same "nodes.test 32000" "$(status nodes '.addresses[0] | "\(.host) \(.port)"')"
        check "and the certificate of our own" same "$(cat "$scratch/own.crt")" "$(status balancer '.certificates[0]')"
        check "other listeners have the authority's" eval 'same "$(h1 cat $cluster_ca)" "$(status tls ".certificates[0]")"'
        local reached_as
        for reached_as in internal.test kafka.test x.wild.test boot.ingress.test "$node.route.test"; do
                check "$reached_as is in the certificate" eval 'served 9093 -checkhost $reached_as | contains "does match"'
        done
        check "an address, too" eval 'served 9093 -checkip 10.1.2.3 | contains "does match"'
        check "what means nothing here is reported" warning "spec.kafka.listeners[5].configuration.parentRefs"
        check "no password is in what everybody reads" fails h1 grep -rl "secret of ann" /etc/systemd/system
}

hold() { # COUNT: that many connections to the listener balancer, until let_go
        h1 bash -c "for i in \$(seq $1); do exec {fd}<>/dev/tcp/h1/9098; done; echo held \$\$; exec sleep 300" >"$scratch/held" &
        holder=$!
        wait_for 20 "$1 connections" grep held "$scratch/held"
}
let_go() { h1 kill "$(sed -n 's/^held //p' "$scratch/held")"; wait "$holder"; }
answers() { PATIENCE=5 advertised balancer.test:9098 "$(tls $own_ca)" | contains balancer.test:9098; }
limit_is() { java_tool kafka.admin.ConfigCommand --bootstrap-server h1:9092 --describe --all --entity-type brokers --entity-name 0 |
        contains " listener.name.balancer-9098.max.connections=$1 "; }

test_limits() {
        local before
        before=$(pid)
        hold 3
        check "three connections are all there are" fails answers
        check "the limit is raised" change 's/maxConnections: 3/maxConnections: 20/'
        check "the broker has it" wait_for 60 "the limit" limit_is 20
        calm "a limit: done"
        check "there is room again" answers
        let_go
        check "the limit is lifted" change '/maxConnections:/d'
        calm "no limit: done"
        check "the broker has none" limit_is 2147483647
        check "nothing was restarted" same "$before" "$(pid)"
}

test_certificate() {
        own_certificate another
        sed -i '/^kind: Secret/,$d' "$spec"
        sed -i '$d' "$spec"
        secret_make >>"$spec"
        check "another certificate of our own" ctl apply -f - <"$spec"
        calm "it is in use"
        check "clients are shown it" eval 'served 9098 -subject | contains "another"'
        check "and reach the broker" answers
}

# h2 is a machine of somebody else.
lets_in() { on h2 timeout 5 bash -c "exec 3<>/dev/tcp/$(host address h1)/${1:-9092}"; }
peers() { echo "networkPolicyPeers: [{ipBlock: {cidr: $(host address "$1")\/32}}]"; } # HOST

test_peers() {
        local before
        host up h2 || bail "the second host does not boot"
        names_make # a host that comes has the names of all written anew
        check "without peers everybody may connect" lets_in
        before=$(pid)
        check "one listener has peers" change "0,/^      tls:/s//      $(peers h1)\n&/"
        calm "one has peers: done"
        check "they are not enforced, and that is told" warning "PeersNotEnforced"
        check "everybody still may connect" lets_in
        sed -i '/networkPolicyPeers/d' "$spec"
        check "all have the same" change "s/^      tls:/      $(peers h1)\n&/"
        calm "peers: done"
        check "somebody else may not connect" fails lets_in
        check "not to another listener either" fails lets_in 32000
        check "clients of the host itself may" reached h1:9092 h1:9092
        check "somebody else becomes a peer" change "s/$(host address h1)\/32/10.77.0.0\/24/"
        calm "other peers: done"
        check "and may connect" lets_in
        check "nothing was restarted" same "$before" "$(pid)"
}

host_with_package h1
own_certificate balancer
spec_make >"$spec"
cp "$scratch/own-ca.crt" "$(root_of h1)$own_ca"
names_make
from=$(seconds)
check "a cluster with every type of listener is applied" ctl apply -f - <"$spec"
calm "it becomes ready"
note "Ready after $(since "$from") s"
secret_files my-user
test_clients
test_status
test_limits
test_peers
test_certificate
