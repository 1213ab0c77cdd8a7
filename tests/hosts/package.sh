#!/bin/bash
# The package: reproducible, clean for lintian, and installed, upgraded, removed and purged on a real host with nodes
# running, which no upgrade restarts and whose data nothing removes. From the version before to this one, and back.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/package.sh"

export MILLRACE_VERSIONS=3.9.1
nodes="zookeeper@my-cluster-zookeeper-0 kafka@my-cluster-kafka-0"
h1() { on h1 "$@"; }

lintian_clean() {
        lintian --allow-root --fail-on error,warning --tag-display-limit 0 "$package"
}

node_pids() { h1 systemctl show -P MainPID $nodes; }
daemon_pid() { h1 systemctl show -P MainPID millraced; }
gone() { ! h1 test -e "$1" || { echo "$1 is still there"; return 1; }; }
there() { h1 test -e "$1" || { echo "$1 is gone"; return 1; }; }

# The version before this one: another schema of the state, another protocol of the host service, a lower number. It is
# made of these very sources, so that its only differences are those an upgrade has to bridge.
previous_package() {
        local tree=$scratch/elsewhere/millrace
        sed -i 's/^#define STORE_SCHEMA 2$/#define STORE_SCHEMA 1/' "$tree/daemon/store/store-private.h"
        sed -i '/r = store_note_program(/s/store_note_program(store, err)/0/' "$tree/daemon/store/store.c"
        sed -i 's/^#define HOST_PROTOCOL 2 /#define HOST_PROTOCOL 1 /' "$tree/daemon/host/host-batch.h"
        sed -i 's/^#define PROTOCOL 2$/#define PROTOCOL 1/' "$tree/platforms/rhel-baremetal/batch.h"
        sed -i "s/^  version: '.*',/  version: '0.0.9',/" "$tree/meson.build"
        sed -i '1s/(.*)/(0.0.9)/' "$tree/packaging/debian/changelog"
        "$tree/packaging/build" "$scratch/previous"
}

schema() { h1 sqlite3 /var/lib/millrace/state.db.backup 'PRAGMA user_version'; }
protocol() { h1 busctl get-property org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Version | sed 's/^u //'; }
told() { h1 journalctl -u millraced -o cat | contains "$1"; }
install() { h1 dpkg --force-confold --force-downgrade -i "/var/tmp/$1"; }
give() { cp "$1" "$(root_of h1)/var/tmp/$2"; }
host_service_is_the_old_one() { h1 systemctl -q is-active millrace-hostd && same 1 "$(protocol)"; }

# The daemon of this package meets the host service of the one before, which still runs.
daemon_meets_old_service() {
        h1 systemctl stop millraced millrace-hostd
        dpkg-deb --fsys-tarfile "$scratch"/previous/*.deb | tar -xO ./usr/libexec/millrace/millrace-hostd >"$(root_of h1)/var/tmp/old-hostd"
        h1 sh -c 'mkdir -p /run/systemd/system/millrace-hostd.service.d && chmod 755 /var/tmp/old-hostd &&
                printf "[Service]\nExecStart=\nExecStart=/usr/libexec/millrace/old-hostd\n" >/run/systemd/system/millrace-hostd.service.d/old.conf &&
                mv /var/tmp/old-hostd /usr/libexec/millrace/ && systemctl daemon-reload && systemctl start millraced'
}

service_of_this_package() {
        h1 sh -c 'rm -r /run/systemd/system/millrace-hostd.service.d /usr/libexec/millrace/old-hostd && systemctl daemon-reload && systemctl stop millraced millrace-hostd'
}

# What goes wrong on the host is put right by a batch.
drift_is_repaired() {
        h1 sh -c 'echo "# drift" >>/etc/millrace/nodes/my-cluster-kafka-0/server.properties'
        wait_for 30 "the file" h1 sh -c '! grep -q "^# drift" /etc/millrace/nodes/my-cluster-kafka-0/server.properties'
}

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
check "the same sources give the same bytes" same_bytes deb
check "lintian finds nothing" lintian_clean

check "the version before it" previous_package

MILLRACE_START=no MILLRACE_PACKAGE=$(echo "$scratch"/previous/*.deb) host_with_package h1
check "a first installation starts nothing" same "inactive" "$(h1 systemctl is-active millraced || true)"
check "it enables nothing" same "disabled" "$(h1 systemctl is-enabled millraced || true)"
check "every manual page can be shown" h1 sh -c 'for page in /usr/share/man/man[158]/*mill*.gz; do gzip -t "$page" || exit 1; done'
check "no unit has a mistake" h1 systemd-analyze verify /usr/lib/systemd/system/millrace{d,-hostd}.service
h1 systemctl enable -q --now millraced
check "a cluster is wanted" apply
check "a cluster becomes ready" ready || bail "there is no cluster"

before=$(node_pids)

# --- from the version before, there and back

check "its state has the older schema" same 1 "$(schema)"
check "its host service speaks the older protocol" same 1 "$(protocol)"
give "$package" this.deb
give "$(echo "$scratch"/previous/*.deb)" previous.deb
daemon=$(daemon_pid)
check "this version is installed over it" install this.deb
check "another daemon runs" wait_for 20 "millraced" daemon_is_another "$daemon"
check "it is ready with all it took over" ready
check "it finds nothing to do" nothing_to_do
check "no node has been restarted" same "$before" "$(node_pids)"
check "the host service is of this version, too" same 2 "$(protocol)"
h1 systemctl stop millraced
check "the state has the newer schema" same 2 "$(h1 sqlite3 /var/lib/millrace/state.db 'PRAGMA user_version')"
check "a daemon and a host service one version older" daemon_meets_old_service
check "the daemon finds nothing to do" wait_for 20 "the daemon" nothing_to_do
check "the host service is the old one" host_service_is_the_old_one
check "they put right what drifts" drift_is_repaired
check "the host service of this version again" service_of_this_package

digest() { h1 sh -c 'systemctl stop millraced && sqlite3 /var/lib/millrace/state.db .dump | sha256sum'; }
state=$(digest)
check "the version before is installed again" install previous.deb
h1 systemctl start --no-block millraced
check "its daemon refuses the newer state, and says what to do" wait_for 20 "the refusal" told "was written by a newer millraced"
check "it has changed nothing" same "$state" "$(digest)"
check "nodes go on running" same "$before" "$(node_pids)"
check "this version once more" install this.deb
h1 systemctl start millraced
check "it is ready as if nothing had been" ready
check "still no node has been restarted since the version before" same "$before" "$(node_pids)"

# --- an upgrade that changes nothing but its number

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
