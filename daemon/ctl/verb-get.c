/* millctl get: tables as kubectl prints them, or the objects themselves. */

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/ctl-api.h"
#include "ctl/table.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

/* What is asked for: one kind, and either names or all of it. */
typedef struct Query {
        const MrKind *kind;
        const char *name; /* NULL: all */
        const char *ns;   /* NULL: all namespaces */
        bool is_wide;
        bool has_title; /* several kinds: names are written with their kind */
        size_t n_columns;
} Query;

/* Their values are counted. */
static bool has_data(const MrKind *kind) {
        return kind->is_data && !*kind->group;
}

static const MrColumn *query_columns(const Query *query) {
        static const MrColumn none[] = {{}};

        return query->kind->columns ? query->kind->columns : none;
}

static void add_header(const Query *query, Table *table) {
        if (!query->ns)
                table_add(table, "NAMESPACE");
        table_add(table, "NAME");
        for (const MrColumn *column = query_columns(query); column->name; column++)
                if (!column->wide || query->is_wide)
                        table_add(table, column->name);
        if (has_data(query->kind))
                table_add(table, "DATA");
        table_add(table, "AGE");
}

static char *age_of(const MrTree *object) {
        int64_t created;

        if (time_read(mr_tree_get_string(mr_tree_get(object, "metadata"), "creationTimestamp"),
                      &created) < 0)
                return mr_strdup("<unknown>");
        return age_text(now_realtime_sec() - created);
}

static void add_row(const Query *query, Table *table, const MrTree *object) {
        const MrTree *metadata = mr_tree_get(object, "metadata");
        const char *name = mr_tree_get_string(metadata, "name");
        _cleanup_free_ char *title =
                query->has_title ? kind_title(query->kind, name) : mr_strdup(name);
        _cleanup_free_ char *age = age_of(object);

        if (!query->ns)
                table_add(table, mr_tree_get_string(metadata, "namespace"));
        table_add(table, title);
        for (const MrColumn *column = query_columns(query); column->name; column++) {
                if (column->wide && !query->is_wide)
                        continue;
                _cleanup_free_ char *value = column_value(object, column->path);
                table_add(table, value);
        }
        if (has_data(query->kind)) {
                _cleanup_free_ char *n = mr_strf("%zu", mr_tree_size(mr_tree_get(object, "data")));
                table_add(table, n);
        }
        table_add(table, age);
}

static void table_init_for(const Query *query, Table *table) {
        size_t n = 2 + !query->ns + has_data(query->kind);

        for (const MrColumn *column = query_columns(query); column->name; column++)
                n += !column->wide || query->is_wide;
        table_init(table, n);
        add_header(query, table);
}

static char *query_target(const Ctl *ctl, const Query *query, bool is_watch) {
        bool is_one = query->name && !is_watch;
        _cleanup_free_ char *base = api_target(query->kind, query->ns, is_one ? query->name : NULL);
        MrBuf target = {};

        mr_buf_puts(&target, base);
        if (query->name && is_watch) {
                mr_buf_puts(&target, "?fieldSelector=metadata.name%3D");
                http_encode(query->name, &target);
        } else if (ctl->options.selector) {
                mr_buf_puts(&target, "?labelSelector=");
                http_encode(ctl->options.selector, &target);
        }
        return mr_buf_take(&target);
}

/* Appends what the query yields to `items`; the version to go on from is returned. */
static int fetch(Ctl *ctl, const Query *query, MrTree *items, char **ret_version, MrError *err) {
        _cleanup_free_ char *target = query_target(ctl, query, false);
        _cleanup_(mr_tree_freep) MrTree *answer = NULL;

        int r = api_get(ctl, target, &answer, err);
        if (r < 0)
                return r;
        *ret_version =
                mr_strdup(mr_tree_get_string(mr_tree_get(answer, "metadata"), "resourceVersion"));
        if (query->name) {
                mr_tree_append(items, TAKE(answer));
                return 0;
        }
        const MrTree *list = mr_tree_get(answer, "items");
        for (size_t i = 0; i < mr_tree_size(list); i++)
                mr_tree_append(items, mr_tree_copy(mr_tree_at(list, i)));
        return 0;
}

static void print_event(Ctl *ctl, const Query *query, Table *table, const MrTree *object) {
        if (mr_streq(ctl->options.output, "name")) {
                _cleanup_free_ char *title = kind_title(
                        query->kind, mr_tree_get_string(mr_tree_get(object, "metadata"), "name"));
                fprintf(ctl->out, "%s\n", title);
        } else if (mr_streq(ctl->options.output, "yaml") || mr_streq(ctl->options.output, "json")) {
                _cleanup_buf_ MrBuf text = {};
                if (*ctl->options.output == 'y') {
                        mr_buf_puts(&text, "---\n");
                        mr_yaml_write(object, &text);
                } else {
                        mr_json_write(object, MR_JSON_PRETTY, &text);
                }
                ctl_print(ctl, &text);
        } else {
                add_row(query, table, object);
                table_print(table, ctl->out);
        }
        (void) fflush(ctl->out);
}

static int watch(Ctl *ctl, const Query *query, Table *table, const char *version) {
        _cleanup_free_ char *target = query_target(ctl, query, true);
        _cleanup_(http_client_freep) HttpClient *client = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        (void) fflush(ctl->out);
        int r = api_watch(ctl, target, version, &client, &err);
        while (r >= 0) {
                _cleanup_(mr_tree_freep) MrTree *event = NULL;
                r = api_watch_next(client, -1, &event, &err);
                if (r == 1 && !mr_streq(mr_tree_get_string(event, "type"), "BOOKMARK"))
                        print_event(ctl, query, table, mr_tree_get(event, "object"));
        }
        return r == -ENODATA ? ctl_fail_text(ctl, "millraced has ended the watch")
                             : ctl_fail(ctl, &err);
}

static void print_names(Ctl *ctl, const Query *query, const MrTree *items) {
        for (size_t i = 0; i < mr_tree_size(items); i++) {
                const MrTree *metadata = mr_tree_get(mr_tree_at(items, i), "metadata");
                _cleanup_free_ char *title =
                        kind_title(query->kind, mr_tree_get_string(metadata, "name"));
                fprintf(ctl->out, "%s\n", title);
        }
}

/* Several objects are wrapped in a List, as kubectl does. */
static void print_objects(Ctl *ctl, MrTree *take_items, bool is_single) {
        _cleanup_(mr_tree_freep) MrTree *list = mr_tree_new_map();
        _cleanup_buf_ MrBuf text = {};

        mr_tree_set_string(list, "apiVersion", "v1");
        mr_tree_set_string(list, "kind", "List");
        const MrTree *items = mr_tree_set(list, "items", take_items);
        const MrTree *what = is_single ? mr_tree_at(items, 0) : list;
        if (*ctl->options.output == 'y')
                mr_yaml_write(what, &text);
        else
                mr_json_write(what, MR_JSON_PRETTY, &text);
        ctl_print(ctl, &text);
}

static int run_tables(Ctl *ctl, const Query *query, const MrTree *items, const char *version) {
        _cleanup_table_ Table table = {};

        table_init_for(query, &table);
        for (size_t i = 0; i < mr_tree_size(items); i++)
                add_row(query, &table, mr_tree_at(items, i));
        if (mr_streq(ctl->options.output, "name"))
                print_names(ctl, query, items);
        else if (mr_tree_size(items) > 0 || ctl->options.watch)
                table_print(&table, ctl->out);
        return ctl->options.watch ? watch(ctl, query, &table, version) : CTL_OK;
}

/* Which kinds: "kafka", "kafka,kafkausers", "all", and "kafka/my-cluster". */
typedef struct Kinds {
        const MrKind *items[32];
        size_t n;
} Kinds;

static int read_kinds(Ctl *ctl, const char *text, Kinds *ret, MrError *err) {
        const Registry *registry;

        if (mr_streq(text, "all")) {
                int r = ctl_registry(ctl, &registry, err);
                for (size_t i = 0;
                     r >= 0 && registry_kinds(registry)[i] && ret->n < MR_ELEMENTS(ret->items); i++)
                        if (!registry_kinds(registry)[i]->is_data)
                                ret->items[ret->n++] = registry_kinds(registry)[i];
                return r;
        }
        while (*text && ret->n < MR_ELEMENTS(ret->items)) {
                size_t n = strcspn(text, ",");
                _cleanup_free_ char *name = mr_strndup(text, n);
                int r = ctl_kind(ctl, name, &ret->items[ret->n++], err);
                if (r < 0)
                        return r;
                text += n + (text[n] == ',');
        }
        return 0;
}

/* One kind with one name, or with all. */
static int get_one(Ctl *ctl, const Query *query, MrTree *objects, size_t *ret_found) {
        _cleanup_(mr_tree_freep) MrTree *items = mr_tree_new_list();
        _cleanup_free_ char *version = NULL;
        _cleanup_error_ MrError err = MR_ERROR_INIT;

        if (fetch(ctl, query, items, &version, &err) < 0)
                return ctl_fail(ctl, &err);
        if (objects) {
                for (size_t i = 0; i < mr_tree_size(items); i++)
                        mr_tree_append(objects, mr_tree_copy(mr_tree_at(items, i)));
                *ret_found += mr_tree_size(items);
                return CTL_OK;
        }
        if (query->has_title && *ret_found > 0 && mr_tree_size(items) > 0 &&
            !mr_streq(ctl->options.output, "name"))
                fputc('\n', ctl->out);
        *ret_found += mr_tree_size(items);
        return run_tables(ctl, query, items, version);
}

/* Several names of one kind share a table. */
static int get_names(Ctl *ctl, Query *query, char **names, size_t n, MrTree *objects) {
        _cleanup_(mr_tree_freep) MrTree *items = mr_tree_new_list();
        int code = CTL_OK;

        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *version = NULL;
                _cleanup_error_ MrError err = MR_ERROR_INIT;

                query->name = names[i];
                if (fetch(ctl, query, items, &version, &err) < 0)
                        code = ctl_fail(ctl, &err);
        }
        if (!objects) {
                int r = run_tables(ctl, query, items, NULL);
                return code == CTL_OK ? r : code;
        }
        for (size_t i = 0; i < mr_tree_size(items); i++)
                mr_tree_append(objects, mr_tree_copy(mr_tree_at(items, i)));
        return code;
}

static bool wants_objects(const Ctl *ctl) {
        return !ctl->options.watch &&
               (mr_streq(ctl->options.output, "yaml") || mr_streq(ctl->options.output, "json"));
}

static int get_all(Ctl *ctl, const Kinds *kinds, char **names, size_t n_names) {
        _cleanup_(mr_tree_freep) MrTree *objects = wants_objects(ctl) ? mr_tree_new_list() : NULL;
        size_t n_found = 0;
        int code = CTL_OK;

        for (size_t i = 0; i < kinds->n; i++) {
                Query query = {.kind = kinds->items[i],
                               .name = n_names == 1 ? names[0] : NULL,
                               .ns = ctl->options.all_namespaces ? NULL : api_namespace(ctl),
                               .is_wide = mr_streq(ctl->options.output, "wide"),
                               .has_title = kinds->n > 1};
                int r = n_names > 1 ? get_names(ctl, &query, names, n_names, objects)
                                    : get_one(ctl, &query, objects, &n_found);
                if (r != CTL_OK)
                        code = r;
        }
        if (objects && (code == CTL_OK || mr_tree_size(objects) > 0))
                print_objects(ctl, TAKE(objects), n_names == 1 && kinds->n == 1);
        else if (code == CTL_OK && n_names == 0 && n_found == 0 && !ctl->options.output &&
                 !ctl->options.watch)
                fprintf(ctl->errors, "No resources found%s%s.\n",
                        ctl->options.all_namespaces ? "" : " in namespace ",
                        ctl->options.all_namespaces ? "" : api_namespace(ctl));
        return code;
}

int verb_get(Ctl *ctl) {
        static const char *const formats[] = {"wide", "yaml", "json", "name"};
        Options *options = &ctl->options;
        _cleanup_error_ MrError err = MR_ERROR_INIT;
        Kinds kinds = {};
        bool is_format = !options->output;

        for (size_t i = 0; i < MR_ELEMENTS(formats); i++)
                is_format |= mr_streq(options->output, formats[i]);
        if (!is_format)
                return ctl_misused(ctl, "there is no format %s; use wide, yaml, json or name",
                                   options->output);
        if (options->n_arguments == 0)
                return ctl_misused(ctl, "say what to get: millctl get kafka");
        char **names = options->arguments + 1, *slash = strchr(options->arguments[0], '/');
        size_t n_names = options->n_arguments - 1;
        _cleanup_free_ char *first =
                mr_strndup(options->arguments[0], strcspn(options->arguments[0], "/"));
        if (slash) {
                slash++;
                names = &slash;
                n_names = 1;
        }
        if (options->watch && n_names > 1)
                return ctl_misused(ctl, "watch one name, or all of a kind");
        if (options->all_namespaces && n_names > 0)
                return ctl_misused(ctl, "a name is looked up in one namespace; leave out -A");
        if (read_kinds(ctl, first, &kinds, &err) < 0)
                return ctl_fail(ctl, &err);
        if (options->watch && kinds.n > 1)
                return ctl_misused(ctl, "watch one kind at a time");
        return get_all(ctl, &kinds, names, n_names);
}
