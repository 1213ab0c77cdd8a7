#pragma once

/* One change of one resource, for the files that make them. */

#include "store/store-resources.h"

typedef struct Write {
        StoreChange change;
        const char *source;
        bool is_status_only;
        bool is_lazy;   /* store_begin_lazy() */
        MrTree *object; /* complete but for version and generation; owned */
        int64_t generation;
} Write;

void write_done(Write *write);
#define _cleanup_write_ _cleanup_(write_done)

/* Writes, commits, tells. `ret` may be NULL. */
int write_commit(Store *store, Write *write, StoreResource *ret, MrError *err);
/* 1 found, 0 absent. */
int write_find(Store *store, const ObjectKey *key, StoreResource *ret, MrError *err);
/* Marks it as deleted: 1, or 0 when it is already. */
int write_deletion(Store *store, StoreResource *stored, MrError *err);
