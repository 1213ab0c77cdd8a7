/* The ZooKeeper operand: ensembles for Kafka clusters that keep their metadata there. */

#include "plugin.h"

#include "zookeeper.h"

static const MrOperandOps zookeeper_ops = {
        .struct_size = sizeof(MrOperandOps),
        .section = &zookeeper_section,
        .desired = zookeeper_desired,
        .probes = zookeeper_probes,
        .health = zookeeper_health,
};

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "zookeeper",
        .doc = "ZooKeeper ensembles of Kafka clusters.",
        .operand = &zookeeper_ops,
};
