#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "alloc.h"
#include "lease.h"
#include "platform.h"
#include "str.h"

#define PREFIX MR_IMAGES_PREFIX "LEADER_ELECTION_"
#define DURATION_SEC 15
#define DEADLINE_SEC 10
#define RETRY_SEC 2

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

static char *text_of(const MrTree *section, const char *key, const char *name,
                     const char *fallback) {
        const char *from_variable = variable(name), *from_file = mr_tree_get_string(section, key);

        return mr_strdup(from_variable ? from_variable : from_file ? from_file : fallback);
}

/* Variables are in milliseconds. */
static int seconds_of(const MrTree *section, const char *key, const char *name, int64_t fallback,
                      int64_t *ret, MrError *err) {
        const char *text = variable(name);
        int64_t msec = 0;

        *ret = mr_tree_get_int(section, key, fallback);
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

static char *identity_of(const MrTree *section) {
        char host[256] = "";

        (void) gethostname(host, sizeof(host) - 1);
        return text_of(section, "identity", "IDENTITY", host);
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

int lease_settings_read(const MrTree *config, const char *ns, LeaseSettings *ret, MrError *err) {
        const MrTree *section = mr_tree_get(config, "lease");

        if (!is_wanted(section))
                return 0;
        *ret = (LeaseSettings){
                .ns = text_of(section, "namespace", "LEASE_NAMESPACE", ns),
                .name = text_of(section, "name", "LEASE_NAME", "millrace"),
                .identity = identity_of(section),
        };
        int r = seconds_of(section, "duration_seconds", "LEASE_DURATION_MS", DURATION_SEC,
                           &ret->duration_sec, err);
        if (r >= 0)
                r = seconds_of(section, "renew_deadline_seconds", "RENEW_DEADLINE_MS", DEADLINE_SEC,
                               &ret->deadline_sec, err);
        if (r >= 0)
                r = seconds_of(section, "retry_period_seconds", "RETRY_PERIOD_MS", RETRY_SEC,
                               &ret->retry_sec, err);
        return r < 0 ? r : check(ret, err);
}
