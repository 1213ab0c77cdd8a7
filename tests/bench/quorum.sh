#!/bin/bash
# Prints another cluster that figures are taken with: three nodes that are controllers and brokers in one.
cat <<'SPEC'
apiVersion: kafka.strimzi.io/v1
kind: Kafka
metadata: {name: bench}
spec:
  kafka:
    version: 3.9.1
    metadataVersion: 3.9-IV0
    listeners:
    - {name: plain, port: 9092, type: internal, tls: false}
    - {name: tls, port: 9093, type: internal, tls: true, authentication: {type: tls}}
    config:
      num.partitions: 6
      default.replication.factor: 3
      min.insync.replicas: 2
      offsets.topic.replication.factor: 3
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaNodePool
metadata: {name: dual, labels: {strimzi.io/cluster: bench}}
spec:
  replicas: 3
  roles: [controller, broker]
  storage: {type: persistent-claim, size: 1Gi, deleteClaim: true}
  jvmOptions:
    -Xms: 128m
    -Xmx: 256m
    -XX: {UseG1GC: "false", UseSerialGC: "true", TieredStopAtLevel: "1"}
SPEC
