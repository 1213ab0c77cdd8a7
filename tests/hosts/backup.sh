#!/bin/bash
# A bundle leaves the host without a secret, and is replayed. The daemon's state is saved, destroyed and restored: nothing
# is restarted, and authorities and identities are the same.
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

# --- what leaves the host for whoever is to help

bundle=$(root_of h1)/root/bundle.tar.gz

# Every value but certificates: whole, line by line, and as base64.
no_secret_in_bundle() {
        cp "$(root_of h1)/var/lib/millrace/state.db.backup" "$scratch/state.db"
        python3 - "$scratch/state.db" "$bundle" <<'PY'
import base64, sqlite3, sys, tarfile
with tarfile.open(sys.argv[2]) as bundle:
    text = b"\0".join(bundle.extractfile(member).read() for member in bundle.getmembers() if member.isfile())
seen = 0
for name, key, value in sqlite3.connect(sys.argv[1]).execute("SELECT name, key, value FROM secrets"):
    plain = bytes(value) if not isinstance(value, str) else value.encode()
    if plain.startswith(b"-----BEGIN CERTIFICATE") and b"PRIVATE KEY" not in plain:
        continue
    seen += 1
    begin = plain.find(b"PRIVATE KEY-----\n")
    block = plain[begin:plain.find(b"-----END", begin)] if begin >= 0 else plain
    pieces = [line for line in block.split(b"\n") if len(line) > 7 and b"-----" not in line]
    for piece in pieces + [base64.b64encode(plain)]:
        if piece in text:
            sys.exit(f"{name}/{key} is in the bundle: {piece[:20]}")
if seen < 10 or b"(masked " not in text or b"-----BEGIN CERTIFICATE" not in text:
    sys.exit(f"{seen} secrets, and nothing masked: this test looks at the wrong things")
PY
}

faithful() { tar -xzOf "$bundle" kafkas/default/my-cluster/record.json | jq -e '.faithful and (.steps | length) == 0' >/dev/null; }
replayed() {
        MILLRACE_PLUGINS=$MILLRACE_BUILD MILLRACE_BUNDLE=$bundle \
                "$MILLRACE_BUILD/test_sim_replay" 2>&1 | contains "kafkas/default/my-cluster/record.json: 0 steps"
}

check "there is a bundle" ctl bundle /root/bundle.tar.gz
check "only its owner can read it" same "600 root" "$(h1 stat -c '%a %U' /root/bundle.tar.gz)"
check "it has versions, and what was done" eval 'tar -xzOf "$bundle" versions.json kafkas/default/my-cluster/describe.json | contains "\"Started\""'
check "no secret is in it" no_secret_in_bundle
check "the pass it holds is one that can be made again" faithful
check "the simulator makes the same plan of it" replayed

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
