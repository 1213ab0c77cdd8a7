/* Views: one look at a time, all probes of a resource side by side. */

#include "views.h"

#include <string.h>

#include "base/clock.h"
#include "look.h"
#include "reconcile/settings.h"
#include "sdk/str.h"

/* What the running system has accepted may take a moment to be in force everywhere, and is not
 * altered again in that time. */
#define ACCEPTED_USEC (5 * UINT64_C(1000000))

typedef struct View {
        char *probe;
        MrTree *tree; /* NULL: never seen */
        Look *look;   /* under way */
        Views *views; /* weak */
} View;

struct Views {
        sd_event *event;
        void (*changed)(void *userdata);
        void *userdata;
        View *items[8]; /* pointers: looks refer to them */
        size_t n;
        size_t n_looking;
        uint64_t since, looking_since;
        Alteration *alteration;
        char *accepted_by; /* probe */
        MrTree *accepted;  /* "SCOPE/KEY" → value */
        uint64_t accepted_usec;
        ViewsAltered altered;
        void *altered_userdata;
};

Views *views_new(sd_event *event, void (*changed)(void *userdata), void *userdata) {
        Views *views = mr_new(Views, 1);

        views->event = event;
        views->changed = changed;
        views->userdata = userdata;
        return views;
}

static void view_free(View *view) {
        look_free(view->look);
        mr_tree_free(view->tree);
        free(view->probe);
        free(view);
}

Views *views_free(Views *views) {
        if (!views)
                return NULL;
        for (size_t i = 0; i < views->n; i++)
                view_free(views->items[i]);
        alteration_free(views->alteration);
        mr_tree_free(views->accepted);
        free(views->accepted_by);
        free(views);
        return NULL;
}

bool views_are_looking(const Views *views) {
        return views->n_looking > 0;
}

uint64_t views_since(const Views *views) {
        return views->since;
}

bool views_are_outdated(const Views *views) {
        return views->n > 0 && views->since == 0;
}

void views_clear(Views *views) {
        for (size_t i = 0; i < views->n; i++)
                view_free(views->items[i]);
        views->n = 0;
        views->n_looking = 0;
        views->since = 0;
}

void views_add_facts(const Views *views, MrFacts *facts) {
        for (size_t i = 0; i < views->n; i++)
                if (views->items[i]->tree)
                        facts_set_view(facts, views->items[i]->probe, views->items[i]->tree);
}

static View *view_for(Views *views, const char *probe) {
        for (size_t i = 0; i < views->n; i++)
                if (mr_streq(views->items[i]->probe, probe))
                        return views->items[i];
        if (views->n == MR_ELEMENTS(views->items))
                return NULL;
        View *view = views->items[views->n++] = mr_new(View, 1);
        view->probe = mr_strdup(probe);
        view->views = views;
        return view;
}

static void seen(void *userdata, MrTree *take_tree) {
        View *view = userdata;
        Views *views = view->views;

        view->look = look_free(view->look);
        mr_tree_free(view->tree);
        view->tree = take_tree;
        if (mr_streq(view->probe, views->accepted_by) &&
            views->looking_since < views->accepted_usec + ACCEPTED_USEC)
                mr_tree_set(view->tree, "accepted", mr_tree_copy(views->accepted));
        if (--views->n_looking > 0)
                return;
        views->since = views->looking_since;
        views->changed(views->userdata);
}

static bool is_asked_for(const MrProbes *probes, const char *probe) {
        for (size_t i = 0; i < probes->n; i++)
                if (mr_streq(probes->items[i].name, probe))
                        return true;
        return false;
}

/* What is looked at no more is not known any more. */
static void forget_others(Views *views, const MrProbes *probes) {
        size_t n = 0;

        for (size_t i = 0; i < views->n; i++) {
                View *view = views->items[i];
                if (is_asked_for(probes, view->probe))
                        views->items[n++] = view;
                else
                        view_free(view);
        }
        views->n = n;
}

void views_look(Views *views, const MrProbes *probes, const MrManifests *wanted,
                const MrFacts *facts) {
        if (views->n_looking > 0)
                return;
        views->looking_since = now_usec();
        forget_others(views, probes);
        for (size_t i = 0; i < probes->n; i++) {
                const MrProbe *probe = &probes->items[i];
                View *view = view_for(views, probe->name);
                _cleanup_error_ MrError err = {};
                if (!view)
                        continue;
                if (look_new(views->event, probe, wanted, facts, seen, view, &view->look, &err) >=
                    0) {
                        views->n_looking++;
                        continue;
                }
                mr_tree_free(view->tree);
                view->tree = mr_tree_new_map();
                mr_tree_set_string(view->tree, "error", err.message);
        }
}

static void altered(void *userdata, int r, const MrError *err) {
        static const char *const parts[] = {"configs",  "loggers", "quotas",
                                            "features", "voters",  "registrations"};
        Views *views = userdata;
        ViewsAltered done = views->altered;

        views->alteration = alteration_free(views->alteration);
        views->accepted_usec = r < 0 ? 0 : now_usec();
        /* What was read back before is out of date, and must not be altered a second time. */
        views->since = 0;
        for (size_t i = 0; i < views->n; i++) {
                View *view = views->items[i];
                for (size_t k = 0; k < MR_ELEMENTS(parts); k++)
                        mr_tree_remove(view->tree, parts[k]);
                if (mr_streq(view->probe, "tls"))
                        view->tree = mr_tree_free(view->tree);
        }
        done(views->altered_userdata, r, err);
}

static void remember(Views *views, const char *probe, const MrSetting *settings, size_t n) {
        free(views->accepted_by);
        views->accepted_by = mr_strdup(probe);
        mr_tree_free(views->accepted);
        views->accepted = mr_tree_new_map();
        views->accepted_usec = 0;
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *name = settings_name(&settings[i]);
                mr_tree_set(views->accepted, name, NULL);
                mr_tree_set_string(views->accepted, name, settings[i].value);
        }
}

int views_alter(Views *views, const MrProbe *probe, const MrManifests *wanted, const MrFacts *facts,
                const MrSetting *settings, size_t n, ViewsAltered done, void *userdata,
                MrError *err) {
        if (views->alteration)
                return mr_fail(err, MR_BUG, NULL, "settings are being altered already");
        remember(views, probe->name, settings, n);
        views->altered = done;
        views->altered_userdata = userdata;
        return alteration_new(views->event, probe, wanted, facts, settings, n, altered, views,
                              &views->alteration, err);
}
