/* References in the text of parts: "@{what:argument}". A literal "@{" is written "@@{". */

#include <string.h>

#include "part.h"

static int expand_one(const char *start, const char *end, MrResolver resolver, void *userdata,
                      MrBuf *out, MrError *err) {
        _cleanup_free_ char *what = mr_strndup(start, (size_t) (end - start));
        char *colon = strchr(what, ':');

        if (colon)
                *colon = '\0';
        if (strcmp(what, "at") == 0) {
                mr_buf_putc(out, '@');
                return 0;
        }
        return resolver(what, colon ? colon + 1 : "", out, userdata, err);
}

int mr_expand(const char *text, MrResolver resolver, void *userdata, MrBuf *out, MrError *err) {
        bool is_pending = false;

        for (const char *p; (p = strchr(text, '@'));) {
                mr_buf_append(out, text, (size_t) (p - text));
                if (p[1] == '@' && p[2] == '{') {
                        mr_buf_puts(out, "@{");
                        text = p + 3;
                        continue;
                }
                if (p[1] != '{') {
                        mr_buf_putc(out, '@');
                        text = p + 1;
                        continue;
                }
                const char *end = strchr(p, '}');
                if (!end)
                        return mr_fail(err, MR_BUG, NULL, "a reference has no end: %.40s", p);
                int r = expand_one(p + 2, end, resolver, userdata, out, err);
                if (r < 0)
                        return r;
                is_pending = is_pending || r > 0;
                text = end + 1;
        }
        mr_buf_puts(out, text);
        return is_pending;
}
