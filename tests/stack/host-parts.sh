# The parts of which tests/stack/host makes hosts: network, disks, cgroups, processes. Sourced by it;
# base, stack, netns, here, repository and cache are its. Everything is named after the stack, so that
# two stacks never meet and what is left of a dead one can be found.

# --- network: a namespace with a bridge; addresses 10.77.0.11, .12, ... in order of appearance

network_make() {
        [ ! -e "/run/netns/$netns" ] || return 0
        ip netns add "$netns"
        ip -n "$netns" link set lo up
        ip -n "$netns" link add br0 type bridge
        ip -n "$netns" addr add 10.77.0.1/24 dev br0
        ip -n "$netns" link set br0 up
}

network_remove() {
        [ ! -e "/run/netns/$netns" ] || ip netns del "$netns" 2>/dev/null || rm -f "/run/netns/$netns"
}

address() { # NAME
        cat "$base/$1/address"
}

address_choose() {
        local n
        for n in {11..99}; do
                grep -qsx "10.77.0.$n" "$base"/*/address || { echo "10.77.0.$n"; return; }
        done
}

addresses_publish() {
        local name table
        table=$(echo "127.0.0.1 localhost"
                for name in $(names); do echo "$(address "$name") $name.millrace.test $name"; done)
        for name in $(names); do
                echo "$table" >"$base/$name/root/etc/hosts"
        done
}

# The host's end of its link knows the number of the end on the bridge, whose name may be shortened.
link_note() { # NAME
        local number
        number=$(nsenter -t "$(leader "$1")" -m -n cat /sys/class/net/host0/iflink)
        ip -n "$netns" -o link | sed -n "s/^$number: \([^@:]*\).*/\1/p" >"$base/$1/link"
}

link_set() { # NAME up|down
        ip -n "$netns" link set "$(cat "$base/$1/link")" "$2"
}

# The link of a host that was killed may outlive it for a moment, and bar the way to its next boot.
link_remove() { # NAME
        [ ! -e "$base/$1/link" ] || ip -n "$netns" link del "$(cat "$base/$1/link")" 2>/dev/null || true
}

# --- disks: this machine's root below, a tmpfs above

disk_make() { # NAME
        local disk=$base/$1
        mkdir -p "$disk"
        mount -t tmpfs -o size="${MILLRACE_STACK_DISK:-4g}",mode=755 "millrace_${stack}_$1" "$disk"
        mkdir "$disk/upper" "$disk/work" "$disk/root"
        mount -t overlay -o "lowerdir=/,upperdir=$disk/upper,workdir=$disk/work" \
                "millrace_${stack}_$1" "$disk/root"
        address_choose >"$disk/.address" && mv "$disk/.address" "$disk/address"
}

# What is installed on this machine is installed on the host, so nothing of it may start by itself:
# only what systemd, D-Bus and networkd need is left, and a package's services start when it is installed.
disk_prepare() { # NAME
        local root=$base/$1/root unit
        rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/rc?.d "$root"/etc/init.d \
                "$root"/var/log/journal "$root"/usr/sbin/policy-rc.d "$root"/etc/resolv.conf \
                "$root"/etc/millrace "$root"/var/lib/millrace* "$root"/var/lib/kafka "$root"/var/lib/zookeeper
        mkdir -p "$root/etc/systemd/system/multi-user.target.wants" "$root/etc/systemd/network" \
                "$root/var/log/journal" "$root/etc/systemd/journald.conf.d"
        ln -s /lib/systemd/system/systemd-networkd.service "$root/etc/systemd/system/multi-user.target.wants/"
        for unit in systemd-resolved systemd-timesyncd systemd-networkd-wait-online systemd-udevd \
                systemd-pstore systemd-rfkill getty@tty1 console-getty e2scrub_reap polkit packagekit; do
                ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
        done
        systemd-id128 new >"$root/etc/machine-id"
        echo "$1" >"$root/etc/hostname"
        : >"$root/etc/resolv.conf"
        printf '%s\n' '[Match]' Name=host0 '[Network]' "Address=$(address "$1")/24" \
                LinkLocalAddressing=no DHCP=no IPv6AcceptRA=no >"$root/etc/systemd/network/10-host0.network"
        printf '%s\n' '[Journal]' RateLimitBurst=0 SystemMaxUse=200M SyncIntervalSec=1s \
                >"$root/etc/systemd/journald.conf.d/tests.conf"
}

disk_remove() { # NAME
        local disk=$base/$1 mount
        for mount in "$disk/root" "$disk"; do
                ! mountpoint -q "$mount" || umount "$mount" 2>/dev/null || umount -l "$mount"
        done
        rm -rf "$disk"
}

# --- cgroups: one for each host in every hierarchy, below the one we are in

cgroup_hierarchies() { # prints DIRECTORY OWN-PATH CONTROLLER
        local controller path directory
        while IFS=: read -r _ controller path; do
                case $controller in
                '') directory=/sys/fs/cgroup/unified ;;
                name=*) directory=/sys/fs/cgroup/${controller#name=} ;;
                *) directory=/sys/fs/cgroup/$controller ;;
                esac
                [ -n "$controller" ] || [ -d "$directory" ] || directory=/sys/fs/cgroup
                [ ! -d "$directory" ] || echo "$directory" "${path%/}/" "$controller"
        done </proc/self/cgroup
}

cgroups_enter() { # NAME: moves this process
        local directory path controller group
        cgroup_hierarchies | while read -r directory path controller; do
                [ -d "$directory$path" ] || path=/
                group=$directory${path}millrace_${stack}_$1
                mkdir -p "$group" || continue
                if [ "$controller" = cpuset ]; then
                        cat "$directory${path}cpuset.cpus" >"$group/cpuset.cpus"
                        cat "$directory${path}cpuset.mems" >"$group/cpuset.mems"
                fi
                echo "$$" >"$group/cgroup.procs"
        done
}

# Whatever still runs in them is killed: a host outlives its systemd-nspawn when that was killed.
cgroups_remove() { # NAME or '*'
        local group pid
        for _ in {1..50}; do
                find /sys/fs/cgroup -type d -name "millrace_${stack}_$1" -prune 2>/dev/null | while read -r group; do
                        for pid in $(find "$group" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u); do
                                kill -KILL "$pid" 2>/dev/null || true
                        done
                        find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
                done
                [ -n "$(find /sys/fs/cgroup -type d -name "millrace_${stack}_$1" 2>/dev/null)" ] || return 0
                sleep .1
        done
        echo "host: some cgroups of ${stack}_$1 remain" >&2
}

# --- processes

# Alive and ours: a killed one may stay a zombie for a while, and its number may be another's later.
alive() { # PID NAME
        [ -n "${1:-}" ] && grep -qs "/millrace_${stack}_$2\(/\|\$\)" "/proc/$1/cgroup" &&
                [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c1)" != Z ]
}

process() { # NAME keeper|nspawn: prints its number while it runs
        local pid
        pid=$(cat "$base/$1/$2.pid" 2>/dev/null) && alive "$pid" "$1" && echo "$pid"
}

leader() { # NAME: prints the process that is its systemd
        local nspawn pid
        nspawn=$(process "$1" nspawn) || return 1
        for pid in $(pgrep -P "$nspawn"); do
                [ "$(cat "/proc/$pid/comm" 2>/dev/null)" != systemd ] || { echo "$pid"; return; }
        done
        return 1
}

# nsenter and not "ip netns exec": the latter mounts a new /sys, which hides /sys/fs/cgroup.
host_start() { # NAME
        local name=$1
        rm -f "$base/$name/keeper.pid" "$base/$name/nspawn.pid"
        (
                exec 9>&- </dev/null >"$base/$name/console" 2>&1
                exec setsid bash -c '. "$0"; . "$1/host-parts.sh"; host_become "$2"' \
                        <(declare -p base stack netns here repository cache) "$here" "$name"
        ) &
        disown
        for _ in {1..100}; do
                [ ! -e "$base/$name/keeper.pid" ] || break
                sleep .05
        done
}

host_become() { # NAME: this process keeps the host, and ends with it
        local status=0
        cgroups_enter "$1"
        mkdir -p "$cache"
        echo $$ >"$base/$1/.pid"
        mv "$base/$1/.pid" "$base/$1/keeper.pid"
        while
                link_remove "$1"
                host_nspawn "$1" &
                echo $! >"$base/$1/nspawn.pid"
                wait $! && status=0 || status=$?
                [ "$status" = 133 ] # this is how systemd-nspawn says that the host wants to be rebooted
        do :; done
        exit "$status"
}

host_nspawn() { # NAME; MILLRACE_DEVICES: block devices of this machine that it sees, too
        local device devices=()
        for device in ${MILLRACE_DEVICES:-}; do
                devices+=(--bind="$device")
        done
        exec nsenter --net="/run/netns/$netns" systemd-nspawn -q -D "$base/$1/root" --register=no --keep-unit \
                --kill-signal=SIGRTMIN+3 -M "$1.$stack" --hostname="$1" --network-bridge=br0 \
                --resolv-conf=off --timezone=off --link-journal=no --console=pipe --system-call-filter=bpf ${devices[@]+"${devices[@]}"} \
                --bind-ro="$repository" --bind-ro="$cache" --bind-ro="$here/host-init:/.host-init" /.host-init
}

host_wait() { # NAME
        local state=
        for _ in {1..1800}; do # units that start at boot take their time
                process "$1" keeper >/dev/null || break
                state=$(leader "$1" >/dev/null && (run_inside "$1" systemctl is-system-running) 2>/dev/null) || true
                case $state in
                running)
                        link_note "$1"
                        return 0
                        ;;
                degraded)
                        link_note "$1"
                        echo "host: $1 is up, but not all of it:" >&2
                        (run_inside "$1" systemctl --failed --no-legend --plain) >&2 || true
                        return 0
                        ;;
                esac
                sleep .1
        done
        die "$1 did not boot (${state:-no answer}): $(tail -n 5 "$base/$1/console")"
}

gone_within() { # TENTHS NAME
        local n
        for ((n = 0; n < $1; n++)); do
                process "$2" keeper >/dev/null || return 0
                sleep .1
        done
        return 1
}
