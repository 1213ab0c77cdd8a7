/* Rows of spec.kafka.template and of the template of a pool. */

#include "kafka.h"

#include "template-spec.h"

#define NODE_DETAILS                                                                               \
        DETAIL("podSet", metadata_template, MR_POD, "The object that stands for a set of pods."),  \
                DETAIL("pod", node_pod_template, MR_POD, "The pod of each node."),                 \
                DETAIL("kafkaContainer", container_template, MR_POD, "The container of Kafka."),   \
                DETAIL("initContainer", container_template, MR_POD,                                \
                       "The container that finds out rack and addresses first."),                  \
                DETAIL("perPodService", service_template, MR_SERVICE,                              \
                       "The service of each broker for clients from outside."),                    \
                DETAIL("perPodIngress", metadata_template, MR_SERVICE,                             \
                       "The ingress of each broker."),                                             \
                DETAIL("perPodRoute", metadata_template, MR_SERVICE, "The route of each broker."), \
                DETAIL("persistentVolumeClaim", metadata_template, MR_METADATA,                    \
                       "The claims of the nodes.")

const MrField kafka_template_fields[] = {
        NODE_DETAILS,
        DETAIL("statefulset", set_template, MR_OBSOLETE,
               "The stateful set of the brokers; there are none any more."),
        DETAIL("bootstrapService", service_template, MR_SERVICE,
               "The service for the first contact from inside."),
        DETAIL("brokersService", service_template, MR_SERVICE,
               "The service that gives each node a name."),
        DETAIL("externalBootstrapService", service_template, MR_SERVICE,
               "The service for the first contact from outside."),
        DETAIL("externalBootstrapIngress", metadata_template, MR_SERVICE,
               "The ingress for the first contact."),
        DETAIL("externalBootstrapRoute", metadata_template, MR_SERVICE,
               "The route for the first contact."),
        DETAIL("podDisruptionBudget", budget_template, MR_BUDGET,
               "How many nodes others may evict at once."),
        DETAIL("serviceAccount", metadata_template, MR_POD, "The account the pods run under."),
        DETAIL("clusterRoleBinding", metadata_template, MR_POD,
               "What lets that account read the racks of machines."),
        DETAIL("clusterCaCert", metadata_template, MR_METADATA,
               "The Secret with the certificate of the cluster's authority."),
        DETAIL("jmxSecret", metadata_template, MR_METADATA,
               "The Secret with the name and password for JMX."),
        {},
};

const MrField pool_template_fields[] = {
        NODE_DETAILS,
        {},
};
