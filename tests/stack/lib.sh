# What host tests share; a script tests/hosts/NAME.sh begins with
#
#   . "$(dirname "$0")/../stack/lib.sh"
#   host_with_package h1
#   check "the daemon starts" wait_for 30 "millraced" on h1 systemctl is-active millraced
#
# Output is TAP. At the end the plan is printed and the stack is taken down; MILLRACE_KEEP=yes leaves it
# up to be looked at (tests/stack/host list).
set -uo pipefail
umask 022

MILLRACE_REPOSITORY=${MILLRACE_REPOSITORY:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
MILLRACE_BUILD=${MILLRACE_BUILD:-$MILLRACE_REPOSITORY/build}
MILLRACE_TEST_CACHE=${MILLRACE_TEST_CACHE:-/var/cache/millrace-tests}
MILLRACE_STACK=${MILLRACE_STACK:-$(basename "$0" .sh)}
export MILLRACE_REPOSITORY MILLRACE_BUILD MILLRACE_TEST_CACHE MILLRACE_STACK

scratch=$(mktemp -d)
tests_run=0
tests_failed=0

host() { "$MILLRACE_REPOSITORY/tests/stack/host" "$@"; }
producer() { "$MILLRACE_REPOSITORY/tests/stack/producer" "$@"; }
on() { host exec "$@"; } # HOST CMD...
root_of() { host root "$1"; }

# --- results

ok() { # NAME
        tests_run=$((tests_run + 1))
        echo "ok $tests_run - $*"
}

not_ok() { # NAME WHY...
        tests_run=$((tests_run + 1))
        tests_failed=$((tests_failed + 1))
        echo "not ok $tests_run - $1${2:+: ${*:2}}"
}

note() { echo "# $*"; }

# A test that is a command: its output is shown only when it fails.
check() { # NAME CMD...
        local name=$1 status=0
        shift
        "$@" >"$scratch/check" 2>&1 || status=$?
        if [ "$status" = 0 ]; then
                ok "$name"
        else
                not_ok "$name"
                echo "# status $status: $*"
                tail -n "${CHECK_LINES:-25}" "$scratch/check" | sed 's/^/# /'
                return 1
        fi
}

# The reverse: that CMD fails is what is right.
check_fails() { # NAME CMD...
        local name=$1
        shift
        check "$name" fails "$@"
}

fails() { ! "$@"; }

same() { # EXPECTED ACTUAL
        [ "$1" = "$2" ] || { echo "expected: $1"; echo "found:    $2"; return 1; }
}

contains() { # TEXT, in what stdin says
        local all
        all=$(cat)
        [[ $all == *"$1"* ]] || { echo "'$1' is not in:"; echo "$all"; return 1; }
}

# --- time

seconds() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(seconds)" 'BEGIN {printf "%.2f", b - a}'; } # START

# Polls until CMD succeeds, with a sign of life every ten seconds; what it said last is shown if it never does.
wait_for() { # SECONDS WHAT CMD...
        local limit=$1 what=$2 start=$SECONDS shown=$SECONDS
        shift 2
        until "$@" >"$scratch/wait" 2>&1; do
                if [ $((SECONDS - start)) -ge "$limit" ]; then
                        echo "$what: not within $limit s; last said:"
                        tail -n 15 "$scratch/wait"
                        return 1
                fi
                if [ $((SECONDS - shown)) -ge 10 ]; then
                        note "waiting for $what ($((SECONDS - start)) s): $(tail -n 1 "$scratch/wait")" >&2
                        shown=$SECONDS
                fi
                sleep .2
        done
}

# --- hosts

# Fresh hosts with millrace's package installed and the daemon enabled, as an administrator would do it;
# the installation itself starts nothing. MILLRACE_START=no leaves it at that.
host_with_package() { # HOST...
        local name package
        package=${MILLRACE_PACKAGE:-$("$MILLRACE_REPOSITORY/packaging/build")} || bail "the package does not build"
        "$MILLRACE_REPOSITORY/tests/stack/distribution" ${MILLRACE_VERSIONS:-3.9.1 4.3.1} >"$scratch/distribution" 2>&1 ||
                { tail -n 20 "$scratch/distribution" | sed 's/^/# /'; bail "Kafka cannot be assembled"; }
        host up "$@" || bail "the hosts do not boot"
        for name; do
                host_install "$name" "$package" >"$scratch/install" 2>&1 ||
                        { tail -n 20 "$scratch/install" | sed 's/^/# /'; bail "millrace does not install on $name"; }
        done
}

host_install() { # HOST PACKAGE
        local root
        root=$(root_of "$1")
        mkdir -p "$root/etc/millrace" "$root/var/tmp/packages"
        host_config "$1" >"$root/etc/millrace/hostd.yaml"
        cp "$2" "$root/var/tmp/packages/"
        on "$1" dpkg --force-confold -i "/var/tmp/packages/$(basename "$2")" || return
        [ "${MILLRACE_CLASSES:-yes}" = no ] || host_classes "$1" || return
        [ "${MILLRACE_START:-yes}" = no ] || on "$1" systemctl enable --now millraced ||
                { on "$1" journalctl -u millraced -n 20 --no-pager; return 1; }
}

host_config() { # HOST: prints hostd.yaml
        local version
        echo "address: $1"
        echo "distributions:"
        for version in ${MILLRACE_VERSIONS:-3.9.1 4.3.1}; do
                printf '%s\n' "- software: kafka" "  version: $version" \
                        "  directory: $MILLRACE_TEST_CACHE/dist/kafka-$version"
        done
}

# Class-data archives are made once, by the product on a host, and copied to each further one: nodes start in half the
# time, and no trial run competes with them. MILLRACE_CLASSES=no leaves that to the host.
host_classes() { # HOST
        local version id base cache=$MILLRACE_TEST_CACHE/classes
        base=$(root_of "$1")/var/lib/millrace-dist
        mkdir -p "$cache"
        # An archive that is made later is written there, too.
        on "$1" install -d -o millrace-fetch -g millrace-fetch /var/lib/millrace-dist/archives
        for version in ${MILLRACE_VERSIONS:-3.9.1 4.3.1}; do
                id=kafka-$version
                (
                        flock 9
                        classes_are_current "$id" || classes_make "$1" "$id"
                ) 9>"$cache/.lock" || return
                cp "$cache/$id".jsa* "$base/archives/"
                cp "$cache/$id.state.json" "$base/"
        done
        on "$1" chown -R millrace-fetch:millrace-fetch /var/lib/millrace-dist
}

classes_are_current() { # ID: made by this very java, from jars that were not replaced since
        local java libs=$MILLRACE_TEST_CACHE/dist/$1/libs
        java=$(readlink -f /usr/bin/java)
        [ -e "$cache/$1.state.json" ] && [ "$cache/$1.jsa" -nt "$libs" ] &&
                [ "$(cat "$cache/$1.jsa.java")" = "$java $(stat -c '%s %Y' "$java")" ]
}

classes_make() { # HOST ID
        on "$1" systemctl start "millrace-fetch@$2" && [ -e "$base/archives/$2.jsa" ] || return
        cp "$base/archives/$2".jsa* "$cache/"
        cp "$base/$2.state.json" "$cache/"
}

bail() { # nothing more can be tested
        not_ok "the rest of the script" "$*"
        exit 1
}

# --- the end

finish() {
        local status=$?
        [ "$status" = 0 ] || [ "$tests_failed" -gt 0 ] || not_ok "the script ends" "with status $status"
        echo "1..$tests_run"
        rm -rf "$scratch"
        [ -n "${MILLRACE_KEEP:-}" ] || host down
        exit $((tests_failed > 0))
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
