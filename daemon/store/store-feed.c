/* The change feed: who wants to know, and a short memory of what happened. */

#include <errno.h>
#include <string.h>

#include "sdk/alloc.h"
#include "store/store-private.h"

#define HISTORY_EVENTS 1000U
#define HISTORY_BYTES (256U * 1024)

struct FeedItem {
        FeedItem *next;  /* in the queue of pending events */
        FeedItem *newer; /* in the history */
        unsigned n_refs;
        size_t size;
        StoreEvent event; /* its strings are owned */
        char *kind, *ns, *name, *json;
};

struct StoreSubscription {
        Store *store;
        StoreSubscription *next;
        StoreChanged changed; /* NULL: unsubscribed during a delivery, freed after it */
        void *userdata;
};

static void item_unref(FeedItem *item) {
        if (--item->n_refs > 0)
                return;
        free(item->kind);
        free(item->ns);
        free(item->name);
        free(item->json);
        free(item);
}

static FeedItem *item_new(StoreEvent event, char *take_json) {
        FeedItem *item = mr_new(FeedItem, 1);

        item->n_refs = 1;
        item->kind = mr_strdup(event.kind);
        item->ns = mr_strdup(event.ns);
        item->name = mr_strdup(event.name);
        item->json = take_json;
        item->size = sizeof(FeedItem) + (take_json ? strlen(take_json) : 0);
        item->event = event;
        item->event.kind = item->kind;
        item->event.ns = item->ns;
        item->event.name = item->name;
        item->event.json = item->json;
        return item;
}

static void history_drop_oldest(Store *store) {
        FeedItem *oldest = store->history_head;

        store->history_head = oldest->newer;
        if (!store->history_head)
                store->history_tail = NULL;
        store->history_floor = oldest->event.version;
        store->history_size -= oldest->size;
        store->n_history--;
        item_unref(oldest);
}

static void history_add(Store *store, FeedItem *item) {
        item->n_refs++;
        if (store->history_tail)
                store->history_tail->newer = item;
        else
                store->history_head = item;
        store->history_tail = item;
        store->history_size += item->size;
        store->n_history++;
        while (store->n_history > 1 &&
               (store->n_history > HISTORY_EVENTS || store->history_size > HISTORY_BYTES))
                history_drop_oldest(store);
}

static void subscriptions_sweep(Store *store) {
        for (StoreSubscription **at = &store->subscriptions; *at;) {
                StoreSubscription *subscription = *at;

                if (subscription->changed) {
                        at = &subscription->next;
                } else {
                        *at = subscription->next;
                        free(subscription);
                }
        }
}

static void pending_push(Store *store, FeedItem *item) {
        if (store->pending_tail)
                store->pending_tail->next = item;
        else
                store->pending_head = item;
        store->pending_tail = item;
}

static FeedItem *pending_pop(Store *store) {
        FeedItem *item = store->pending_head;

        if (item) {
                store->pending_head = item->next;
                if (!store->pending_head)
                        store->pending_tail = NULL;
        }
        return item;
}

void store_emit(Store *store, StoreEvent event, char *take_json) {
        FeedItem *item = item_new(event, take_json);

        if (item->json)
                history_add(store, item);
        pending_push(store, item);
        if (store->is_delivering)
                return;

        store->is_delivering = true;
        while ((item = pending_pop(store))) {
                for (StoreSubscription *s = store->subscriptions; s; s = s->next)
                        if (s->changed)
                                s->changed(s->userdata, &item->event);
                item_unref(item);
        }
        store->is_delivering = false;
        subscriptions_sweep(store);
}

/* New subscribers go to the end: one made during a delivery also gets the event that is being
 * delivered only when it stands behind, so its owner compares versions. */
StoreSubscription *store_subscribe(Store *store, StoreChanged changed, void *userdata) {
        StoreSubscription *subscription = mr_new(StoreSubscription, 1);
        StoreSubscription **at = &store->subscriptions;

        *subscription =
                (StoreSubscription){.store = store, .changed = changed, .userdata = userdata};
        while (*at)
                at = &(*at)->next;
        *at = subscription;
        return subscription;
}

StoreSubscription *store_unsubscribe(StoreSubscription *subscription) {
        if (!subscription)
                return NULL;
        subscription->changed = NULL;
        if (!subscription->store->is_delivering)
                subscriptions_sweep(subscription->store);
        return NULL;
}

int store_replay(Store *store, int64_t version, StoreChanged changed, void *userdata,
                 MrError *err) {
        if (version < store->history_floor || version > store->version)
                return store_fail(
                        err, ESTALE, MR_CONFLICT,
                        "changes since resource version %lld are not known any more; list again",
                        (long long) version);
        for (FeedItem *item = store->history_head; item; item = item->newer)
                if (item->event.version > version)
                        changed(userdata, &item->event);
        return 0;
}

void store_feed_done(Store *store) {
        while (store->history_head)
                history_drop_oldest(store);
        while (store->subscriptions) {
                StoreSubscription *next = store->subscriptions->next;
                free(store->subscriptions);
                store->subscriptions = next;
        }
}
