#!/bin/bash
# The fetcher as a unit on a real host: tarballs from paths and URLs, good and bad, and the class-data archive.
. "$(dirname "$0")/../stack/lib.sh"

fetch=${MILLRACE_FETCH:-$MILLRACE_BUILD/millrace-fetch}
units=$MILLRACE_REPOSITORY/units
base=/var/lib/millrace-dist

h1() { on h1 "$@"; }

fresh() {
        host up h1 || bail "the host does not boot"
        root=$(root_of h1)
        # The private library beside it, where its run path looks.
        install -D "$fetch" "$root/usr/libexec/millrace/millrace-fetch"
        install "$MILLRACE_BUILD/libmillrace.so" "$root/usr/libexec/millrace/"
        install -m 0644 "$units/millrace-fetch@.service" "$root/usr/lib/systemd/system/"
        install -m 0644 "$units/millrace.sysusers" "$root/usr/lib/sysusers.d/millrace.conf"
        install -m 0644 "$units/millrace.tmpfiles" "$root/usr/lib/tmpfiles.d/millrace.conf"
        h1 systemd-sysusers
        h1 systemd-tmpfiles --create millrace.conf
        h1 systemctl daemon-reload
}

# A release as it is published: everything beneath one directory.
archive_make() {
        mkdir -p "$root/srv/www"
        tar -C "$MILLRACE_TEST_CACHE/dist" --transform 's,^kafka-4.3.1,kafka_2.13-4.3.1,' \
                -cf - kafka-4.3.1 | gzip -1 >"$root/srv/www/kafka.tgz"
        sum=$(sha512sum "$root/srv/www/kafka.tgz" | cut -d' ' -f1)
        head -c 1000000 "$root/srv/www/kafka.tgz" >"$root/srv/www/half.tgz"
        half=$(sha512sum "$root/srv/www/half.tgz" | cut -d' ' -f1)
        h1 systemd-run -q --unit=www python3 -m http.server -d /srv/www --bind 127.0.0.1 8000
}

config() { # LINES of one distribution: kafka of some version
        mkdir -p "$root/etc/millrace"
        printf 'distributions:\n' >"$root/etc/millrace/hostd.yaml"
        printf -- '- {software: kafka, version: %s}\n' "$@" >>"$root/etc/millrace/hostd.yaml"
}

fetches() { h1 systemctl start "millrace-fetch@kafka-$1"; } # VERSION
state() { h1 jq -r ".state + \": \" + .message" "$base/kafka-$1.state.json"; }

refuses() { # VERSION TEXT: fails, says why, leaves nothing
        ! fetches "$1" || { echo "it was accepted"; return 1; }
        state "$1" | contains "failed: " || return 1
        state "$1" | contains "$2" || return 1
        h1 journalctl -u "millrace-fetch@kafka-$1" --no-pager -o cat | contains "$2" || return 1
        [ -z "$(h1 find "$base" -mindepth 1 -name "*$1*" ! -name '*.state.json')" ] || { h1 ls -lA "$base"; return 1; }
}

is_mapped() { # LIBS ARCHIVE CLASS: the class comes from the archive
        h1 runuser -u kafka -- java "-XX:SharedArchiveFile=$2" -Xshare:auto -Xlog:class+load -cp "$1/*" kafka.Kafka \
                >"$scratch/classes" 2>&1
        grep " $3 source:" "$scratch/classes" | contains "shared objects file"
}

cannot_be_changed_by() { # USER
        fails h1 runuser -u "$1" -- touch "$base/x" && fails h1 runuser -u "$1" -- touch "$base/kafka-4.3.1/libs/x.jar"
}

[ -x "$fetch" ] || bail "$fetch is missing; build first, or set MILLRACE_FETCH"
"$MILLRACE_REPOSITORY/tests/stack/distribution" 3.9.1 4.3.1 >/dev/null || bail "the distributions are missing"
fresh >"$scratch/fresh" 2>&1
archive_make

config "1.0.0, archive: 'http://127.0.0.1:8000/kafka.tgz', sha512: $half"
check "a wrong checksum is refused with both sums" refuses 1.0.0 "its SHA-512 is $sum, and /etc/millrace/hostd.yaml says $half"
config "1.1.0, archive: 'http://127.0.0.1:8000/half.tgz', sha512: $half"
check "a tarball cut short is refused" refuses 1.1.0 "the archive is damaged or no tarball"
config "1.2.0, archive: 'http://127.0.0.1:8000/none.tgz', sha512: $half"
check "what the server does not have is named" refuses 1.2.0 "http://127.0.0.1:8000/none.tgz: HTTP 404"
config "1.3.0, archive: 'http://127.0.0.1:1/kafka.tgz', sha512: $half"
check "a server that is not there is named" refuses 1.3.0 "http://127.0.0.1:1/kafka.tgz: "
config "1.4.0, archive: /srv/none.tgz"
check "a missing file is named" refuses 1.4.0 "cannot open the archive /srv/none.tgz: No such file"
config "1.5.0, directory: /srv/www"
check "a directory without libs/ is named" refuses 1.5.0 "/srv/www holds no libs/"
config "1.6.0, archive: 'http://127.0.0.1:8000/kafka.tgz'"
check "a URL without a sum is refused" fails fetches 1.6.0
check "what is not listed is refused" fails fetches 9.9.9

h1 mount -t tmpfs -o size=30m,mode=755 none "$base"
h1 chown millrace-fetch:millrace-fetch "$base"
config "1.7.0, archive: /srv/www/kafka.tgz"
check "a full disk is named" refuses 1.7.0 "make room in"
h1 umount "$base"

config "4.3.1, archive: 'http://127.0.0.1:8000/kafka.tgz', sha512: $sum"
start=$(seconds)
check "a release is fetched, checked and unpacked" fetches 4.3.1
note "fetched, and its class-data archive made, in $(since "$start") s"
check "it is ready" same "ready: " "$(state 4.3.1)"
check "its jars are there" h1 test -e "$base/kafka-4.3.1/libs/kafka_2.13-4.3.1.jar"
check "it belongs to the fetcher" same millrace-fetch "$(h1 stat -c %U "$base/kafka-4.3.1/libs")"
check "a node cannot change it" cannot_be_changed_by kafka
check "nothing is left behind" same "" "$(h1 find "$base" -maxdepth 1 -name '.*' ! -path "$base")"
check "java takes classes from the archive" is_mapped "$base/kafka-4.3.1/libs" "$base/archives/kafka-4.3.1.jsa" kafka.Kafka
h1 systemctl stop www
start=$(seconds)
check "a second run changes nothing, and needs no server" fetches 4.3.1
note "second run in $(since "$start") s"

config "3.9.1, directory: $MILLRACE_TEST_CACHE/dist/kafka-3.9.1"
start=$(seconds)
check "a directory gets a class-data archive, too" fetches 3.9.1
note "made in $(since "$start") s"
check "it is ready" same "ready: " "$(state 3.9.1)"
for class in kafka.server.KafkaServer org.apache.zookeeper.server.quorum.QuorumPeer kafka.server.ControllerServer; do
        check "$class is in it" h1 grep -q "${class//./\/}" "$base/archives/kafka-3.9.1.jsa"
done
check "java takes classes from it" is_mapped "$MILLRACE_TEST_CACHE/dist/kafka-3.9.1/libs" "$base/archives/kafka-3.9.1.jsa" kafka.Kafka
