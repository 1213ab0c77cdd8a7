# What tests of whole clusters share, beside lib.sh: a host h1, on it a cluster my-cluster.

h1() { on h1 "$@"; }
ctl() { h1 millctl "$@"; }
property() { h1 systemctl show -P "$2" "$1"; } # UNIT PROPERTY
kafka() { echo "kafka@my-cluster-kafka-$1.service"; }
zookeeper() { echo "zookeeper@my-cluster-zookeeper-$1.service"; }
directory() { echo "/etc/millrace/nodes/my-cluster-$1-$2"; } # ROLE NUMBER

# The examples as they are, with heaps that fit a test.
example() { # NAME
        sed 's/^    storage:/    jvmOptions: {-Xms: 64m, -Xmx: 256m}\n    storage:/' "$MILLRACE_REPOSITORY/etc/examples/$1.yaml"
}

setting() { # LINE...: of /etc/millrace/millraced.yaml
        printf '%s\n' "$@" >>"$(root_of h1)/etc/millrace/millraced.yaml"
        h1 systemctl reload-or-restart millraced
}

# --- what the daemon says

api() { h1 curl -sf --unix-socket /run/millrace/api.sock "http://localhost$1"; } # TARGET
metric() { api /metrics | sed -n "s/^millrace_$1 //p"; }
own() { api "/apis/millrace.io/v1/namespaces/default/kafkas/${2:-my-cluster}/$1"; } # plan|events|describe [NAME]
condition() { # NAME TYPE: "STATUS REASON: MESSAGE" of each condition of this type
        ctl get kafka "$1" -o json | jq -r --arg type "$2" \
                '.status.conditions[]? | select(.type == $type) | "\(.status) \(.reason): \(.message)"'
}
warning() { condition "${2:-my-cluster}" Warning | contains "$1"; } # TEXT [NAME]

# Events are looked for from the last mark on. Their time is in seconds.
mark() { mark=$(h1 date +%s); }
events() { own events "${1:-my-cluster}" | jq -r --argjson since "$mark" \
        '.[] | select(.time >= $since) | "\(.type) \(.reason) \(.node): \(.message)"'; }
event_says() { # LINE: type, reason, node and words of an event; * stands for anything
        local line
        while IFS= read -r line; do
                # shellcheck disable=SC2053
                [[ $line != $1 ]] || return 0
        done < <(events "${2:-}")
        echo "no event '$1' in:"
        events "${2:-}"
        return 1
}
tells() { wait_for 180 "the event" event_says "$1" "${2:-}"; }
tells_not() { fails event_says "$1"; }
# Events end with the daemon, the journal stays.
journal_says() { h1 journalctl -u millraced --no-pager -o cat --since "@$mark" | grep -- "$1"; } # REGEX

# --- settled: the resource as it is now is Ready, and a plan is empty

plans() { ctl plan | sed '/^#/d; /^Nothing to do\.$/d'; }
unplanned() { same "" "$(plans)"; }
is_ready() { condition "${1:-my-cluster}" Ready | contains "True " && is_observed "${1:-my-cluster}"; }
is_observed() { ctl get kafka "$1" -o json | jq -e '.status.observedGeneration == .metadata.generation'; }
is_settled() { is_ready "${1:-}" && unplanned; }
settled() { # [SECONDS [NAME]]
        wait_for "${1:-600}" "${2:-my-cluster} to be ready with nothing left to do" is_settled "${2:-}" ||
                { ctl describe kafka "${2:-my-cluster}"; return 1; }
}

# A second pass plans nothing: after another round nothing was done, nothing failed and nothing is planned.
another_round() { [ "$(metric rounds_total)" -gt "$1" ]; }
second_pass() {
        local rounds before
        rounds=$(metric rounds_total)
        before="$(metric steps_total) $(metric failures_total)"
        h1 systemctl reload millraced && wait_for 30 "another round" another_round "$rounds" && unplanned &&
                same "$before" "$(metric steps_total) $(metric failures_total)"
}

calm() { # WHAT: back to the spec, and a second pass plans nothing
        check "$1, and a second pass plans nothing" settles
}
settles() { settled "$@" && second_pass; } # [SECONDS [NAME]]

# --- processes

pids() { # UNIT...
        local unit
        for unit; do property "$unit" MainPID; done | tr '\n' ' '
}
all_pids() { pids $(units); }
units() { h1 systemctl list-units --plain --no-legend 'kafka@*' 'zookeeper@*' | cut -d' ' -f1 | sort; }
no_units() { same "" "$(units)"; }
kept_running() { same "$1" "$(all_pids)"; } # PIDS
started_anew() { [ "$(property "$1" MainPID)" != "$2" ] && [ "$(property "$1" ActiveState)" = active ]; } # UNIT PID
state_of() { property "$1" ActiveState; }
is_state() { same "$2" "$(state_of "$1")"; } # UNIT STATE
# Limits as the kernel has them, under cgroup v1 or v2: bytes, and processors with two digits.
cgroup_file() { # UNIT CONTROLLER V1-FILE V2-FILE
        local path
        path=$(h1 sed -n "s/^[0-9]*:\([^:]*,\)*$2\(,[^:]*\)*://p" "/proc/$(property "$1" MainPID)/cgroup")
        h1 sh -c "cat /sys/fs/cgroup/$2$path/$3 2>/dev/null || cat /sys/fs/cgroup$(property "$1" ControlGroup)/$4"
}
memory_limit() { cgroup_file "$1" memory memory.limit_in_bytes memory.max; } # UNIT
processors() { # UNIT
        local text
        text=$(cgroup_file "$1" cpu cpu.cfs_quota_us cpu.max)
        case $text in
        *' '*) awk '{printf "%.2f", $1 / $2}' <<<"$text" ;;
        *) awk -v quota="$text" '{printf "%.2f", quota / $1}' <<<"$(cgroup_file "$1" cpu cpu.cfs_period_us cpu.max)" ;;
        esac
}
command_line() { h1 cat "/proc/$(property "$1" MainPID)/cmdline" | tr '\0' '\n'; }

# Whoever ends may need the others for that, so what ends in the wrong order takes minutes.
deleted_soon() { # WHAT: the spec in $spec
        local from
        from=$(seconds)
        check "$1: the cluster is deleted within a minute and a half" ctl delete --timeout 90s -f - <"$spec"
        check "$1: every node has ended" wait_for 10 "the units to go" no_units
        note "$1: gone after $(since "$from") s"
}

# --- clients; files of the user are in /root/USER

secret_files() { # USER: user.crt, user.key and the cluster's ca.crt, as one would fetch them
        h1 rm -rf "/root/$1"
        h1 sh -c "umask 077 && millctl secret get $1 -o /root/$1 && millctl secret get ${2:-my-cluster}-cluster-ca-cert -o /root/$1" >/dev/null
}
tls_options() { # USER
        echo "-X security.protocol=ssl -X ssl.ca.location=/root/$1/ca.crt" \
                "-X ssl.certificate.location=/root/$1/user.crt -X ssl.key.location=/root/$1/user.key"
}
# 100 messages there and back; OPTIONS are kcat's.
passes() { # BOOTSTRAP TOPIC OPTIONS...
        local bootstrap=$1 topic=$2 text
        shift 2
        text=m$RANDOM
        h1 sh -c "seq -f '$text-%g' 100 | kcat -P -b $bootstrap -t $topic -X acks=all -X message.timeout.ms=60000 $*" &&
                wait_for 60 "100 messages in $topic" passed "$bootstrap" "$topic" "$text" "$@"
}
passed() {
        local bootstrap=$1 topic=$2 text=$3
        shift 3
        same 100 "$(h1 sh -c "kcat -C -q -e -o beginning -b $bootstrap -t $topic $* | grep -c '^$text-'")"
}
broker_count() { # BOOTSTRAP OPTIONS...
        local bootstrap=$1
        shift
        h1 sh -c "kcat -L -J -m 20 -b $bootstrap $*" | jq '.brokers | length'
}

# Java's own tools, over the listener that needs no credentials unless SETTINGS, a file on the host, says otherwise.
java_tool() { # CLASS ARGUMENT...
        h1 java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC "-XX:SharedArchiveFile=/var/lib/millrace-dist/archives/kafka-${KAFKA_VERSION:-3.9.1}.jsa" -Xlog:cds=off -Xlog:class+path=off \
                -cp "$MILLRACE_TEST_CACHE/dist/kafka-${KAFKA_VERSION:-3.9.1}/libs/*" "$@"
}

# --- load on a cluster with a KafkaUser my-user, from a second host h2

load_begin() { # TOPIC
        secret_files my-user
        mkdir -p "$(root_of h2)/root/user" && cp "$(root_of h1)/root/my-user/"* "$(root_of h2)/root/user/" || return
        CREDENTIALS=/root/user REPLICATION=3 DELIVERY_TIMEOUT=900000 producer start h2 h1:9093,h1:9103,h1:9113 "$1" 100
}
acked_more() {
        local n
        n=$(producer acked h2)
        sleep 1
        [ "$(producer acked h2)" -gt "$n" ]
}
load_end() { # WHAT
        check "the producer ends" producer stop h2
        check "$1: nothing was lost" producer report h2
        note "$1: $(tail -n 1 "$scratch/check")"
}
