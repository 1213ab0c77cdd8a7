#!/bin/bash
# What bash offers for a line of millctl, without a daemon.
. "$(dirname "$0")/../lint/tap.sh"

PATH=$(cd "$build" && pwd):$PATH
export PATH MILLRACE_PLUGINS=$build
# shellcheck source=/dev/null
. packaging/completion/millctl.bash

offered() { # WORD...: the last one is being typed
        COMP_WORDS=(millctl "$@") COMP_CWORD=$# COMPREPLY=()
        _millctl
        printf '%s\n' "${COMPREPLY[@]}"
}

offers() { # NAME WANTED WORD...: among others
        local name=$1 wanted=$2 found
        shift 2
        found=$(offered "$@")
        for word in $wanted; do
                grep -qxF -- "$word" <<<"$found" || { verdict "$name" "no $word among: $(tr '\n' ' ' <<<"$found")"; return; }
        done
        verdict "$name" ""
}

only() { # NAME WANTED WORD...: and nothing else
        local name=$1 wanted=$2
        shift 2
        verdict "$name" "$(diff <(tr ' ' '\n' <<<"$wanted") <(offered "$@"))"
}

offers "verbs" "apply get describe plan wait hold pause discard bundle" ""
offers "verbs that begin so" "release restart resume renew restore" re
offers "global options" "--socket --version" --
offers "options of a verb" "--watch --namespace" get --
offers "kinds" "kafkas kafka kafkanodepools" get ""
only "a kind that is paused" "kafkausers kafkauser" pause kafkau
only "platforms" "kubernetes openshift rhel-baremetal" plan --platform ""
only "one platform" "openshift" plan --platform o
only "formats of a table" "wide yaml json name" get -o ""
only "formats of a reference" "markdown man" explain -o ""
only "the spec of a kind" "kafka.spec" explain kafka.
offers "fields" "kafka.spec.kafka.listeners kafka.spec.kafka.replicas" explain kafka.spec.kafka.
only "fields that begin so" "kafka.spec.kafka.listeners.authentication" explain kafka.spec.kafka.listeners.au
only "nothing below a value" "" explain kafka.spec.kafka.replicas.
only "conditions" "condition=Ready" wait kafka/x --for cond
only "words of secret" "list get" secret ""
