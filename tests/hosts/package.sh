#!/bin/bash
# The package: reproducible, clean for lintian, and installed, upgraded, removed and purged on a real host with nodes
# running, which no upgrade restarts and whose data nothing removes.
. "$(dirname "$0")/../stack/lib.sh"

export MILLRACE_VERSIONS=3.9.1
nodes="zookeeper@my-cluster-zookeeper-0 kafka@my-cluster-kafka-0"
h1() { on h1 "$@"; }

# Elsewhere, under another umask and at another time.
same_bytes() {
        local copy=$scratch/elsewhere/millrace
        mkdir -p "$copy"
        tar -C "$MILLRACE_REPOSITORY" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$copy" -xf -
        (umask 077; "$copy/packaging/build" "$scratch/packages") && cmp "$package" "$scratch"/packages/*.deb
}

lintian_clean() {
        lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$package"
}

node_pids() { h1 systemctl show -P MainPID $nodes; }
daemon_pid() { h1 systemctl show -P MainPID millraced; }
gone() { ! h1 test -e "$1" || { echo "$1 is still there"; return 1; }; }
there() { h1 test -e "$1" || { echo "$1 is gone"; return 1; }; }

# The same files under a higher version number are an upgrade.
higher() {
        local tree=$scratch/higher
        dpkg-deb -R "$package" "$tree"
        sed -i 's/^Version: .*/Version: 999/' "$tree/DEBIAN/control"
        dpkg-deb --root-owner-group -Znone -b "$tree" "$(root_of h1)/var/tmp/higher.deb" >/dev/null
}

upgrade() {
        h1 dpkg --force-confold -i /var/tmp/higher.deb
        for _ in {1..50}; do
                [ "$(h1 systemctl is-active millraced)" != active ] || return 0
                sleep .2
        done
        return 1
}

daemon_is_another() { [ "$(daemon_pid)" != "$1" ] && [ "$(daemon_pid)" != 0 ]; }
settings_kept() { h1 grep -q "^address: h1" /etc/millrace/hostd.yaml; }
ready() { h1 millctl wait kafka/my-cluster --timeout=4m; }

nothing_to_do() { h1 millctl plan kafka my-cluster | contains "Nothing to do"; }

apply() {
        sed 's/^\( *\)type: ephemeral/\1type: persistent-claim\n\1size: 1Gi/' "$MILLRACE_REPOSITORY/etc/examples/kafka-single.yaml" |
                h1 millctl apply -f -
}

stopped_daemon_stays() {
        h1 systemctl stop millraced
        h1 dpkg --force-confold -i /var/tmp/higher.deb
        same inactive "$(h1 systemctl is-active millraced || true)"
}

package=${MILLRACE_PACKAGE:-$("$MILLRACE_REPOSITORY/packaging/build")} || bail "the package does not build"
export MILLRACE_PACKAGE=$package
check "the same sources give the same bytes" same_bytes
check "lintian finds nothing" lintian_clean

MILLRACE_START=no host_with_package h1
check "a first installation starts nothing" same "inactive" "$(h1 systemctl is-active millraced || true)"
check "it enables nothing" same "disabled" "$(h1 systemctl is-enabled millraced || true)"
check "every manual page can be shown" h1 sh -c 'for page in /usr/share/man/man[158]/*mill*.gz; do gzip -t "$page" || exit 1; done'
check "no unit has a mistake" h1 systemd-analyze verify /usr/lib/systemd/system/millrace{d,-hostd}.service
h1 systemctl enable -q --now millraced
check "a cluster is wanted" apply
check "a cluster becomes ready" ready || bail "there is no cluster"

before=$(node_pids)
daemon=$(daemon_pid)
higher
check "an upgrade" upgrade
check "it restarts the daemon" daemon_is_another "$daemon"
check "it keeps the settings" settings_kept
check "it restarts no node" same "$before" "$(node_pids)"
check "the cluster is ready after it" ready
check "the new daemon finds nothing to do" nothing_to_do
check "still no node has been restarted" same "$before" "$(node_pids)"
check "a daemon that was stopped is not started by an upgrade" stopped_daemon_stays

h1 systemctl start millraced
check "removal" h1 dpkg -r millrace
check "removal stops the daemon" same inactive "$(h1 systemctl is-active millraced || true)"
check "removal leaves nodes alone" same "$before" "$(node_pids)"
h1 systemctl kill --kill-whom=all -s KILL $nodes
h1 systemctl stop $nodes
check "purge" h1 dpkg -P millrace
check "purge removes settings" gone /etc/millrace/hostd.yaml
check "purge removes files of nodes" gone /etc/millrace/nodes
check "purge removes drop-ins" gone /etc/systemd/system/kafka@my-cluster-kafka-0.service.d
check "purge keeps resources and authorities" there /var/lib/millrace/state.db
check "purge keeps claims" there /var/lib/millrace-data/data-my-cluster-kafka-0/data
