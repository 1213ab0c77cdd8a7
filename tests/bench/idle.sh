#!/bin/bash
# (d) What the two daemons do when there is nothing to do.
. "$(dirname "$0")/lib.sh"

idle=${1:-60}

cpu() { awk '{n += $1} END {printf "%.0f", n}' /proc/"$1"/task/*/schedstat; } # PID: nanoseconds

# Everything that either of them may write to; sockets and the journal are no files of theirs.
written() { find /var/lib/millrace* /etc/millrace /etc/systemd/system /run/millrace -newer "$work/idle" ! -path '*/data/*'; }
said() { journalctl -u millraced -u millrace-hostd --since "@$1" -o cat --no-pager; }

settled 60 || note "the cluster does not settle"
sleep 2
daemon=$(systemctl show -P MainPID millraced)
hostd=$(systemctl show -P MainPID millrace-hostd)
steps=$(metric millrace_steps_total) rounds=$(metric millrace_rounds_total)
cpu_daemon=$(cpu "$daemon") cpu_hostd=$(cpu "$hostd")
touch "$work/idle"
begin=$EPOCHREALTIME
sleep "$idle"
percent() { awk -v a="$1" -v b="$2" -v s="$(difference "$begin" "$EPOCHREALTIME")" 'BEGIN {printf "%.4f", (b - a) / s / 1e7}'; }
used_daemon=$(percent "$cpu_daemon" "$(cpu "$daemon")")
used_hostd=$(percent "$cpu_hostd" "$(cpu "$hostd")")
written >"$work/written"
said "$begin" >"$work/said"
figure "(d) steps in $idle s of idleness" "$(($(metric millrace_steps_total) - steps))" "" 0
figure "(d) files written in $idle s of idleness" "$(wc -l <"$work/written")" "" 0
figure "(d) messages in $idle s of idleness" "$(wc -l <"$work/said")" "" 0
figure "(d) millraced CPU, idle" "$used_daemon" % 0.1
figure "(d) millrace-hostd CPU, idle" "$used_hostd" % 0.1
note "rounds meanwhile: $(($(metric millrace_rounds_total) - rounds))"
sed 's/^/# /' "$work/written" "$work/said" >&2
