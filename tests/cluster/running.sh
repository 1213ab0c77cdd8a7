#!/bin/bash
# millraced at work on a real API server, as a process with a kubeconfig: what a spec wants is made, nothing is done
# twice, what somebody edits or deletes is put back, what others add stays, and what is deleted leaves its claims.
. "$(dirname "$0")/lib.sh"

server_up
trap 'daemon_down; "$kube/kube" down "$MILLRACE_STACK"; finish' EXIT
set_of=my-cluster-dual-role-0
kinds=statefulset,persistentvolumeclaim,service,configmap,secret,poddisruptionbudget,networkpolicy,serviceaccount

millctl() { "$MILLRACE_BUILD/millctl" --socket "$scratch/api.sock" "$@"; }

# What a claim is bound to is never written to.
volume() {
        kubectl apply -f - <<-YAML
		apiVersion: v1
		kind: PersistentVolume
		metadata: {name: disk}
		spec: {capacity: {storage: 10Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /nonexistent}}
	YAML
}

ours() { kubectl get "$kinds" -A --show-managed-fields -l app.kubernetes.io/managed-by=millrace -o json; }
versions() { ours | jq -r '.items[] | "\(.kind)/\(.metadata.name) \(.metadata.uid) \(.metadata.generation) \(.metadata.managedFields |
        map(select(.manager == "millrace") | .time))"'; }
# What objects say, without what the server adds as time passes.
content() { ours | jq -S '[.items[] | {kind, name: .metadata.name, labels: .metadata.labels, annotations: (.metadata.annotations // {} |
        with_entries(select(.key | startswith("millrace.io")))), data, template: .spec.template, ports: .spec.ports, type,
        limit: .spec.maxUnavailable, ingress: .spec.ingress, volumes: .spec.resources}] | sort_by(.kind, .name) | map(del(.ports[]?.nodePort))'; }
count() { kubectl get "$1" -A -l app.kubernetes.io/managed-by=millrace --no-headers 2>/dev/null | wc -l; }
is_settled() { millctl plan | contains "Nothing to do."; }
field() { kubectl get "$1" -o "jsonpath=$2"; } # OBJECT PATH

# --- it is made

daemon_config "$KUBECONFIG"
check "the controllers run" "$kube/kube" manage "$MILLRACE_STACK"
check "there is a disk" volume
check "the daemon begins" daemon_up
start=$(seconds)
cp "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" "$scratch/resources.d/"
check "a pod is made of a file" wait_for 20 "the pod" kubectl get pod "$set_of-0"
note "the file → the pod: $(since "$start") s"
check "nothing is left to do" wait_for 10 "the plan" is_settled
check "the claim is bound" wait_for 40 "the claim" eval 'same Bound "$(field "pvc/data-0-$set_of" "{.status.phase}")"'
check "each kind is there" eval 'same "1 1 2 1 7 1 1 1" "$(for kind in ${kinds//,/ }; do count "$kind"; done | paste -sd " ")"'
check "the key of an authority is kept there, too" eval 'ours | contains "\"ca.key\""'
check "a claim says whose it is" eval 'field "pvc/data-0-$set_of" "{.metadata.annotations.millrace\.io/identity}" |
        jq -e ".cluster == \"default/my-cluster\" and (.cluster_id | length) == 22 and .node == \"$set_of\""'
check "the collector leaves alone what no object owns" eval 'same "" "$(ours | jq -r ".items[].metadata.ownerReferences // empty")"'

# --- nothing is done twice

content >"$scratch/before"
versions >"$scratch/versions"
forget_steps
check "the daemon begins again" eval 'daemon_down; daemon_up'
check "and has nothing to do" wait_for 10 "the plan" is_settled
sleep 3
check "it has done nothing" same 0 "$(steps)"
check "every object is as it was" same "$(cat "$scratch/versions")" "$(versions)"

# --- what is taken away or edited comes back

is_restored() { same "$(cat "$scratch/before")" "$(content)"; }
# An object, after something was done to it, is what it was.
restored() { # NAME CMD...
        check "$1" restores "${@:2}"
}
restores() { "$@" && wait_for 45 "it" is_restored && wait_for 5 "the plan" is_settled; } # CMD...

merge() { kubectl patch "$1" --type=merge -p "$2"; } # OBJECT PATCH
remove() { kubectl delete "$@" --wait=false; }
restored "an edited file" merge "cm/$set_of" '{"data":{"server.properties":"broker.id=7"}}'
restored "a file taken away" merge "cm/$set_of" '{"data":{"server.properties":null}}'
restored "an edited secret" merge secret/my-cluster-trustbundle '{"data":{"cluster-ca.crt":"aGFoYQ=="}}'
restored "an edited image" kubectl set image "sts/$set_of" kafka=example.com/other:1
restored "a label" kubectl label "sts/$set_of" app.kubernetes.io/part-of=other --overwrite
restored "a budget" merge pdb/my-cluster-kafka '{"spec":{"maxUnavailable":3}}'
restored "ports" kubectl patch svc/my-cluster-kafka-bootstrap --type=json -p '[{"op":"remove","path":"/spec/ports/0"}]'
for object in svc/my-cluster-kafka-bootstrap "cm/$set_of" "secret/$set_of" pdb/my-cluster-kafka \
        networkpolicy/my-cluster-network-policy-kafka sa/my-cluster-kafka "sts/$set_of"; do
        restored "a deleted $object" remove "$object"
done
restored "everything at once" remove svc,cm,secret,pdb,networkpolicy,sts -l app.kubernetes.io/managed-by=millrace
another_pod() { [ "$(field "pod/$set_of-0" "{.metadata.uid}")" != "$uid" ]; }
uid=$(field "pod/$set_of-0" "{.metadata.uid}")
restored "a deleted pod" remove "pod/$set_of-0"
check "is another one then" wait_for 10 "the pod" another_pod
check "a set that was scaled down" eval 'kubectl scale "sts/$set_of" --replicas=0 &&
        wait_for 10 "the set" eval "same 1 \$(field sts/$set_of {.spec.replicas})"'

check "what others add" eval 'kubectl label "cm/$set_of" team=red && merge "cm/$set_of" "{\"data\":{\"note\":\"mine\"}}" &&
        merge svc/my-cluster-kafka-bootstrap "{\"spec\":{\"sessionAffinity\":\"ClientIP\"}}"'
forget_steps
sleep 2
check "stays" eval 'same "red mine" "$(field "cm/$set_of" "{.metadata.labels.team} {.data.note}")"'
check "and is no reason to do anything" same 0 "$(steps)"

# --- the API server goes away

content >"$scratch/before"
check "an API server that goes away" "$kube/kube" away "$MILLRACE_STACK"
is_missed() { tail -n 5 "$scratch/log" | contains "cannot be reached"; }
check "is missed" wait_for 20 "the log" is_missed
sleep 3
check "is back" "$kube/kube" back "$MILLRACE_STACK"
restored "a file edited while nobody looked" merge "cm/$set_of" '{"data":{"server.properties":"broker.id=7"}}'

# --- pods that cannot run

pod_fails() {
        kubectl patch "pod/$set_of-0" --subresource=status --type=merge -p '{"status":{"containerStatuses":[{"name":"kafka",
                "image":"x","imageID":"","ready":false,"restartCount":0,"state":{"waiting":{"reason":"ImagePullBackOff","message":"no such image"}}}]}}'
}
is_told() { kafka_status | contains "ImagePullBackOff: no such image"; }
kafka_status() { millctl get kafka my-cluster -o json | jq -r '.status.conditions[].message'; }
image_is() { same "$1" "$(field "pod/$set_of-0" "{.spec.containers[0].image}")"; }
use_image() { # IMAGE
        sed "s|^  kafka:|  kafka:\n    image: $1|" "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" >"$scratch/new" &&
                mv "$scratch/new" "$scratch/resources.d/kraft-single-node.yaml"
}
check "a pod without an image" pod_fails
check "is told of" wait_for 20 "the condition" is_told
forget_steps
sleep 3
check "and tried with patience" eval 'note "$(steps) steps in 3 s"; [ "$(steps)" -le 2 ]'
check "a spec with another" use_image example.com/better:1
check "replaces the pod" wait_for 30 "the pod" image_is example.com/better:1

# --- who may not do what it should

may_nothing() {
        kubectl create serviceaccount nobody && kubectl create token nobody >"$scratch/token" &&
                kubectl config view --raw -o json | jq --arg token "$scratch/token" '.users[0].user = {tokenFile: $token}' >"$scratch/nobody.conf"
}
last_words() { tail -n 20 "$scratch/log"; }
check "a daemon without rights" eval 'daemon_down; may_nothing && daemon_config "$scratch/nobody.conf" && daemon_up'
check "says what it may not" wait_for 10 "the log" eval 'last_words | contains "cannot be watched" && last_words | contains forbidden'
check "and is back with rights" eval 'daemon_down; daemon_config "$KUBECONFIG"; daemon_up && wait_for 20 "the plan" is_settled'
check_fails "no token is logged" grep -qF "$(cat "$scratch/token")" "$scratch/log"

# --- it goes

id=$(field "pvc/data-0-$set_of" "{.metadata.annotations.millrace\.io/identity}" | jq -r .cluster_id)
only_claims() { same "0 1 0 0 0 0 0 0" "$(for kind in ${kinds//,/ }; do count "$kind"; done | paste -sd " ")"; }
check "a file that goes" rm "$scratch/resources.d/kraft-single-node.yaml"
check "takes all but the claim with it" wait_for 20 "the objects" only_claims
check "and the resources" wait_for 10 "the resources" eval '[ "$(millctl get kafka -o json | jq ".items | length")" = 0 ]'
cp "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml" "$scratch/resources.d/"
check "the same again" wait_for 20 "the pod" kubectl get pod "$set_of-0"
check "is the cluster it was" eval 'kubectl get cm "$set_of" -o json | contains "$id"'

# --- larger ones

made() { # SETS
        same "$1" "$(count statefulset)" && same "$1" "$(kubectl get pods -A --no-headers | wc -l)"
}
make_spec() { # FILE
        rm -f "$scratch/resources.d/"*
        wait_for 30 "the end of the former" eval 'same 0 "$(count statefulset)"' && cp "$1" "$scratch/resources.d/"
}
sed '/^metadata:/a\  namespace: prod' "$MILLRACE_REPOSITORY/etc/examples/kafka-persistent.yaml" >"$scratch/prod.yaml"
misses_namespace() { tail -n 5 "$scratch/log" | contains 'namespaces \"prod\" not found'; }
check "three members and three brokers" make_spec "$scratch/prod.yaml"
check "need their namespace" wait_for 10 "the log" misses_namespace
check "and when it is there" kubectl create namespace prod
check "are made" wait_for 30 "the sets" made 6
check "dedicated controllers and brokers" make_spec "$MILLRACE_REPOSITORY/tests/golden/specs/shape-4.1-dedicated.yaml"
check "are made, too" wait_for 30 "the sets" made 4
check "nothing else has failed" eval '! grep "a step failed" "$scratch/log" | grep -v "ImagePullBackOff\|namespaces"'
check "the daemon ends as it should" daemon_down
