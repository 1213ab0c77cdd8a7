#!/bin/bash
# The manual: what commands print in it is what they print, and troubleshooting.md has what the journal's catalog has.
set -uo pipefail
repository=${MILLRACE_REPOSITORY:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${MILLRACE_BUILD:-$repository/build}
doc=$repository/packaging/doc
status=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# One section a message: its id and name, what the catalog says of it.
troubleshooting() {
        sed '/^<!-- messages -->$/q' "$doc/troubleshooting.md"
        awk -v ids="$repository/daemon/base/message-ids.h" '
                BEGIN {
                        while ((getline line < ids) > 0)
                                if (split(line, word, " ") == 3 && word[1] == "#define" && word[2] ~ /^MSG_/) {
                                        gsub(/"/, "", word[3])
                                        name[word[3]] = substr(word[2], 5)
                                }
                }
                /^-- / {id = $2; head = 1; next}
                /^#/ || id == "" {next}
                head && /^Subject: / {
                        subject = substr($0, 10)
                        gsub(/@MILLRACE_KIND@ @MILLRACE_NAME@/, "KIND NAME", subject)
                        gsub(/@MILLRACE_NODE@/, "NODE", subject)
                        printf "\n## %s\n\n`%s`, `MESSAGE_ID=%s`\n", subject, name[id], id
                        next
                }
                head && /^$/ {head = 0}
                head {next}
                {gsub(/@MILLRACE_NODE@/, "NODE"); text = $0; if (text != "" || last != "") print text; last = text}
        ' "$repository/units/millrace.catalog" | cat -s
}

if [ -n "${MILLRACE_UPDATE_GOLDEN:-}" ]; then
        troubleshooting >"$scratch/troubleshooting" && cp "$scratch/troubleshooting" "$doc/troubleshooting.md"
fi
if diff "$doc/troubleshooting.md" <(troubleshooting) >"$scratch/diff"; then
        echo "ok - troubleshooting.md has every message of the catalog"
else
        echo "not ok - troubleshooting.md has every message of the catalog"
        sed 's/^/# /' "$scratch/diff"
        status=1
fi
missing=$(sed -n 's/^#define MSG_[A-Z_]* "\(.*\)"/\1/p' "$repository/daemon/base/message-ids.h" | while read -r id; do
        grep -q "MESSAGE_ID=$id" "$doc/troubleshooting.md" || echo "$id"
done)
if [ -z "$missing" ]; then
        echo "ok - every message has a section"
else
        echo "not ok - every message has a section: $missing"
        status=1
fi
cd "$repository/etc/examples" || exit 1
PATH=$build:$PATH MILLRACE_PLUGINS=$build LC_ALL=C.UTF-8 "$repository/tests/stack/manual.py" offline \
        "$doc"/*.md "$repository/README.md" -- sh -c || status=1
exit "$status"
