#!/bin/bash
# (f) From the start of the daemon's program to the end of its first pass over the cluster, the host having been observed.
. "$(dirname "$0")/lib.sh"

pass=90eafba7d4d84c19b9ae231bfc60d762

first_pass() { # seconds
        journalctl _SYSTEMD_INVOCATION_ID="$(systemctl show -P InvocationID millraced)" MESSAGE_ID="$pass" -o json --no-pager |
                head -n 1 | jq -r '._SOURCE_REALTIME_TIMESTAMP | tonumber / 1e6'
}

for i in {1..9}; do
        # Every other time hostd has to be started, too, as it is at boot.
        systemctl stop millraced
        [ $((i % 2)) = 0 ] || systemctl stop millrace-hostd
        systemctl start millraced
        for _ in {1..50}; do
                end=$(first_pass)
                [ -z "$end" ] || break
                sleep .1
        done
        [ -n "$end" ] || die "there is no first pass"
        begin=$(systemctl show --timestamp=us -P ExecMainStartTimestamp millraced)
        echo "$(date -d "${begin#* }" +%s.%N) $end" | awk -v k=$((i % 2)) '{printf "%s %.1f\n", k ? "cold" : "warm", ($2 - $1) * 1e3}'
done >"$work/boot"
figure "(f) start to first pass, hostd running" "$(sed -n 's/^warm //p' "$work/boot" | median)" ms 150
figure "(f) start to first pass, hostd not running" "$(sed -n 's/^cold //p' "$work/boot" | median)" ms 150
