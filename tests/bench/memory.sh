#!/bin/bash
# (c) Memory of the two daemons with a cluster.
. "$(dirname "$0")/lib.sh"

memory() { # PID FIELD: KiB
        sed -n "s/^$2:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/smaps_rollup" "/proc/$1/status" | head -n 1
}

mebibytes() { awk -v k="$1" 'BEGIN {printf "%.2f", k / 1024}'; }

settled 60 || note "the cluster does not settle"
sleep 2
daemon=$(systemctl show -P MainPID millraced)
hostd=$(systemctl show -P MainPID millrace-hostd)
figure "(c) millraced PSS" "$(mebibytes "$(memory "$daemon" Pss)")" MiB 12
figure "(c) millraced RssAnon" "$(mebibytes "$(memory "$daemon" RssAnon)")" MiB 6
figure "(c) millrace-hostd PSS" "$(mebibytes "$(memory "$hostd" Pss)")" MiB 6
