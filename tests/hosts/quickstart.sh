#!/bin/bash
# packaging/quickstart on a machine whose first process is systemd, from a clone of its own: from nothing to messages
# that come back, and a second time, which restarts nothing and takes less than a minute.
# What it needs is installed there already, as it is on this machine.
# alone: the second run is timed
# The stack "quickstart" is that of packaging/quickstart itself.
MILLRACE_STACK=${MILLRACE_STACK:-test-quickstart}
. "$(dirname "$0")/../stack/lib.sh"

h1() { on h1 "$@"; }
units="millraced zookeeper@my-cluster-zookeeper-{0,1,2} kafka@my-cluster-kafka-{0,1,2}"
pids() { h1 bash -c "systemctl show -P MainPID $units"; }

# The clone and the cache of this machine are read-only there.
clone() {
        local root
        root=$(root_of h1)
        mkdir -p "$root/root/millrace" "$root/root/cache/dist"
        tar -C "$MILLRACE_REPOSITORY" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$root/root/millrace" -xf -
        cp -r "$MILLRACE_TEST_CACHE/dist/kafka-3.9.1" "$root/root/cache/dist/"
}

quickstart() {
        local start=$SECONDS status=0
        h1 env MILLRACE_TEST_CACHE=/root/cache /root/millrace/packaging/quickstart "$@" >"$scratch/said" 2>&1 || status=$?
        took=$((SECONDS - start))
        cat "$scratch/said"
        return "$status"
}

soon() { [ "$took" -lt 60 ] || { echo "it took $took s"; return 1; }; }

host up h1 || bail "the host does not boot"
clone
check "the first run" quickstart || bail "there is no cluster"
note "$took s"
check "it sends and reads messages over mTLS" contains "reading them back, and comparing" <"$scratch/said"
check "it ends with what to try next" contains "millctl describe kafka my-cluster" <"$scratch/said"
check "its cluster is ready" h1 millctl wait kafka/my-cluster --timeout=30s
check "its credentials are for root only" same "700" "$(h1 stat -c %a /root/my-user)"
before=$(pids)
check "a second run" quickstart
note "$took s"
check "it takes less than a minute" soon
check "it restarts nothing" same "$before" "$(pids)"
check "there is nothing to enter" contains "nothing to enter" < <(quickstart enter)
