#!/bin/bash
# Resources that live in the API server, as for an operator: applied, edited, scaled and deleted with kubectl, while
# millraced is there and while it is not; its answers are in their status.
. "$(dirname "$0")/lib.sh"

server_up
trap 'daemon_down; "$kube/kube" down "$MILLRACE_STACK"; finish' EXIT
example=$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml
set_of=my-cluster-dual-role-0
kinds=statefulset,persistentvolumeclaim,service,configmap,secret,poddisruptionbudget,networkpolicy,serviceaccount

millctl() { "$MILLRACE_BUILD/millctl" --socket "$scratch/api.sock" "$@"; }
merge() { kubectl patch "${@:3}" "$1" --type=merge -p "$2"; } # OBJECT PATCH
field() { kubectl get "$1" "${@:3}" -o "jsonpath=$2"; } # OBJECT PATH
count() { kubectl get "$1" -A -l app.kubernetes.io/managed-by=millrace --no-headers 2>/dev/null | wc -l; }
counts() { for kind in ${kinds//,/ }; do count "$kind"; done | paste -sd " "; }
ready() { kubectl get "$@" -o json | jq -e '.status.conditions[] | select(.type == "Ready")'; } # OBJECT
is_ready() { ready "${@:2}" | jq -r '"\(.status) \(.reason // "")\(.message // "")"' | contains "$1"; } # TEXT OBJECT
is_observed() { # OBJECT
        kubectl get "$@" -o json | jq -e '.status.observedGeneration == .metadata.generation'
}
is_stored() { millctl get "$1" "$2" -n "${3:-default}"; } # KIND NAME [NAMESPACE]
is_not_stored() { ! is_stored "$@"; }
no_pods() { same 0 "$(kubectl get pods -A --no-headers 2>/dev/null | wc -l)"; }

# --- kinds the server does not have

check "the controllers run" "$kube/kube" manage "$MILLRACE_STACK"
daemon_config "$KUBECONFIG"
: >"$scratch/log"
check "the daemon begins" daemon_up
check "kinds that are missing are told with what to do" wait_for 10 "the log" is_logged "does not know kafkas.kafka.strimzi.io; install what describes them: kubectl apply"
sleep 11
check "once" same 1 "$(grep -c 'does not know kafkas' "$scratch/log")"
check "and are found when they are there" eval 'established "$crds"/*.yaml && wait_for 20 "the log" is_logged "Resources of kind KafkaUser are followed"'

# --- from applying to status

user() { # [NAMESPACE]
        kubectl apply -f - <<-YAML
		apiVersion: kafka.strimzi.io/v1
		kind: KafkaUser
		metadata: {name: ann, namespace: ${1:-default}, labels: {strimzi.io/cluster: my-cluster}}
		spec: {authentication: {type: tls}}
	YAML
}
start=$(seconds)
check "a cluster is applied" kubectl apply -f "$example"
check "a pod is made of it" wait_for 20 "the pod" kubectl get pod "$set_of-0"
note "apply → the pod: $(since "$start") s"
check "and a user" eval 'user && wait_for 10 "its secret" kubectl get secret ann'
check "the cluster says what it waits for" wait_for 10 "its status" is_ready "False Creating$set_of" kafka my-cluster
check "and which version it is" same 4.3.1 "$(field kafka/my-cluster '{.status.kafkaVersion}')"
check "its pool has a status" eval 'same "[0]" "$(field knp/dual-role "{.status.nodeIds}")"'
check "the user, too" eval 'wait_for 10 "its status" is_observed kafkauser ann && same CN=ann "$(field kafkauser/ann "{.status.username}")"'
for object in "kafka my-cluster" "knp dual-role" "kafkauser ann"; do
        check "of this generation: $object" is_observed $object
done

uid() { field "$1" '{.metadata.uid}'; }
owners() { kubectl get "$1" -o json | jq -r '.metadata.ownerReferences[]? | "\(.kind) \(.uid)"'; }
check "a set is owned by its pool" eval 'same "KafkaNodePool $(uid knp/dual-role)" "$(owners "sts/$set_of")"'
check "a service by the cluster" eval 'same "Kafka $(uid kafka/my-cluster)" "$(owners svc/my-cluster-kafka-bootstrap)"'
check "a secret by the user" eval 'same "KafkaUser $(uid kafkauser/ann)" "$(owners secret/ann)"'
check "the claim by nobody" eval 'same "" "$(owners "pvc/data-0-$set_of")"'
check "the local API shows it" is_stored kafka my-cluster
check_fails "and does not change it" eval 'millctl delete kafka my-cluster >"$scratch/refused" 2>&1'
check "but says where to" eval 'contains kubectl <"$scratch/refused"'

# --- nothing is done twice

written() { kubectl get kafka,knp,kafkauser,$kinds -A --show-managed-fields -o json |
        jq -r '.items[] | select(.kind != "StatefulSet" and .kind != "PersistentVolumeClaim") | "\(.kind)/\(.metadata.name) \(.metadata.uid) \(.metadata.resourceVersion)"'; }
is_calm() { # what was done is told a moment later
        written >"$scratch/written" && sleep 1 && same "$(cat "$scratch/written")" "$(written)"
}
check "and all has been told" wait_for 20 "the last of it" is_calm
forget_steps
check "the daemon begins again" eval 'daemon_down; daemon_up && wait_for 10 "the log" is_logged "The first pass over 3"'
sleep 3
check "it has done nothing" same 0 "$(steps)"
check "nothing was written" same "$(cat "$scratch/written")" "$(written)"

# --- what is not valid

sets() { kubectl get sts,cm,svc -A -l app.kubernetes.io/managed-by=millrace -o json | jq -r '.items[] | "\(.kind)/\(.metadata.name) \(.metadata.uid) \(.metadata.generation)"'; }
sets >"$scratch/sets"
check "an edit that makes no sense" merge kafka/my-cluster '{"spec":{"kafka":{"version":"9.9.9"}}}'
check "is answered in the status" wait_for 10 "the status" is_ready "False InvalidResourcespec.kafka.version: Kafka 9.9.9 is not known" kafka my-cluster
check "of its generation" is_observed kafka my-cluster
check "what was known of it is still there" same 4.3.1 "$(field kafka/my-cluster '{.status.kafkaVersion}')"
check "the objects stay" same "$(cat "$scratch/sets")" "$(sets)"
kubectl get kafka my-cluster -o json >"$scratch/refused.json"
check "another start of the daemon" eval 'forget_steps; daemon_down; daemon_up && wait_for 10 "the log" is_logged "The first pass over 3"'
sleep 2
check "changes no word of it" eval 'same "$(jq .metadata.resourceVersion "$scratch/refused.json")" "$(kubectl get kafka my-cluster -o json | jq .metadata.resourceVersion)"'
check "a right one" merge kafka/my-cluster '{"spec":{"kafka":{"version":"4.3.1"}}}'
check "is taken" wait_for 10 "the status" is_ready "False Creating" kafka my-cluster
check "and observed" wait_for 5 "the status" is_observed kafka my-cluster
check "one that never was valid" kubectl apply -f - <<-YAML
	apiVersion: kafka.strimzi.io/v1
	kind: KafkaNodePool
	metadata: {name: lost}
	spec: {replicas: 1, roles: [broker], storage: {type: ephemeral}}
YAML
check "is told why" wait_for 10 "its status" is_ready "InvalidResourcemetadata.labels: a KafkaNodePool belongs to a Kafka" knp lost
check "and is not there" is_not_stored kafkanodepool lost
kubectl delete knp lost >/dev/null

# --- somebody else writes its status

check "a status somebody else writes" kubectl patch kafka my-cluster --subresource=status --type=merge -p '{"status":{"kafkaVersion":"0.0.1"}}'
check "is put right" wait_for 10 "the status" eval 'same 4.3.1 "$(field kafka/my-cluster "{.status.kafkaVersion}")"'

# --- pools

check "a pool of brokers" kubectl apply -f - <<-YAML
	apiVersion: kafka.strimzi.io/v1
	kind: KafkaNodePool
	metadata: {name: more, labels: {strimzi.io/cluster: my-cluster}}
	spec: {replicas: 1, roles: [broker], storage: {type: ephemeral}}
YAML
check "gets its node" wait_for 20 "the set" kubectl get sts my-cluster-more-1
check "is scaled with kubectl" kubectl scale knp/more --replicas=2
check "and gets another one" wait_for 20 "the set" kubectl get sts my-cluster-more-2
check "which its status says" wait_for 10 "its status" eval 'same "[1,2]" "$(field knp/more "{.status.nodeIds}")"'

# --- data it refers to

logging() { # LEVEL
        kubectl create configmap words --from-literal="log4j2.properties=rootLogger.level=$1" --dry-run=client -o yaml | kubectl apply --server-side --force-conflicts -f -
}
has_level() { field cm/$set_of '{.data}' | contains "rootLogger.level=$1"; }
secrets_here() { strings -n 4 "$scratch/state.db" "$scratch"/state.db-* | grep -c "$1"; }
other_secret() { kubectl create secret generic nobodys --from-literal=key=unrelated-secret-value; }
check "a logging nobody has written" merge kafka/my-cluster '{"spec":{"kafka":{"logging":{"type":"external","valueFrom":{"configMapKeyRef":{"name":"words","key":"log4j2.properties"}}}}}}'
check "is missed" wait_for 10 "the status" is_ready "words" kafka my-cluster
check "until it is there" eval 'logging WARN && wait_for 15 "the node" has_level WARN'
check "and is followed" eval 'logging ERROR && wait_for 15 "the node" has_level ERROR'
check "the store knows it" is_stored configmap words
check "what nobody refers to" other_secret
sleep 1
check "it does not" eval 'is_not_stored secret nobodys && same 0 "$(secrets_here dW5yZWxhdGVkLXNlY3JldC12YWx1ZQ)"'
check "without the reference" kubectl patch kafka my-cluster --type=json -p '[{"op":"remove","path":"/spec/kafka/logging"}]'
check "it is not known any more" wait_for 15 "the store" is_not_stored configmap words

# --- annotations

check "a cluster that is to be left alone" kubectl annotate kafka my-cluster strimzi.io/pause-reconciliation=true
is_stored_ask() { millctl get secret my-cluster-cluster-ca-cert -o json | contains force-renew; }
is_paused() { kubectl get kafka my-cluster -o json | jq -e '.status.conditions[] | select(.type == "ReconciliationPaused" and .status == "True")'; }
check "says so" wait_for 10 "its status" is_paused
check "what is edited meanwhile" merge "cm/$set_of" '{"data":{"server.properties":"broker.id=7"}}'
sleep 3
check "stays edited" eval 'field "cm/$set_of" "{.data}" | contains broker.id=7'
check "until the end of that" kubectl annotate kafka my-cluster strimzi.io/pause-reconciliation-
is_restored() { ! field "cm/$set_of" "{.data}" | contains broker.id=7; }
check "when it is put right" wait_for 20 "the node" is_restored
check_fails "which the status says" is_paused

asks() { field "$1" '{.metadata.annotations}' | contains "$2"; }
authority() { field secret/my-cluster-cluster-ca-cert '{.data.ca\.crt}'; }
is_renewed() { [ "$(authority)" != "$before" ]; }
for round in first second; do
        before=$(authority)
        check "a certificate that is asked for, the $round time" kubectl annotate secret my-cluster-cluster-ca-cert strimzi.io/force-renew=true
        check "is made anew" wait_for 20 "the certificate" is_renewed
        check "and the annotation goes" wait_for 10 "the secret" fails asks secret/my-cluster-cluster-ca-cert force-renew
        check "when it is done" wait_for 10 "the store" fails is_stored_ask
done
check "a node that is to be rolled" kubectl annotate sts "$set_of" strimzi.io/manual-rolling-update=true
check "is remembered, and the annotation goes" wait_for 10 "the set" fails asks "sts/$set_of" manual-rolling-update
check "which is told" is_logged "manual-rolling-update of StatefulSet default/$set_of was understood"
check "data that is not there" kubectl annotate pod "$set_of-0" strimzi.io/delete-pod-and-pvc=true
check "is not given up" wait_for 10 "the log" is_logged "has no effect: no storage with data"

# --- the API server goes away

check "an API server that goes away" "$kube/kube" away "$MILLRACE_STACK"
sleep 3
check "is back" "$kube/kube" back "$MILLRACE_STACK"
check "what is applied then" kubectl scale knp/more --replicas=1
check "is followed" wait_for 60 "the pool" eval 'same "[1]" "$(field knp/more "{.status.nodeIds}")"'
check "a pool that is deleted" kubectl delete knp more --wait=false
check "goes" wait_for 60 "the sets" eval 'same 1 "$(count statefulset)"'

# --- it goes

check "a cluster that is deleted" kubectl delete --wait=false -f "$example"
check "takes all but its claim with it" wait_for 60 "the objects" eval 'same "0 1 0 0 1 0 0 0" "$(counts)"'
check "and is known no more" wait_for 10 "the store" is_not_stored kafka my-cluster
check "no finalizer was needed" eval '! kubectl get kafka my-cluster'
kubectl delete kafkauser ann --wait=false >/dev/null
check "its user goes" wait_for 20 "the secret" fails kubectl get secret ann

last_words() { tail -n 15 "$scratch/log" | jq -r '"# \(.TIME) \(.MESSAGE)"'; }
start=$(seconds)
check "another one" eval 'kubectl apply -f "$example" && wait_for 60 "the pod" kubectl get pod "$set_of-0"' || last_words
note "apply → the pod: $(since "$start") s"
check "that is deleted and made anew at once" eval 'before=$(uid kafka/my-cluster); kubectl delete kafka my-cluster && kubectl apply -f "$example"'
is_new() { same "Kafka $(uid kafka/my-cluster)" "$(owners svc/my-cluster-kafka-bootstrap)"; }
check "is made anew" wait_for 60 "the service" is_new
check "it has a status" wait_for 20 "the status" is_observed kafka my-cluster

check "nobody is there" daemon_down
check "when it is deleted" kubectl delete -f "$example"
check "the collector cleans up" wait_for 60 "the objects" eval 'same "0 1 0 0 0 0 0 0" "$(counts)"'
forget_steps
check "the daemon" eval 'daemon_up && wait_for 10 "the log" is_logged "is taken down"'
check "forgets it" wait_for 10 "the store" is_not_stored kafka my-cluster
sleep 2
check "and makes nothing" eval 'same "0 1 0 0 0 0 0 0" "$(counts)"'
check "its claim stays" kubectl delete pvc "data-0-$set_of" --wait=false

sed 's/deleteClaim: false/deleteClaim: true/' "$example" >"$scratch/deletes.yaml"
check "one with deleteClaim" eval 'kubectl apply -f "$scratch/deletes.yaml" && wait_for 30 "the claim" eval "owners pvc/data-0-$set_of | contains KafkaNodePool"'
check "takes its claim with it" eval 'daemon_down; kubectl delete -f "$scratch/deletes.yaml" && wait_for 60 "the objects" eval "same \"0 0 0 0 0 0 0 0\" \"\$(counts)\""'
check "the daemon is back" daemon_up

# --- what belongs to no namespace

hold=millrace.io/cluster-scoped
has_hold() { field kafka/machines '{.metadata.finalizers}' | contains "$hold"; }
bindings() { kubectl get clusterrolebinding -l app.kubernetes.io/managed-by=millrace --no-headers 2>/dev/null | wc -l; }
check "one that asks for its machines" kubectl apply -f "$MILLRACE_REPOSITORY/tests/golden/specs/machines.yaml"
check "has a binding" wait_for 20 "the binding" eval 'same 1 "$(bindings)"'
check "and is kept for its sake" has_hold
check "without a daemon" eval 'daemon_down; kubectl delete kafka machines --wait=false'
sleep 3
check "it waits" eval 'same 1 "$(bindings)" && has_hold'
check "the daemon comes" daemon_up
check "it goes" wait_for 60 "the cluster" fails kubectl get kafka machines
check "with its binding" same 0 "$(bindings)"
kubectl delete knp --all --wait=false >/dev/null
check "and all of it" wait_for 60 "the objects" eval 'same 0 "$(count statefulset)" && same 0 "$(count service)"'

# --- which are followed

in_namespace() { # NAMESPACE [LABEL]
        kubectl get ns "$1" >/dev/null 2>&1 || kubectl create ns "$1"
        kubectl apply -n "$1" -f "$example" && user "$1" && [ -z "${2:-}" ] || kubectl label -n "$1" kafka my-cluster "$2" --overwrite
}
has_set() { kubectl get sts -n "$1" "$set_of"; }
check "namespaces by list" eval 'daemon_down; daemon_config "$KUBECONFIG" "namespaces: [red, blue]"; daemon_up'
check "in each there is one" eval 'in_namespace red && in_namespace blue && in_namespace green'
check "the first" wait_for 30 "the set" has_set red
check "and the second are made" wait_for 30 "the set" has_set blue
check_fails "the third is not" has_set green
check_fails "nor has it a status" eval 'field kafka/my-cluster "{.status}" -n green | contains conditions'
sets >"$scratch/sets"
check "a namespace that is followed no more" eval 'daemon_down; daemon_config "$KUBECONFIG" "namespaces: [red]"; daemon_up'
check "is forgotten" wait_for 15 "the store" is_not_stored kafka my-cluster blue
sleep 3
check "and stays as it is" same "$(cat "$scratch/sets")" "$(sets)"

check "some by their labels" eval 'daemon_down; daemon_config "$KUBECONFIG" "selector: team=a"; daemon_up'
check "those without are forgotten" wait_for 15 "the store" is_not_stored kafka my-cluster red
check "with their users" is_not_stored kafkauser ann red
check "and stay" same "$(cat "$scratch/sets")" "$(sets)"
check "one that has it" in_namespace green team=a
check "is made" wait_for 30 "the set" has_set green
check "and has its user" wait_for 15 "the secret" kubectl get secret ann -n green
check "nothing failed" eval '! grep -c "\"MESSAGE\": \"[^\"]*panic\|AddressSanitizer" "$scratch/log"'
check "the daemon ends as it should" daemon_down
