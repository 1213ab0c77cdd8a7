# What the checks of this folder share; sourced, not run. Each check prints one TAP line for what it
# looked at, and under a "not ok" the findings as comments.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "${MILLRACE_REPOSITORY:-$(dirname "${BASH_SOURCE[0]}")/../..}" || exit 1
build=${MILLRACE_BUILD:-build}
checks=0
bad=0
trap 'echo "1..$checks"; exit $((bad > 0))' EXIT

verdict() { # NAME FINDINGS: no findings is what is wanted
        checks=$((checks + 1))
        if [ -z "$2" ]; then
                echo "ok $checks - $1"
        else
                bad=$((bad + 1))
                echo "not ok $checks - $1"
                sed 's/^/# /' <<<"$2"
        fi
}

sources() { find daemon plugins platforms "$@" \( -name '*.c' -o -name '*.h' \) -type f | sort; }

# SOURCE OBJECT of everything that is shipped; meson spells a/b.c as a_b.c.o.
objects() {
        local source object
        while read -r source; do
                object=$(find "$build" -path "$build/package" -prune -o -path '*.p/*' -name "${source//\//_}.o" -print -quit)
                echo "$source ${object:--}"
        done < <(sources | grep '\.c$')
}
