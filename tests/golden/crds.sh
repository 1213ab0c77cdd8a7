#!/bin/bash
# packaging/kubernetes/crds is what the field tables say. To write it anew: MILLRACE_UPDATE_GOLDEN=1.
. "$(dirname "$0")/../lint/tap.sh"

export MILLRACE_PLUGINS=$build
crds=packaging/kubernetes/crds

for kind in kafka kafkanodepool kafkauser; do
        file=$crds/${kind}s.kafka.strimzi.io.yaml
        [ -z "${MILLRACE_UPDATE_GOLDEN:-}" ] || { mkdir -p "$crds"; "$build/millctl" crd "$kind" >"$file"; }
        verdict "the definition of $kind is what the tables say" "$("$build/millctl" crd "$kind" 2>&1 | diff -u "$file" - 2>&1 | head -n 20)"
done
verdict "each kind has its file" "$(diff <("$build/millctl" crd | grep -c '^kind: CustomResourceDefinition') <(ls "$crds"/*.yaml | wc -l))"
