#!/bin/bash
# Prints the cluster that the figures are taken with: three ZooKeeper nodes and three brokers with small JVMs.
# usage: cluster.sh [PARTITIONS], the static setting num.partitions
jvm() {
        printf '    jvmOptions:\n      -Xms: %s\n      -Xmx: %s\n      -XX:\n' "$1" "$2"
        printf '        %s\n' 'UseG1GC: "false"' 'UseSerialGC: "true"' 'TieredStopAtLevel: "1"'
}

storage() { printf '    storage:\n      type: persistent-claim\n      size: 1Gi\n      deleteClaim: true\n'; }

cat <<SPEC
apiVersion: kafka.strimzi.io/v1beta2
kind: Kafka
metadata:
  name: bench
spec:
  kafka:
    version: 3.9.1
    replicas: 3
    listeners:
    - name: plain
      port: 9092
      type: internal
      tls: false
    - name: tls
      port: 9093
      type: internal
      tls: true
      authentication:
        type: tls
    config:
      num.partitions: ${1:-6}
      default.replication.factor: 3
      min.insync.replicas: 2
      offsets.topic.replication.factor: 3
SPEC
jvm 128m 256m
storage
printf '  zookeeper:\n    replicas: 3\n'
jvm 64m 128m
storage
