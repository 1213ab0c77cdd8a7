/* `explain`: what the tables know about a kind or one of its fields, laid out as kubectl users
 * know it. */

#include <string.h>

#include "field.h"
#include "scalar.h"
#include "str.h"

#define LINE_MAX_WIDTH 80U

static const char *short_type(MrType type) {
        switch (type) {
        case MR_TYPE_BOOL:
                return "boolean";
        case MR_TYPE_INT:
                return "integer";
        case MR_TYPE_NUMBER:
                return "number";
        case MR_TYPE_ENUM:
        case MR_TYPE_STRING:
                return "string";
        case MR_TYPE_BYTES:
        case MR_TYPE_MILLI:
                return "quantity";
        case MR_TYPE_OBJECT:
                return "Object";
        case MR_TYPE_LIST:
                return "[]Object";
        case MR_TYPE_STRINGS:
                return "[]string";
        case MR_TYPE_INTS:
                return "[]integer";
        case MR_TYPE_MAP:
                return "map[string]string";
        default:
                return "any";
        }
}

static const char *field_type(const MrField *field) {
        if (field->type != MR_TYPE_TREE)
                return short_type(field->type);
        if (field->flags & MR_ONLY_LIST)
                return "[]any";
        return field->flags & MR_ONLY_MAP || field->fields ? "Object" : "any";
}

/* Breaks text at spaces so that no line is wider than LINE_MAX_WIDTH; each line is indented. */
static void wrap(const char *text, int indent, MrBuf *out) {
        size_t width = 0;

        while (text && *text) {
                text += strspn(text, " \n");
                size_t n = strcspn(text, " \n");
                if (n == 0)
                        break;
                if (width > 0 && width + 1 + n > LINE_MAX_WIDTH) {
                        mr_buf_putc(out, '\n');
                        width = 0;
                }
                if (width == 0) {
                        mr_buf_printf(out, "%*s", indent, "");
                        width = (size_t) indent;
                } else {
                        mr_buf_putc(out, ' ');
                        width++;
                }
                mr_buf_append(out, text, n);
                width += n;
                text += n;
        }
        if (width > 0)
                mr_buf_putc(out, '\n');
}

static void describe_enum(const MrField *field, int indent, MrBuf *out) {
        mr_buf_printf(out, "%*sPossible values:\n", indent, "");
        for (const MrEnum *row = field->values; row->name; row++) {
                _cleanup_buf_ MrBuf line = {};
                mr_buf_printf(&line, "%s%s%s", row->name, row->doc ? ": " : "",
                              row->doc ? row->doc : "");
                wrap(mr_buf_text(&line), indent + 2, out);
        }
}

static void describe_bounds(const MrField *field, int indent, MrBuf *out) {
        const char *what = field->type == MR_TYPE_LIST || field->type == MR_TYPE_STRINGS
                                   ? "Elements"
                                   : "Range";

        if (!field_has_minimum(field))
                return;
        if (field_has_maximum(field))
                mr_buf_printf(out, "%*s%s: %lld to %lld\n", indent, "", what,
                              (long long) field->min, (long long) field->max);
        else
                mr_buf_printf(out, "%*s%s: %lld or more\n", indent, "", what,
                              (long long) field->min);
}

static void describe(const MrField *field, int indent, MrBuf *out) {
        wrap(field->doc ? field->doc : "No description.", indent, out);
        if (field->values)
                describe_enum(field, indent, out);
        describe_bounds(field, indent, out);
        if (field->pattern)
                mr_buf_printf(out, "%*sPattern: %s\n", indent, "", field->pattern);
        if (field->form)
                mr_buf_printf(out, "%*sWritten as %s.\n", indent, "", field->form);
        if (field->fallback)
                mr_buf_printf(out, "%*sDefault: %s\n", indent, "",
                              *field->fallback ? field->fallback : "\"\"");
        if (field->unit)
                mr_buf_printf(out, "%*sUnit: %s\n", indent, "", field->unit);
        if (field->flags & MR_NOT_YET)
                mr_buf_printf(out, "%*sAccepted and kept, but without effect yet.\n", indent, "");
        if (field->flags & MR_OBSOLETE)
                mr_buf_printf(out, "%*sObsolete: accepted, and without effect.\n", indent, "");
        if (field->flags & MR_REFUSED)
                mr_buf_printf(out, "%*sWithout effect: what it belongs to is refused.\n", indent,
                              "");
        if (field->flags & MR_CONCERNS)
                mr_buf_printf(out, "%*sIgnored on platforms that have no such thing.\n", indent,
                              "");
        if (field->flags & MR_DEPRECATED)
                mr_buf_printf(out, "%*sDeprecated: it works, and is reported.\n", indent, "");
        if (field->flags & MR_SECRET)
                mr_buf_printf(out, "%*sSecret: the value is masked wherever it is printed.\n",
                              indent, "");
}

static void list_fields(const MrField *fields, bool recursive, int indent, MrBuf *out) {
        for (const MrField *field = fields; field && field->type != MR_TYPE_NONE; field++) {
                mr_buf_printf(out, "%*s%s\t<%s>%s\n", indent, "", field->name, field_type(field),
                              field->flags & MR_REQUIRED ? " -required-" : "");
                if (recursive)
                        list_fields(field->fields, true, indent + 2, out);
                else {
                        describe(field, indent + 2, out);
                        mr_buf_putc(out, '\n');
                }
        }
}

static void write_head(const MrKind *kind, MrBuf *out) {
        if (*kind->group)
                mr_buf_printf(out, "GROUP:      %s\n", kind->group);
        mr_buf_printf(out, "KIND:       %s\nVERSION:    %s\n\n", kind->name, kind->versions[0]);
}

static void write_field(const MrField *field, bool recursive, MrBuf *out) {
        mr_buf_printf(out, "FIELD: %s <%s>%s\n\nDESCRIPTION:\n", field->name, field_type(field),
                      field->flags & MR_REQUIRED ? " -required-" : "");
        describe(field, 4, out);
        if (!field->fields)
                return;
        mr_buf_puts(out, "\nFIELDS:\n");
        list_fields(field->fields, recursive, 2, out);
}

/* What every resource has around its spec. */
static const MrField *envelope(const MrKind *kind, MrField rows[6]) {
        rows[0] = (MrField){.name = "apiVersion",
                            .type = MR_TYPE_STRING,
                            .flags = MR_REQUIRED,
                            .doc = "Group and version of the schema of this resource."};
        rows[1] = (MrField){.name = "kind",
                            .type = MR_TYPE_STRING,
                            .flags = MR_REQUIRED,
                            .doc = "What this resource is."};
        rows[2] = (MrField){.name = "metadata",
                            .type = MR_TYPE_TREE,
                            .flags = MR_REQUIRED,
                            .doc = "Name, namespace, labels and annotations."};
        rows[3] = (MrField){.name = "spec",
                            .type = MR_TYPE_OBJECT,
                            .fields = kind->spec,
                            .flags = MR_REQUIRED,
                            .doc = "What is wanted."};
        rows[4] = (MrField){.name = "status",
                            .type = MR_TYPE_TREE,
                            .fields = kind->status,
                            .doc = "What was found last. Written by millrace, never by hand."};
        rows[5] = (MrField){};
        return rows;
}

int mr_explain(const MrKind *kind, const char *path, bool recursive, MrBuf *out, MrError *err) {
        MrField rows[6];
        const MrField *fields = kind->is_data ? kind->spec : envelope(kind, rows);

        if (mr_is_empty(path)) {
                write_head(kind, out);
                mr_buf_puts(out, "DESCRIPTION:\n");
                wrap(kind->doc ? kind->doc : "No description.", 4, out);
                mr_buf_puts(out, "\nFIELDS:\n");
                list_fields(fields, recursive, 2, out);
                return 0;
        }
        const MrField *field = mr_field_find(fields, path);
        if (!field)
                return mr_fail(err, MR_INVALID, path,
                               "%s has no such field; `millctl explain %s` lists what it has",
                               kind->name, kind->plural);
        write_head(kind, out);
        write_field(field, recursive, out);
        return 0;
}
