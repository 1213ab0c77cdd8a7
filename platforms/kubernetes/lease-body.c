/* What a lease says, and what is to be written into it. Pure. */

#include <string.h>
#include <time.h>

#include "alloc.h"
#include "lease.h"
#include "pace.h"
#include "str.h"

LeaseView lease_view(const MrTree *lease, const LeaseSettings *settings, uint64_t unchanged_usec) {
        const MrTree *spec = mr_tree_get(lease, "spec");
        const char *holder = mr_tree_get_string(spec, "holderIdentity");
        int64_t duration = mr_tree_get_int(spec, "leaseDurationSeconds", settings->duration_sec);

        return (LeaseView){
                .holder = holder,
                .transitions = mr_tree_get_int(spec, "leaseTransitions", 0),
                .is_ours = mr_streq(holder, settings->identity),
                .is_free = mr_is_empty(holder) ||
                           unchanged_usec >= (uint64_t) (duration > 0 ? duration : 0) * SEC,
        };
}

static void set_time(MrTree *spec, const char *key, int64_t usec) {
        time_t sec = (time_t) (usec / (int64_t) SEC);
        char text[32];
        struct tm tm;

        (void) strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&sec, &tm));
        _cleanup_free_ char *whole = mr_strf("%s.%06dZ", text, (int) (usec % (int64_t) SEC));
        mr_tree_set_string(spec, key, whole);
}

MrTree *lease_body(const MrTree *before, const LeaseSettings *settings, int64_t now_usec) {
        MrTree *body = before ? mr_tree_copy(before) : mr_tree_new_map();
        MrTree *metadata = mr_tree_need_map(body, "metadata"),
               *spec = mr_tree_need_map(body, "spec");
        LeaseView view = lease_view(before, settings, 0);

        mr_tree_set_string(body, "apiVersion", "coordination.k8s.io/v1");
        mr_tree_set_string(body, "kind", "Lease");
        mr_tree_set_string(metadata, "name", settings->name);
        mr_tree_set_string(metadata, "namespace", settings->ns);
        mr_tree_remove(metadata, "managedFields");
        if (!view.is_ours) {
                set_time(spec, "acquireTime", now_usec);
                mr_tree_set_int(spec, "leaseTransitions", view.transitions + (before ? 1 : 0));
        }
        mr_tree_set_string(spec, "holderIdentity", settings->identity);
        mr_tree_set_int(spec, "leaseDurationSeconds", settings->duration_sec);
        set_time(spec, "renewTime", now_usec);
        return body;
}
