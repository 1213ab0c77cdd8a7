#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "lease.h"
#include "platform.h"
#include "str.h"

#define PREFIX MR_VARIABLE_PREFIX "LEADER_ELECTION_"

const MrField lease_fields[] = {
        MR_STRING("namespace", LeaseSection, ns, .doc = "Where it is; our own namespace without."),
        MR_STRING("name", LeaseSection, name, .fallback = "millrace", .doc = "What it is called."),
        MR_STRING("identity", LeaseSection, identity,
                  .doc = "What this replica is called; as the host is, without."),
        MR_INT("duration_seconds", LeaseSection, duration, .min = 1, .max = 3600, .fallback = "15",
               .unit = "s", .doc = "Not renewed for so long, another replica may take it."),
        MR_INT("renew_deadline_seconds", LeaseSection, deadline, .min = 1, .max = 3600,
               .fallback = "10", .unit = "s",
               .doc = "Not renewed for so long, this replica ends; less than the duration."),
        MR_INT("retry_period_seconds", LeaseSection, retry, .min = 1, .max = 3600, .fallback = "2",
               .unit = "s", .doc = "How often it is renewed or looked at."),
        {},
};

void lease_settings_done(LeaseSettings *settings) {
        free(settings->ns);
        free(settings->name);
        free(settings->identity);
        *settings = (LeaseSettings){};
}

static const char *variable(const char *name) {
        _cleanup_free_ char *whole = mr_strf(PREFIX "%s", name);
        const char *value = getenv(whole);

        return mr_is_empty(value) ? NULL : value;
}

static char *text_of(const char *name, const char *written, const char *fallback) {
        const char *text = variable(name);

        return mr_strdup(text ? text : written ? written : fallback);
}

/* Variables are in milliseconds. */
static int seconds_of(const char *name, int64_t written, int64_t *ret, MrError *err) {
        const char *text = variable(name);
        int64_t msec = 0;

        *ret = written;
        if (!text)
                return 0;
        if (mr_parse_int(text, &msec) < 0 || msec < 1000)
                return mr_fail(err, MR_INVALID, NULL,
                               PREFIX "%s=%s is no number of milliseconds from 1000 on", name,
                               text);
        *ret = msec / 1000;
        return 0;
}

static bool is_wanted(const MrTree *section) {
        const char *text = variable("ENABLED");

        return text ? mr_streq(text, "true") : section != NULL;
}

static int check(const LeaseSettings *settings, MrError *err) {
        if (!settings->ns)
                return mr_fail(err, MR_INVALID, "lease.namespace",
                               "it is not known in which namespace the lease is to be; name it");
        if (settings->retry_sec < 1 || settings->retry_sec >= settings->deadline_sec ||
            settings->deadline_sec >= settings->duration_sec)
                return mr_fail(
                        err, MR_INVALID, "lease",
                        "it must be renewed more often (every %lld s) than we give up (after "
                        "%lld s), and that earlier than others may take it (after %lld s)",
                        (long long) settings->retry_sec, (long long) settings->deadline_sec,
                        (long long) settings->duration_sec);
        return 1;
}

/* Without a section, as one that says nothing. */
static int read_section(const MrTree *section, MrArena *arena, LeaseSection *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *nothing = mr_tree_new_map();

        return mr_decode(lease_fields, section ? section : nothing, arena, ret, NULL, err);
}

int lease_settings_read(const MrTree *config, const char *ns, LeaseSettings *ret, MrError *err) {
        const MrTree *section = mr_tree_get(config, "lease");
        _cleanup_(mr_arena_freep) MrArena *arena = mr_arena_new();
        LeaseSection written = {};
        char host[256] = "";

        if (!is_wanted(section))
                return 0;
        int r = read_section(section, arena, &written, err);
        if (r < 0)
                return mr_error_within(err, r, "lease");
        (void) gethostname(host, sizeof(host) - 1);
        *ret = (LeaseSettings){
                .ns = text_of("LEASE_NAMESPACE", written.ns, ns),
                .name = text_of("LEASE_NAME", written.name, NULL),
                .identity = text_of("IDENTITY", written.identity, host),
        };
        r = seconds_of("LEASE_DURATION_MS", written.duration, &ret->duration_sec, err);
        if (r >= 0)
                r = seconds_of("RENEW_DEADLINE_MS", written.deadline, &ret->deadline_sec, err);
        if (r >= 0)
                r = seconds_of("RETRY_PERIOD_MS", written.retry, &ret->retry_sec, err);
        return r < 0 ? r : check(ret, err);
}
