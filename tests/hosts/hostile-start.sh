#!/bin/bash
# A first start with everything in the way that can be: distribution, disk, claim, java, port. Each is told in the
# status of the cluster with what to do, and once it is done the start goes on by itself.
. "$(dirname "$0")/../stack/lib.sh"
. "$(dirname "$0")/../stack/hostile.sh"

archive() { # PATH SHA512, then more lines of hostd.yaml
        printf '%s\n' "address: h1" "distributions:" "- {software: kafka, version: 3.9.1, archive: $1, sha512: $2}" "${@:3}" \
                >"$root/etc/millrace/hostd.yaml"
}

archive_make() {
        mkdir -p "$root/srv"
        tar -C "$MILLRACE_TEST_CACHE/dist" -cf - kafka-3.9.1 | gzip -1 >"$root/srv/kafka.tgz"
        head -c 1000000 "$root/srv/kafka.tgz" >"$root/srv/half.tgz"
        sum=$(sha512sum "$root/srv/kafka.tgz" | cut -d' ' -f1)
        half=$(sha512sum "$root/srv/half.tgz" | cut -d' ' -f1)
}

claim=/var/lib/millrace-data/data-my-cluster-kafka-0
foreign_claim() {
        h1 mkdir -p "$claim"
        h1 install -d -o kafka -g kafka -m 0750 "$claim/data"
        h1 tee "$claim/identity.json" >/dev/null <<-J
		{"cluster": "default/another", "cluster_id": "QW5vdGhlckNsdXN0ZXJJZA", "role": "kafka", "node_id": 0, "quorum": "zookeeper"}
	J
        echo precious | h1 tee "$claim/data/precious" >/dev/null
        foreign=$(fingerprint)
}
fingerprint() { h1 find "$claim" -type f -exec sha256sum {} + | sort; h1 find "$claim" -printf '%p %u %m\n' | sort; }

fill() { h1 dd if=/dev/zero of=/var/lib/millrace-data/fill bs=4k 2>/dev/null; }

squat() {
        h1 systemd-run -q --unit=squatter python3 -c 'import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("0.0.0.0", 9092)); s.listen(); time.sleep(900)'
}

nothing_runs() { same "" "$(h1 systemctl list-units --plain --no-legend 'kafka@*' 'zookeeper@*')"; }
is_alive() { same active "$(property millraced ActiveState)" && same 0 "$(property millraced NRestarts)"; }
is_told_once() { same 1 "$(said | grep -c "$1")"; } # TEXT: though it was tried again

"$MILLRACE_REPOSITORY/tests/stack/distribution" 3.9.1 >/dev/null || bail "the distribution is missing"
# Files that are no plugins, or plugins that somebody else could have written. They stay through all of this.
plugins=/usr/lib/millrace/plugins
bad_plugins() {
        echo text >"$root$plugins/text.so"
        head -c 20000 "$root$plugins/kafka.so" >"$root$plugins/half.so"
        cp "$root$plugins/zookeeper.so" "$root$plugins/open.so" && chmod 666 "$root$plugins/open.so"
        cp "$root$plugins/zookeeper.so" "$root$plugins/another.so"
}

# A runtime that says of itself which it is, as all do.
old_java() {
        install -D /bin/true "$root/opt/java-11/bin/java"
        echo 'JAVA_VERSION="11.0.2"' >"$root/opt/java-11/release"
}

host_with_package h1
root=$(root_of h1)
archive_make
bad_plugins
old_java
mark
h1 mount -t tmpfs -o size=200m,mode=755 data /var/lib/millrace-data
h1 systemctl restart millraced
check "a plugin that is none is told" says "The plugin $plugins/text.so is not used: $plugins/text.so is no shared object of this machine"
check "so is half of one" says "The plugin $plugins/half.so is not used: "
check "and one that others can write" says "others than its owner can write $plugins/open.so; run 'chmod go-w $plugins/open.so'"
check "and one under another name" says "a plugin is named like its file"
check "the daemon goes on without them" says "is ready, on rhel-baremetal"
mark

foreign_claim
fill
archive /srv/none.tgz "$sum"
example kafka-single | put cluster.yaml
check "a full disk is told" shows my-cluster "No space left on device; the disk is full, free space on it"
sleep 8
check "once, though it is tried again" is_told_once "a step failed.*No space left"
h1 rm /var/lib/millrace-data/fill
plan_says() { h1 millctl plan | contains "$1"; } # TEXT
check "with space it goes on, to the claim of another cluster, and names both" wait_for 40 "the plan" plan_says \
        "data-my-cluster-kafka-0 holds data of cluster default/another with id QW5vdGhlckNsdXN0ZXJJZA"
check "and says what to do" plan_says "mount the disk that belongs here, or move that one away"
check "nothing of it was touched" same "$foreign" "$(fingerprint)"

h1 mv "$claim" /var/lib/millrace-data/.another
check "moved away, it goes on, to an archive that is not there" shows my-cluster "cannot open the archive /srv/none.tgz: No such file"
check "with the software that waits for it" shows my-cluster "the distribution of kafka 3.9.1"
archive /srv/half.tgz "$sum"
check "a wrong checksum is told with both sums" shows my-cluster "its SHA-512 is $half, and /etc/millrace/hostd.yaml says $sum"
archive /srv/half.tgz "$half"
check "a corrupt archive is told" shows my-cluster "the archive is damaged or no tarball"
printf 'distributions: []\n' >"$root/etc/millrace/hostd.yaml"
check "a software that is not listed is told" shows my-cluster "add it to distributions"
printf 'distributions: [\n' >"$root/etc/millrace/hostd.yaml"
check "a broken hostd.yaml is told with its place" wait_for 40 "the error" describes my-cluster "/etc/millrace/hostd.yaml:2:"
check "until now nothing was half-applied" nothing_runs
check "and the daemon lives" is_alive

archive /srv/kafka.tgz "$sum" "java: /nowhere/java"
check "with the right archive it goes on by itself, to a missing java" shows my-cluster \
        "java not found at /nowhere/java; install a Java 17 runtime" 120
check "preflight says the same" contains "FAIL  there is no /nowhere/java; install a Java 17 runtime" < <(h1 millctl check)
archive /srv/kafka.tgz "$sum" "java: /opt/java-11/bin/java"
check "a java that is too old is told" shows my-cluster "is java 11, and 17 is needed; install a Java 17 runtime" 60
archive /srv/kafka.tgz "$sum" "java: /bin/true"
check "a java that is none is told" shows my-cluster "its own messages say why" 60
squat
archive /srv/kafka.tgz "$sum"
check "with java it goes on by itself, to a port that is taken" shows my-cluster "port 9092 is taken by another process; find it with: ss -ltnp" 120
h1 systemctl stop squatter
check "once it is free the cluster becomes ready" ready my-cluster 120
check "the other cluster's data is still there" same precious "$(h1 cat /var/lib/millrace-data/.another/data/precious)"
check "the daemon did all of this in one life" is_alive
check "neither program crashed" never_crashed
