#!/bin/bash
# What fails beneath a running cluster: disks, file systems, the host service, the bus, the database. The cluster keeps
# running, the message says what to do, and once it is done millraced goes on by itself.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/hostile.sh"

state=/var/lib/millrace
nodes_directory=/etc/millrace/nodes
properties=$nodes_directory/my-cluster-kafka-0/server.properties

small() { # PATH SIZE MODE USER: a file system of its own, as it was
        h1 mkdir -p "$1"
        h1 mount -t tmpfs -o "size=$2,mode=$3,uid=$(h1 id -u "$4"),gid=$(h1 id -g "$4")" "${1##*/}" "$1"
}

retained() { example kafka-single | sed "s/min.insync/log.retention.ms: $1\n      min.insync/"; } # MSEC: altered while running
spec_has() { same "$1" "$(ctl get kafka my-cluster -o json | jq '.spec.kafka.config."log.retention.ms"')"; }
file_has() { h1 grep -q "$1" "$properties"; }
repaired() { wait_for 30 "$properties" file_has broker.id=0; }
drift() { h1 rm "$properties"; }
no_error() { fails describes my-cluster "│   error "; }
error_says() { wait_for 30 "the error" describes my-cluster "$1" && says "$1"; }
refuses() { same 22 "$(h1 curl -s -o /dev/null -f --unix-socket /run/millrace/api.sock http://localhost/readyz; echo $?)"; }
healthy() { wait_for 40 "no error" no_error && is_ready my-cluster; }
lives_on() { nothing_harmed && never_crashed; }
daemon_says() { says "$@" && same "$nodes_before" "$(pids $nodes)"; }
remember_all() { remember; nodes_before=$(pids $nodes); }

MILLRACE_START=no host_with_package h1
root=$(root_of h1)
small $state 4m 700 millrace
small $nodes_directory 4m 755 root
small /var/lib/millrace-data 200m 755 root
h1 systemctl enable --now millraced
example kafka-single | put cluster.yaml
check "a cluster runs" ready my-cluster 120
remember_all

# --- the disk of the daemon

mark
h1 dd if=/dev/zero of=$state/fill bs=4k 2>/dev/null
retained 7200000 | put cluster.yaml
check "a full disk of the daemon refuses a new spec" says "no space left for $state/state.db; free some, nothing was changed"
check "what a client sends is refused the same way" contains "no space left" < <(example kafka-single | sed 's/my-cluster/other/' | ctl apply -f - 2>&1)
check "what there is can be read" spec_has null
check "and the cluster runs" nothing_harmed
h1 rm $state/fill
check "with space the new spec is taken by itself" wait_for 20 "the spec" spec_has 7200000
check "and applied" wait_for 20 "the file" file_has log.retention.ms=7200000
check "to the running broker" ready my-cluster
check "and nothing else happened" lives_on

# --- file systems that are read-only

mark
h1 mount -o remount,ro $nodes_directory
retained 3600000 | put cluster.yaml
check "read-only files of nodes are told" shows my-cluster "Read-only file system"
check "with what to do" shows my-cluster "the file system is read-only, mount it writable"
h1 mount -o remount,rw $nodes_directory
check "writable again, it goes on by itself" wait_for 30 "the file" file_has log.retention.ms=3600000
check "nothing was harmed" lives_on

# --- the host service, and the bus

mark
h1 systemctl mask --now millrace-hostd 2>/dev/null
drift
check "a masked host service is told, with the way out" error_says "'systemctl unmask millrace-hostd' gives it back"
check "readiness says no" refuses
check "the cluster runs" nothing_harmed
h1 systemctl unmask millrace-hostd 2>/dev/null
check "given back, drift is repaired" repaired
check "and all is well" healthy
h1 systemctl kill -s KILL millrace-hostd
drift
check "killed, it is started again and does its work" repaired
h1 systemctl kill -s KILL dbus
drift
check "so it does when the bus was killed" repaired
mark
h1 systemctl stop dbus.socket dbus.service
check "a bus that is down is told" error_says "check 'systemctl status dbus'"
check "the cluster runs" nothing_harmed
drift
h1 systemctl start dbus.socket
check "once it is back, drift is repaired" repaired
check "all in one life of the daemon" nothing_harmed

# --- the database

mark
h1 systemctl stop millraced
h1 dd if=/dev/urandom of=$state/state.db bs=1k seek=8 count=20 conv=notrunc 2>/dev/null
damaged=$(h1 sha256sum $state/state.db)
h1 systemctl start millraced 2>/dev/null
check "a damaged database is told, and the cluster runs" daemon_says "the state file $state/state.db is damaged"
check "with what to do" says "copy $state/state.db.backup to $state/state.db with the same owner and mode, and start it again"
check "it was left as it is" same "$damaged" "$(h1 sha256sum $state/state.db)"
h1 systemctl stop millraced
h1 sh -c "cd $state && mv state.db damaged && rm -f state.db-wal && cp -p state.db.backup state.db"
h1 systemctl start millraced
check "with the copy in its place all is as before" wait_for 30 "the cluster" is_ready my-cluster
check "the last spec among it" spec_has 3600000
sleep 2
check "nothing was issued or restarted" daemon_says "is ready, on rhel-baremetal"
check_fails "nothing at all" said_text "create "
h1 systemctl stop millraced
h1 mount -o remount,ro $state
mark
h1 systemctl start millraced 2>/dev/null
check "a read-only disk of the daemon is told, and the cluster runs" daemon_says "Read-only file system"
h1 mount -o remount,rw $state
check "writable again, the daemon is back by itself" wait_for 30 "the cluster" is_ready my-cluster

# --- the disk of the nodes

mark
h1 dd if=/dev/zero of=/var/lib/millrace-data/fill bs=64k 2>/dev/null
h1 systemctl kill -s KILL kafka@my-cluster-kafka-0
check "a broker whose disk is full is told" shows my-cluster "my-cluster-kafka-0: " 60
check "and what to do about it" wait_for 30 "the warning" eval \
        'ctl get kafka my-cluster -o json | contains "the disk of storage class directory is nearly full; nodes that cannot write end themselves: free space there"'
h1 rm /var/lib/millrace-data/fill
check "with space it comes back by itself" ready my-cluster 120
