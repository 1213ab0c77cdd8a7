#!/bin/bash
# With ZooKeeper, and certificates that live for two minutes: see certificates.sh.
# long
MILLRACE_CERTIFICATES=with_short_lives exec "$(dirname "$0")/certificates.sh"
