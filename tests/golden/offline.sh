#!/bin/bash
# Plans on paper, by somebody who is nobody and has no network: millctl, its plugins and a file are all that it takes. The same
# bytes each time, and no key in them.
. "$(dirname "$0")/../lint/tap.sh"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; echo "1..$checks"; exit $((bad > 0))' EXIT
mkdir "$scratch/plugins" && cp "$build/millctl" "$build/libmillrace.so" "$scratch/" &&
        cp "$build"/{kafka,zookeeper,rhel-baremetal,kubernetes,openshift}.so "$scratch/plugins/" && cp etc/examples/*.yaml "$scratch/"
chmod -R a+rX,go-w "$scratch"

# Whoever may not become nobody is not root either.
as_nobody() { # CMD...
        local alone=()
        [ "$(id -u)" != 0 ] || alone=(unshare --net setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all --no-new-privs)
        (cd "$scratch" && env -i LC_ALL=C.UTF-8 PATH=/usr/bin:/bin LD_LIBRARY_PATH="$scratch" MILLRACE_PLUGINS="$scratch/plugins" \
                "${alone[@]}" "$@")
}

twice() { # PLATFORM FILE FORMAT
        local n
        for n in 1 2; do
                as_nobody ./millctl --socket /nowhere plan --platform "$1" -f "$2" -o "$3" >"$scratch/$n" 2>&1 || { tail -n 3 "$scratch/$n"; return; }
        done
        [ -s "$scratch/1" ] || echo "it says nothing"
        cmp "$scratch/1" "$scratch/2" 2>&1
        grep -m 1 'PRIVATE KEY' "$scratch/1"
}

[ "$(id -u)" != 0 ] || verdict "whoever does it can reach nothing" "$(as_nobody sh -c 'id -u; cat /proc/net/route /etc/shadow' 2>/dev/null |
        grep -v -e '^65534$' -e '^Iface')"
for platform in rhel-baremetal kubernetes openshift; do
        for file in kafka-persistent kraft-single-node; do
                for format in text json manifests; do
                        verdict "$file on $platform, as $format" "$(twice "$platform" "$file.yaml" "$format")"
                done
        done
done
