#!/bin/bash
# What the platforms make of every spec is accepted by a real API server, with strict validation of fields. A spec of which
# golden/parity/explained.tsv says "refused" is refused on paper already, with its place.
. "$(dirname "$0")/lib.sh"

server_up
check "types of others are established" established $("$kube/types")

# The API server wants to see the namespace an object goes to.
make_spaces() { # MANIFESTS
        local space
        for space in $(sed -n 's/^  namespace: //p' "$1" | sort -u); do
                kubectl get namespace "$space" >"$scratch/space" 2>&1 || kubectl create namespace "$space" || return
        done
}

accepted() { # PLATFORM FILE
        millctl plan --platform "$1" -f "$2" -o manifests >"$scratch/manifests" || return
        make_spaces "$scratch/manifests" || return
        kubectl apply --server-side --dry-run=server --validate=strict -f "$scratch/manifests" >"$scratch/applied" 2>"$scratch/refused" ||
                { cat "$scratch/refused"; return 1; }
        same "$(grep -c '^kind: ' "$scratch/manifests")" "$(grep -c ' serverside-applied ' "$scratch/applied")"
}

is_refused() { # FILE
        local name pattern
        name=$(basename "$1" .yaml)
        while read -r pattern; do
                [[ $name != $pattern ]] || return 0
        done < <(sed -n 's/^!\t\([^ ]*\) refused\t.*/\1/p' "$MILLRACE_REPOSITORY/tests/golden/parity/explained.tsv")
        return 1
}

refused() { # PLATFORM FILE
        fails millctl plan --platform "$1" -f "$2" -o manifests 2>"$scratch/refused" || return
        contains "$2:" <"$scratch/refused"
}

for file in $(specs); do
        for platform in kubernetes openshift; do
                if is_refused "$file"; then
                        check "$(basename "$file") on $platform is refused" refused "$platform" "$file"
                else
                        check "$(basename "$file") on $platform" accepted "$platform" "$file"
                fi
        done
done
check_fails "a manifest with a wrong field is refused" eval 'sed "s/podManagementPolicy/podManagementPolicies/" "$scratch/manifests" |
        kubectl apply --server-side --dry-run=server --validate=strict -f -'
