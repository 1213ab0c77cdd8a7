#!/bin/bash
# millrace-hostd on a real host: everything a daemon asks of it, and everything a hostile one may try.
# MILLRACE_HOSTD and MILLRACE_LAUNCH name the programs under test.
. "$(dirname "$0")/../stack/lib.sh"

units=$MILLRACE_REPOSITORY/units
data=/var/lib/millrace-data
id=AbCdEfGhIjKlMnOpQrStUv

h1() { on h1 "$@"; }
as() { # USER CMD...
        local user=$1
        shift
        h1 setpriv "--reuid=$user" "--regid=$(h1 id -g "$user")" --clear-groups "$@"
}

# --- the host: units, programs, and something that stands for java

program() { # FILE: the private library beside it, where its run path looks
        local folder=$root/usr/libexec/millrace
        install -D -t "$folder" "$1" "$MILLRACE_BUILD/libmillrace.so"
}

# Binds the port its last argument names, as a broker would, and ends on SIGTERM as a JVM does.
java() {
        install -d "$root/opt/fake/bin" "$root/opt/kafka-3.9.1/libs"
        touch "$root/opt/kafka-3.9.1/libs/kafka.jar"
        echo 'JAVA_VERSION="17.0.99"' >"$root/opt/fake/release"
        cat >"$root/opt/fake/bin/java" <<-'P'
		#!/usr/bin/python3
		import signal, socket, sys
		signal.signal(signal.SIGTERM, lambda *a: sys.exit(143))
		s = socket.create_server(("127.0.0.1", int(sys.argv[-1])))
		while True:
		    signal.pause()
	P
        chmod +x "$root/opt/fake/bin/java"
}

config() {
        install -d "$root/etc/millrace"
        cat >"$root/etc/millrace/hostd.yaml" <<-P
		java: /opt/fake/bin/java
		address: ${1:-h1.example.com}
		distributions:
		- {software: kafka, version: 3.9.1, directory: /opt/kafka-3.9.1}
	P
}

fresh() {
        host up h1 || bail "the host does not boot"
        root=$(root_of h1)
        program "${MILLRACE_HOSTD:-$MILLRACE_BUILD/millrace-hostd}"
        program "${MILLRACE_LAUNCH:-$MILLRACE_BUILD/millrace-launch}"
        install -m 0644 "$units"/*@.service "$units/millrace-hostd.service" "$root/usr/lib/systemd/system/"
        install -m 0644 "$units/org.millrace.Host1.conf" "$root/usr/share/dbus-1/system.d/"
        install -m 0644 "$units/org.millrace.Host1.service" "$root/usr/share/dbus-1/system-services/"
        install -m 0644 "$units/millrace.sysusers" "$root/usr/lib/sysusers.d/millrace.conf"
        install -m 0644 "$units/millrace.tmpfiles" "$root/usr/lib/tmpfiles.d/millrace.conf"
        java
        config
        h1 systemd-sysusers
        h1 systemd-tmpfiles --create millrace.conf
        h1 systemctl daemon-reload
        h1 systemctl reload dbus
}

# --- the bus

call() { # USER METHOD [ARGUMENT]: prints the answer
        as "$1" busctl --json=short call org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 "$2" ${3+s "$3"}
}

observe() { call millrace Observe | jq -r '.data[0]' >"$scratch/observed" && jq -e -r "$1" "$scratch/observed"; }
observes() { # FILTER VALUE
        same "$2" "$(observe "$1")"
}
comes_to() { wait_for "${3:-20}" "$1 = $2" observes "$1" "$2"; }

# Everything hostd says, one JSON a line, and a subscriber that stays, as the daemon does.
listen() {
        h1 sh -c 'busctl --json=short monitor org.millrace.Host1 >>/run/said 2>/dev/null & echo $! >/run/monitor'
        subscriber >"$root/opt/fake/subscriber"
        h1 sh -c "setpriv --reuid=millrace --regid=millrace --clear-groups /usr/bin/python3 /opt/fake/subscriber & echo \$! >/run/subscriber"
        sleep 1
}

# It subscribes again and again, because the service may have been restarted meanwhile.
subscriber() {
        cat <<-'P'
		import socket, struct, threading, time, os
		def call(serial, name, path, interface, member):
		    fields = b""
		    for code, kind, text in (1, b"o", path), (2, b"s", interface), (3, b"s", member), (6, b"s", name):
		        fields += bytes(-len(fields) % 8) + bytes([code, 1]) + kind + b"\0"
		        fields += struct.pack("<I", len(text)) + text + b"\0"
		    return struct.pack("<cBBBIII", b"l", 1, 0, 1, 0, serial, len(fields)) + fields + bytes(-len(fields) % 8)
		bus = socket.socket(socket.AF_UNIX)
		bus.connect("/run/dbus/system_bus_socket")
		bus.sendall(b"\0AUTH EXTERNAL " + str(os.getuid()).encode().hex().encode() + b"\r\n")
		bus.recv(4096)
		bus.sendall(b"BEGIN\r\n" + call(1, b"org.freedesktop.DBus", b"/org/freedesktop/DBus", b"org.freedesktop.DBus", b"Hello"))
		threading.Thread(target=lambda: [None for _ in iter(lambda: bus.recv(65536), b"")], daemon=True).start()
		for serial in range(2, 100000):
		    bus.sendall(call(serial, b"org.millrace.Host1", b"/org/millrace/Host1", b"org.millrace.Host1", b"Subscribe"))
		    time.sleep(.5)
	P
}
said() { h1 cat /run/said | jq -Rc --arg member "$1" 'fromjson? | select(.type == "signal" and .member == $member) | .payload.data'; }

# Sends a batch as user millrace and waits for the end of its job: succeeds when all steps did.
apply() { # STEP...
        local steps job
        steps=$(IFS=,; echo "$*")
        job=$(call millrace Apply "{\"version\":1,\"steps\":[$steps]}" | jq -r '.data[0]') && [ -n "$job" ] || return 1
        wait_for 60 "the end of $job" ended "$job" || return 1
        said JobDone | jq -r --arg job "$job" 'select(.[0] == $job) | .[1]' >"$scratch/outcome"
        cat "$scratch/outcome"
        jq -e '.error == null' "$scratch/outcome" >/dev/null
}
ended() { said JobDone | jq -e --arg job "$1" 'select(.[0] == $job)' >/dev/null; }

apply_fails() { # KIND TEXT STEP...
        local kind=$1 text=$2
        shift 2
        ! apply "$@" || return 1
        same "$kind" "$(jq -r .error.kind "$scratch/outcome")" || return 1
        jq -r .error.message "$scratch/outcome" | contains "$text"
}

refused() { # TEXT STEP: before anything is done
        ! call millrace Apply "{\"version\":1,\"steps\":[$2]}" >"$scratch/refused" 2>&1 || { echo "accepted: $2"; return 1; }
        contains "$1" <"$scratch/refused"
}

changed() { said Changed | jq -r '.[0]' | grep -qxF -- "$1"; }
forget() { h1 truncate -s 0 /run/said; }

# --- steps

identity() { echo "{\"cluster\":\"default/a\",\"cluster_id\":\"${2:-$id}\",\"role\":\"kafka\",\"node_id\":$1,\"quorum\":\"zookeeper\"}"; }
claim() { # N [CLUSTER-ID]
        echo "{\"op\":\"claim.create\",\"claim\":\"data-a-$1\",\"class\":\"kafka\",\"storage_class\":\"directory\",\"size\":1000000,\"identity\":$(identity "$@")}"
}
file() { # N TEXT
        echo "{\"op\":\"file.write\",\"instance\":\"a-$1\",\"class\":\"kafka\",\"name\":\"server.properties\",\"content\":\"$2\"}"
}
properties() { # N MORE
        tr -d '\n' <<<"{\"software\":\"kafka\",\"version\":\"3.9.1\",\"main_class\":\"kafka.Kafka\",\"fingerprint\":\"f0\",
                \"volumes\":[{\"name\":\"data\",\"claim\":\"data-a-$1\",\"storage_class\":\"directory\"}],
                \"directories\":[\"$data/data-a-$1/data/log\"],\"settings\":{\"a\":\"b\"},
                \"arguments\":[\"/etc/millrace/nodes/a-$1/server.properties\",\"$((9100 + $1))\"],\"ready_ports\":[$((9100 + $1))]$2}"
}
unit() { echo "{\"op\":\"unit.write\",\"instance\":\"a-$1\",\"class\":\"kafka\",\"properties\":$(properties "$1" "${2:-}")}"; }
verb() { echo "{\"op\":\"$1\",\"instance\":\"a-$2\",\"class\":\"kafka\"}"; }

reloads() { h1 journalctl -b --no-pager -o cat _PID=1 | grep -c '^Reloading\.'; }
hostd_pid() { h1 systemctl show -P MainPID millrace-hostd; }
node_pid() { h1 systemctl show -P MainPID "kafka@a-$1"; }
mode_of() { h1 stat -c '%U:%G %a' "$1"; }

# --- what is shown

test_calls() {
        check "the first call starts the service" call root Observe
        check "user millrace may call" call millrace Observe
        check "nobody may not" eval '! call nobody Observe 2>"$scratch/e" && contains denied <"$scratch/e"'
        check "nobody may not take the name" eval '! as nobody timeout 5 /usr/libexec/millrace/millrace-hostd'
        check "it has a version" eval 'as millrace busctl get-property org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Version | contains "u 2"'
        check "the host is described" observes '.host | [.hostname, .address, .java.version, .distributions[0].state, .storage_classes.directory, (.memory > 1000000)] | join(" ")' \
                "h1 h1.example.com 17.0.99 ready $data true"
        check "its configuration is read again when it changes" eval 'config h1.elsewhere.com; observes .host.address h1.elsewhere.com'
        check "a wrong configuration is told, with its place" eval 'echo "jav: x" >"$root/etc/millrace/hostd.yaml";
                ! call millrace Observe 2>"$scratch/e" && contains "/etc/millrace/hostd.yaml:1:" <"$scratch/e"'
        config
        check "and its repair helps" call millrace Observe
}

test_first_node() {
        local before
        before=$(reloads)
        check "a node is made" apply "$(claim 0)" "$(file 0 'a=b\n')" "$(unit 0)" "$(verb start 0)" '{"op":"distribution.ensure","software":"kafka","version":"3.9.1"}'
        check "and runs" comes_to '.instances["a-0"].state' running
        check "without a reload of systemd" same "$before" "$(reloads)"
        check "all of it is observed" observes '.instances["a-0"] | [.class, .enabled, .dropin, .restarts, .unit.settings.a, .running.fingerprint, (.pid > 0), (.since > 0)] | map(tostring) | join(" ")' \
                "kafka true intact 0 b f0 true true"
        check "files by their digests" observes '.instances["a-0"].files["server.properties"]' "$(printf 'a=b\n' | sha256sum | cut -d' ' -f1)"
        check "claims with their identity" observes '.claims["data-a-0"] | [.path, .identity.cluster_id, .identity.node_id, .class] | map(tostring) | join(" ")' "$data/data-a-0 $id 0 kafka"
        check "the claim belongs to root" same "root:root 755" "$(mode_of $data/data-a-0)"
        check "its data to the service user" same "kafka:kafka 750" "$(mode_of $data/data-a-0/data)"
        check "files are read by the service, and by no other user" same "root:kafka 640" "$(mode_of /etc/millrace/nodes/a-0/server.properties)"
        check "nobody reads the files of a node" fails as nobody cat /etc/millrace/nodes/a-0/server.properties
        check "the drop-in satisfies systemd" h1 systemd-analyze verify --man=no kafka@a-0.service
        check "the node sees no claim but its own" eval 'apply "$(claim 9)" && h1 nsenter -t "$(node_pid 0)" -m ls '"$data"' | grep -qx data-a-0 && ! h1 nsenter -t "$(node_pid 0)" -m ls '"$data"' | grep -qx data-a-9'
        check "the same batch again changes nothing" eval 'p=$(node_pid 0); apply "$(claim 0)" "$(file 0 "a=b\n")" "$(unit 0)" "$(verb start 0)" && same "$p" "$(node_pid 0)"'
        check "it comes back at boot" h1 test -L /etc/systemd/system/multi-user.target.wants/kafka@a-0.service
}

test_changes() {
        local pid before
        pid=$(node_pid 0)
        before=$(reloads)
        check "limits change" apply "$(unit 0 ',"memory_limit":134217728,"cpu_limit":1500')"
        check "in place" eval 'same 134217728 "$(h1 systemctl show -P MemoryMax kafka@a-0)" && same "$pid" "$(node_pid 0)"'
        check "for the running process" eval '[ "$(h1 cat "/sys/fs/cgroup/memory$(h1 systemctl show -P ControlGroup kafka@a-0)/memory.limit_in_bytes")" = 134217728 ]'
        check "with one reload" same $((before + 1)) "$(reloads)"
        check "several changes of running units need one reload, too" eval 'b=$(reloads); apply "$(claim 1)" "$(unit 1)" "$(verb start 1)" "$(unit 0)" "$(unit 1 ",\"memory_limit\":100000000")" && same $((b + 1)) "$(reloads)"'
        forget
        check "a restart replaces the process" eval 'apply "$(unit 0 ",\"stop_timeout_sec\":20")" "$(verb restart 0)" && comes_to ".instances[\"a-0\"].state" running && [ "$(node_pid 0)" != "$pid" ]'
        check "a change of the unit is told" changed a-0
        forget
        h1 systemctl stop kafka@a-0
        check "a stop by hand is told" wait_for 5 Changed changed a-0
        check "and seen" observes '.instances["a-0"] | [.state, .pid, .running] | map(tostring) | join(" ")' "stopped 0 null"
        check "a stop returns when the node is down" eval 'apply "$(verb start 0)" && comes_to ".instances[\"a-0\"].state" running && apply "$(verb stop 0)" && observes ".instances[\"a-0\"].state" stopped'
        check "what is down can be stopped" apply "$(verb stop 0)"
        apply "$(verb start 0)" >/dev/null
        comes_to '.instances["a-0"].state' running >/dev/null
        h1 sh -c 'mv /opt/fake/bin/java /opt/fake/bin/java.away'
        h1 systemctl kill -s KILL kafka@a-0
        check "a node that cannot start says why" comes_to '.instances["a-0"].message | contains("journalctl -u kafka@a-0")' true
        h1 mv /opt/fake/bin/java.away /opt/fake/bin/java
        check "and comes back" comes_to '.instances["a-0"].state' running 60
        check "its restarts are counted" observes '.instances["a-0"].restarts > 0' true
}

# systemd reads a new file in a folder it knows when it is told to, so "unread" is as good as "intact".
foreign_dropin_stays() { # FOLDER
        h1 sh -c "mkdir -p $1; printf '[Service]\nNice=1\n' >$1/override.conf"
        observes '.instances["a-0"].dropin | IN("intact", "unread")' true &&
                apply "$(unit 0 ',"stop_timeout_sec":20')" &&
                observes '.instances["a-0"].dropin' intact &&
                observes '.instances["a-0"].state' running && h1 test -s "$1/override.conf"
}

test_drift() {
        local dropin=/etc/systemd/system/kafka@a-0.service.d/50-millrace.conf node=/etc/millrace/nodes/a-0
        forget
        h1 sh -c "echo '# mine' >>$dropin"
        check "an edited drop-in is told" wait_for 5 Changed changed a-0
        check "and seen" observes '.instances["a-0"].dropin' edited
        h1 rm -r "${dropin%/*}"
        check "a removed one is seen" observes '.instances["a-0"].dropin' missing
        check "and written again" eval 'apply "$(unit 0 ",\"stop_timeout_sec\":20")" && observes ".instances[\"a-0\"].dropin" intact'
        forget
        h1 sh -c "echo c=d >>$node/server.properties"
        check "an edited file is told" wait_for 5 Changed changed a-0
        check "and seen" observes '.instances["a-0"].files["server.properties"]' "$(printf 'a=b\nc=d\n' | sha256sum | cut -d' ' -f1)"
        h1 rm "$node/server.properties"
        check "a removed one is seen" observes '.instances["a-0"].files["server.properties"]' null
        check "an administrator's drop-in stays" foreign_dropin_stays "${dropin%/*}"
        forget
        h1 systemctl mask --runtime kafka@a-0
        check "a mask is told" wait_for 5 Changed changed ""
        h1 systemctl stop kafka@a-0
        check "a masked node is held" observes '.instances["a-0"].state' held
        check "and not started" apply_fails denied "systemctl unmask" "$(verb start 0)"
        check "its unit can be written all the same" apply "$(unit 0)"
        h1 systemctl unmask --runtime kafka@a-0
        check "until it is unmasked" eval 'apply "$(verb start 0)" && comes_to ".instances[\"a-0\"].state" running'
        h1 systemctl disable kafka@a-0
        check "a disabled unit is seen" observes '.instances["a-0"].enabled' false
        check "and enabled again" eval 'apply "$(unit 0)" && observes ".instances[\"a-0\"].enabled" true'
}

test_failures() {
        check "a claim of another cluster is refused with both names" apply_fails invalid "holds data of cluster default/a (id $id), not of default/a (id other); move it away" "$(claim 0 other)"
        check "the first failure ends a batch, and tells how far it came" eval '! apply "$(file 0 x)" "$(claim 0 other)" "$(file 0 y)"; same "1 steps[1]" "$(jq -r "[.done, .error.path] | map(tostring) | join(\" \")" "$scratch/outcome")" && same x "$(h1 cat /etc/millrace/nodes/a-0/server.properties)"'
        check "a unit without its claim is refused" apply_fails invalid "create it first" "$(unit 5)"
        check "a claim is not removed under another id" apply_fails invalid "is not removed" '{"op":"claim.remove","claim":"data-a-0","cluster_id":"other"}'
        h1 sh -c 'mkdir /run/tiny && mount -t tmpfs -o size=32k,mode=755 tiny /run/tiny && mount --bind /run/tiny /etc/millrace/nodes && systemctl restart millrace-hostd'
        check "a full disk is told with its path" apply_fails transient "/etc/millrace/nodes/a-0/server.properties: No space left on device; the disk is full" "$(file 0 "$(printf 'x%.0s' {1..60000})")"
        h1 sh -c 'mount -o remount,ro /run/tiny; mount -o remount,ro,bind /etc/millrace/nodes; systemctl restart millrace-hostd'
        check "a read-only file system, too" apply_fails transient "read-only" "$(file 0 x)"
        h1 sh -c 'umount /etc/millrace/nodes && umount /run/tiny && systemctl restart millrace-hostd'
        check "and it works again when that is mended" apply "$(file 0 'a=b\n')"
}

# A client that has taken over user millrace. What it may not: any file of others, any program of its own as root.
test_hostile() {
        local step
        files >"$scratch/before"
        while IFS= read -r step; do
                [ -n "$step" ] || continue
                check "refused: ${step:0:110}" refused "" "$step"
        done <<-P
		{"op":"file.write","instance":"../../etc","class":"kafka","name":"passwd","content":"x"}
		{"op":"file.write","instance":"a-0","class":"kafka","name":"../../../passwd","content":"x"}
		{"op":"file.write","instance":"a-0","class":"kafka","name":"launch","content":"java /bin/sh"}
		{"op":"file.write","instance":"a-0","class":"root","name":"x","content":"x"}
		{"op":"unit.write","instance":"a-0","class":"ssh","properties":$(properties 0 '')}
		{"op":"unit.write","instance":"a-0.service.d","class":"kafka","properties":$(properties 0 ',"user":"root"')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"exec_start":["/bin/sh"]')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"memory_limit":"1\nUser=root"')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"prepare_class":"x\njava /bin/sh"')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"jvm_options":["-Da=b\njava /bin/sh"]')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"jvm_options":["-XX:OnError=id"]')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"jvm_options":["-javaagent:/tmp/x.jar"]')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ',"contents":{"/etc/cron.d/x":"1"}')}
		{"op":"unit.write","instance":"a-0","class":"kafka","properties":$(properties 0 ",\"contents\":{\"$data/data-a-0/data/../../../../../etc/x\":\"1\"}")}
		{"op":"claim.create","claim":"../../etc","class":"kafka","storage_class":"directory","identity":$(identity 0)}
		{"op":"claim.create","claim":"x","class":"kafka","storage_class":"/etc","identity":$(identity 0)}
		{"op":"claim.remove","claim":"..","cluster_id":"$id"}
		{"op":"distribution.ensure","software":"kafka","version":"../../x"}
		{"op":"start","instance":"a-0@x","class":"kafka"}
		{"op":"start","instance":"ssh","class":"ssh"}
	P
        files >"$scratch/after"
        check "nothing came of it" diff "$scratch/before" "$scratch/after"
        check "user millrace cannot ask systemd itself" fails as millrace busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager StopUnit ss kafka@a-0.service replace
        check "user millrace cannot write in a node" fails as millrace touch /etc/millrace/nodes/a-0/x
        check "100 000 bytes of noise are refused" refused "" "$(head -c 75000 /dev/urandom | base64 -w0)"
        check "and it still answers" call millrace Observe
        test_planted
}

files() { h1 find /etc /opt /usr/local /root /var/lib/millrace-data -xdev ! -path "*/.millrace*" -printf "%p %u %m %s %l\n" | sort; }

# What a node's user can plant in its data, and root must not fall for.
test_planted() {
        h1 sh -c 'mkdir -p /root/precious && echo precious >/root/precious/file && chmod 755 /root/precious'
        apply "$(claim 7)" >/dev/null
        as kafka sh -c "cd $data/data-a-7/data && ln -s /root/precious evil && ln -s /root/precious/file file && mkfifo pipe &&
                for i in \$(seq 200); do mkdir d && cd -P d || exit; done; ln -s /root/precious deep"
        check "observing a claim with links in it" observes '.claims["data-a-7"].used < 3000000' true
        check "data.d in place of data cannot be planted" fails as kafka sh -c "mv $data/data-a-7/data $data/data-a-7/away || ln -s /root $data/data-a-7/x"
        check "removing a claim with links in it" apply "{\"op\":\"claim.remove\",\"claim\":\"data-a-7\",\"cluster_id\":\"$id\"}"
        check "removes it" eval '! h1 test -e '"$data"'/data-a-7 && same "" "$(h1 find '"$data"' -maxdepth 1 -name ".*" ! -name .)"'
        check "and nothing else" same precious "$(h1 cat /root/precious/file)"
        as kafka sh -c "rm -f /run/kafka/a-0/manifest.json && ln -s /etc/shadow /run/kafka/a-0/manifest.json"
        check "a link in place of the runtime copy is not read" observes '.instances["a-0"].running' null
        as kafka sh -c "rm /run/kafka/a-0/manifest.json && head -c 3000000 /dev/zero >/run/kafka/a-0/manifest.json"
        check "nor a huge one" observes '.instances["a-0"].running' null
}

test_end() {
        local n steps=() pss t
        for n in 2 3 4 5; do
                steps+=("$(claim "$n")" "$(file "$n" 'a=b\n')" "$(unit "$n")" "$(verb start "$n")")
        done
        check "four more nodes at once" apply "${steps[@]}"
        check "all six run" eval 'wait_for 60 "six nodes" observes "[.instances[] | select(.state == \"running\")] | length" 6'
        for _ in {1..30}; do call millrace Observe >/dev/null; done
        pss=$(h1 awk '/^Pss:/ {print $2}' "/proc/$(hostd_pid)/smaps_rollup")
        check "its memory stays below 6 MiB ($pss KiB)" test "$pss" -lt 6144
        t=$(h1 bash -c "t=\$(date +%s%N); u=\$(awk '{print \$14 + \$15}' /proc/$(hostd_pid)/stat)
                for i in {1..50}; do busctl call org.millrace.Host1 /org/millrace/Host1 org.millrace.Host1 Observe >/dev/null; done
                echo \$((\$(awk '{print \$14 + \$15}' /proc/$(hostd_pid)/stat) - u)) | awk '{print \$1 * 10 / 50}'")
        note "CPU time of an observation of six nodes: $t ms"
        check "a node is removed" apply '{"op":"unit.remove","instance":"a-0","class":"kafka"}'
        check "with its files" eval '! h1 test -e /etc/millrace/nodes/a-0 && ! h1 test -e /etc/systemd/system/kafka@a-0.service.d/50-millrace.conf && ! h1 systemctl is-active kafka@a-0'
        check "but its claim stays" observes '.claims["data-a-0"].identity.cluster_id' "$id"
        check "and it is observed no more" observes '.instances | has("a-0")' false
        check "removing it again is no error" apply '{"op":"unit.remove","instance":"a-0","class":"kafka"}'
        check "a claim is removed under its own id" eval 'apply "{\"op\":\"claim.remove\",\"claim\":\"data-a-0\",\"cluster_id\":\"$id\"}" && ! h1 test -e '"$data"'/data-a-0'
        check "removing it again is no error, either" apply "{\"op\":\"claim.remove\",\"claim\":\"data-a-0\",\"cluster_id\":\"$id\"}"
}

# Six nodes stay while the service goes: stopping it stops none of them.
test_idle() {
        h1 sh -c 'kill $(cat /run/subscriber) $(cat /run/monitor)'
        check "it leaves when nobody is subscribed" wait_for 45 "its end" eval 'same inactive "$(h1 systemctl is-active millrace-hostd)"'
        check "without an error" same success "$(h1 systemctl show -P Result millrace-hostd)"
        check "and stops no node" same active "$(h1 systemctl is-active kafka@a-1)"
        check "the next call starts it again" eval 'observes ".instances[\"a-1\"].state" running'
}

fresh
listen
test_calls
test_first_node
test_changes
test_drift
test_failures
test_hostile
test_end
test_idle
