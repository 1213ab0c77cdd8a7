/* Documents from texts, files and directories. */

#include "documents.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "str.h"

void documents_done(Documents *documents) {
        for (size_t i = 0; i < documents->n; i++)
                document_free(documents->items[i]);
        free(documents->items);
        *documents = (Documents){};
}

static int refuse_twice(const Documents *documents, const Document *document, MrError *err) {
        const MrResource *a = &document->resource;

        for (size_t i = 0; i < documents->n; i++) {
                const MrResource *b = &documents->items[i]->resource;
                if (a->kind != b->kind || !mr_streq(a->ns, b->ns) || !mr_streq(a->name, b->name))
                        continue;
                int r = mr_fail(err, MR_INVALID, NULL,
                                "%s %s/%s is in %s:%u already; remove one of the two",
                                a->kind->name, a->ns, a->name,
                                documents->items[i]->source ? documents->items[i]->source
                                                            : "the input",
                                mr_tree_line(b->tree));
                return mr_error_at(err, r, document->source, mr_tree_line(a->tree),
                                   mr_tree_column(a->tree));
        }
        return 0;
}

static void set_namespace(const Registry *registry, MrTree *tree, const char *ns) {
        MrTree *metadata = mr_tree_get(tree, "metadata");
        const char *name = mr_tree_get_string(tree, "kind");
        const MrKind *kind = name ? registry_find(registry, name) : NULL;

        if (kind && kind->is_global)
                return;
        if (ns && mr_tree_type(metadata) == MR_TREE_MAP && !mr_tree_get(metadata, "namespace"))
                mr_tree_set_string(metadata, "namespace", ns);
}

typedef struct Reading {
        const Registry *registry;
        const char *source, *ns;
        Documents *documents;
} Reading;

static int read_one(const Reading *reading, const MrTree *tree, MrError *err) {
        Documents *documents = reading->documents;
        Document *document = NULL;
        MrTree *copy = mr_tree_copy(tree);

        set_namespace(reading->registry, copy, reading->ns);
        int r = document_read(reading->registry, copy, reading->source, &document, err);
        if (r >= 0)
                r = refuse_twice(documents, document, err);
        if (r < 0) {
                document_free(document);
                return r;
        }
        MR_GROW(documents->items, documents->n, documents->allocated);
        documents->items[documents->n++] = document;
        return 0;
}

/* What `kubectl get -o yaml` prints of several: a List, which is its items. */
static bool is_list(const MrTree *tree) {
        return mr_streq(mr_tree_get_string(tree, "apiVersion"), "v1") &&
               mr_streq(mr_tree_get_string(tree, "kind"), "List");
}

static int read_tree(const Reading *reading, const MrTree *tree, MrError *err) {
        const MrTree *items = mr_tree_get(tree, "items");
        int r = 0;

        if (!is_list(tree))
                return read_one(reading, tree, err);
        if (mr_tree_type(items) != MR_TREE_LIST) {
                r = mr_fail(err, MR_INVALID, "items",
                            "a List holds its resources here; write them as elements");
                return mr_error_at(err, r, reading->source, mr_tree_line(items ? items : tree),
                                   mr_tree_column(items ? items : tree));
        }
        for (size_t i = 0; i < mr_tree_size(items) && r >= 0; i++) {
                r = read_one(reading, mr_tree_at(items, i), err);
                if (r < 0)
                        r = mr_error_within(err, r, "items[%zu]", i);
        }
        return r;
}

int documents_read_text(const Registry *registry, const char *text, size_t size, const char *source,
                        const char *ns, Documents *ret, MrError *err) {
        _cleanup_(mr_tree_freep) MrTree *list = NULL, *surprises = mr_tree_new_list();

        int r = mr_yaml_read(text, size, source, &list, surprises, err);
        if (r < 0)
                return r;
        Reading reading = {registry, source, ns, ret};
        for (size_t i = 0; i < mr_tree_size(list) && r >= 0; i++)
                r = read_tree(&reading, mr_tree_at(list, i), err);
        if (r < 0)
                return r;
        /* What YAML 1.1 turned into a boolean is told once, with the first document of the file. */
        for (size_t i = 0; ret->n > 0 && i < mr_tree_size(surprises); i++)
                mr_tree_append(ret->items[ret->n - 1]->warnings,
                               mr_tree_copy(mr_tree_at(surprises, i)));
        return 0;
}

static int read_stdin(MrBuf *out, MrError *err) {
        char chunk[16384];

        for (size_t n; (n = fread(chunk, 1, sizeof(chunk), stdin)) > 0;) {
                mr_buf_append(out, chunk, n);
                if (out->size > MR_DOCUMENT_MAX)
                        return mr_fail(err, MR_INVALID, NULL,
                                       "the input is larger than %u bytes; split it",
                                       MR_DOCUMENT_MAX);
        }
        return ferror(stdin) ? mr_fail_errno(err, EIO, NULL, "cannot read standard input") : 0;
}

static int read_file(const Registry *registry, const char *path, const char *ns, Documents *ret,
                     MrError *err) {
        _cleanup_buf_ MrBuf text = {};

        int r = mr_streq(path, "-") ? read_stdin(&text, err)
                                    : read_file_capped(path, MR_DOCUMENT_MAX, &text, err);
        if (r < 0)
                return r;
        return documents_read_text(registry, mr_buf_text(&text), text.size,
                                   mr_streq(path, "-") ? "<stdin>" : path, ns, ret, err);
}

static int is_document(const struct dirent *entry) {
        return entry->d_name[0] != '.' &&
               (mr_ends_with(entry->d_name, ".yaml") || mr_ends_with(entry->d_name, ".yml") ||
                mr_ends_with(entry->d_name, ".json"));
}

static int read_directory(const Registry *registry, const char *path, const char *ns,
                          Documents *ret, MrError *err) {
        struct dirent **entries;
        int n = scandir(path, &entries, is_document, alphasort), r = 0;

        if (n < 0)
                return mr_fail_errno(err, errno, NULL, "cannot list %s", path);
        if (n == 0)
                r = mr_fail(err, MR_INVALID, NULL,
                            "%s has no file that ends in .yaml, .yml or .json; name the file",
                            path);
        for (int i = 0; i < n; i++) {
                _cleanup_free_ char *file = mr_strf("%s/%s", path, entries[i]->d_name);
                if (r >= 0)
                        r = read_file(registry, file, ns, ret, err);
                free(entries[i]);
        }
        free(entries);
        return r;
}

int documents_read_path(const Registry *registry, const char *path, const char *ns, Documents *ret,
                        MrError *err) {
        struct stat st = {};

        if (mr_streq(path, "-"))
                return read_file(registry, path, ns, ret, err);
        if (stat(path, &st) < 0 && errno == ENOENT) {
                (void) mr_fail(err, MR_INVALID, NULL,
                               "there is no %s; name a file or a directory, or write - for "
                               "standard input",
                               path);
                return -ENOENT;
        }
        if (S_ISDIR(st.st_mode))
                return read_directory(registry, path, ns, ret, err);
        return read_file(registry, path, ns, ret, err);
}
