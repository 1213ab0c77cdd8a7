#!/bin/bash
# Replicas of a daemon without a memory of its own on a real API server: one leads, the others follow what it does, and
# whoever takes over goes on from what the API server keeps, with the same keys and without writing anything again.
. "$(dirname "$0")/lib.sh"

server_up
trap 'all_down; "$kube/kube" down "$MILLRACE_STACK"; finish' EXIT
declare -A pid=()

millctl() { "$MILLRACE_BUILD/millctl" --socket "$scratch/$1/api.sock" "${@:2}"; } # REPLICA

up() { # REPLICA
        local at=$scratch/$1
        mkdir -p "$at/resources.d"
        printf '%s\n' "platform: kubernetes" "resources: $at/resources.d" "socket: $at/api.sock" "state: ':memory:'" \
                "platform_config:" "  kubeconfig: $KUBECONFIG" "  lease: {namespace: default, identity: $1, duration_seconds: 6," \
                "    renew_deadline_seconds: 4, retry_period_seconds: 1}" >"$at/millraced.yaml"
        rm -f "$at/api.sock"
        "$MILLRACE_BUILD/millraced" --config "$at/millraced.yaml" >>"$at/log" 2>&1 &
        pid[$1]=$!
        wait_for 10 "the local API of $1" test -S "$at/api.sock"
}

down() { # REPLICA SIGNAL
        local it=${pid[$1]:-}
        unset "pid[$1]"
        [ -z "$it" ] || { kill "-$2" "$it" 2>/dev/null; wait "$it" 2>/dev/null; }
}

all_down() { for it in "${!pid[@]}"; do down "$it" TERM; done; }

holder() { kubectl get lease millrace -o 'jsonpath={.spec.holderIdentity}'; }
leads() { same "$1" "$(holder)"; }
ours() { kubectl get statefulset,persistentvolumeclaim,service,configmap,secret,poddisruptionbudget,networkpolicy,serviceaccount \
        --show-managed-fields -l app.kubernetes.io/managed-by=millrace -o json; }
# What we have written, and when.
writes() { ours | jq -r '.items[] | "\(.kind)/\(.metadata.name) \(.metadata.uid) \(.metadata.managedFields | map(select(.manager ==
        "millrace" and .subresource == null) | .time))"'; }
key_of() { kubectl get secret "$1" -o 'jsonpath={.data.ca\.key}'; }
is_planned_out() { millctl "$1" plan | contains "Nothing to do."; } # REPLICA
set_there() { kubectl get sts my-cluster-dual-role-0; }
heap_is() { kubectl get sts/my-cluster-dual-role-0 cm/my-cluster-dual-role-0 -o json | contains "$1"; }
edit() { # HEAP
        kubectl patch knp dual-role --type merge -p "{\"spec\": {\"jvmOptions\": {\"-Xmx\": \"$1\", \"-Xms\": \"$1\"}}}"
}

check "the kinds are known" established "$crds"/*.yaml
check "a replica begins" up a
check "takes the lease" wait_for 5 "the lease" leads a
check "a spec is applied" kubectl apply -f "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml"
check "and becomes objects" wait_for 20 "the set" set_there
check "all that is to be done is done" wait_for 20 "the plan" is_planned_out a
key=$(key_of my-cluster-cluster-ca)
check "the key of the authority is kept" test -n "$key"
before=$(writes)
check "a second replica begins" up b
check "knows who leads" wait_for 10 "a word of it" grep -q "the replica a, which holds the lease default/millrace" "$scratch/b/log"
sleep 3
check "does nothing" same "$before" "$(writes)"
check "lets the other lead" leads a

# --- the leader is killed

start=$(seconds)
down a KILL
check "after a kill the other leads" wait_for 12 "the other" leads b
note "kill → the other leads: $(since "$start") s"
check "finds everything as it should be" wait_for 20 "the plan" is_planned_out b
check "has written nothing" same "$before" "$(writes)"
check "goes on with the same key" same "$key" "$(key_of my-cluster-cluster-ca)"
check "an edit" edit 300m
check "is carried out by it" wait_for 20 "the heap" heap_is Xmx300m
check "once" wait_for 20 "the plan" is_planned_out b
check "still with the same key" same "$key" "$(key_of my-cluster-cluster-ca)"

# --- the leader ends as it should

check "the first comes back" up a
check "waits" wait_for 10 "a word of it" grep -q "the replica b, which holds the lease default/millrace" "$scratch/a/log"
start=$(seconds)
before=$(writes)
down b TERM
check "one that ends lets go" wait_for 3 "the other" leads a
note "end → the other leads: $(since "$start") s"
check "and nothing is written for that" eval 'wait_for 20 "the plan" is_planned_out a && same "$before" "$(writes)"'

# --- the lease is taken from the leader

check "the lease in other hands" kubectl patch lease millrace --type merge -p '{"spec": {"holderIdentity": "c"}}'
check "ends whoever had it" eval 'wait_for 12 "the end" eval "! kill -0 ${pid[a]}"'
check "with a word of it" grep -q "lease default/millrace is lost" "$scratch/a/log"
unset "pid[a]"

# --- what only the API server remembers

check "all begin anew" up b
check "when the lease has not been renewed for long enough" wait_for 15 "the lease" leads b
check "nothing is to be done" wait_for 20 "the plan" is_planned_out b
check "with the key there was" same "$key" "$(key_of my-cluster-cluster-ca)"
check_fails "no key is logged" grep -F "$(base64 -d <<<"$key" | sed -n 2p)" "$scratch"/*/log
