#!/bin/bash
# The manual: what commands print on a host, typed there in the order of README.md, and on another in that of
# packaging/doc/hosts.md.
export MILLRACE_VERSIONS=3.9.1
. "$(dirname "$0")/../stack/lib.sh"

typed() { # HOST FILE
        "$MILLRACE_REPOSITORY/tests/stack/manual.py" host "$MILLRACE_REPOSITORY/$2" -- \
                "$MILLRACE_REPOSITORY/tests/stack/host" exec "$1" env -C /usr/share/doc/millrace/examples sh -c |
                sed '/^1\.\./d' | tee -a "$scratch/typed"
}

host_with_package h1 h2
typed h1 README.md
typed h2 packaging/doc/hosts.md
tests_run=$(grep -cE '^(not )?ok ' "$scratch/typed")
tests_failed=$(grep -c '^not ok ' "$scratch/typed") || tests_failed=0
[ "$tests_run" -ge 31 ] || bail "too little was typed"
