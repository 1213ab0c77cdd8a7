# What tests against a real API server share; a script tests/cluster/NAME.sh begins with
#
#   . "$(dirname "$0")/lib.sh"
#   server_up
. "$(dirname "${BASH_SOURCE[0]}")/../stack/lib.sh"

kube=$MILLRACE_REPOSITORY/tests/stack/kube
crds=$MILLRACE_REPOSITORY/packaging/kubernetes/crds
export MILLRACE_PLUGINS=$MILLRACE_BUILD

millctl() { "$MILLRACE_BUILD/millctl" "$@"; }

server_up() {
        trap '"$kube/kube" down "$MILLRACE_STACK"; finish' EXIT
        "$kube/kube" up "$MILLRACE_STACK" || bail "the API server does not start"
        eval "$("$kube/kube" env "$MILLRACE_STACK")"
        server=$(kubectl config view -o 'jsonpath={.clusters[0].cluster.server}')
}

# One request; the body of a POST or PUT from stdin. What the server refuses is printed, and is a failure.
api() { # METHOD PATH
        local pki=/run/millrace-kube/$MILLRACE_STACK/pki body=()
        [[ $1 != P* ]] || body=(-H "Content-Type: application/json" --data-binary @-)
        curl -sS --fail-with-body -X "$1" --cacert "$pki/ca.crt" --cert "$pki/admin.crt" --key "$pki/admin.key" \
                "${body[@]}" "$server$2"
}

is_established() { # CRD-FILE
        kubectl get -f "$1" -o json | jq -e '.status.conditions[] | select(.type == "Established" and .status == "True")'
}

established() { # CRD-FILE...
        local file
        for file; do
                kubectl apply --server-side -f "$file" && wait_for 30 "$file" is_established "$file" || return
        done
}

# Every file of specs the repository has that a user could have written.
specs() { ls "$MILLRACE_REPOSITORY"/etc/examples/*.yaml "$MILLRACE_REPOSITORY"/tests/golden/{specs,parity}/*.yaml; }

# --- the daemon, as a process with a kubeconfig

daemon=

daemon_config() { # KUBECONFIG [MORE-OF-PLATFORM-CONFIG]
        mkdir -p "$scratch/resources.d"
        printf '%s\n' "platform: kubernetes" "platform_config: {kubeconfig: $1${2:+, $2}}" "resources: $scratch/resources.d" \
                "socket: $scratch/api.sock" "state: $scratch/state.db" >"$scratch/millraced.yaml"
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

# What it has carried out since the last time this was asked.
steps() { tail -n "+$((${told:-0} + 1))" "$scratch/log" | grep -c '"MILLRACE_STATION": "apply"'; }
forget_steps() { told=$(wc -l <"$scratch/log"); }
is_logged() { tail -n "+$((${told:-0} + 1))" "$scratch/log" | contains "$1"; } # TEXT
