#!/bin/bash
# packaging/quickstart on a machine that has nothing: Debian 12 as debootstrap makes it, in namespaces of its own, where the
# first process is not systemd. It fetches packages and, where the cache has none, Kafka, so it takes some minutes.
. "$(dirname "$0")/../stack/lib.sh"

base=$MILLRACE_TEST_CACHE/bare
bare=$scratch/bare

made() {
        command -v debootstrap >/dev/null || apt-get install -qy debootstrap || return
        [ -d "$base" ] || { debootstrap --variant=minbase --include=ca-certificates bookworm "$base.new" && mv "$base.new" "$base"; } || return
        cp -a "$base" "$bare"
        cp /etc/resolv.conf "$bare/etc/"
        # The authorities of a network that looks into TLS.
        cp /usr/local/share/ca-certificates/*.crt "$bare/usr/local/share/ca-certificates/" 2>/dev/null
        mkdir -p "$bare/old" "$bare/root/millrace" "$bare/var/cache/millrace-tests"
        tar -C "$MILLRACE_REPOSITORY" --exclude='./build*' --exclude=./.git -cf - . | tar -C "$bare/root/millrace" -xf -
}

# As a container's runtime does it: a root, processes and mounts of its own.
inside() { # SCRIPT: in the bare machine
        unshare --mount --pid --fork --kill-child bash -euc '
                mount --make-rprivate /
                mount --bind "$0" "$0"
                cd "$0"
                mount -t proc proc proc
                mount --rbind /sys sys
                mount --rbind /dev dev
                mount -t tmpfs tmpfs run
                mount --bind "$2" var/cache/millrace-tests
                pivot_root . old
                cd /root/millrace
                umount -l /old
                export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
                update-ca-certificates >/dev/null 2>&1
                exec bash -c "$1"' "$bare" "$1" "$MILLRACE_TEST_CACHE"
}

# Each line of what is done says how it ended.
session() {
        inside '
                packaging/quickstart; echo "first: $?"
                start=$SECONDS; packaging/quickstart; echo "second: $? in $((SECONDS - start)) s"
                packaging/quickstart enter millctl wait kafka/my-cluster --timeout=30s; echo "enter: $?"
                packaging/quickstart remove; echo "remove: $?"
                packaging/quickstart enter true; echo "removed: $?"' >"$scratch/said" 2>&1 </dev/null
        sed 's/^/# /' "$scratch/said"
}
says() { grep -q "$1" "$scratch/said"; }

check "Debian 12 with nothing" made || bail "there is no bare machine"
session
check "the first run goes through" says '^first: 0$'
check "it says that it boots a host" says '^The first process of this machine is not systemd: a host with systemd is booted'
check "it installed what it needs" says '^packages to build and run it '
check "messages come back over mTLS" says '^reading them back, and comparing '
check "the second run takes less than a minute" says '^second: 0 in [1-5]\?[0-9] s$'
check "what it offers next works" says '^enter: 0$'
check "the host is taken away" says '^remove: 0$'
check_fails "nothing is left of it" says '^removed: 0$'
