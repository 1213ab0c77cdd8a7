#!/bin/bash
# The files of tests/specs on a host: each becomes ready, and clients send and read messages over it. tests/cluster/pods.sh does the
# same in pods, with the same files.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

specs=$MILLRACE_REPOSITORY/tests/specs
listener() { # NAME: where clients reach it
        ctl get kafka my-cluster -o json | jq -r --arg name "$1" '.status.listeners[] | select(.name == $name).bootstrapServers'
}

uses() { # NAME LISTENER [anybody]: whether it asks for no certificate
        check "$1: is applied" eval 'ctl apply -f - <"$specs/$1.yaml"'
        check "$1: settles" settled 300
        if [ -n "${3:-}" ]; then
                h1 mkdir -p /root/my-user
                ctl secret get my-cluster-cluster-ca-cert -o /root/my-user >/dev/null
                check "$1: messages over TLS" passes "$(listener "$2")" demo -X security.protocol=ssl -X ssl.ca.location=/root/my-user/ca.crt
        else
                check "$1: its user" secret_files my-user
                check "$1: messages over mTLS" passes "$(listener "$2")" demo "$(tls_options my-user)"
        fi
        spec=$specs/$1.yaml
        deleted_soon "$1"
        h1 sh -c 'rm -rf /var/lib/millrace-data/*'
}

host_with_package h1
check "the daemon runs" wait_for 30 "millraced" h1 systemctl is-active millraced
uses kraft-one tls anybody
uses kraft-combined mtls
uses zookeeper tls
uses kraft-dedicated mtls
