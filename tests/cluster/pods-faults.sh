#!/bin/bash
# While a producer in a pod counts what is acknowledged, three brokers on three nodes lose pods, sets, Services and Secrets, are
# rolled, get an image that nobody has, and lose a node: all of it comes back, one broker at a time, and no message is lost.
. "$(dirname "$0")/nodes-lib.sh"

nodes_up 3 4.3.1
bootstrap=my-cluster-kafka-bootstrap
spec=$scratch/resources.d/spec.yaml

change() { sed "$1" "$spec" >"$scratch/new" && mv "$scratch/new" "$spec"; } # SED

# --- a load that counts

load_begin() {
        kubectl apply -f - <<-YAML || return
		apiVersion: v1
		kind: ConfigMap
		metadata: {name: load}
		data: {client.properties: "retries=2147483647\ndelivery.timeout.ms=900000\nlinger.ms=0\n"}
		---
		apiVersion: v1
		kind: Pod
		metadata: {name: load}
		spec:
		  restartPolicy: Never
		  terminationGracePeriodSeconds: 90
		  nodeSelector: {kubernetes.io/hostname: node1}
		  containers:
		  - name: load
		    image: localhost/millrace/kafka:4.3.1
		    command: [/opt/java/openjdk/bin/java, -Xmx128m, -XX:TieredStopAtLevel=1, -XX:+UseSerialGC, -cp, /opt/kafka/libs/*,
		      org.apache.kafka.tools.VerifiableProducer, --bootstrap-server, "$bootstrap:9092", --topic, load, --acks, "-1", --throughput, "100",
		      --producer.config, /load/client.properties]
		    volumeMounts: [{name: load, mountPath: /load}]
		  volumes: [{name: load, configMap: {name: load}}]
	YAML
        kubectl wait --for=condition=Ready pod/load --timeout=60s || return
        kubectl logs -f load >"$scratch/acks" 2>/dev/null &
        wait_for 60 "a message" grep -q producer_send_success "$scratch/acks"
}
acked() { grep -c producer_send_success "$scratch/acks" || true; }
goes_on() { # after something was done
        local n
        n=$(acked)
        wait_for 30 "messages to be acknowledged" eval "[ \"\$(acked)\" -gt $((n + 50)) ]"
}
gap() { # FROM-LINE: for how many seconds nothing was acknowledged, at most
        tail -n "+$1" "$scratch/acks" | sed -n 's/.*"timestamp":\([0-9]*\),"name":"producer_send_success".*/\1/p' |
                awk 'NR > 1 && $1 - last > gap {gap = $1 - last} {last = $1} END {printf "%.2f", gap / 1000}'
}
load_end() {
        kubectl delete pod load --timeout=120s && wait_for 30 "the end of the load" grep -q tool_data "$scratch/acks"
}
nothing_lost() {
        local lost
        sed -n 's/.*"producer_send_success".*"value":"\([0-9]*\)".*/\1/p' "$scratch/acks" | sort >"$scratch/acked"
        in_clients "kcat -C -q -e -o beginning -b $bootstrap:9092 -t load" | sort -u >"$scratch/read"
        lost=$(comm -23 "$scratch/acked" "$scratch/read" | wc -l)
        note "acked $(wc -l <"$scratch/acked"), failed $(grep -c producer_send_error "$scratch/acks"), lost $lost"
        [ -s "$scratch/acked" ] && same 0 "$lost" && same 0 "$(grep -c producer_send_error "$scratch/acks")"
}

# Something is done, and all is as it was, with the load going on.
survives() { # WHAT CMD...
        local what=$1 line from
        line=$(wc -l <"$scratch/acks")
        from=$(seconds)
        shift
        check "$what" "$@"
        check "$what: all is back" settled 120
        note "$what: back after $(since "$from") s"
        check "$what: three are ready" wait_for 30 "the pods" are_ready 3
        check "$what: messages go on" goes_on
        note "$what: longest gap $(gap "$line") s"
}
remove() { kubectl delete "$@" --wait=false; }
replaced() { # OBJECT CMD...: another one is there under its name
        local object=$1 uid
        uid=$(uid_of "$object")
        shift
        "$@" && wait_for 60 "another $object" is_another "$object" "$uid"
}

kubectl apply --server-side -f "$MILLRACE_REPOSITORY/packaging/kubernetes/cluster-wide/machines.yaml" >/dev/null
check "the settings of the daemon" daemon_config
check "the daemon begins" daemon_up
cp "$MILLRACE_REPOSITORY/tests/specs/kraft-combined.yaml" "$spec"
check "three brokers" settled 300
note "they are on $(kubectl get pods -l strimzi.io/cluster=my-cluster -o 'jsonpath={range .items[*]}{.spec.nodeName} {end}')"
check "the load begins" load_begin

# --- what is taken away comes back

for object in pod/my-cluster-dual-0-0 statefulset/my-cluster-dual-1 service/my-cluster-kafka-brokers service/$bootstrap \
        secret/my-cluster-dual-2 secret/my-cluster-cluster-ca-cert; do
        survives "a deleted $object" replaced "$object" remove "$object"
done

# --- a roll

all_replaced() {
        local i before=()
        for i in 0 1 2; do
                before+=("$(uid_of "pod/my-cluster-dual-$i-0")")
        done
        change 's/^      default.replication/      queued.max.requests: 400\n&/'
        for i in 0 1 2; do
                wait_for 120 "another my-cluster-dual-$i-0" is_another "pod/my-cluster-dual-$i-0" "${before[$i]}" || return
        done
}
survives "a roll" all_replaced

# --- an image that nobody has

# Whoever needs it is told of; the others run on with what they have.
stuck() { same 1 "$(kubectl get pods -l strimzi.io/cluster=my-cluster -o json | jq '[.items[] | select(any(.status.containerStatuses[]?; .state.waiting.reason | IN("ErrImagePull", "ImagePullBackOff")))] | length')"; }
is_told() { condition Ready | contains "ImagePull" || condition Warning | contains "ImagePull"; }
check "an image that nobody has" change 's/^    version: 4.3.1/&\n    image: localhost\/nobody\/has:1/'
check "stops one broker" wait_for 90 "the pod" stuck
check "it is told" wait_for 30 "the condition" is_told
sleep 15
check "and no other" eval 'stuck && are_ready 2'
check "messages go on" goes_on
survives "the image that everybody has" change '/localhost.nobody/d'

# --- a node without power

on_node() { kubectl get pods -l strimzi.io/cluster=my-cluster -o json | jq -r '[.items[] | select(.spec.nodeName != "node1")][0].spec.nodeName'; }
victim=$(on_node)
is_missed() { kubectl get node "$victim" -o 'jsonpath={.status.conditions[?(@.type=="Ready")].status}' | contains Unknown; }
power_lost() { node kill "${victim#node}" && wait_for 40 "the node to be missed" is_missed; }
power_back() { node start "${victim#node}"; }
line=$(wc -l <"$scratch/acks")
check "$victim loses power" power_lost
check "it is no broker more than that" wait_for 60 "the pods" eval '[ "$(ready_pods)" -le 2 ]'
check "messages go on" goes_on
note "$victim without power: longest gap $(gap "$line") s"
survives "power is back" power_back

check "the load ends" load_end
check "nothing was lost" nothing_lost
grep '^# acked' "$scratch/check"
check "the daemon ends as it should" daemon_down
