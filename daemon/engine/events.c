/* A ring of events. */

#include "events.h"

#include "base/clock.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define EVENTS_MAX 1000

typedef struct Event {
        int64_t time;
        char *resource, *node, *type, *reason, *message;
        int64_t count;
} Event;

struct Events {
        Event ring[EVENTS_MAX];
        size_t n; /* how many were ever stored: the newest is ring[(n - 1) % EVENTS_MAX] */
};

Events *events_new(void) {
        return mr_new(Events, 1);
}

static void event_done(Event *event) {
        free(event->resource);
        free(event->node);
        free(event->type);
        free(event->reason);
        free(event->message);
        *event = (Event){};
}

Events *events_free(Events *events) {
        if (!events)
                return NULL;
        for (size_t i = 0; i < EVENTS_MAX; i++)
                event_done(&events->ring[i]);
        free(events);
        return NULL;
}

static Event *newest_of(Events *events, const char *resource) {
        size_t first = events->n > EVENTS_MAX ? events->n - EVENTS_MAX : 0;

        for (size_t i = events->n; i-- > first;)
                if (mr_streq(events->ring[i % EVENTS_MAX].resource, resource))
                        return &events->ring[i % EVENTS_MAX];
        return NULL;
}

void events_add(Events *events, const char *resource, const char *node, const char *type,
                const char *reason, const char *message) {
        Event *last = newest_of(events, resource);

        if (last && mr_streq(last->reason, reason) && mr_streq(last->message, message) &&
            mr_streq(last->node, node)) {
                last->count++;
                last->time = now_realtime_sec();
                return;
        }
        Event *event = &events->ring[events->n++ % EVENTS_MAX];
        event_done(event);
        *event = (Event){
                .time = now_realtime_sec(),
                .resource = mr_strdup(resource),
                .node = mr_strdup(node),
                .type = mr_strdup(type),
                .reason = mr_strdup(reason),
                .message = mr_strdup(message),
                .count = 1,
        };
}

MrTree *events_of(const Events *events, const char *resource) {
        size_t first = events->n > EVENTS_MAX ? events->n - EVENTS_MAX : 0;
        MrTree *list = mr_tree_new_list();

        for (size_t i = first; i < events->n; i++) {
                const Event *event = &events->ring[i % EVENTS_MAX];
                if (!mr_streq(event->resource, resource))
                        continue;
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_int(entry, "time", event->time);
                mr_tree_set_string(entry, "node", event->node);
                mr_tree_set_string(entry, "type", event->type);
                mr_tree_set_string(entry, "reason", event->reason);
                mr_tree_set_string(entry, "message", event->message);
                mr_tree_set_int(entry, "count", event->count);
        }
        return list;
}
