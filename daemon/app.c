/* Everything the daemon consists of, put together. */

#include "app.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <systemd/sd-daemon.h>

#include "base/log.h"
#include "base/message-ids.h"
#include "engine/engine.h"
#include "io/http-server.h"
#include "io/plugins.h"
#include "reconcile/ignored.h"
#include "resources.h"
#include "sdk/str.h"
#include "source.h"
#include "store/api.h"

struct App {
        char *config_path;
        Config *config;
        sd_event *event;
        Plugins plugins;
        Registry *registry;
        Store *store;
        Worker *worker;
        Engine *engine;
        Source *source;
        Resources *resources;
        Api *api;
        HttpServer *server;
        HttpServer *tcp_server;
        const MrPlugin *platform;
};

static int admit(void *userdata, const MrTree *resource, MrTree *warnings, MrError *err) {
        const App *app = userdata;
        _cleanup_(document_freep) Document *document = NULL;

        int r = document_read(app->registry, mr_tree_copy(resource), NULL, &document, err);
        if (r >= 0 && warnings)
                ignored_warnings(document, app->platform->platform, warnings);
        return r;
}

static int api_plan(void *userdata, const char *kind, const char *ns, const char *name,
                    MrTree **ret, MrError *err) {
        return engine_plan(((App *) userdata)->engine, kind, ns, name, ret, err);
}

static int api_describe(void *userdata, const char *kind, const char *ns, const char *name,
                        MrTree **ret, MrError *err) {
        return engine_describe(((App *) userdata)->engine, kind, ns, name, ret, err);
}

static int api_record(void *userdata, const char *kind, const char *ns, const char *name,
                      MrTree **ret, MrError *err) {
        return engine_record(((App *) userdata)->engine, kind, ns, name, ret, err);
}

static int api_events(void *userdata, const char *kind, const char *ns, const char *name,
                      MrTree **ret, MrError *err) {
        return engine_events(((App *) userdata)->engine, kind, ns, name, ret, err);
}

static int api_restart(void *userdata, const char *ns, const char *cluster, const char *node,
                       const char *reason, MrError *err) {
        return engine_restart(((App *) userdata)->engine, ns, cluster, node, reason, err);
}

static int api_renew(void *userdata, const char *ns, const char *node, const char *reason,
                     MrError *err) {
        return engine_renew(((App *) userdata)->engine, ns, node, reason, err);
}

static int api_discard(void *userdata, const char *ns, const char *node, const char *reason,
                       MrError *err) {
        return engine_discard(((App *) userdata)->engine, ns, node, reason, err);
}

static int api_health(void *userdata, bool ready, MrError *err) {
        return engine_health(((App *) userdata)->engine, ready, err);
}

static void api_metrics(void *userdata, MrBuf *out) {
        const App *app = userdata;

        engine_metrics(app->engine, out);
        mr_buf_printf(out,
                      "# HELP millrace_files_refused Files of the resources directory that hold an "
                      "error.\n"
                      "# TYPE millrace_files_refused gauge\nmillrace_files_refused %zu\n",
                      source_errors(app->source));
        if (app->resources)
                mr_buf_printf(out,
                              "# HELP millrace_resources_refused Resources of the API server that "
                              "are not valid.\n"
                              "# TYPE millrace_resources_refused gauge\n"
                              "millrace_resources_refused %zu\n",
                              resources_refused(app->resources));
        mr_buf_printf(out,
                      "# HELP millrace_watches Open watches of the local API.\n# TYPE "
                      "millrace_watches gauge\n"
                      "millrace_watches %zu\n",
                      api_watches(app->api));
}

static const ApiOps api_ops = {
        .admit = admit,
        .plan = api_plan,
        .describe = api_describe,
        .events = api_events,
        .record = api_record,
        .restart = api_restart,
        .renew = api_renew,
        .discard = api_discard,
        .health = api_health,
        .metrics = api_metrics,
};

static void plugin_refused(void *userdata, const char *path, const MrError *err) {
        (void) userdata;
        log_error(NULL, MSG_PLUGIN_REFUSED, "The plugin %s is not used: %s", path, err->message);
}

static int open_plugins(App *app, MrError *err) {
        unsigned owner;
        _cleanup_free_ char *directory = plugins_directory(&owner);

        app->registry = registry_new();
        int r = plugins_load(directory, owner, plugin_refused, NULL, &app->plugins, err);
        return r < 0 ? r : plugins_register(&app->plugins, app->registry, err);
}

static void backup_failed(void *userdata, const MrError *err) {
        (void) userdata;
        log_warning(NULL, NULL, "The copy of the database could not be refreshed: %s",
                    err->message);
}

static int open_store(App *app, MrError *err) {
        int r = store_open(app->config->state, &app->store, err);

        return r < 0 ? r : store_attach_event(app->store, app->event, backup_failed, NULL, err);
}

/* Until then another replica may lead, and what it writes is taken over. */
static void on_acting(void *userdata) {
        App *app = userdata;

        if (app->resources)
                resources_activate(app->resources);
}

static int open_engine(App *app, MrError *err) {
        const MrPlugin *platform = plugins_find_platform(&app->plugins, app->config->platform);
        if (!platform)
                return mr_fail(
                        err, MR_INVALID, "platform",
                        "there is no platform plugin \"%s\"; install it or choose another in %s",
                        app->config->platform, app->config_path);
        app->platform = platform;
        if (mr_streq(app->config->state, STORE_IN_MEMORY) && !platform->platform->write_status)
                return mr_fail(err, MR_INVALID, "state",
                               STORE_IN_MEMORY " is for platforms that keep everything themselves, "
                                               "and %s does not; name a file in %s",
                               app->config->platform, app->config_path);
        if (platform->platform->write_status)
                app->resources = resources_new(app->registry, app->store);
        EngineArgs args = {
                .event = app->event,
                .store = app->store,
                .registry = app->registry,
                .platform = platform,
                .platform_config = app->config->platform_config,
                .following = app->resources ? resources_following(app->resources) : NULL,
                .acts = on_acting,
                .userdata = app,
                .worker = app->worker,
                .grace_sec = app->config->grace_seconds,
                .resync_sec = app->config->resync_seconds,
                .day_sec = app->config->certificate_day_seconds,
        };

        int r = engine_new(&args, &app->engine, err);
        if (r >= 0 && app->resources)
                resources_attach(app->resources, platform->platform, engine_platform(app->engine));
        return r;
}

static int open_servers(App *app, MrError *err) {
        int r = api_new(app->store, registry_kinds(app->registry), MILLRACE_VERSION, &api_ops, app,
                        &app->api, err);
        if (r < 0)
                return r;
        int fd = http_listen_unix(app->config->socket, NULL, err);
        if (fd < 0)
                return fd;
        r = http_server_new(app->event, fd, api_handle, app->api, &app->server, err);
        if (r < 0 || !app->config->http)
                return r;
        _cleanup_free_ char *address =
                mr_strf("%s:%lld", app->config->http->address, (long long) app->config->http->port);
        fd = http_listen_tcp(address, err);
        return fd < 0 ? fd
                      : http_server_new(app->event, fd, api_handle, app->api, &app->tcp_server,
                                        err);
}

static bool is_same_http(const ConfigHttp *a, const ConfigHttp *b) {
        return !a == !b && (!a || (mr_streq(a->address, b->address) && a->port == b->port));
}

/* A reload takes over what can change while running; the rest is said to need a restart. */
static int on_reload(sd_event_source *source, const struct signalfd_siginfo *info, void *userdata) {
        App *app = userdata;
        _cleanup_error_ MrError err = {};
        Config *config = NULL;

        (void) source;
        (void) info;
        (void) sd_notify(false, "RELOADING=1");
        int r = config_read(app->config_path, &config, &err);
        if (r >= 0) {
                if (!mr_streq(config->platform, app->config->platform) ||
                    !mr_streq(config->state, app->config->state) ||
                    !mr_streq(config->socket, app->config->socket) ||
                    !mr_streq(config->resources, app->config->resources) ||
                    !is_same_http(config->http, app->config->http))
                        log_warning(NULL, NULL,
                                    "platform, resources, socket, state and http change only with "
                                    "a restart: 'systemctl restart millraced'.");
                log_set_level(log_level_from_name(config->log_level));
                engine_configure(app->engine, config->grace_seconds, config->resync_seconds,
                                 config->certificate_day_seconds);
                config_free(config);
                r = source_scan(app->source, true, &err);
        }
        if (r < 0) {
                _cleanup_free_ char *text = mr_error_text(&err);
                log_error(NULL, MSG_CONFIG_RELOADED, "The old configuration stays in force: %s",
                          text);
        } else
                log_notice(NULL, MSG_CONFIG_RELOADED, "The configuration was read again.");
        (void) sd_notify(false, "READY=1");
        return 0;
}

static int open_loop(App *app, MrError *err) {
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        sigaddset(&signals, SIGHUP);
        sigaddset(&signals, SIGPIPE);
        if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0)
                return mr_fail_errno(err, errno, NULL, "cannot block signals");
        int r = sd_event_default(&app->event);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGTERM, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGINT, NULL, NULL);
        if (r >= 0)
                r = sd_event_add_signal(app->event, NULL, SIGHUP, on_reload, app);
        if (r >= 0)
                r = sd_event_set_watchdog(app->event, true);
        return r < 0 ? mr_fail_errno(err, -r, NULL, "cannot set up the event loop") : 0;
}

int app_new(const char *config_path, App **ret, MrError *err) {
        _cleanup_(app_freep) App *app = mr_new(App, 1);

        app->config_path = mr_strdup(config_path);
        int r = config_read(config_path, &app->config, err);
        if (r < 0)
                return r;
        log_set_level(log_level_from_name(app->config->log_level));
        for (size_t i = 0; i < mr_tree_size(app->config->notes); i++)
                log_notice(NULL, NULL, "%s", mr_tree_string(mr_tree_at(app->config->notes, i)));
        r = open_loop(app, err);
        if (r >= 0)
                r = open_plugins(app, err);
        if (r >= 0)
                r = open_store(app, err);
        if (r >= 0)
                r = worker_new(app->event, &app->worker, err);
        if (r >= 0)
                r = open_engine(app, err);
        if (r >= 0)
                r = source_new(app->event, app->config->resources, app->registry, app->store,
                               &app->source, err);
        if (r >= 0)
                r = open_servers(app, err);
        if (r < 0)
                return r;
        *ret = TAKE(app);
        return 0;
}

int app_run(App *app, MrError *err) {
        int r = source_scan(app->source, false, err);

        if (r < 0)
                return r;
        engine_kick(app->engine);
        (void) sd_notify(false, "READY=1\nSTATUS=Comparing what should be with what is.");
        log_notice(NULL, MSG_DAEMON_READY, "millraced " MILLRACE_VERSION " is ready, on %s.",
                   app->config->platform);
        r = sd_event_loop(app->event);
        (void) sd_notify(false, "STOPPING=1");
        if (r > 0)
                return mr_fail(err, MR_TRANSIENT, NULL, "it has to be started again");
        return r < 0 ? mr_fail_errno(err, -r, NULL, "the event loop ended") : 0;
}

App *app_free(App *app) {
        if (!app)
                return NULL;
        http_server_free(app->server);
        http_server_free(app->tcp_server);
        api_free(app->api);
        source_free(app->source);
        resources_free(app->resources);
        engine_free(app->engine);
        worker_free(app->worker);
        store_free(app->store);
        registry_free(app->registry);
        plugins_done(&app->plugins);
        sd_event_unref(app->event);
        config_free(app->config);
        free(app->config_path);
        free(app);
        return NULL;
}
