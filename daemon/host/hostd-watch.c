#include "hostd-watch.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

#include "base/log.h"
#include "host-distribution.h"
#include "host-files.h"
#include "host-render.h"
#include "host-units.h"
#include "sdk/str.h"

#define COALESCE_USEC UINT64_C(20000)
/* Temporary files have hidden names, so what is written appears by being renamed. */
#define WATCH_MASK                                                                                 \
        (IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |        \
         IN_DELETE_SELF | IN_ONLYDIR)
#define PENDING_MAX 64U

/* A path that is watched, or the unit that is listened to, on behalf of one instance; "" for all.
 */
typedef struct Watched {
        HostWatch *watch; /* weak */
        char *key;        /* the path, or the object path of the unit */
        char *instance;
        bool seen; /* by the refresh under way */
        sd_event_source *inotify;
        sd_bus_slot *match;
} Watched;

struct HostWatch {
        sd_event *event;
        sd_bus *bus;
        const char *root;
        HostWatchChanged changed;
        void *userdata;
        Watched **items;
        size_t n, allocated;
        char **pending;
        size_t n_pending, pending_allocated;
        sd_event_source *timer;
};

static void pending_clear(HostWatch *watch) {
        for (size_t i = 0; i < watch->n_pending; i++)
                free(watch->pending[i]);
        watch->n_pending = 0;
}

static int pending_tell(sd_event_source *source, uint64_t usec, void *userdata) {
        HostWatch *watch = userdata;

        (void) source;
        (void) usec;
        for (size_t i = 0; i < watch->n_pending; i++)
                watch->changed(watch->userdata, watch->pending[i]);
        pending_clear(watch);
        return 0;
}

static void pending_add(HostWatch *watch, const char *instance) {
        for (size_t i = 0; i < watch->n_pending; i++)
                if (mr_streq(watch->pending[i], instance) || !watch->pending[i][0])
                        return;
        if (watch->n_pending >= PENDING_MAX)
                instance = "";
        if (!instance[0])
                pending_clear(watch);
        if (watch->n_pending == 0) {
                (void) sd_event_source_set_time_relative(watch->timer, COALESCE_USEC);
                (void) sd_event_source_set_enabled(watch->timer, SD_EVENT_ONESHOT);
        }
        MR_GROW(watch->pending, watch->n_pending, watch->pending_allocated);
        watch->pending[watch->n_pending++] = mr_strdup(instance);
}

static int file_changed(sd_event_source *source, const struct inotify_event *event,
                        void *userdata) {
        Watched *watched = userdata;

        (void) source;
        /* The directory is gone; one of the same name is another, which the next refresh watches.
         */
        if (event->mask & (IN_DELETE_SELF | IN_IGNORED | IN_UNMOUNT))
                watched->inotify = sd_event_source_disable_unref(watched->inotify);
        if (event->len > 0 && event->name[0] == '.')
                return 0;
        pending_add(watched->watch, watched->instance);
        return 0;
}

static int unit_changed(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
        Watched *watched = userdata;

        (void) m;
        (void) ret_error;
        pending_add(watched->watch, watched->instance);
        return 0;
}

static void watched_free(Watched *watched) {
        sd_event_source_disable_unref(watched->inotify);
        sd_bus_slot_unref(watched->match);
        free(watched->key);
        free(watched->instance);
        free(watched);
}

static Watched *watched_need(HostWatch *watch, const char *key, const char *instance) {
        for (size_t i = 0; i < watch->n; i++)
                if (mr_streq(watch->items[i]->key, key) &&
                    mr_streq(watch->items[i]->instance, instance)) {
                        watch->items[i]->seen = true;
                        return watch->items[i];
                }
        Watched *watched = mr_new(Watched, 1);

        *watched = (Watched){.watch = watch,
                             .key = mr_strdup(key),
                             .instance = mr_strdup(instance),
                             .seen = true};
        MR_GROW(watch->items, watch->n, watch->allocated);
        watch->items[watch->n++] = watched;
        return watched;
}

static void directory_watch(HostWatch *watch, const char *path, const char *instance) {
        _cleanup_free_ char *full = mr_strf("%s%s", watch->root, path);
        Watched *watched = watched_need(watch, path, instance);

        if (watched->inotify)
                return;
        int r = sd_event_add_inotify(watch->event, &watched->inotify, full, WATCH_MASK,
                                     file_changed, watched);
        if (r < 0 && r != -ENOENT && r != -ENOTDIR)
                log_warning(NULL, NULL, "Cannot watch %s: %s.", full, strerror(-r));
        if (r < 0)
                watched->seen = false;
}

static void unit_watch(HostWatch *watch, const char *unit, const char *instance) {
        _cleanup_free_ char *path = NULL;

        if (sd_bus_path_encode(SYSTEMD_PATH "/unit", unit, &path) < 0)
                return;
        Watched *watched = watched_need(watch, path, instance);
        if (!watched->match)
                (void) sd_bus_match_signal_async(watch->bus, &watched->match, SYSTEMD_NAME, path,
                                                 "org.freedesktop.DBus.Properties",
                                                 "PropertiesChanged", unit_changed, NULL, watched);
}

/* Which class an instance has is not asked: it is listened to under each, and only one exists. */
static void instance_watch(HostWatch *watch, const HostConfig *config, const char *instance) {
        const HostClass *classes = config->classes.items;
        _cleanup_free_ char *node = mr_strf(HOST_NODES_DIRECTORY "/%s", instance);

        directory_watch(watch, node, instance);
        for (size_t i = 0; i < config->classes.n; i++) {
                _cleanup_free_ char *unit = host_unit_name(classes[i].name, instance);
                _cleanup_free_ char *dropins = mr_strf(HOST_UNITS_DIRECTORY "/%s.d", unit);

                directory_watch(watch, dropins, instance);
                unit_watch(watch, unit, instance);
        }
}

/* The fetcher writes its outcome just before it ends, and only then it counts. */
static void distributions_watch(HostWatch *watch, const HostConfig *config) {
        const HostDistribution *distributions = config->distributions.items;

        for (size_t i = 0; i < config->distributions.n; i++) {
                _cleanup_free_ char *unit = host_distribution_unit(&distributions[i]);

                unit_watch(watch, unit, "");
        }
}

static void unseen_drop(HostWatch *watch) {
        size_t kept = 0;

        for (size_t i = 0; i < watch->n; i++)
                if (watch->items[i]->seen)
                        watch->items[kept++] = watch->items[i];
                else
                        watched_free(watch->items[i]);
        watch->n = kept;
}

void host_watch_refresh(HostWatch *watch, const HostConfig *config) {
        static const char *const shared[] = {"/etc/millrace", HOST_NODES_DIRECTORY,
                                             HOST_UNITS_DIRECTORY, "/run/systemd/system",
                                             HOST_DIST_DIRECTORY};
        _cleanup_dir_ HostDir nodes = HOST_DIR_INIT;
        _cleanup_names_ HostNames names = {};

        for (size_t i = 0; i < watch->n; i++)
                watch->items[i]->seen = false;
        for (size_t i = 0; i < MR_ELEMENTS(shared); i++)
                directory_watch(watch, shared[i], "");
        if (host_dir_open(watch->root, HOST_NODES_DIRECTORY, false, &nodes, NULL) < 0 ||
            nodes.fd < 0 || host_dir_list(&nodes, false, &names, NULL) < 0)
                log_debug(NULL, NULL, "There are no nodes to watch yet.");
        for (size_t i = 0; i < names.n; i++)
                if (host_name_is_valid(names.items[i]))
                        instance_watch(watch, config, names.items[i]);
        distributions_watch(watch, config);
        unseen_drop(watch);
}

int host_watch_new(sd_event *event, sd_bus *bus, const char *root, HostWatchChanged changed,
                   void *userdata, HostWatch **ret, MrError *err) {
        _cleanup_(host_watch_freep) HostWatch *watch = mr_new(HostWatch, 1);

        *watch = (HostWatch){
                .event = event, .bus = bus, .root = root, .changed = changed, .userdata = userdata};
        int r = sd_event_add_time(event, &watch->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
                                  pending_tell, watch);
        if (r < 0)
                return mr_fail_errno(err, -r, NULL, "cannot watch the host");
        *ret = TAKE(watch);
        return 0;
}

HostWatch *host_watch_free(HostWatch *watch) {
        if (!watch)
                return NULL;
        for (size_t i = 0; i < watch->n; i++)
                watched_free(watch->items[i]);
        free(watch->items);
        pending_clear(watch);
        free(watch->pending);
        sd_event_source_disable_unref(watch->timer);
        free(watch);
        return NULL;
}
