/* Opening, closing and observing. */

#include "live.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "keep.h"
#include "pace.h"

#define PATIENCE_USEC (60 * SEC)

static void finish(MrPlatform *platform, int r, const MrError *err, MrObservation *observation) {
        MrObserved done = platform->observed;

        platform->observed = NULL;
        (void) sd_event_source_set_enabled(platform->deadline, SD_EVENT_OFF);
        if (done)
                done(platform->observed_userdata, r, err, observation);
}

/* 1: all is known; 0: not yet. */
static int check_watches(const MrPlatform *platform, MrError *err) {
        int all = follow_is_known(platform->follow);

        if (platform->lease) {
                int r = lease_state(platform->lease, err);
                if (r <= 0)
                        return r;
        }

        for (size_t i = 0; i < platform->n_watches; i++) {
                int r = watch_state(platform->watches[i], err);
                if (r < 0)
                        return r;
                all = all && r;
        }
        return all;
}

static int on_look(sd_event_source *source, void *userdata) {
        MrPlatform *platform = userdata;
        MrObservation observation = {};
        _cleanup_error_ MrError err = {};

        (void) source;
        int r = platform->observed ? check_watches(platform, &err) : 0;
        if (r < 0)
                finish(platform, r, &err, NULL);
        else if (r > 0) {
                observation_of_cache(&platform->cache, platform->host, &observation);
                finish(platform, 0, NULL, &observation);
        }
        return 0;
}

const char *kubernetes_waits_for(const MrPlatform *platform) {
        return platform->lease ? lease_leader(platform->lease) : NULL;
}

static void wait_on(MrPlatform *platform) {
        (void) sd_event_source_set_time_relative(platform->deadline, PATIENCE_USEC);
        (void) sd_event_source_set_enabled(platform->deadline, SD_EVENT_ONESHOT);
}

static int on_deadline(sd_event_source *source, uint64_t usec, void *userdata) {
        MrPlatform *platform = userdata;
        _cleanup_error_ MrError err = {};

        (void) source;
        (void) usec;
        if (kubernetes_waits_for(platform)) {
                wait_on(platform);
                return 0;
        }
        int r = mr_fail(&err, MR_TRANSIENT, NULL, "the API server %s does not answer",
                        platform->config.server);
        finish(platform, r, &err, NULL);
        return 0;
}

static void on_seen(void *userdata, const Object *object, const MrTree *whole) {
        MrPlatform *platform = userdata;

        if (!platform->kept || !mr_streq(object->kind->kind, "Secret"))
                return;
        _cleanup_(mr_tree_freep) MrTree *kept = whole ? keep_read(whole) : NULL;
        if (kept || !whole)
                platform->kept(platform->userdata, object->ns, object->name, kept);
}

static void on_changed(void *userdata) {
        MrPlatform *platform = userdata;

        if (platform->observed)
                (void) sd_event_source_set_enabled(platform->look, SD_EVENT_ONESHOT);
        batch_look(platform->batch);
        platform->changed(platform->userdata, NULL);
}

int kubernetes_observe(MrPlatform *platform, MrObserved done, void *userdata, MrError *err) {
        if (platform->observed)
                return mr_fail(err, MR_BUG, NULL, "an observation is under way already");
        platform->observed = done;
        platform->observed_userdata = userdata;
        wait_on(platform);
        (void) sd_event_source_set_enabled(platform->look, SD_EVENT_ONESHOT);
        return 0;
}

static int add_watch(MrPlatform *platform, const ApiKind *kind, const char *ns, MrError *err) {
        WatchArgs args = {
                .event = platform->event,
                .client = platform->client,
                .cache = &platform->cache,
                .kind = kind,
                .ns = ns,
                .changed = on_changed,
                .userdata = platform,
        };

        int r = watch_new(&args, &platform->watches[platform->n_watches], err);
        platform->n_watches += r >= 0;
        return r;
}

/* Each kind in each of the namespaces, or in all at once. */
static int add_watches(MrPlatform *platform, const MrTree *config, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *namespaces = NULL, *selector = NULL;
        int r = kubernetes_scope(config, &namespaces, &selector, err);
        size_t n = mr_tree_size(namespaces), n_kinds = api_kinds_size();

        platform->watches = mr_new(Watch *, n_kinds * (n > 0 ? n : 1));
        for (size_t i = 0; r >= 0 && i < n_kinds; i++) {
                bool is_whole = n == 0 || api_kinds[i].is_global;
                if (is_whole)
                        r = add_watch(platform, &api_kinds[i], NULL, err);
                for (size_t k = 0; r >= 0 && k < n && !is_whole; k++)
                        r = add_watch(platform, &api_kinds[i],
                                      mr_tree_string(mr_tree_at(namespaces, k)), err);
        }
        return r;
}

static int read_config(MrPlatform *platform, const MrPlatformOps *ops, const MrTree *config,
                       MrError *err) {
        const char *path = mr_tree_get_string(config, "kubeconfig");

        platform->host = mr_tree_new_map();
        int r = kubernetes_settings(ops, config, platform->host, err);
        if (r < 0)
                return r;
        if (path)
                return kubeconfig_read(path, mr_tree_get_string(config, "context"),
                                       &platform->config, err);
        return kubeconfig_of_pod(getenv("KUBERNETES_SERVICE_HOST"),
                                 getenv("KUBERNETES_SERVICE_PORT"), ACCOUNT_DIRECTORY,
                                 &platform->config, err);
}

static int make_sources(MrPlatform *platform, MrError *err) {
        int r = sd_event_add_defer(platform->event, &platform->look, on_look, platform);

        if (r >= 0)
                r = sd_event_source_set_enabled(platform->look, SD_EVENT_OFF);
        if (r >= 0)
                r = sd_event_add_time(platform->event, &platform->deadline, CLOCK_MONOTONIC,
                                      UINT64_MAX, 0, on_deadline, platform);
        if (r >= 0)
                r = sd_event_source_set_enabled(platform->deadline, SD_EVENT_OFF);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

static void on_lost(void *userdata, const MrError *err) {
        MrPlatform *platform = userdata;

        platform->is_over = true;
        if (platform->ended)
                platform->ended(platform->userdata, err);
}

static int open_lease(MrPlatform *platform, const MrTree *config, MrError *err) {
        int r = lease_settings_read(config, platform->config.ns, &platform->lease_settings, err);

        if (r <= 0)
                return r;
        LeaseArgs args = {
                .event = platform->event,
                .client = platform->client,
                .settings = &platform->lease_settings,
                .changed = on_changed,
                .lost = on_lost,
                .userdata = platform,
        };
        return lease_new(&args, &platform->lease, err);
}

int kubernetes_open(const MrPlatformOps *ops, const MrPlatformArgs *args, MrPlatform **ret,
                    MrError *err) {
        MrPlatform *platform = mr_new(MrPlatform, 1);

        platform->flavor = ops->flavor;
        platform->event = sd_event_ref(args->event);
        platform->changed = args->changed;
        platform->kept = args->kept;
        platform->ended = args->ended;
        platform->cache.seen = on_seen;
        platform->cache.userdata = platform;
        platform->userdata = args->userdata;
        int r = read_config(platform, ops, args->config, err);
        if (r >= 0)
                r = make_sources(platform, err);
        if (r >= 0)
                r = client_new(platform->event, &platform->config, &platform->client, err);
        if (r >= 0)
                r = open_lease(platform, args->config, err);
        if (r >= 0)
                r = add_watches(platform, args->config, err);
        if (r >= 0 && args->following)
                r = follow_new(platform->event, platform->client, args, on_changed, platform,
                               &platform->follow, err);
        if (r < 0)
                kubernetes_close(platform);
        else
                *ret = platform;
        return r;
}

void kubernetes_close(MrPlatform *platform) {
        batch_free(platform->batch);
        answers_done(platform);
        lease_free(platform->lease);
        lease_settings_done(&platform->lease_settings);
        for (size_t i = 0; i < platform->n_watches; i++)
                watch_free(platform->watches[i]);
        free(platform->watches);
        follow_free(platform->follow);
        client_free(platform->client);
        platform->kept = NULL;
        cache_done(&platform->cache);
        sd_event_source_disable_unref(platform->look);
        sd_event_source_disable_unref(platform->deadline);
        sd_event_unref(platform->event);
        kubeconfig_done(&platform->config);
        mr_tree_free(platform->host);
        free(platform);
}

void kubernetes_write_status(MrPlatform *platform, const char *kind, const char *ns,
                             const char *name, const MrTree *status) {
        Kept *kept = follow_find(platform->follow, kind, ns, name);

        if (kept)
                kept_want_status(kept, status);
}

void kubernetes_release(MrPlatform *platform, const char *kind, const char *ns, const char *name) {
        Kept *kept = follow_find(platform->follow, kind, ns, name);

        if (kept)
                kept_release(kept);
}

int kubernetes_follow(MrPlatform *platform, const char *sake, const MrStrings *names,
                      MrError *err) {
        return platform->follow ? pursue(platform->follow, sake, names, err) : 1;
}
