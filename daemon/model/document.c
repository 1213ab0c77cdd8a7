/* From a document to a decoded, valid resource. */

#include <string.h>

#include "registry.h"
#include "str.h"

Document *document_free(Document *document) {
        if (!document)
                return NULL;
        mr_tree_free(document->tree);
        mr_tree_free(document->warnings);
        mr_arena_free(document->arena);
        free(document->sections);
        free(document->source);
        free(document);
        return NULL;
}

bool document_is_resource(const MrTree *tree) {
        return mr_tree_get_string(tree, "apiVersion") && mr_tree_get_string(tree, "kind");
}

/* Text from outside is shown in quotes, on one line, and cut. */
static int _printf_(4, 5)
        fail_quoted(MrError *err, const char *field, const char *text, const char *format, ...) {
        _cleanup_buf_ MrBuf quoted = {};
        va_list args;

        mr_text_quote(text, &quoted);
        va_start(args, format);
        _cleanup_free_ char *rest = mr_vstrf(format, args);
        va_end(args);
        return mr_fail(err, MR_INVALID, field, "%s %s", mr_buf_text(&quoted), rest);
}

static int read_kind(const Registry *registry, Document *document, MrError *err) {
        const char *api_version = mr_tree_get_string(document->tree, "apiVersion");
        const char *name = mr_tree_get_string(document->tree, "kind");

        if (!api_version || !name)
                return mr_fail(err, MR_INVALID, api_version ? "kind" : "apiVersion",
                               "is missing; every document starts with apiVersion and kind");
        const MrKind *kind = registry_find(registry, name);
        if (!kind)
                return fail_quoted(err, "kind", name,
                                   "is not known; 'millctl explain' lists the kinds");
        if (!mr_streq(kind->name, name))
                return mr_fail(err, MR_INVALID, "kind", "\"%s\" is not how it is spelled; write %s",
                               name, kind->name);
        const char *slash = *kind->group ? "/" : "";
        for (size_t i = 0; kind->versions[i]; i++) {
                _cleanup_free_ char *served =
                        mr_strf("%s%s%s", kind->group, slash, kind->versions[i]);
                if (!mr_streq(served, api_version))
                        continue;
                document->resource.kind = kind;
                document->resource.api_version = api_version;
                return 0;
        }
        return fail_quoted(err, "apiVersion", api_version, "is no version of %s; write %s%s%s",
                           name, kind->group, slash, kind->versions[0]);
}

static int read_texts(Document *document, const MrTree *map, const char *field, MrPairs *ret,
                      MrError *err) {
        if (map && mr_tree_type(map) != MR_TREE_MAP && mr_tree_type(map) != MR_TREE_NULL)
                return mr_fail(err, MR_INVALID, field,
                               "must be a map of texts, is %s; write key: \"value\" lines",
                               mr_tree_type_name(mr_tree_type(map)));
        for (size_t i = 0; i < mr_tree_size(map); i++) {
                const char *value = mr_tree_string(mr_tree_at(map, i));
                if (!value) {
                        _cleanup_buf_ MrBuf path = {};
                        mr_buf_puts(&path, field);
                        mr_tree_path_key(&path, mr_tree_key(map, i));
                        return mr_fail(err, MR_INVALID, mr_buf_text(&path),
                                       "must be a string, is %s; put the value in quotes",
                                       mr_tree_type_name(mr_tree_type(mr_tree_at(map, i))));
                }
                mr_pairs_set(document->arena, ret, mr_tree_key(map, i), value);
        }
        return 0;
}

/* RFC 4122 text from what identifies the resource. */
static const char *derived_uid(Document *document) {
        const MrResource *resource = &document->resource;
        _cleanup_free_ char *key =
                mr_resource_key(resource->kind->name, resource->ns, resource->name);
        char digest[MR_DIGEST_MAX];

        mr_digest(key, strlen(key), digest);
        return mr_arena_strf(document->arena, "%.8s-%.4s-4%.3s-a%.3s-%.12s", digest, digest + 8,
                             digest + 13, digest + 17, digest + 20);
}

static int read_name(const MrTree *metadata, const char *field, size_t longest, const char **ret,
                     MrError *err) {
        const MrTree *tree = mr_tree_get(metadata, field);
        const char *name = mr_tree_string(tree);

        if (!tree && *ret)
                return 0;
        if (!tree)
                return mr_fail(err, MR_INVALID, field, "is missing; give the resource a name");
        if (!name)
                return mr_fail(err, MR_INVALID, field, "must be a string, is %s; put it in quotes",
                               mr_tree_type_name(mr_tree_type(tree)));
        if (!mr_is_object_name(name) || strlen(name) > longest)
                return fail_quoted(err, field, name,
                                   "is not a name; use at most %zu lower-case letters, digits, '-' "
                                   "and '.', a letter or digit at both ends",
                                   longest);
        *ret = name;
        return 0;
}

/* What is part of something else would go unseen without its label. */
static int check_owner(const MrResource *resource, MrError *err) {
        const MrKind *kind = resource->kind;

        if (!kind->owner_label || !mr_is_empty(mr_pairs_get(&resource->labels, kind->owner_label)))
                return 0;
        return mr_fail(err, MR_INVALID, "labels",
                       "a %s belongs to a %s; add the label %s with its name", kind->name,
                       kind->owner_kind, kind->owner_label);
}

static int read_metadata(Document *document, MrError *err) {
        const MrTree *metadata = mr_tree_get(document->tree, "metadata");
        MrResource *resource = &document->resource;

        if (mr_tree_type(metadata) != MR_TREE_MAP)
                return mr_fail(err, MR_INVALID, NULL, "is missing; write metadata with a name");
        resource->ns = "default";
        /* Names of nodes, files and units are made of it, so it is shorter than Kubernetes allows.
         */
        int r = read_name(metadata, "name", 200, &resource->name, err);
        const char *ns = mr_tree_get_string(metadata, "namespace");
        if (r >= 0 && resource->kind->is_global && ns && !mr_streq(ns, resource->ns))
                r = mr_fail(err, MR_INVALID, "namespace",
                            "a %s belongs to no namespace; remove this line", resource->kind->name);
        if (r >= 0)
                r = read_name(metadata, "namespace", 63, &resource->ns, err);
        if (r >= 0)
                r = read_texts(document, mr_tree_get(metadata, "labels"), "labels",
                               &resource->labels, err);
        if (r >= 0)
                r = read_texts(document, mr_tree_get(metadata, "annotations"), "annotations",
                               &resource->annotations, err);
        if (r < 0)
                return r;
        r = check_owner(resource, err);
        if (r < 0)
                return r;
        const char *uid = mr_tree_get_string(metadata, "uid");
        resource->uid = uid ? uid : derived_uid(document);
        resource->generation = mr_tree_get_int(metadata, "generation", 1);
        resource->is_deleted = mr_tree_get_string(metadata, "deletionTimestamp") != NULL;
        return 0;
}

/* A kind of data is all spec, and has none. */
static int read_data(Document *document, MrError *err) {
        const MrKind *kind = document->resource.kind;
        void *data = mr_arena_alloc(document->arena, kind->spec_size);

        int r = mr_decode(kind->spec, document->tree, document->arena, data, document->warnings,
                          err);
        if (r < 0)
                return r;
        document->resource.spec = data;
        return kind->rule ? kind->rule(data, err) : 0;
}

static int read_spec(Document *document, MrError *err) {
        const MrKind *kind = document->resource.kind;
        const MrTree *tree = mr_tree_get(document->tree, "spec");
        void *spec = mr_arena_alloc(document->arena, kind->spec_size);

        if (!tree)
                return mr_fail(err, MR_INVALID, NULL,
                               "is missing; 'millctl explain %s.spec' shows what belongs there",
                               kind->name);
        int r = mr_decode(kind->spec, tree, document->arena, spec, document->warnings, err);
        if (r < 0)
                return r;
        document->resource.spec = spec;
        return kind->rule ? kind->rule(spec, err) : 0;
}

static int read_section(Document *document, const MrSection *section, const void **ret,
                        MrError *err) {
        const MrTree *tree = mr_tree_get(mr_tree_get(document->tree, "spec"), section->field);

        if (!mr_streq(section->kind, document->resource.kind->name) || !tree ||
            mr_tree_type(tree) == MR_TREE_NULL)
                return 0;
        void *object = mr_arena_alloc(document->arena, section->size);
        size_t n = mr_tree_size(document->warnings);
        int r = mr_decode(section->fields, tree, document->arena, object, document->warnings, err);
        if (r >= 0 && section->rule)
                r = section->rule(object, err);
        /* Warnings of the section are relative to it. */
        for (; n < mr_tree_size(document->warnings); n++) {
                MrTree *warning = mr_tree_at(document->warnings, n);
                _cleanup_free_ char *path =
                        mr_strf("%s.%s", section->field, mr_tree_get_string(warning, "path"));
                mr_tree_set_string(warning, "path", path);
        }
        if (r < 0)
                return mr_error_within(err, r, "%s", section->field);
        *ret = object;
        return 0;
}

static int read_sections(const Registry *registry, Document *document, MrError *err) {
        document->sections = mr_new(const void *, registry_operands(registry));
        for (size_t i = 0; i < registry_operands(registry); i++) {
                const MrOperandOps *ops = registry_operand_at(registry, i);
                int r = ops->section
                                ? read_section(document, ops->section, &document->sections[i], err)
                                : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

static void warn_about_unknown(Document *document) {
        static const char *const known[] = {"apiVersion", "kind", "metadata", "spec", "status"};

        for (size_t i = 0; i < mr_tree_size(document->tree); i++) {
                const char *key = mr_tree_key(document->tree, i);
                const MrTree *value = mr_tree_at(document->tree, i);
                bool is_known = false;
                for (size_t k = 0; k < MR_ELEMENTS(known); k++)
                        is_known = is_known || mr_streq(key, known[k]);
                if (is_known)
                        continue;
                MrTree *warning = mr_tree_append(document->warnings, mr_tree_new_map());
                mr_tree_set_string(warning, "path", key);
                mr_tree_set_string(warning, "reason", "UnknownField");
                mr_tree_set_string(warning, "message", "is not a field of a resource; remove it");
                mr_tree_set_int(warning, "line", mr_tree_line(value));
                mr_tree_set_int(warning, "column", mr_tree_column(value));
        }
}

/* All stations on the way in; each adds where it was. */
static int read_all(const Registry *registry, Document *document, MrError *err) {
        if (mr_tree_type(document->tree) != MR_TREE_MAP)
                return mr_fail(err, MR_INVALID, NULL,
                               "a resource is a map, this is %s; start with apiVersion and kind",
                               mr_tree_type_name(mr_tree_type(document->tree)));
        int r = read_kind(registry, document, err);
        if (r < 0)
                return r;
        r = read_metadata(document, err);
        if (r < 0)
                return mr_error_within(err, r, "metadata");
        if (document->resource.kind->is_data) {
                document->sections = mr_new(const void *, registry_operands(registry));
                return read_data(document, err);
        }
        size_t n = mr_tree_size(document->warnings);
        r = read_spec(document, err);
        if (r >= 0)
                r = read_sections(registry, document, err);
        for (; n < mr_tree_size(document->warnings); n++) {
                MrTree *warning = mr_tree_at(document->warnings, n);
                _cleanup_free_ char *path = mr_strf("spec.%s", mr_tree_get_string(warning, "path"));
                mr_tree_set_string(warning, "path", path);
        }
        if (r < 0)
                return mr_error_within(err, r, "spec");
        warn_about_unknown(document);
        return 0;
}

int document_read(const Registry *registry, MrTree *take_tree, const char *source, Document **ret,
                  MrError *err) {
        _cleanup_(document_freep) Document *document = mr_new(Document, 1);

        document->tree = take_tree;
        document->arena = mr_arena_new();
        document->warnings = mr_tree_new_list();
        document->source = mr_strdup(source);
        document->resource.tree = take_tree;
        int r = read_all(registry, document, err);
        if (r < 0) {
                /* Rules know the path only; the document knows where that is. */
                const MrTree *place =
                        err && err->path ? mr_tree_find(take_tree, err->path, true) : take_tree;
                bool has_place = err && err->line > 0;
                return mr_error_at(err, r, source, has_place ? 0 : mr_tree_line(place),
                                   mr_tree_column(place));
        }
        *ret = TAKE(document);
        return 0;
}

const void *document_spec_for(const Registry *registry, const Document *document, size_t operand) {
        const MrOperandOps *ops = registry_operand_at(registry, operand);

        for (size_t i = 0; ops->kinds && ops->kinds[i]; i++)
                if (ops->kinds[i] == document->resource.kind)
                        return document->resource.spec;
        return document->sections[operand];
}
