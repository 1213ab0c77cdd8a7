#!/bin/bash
# What stands around a cluster ends: the host in good order, the host without warning, the daemon without ending. Three
# ZooKeeper nodes and three brokers are there again by themselves, and a producer with acks=all on another host loses
# nothing.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

spec=$scratch/spec.yaml

# A process that does not end and does nothing: systemd ends it after WatchdogSec=, which is 30 s.
test_watchdog() {
        local before pid
        before=$(all_pids)
        pid=$(property millraced MainPID)
        mark
        h1 kill -STOP "$pid"
        from=$(seconds)
        check "the daemon hangs: the watchdog ends it, and it runs again" wait_for 50 "a new daemon" started_anew millraced "$pid"
        note "a new daemon $(since "$from") s after the other stood still"
        check "it was the watchdog" journal_says "Watchdog timeout"
        calm "the daemon hung: back to the spec"
        check "the daemon hung: nothing was restarted" kept_running "$before"
}

# Brokers hand over before they go, which needs ZooKeeper: the stop timeout of a broker is 300 s, and nothing waits for it.
test_poweroff() {
        mark
        from=$(seconds)
        check "the host is shut down" host poweroff h1
        took=$(since "$from")
        note "the host was off after $took s"
        check "brokers did not wait for a ZooKeeper that had gone" [ "${took%.*}" -lt 90 ]
        check "it boots" host boot h1
        calm "the host was shut down: everything is there again"
        check "no node had to be killed" fails stack_says "stop-sigterm.*timed out\|Main process exited, code=killed"
        check "no ZooKeeper node went before the last broker" zookeeper_went_last
        check "nobody is said to have stopped a node" fails journal_says "stopped by hand"
        note "Ready $(since "$from") s after it was told to shut down"
}
stack_says() { h1 journalctl -u 'kafka@*' -u 'zookeeper@*' --no-pager -o cat --since "@$mark" | grep -- "$1"; }
stopped() { h1 journalctl -u "$1" --no-pager -o short-unix --since "@$mark" | sed -n "s/^\([0-9.]*\) .* systemd\[1\]: $2 .*/\1/p" | sort -n; } # UNITS WORD
zookeeper_went_last() {
        local last first
        last=$(stopped 'kafka@*' Stopped | head -n 3 | tail -n 1)
        first=$(stopped 'zookeeper@*' Stopping | head -n 1)
        echo "the last broker had stopped at $last, the first ZooKeeper node began to at $first"
        awk -v a="$last" -v b="$first" 'BEGIN {exit !(a > 0 && a <= b)}'
}

test_reboot() {
        check "the host loses its power, and boots" eval 'host crash h1 && host boot h1'
        calm "the host rebooted: everything is there again"
        note "Ready $(since "$from") s after the power failure"
}

test_reboot_alone() {
        h1 systemctl disable -q millraced
        check "the host loses its power again, with the daemon disabled" eval 'host crash h1 && host boot h1'
        check "the daemon does not run" is_state millraced inactive
        check "all three brokers serve without it" wait_for 180 "the brokers" eval 'same 3 "$(broker_count h1:9092)"'
        check "and the load goes on" wait_for 180 "acknowledgements" acked_more
        before=$(all_pids)
        h1 systemctl enable -q --now millraced
        calm "the daemon enabled again"
        check "it restarted nothing" kept_running "$before"
}

grace=6
host_with_package h1
host up h2 || bail "the second host does not boot"
setting "grace_seconds: $grace"
example kafka-persistent >"$spec"
check "a cluster is applied" ctl apply -f - <"$spec"
check "it becomes ready" settled 300
check "a producer begins" load_begin load
test_watchdog
test_poweroff
from=$(seconds)
test_reboot
test_reboot_alone
load_end "shutdowns"
