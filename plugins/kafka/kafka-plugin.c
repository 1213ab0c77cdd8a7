/* The Kafka operand, and which function serves which of its kinds. */

#include "plugin.h"

#include "kafka.h"

static const MrKind *const kinds[] = {&kafka_kind, &pool_kind, &user_kind, NULL};

static int desired(const MrResource *resource, const void *spec, const MrFacts *facts, MrParts *ret,
                   MrError *err) {
        if (resource->kind == &kafka_kind)
                return kafka_desired(resource, spec, facts, ret, err);
        if (resource->kind == &user_kind)
                return user_desired(resource, spec, facts, ret, err);
        return 0; /* a pool has no parts of its own: they are its cluster's */
}

static int probes(const MrResource *resource, const void *spec, const MrFacts *facts,
                  MrArena *arena, MrProbes *ret, MrError *err) {
        return resource->kind == &kafka_kind ? kafka_probes(resource, spec, facts, arena, ret, err)
                                             : 0;
}

static int health(const MrResource *resource, const void *spec, const MrFacts *facts,
                  MrArena *arena, MrHealth *ret, MrError *err) {
        return resource->kind == &kafka_kind ? kafka_health(resource, spec, facts, arena, ret, err)
                                             : 0;
}

static int status(const MrResource *resource, const void *spec, const MrFacts *facts, MrTree *ret,
                  MrError *err) {
        if (resource->kind == &kafka_kind)
                return kafka_status(resource, spec, facts, ret, err);
        if (resource->kind == &pool_kind)
                return pool_status(resource, spec, facts, ret, err);
        return user_status(resource, spec, facts, ret, err);
}

static const MrOperandOps kafka_ops = {
        .struct_size = sizeof(MrOperandOps),
        .kinds = kinds,
        .desired = desired,
        .probes = probes,
        .health = health,
        .status = status,
};

_public_
const MrPlugin mr_plugin = {
        MR_PLUGIN_HEADER,
        .name = "kafka",
        .doc = "Kafka clusters, their pools of nodes, and users.",
        .operand = &kafka_ops,
};
