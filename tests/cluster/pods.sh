#!/bin/bash
# Kafka in real pods on real nodes, from the files that hosts get: each shape becomes ready, and other people's clients send
# and read messages over it, from inside and from outside. The daemon is a process beside the cluster, with a kubeconfig.
. "$(dirname "$0")/nodes-lib.sh"

nodes_up 3 3.9.1 4.3.1
bootstrap=my-cluster-kafka-bootstrap

# As somebody who is no part of the cluster: by a port of a machine, and with what was handed over. No certificate names
# machines, which come and go.
outside_address() {
        echo "10.200.0.12:$(kubectl get service my-cluster-kafka-outside-bootstrap -o 'jsonpath={.spec.ports[0].nodePort}')"
}
outside_options() {
        local name
        for name in user.crt user.key; do
                kubectl get secret my-user -o json | jq -r --arg name "$name" '.data[$name]' | base64 -d >"$scratch/$name"
        done
        within cat /authority/ca.crt >"$scratch/ca.crt"
        echo "-X security.protocol=ssl -X ssl.ca.location=$scratch/ca.crt -X ssl.certificate.location=$scratch/user.crt -X ssl.key.location=$scratch/user.key -X ssl.endpoint.identification.algorithm=none"
}
kubectl apply --server-side -f "$MILLRACE_REPOSITORY/packaging/kubernetes/cluster-wide/machines.yaml" >/dev/null
check "the settings of the daemon" daemon_config
check "the daemon begins" daemon_up

# --- one node of both roles

example kraft-single-node >"$scratch/one.yaml"
becomes_ready "one" "$scratch/one.yaml" 1
check "one: its authority is there" wait_for 120 "the file" has_file /authority/ca.crt
check "one: messages" passes in_clients $bootstrap:9092 demo ""
check "one: messages over TLS" passes in_clients $bootstrap:9093 demo "$tls"
cluster_end "one"

# --- three of both roles, with a listener of each kind that needs nothing else

becomes_ready "combined" "$MILLRACE_REPOSITORY/tests/specs/kraft-combined.yaml" 3
check "combined: its user is there" wait_for 120 "the file" has_file /user/user.crt
check "combined: its authority is the new one" wait_for 120 "the file" same_authority
check "combined: messages over TLS" passes in_clients $bootstrap:9093 demo "$tls"
check "combined: messages over mTLS" passes in_clients $bootstrap:9094 demo "$mtls"
check "combined: messages from outside" passes outside "$(outside_address)" demo "$(outside_options)"
check "combined: no messages without a certificate" fails in_clients "kcat -L -m 5 -b $bootstrap:9094 $tls"
cluster_end "combined"
check "the daemon ends as it should" daemon_down
