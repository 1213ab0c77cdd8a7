#!/bin/bash
# A broker and a ZooKeeper through the releases that have one: see releases.sh.
# long
MILLRACE_RELEASES=through_zookeeper exec "$(dirname "$0")/releases.sh"
