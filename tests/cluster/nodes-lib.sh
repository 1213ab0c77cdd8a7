# What tests with real nodes share: machines that run pods, and the daemon beside them as a process with a kubeconfig. A
# script begins with
#
#   . "$(dirname "$0")/nodes-lib.sh"
#   nodes_up NUMBER VERSION...
#
# It needs root, and runs once more in a network of its own, where pods and Services are reached by their addresses.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

specs=$MILLRACE_REPOSITORY/tests/specs
directory=/run/millrace-kube/$MILLRACE_STACK
daemon=

# What comes over the network is there before it is gone.
nodes_up() { # NUMBER VERSION...
        local number=$1 from
        shift
        [ "$(id -u)" = 0 ] || bail "nodes need root"
        if [ -z "${MILLRACE_NODES_IMAGES:-}" ]; then
                trap - EXIT
                rm -rf "$scratch"
                "$MILLRACE_REPOSITORY/packaging/dependencies" nodes >&2 || exit 1
                MILLRACE_NODES_IMAGES=$("$kube/images" "$@" 2>/dev/null | xargs) || { echo "not ok 1 - images are made"; exit 1; }
                export MILLRACE_NODES_IMAGES
                exec unshare --net "$0"
        fi
        trap 'daemon_down; "$kube/nodes" down "$MILLRACE_STACK"; finish' EXIT
        "$kube/nodes" down "$MILLRACE_STACK"
        eval "$("$kube/kube" env "$MILLRACE_STACK")"
        check "the image of the daemon is made" image_make
        from=$(seconds)
        # shellcheck disable=SC2086
        check "nodes start" "$kube/nodes" up "$MILLRACE_STACK" "$number" $MILLRACE_NODES_IMAGES "$scratch/millraced.tar" ||
                bail "there is no cluster"
        note "$number nodes after $(since "$from") s"
        server=$(kubectl config view -o 'jsonpath={.clusters[0].cluster.server}')
        clients_up
}

image_make() {
        "$MILLRACE_REPOSITORY/packaging/container/assemble" --name localhost/millrace/millraced:test \
                --output "$scratch/millraced.tar" daemon 2>"$scratch/sizes" || { cat "$scratch/sizes"; return 1; }
}

node() { "$kube/nodes" "$1" "$MILLRACE_STACK" "${@:2}"; } # VERB I ...

# --- the daemon

images_of() { # prints the map of versions that are there
        local path version
        for path in $MILLRACE_NODES_IMAGES; do
                version=$(basename "$path" | sed -n 's/^kafka-\(.*\)-.*/\1/p')
                [ -z "$version" ] || printf '"%s": "localhost/millrace/kafka:%s", ' "$version" "$version"
        done
}

daemon_config() {
        mkdir -p "$scratch/resources.d"
        printf '%s\n' "platform: kubernetes" "platform_config:" "  kubeconfig: $KUBECONFIG" \
                "  launcher_image: localhost/millrace/millraced:test" "  images: {kafka: {$(images_of)}}" \
                "resources: $scratch/resources.d" "socket: $scratch/api.sock" "state: $scratch/state.db" >"$scratch/millraced.yaml"
}

daemon_up() {
        rm -f "$scratch/api.sock"
        "$MILLRACE_BUILD/millraced" --config "$scratch/millraced.yaml" >>"$scratch/log" 2>&1 &
        daemon=$!
        wait_for 10 "the local API" test -S "$scratch/api.sock"
}

daemon_down() {
        local pid=$daemon
        daemon=
        [ -z "$pid" ] || { kill "$pid" && wait "$pid"; }
}

millctl() { "$MILLRACE_BUILD/millctl" --socket "$scratch/api.sock" "$@"; }
condition() { # TYPE: "STATUS REASON: MESSAGE"
        millctl get kafka my-cluster -o json | jq -r --arg type "$1" \
                '.status.conditions[]? | select(.type == $type) | "\(.status) \(.reason): \(.message)"'
}
is_settled() {
        condition Ready | contains "True " && millctl get kafka my-cluster -o json | jq -e '.status.observedGeneration == .metadata.generation' &&
                millctl plan | contains "Nothing to do."
}
settled() { # [SECONDS]
        wait_for "${1:-180}" "my-cluster to be ready with nothing left to do" is_settled ||
                { millctl describe kafka my-cluster; kubectl get pods -A -o wide; tail -n 5 "$scratch/log" | cut -c1-400; return 1; }
}

# --- pods

ready_pods() { kubectl get pods -l app.kubernetes.io/managed-by=millrace -o json | jq '[.items[].status.conditions[]? | select(.type == "Ready" and .status == "True")] | length'; }
are_ready() { same "$1" "$(ready_pods)"; } # NUMBER
# shellcheck disable=SC2086
uid_of() { kubectl get $1 -o 'jsonpath={.metadata.uid}'; }          # OBJECT
is_another() { [ "$(uid_of "$1")" != "$2" ] && [ -n "$(uid_of "$1")" ]; } # OBJECT UID
is_gone() { ! kubectl get "$1"; }                                     # OBJECT

# --- clients in a pod, which has the authority of the cluster and the user my-user when these are there

clients_up() {
        kubectl apply -f - >/dev/null <<-YAML
		apiVersion: v1
		kind: Pod
		metadata: {name: clients}
		spec:
		  terminationGracePeriodSeconds: 0
		  nodeSelector: {kubernetes.io/hostname: node1}
		  containers:
		  - {name: clients, image: "localhost/clients:1", imagePullPolicy: Never, command: [sleep, "1000000"], volumeMounts: [{name: authority, mountPath: /authority}, {name: user, mountPath: /user}]}
		  volumes:
		  - {name: authority, secret: {secretName: my-cluster-cluster-ca-cert, optional: true}}
		  - {name: user, secret: {secretName: my-user, optional: true}}
	YAML
        check "clients run in a pod" kubectl wait --for=condition=Ready pod/clients --timeout=60s
}

within() { kubectl exec clients -- "$@"; }
in_clients() { within sh -c "$*"; }
has_file() { within test -e "$1"; }
tls="-X security.protocol=ssl -X ssl.ca.location=/authority/ca.crt"
mtls="$tls -X ssl.certificate.location=/user/user.crt -X ssl.key.location=/user/user.key"

# 100 messages there and back, by a client that CMD runs.
passes() { # CMD BOOTSTRAP TOPIC OPTIONS
        local run=$1 bootstrap=$2 topic=$3 options=$4 text=m$RANDOM
        $run "seq 100 | sed 's,^,$text-,' | kcat -P -b $bootstrap -t $topic -X acks=all -X message.timeout.ms=60000 $options" &&
                wait_for 60 "100 messages in $topic" passed "$run" "$bootstrap" "$topic" "$options" "$text"
}
passed() {
        same 100 "$($1 "kcat -C -q -e -o beginning -b $2 -t $3 $4 | grep -c '^$5-'")"
}
outside() { sh -c "$*"; }

# Files of a pod follow their Secret after a while.
same_authority() {
        same "$(kubectl get secret my-cluster-cluster-ca-cert -o json | jq -r '.data["ca.crt"]' | base64 -d)" "$(within cat /authority/ca.crt)"
}

# --- clusters, one after the other

spec_use() { # FILE
        cp "$1" "$scratch/resources.d/new" && mv "$scratch/resources.d/new" "$scratch/resources.d/spec.yaml"
}

# What it kept is given up, too.
cluster_end() { # WHAT
        rm "$scratch/resources.d/spec.yaml"
        check "$1: is gone again" wait_for 120 "the pods" are_none
        check "$1: what it kept is given up" kubectl delete pvc --all --timeout=30s
}
are_none() { same 0 "$(kubectl get pods -l app.kubernetes.io/managed-by=millrace --no-headers 2>/dev/null | wc -l)"; }

becomes_ready() { # WHAT FILE PODS
        local from
        from=$(seconds)
        spec_use "$2"
        check "$1: settles" settled 300
        note "$1: ready after $(since "$from") s"
        check "$1: $3 pods are ready" are_ready "$3"
        check "$1: nothing failed" eval '! grep "a step failed" "$scratch/log"'
}
