#!/bin/bash
# With a quorum of controllers, and certificates that live for a minute and a half: see certificates.sh.
# long
MILLRACE_CERTIFICATES=with_controllers exec "$(dirname "$0")/certificates.sh"
