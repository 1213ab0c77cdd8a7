#!/bin/bash
# Two more shapes of tests/cluster/pods.sh: Kafka 3.9 with ZooKeeper, and controllers apart from brokers.
. "$(dirname "$0")/nodes-lib.sh"

nodes_up 3 3.9.1 4.3.1
bootstrap=my-cluster-kafka-bootstrap

check "the settings of the daemon" daemon_config
check "the daemon begins" daemon_up

becomes_ready "zookeeper" "$specs/zookeeper.yaml" 6
check "zookeeper: its user is there" wait_for 120 "the file" has_file /user/user.crt
check "zookeeper: its authority is there" wait_for 120 "the file" has_file /authority/ca.crt
check "zookeeper: messages" passes in_clients $bootstrap:9092 demo ""
check "zookeeper: messages over mTLS" passes in_clients $bootstrap:9093 demo "$mtls"
cluster_end "zookeeper"

becomes_ready "dedicated" "$specs/kraft-dedicated.yaml" 6
check "dedicated: its authority is the new one" wait_for 120 "the file" same_authority
check "dedicated: messages over mTLS" passes in_clients $bootstrap:9093 demo "$mtls"
check "the daemon ends as it should" daemon_down
