#!/bin/bash
# millrace-place learns labels and addresses of a machine from a real API server, as the account of a pod that has the
# right to read machines and no other, and says what is missing when it has not.
. "$(dirname "$0")/lib.sh"

server_up
account=$scratch/account
mkdir "$account"

machine() {
        kubectl apply -f - <<-END
		{"apiVersion": "v1", "kind": "Node", "metadata": {"name": "m1", "labels": {"example.com/shelf": "s7"}}}
	END
        kubectl patch node m1 --subresource=status --type=merge -p '{"status": {"addresses": [
                {"type": "InternalIP", "address": "10.0.0.7"}, {"type": "ExternalDNS", "address": "m1.example.com"}]}}'
}

# As the kubelet does it: the token is a link.
token() {
        kubectl create serviceaccount my-cluster-kafka && mkdir "$account/..data" || return
        kubectl create token my-cluster-kafka >"$account/..data/token" && ln -s ..data/token "$account/token"
        cp "/run/millrace-kube/$MILLRACE_STACK/pki/ca.crt" "$account/ca.crt"
}

place() { # WHAT...
        local address=${server#https://}
        NODE_NAME=m1 KUBERNETES_SERVICE_HOST=${address%:*} KUBERNETES_SERVICE_PORT=${address##*:} \
                "$MILLRACE_BUILD/millrace-place" --account "$account" "$scratch/place" "$@"
}

# What the lowering makes of a cluster with a rack of another label, and nothing else.
binding() {
        sed 's/^  kafka:$/&\n    rack: {topologyKey: example.com\/shelf}/' "$MILLRACE_REPOSITORY/etc/examples/kafka-single.yaml" \
                >"$scratch/rack.yaml"
        millctl plan --platform kubernetes -f "$scratch/rack.yaml" -o manifests >"$scratch/manifests" || return
        awk -v RS='---\n' '/\nkind: ClusterRoleBinding\n/' "$scratch/manifests" >"$scratch/binding"
        kubectl apply --server-side -f "$MILLRACE_REPOSITORY/packaging/kubernetes/cluster-wide/machines.yaml" &&
                kubectl apply --server-side -f "$scratch/binding"
}

may() { same "$1" "$(kubectl auth can-i "${@:2}" --as=system:serviceaccount:default:my-cluster-kafka 2>/dev/null)"; }

check "a machine" machine
check "an account with a token" token
check_fails "without the right it learns nothing" place A=label:example.com/shelf
check "it says which" contains "bind the ClusterRole millrace-machine-reader" < <(place A=label:example.com/shelf 2>&1)
check "the right that the lowering gives" binding
check "it learns what it asks for" wait_for 20 "the right" place A=label:example.com/shelf B=address: C=address:InternalIP D=label:none
check "that is right" same "A=s7 B=m1.example.com C=10.0.0.7 D= " "$(tr '\n' ' ' <"$scratch/place")"
check "it may not list machines" may no list nodes
check "it may not read secrets" may no get secrets
rm "$account/token"
check_fails "without a token it learns nothing" place A=label:example.com/shelf
