#!/bin/bash
# The daemon's state is saved, destroyed and restored: nothing is restarted, and authorities and identities are the same.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/cluster.sh"

state=/var/lib/millrace
spec=/etc/millrace/resources.d/my-cluster.yaml
units="kafka@my-cluster-kafka-0.service zookeeper@my-cluster-zookeeper-0.service"
authority() { ctl get secret my-cluster-cluster-ca-cert -o json | jq -r '.data["ca.crt"]'; }
uid() { ctl get kafka my-cluster -o json | jq -r .metadata.uid; }
identity() { h1 sh -c 'cat /var/lib/millrace-data/*/.millrace*' 2>/dev/null | sort; }
phrase() { h1 sh -c "umask 077; printf '%s\n' '$1' >/root/phrase"; }
refused() { # TEXT COMMAND...
        local text=$1
        shift
        "$@" >"$scratch/refused" 2>&1 && { echo "it is not refused"; return 1; }
        contains "$text" <"$scratch/refused"
}
same_as_before() {
        check "$1: no process was started anew" same "$processes" "$(pids $units)"
        check "$1: the authority is the same" same "$before" "$(authority)"
        check "$1: the resource is the same" same "$id" "$(uid)"
        check "$1: a hold is still held" eval 'ctl hold | contains my-cluster-kafka-0'
}

host_with_package h1
example kafka-single | h1 sh -c "cat >$spec; chgrp millrace $spec; chmod 0640 $spec"
calm "a cluster from a file becomes ready"
check "a node is held" ctl hold my-cluster-kafka-0 --reason "to see that this is kept"
processes=$(pids $units)
before=$(authority)
id=$(uid)

phrase "correct horse battery"
check "there is a backup, sealed with a passphrase" ctl backup /root/backup --passphrase-file /root/phrase
check "only its owner can read it" same "600 root" "$(h1 stat -c '%a %U' /root/backup)"
check "no key is to be seen in it" fails h1 grep -qaE "PRIVATE KEY|kind: Kafka|SQLite" /root/backup
check "nobody but root makes one" refused "Permission denied" h1 setpriv --reuid nobody --regid nogroup --clear-groups millctl backup /tmp/b --passphrase-file /dev/null
check "one with the key of the host" ctl backup /root/backup.host --host-key
check "a running daemon is in the way" refused "systemctl stop millraced" ctl restore /root/backup --passphrase-file /root/phrase

# --- the state is lost, the files are not

h1 systemctl stop millraced
h1 sh -c "rm -rf $state/* $state/.[!.]*"
phrase "incorrect horse"
check "another passphrase is refused" refused "the passphrase is another one" ctl restore /root/backup --passphrase-file /root/phrase
h1 sh -c "head -c 2000 /root/backup >/root/cut"
phrase "correct horse battery"
check "a cut file is refused" refused "the file was changed" ctl restore /root/cut --passphrase-file /root/phrase
check "a file of something else is refused" refused "no backup that this version" ctl restore /etc/hostname --passphrase-file /root/phrase
check "nothing was made by all that" same "" "$(h1 ls -A $state)"
check "the state is restored" eval 'ctl restore /root/backup --passphrase-file /root/phrase | tee "$scratch/restored" | contains "state.db: restored"'
check "a file that is there stays" eval 'contains "my-cluster.yaml: is the same" <"$scratch/restored"'
check "it belongs to the daemon" same "600 millrace millrace" "$(h1 stat -c '%a %U %G' $state/state.db)"
h1 systemctl start millraced
calm "restored: nothing is left to do"
same_as_before restored

# --- state, directory and files are lost

h1 systemctl stop millraced
h1 sh -c "rm -rf $state $spec"
check "all is restored with the key of the host" eval 'ctl restore /root/backup.host | tee "$scratch/restored" | contains "state.db: restored"'
check "the file, too" eval 'contains "my-cluster.yaml: restored" <"$scratch/restored"'
check "as the daemon reads it" same "640 root millrace" "$(h1 stat -c '%a %U %G' $spec)"
h1 systemctl start millraced
calm "restored once more: nothing is left to do"
same_as_before "once more"

# --- what is there is not lost by a restore

h1 systemctl stop millraced
check "a restore over a state" eval 'ctl restore /root/backup.host | contains "state.db.before-restore now"'
h1 systemctl start millraced
calm "restored over a state: nothing is left to do"
same_as_before "over a state"
