#include "ctl/reference.h"

#include <ctype.h>
#include <string.h>

#include "reconcile/ignored.h"
#include "schema/scalar.h"
#include "sdk/str.h"

typedef struct Page {
        const Registry *registry;
        const Plugins *plugins;
        ReferenceFormat format;
        MrBuf *out;
} Page;

/* Text of a table as text of the page: roff takes a backslash, a hyphen, and a dot at the beginning
 * of a line as its own, Markdown the marks of emphasis, tables and tags. */
static void put_text(const Page *page, const char *text) {
        const char *special = page->format == REFERENCE_MAN ? "\\-" : "\\*_<>|[]";

        if (page->format == REFERENCE_MAN && (*text == '.' || *text == '\''))
                mr_buf_puts(page->out, "\\&");
        for (; *text; text++) {
                if (page->format == REFERENCE_MAN && *text == '\\')
                        mr_buf_puts(page->out, "\\e");
                else if (strchr(special, *text)) {
                        mr_buf_putc(page->out, '\\');
                        mr_buf_putc(page->out, *text);
                } else
                        mr_buf_putc(page->out, *text);
        }
}

/* A paragraph, in roff with a sentence on each line. */
static void put_sentences(const Page *page, const char *text) {
        while (text && *text) {
                const char *end = strstr(text, ". ");
                size_t n = end && page->format == REFERENCE_MAN ? (size_t) (end + 1 - text)
                                                                : strlen(text);
                _cleanup_free_ char *sentence = mr_strndup(text, n);
                put_text(page, sentence);
                mr_buf_putc(page->out, '\n');
                text += n + (text[n] == ' ');
        }
}

static void put_code(const Page *page, const char *text) {
        if (page->format == REFERENCE_MAN)
                put_text(page, text);
        else
                mr_buf_printf(page->out, "`%s`", text);
}

static const char *type_name(const MrField *field) {
        if (field->type != MR_TYPE_TREE)
                return mr_type_name(field->type);
        if (field->flags & MR_ONLY_LIST)
                return "list";
        return field->flags & MR_ONLY_MAP || field->fields ? "object" : "anything";
}

static void put_bounds(const Page *page, const MrField *field) {
        bool is_length = field->type == MR_TYPE_LIST || field->type == MR_TYPE_STRINGS;
        const char *unit = is_length ? " elements" : "";

        if (!field_has_minimum(field))
                return;
        if (field_has_maximum(field))
                mr_buf_printf(page->out, ", %lld to %lld%s", (long long) field->min,
                              (long long) field->max, unit);
        else
                mr_buf_printf(page->out, ", at least %lld%s", (long long) field->min, unit);
}

static void put_facts(const Page *page, const MrField *field) {
        mr_buf_puts(page->out, page->format == REFERENCE_MAN ? "Type: " : "- Type: ");
        mr_buf_puts(page->out, type_name(field));
        put_bounds(page, field);
        if (field->unit)
                mr_buf_printf(page->out, ", in %s", field->unit);
        if (field->flags & MR_REQUIRED)
                mr_buf_puts(page->out, ", required");
        if (field->flags & MR_SECRET)
                mr_buf_puts(page->out, ", never printed");
        if (field->flags & MR_DEPRECATED)
                mr_buf_puts(page->out, ", deprecated");
        mr_buf_puts(page->out, ".\n");
        if (field->pattern) {
                mr_buf_puts(page->out, page->format == REFERENCE_MAN ? "Pattern: " : "- Pattern: ");
                put_code(page, field->pattern);
                mr_buf_putc(page->out, '\n');
        }
        if (field->fallback) {
                mr_buf_puts(page->out, page->format == REFERENCE_MAN ? "Default: " : "- Default: ");
                put_code(page, *field->fallback ? field->fallback : "\"\"");
                mr_buf_puts(page->out, ".\n");
        }
}

static void put_values(const Page *page, const MrField *field) {
        for (const MrEnum *row = field->values; row && row->name; row++) {
                mr_buf_puts(page->out, page->format == REFERENCE_MAN ? "" : "- ");
                put_code(page, *row->name ? row->name : "\"\"");
                mr_buf_puts(page->out, ": ");
                put_text(page, row->doc ? row->doc : "");
                mr_buf_putc(page->out, '\n');
                if (page->format == REFERENCE_MAN)
                        mr_buf_puts(page->out, ".br\n");
        }
}

static void put_states(const Page *page, const char *path, unsigned flags) {
        static const char *const platforms[][2] = {
                {"rhel-baremetal", "hosts"},
                {"kubernetes", "Kubernetes"},
                {"openshift", "OpenShift"},
        };

        mr_buf_puts(page->out, page->format == REFERENCE_MAN ? "State: " : "- State: ");
        for (size_t i = 0; i < MR_ELEMENTS(platforms); i++) {
                const MrPlugin *plugin = plugins_find_platform(page->plugins, platforms[i][0]);
                _cleanup_buf_ MrBuf state = {};
                ignored_state(plugin ? plugin->platform : NULL, path, flags, &state);
                mr_buf_printf(page->out, "%s%s ", i > 0 ? "; " : "", platforms[i][1]);
                put_text(page, mr_buf_text(&state));
        }
        mr_buf_puts(page->out, ".\n");
}

static void put_field(void *userdata, const MrKind *kind _unused_, const char *path,
                      const MrField *field, unsigned flags) {
        const Page *page = userdata;

        if (page->format == REFERENCE_MAN) {
                mr_buf_puts(page->out, ".It Sy ");
                put_text(page, path);
                mr_buf_putc(page->out, '\n');
        } else
                mr_buf_printf(page->out, "### `%s`\n\n", path);
        put_sentences(page, field->doc ? field->doc : "");
        mr_buf_puts(page->out, page->format == REFERENCE_MAN ? ".Pp\n" : "\n");
        put_values(page, field);
        put_facts(page, field);
        put_states(page, path, flags);
        if (page->format == REFERENCE_MARKDOWN)
                mr_buf_putc(page->out, '\n');
}

static void put_versions(const Page *page, const MrKind *kind) {
        for (size_t i = 0; kind->versions[i]; i++) {
                _cleanup_free_ char *version =
                        mr_strf("%s%s%s", kind->group, *kind->group ? "/" : "", kind->versions[i]);
                mr_buf_puts(page->out, i > 0 ? ", " : "");
                put_code(page, version);
        }
}

#define STATES                                                                                     \
        "Where a platform ignores a field, the field is checked and kept, and the resource says "  \
        "so once in its status. A field that is not yet supported is treated alike."

static void write_markdown(Page *page, const MrKind *kind) {
        mr_buf_printf(page->out, "# %s\n\n", kind->name);
        put_sentences(page, kind->doc);
        mr_buf_puts(page->out, "\n`apiVersion`: ");
        put_versions(page, kind);
        mr_buf_puts(page->out, ". All versions have the same fields.\n\n## Fields\n\n");
        put_sentences(page, STATES);
        mr_buf_putc(page->out, '\n');
        registry_walk(page->registry, kind, put_field, page);
}

static void write_man(Page *page, const MrKind *kind) {
        _cleanup_free_ char *name = mr_strdup(kind->name), *title = mr_strdup(kind->name);

        for (size_t i = 0; name[i]; i++) {
                name[i] = (char) tolower((unsigned char) name[i]);
                title[i] = (char) toupper((unsigned char) title[i]);
        }
        mr_buf_printf(page->out,
                      ".Dd November 23, 2026\n.Dt MILLRACE-%s 5\n.Os millrace\n.Sh NAME\n"
                      ".Nm millrace-%s\n.Nd fields of the kind %s\n.Sh DESCRIPTION\n",
                      title, name, kind->name);
        put_sentences(page, kind->doc);
        mr_buf_puts(page->out, ".Pp\napiVersion: ");
        put_versions(page, kind);
        mr_buf_puts(page->out, ".\nAll versions have the same fields.\n.Sh FIELDS\n");
        put_sentences(page, STATES);
        mr_buf_puts(page->out, ".Bl -tag -width Ds\n");
        registry_walk(page->registry, kind, put_field, page);
        mr_buf_puts(page->out, ".El\n.Sh SEE ALSO\n.Xr millctl 1 ,\n.Xr millraced 8\n");
}

void reference_write(const Registry *registry, const Plugins *plugins, const MrKind *kind,
                     ReferenceFormat format, MrBuf *out) {
        Page page = {.registry = registry, .plugins = plugins, .format = format, .out = out};

        if (format == REFERENCE_MAN)
                write_man(&page, kind);
        else
                write_markdown(&page, kind);
}
