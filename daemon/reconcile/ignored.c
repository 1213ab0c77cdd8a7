#include "ignored.h"

#include <string.h>

#include "str.h"

bool ignored_is_open(const MrTree *warning) {
        return mr_streq(mr_tree_get_string(warning, "reason"), "Concerns");
}

static void add_ignored(const MrTree *warnings, const MrIgnored *ignored, MrTree *ret) {
        _cleanup_buf_ MrBuf message = {};

        for (size_t i = 0; i < mr_tree_size(warnings); i++) {
                const MrTree *warning = mr_tree_at(warnings, i);
                if (ignored_is_open(warning) &&
                    (mr_tree_get_int(warning, "concerns", 0) & (int64_t) ignored->flag))
                        mr_buf_printf(&message, "%s%s", message.size > 0 ? ", " : "",
                                      mr_tree_get_string(warning, "path"));
        }
        if (message.size == 0)
                return;
        mr_buf_printf(&message, " ignored here: %s", ignored->reason);
        MrTree *entry = mr_tree_append(ret, mr_tree_new_map());
        mr_tree_set_string(entry, "reason", "Ignored");
        mr_tree_set_string(entry, "message", mr_buf_text(&message));
}

/* Whether the path leads to, or through, a field of this name. */
static bool has_component(const char *path, const char *name) {
        size_t n = strlen(name);

        for (const char *c = path; c; c = strchr(c, '.')) {
                c += *c == '.';
                if (strncmp(c, name, n) == 0 && (c[n] == '\0' || c[n] == '.' || c[n] == '['))
                        return true;
        }
        return false;
}

const MrExcept *ignored_exception(const MrPlatformOps *platform, const char *path) {
        for (const MrExcept *row = platform->except; row && row->name && path; row++)
                if (has_component(path, row->name))
                        return row;
        return NULL;
}

static void tell_exception(const char *path, const MrTree *warning, const MrExcept *exception,
                           MrTree *ret) {
        MrTree *entry = mr_tree_append(ret, mr_tree_copy(warning));
        _cleanup_free_ char *message =
                exception->reason ? mr_strf("%s is ignored here: %s", path, exception->reason)
                                  : mr_strf("%s has no effect here yet", path);

        mr_tree_remove(entry, "concerns");
        mr_tree_set_string(entry, "reason", exception->reason ? "Ignored" : "NotYet");
        mr_tree_set_string(entry, "message", message);
}

/* What the tables say of a field, unless the platform knows better. */
static void add_told(const MrTree *warning, const MrPlatformOps *platform, MrTree *ret) {
        const char *path = mr_tree_get_string(warning, "path");
        const MrExcept *exception = ignored_exception(platform, path);

        if (!ignored_is_open(warning)) {
                bool is_not_yet = mr_streq(mr_tree_get_string(warning, "reason"), "NotYet");
                if (!(is_not_yet && exception && exception->works))
                        mr_tree_append(ret, mr_tree_copy(warning));
                return;
        }
        if (!exception || exception->works)
                return;
        tell_exception(path, warning, exception, ret);
}

void ignored_warnings(const Document *document, const MrPlatformOps *platform, MrTree *ret) {
        for (size_t i = 0; i < mr_tree_size(document->warnings); i++)
                add_told(mr_tree_at(document->warnings, i), platform, ret);
        for (const MrIgnored *row = platform->ignored; row && row->flag; row++)
                add_ignored(document->warnings, row, ret);
}

void ignored_state(const MrPlatformOps *platform, const char *path, unsigned flags, MrBuf *out) {
        if (!platform || flags & MR_OBSOLETE) {
                mr_buf_puts(out, platform ? "ignored: obsolete" : "next");
                return;
        }
        for (const MrIgnored *row = platform->ignored; row && row->flag; row++)
                if (flags & row->flag) {
                        mr_buf_printf(out, "ignored: %s", row->reason);
                        return;
                }
        const MrExcept *exception = ignored_exception(platform, path);
        if (exception && exception->reason) {
                mr_buf_printf(out, "ignored: %s", exception->reason);
                return;
        }
        bool works = exception ? exception->works : !(flags & MR_NOT_YET);
        mr_buf_puts(out, flags & MR_REFUSED ? "refused" : works ? "works" : "not yet");
}
