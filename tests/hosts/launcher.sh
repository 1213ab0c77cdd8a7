#!/bin/bash
# The launcher and the template units on a real systemd host, with real ZooKeeper and Kafka, and launch
# descriptions written by hand. Needs neither the daemon nor the host service.
. "$(dirname "$0")/../stack/lib.sh"

launch=${MILLRACE_LAUNCH:-$MILLRACE_BUILD/millrace-launch}
kafka39=$MILLRACE_TEST_CACHE/dist/kafka-3.9.1
kafka43=$MILLRACE_TEST_CACHE/dist/kafka-4.3.1
units=$MILLRACE_REPOSITORY/units

h1() { on h1 "$@"; }
property() { h1 systemctl show -P "$2" "$1"; }
is() { # UNIT PROPERTY VALUE
        local value
        value=$(property "$1" "$2")
        [ "$value" = "$3" ] || { echo "$2 of $1 is '$value', not '$3'"; return 1; }
}
becomes() { # UNIT PROPERTY VALUE, within 60 s
        for _ in {1..300}; do
                is "$@" >/dev/null && return 0
                sleep .2
        done
        is "$@" || h1 journalctl -u "$1" -n 15 --no-pager -o cat
        return 1
}
says() { # UNIT TEXT: within 20 s, since the last mark
        for _ in {1..100}; do
                h1 journalctl -u "$1" --no-pager -o cat --since "@$mark" | grep -qF -- "$2" && return 0
                sleep .2
        done
        h1 journalctl -u "$1" -n 10 --no-pager -o cat --since "@$mark"
        return 1
}
never_said() { ! h1 journalctl -u "$1" --no-pager -o cat | grep -iF -- "$2"; }
mark() { mark=$(h1 date +%s); }

# --- the host

fresh() {
        host up h1 || bail "the host does not boot"
        root=$(root_of h1)
        install -D "$launch" "$root/usr/libexec/millrace/millrace-launch"
        install -m 0644 "$units"/*.service "$root/usr/lib/systemd/system/"
        rm "$root/usr/lib/systemd/system/org.millrace.Host1.service"
        install -m 0644 "$units/millrace.sysusers" "$root/usr/lib/sysusers.d/millrace.conf"
        install -m 0644 "$units/millrace.tmpfiles" "$root/usr/lib/tmpfiles.d/millrace.conf"
        install -m 0644 "$units/millrace.catalog" "$root/usr/lib/systemd/catalog/"
        # Programs that this test does not start have to exist for systemd-analyze verify.
        for stub in /usr/bin/millraced /usr/libexec/millrace/millrace-hostd /usr/libexec/millrace/millrace-fetch; do
                [ -x "$root$stub" ] || install -D "$root/bin/true" "$root$stub"
        done
        h1 systemd-sysusers
        h1 systemd-tmpfiles --create millrace.conf
        h1 systemctl daemon-reload
}

file() { # INSTANCE GROUP NAME, content from stdin
        h1 install -d -o root -g "$2" -m 0750 "/etc/millrace/nodes/$1"
        cat >"$root/etc/millrace/nodes/$1/$3"
        h1 chgrp "$2" "/etc/millrace/nodes/$1/$3"
        h1 chmod 0640 "/etc/millrace/nodes/$1/$3"
}

volume() { # CLASS INSTANCE
        h1 install -d "/var/lib/millrace-data/$2"
        h1 install -d -o "$1" -g "$1" -m 0750 "/var/lib/millrace-data/$2/data"
        mkdir -p "$root/etc/systemd/system/$1@$2.service.d"
        printf '[Service]\nBindPaths=-/var/lib/millrace-data/%s/data\n' "$2" \
                >"$root/etc/systemd/system/$1@$2.service.d/50-millrace.conf"
        h1 systemctl daemon-reload
}

jvm() {
        printf 'option %s\n' -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError
}

logging() { # INSTANCE GROUP
        file "$1" "$2" log4j.properties <<-P
		log4j.rootLogger=INFO, C
		log4j.appender.C=org.apache.log4j.ConsoleAppender
		log4j.appender.C.layout=org.apache.log4j.PatternLayout
		log4j.appender.C.layout.ConversionPattern=%p %m (%c)%n
	P
        file "$1" "$2" log4j2.yaml <<-P
		Configuration:
		  Appenders: {Console: {name: C, PatternLayout: {pattern: "%p %m (%c)%n"}}}
		  Loggers: {Root: {level: INFO, AppenderRef: [{ref: C}]}}
	P
}

zookeeper_node() {
        volume zookeeper z0
        logging z0 zookeeper
        echo '{"fingerprint": "f0"}' | file z0 zookeeper manifest.json
        file z0 zookeeper zoo.cfg <<-P
		tickTime=2000
		dataDir=/var/lib/millrace-data/z0/data/zookeeper
		clientPort=2181
		admin.enableServer=false
	P
        { cat; jvm; } <<-P | file z0 zookeeper launch
		fingerprint f0
		java /usr/bin/java
		libs $kafka39/libs
		directory /var/lib/millrace-data/z0/data/zookeeper
		content /var/lib/millrace-data/z0/data/zookeeper/myid 1
		option -Dlog4j.configuration=file:/etc/millrace/nodes/z0/log4j.properties
		class org.apache.zookeeper.server.quorum.QuorumPeerMain
		argument /etc/millrace/nodes/z0/zoo.cfg
		ready 2181
	P
}

kafka_node() {
        volume kafka k0
        logging k0 kafka
        file k0 kafka server.properties <<-P
		broker.id=0
		zookeeper.connect=127.0.0.1:2181
		log.dirs=/var/lib/millrace-data/k0/data/kafka-log0
		listeners=REPLICATION://0.0.0.0:9091,PLAIN://0.0.0.0:9092
		advertised.listeners=REPLICATION://h1:9091,PLAIN://h1:9092
		listener.security.protocol.map=REPLICATION:PLAINTEXT,PLAIN:PLAINTEXT
		inter.broker.listener.name=REPLICATION
		offsets.topic.replication.factor=1
	P
        kafka_launch ""
}

kafka_launch() { # LINES: more of the description
        { cat; jvm; echo -n "$1"; } <<-P | file k0 kafka launch
		java ${java:-/usr/bin/java}
		libs $kafka39/libs
		directory /var/lib/millrace-data/k0/data/kafka-log0
		option -Dlog4j.configuration=file:/etc/millrace/nodes/k0/log4j.properties
		class kafka.Kafka
		argument /etc/millrace/nodes/k0/server.properties
		ready 9091
		ready 9092
	P
}

kraft_node() {
        volume kafka r0
        logging r0 kafka
        file r0 kafka server.properties <<-P
		process.roles=broker,controller
		node.id=0
		controller.listener.names=CONTROL
		controller.quorum.bootstrap.servers=h1:19090
		log.dirs=/var/lib/millrace-data/r0/data/kafka-log0
		listeners=CONTROL://0.0.0.0:19090,PLAIN://0.0.0.0:19092
		advertised.listeners=CONTROL://h1:19090,PLAIN://h1:19092
		listener.security.protocol.map=CONTROL:PLAINTEXT,PLAIN:PLAINTEXT
		inter.broker.listener.name=PLAIN
	P
        { cat; jvm; } <<-P | file r0 kafka launch
		java /usr/bin/java
		libs $kafka43/libs
		directory /var/lib/millrace-data/r0/data/kafka-log0
		prepared /var/lib/millrace-data/r0/data/kafka-log0/meta.properties
		prepare-class kafka.tools.StorageTool
		prepare-argument format
		prepare-argument -t
		prepare-argument Tm90QVJlYWxDbHVzdGVySQ
		prepare-argument -c
		prepare-argument /etc/millrace/nodes/r0/server.properties
		prepare-argument --standalone
		prepare-argument --add-scram
		prepare-argument SCRAM-SHA-512=[name=alice,password=alice-secret,iterations=4096]
		option -Dlog4j2.configurationFile=/etc/millrace/nodes/r0/log4j2.yaml
		class kafka.Kafka
		argument /etc/millrace/nodes/r0/server.properties
		ready 19090
		ready 19092
	P
}

# --- what is checked

status_says() { property "$1" StatusText | contains "$2"; }
restarts() { [ "$(property "$1" NRestarts)" -ge 1 ]; }

# A check that leaves a figure.
checked() {
        figures=
        check "$@"
        [ -z "$figures" ] || note "$figures"
}

started_within() { # UNIT: systemctl start returns when the ports are bound
        local from
        from=$(seconds)
        h1 systemctl start "$1" || { h1 journalctl -u "$1" -n 15 --no-pager -o cat; return 1; }
        figures="$1 active after $(since "$from") s, CPU of the JVM so far $(cpu "$1") ms"
}

cpu() { h1 awk '{print ($14 + $15) * 10}' "/proc/$(property "$1" MainPID)/stat"; }

exposure_at_most() { # UNIT LIMIT
        local score
        score=$(h1 systemd-analyze security --no-pager "$1" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')
        figures="exposure of $1: $score"
        [ "$(echo "$score <= $2" | bc)" = 1 ]
}

in_unit() { # UNIT CMD...: sees what the node sees, as root
        local pid
        pid=$(property "$1" MainPID)
        shift
        h1 nsenter -t "$pid" -m -- "$@"
}

lists() { # UNIT DIRECTORY NAMES
        local found
        found=$(in_unit "$1" ls -A "$2" | tr '\n' ' ')
        [ "$found" = "$3 " ] || { echo "$2 holds '$found'"; return 1; }
}

nothing_left_behind() { # UNIT: java is the only process
        local pid
        pid=$(property "$1" MainPID)
        [ "$(h1 cat "/proc/$pid/comm")" = java ] || return 1
        for _ in {1..25}; do
                [ "$(property "$1" TasksCurrent)" = "$(h1 cat "/proc/$pid/status" | sed -n 's/^Threads:[[:space:]]*//p')" ] &&
                        [ -z "$(h1 pgrep -P "$pid")" ] && return 0
                sleep .2
        done
        h1 ps -ef | grep -E 'millrace|defunct'
        return 1
}

environment_is_small() {
        local pid
        pid=$(property "$1" MainPID)
        h1 cat "/proc/$pid/environ" | tr '\0' '\n' | grep -vE '^(PATH|LANG|TZ)=' && return 1
        return 0
}

restarted_after() { # UNIT SIGNAL
        local before
        before=$(property "$1" MainPID)
        h1 systemctl kill -s "$2" --kill-whom=main "$1"
        for _ in {1..300}; do
                [ "$(property "$1" ActiveState)" = active ] && [ "$(property "$1" MainPID)" != "$before" ] && return 0
                sleep .2
        done
        return 1
}

metadata() { h1 kcat -b h1:"$1" -L -m 10 | grep -q 'broker 0 at'; }

produced_and_read() { # PORT
        seq 100 | h1 kcat -P -b h1:"$1" -t t -X acks=all
        [ "$(h1 kcat -C -b h1:"$1" -t t -e -q | wc -l)" -ge 100 ]
}

verify_is_clean() {
        local output
        output=$(h1 systemd-analyze verify --man=no /usr/lib/systemd/system/{millraced,millrace-hostd,millrace-fetch@x-1,kafka@x,zookeeper@x}.service 2>&1)
        echo "$output"
        # Units of the host that are masked in tests are none of ours.
        ! echo "$output" | grep -E 'mill|kafka|zookeeper'
}

[ -x "$launch" ] || bail "$launch is missing; build first, or set MILLRACE_LAUNCH"
"$MILLRACE_REPOSITORY/tests/stack/distribution" 3.9.1 4.3.1 >/dev/null || bail "the distributions are missing"
fresh >"$scratch/fresh" 2>&1
mark
check "units pass systemd-analyze verify" verify_is_clean
check "the message catalog is readable" h1 journalctl --update-catalog

zookeeper_node
checked "ZooKeeper starts, and is active once its port is bound" started_within zookeeper@z0
check "its port is bound when it is active" h1 bash -c '</dev/tcp/127.0.0.1/2181'
check "its status says so" is zookeeper@z0 StatusText running
check "java is its main process, and the watcher is gone" nothing_left_behind zookeeper@z0
check "the manifest it started with is kept beside it" h1 grep -q f0 /run/zookeeper/z0/manifest.json
check "myid was written" h1 grep -qx 1 /var/lib/millrace-data/z0/data/zookeeper/myid

kafka_node
checked "Kafka starts, and is active once its ports are bound" started_within kafka@k0
check "java is its main process, and the watcher is gone" nothing_left_behind kafka@k0
check "its environment is small" environment_is_small kafka@k0
check "a client gets metadata" metadata 9092
check "messages can be produced and read" produced_and_read 9092
h1 touch /etc/millrace/hostd.yaml
check "it sees no configuration but its own" lists kafka@k0 /etc/millrace nodes
check "it sees no other node's files" lists kafka@k0 /etc/millrace/nodes k0
check "it sees no other node's volumes" lists kafka@k0 /var/lib/millrace-data k0
for unit in kafka@k0 zookeeper@z0 millraced millrace-fetch@x-1; do
        checked "exposure of $unit is at most 1.5" exposure_at_most "$unit" 1.5
done
checked "exposure of millrace-hostd is at most 2.5" exposure_at_most millrace-hostd 2.5

check "killed, it comes back" restarted_after kafka@k0 KILL
check "asked to end by another than systemd, it comes back too" restarted_after kafka@k0 TERM
check "stopped by hand, it stops" h1 systemctl stop kafka@k0
check "and a stop is no failure" is kafka@k0 Result success
sleep 3
check "and it stays stopped" is kafka@k0 ActiveState inactive
check "the runtime directory is gone" fails h1 test -e /run/kafka/k0

mark
h1 systemd-run -q --unit=squatter python3 -c 'import socket,time
s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(("127.0.0.1", 9092)); s.listen(); time.sleep(600)'
sleep 1
h1 systemctl start --no-block kafka@k0
check "a taken port is named" says kafka@k0 "port 9092 is taken by another process"
check "in the status, too" wait_for 10 "the status" status_says kafka@k0 "port 9092 is taken"
h1 systemctl stop squatter
check "once the port is free the node starts by itself" becomes kafka@k0 ActiveState active
h1 systemctl stop kafka@k0

mark
java=/nowhere/java kafka_launch ""
h1 systemctl start --no-block kafka@k0
check "a missing java is named" says kafka@k0 "java not found at /nowhere/java; install a Java 17 runtime"
h1 systemctl stop kafka@k0

mark
java=/bin/true kafka_launch ""
h1 systemctl start --no-block kafka@k0
check "a java that is none does not become active" becomes kafka@k0 ActiveState activating
check "and is tried again" wait_for 10 "a restart" restarts kafka@k0
h1 systemctl stop kafka@k0

mark
kafka_launch "colour blue"
h1 systemctl start --no-block kafka@k0
check "an unknown key is refused with its line" says kafka@k0 "launch:13: colour: unknown key"
check "and not tried again" becomes kafka@k0 ActiveState failed

mark
kafka_launch $'prepared /var/lib/millrace-data/k0/data/other/meta.properties\nexpect-prepared yes\n'
h1 systemctl start --no-block kafka@k0
check "the empty disk of a known node stops it" says kafka@k0 "the disk of a known node is empty"
check "and it is not tried again" becomes kafka@k0 ActiveState failed

mark
kafka_launch ""
h1 mv /var/lib/millrace-data/k0/data /var/lib/millrace-data/k0/gone
h1 systemctl start --no-block kafka@k0
check "a missing volume is named" says kafka@k0 "its parent is missing; is the disk mounted?"
h1 mv /var/lib/millrace-data/k0/gone /var/lib/millrace-data/k0/data
check "once it is there the node starts by itself" becomes kafka@k0 ActiveState active
h1 systemctl stop kafka@k0 zookeeper@z0

kraft_node
checked "a KRaft node is formatted and starts" started_within kafka@r0
check "a client gets metadata" metadata 19092
check "what the format tool printed is not in the journal" never_said kafka@r0 "Formatting"
check "nor any credential" never_said kafka@r0 "salt="
h1 systemctl stop kafka@r0
checked "it starts again without being formatted" started_within kafka@r0
h1 systemctl stop kafka@r0
