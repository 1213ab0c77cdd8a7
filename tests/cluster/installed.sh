#!/bin/bash
# The daemon as it is installed: a pod of its own image, from packaging/kubernetes, with the rights that are given there and
# no other. The namespace takes none but the most restricted pods. It makes a cluster, survives its own end, and does
# nothing twice.
. "$(dirname "$0")/nodes-lib.sh"

nodes_up 1 4.3.1
packaging=$MILLRACE_REPOSITORY/packaging/kubernetes

# What is copied, beside what comes from the distribution.
small() { awk '/COPY/ {n += $3} END {print n " MB"; exit n > 25}' "$scratch/sizes"; }
check "the image has no more than 25 MB of its own" small
note "the image: $(cat "$scratch/check")"

# What an administrator writes: an overlay that names the images of this place.
overlay() { # INSTALLATION
        mkdir -p "$scratch/overlay"
        cp -r "$packaging" "$scratch/packaging"
        cat >"$scratch/overlay/kustomization.yaml" <<-YAML
		resources: [../packaging/$1]
		images: [{name: millrace/millraced, newName: localhost/millrace/millraced, newTag: test}]
		patches:
		- target: {kind: Deployment, name: millrace}
		  patch: |
		    - {op: replace, path: /spec/template/spec/containers/0/env/0/value, value: "localhost/millrace/millraced:test"}
		    - {op: add, path: /spec/template/spec/containers/0/env/-, value: {name: STRIMZI_KAFKA_IMAGES, value: "4.3.1=localhost/millrace/kafka:4.3.1"}}
	YAML
        kubectl create namespace millrace && kubectl label namespace millrace pod-security.kubernetes.io/enforce=restricted &&
                kubectl apply --server-side -k "$scratch/overlay"
}
daemon_pod() { kubectl -n millrace get pods -l app.kubernetes.io/name=millrace -o 'jsonpath={.items[0].metadata.name}'; }
is_up() { kubectl -n millrace rollout status deployment/millrace --timeout=2s; }
log() { kubectl -n millrace logs deployment/millrace; }
ctl() { kubectl -n millrace exec deployment/millrace -- millctl "$@"; }
resources() { kubectl -n millrace create configmap millrace-resources --from-file="$1" --dry-run=client -o yaml | kubectl apply --server-side -f -; }
is_settled() { ctl get kafka -n millrace my-cluster -o json | jq -e '.status.conditions[] | select(.type == "Ready" and .status == "True")' && ctl plan -n millrace | contains "Nothing to do."; }
steps() { log | grep -c '"MILLRACE_STATION": "apply"' || true; }
check "it is installed for a namespace" overlay namespaced || { cat "$scratch/check"; bail "it cannot be installed"; }
sed '/^metadata:/a\  namespace: millrace' "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" >"$scratch/spec.yaml"
check "a file for it" resources "$scratch/spec.yaml"
check "it runs" wait_for 60 "the deployment" is_up || kubectl -n millrace describe pods | tail -n 20
check "a cluster is made of the file" wait_for 150 "the cluster" is_settled || { log | tail -n 10 | cut -c1-300; kubectl get pods -A; }
check "its pod is ready" kubectl -n millrace wait --for=condition=Ready pod/my-cluster-dual-role-0-0 --timeout=5s
# What is its own, and no page of a library.
memory() { node exec 1 sh -c 'sed -n "s/^RssAnon:[^0-9]*//p" "/proc/$(pgrep -x millraced | head -n 1)/status"'; }
note "the daemon has $(memory) of its own"
check "nothing it needs is forbidden" eval '! log | grep forbidden'
check "it may not read what is elsewhere" same no "$(kubectl auth can-i list secrets -n default --as=system:serviceaccount:millrace:millrace 2>/dev/null)"
check "it may not run anything in pods" same no "$(kubectl auth can-i create pods/exec -n millrace --as=system:serviceaccount:millrace:millrace 2>/dev/null)"

broker=$(uid_of "-n millrace pod/my-cluster-dual-role-0-0")
before=$(daemon_pod)
is_replaced() { [ "$(daemon_pod)" != "$before" ] && is_up; }
check "the daemon's pod is deleted" kubectl -n millrace delete pod "$before"
check "another one runs" wait_for 60 "the deployment" is_replaced
check "it has nothing to do" wait_for 60 "the plan" is_settled
sleep 5
check "it has done nothing" same 0 "$(steps)"
check "the broker is the one it was" same "$broker" "$(uid_of "-n millrace pod/my-cluster-dual-role-0-0")"

# --- two of them

holder() { kubectl -n millrace get lease millrace -o 'jsonpath={.spec.holderIdentity}'; }
leads_alone() { [ "$(kubectl -n millrace get pods -l app.kubernetes.io/name=millrace --no-headers | grep -c ' 1/1 ')" = 2 ] && [ "$(holder)" = "$leader" ]; }
another_leads() { [ -n "$(holder)" ] && [ "$(holder)" != "$leader" ]; }
words_of() { kubectl -n millrace logs "pod/$1"; }
leader=$(holder)
check "it holds the lease" same "$(daemon_pod)" "$leader"
check "there are to be two of them" kubectl -n millrace scale deployment/millrace --replicas=2
check "the second one waits, and is ready" wait_for 60 "both pods" leads_alone
start=$(seconds)
check "the first one is deleted" kubectl -n millrace delete pod "$leader"
check "the second one leads" wait_for 30 "the lease" another_leads
note "deleted → the other leads: $(since "$start") s"
check "and has a first pass" wait_for 30 "its log" eval 'words_of "$(holder)" | contains "The first pass over"'
sleep 3
check "it has done nothing" eval 'same 0 "$(words_of "$(holder)" | grep -c "\"MILLRACE_STATION\": \"apply\"" || true)"'
check "the broker is the one it was, still" same "$broker" "$(uid_of "-n millrace pod/my-cluster-dual-role-0-0")"
check "one is enough" eval 'kubectl -n millrace scale deployment/millrace --replicas=1 && wait_for 60 "the deployment" is_settled'

is_taken_away() { same 0 "$(kubectl -n millrace get statefulsets --no-headers 2>/dev/null | wc -l)"; }
check "the file goes" kubectl -n millrace delete configmap millrace-resources
check "and the cluster with it" wait_for 150 "the end" is_taken_away
check "it is removed" kubectl delete -k "$scratch/overlay" --timeout=60s
