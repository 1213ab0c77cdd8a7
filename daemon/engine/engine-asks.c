/* What people ask for by annotating objects of the platform. A restart, or that data is given up,
 * is remembered, and then the annotation goes. A certificate is asked for as by a Secret without
 * values beside the one that was made here, until it was made anew. */

#include <errno.h>

#include "base/log.h"
#include "engine-private.h"
#include "model/annotations.h"
#include "model/core-kinds.h"
#include "reconcile/secrets.h"
#include "sdk/str.h"

typedef struct Ask {
        Engine *engine;
        const char *kind, *ns, *name, *uid, *node;
        const MrTree *annotations;
} Ask;

static Ask ask_at(Engine *engine, size_t i) {
        const MrTree *entry = mr_tree_at(engine->observation.asks, i);

        return (Ask){
                .engine = engine,
                .kind = mr_tree_get_string(entry, "kind"),
                .ns = mr_tree_get_string(entry, "ns"),
                .name = mr_tree_get_string(entry, "name"),
                .uid = mr_tree_get_string(entry, "uid"),
                .node = mr_tree_get_string(entry, "node"),
                .annotations = mr_tree_get(entry, "annotations"),
        };
}

static void answer(const Ask *ask, const char *annotation) {
        const Engine *engine = ask->engine;

        engine->args.platform->platform->answer(engine->platform, ask->kind, ask->ns, ask->name,
                                                annotation);
}

/* --- nodes */

/* It may take a while until the annotation is gone, or nobody may be allowed to take it off. */
static char *key_of(const Ask *ask, const char *annotation) {
        return mr_strf("%s %s %s", ask->uid, annotation,
                       mr_tree_get_string(ask->annotations, annotation));
}

static void hear_node(const Ask *ask, const char *annotation, MrTree *still) {
        _cleanup_error_ MrError err = {};

        if (!mr_tree_get(ask->annotations, annotation) || !ask->node)
                return;
        _cleanup_free_ char *key = key_of(ask, annotation);
        if (mr_tree_get(ask->engine->heard, key)) {
                mr_tree_set(still, key, mr_tree_new_null());
                answer(ask, annotation);
                return;
        }
        int r = mr_streq(annotation, ANNOTATION_ROLL)
                        ? engine_ask(ask->engine, "restart", ask->ns, ask->node,
                                     "the annotation " ANNOTATION_ROLL, &err)
                        : engine_discard(ask->engine, ask->ns, ask->node,
                                         "the annotation " ANNOTATION_DISCARD, &err);
        if (r < 0 && mr_error_kind(&err, r) != MR_INVALID)
                return;
        if (r < 0)
                log_warning(NULL, NULL, "The annotation %s of %s %s/%s has no effect: %s",
                            annotation, ask->kind, ask->ns, ask->name, err.message);
        else
                log_notice(NULL, NULL, "The annotation %s of %s %s/%s was understood.", annotation,
                           ask->kind, ask->ns, ask->name);
        mr_tree_set(still, key, mr_tree_new_null());
        answer(ask, annotation);
}

/* --- certificates */

static bool is_done(const Ask *ask, const char *value) {
        _cleanup_(mr_tree_freep) MrTree *notes = NULL;
        _cleanup_free_ char *mark = mr_strf("%s %s", ask->uid, value);

        if (store_secret_annotations(ask->engine->args.store, ask->ns, &notes, NULL) < 0)
                return false;
        return mr_streq(mr_tree_get_string(mr_tree_get(notes, ask->name), DONE_ANNOTATION), mark);
}

static void put_secret(const Ask *ask) {
        _cleanup_(mr_tree_freep) MrTree *secret = mr_tree_new_map();
        MrTree *metadata = mr_tree_need_map(secret, "metadata");

        mr_tree_set_string(secret, "apiVersion", "v1");
        mr_tree_set_string(secret, "kind", "Secret");
        mr_tree_set_string(metadata, "name", ask->name);
        mr_tree_set_string(metadata, "namespace", ask->ns);
        mr_tree_set_string(metadata, "uid", ask->uid);
        mr_tree_set(metadata, "annotations", mr_tree_copy(ask->annotations));
        (void) store_put_platform_resource(ask->engine->args.store, secret, NULL, NULL);
}

static void hear_secret(const Ask *ask) {
        for (size_t i = 0; i < mr_tree_size(ask->annotations); i++)
                if (is_done(ask, mr_tree_string(mr_tree_at(ask->annotations, i))))
                        answer(ask, mr_tree_key(ask->annotations, i));
        put_secret(ask);
}

static bool is_asked(Engine *engine, const MrResource *secret) {
        for (size_t i = 0; i < mr_tree_size(engine->observation.asks); i++) {
                Ask ask = ask_at(engine, i);
                if (mr_streq(ask.kind, "Secret") && mr_streq(ask.ns, secret->ns) &&
                    mr_streq(ask.name, secret->name))
                        return true;
        }
        return false;
}

static bool is_ask(Engine *engine, const Document *document) {
        const MrResource *resource = document ? &document->resource : NULL;
        _cleanup_resource_ StoreResource stored = {};

        if (!resource || !mr_streq(resource->kind->name, "Secret"))
                return false;
        const SecretData *data = resource->spec;
        return data->data.n + data->string_data.n == 0 &&
               store_get(engine->args.store, "Secret", resource->ns, resource->name, &stored,
                         NULL) >= 0 &&
               mr_streq(stored.source, STORE_SOURCE_PLATFORM);
}

/* What is not asked any more was done, or somebody thought better of it. The next time it is asked
 * it is done again. */
static void forget_others(Engine *engine) {
        for (size_t i = engine->n_tracked; i-- > 0;) {
                const Document *document = engine->tracked[i]->document;
                if (!is_ask(engine, document) || is_asked(engine, &document->resource))
                        continue;
                _cleanup_free_ char *ns = mr_strdup(document->resource.ns),
                                    *name = mr_strdup(document->resource.name);
                (void) store_secret_annotate(engine->args.store, ns, name, DONE_ANNOTATION, NULL,
                                             NULL);
                (void) store_remove(engine->args.store, "Secret", ns, name, NULL);
        }
}

void engine_hear(Engine *engine) {
        MrTree *still;

        if (!engine->args.platform->platform->answer)
                return;
        still = mr_tree_new_map();
        for (size_t i = 0; i < mr_tree_size(engine->observation.asks); i++) {
                Ask ask = ask_at(engine, i);
                if (mr_streq(ask.kind, "Secret"))
                        hear_secret(&ask);
                else if (mr_streq(ask.kind, "Pod") || mr_streq(ask.kind, "StatefulSet")) {
                        hear_node(&ask, ANNOTATION_ROLL, still);
                        hear_node(&ask, ANNOTATION_DISCARD, still);
                }
        }
        mr_tree_free(engine->heard);
        engine->heard = still;
        forget_others(engine);
}
