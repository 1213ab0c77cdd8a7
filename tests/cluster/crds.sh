#!/bin/bash
# The CustomResourceDefinitions, as a real API server takes them: every example written through each version, read,
# changed and written through the other, and nothing lost.
. "$(dirname "$0")/lib.sh"

server_up
check "the definitions are established" established "$crds"/*.yaml

structural() {
        kubectl get crd -o json | jq -e '[.items[].status.conditions[] | select(.type == "NonStructuralSchema" and .status == "True")] == []'
}
check "and structural" structural

# --- each example through each version

# The documents of a file that are ours, as JSON, one a line.
documents() { # FILE
        kubectl create --dry-run=client --validate=ignore -o json -f "$1" |
                jq -c '(if .kind == "List" then .items[] else . end) | select(.apiVersion | startswith("kafka.strimzi.io/"))'
}

bare() { jq -S 'del(.metadata.managedFields, .metadata.uid, .metadata.resourceVersion, .metadata.creationTimestamp,
        .metadata.generation, .apiVersion, .status)'; }

other() { [ "$1" = v1 ] && echo v1beta2 || echo v1; }

collection() { # DOCUMENT VERSION
        jq -r --arg version "$2" '"/apis/kafka.strimzi.io/\($version)/namespaces/\(.metadata.namespace // "default")/" +
                "\(.kind | ascii_downcase)s"' <<<"$1"
}

space() { # DOCUMENT
        local name
        name=$(jq -r '.metadata.namespace // "default"' <<<"$1")
        api GET "/api/v1/namespaces/$name" >/dev/null 2>&1 || kubectl create namespace "$name"
}

# Written through one version; read, given an annotation and written through the other; read through the first.
survives() { # DOCUMENT VERSION
        local before after there back name
        name=$(jq -r .metadata.name <<<"$1")
        there=$(collection "$1" "$(other "$2")")/$name
        back=$(collection "$1" "$2")
        space "$1" && api POST "$back?fieldValidation=Strict" <<<"$1" >/dev/null || return
        api GET "$there" | jq '.metadata.annotations.seen = "yes"' >"$scratch/there" || return
        api PUT "$there?fieldValidation=Strict" <"$scratch/there" >/dev/null || return
        before=$(jq '.metadata.annotations.seen = "yes" | .metadata.namespace //= "default"' <<<"$1" | bare)
        after=$(api GET "$back/$name" | bare)
        api DELETE "$back/$name" >/dev/null
        same "$before" "$after"
}

all_survive() { # FILE-OF-DOCUMENTS VERSION
        local document n=0
        while IFS= read -r document; do
                survives "$(jq -c --arg version "kafka.strimzi.io/$2" '.apiVersion = $version' <<<"$document")" "$2" || return
                n=$((n + 1))
        done <"$1"
        [ "$n" -gt 0 ] || { echo "no document of ours"; return 1; }
}

for file in $(specs); do
        documents "$file" >"$scratch/documents"
        for version in v1beta2 v1; do
                check "$(basename "$file"), $version and back" all_survive "$scratch/documents" "$version"
        done
        # Users have versions of their own.
        jq -c 'select(.kind == "KafkaUser")' "$scratch/documents" >"$scratch/users"
        [ -s "$scratch/users" ] || continue
        for version in v1beta1 v1alpha1; do
                check "users of $(basename "$file"), $version and back" all_survive "$scratch/users" "$version"
        done
done

# --- how it reads

cat >"$scratch/pool.yaml" <<'YAML'
apiVersion: kafka.strimzi.io/v1
kind: KafkaNodePool
metadata: {name: pool, labels: {strimzi.io/cluster: my-cluster}}
spec: {replicas: 3, roles: [broker], storage: {type: ephemeral}}
YAML
explains() { kubectl explain "$1" | tee "$scratch/explain" | contains "$2"; }

check "explain tells what a field is for" explains kafka.spec.kafka.listeners.port "Port of the listener"
check "and of ZooKeeper, whose rows are another operand's" explains kafka.spec.zookeeper.replicas "Members of the ensemble"
check "and of the status" explains kafka.status.listeners.bootstrapServers "bootstrap.servers"
check "a pool is applied" kubectl apply --server-side -f "$scratch/pool.yaml"
check "short names and columns" eval 'kubectl get knp | contains "DESIRED REPLICAS"'
check "the category" eval 'kubectl get strimzi | contains kafkanodepool'
check "scale writes replicas" kubectl scale knp/pool --replicas=5
check "which the spec then has" eval 'same 5 "$(kubectl get knp/pool -o "jsonpath={.spec.replicas}")"'
status='{"status":{"replicas":5,"labelSelector":"a=b","nodeIds":[0,1,2,3,4],"conditions":[{"type":"Ready","status":"True"}]}}'
check "the status is written on its own" kubectl patch knp/pool --subresource=status --type=merge -p "$status"
check "and scale reads it" eval 'same "5 a=b" "$(kubectl get --raw /apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkanodepools/pool/scale |
        jq -r "\"\(.status.replicas) \(.status.selector)\"")"'

# --- what is refused

refuses() { # TEXT, the document from stdin
        kubectl apply --server-side --dry-run=server --validate=strict -f - >"$scratch/refused" 2>&1 &&
                { echo "it is accepted"; return 1; }
        contains "$1" <"$scratch/refused"
}
user() { # AUTHENTICATION
        printf '%s\n' "apiVersion: kafka.strimzi.io/v1" "kind: KafkaUser" "metadata: {name: u}" "spec: {authentication: $1}"
}
kafka() { # FIELD
        printf '%s\n' "apiVersion: kafka.strimzi.io/v1beta2" "kind: Kafka" "metadata: {name: k}" \
                "spec: {kafka: {listeners: [{name: a, port: 9092, type: internal, tls: false}], $1}}"
}
check "validity without renewal" eval 'user "{type: tls, validityDays: 3}" | refuses "go together"'
check "renewal after the end" eval 'user "{type: tls, validityDays: 3, renewalDays: 4}" | refuses "must be less"'
check "validity of a password" eval 'user "{type: scram-sha-512, validityDays: 3, renewalDays: 1}" | refuses "belong to type tls"'
check "a rack without a label" eval 'kafka "rack: {type: topology-label}" | refuses "topologyKey is missing"'
check "metrics without a source" eval 'kafka "metricsConfig: {type: jmxPrometheusExporter}" | refuses "add it"'
check "a word that is none of the choices" eval 'user "{type: kerberos}" | refuses "supported values"'
check "a field nobody knows" eval 'kafka "colour: red" | refuses "field not declared in schema"'
check "what is right is not refused" eval 'kafka "rack: {topologyKey: zone}" | kubectl apply --server-side --dry-run=server --validate=strict -f -'
