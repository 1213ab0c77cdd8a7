/* Names of verbs, and the end of an observation. */

#include "platform.h"

#include "annotations.h"

const char *mr_verb_name(MrVerb verb) {
        static const char *const names[_MR_VERB_MAX] = {
                [MR_VERB_CREATE] = "create", [MR_VERB_UPDATE] = "update",
                [MR_VERB_REMOVE] = "remove", [MR_VERB_START] = "start",
                [MR_VERB_STOP] = "stop",     [MR_VERB_RESTART] = "restart",
        };
        return names[verb];
}

const char *const mr_asks[] = {ANNOTATION_ROLL, ANNOTATION_DISCARD, ANNOTATION_RENEW,
                               ANNOTATION_REPLACE, NULL};

void mr_observation_done(MrObservation *observation) {
        observation->found = mr_manifests_free(observation->found);
        observation->nodes = mr_tree_free(observation->nodes);
        observation->claims = mr_tree_free(observation->claims);
        observation->host = mr_tree_free(observation->host);
        observation->asks = mr_tree_free(observation->asks);
}
