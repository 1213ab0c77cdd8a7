#!/bin/bash
# Files of resources.d as they should not be: each is refused with its place and what to do, and what runs stays as it is.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/hostile.sh"

other() { sed "s/name: my-cluster/name: ${1:-other}/"; } # NAME: the example as another cluster
altered() { example kafka-single | other | sed "$1"; }   # SED

refused() { # FILE TEXT...: with its content from stdin
        local file=$1
        shift
        mark
        put "$file"
        says "$file" "$@" "What the file held before stays in force" && nothing_harmed && same "$kinds" "$(kinds)" &&
                fails said_text "create " && gone "$file"
}
kinds() { ctl get kafka -o json | jq -c '[.items[] | .metadata.name + .metadata.resourceVersion]'; }

ignored() { # FILE: nothing is said, and nothing done
        sleep 1
        same "" "$(said)" && nothing_harmed && gone "$1"
}

bomb() {
        local letter last=a
        echo "a: &a [x, x, x, x, x, x, x, x, x, x]"
        for letter in b c d e f g h i j; do
                echo "$letter: &$letter [*$last, *$last, *$last, *$last, *$last, *$last, *$last, *$last, *$last, *$last]"
                last=$letter
        done
}

retained() { example kafka-single | sed "s/min.insync/log.retention.ms: $1\n      min.insync/"; } # MSEC: altered while running
file_has() { h1 grep -q "$1" /etc/millrace/nodes/my-cluster-kafka-0/server.properties; }
has_process() { [ "$(property "$1" MainPID)" -gt 0 ]; }
nothing_of() { # CLUSTER
        same "" "$(ctl get kafka -A -o json | jq -r '.items[].metadata.name' | grep -x "$1")" &&
                same "" "$(h1 find /etc/millrace/nodes /var/lib/millrace-data /etc/systemd/system -name "*$1-*")"
}

source_is() { ctl describe kafka my-cluster | contains "$(printf 'source      /etc/millrace/resources.d/%s' "$1")"; }
memory() { h1 ps -o rss= -C millraced; }
small_memory() { [ "$(memory)" -lt 40000 ] || { echo "millraced has $(memory) KiB"; return 1; }; }
kept() { sleep 1; nothing_harmed && is_ready my-cluster && same "" "$(said | grep 'taken down')"; }

host_with_package h1
root=$(root_of h1)

# --- a resource that changes while its plan runs

for n in {1..20}; do
        retained "$n"000000 | put cluster.yaml
        sleep .1
done
check "a cluster that was edited twenty times while it started runs" ready my-cluster 120
check "with what was said last" wait_for 20 "the file" file_has log.retention.ms=20000000
remember
for n in {1..10}; do
        example kafka-single | other brief | sed "s/-Xmx: 256m/-Xmx: 2${n}0m/" | put brief.yaml
        sleep ".0$n"
        gone brief.yaml
        sleep ".0$n"
done
example kafka-single | other brief | put brief.yaml
sleep .2
gone brief.yaml
check "one that came and went while it started leaves nothing" wait_for 120 "its end" nothing_of brief
check "and the first one did not notice" nothing_harmed

# --- names that look odd and are right

altered "s/name: other/name: a.b-1.c\\n  namespace: team-a/" | put odd.yaml
check "a name with dots and dashes, and a namespace, become a claim" wait_for 40 "the claim" h1 test -d /var/lib/millrace-data/team-a_data-a.b-1.c-kafka-0/data
check "and a unit that starts" wait_for 40 "the unit" has_process kafka@team-a_a.b-1.c-kafka-0
gone odd.yaml
check "and they go with their file" wait_for 120 "their end" nothing_of a.b-1.c
retained 20000000 | put cluster.yaml
kinds=$(kinds)

# --- texts that are no YAML

check "broken YAML" refused bad.yaml "bad.yaml:3:5: " "is not closed" \
        < <(printf 'kind: Kafka\nmetadata: {name: a\nspec: ]\n')
check "a tab" refused bad.yaml "bad.yaml:3:1: a tab starts the line; indent with spaces" \
        < <(printf 'kind: Kafka\nmetadata:\n\tname: a\n')
check "a key twice" refused bad.yaml \
        'bad.yaml:10:5: the key "replicas" is written twice, first on line 9; remove one' \
        < <(altered 's/^    replicas: 1/&\n    replicas: 3/')
check "an alias bomb" refused bad.yaml "once its aliases are copied; split it" \
        < <(bomb)
check "a hundred thousand brackets" refused bad.yaml "nested deeper than 64 levels" \
        < <(printf '[%.0s' {1..100000})
check "100 MB" refused bad.yaml \
        "larger than 4194304 bytes; make it smaller" \
        < <({ example kafka-single | other; head -c 104857600 /dev/zero | tr '\0' '#'; })
check "none of this is kept in memory" small_memory
check "a program" refused bad.yaml "bad.yaml:1:1: a control character; remove it" \
        < <(head -c 100000 /bin/bash)
check "UTF-16" refused bad.yaml "save the file as UTF-8" \
        < <(example kafka-single | iconv -t utf-16)
check "half a JSON file" refused bad.json "bad.json:" \
        < <(printf '{"kind": "Kafka",')
check "a word" refused bad.yaml "a resource is a map" \
        < <(echo hello)

# --- wrong types and values

check "a word for a number" refused bad.yaml \
        'bad.yaml:9:15: spec.kafka.replicas: must be an integer, is a string ("many"); write a number' \
        < <(altered '0,/replicas: 1/s//replicas: many/')
check "a list for a number" refused bad.yaml "spec.kafka.replicas: must be an integer, is a list" \
        < <(altered '0,/replicas: 1/s//replicas: [1]/')
check "a word for a boolean" refused bad.yaml "write true or false" \
        < <(altered '0,/tls: false/s//tls: maybe/')
check "a value that is none of the possible ones" refused bad.yaml "use one of ephemeral" \
        < <(altered 's/type: ephemeral/type: ephemerall/')
check "an unknown kind" refused bad.yaml "'millctl explain' lists the kinds" \
        < <(altered 's/kind: Kafka/kind: Kafkka/')
check "a version that leaves its directory" refused bad.yaml "spec.kafka.version: " \
        < <(altered 's/version: 3.9.1/version: "..\/..\/x"/')

# --- names that would escape

check "a name that is a path" refused bad.yaml 'metadata.name: "../../etc" is not a name; use at most' \
        < <(example kafka-single | other '..\/..\/etc')
check "a name with meaning to systemd" refused bad.yaml 'metadata.name: "a@b%i" is not a name' \
        < <(example kafka-single | other 'a@b%i')
check "a name of two lines" refused bad.yaml 'metadata.name: "a\nExecStart=b" is not a name' \
        < <(example kafka-single | other '"a\\nExecStart=b"')
check "a name that colours a terminal" refused bad.yaml 'is not a name' \
        < <(example kafka-single | other '"a\\e[31mb"')
check "a name with an underscore, which separates namespaces" refused bad.yaml 'is not a name' \
        < <(example kafka-single | other 'a_b')
check "a name of 300 characters" refused bad.yaml 'is not a name; use at most 200' \
        < <(example kafka-single | other "$(printf 'x%.0s' {1..300})")
check "a namespace that is a path" refused bad.yaml 'metadata.namespace: "../x" is not a name' \
        < <(altered 's/name: other/&\n  namespace: ..\/x/')
check "a listener of two lines" refused bad.yaml 'spec.kafka.listeners[0].name: "p\nx=y"' \
        < <(altered '0,/name: plain/s//name: "p\\nx=y"/')
check "a JVM option that runs a command" refused bad.yaml "OnError: this flag runs commands or reads other files; remove it" \
        < <(altered 's/-Xmx: 256m/-XX: {OnError: "touch \/x"}/')
check "a property of two words" refused bad.yaml "javaSystemProperties[0].name" \
        < <(altered 's/-Xmx: 256m/javaSystemProperties: [{name: "a b", value: x}]/')

two_lines() { # each stays one line of server.properties
        altered 's/min.insync.replicas: 1/min.insync.replicas: "1\\nauthorizer.class.name=x"/; s/default.replication.factor: 1/"a\\nlisteners": "x"/' \
                >"$root/root/two.yaml"
        ctl plan --platform rhel-baremetal -f /root/two.yaml -o manifests >"$scratch/two"
        contains 'min.insync.replicas=1\nauthorizer.class.name=x' <"$scratch/two" && contains 'a\nlisteners=x' <"$scratch/two"
}
check "options of two lines stay one" two_lines

# --- things that are no files, or cannot be read

mark
mkdir "$(resources)/dir.yaml"
check "a directory is passed over" ignored dir.yaml
mkfifo "$(resources)/pipe.yaml"
check "a pipe holds nothing up" ignored pipe.yaml
ln -s /dev/zero "$(resources)/zero.yaml"
check "nor does a device" ignored zero.yaml
ln -s loop.yaml "$(resources)/loop.yaml"
check "nor a link to itself" ignored loop.yaml
example kafka-single | other >"$(resources)/.private" && chmod 600 "$(resources)/.private" && mv "$(resources)/.private" "$(resources)/private.yaml"
check "a file only root can read is named, with the way out" says "private.yaml" "chgrp millrace"
gone private.yaml

# --- files under way

mark
{ retained 3600000 | head -n 12; sleep 2; retained 3600000 | tail -n +13; } \
        >"$(resources)/cluster.yaml" &
sleep 1
check "half a file is not read while it is being written" same "" "$(said)"
wait $!
check "once it is complete it is taken" wait_for 20 "the file" file_has log.retention.ms=3600000
example kafka-single >"$(resources)/cluster.yaml"
mark
example kafka-single | head -n 8 >"$(resources)/cluster.yaml"
check "half a file that was left behind is refused" says "cluster.yaml:" "What the file held before stays in force"
: >"$(resources)/cluster.yaml"
check "an emptied file takes nothing down" says "remove the file, otherwise write it again"
example kafka-single >"$(resources)/cluster.yaml"
check "and nothing was" kept
mark
example kafka-single | put twin.yaml
check "the same resource twice is refused, with both places" says "twin.yaml:2:1: " "is in /etc/millrace/resources.d/cluster.yaml:2 already; remove one of the two"
gone cluster.yaml
check "when the first goes, the second takes over" wait_for 10 "the source" source_is twin.yaml
mv "$(resources)/twin.yaml" "$(resources)/a.yaml"
check "a renamed file keeps its cluster" wait_for 10 "the source" source_is a.yaml
mv "$(resources)/a.yaml" "$(resources)/z.yaml"
check "whatever it was called" wait_for 10 "the source" source_is z.yaml
check "through all of this the cluster ran" kept

# --- a spec that would make another cluster of a running one

kraft() { sed 's/version: 4.3.1/version: 3.9.1/' "$MILLRACE_REPOSITORY/etc/examples/kraft-single-node.yaml"; }
mark
kraft | put z.yaml
check "a running cluster is not converted by another file" shows my-cluster "holds a cluster whose quorum is zookeeper, and the spec describes kraft"
check "and it is said how that ends" says "change the spec back: a running cluster is not converted by editing it"
check "nothing of it was touched" nothing_harmed
example kafka-single | put z.yaml
check "changed back, it is ready" ready my-cluster
check "by the same processes" nothing_harmed
check "neither program crashed" never_crashed
