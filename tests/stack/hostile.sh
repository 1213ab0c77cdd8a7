# What tests of hostile and bad input share, beside lib.sh: one host h1, one small cluster my-cluster.

h1() { on h1 "$@"; }
resources() { echo "$root/etc/millrace/resources.d"; }
property() { h1 systemctl show -P "$2" "$1"; } # UNIT PROPERTY
ctl() { h1 millctl "$@"; }
mark() { mark=$(h1 date +%s.%N); }
said() { h1 journalctl -u millraced -u millrace-hostd --no-pager -o cat --since "@$mark"; }

# The examples as they are, with heaps that fit a test.
example() { # NAME
        sed 's/^    storage:/    jvmOptions: {-Xms: 64m, -Xmx: 256m}\n    storage:/' "$MILLRACE_REPOSITORY/etc/examples/$1.yaml"
}

put() { # FILE, content from stdin: written aside, then moved in, as careful editors do
        cat >"$(resources)/.$1" && mv "$(resources)/.$1" "$(resources)/$1"
}

gone() { # FILE...
        for _; do rm -rf "$(resources)/${_:?}"; done
}

says() { # TEXT...: in the journal of daemon and host service since the last mark, within 15 s
        local text
        for text; do
                wait_for 15 "'$text' in the journal" said_text "$text" || { said | tail -n 8; return 1; }
        done
}
said_text() { said | grep -qF -- "$1"; }

condition() { # NAME: of the Ready condition of a Kafka resource, "STATUS: MESSAGE"
        ctl get kafka "$1" -o json | jq -r '.status.conditions[] | select(.type == "Ready") | .status + ": " + .message'
}
describes() { ctl describe kafka "$1" | contains "$2"; } # NAME TEXT
both_say() { condition "$1" | contains "$2" && ctl describe kafka "$1" | contains "$2"; }
shows() { wait_for "${3:-40}" "the status" both_say "$1" "$2"; } # NAME TEXT [SECONDS]: in status and description
is_ready() { condition "$1" | contains "True: "; }
ready() { wait_for "${2:-60}" "$1 to be ready" is_ready "$1" || { ctl describe kafka "$1"; return 1; }; } # NAME SECONDS

pids() { # UNIT...
        local unit
        for unit; do property "$unit" MainPID; done | tr '\n' ' '
}
nodes="kafka@my-cluster-kafka-0 zookeeper@my-cluster-zookeeper-0"

# What must never change by what a test does: the daemon, and the cluster beside it.
remember() { before="$(pids millraced $nodes)$(ls "$root/var/lib/millrace-data")"; }
nothing_harmed() { same "$before" "$(pids millraced $nodes)$(ls "$root/var/lib/millrace-data")"; }

# Neither program ended in another way than by being told to.
never_crashed() {
        h1 journalctl -u millraced -u millrace-hostd --no-pager -o cat |
                grep -E 'code=(killed|dumped)|SIGABRT|SIGSEGV|Watchdog timeout|Assertion|Failed with result' && return 1
        same 0 "$(property millraced NRestarts)"
}
