/* CustomResourceDefinitions: what an API server needs to know about a kind, from its rows.
 * https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
 */

#include <string.h>

#include "field.h"
#include "scalar.h"
#include "str.h"

static MrTree *schema_of(const MrField *field);

/* --- prose */

static void describe_values(const MrField *field, MrBuf *out) {
        for (const MrEnum *row = field->values; row && row->name; row++)
                if (row->doc)
                        mr_buf_printf(out, " %s: %s", *row->name ? row->name : "\"\"", row->doc);
}

/* What the schema has no words for follows the prose. */
static void describe(const MrField *field, MrTree *schema) {
        _cleanup_buf_ MrBuf text = {};

        mr_buf_puts(&text, field->doc ? field->doc : "");
        describe_values(field, &text);
        if (field->unit)
                mr_buf_printf(&text, " Unit: %s.", field->unit);
        if (field->fallback)
                mr_buf_printf(&text, " Default: %s.", *field->fallback ? field->fallback : "\"\"");
        if (field->flags & MR_NOT_YET)
                mr_buf_puts(&text, " Accepted and kept, but without effect yet.");
        if (field->flags & MR_OBSOLETE)
                mr_buf_puts(&text, " Obsolete: accepted, and without effect.");
        if (field->flags & MR_DEPRECATED)
                mr_buf_puts(&text, " Deprecated.");
        if (text.size > 0)
                mr_tree_set_string(schema, "description",
                                   mr_buf_text(&text) + (*mr_buf_text(&text) == ' '));
}

/* --- scalars */

static MrTree *typed(const char *type) {
        MrTree *schema = mr_tree_new_map();

        mr_tree_set_string(schema, "type", type);
        return schema;
}

static MrTree *number_schema(const MrField *field, const char *type) {
        MrTree *schema = typed(type);

        if (field_has_minimum(field))
                mr_tree_set_int(schema, "minimum", field->min);
        if (field_has_maximum(field))
                mr_tree_set_int(schema, "maximum", field->max);
        return schema;
}

static MrTree *integer_schema(const MrField *field) {
        MrTree *schema = number_schema(field, "integer");

        mr_tree_set_string(schema, "format", "int64");
        return schema;
}

/* A pattern of ours is of the whole text, one of a schema of any part of it. */
static MrTree *string_schema(const MrField *field) {
        MrTree *schema = typed("string");
        const char *pattern = field->pattern;

        if (!pattern)
                return schema;
        if (pattern[0] == '^' && mr_ends_with(pattern, "$") && !strchr(pattern, '|')) {
                mr_tree_set_string(schema, "pattern", pattern);
                return schema;
        }
        _cleanup_free_ char *whole = mr_strf("^(%s)$", pattern);
        mr_tree_set_string(schema, "pattern", whole);
        return schema;
}

static MrTree *enum_schema(const MrField *field) {
        MrTree *schema = typed("string"), *values = mr_tree_need_list(schema, "enum");

        for (const MrEnum *row = field->values; row->name; row++)
                mr_tree_append(values, mr_tree_new_string(row->name));
        return schema;
}

static MrTree *quantity_schema(void) {
        MrTree *schema = mr_tree_new_map();

        mr_tree_set_bool(schema, "x-kubernetes-int-or-string", true);
        return schema;
}

/* --- what holds others */

static MrTree *open_schema(const char *type) {
        MrTree *schema = type ? typed(type) : mr_tree_new_map();

        mr_tree_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
        return schema;
}

static MrTree *list_schema(const MrField *field, MrTree *take_items) {
        MrTree *schema = typed("array");

        if (field->type != MR_TYPE_INTS && field_has_minimum(field))
                mr_tree_set_int(schema, "minItems", field->min);
        if (field->type != MR_TYPE_INTS && field_has_maximum(field))
                mr_tree_set_int(schema, "maxItems", field->max);
        mr_tree_set(schema, "items", take_items);
        return schema;
}

static void add_checks(const MrField *field, MrTree *schema) {
        for (const MrCheck *check = field->checks; check && check->rule; check++) {
                MrTree *list = mr_tree_need_list(schema, "x-kubernetes-validations");
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                mr_tree_set_string(entry, "rule", check->rule);
                mr_tree_set_string(entry, "message", check->message);
        }
}

static MrTree *object_schema(const MrField *fields) {
        MrTree *schema = typed("object");

        for (const MrField *field = fields; field && field->type != MR_TYPE_NONE; field++) {
                if (mr_streq(field->name, "*")) {
                        mr_tree_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
                        continue;
                }
                mr_tree_set(mr_tree_need_map(schema, "properties"), field->name, schema_of(field));
                if (field->flags & MR_REQUIRED)
                        mr_tree_append(mr_tree_need_list(schema, "required"),
                                       mr_tree_new_string(field->name));
        }
        return schema;
}

static MrTree *members_schema(const MrField *field) {
        MrTree *schema = object_schema(field->fields);

        add_checks(field, schema);
        return schema;
}

static MrTree *map_schema(const MrField *field) {
        if (!(field->flags & MR_STRICT))
                return open_schema("object");
        MrTree *schema = typed("object");
        mr_tree_set(schema, "additionalProperties", typed("string"));
        return schema;
}

/* One with rows that need not be a map may be a scalar as well, which a schema cannot say. */
static MrTree *tree_schema(const MrField *field) {
        if (field->fields && field->flags & MR_ONLY_MAP)
                return members_schema(field);
        if (field->flags & MR_ONLY_LIST)
                return list_schema(field, open_schema(NULL));
        return open_schema(field->flags & MR_ONLY_MAP ? "object" : NULL);
}

static MrTree *bare_schema(const MrField *field) {
        switch (field->type) {
        case MR_TYPE_BOOL:
                return typed("boolean");
        case MR_TYPE_INT:
                return integer_schema(field);
        case MR_TYPE_NUMBER:
                return number_schema(field, "number");
        case MR_TYPE_STRING:
                return string_schema(field);
        case MR_TYPE_ENUM:
                return enum_schema(field);
        case MR_TYPE_BYTES:
        case MR_TYPE_MILLI:
                return quantity_schema();
        case MR_TYPE_OBJECT:
                return members_schema(field);
        case MR_TYPE_LIST:
                return list_schema(field, members_schema(field));
        case MR_TYPE_STRINGS:
                return list_schema(field, string_schema(field));
        case MR_TYPE_INTS:
                return list_schema(field, integer_schema(field));
        case MR_TYPE_MAP:
                return map_schema(field);
        default:
                return tree_schema(field);
        }
}

static MrTree *schema_of(const MrField *field) {
        MrTree *schema = bare_schema(field);

        describe(field, schema);
        return schema;
}

/* --- the resource as a whole */

/* As the API's own conditions are: meta/v1 Condition. */
static const MrField condition_rows[] = {
        {.name = "type", .type = MR_TYPE_STRING, .doc = "What the condition is about."},
        {.name = "status", .type = MR_TYPE_STRING, .doc = "True, False or Unknown."},
        {.name = "reason", .type = MR_TYPE_STRING, .doc = "Why, in one word."},
        {.name = "message", .type = MR_TYPE_STRING, .doc = "Why, in sentences."},
        {.name = "lastTransitionTime",
         .type = MR_TYPE_STRING,
         .doc = "When the condition came to be, in UTC."},
        {},
};

/* Always there; each status has its own beside them. */
static const MrField status_rows[] = {
        {.name = "conditions",
         .type = MR_TYPE_LIST,
         .fields = condition_rows,
         .doc = "What is the case now."},
        {.name = "observedGeneration",
         .type = MR_TYPE_INT,
         .doc = "The generation of the resource that this status is about."},
        {},
};

/* A status is open: one that an older or another operator wrote is read and kept. */
static MrTree *status_schema(const MrKind *kind) {
        MrTree *schema = object_schema(status_rows), *own = object_schema(kind->status);
        const MrTree *properties = mr_tree_get(own, "properties");

        for (size_t i = 0; i < mr_tree_size(properties); i++)
                mr_tree_set(mr_tree_need_map(schema, "properties"), mr_tree_key(properties, i),
                            mr_tree_copy(mr_tree_at(properties, i)));
        mr_tree_free(own);
        mr_tree_set_bool(schema, "x-kubernetes-preserve-unknown-fields", true);
        mr_tree_set_string(schema, "description",
                           "What was found last. Written by millrace, never by hand.");
        return schema;
}

static MrTree *root_schema(const MrKind *kind) {
        MrTree *schema = typed("object"), *spec = object_schema(kind->spec);
        MrTree *properties = mr_tree_need_map(schema, "properties");

        mr_tree_set_string(schema, "description", kind->doc);
        mr_tree_append(mr_tree_need_list(schema, "required"), mr_tree_new_string("spec"));
        mr_tree_set(properties, "apiVersion", typed("string"));
        mr_tree_set(properties, "kind", typed("string"));
        mr_tree_set(properties, "metadata", typed("object"));
        mr_tree_set_string(spec, "description", "What is wanted.");
        mr_tree_set(properties, "spec", spec);
        mr_tree_set(properties, "status", status_schema(kind));
        return schema;
}

/* --- columns: "status.conditions[Ready].status" → ".status.conditions[?(@.type=="Ready")].status"
 */

static char *json_path(const char *path) {
        MrBuf out = {};

        mr_buf_putc(&out, '.');
        for (; *path; path++)
                if (*path == '[')
                        mr_buf_puts(&out, "[?(@.type==\"");
                else if (*path == ']')
                        mr_buf_puts(&out, "\")]");
                else
                        mr_buf_putc(&out, *path);
        return mr_buf_take(&out);
}

static const char *column_type(const MrKind *kind, const char *path) {
        const MrField *field = mr_starts_with(path, "spec.")
                                       ? mr_field_find(kind->spec, path + strlen("spec."))
                                       : NULL;

        return field && field->type == MR_TYPE_INT ? "integer" : "string";
}

static void add_columns(const MrKind *kind, MrTree *version) {
        for (const MrColumn *column = kind->columns; column && column->name; column++) {
                MrTree *list = mr_tree_need_list(version, "additionalPrinterColumns");
                MrTree *entry = mr_tree_append(list, mr_tree_new_map());
                _cleanup_free_ char *path = json_path(column->path);
                mr_tree_set_string(entry, "name", column->name);
                mr_tree_set_string(entry, "type", column_type(kind, column->path));
                mr_tree_set_string(entry, "jsonPath", path);
                if (column->wide)
                        mr_tree_set_int(entry, "priority", 1);
        }
}

static void add_path(MrTree *scale, const char *key, const char *path) {
        _cleanup_free_ char *text = json_path(path);

        mr_tree_set_string(scale, key, text);
}

static void add_subresources(const MrKind *kind, MrTree *version) {
        MrTree *subresources = mr_tree_need_map(version, "subresources");

        (void) mr_tree_need_map(subresources, "status");
        if (!kind->scale.wanted)
                return;
        MrTree *scale = mr_tree_need_map(subresources, "scale");
        add_path(scale, "specReplicasPath", kind->scale.wanted);
        add_path(scale, "statusReplicasPath", kind->scale.found);
        add_path(scale, "labelSelectorPath", kind->scale.selector);
}

/* The first version is the one that is stored. */
static void add_versions(const MrKind *kind, MrTree *spec) {
        MrTree *versions = mr_tree_need_list(spec, "versions");

        for (size_t i = 0; kind->versions[i]; i++) {
                MrTree *version = mr_tree_append(versions, mr_tree_new_map());
                mr_tree_set_string(version, "name", kind->versions[i]);
                mr_tree_set_bool(version, "served", true);
                mr_tree_set_bool(version, "storage", i == 0);
                add_subresources(kind, version);
                add_columns(kind, version);
                mr_tree_set(mr_tree_need_map(version, "schema"), "openAPIV3Schema",
                            root_schema(kind));
        }
}

static void add_names(const MrKind *kind, MrTree *spec) {
        MrTree *names = mr_tree_need_map(spec, "names");
        _cleanup_free_ char *list = mr_strf("%sList", kind->name),
                            *singular = mr_strdup(kind->name);

        for (char *c = singular; *c; c++)
                if (*c >= 'A' && *c <= 'Z')
                        *c = (char) (*c - 'A' + 'a');
        mr_tree_set_string(names, "kind", kind->name);
        mr_tree_set_string(names, "listKind", list);
        mr_tree_set_string(names, "plural", kind->plural);
        mr_tree_set_string(names, "singular", singular);
        for (size_t i = 0; kind->short_names && kind->short_names[i]; i++)
                mr_tree_append(mr_tree_need_list(names, "shortNames"),
                               mr_tree_new_string(kind->short_names[i]));
        mr_tree_append(mr_tree_need_list(names, "categories"), mr_tree_new_string("strimzi"));
}

MrTree *mr_crd_new(const MrKind *kind) {
        MrTree *crd = mr_tree_new_map();
        _cleanup_free_ char *name = mr_strf("%s.%s", kind->plural, kind->group);

        mr_tree_set_string(crd, "apiVersion", "apiextensions.k8s.io/v1");
        mr_tree_set_string(crd, "kind", "CustomResourceDefinition");
        MrTree *metadata = mr_tree_need_map(crd, "metadata");
        mr_tree_set_string(metadata, "name", name);
        MrTree *labels = mr_tree_need_map(metadata, "labels");
        mr_tree_set_string(labels, "app", "strimzi");
        mr_tree_set_string(labels, "strimzi.io/crd-install", "true");
        MrTree *spec = mr_tree_need_map(crd, "spec");
        mr_tree_set_string(spec, "group", kind->group);
        add_names(kind, spec);
        mr_tree_set_string(spec, "scope", kind->is_global ? "Cluster" : "Namespaced");
        mr_tree_set_string(mr_tree_need_map(spec, "conversion"), "strategy", "None");
        add_versions(kind, spec);
        return crd;
}
