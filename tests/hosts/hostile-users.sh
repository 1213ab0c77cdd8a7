#!/bin/bash
# What other users of the host can do to a running cluster: nothing. They read no secret, on disk, in memory or on the
# bus, write nothing that millrace reads, and do not get into ZooKeeper. (What user millrace can do: hostd.sh.)
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/hostile.sh"

as() { # USER CMD...
        local user=$1
        shift
        h1 runuser -u "$user" -- "$@"
}

# Configuration of the host and logs of the fetcher are no secrets; what is below is all there is of the cluster.
private="/etc/millrace/nodes /etc/millrace/resources.d /var/lib/millrace /run/kafka /run/zookeeper"
ours="/etc/millrace /var/lib/millrace /var/lib/millrace-dist /var/lib/millrace-data /run/millrace /run/kafka /run/zookeeper
/usr/lib/millrace /usr/libexec/millrace /usr/bin/millraced /usr/bin/millctl /etc/systemd/system"

readable() { as "$1" find $private /var/lib/millrace-data/*/data -type f -readable 2>/dev/null; } # USER
writable() { as "$1" find $ours ! -type l -writable 2>/dev/null; }
reads_all() { [ "$(readable root | wc -l)" -ge 15 ]; }

keys() { # a line of each private key that there is
        h1 sh -c "grep -h -A2 'PRIVATE KEY' /etc/millrace/nodes/*/*.pem | grep -v -e '-----' -e '^--'"
        h1 sh -c "strings -n 40 /var/lib/millrace/state.db.backup | grep -A2 'BEGIN PRIVATE KEY' | grep -v -e '-----' -e '^--'"
}
leaks_of() { grep -cF -f "$scratch/keys"; } # of what stdin says
quiet() { same 0 "$("$@" 2>/dev/null | leaks_of)"; }

processes() { h1 pgrep -f 'millraced|millrace-hostd|millctl|java' | sort; }
told_by_processes() { # FILE of /proc, as root sees it
        local pid
        for pid in $(processes); do h1 cat "/proc/$pid/$1" | tr '\0' '\n'; done
}
environments() { # that USER can read
        local pid
        for pid in $(processes); do as "$1" cat "/proc/$pid/environ" 2>/dev/null | tr '\0' '\n'; done
}

api() { # USER[:GROUP] PATH
        local group=${1#*:}
        h1 setpriv --reuid "${1%:*}" --regid "${group:-nogroup}" --clear-groups \
                curl -sS --unix-socket /run/millrace/api.sock "http://localhost$2" 2>&1
}
secrets() { api "$1" /api/v1/namespaces/default/secrets; }
ca() { api "$1" /api/v1/namespaces/default/secrets/my-cluster-cluster-ca; }

zookeeper() { # USER HOW
        cp "$MILLRACE_REPOSITORY/tests/stack/zookeeper-write" "$root/usr/local/bin/" 2>/dev/null
        as "$1" python3 /usr/local/bin/zookeeper-write h1 2181 "/hostile-$RANDOM" "$2"
}
shut_out() { # HOW
        local answer
        answer=$(zookeeper nobody "$1") && { echo "$answer"; return 1; }
        echo "$answer" | contains "refused: "
}
certificate_make() { # self-signed, but with the name of the node
        h1 openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj "$(node_subject)" \
                -keyout /tmp/own.key -out /tmp/own.crt
        h1 sh -c 'cat /tmp/own.key /tmp/own.crt >/tmp/own.pem; chown nobody /tmp/own.pem'
}
node_subject() { h1 openssl x509 -noout -subject -nameopt compat -in /etc/millrace/nodes/my-cluster-kafka-0/my-cluster-kafka-0.pem | sed 's/^subject=//'; }
user_certificate() { # a certificate of the clients' CA
        user somebody | put user.yaml
        wait_for 30 "the user's secret" h1 millctl secret get somebody -o /tmp/somebody &&
                h1 sh -c 'cat /tmp/somebody/user.key /tmp/somebody/user.crt >/tmp/user.pem; chown nobody /tmp/user.pem'
}

# A hundred clients that hear of every change, each with a connection of its own.
watchers=100
watch_begin() {
        h1 systemd-run -q --unit=watchers sh -c "mkdir /run/watched && for n in \$(seq $watchers); do
                curl -sN --unix-socket /run/millrace/api.sock 'http://localhost/apis/kafka.strimzi.io/v1beta2/namespaces/default/kafkausers?watch=true' >/run/watched/\$n &
                done; wait"
}
all_heard_of() { same "$watchers" "$(h1 sh -c "grep -l '\"$1\"' /run/watched/* | wc -l")"; } # NAME of a user
watched() {
        local from
        watch_begin && wait_for 60 "what there is" all_heard_of somebody || return
        from=$(seconds)
        user listened | put listened.yaml
        wait_for 60 "what is new" all_heard_of listened || return
        took=$(since "$from")
        h1 systemctl stop watchers
}
user() { # NAME
        printf '%s\n' 'apiVersion: kafka.strimzi.io/v1beta2' 'kind: KafkaUser' "metadata: {name: $1, labels: {strimzi.io/cluster: my-cluster}}" \
                'spec: {authentication: {type: tls}}'
}

host_with_package h1
root=$(root_of h1)
example kafka-single | put cluster.yaml
check "a cluster runs" ready my-cluster 120
remember
keys >"$scratch/keys"
check "there are keys to be found" [ "$(grep -c . "$scratch/keys")" -ge 4 ]
check "root reads the files of the cluster" reads_all
check "and finds keys in them" [ "$(h1 sh -c 'cat /etc/millrace/nodes/*/*.pem' | leaks_of)" -ge 2 ]

# --- files and processes

check "nobody reads none of them" same "" "$(readable nobody)"
check "nobody writes nothing" same "" "$(writable nobody)"
check "kafka reads only its node's" same "" "$(readable kafka | grep -E 'zookeeper|/var/lib/millrace/|resources')"
check "and writes only its volume and its run-time directory" same "" \
        "$(writable kafka | grep -vE '^(/var/lib/millrace-data/data-my-cluster-kafka-0/data|/run/kafka/my-cluster-kafka-0)(/|$)')"
check "no key is in a command line" quiet told_by_processes cmdline
check "nor in an environment" quiet told_by_processes environ
check "nobody reads no environment" same "" "$(environments nobody)"
check "nor does kafka read the daemon's" fails as kafka cat "/proc/$(property millraced MainPID)/environ"
check "no key is in the journal" quiet h1 journalctl --no-pager -o cat
check "nobody reads no journal" same "" "$(as nobody journalctl -q --no-pager -u millraced 2>/dev/null)"
check "no core is written" same 0 "$(property millraced LimitCORE)"

# --- the local API and the bus

check "nobody does not get into the API" same "curl: (7)" "$(api nobody:nogroup /apis | cut -c1-9)"
check "nor does kafka" same "curl: (7)" "$(api kafka:kafka /apis | cut -c1-9)"
check "millctl tells them what to do" contains "group millrace" < <(as nobody millctl get kafka 2>&1)
check "group millrace does, and finds secrets" eval 'secrets nobody:millrace | contains my-cluster-cluster-ca'
check "but no key of an authority" eval 'ca nobody:millrace | contains my-cluster && fails eval "ca nobody:millrace | grep -F ca.key"'
check "not even root" eval 'ca root:root | contains my-cluster && fails eval "ca root:root | grep -F ca.key"'
check "nor by the whole list" eval 'fails eval "secrets root:root | grep -F \"ca.key\\\"\""'
check "nor by describe and get" quiet eval 'ctl describe kafka my-cluster; ctl get kafka -o yaml; ctl plan kafka my-cluster'
check "nobody may not call the host service" eval '! as nobody busctl call org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Observe'
check "nobody may not listen to it" eval '! as nobody timeout 3 busctl monitor org.millrace.Host1'
check "nor may kafka call it" eval '! as kafka busctl call org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Observe'
check "what is observed holds no key" quiet h1 busctl call org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Observe

# --- ZooKeeper

check "with a broker's certificate ZooKeeper is written" eval 'zookeeper root /etc/millrace/nodes/my-cluster-kafka-0/my-cluster-kafka-0.pem | contains written'
check "in plain text it is not" shut_out plain
check "nor over TLS without a certificate" shut_out tls
check "a certificate of one's own is made" certificate_make
check "but does not help" shut_out /tmp/own.pem
check "a Kafka user has a certificate" user_certificate
check "which is none for ZooKeeper" shut_out /tmp/user.pem

# --- many who listen

check "$watchers clients watch, and each hears of what there is and of what is new" watched
note "the last of them heard of it ${took:-?} s after it was written"

check "all the while the cluster ran" nothing_harmed
check "neither program crashed" never_crashed
