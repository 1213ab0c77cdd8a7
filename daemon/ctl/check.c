/* What the checks share. */

#include "ctl/check.h"

#include <stdarg.h>
#include <string.h>

#include "base/file.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define FILE_MAX (1024U * 1024)

void check_done(Check *check) {
        for (size_t i = 0; i < check->n_findings; i++) {
                free(check->findings[i].what);
                free(check->findings[i].advice);
        }
        free(check->findings);
        check->findings = NULL;
        check->config = mr_tree_free(check->config);
        check->n_findings = check->allocated = 0;
}

void check_add(Check *check, CheckLevel level, const char *advice, const char *format, ...) {
        va_list args;
        va_start(args, format);
        char *what = mr_vstrf(format, args);
        va_end(args);
        MR_GROW(check->findings, check->n_findings, check->allocated);
        check->findings[check->n_findings++] =
                (Finding){level, what, mr_strdup(level == CHECK_OK ? NULL : advice)};
}

char *check_read(const Check *check, const char *path) {
        _cleanup_free_ char *full = mr_strf("%s%s", check->root, path);
        MrBuf text = {};

        if (read_file_capped(full, FILE_MAX, &text, NULL) < 0) {
                mr_buf_done(&text);
                return NULL;
        }
        char *content = mr_buf_take(&text);
        size_t n = strlen(content);
        if (n > 0 && content[n - 1] == '\n')
                content[n - 1] = '\0';
        return content;
}

int64_t check_read_int(const Check *check, const char *path) {
        _cleanup_free_ char *text = check_read(check, path);
        int64_t value;

        if (!text)
                return -1;
        text[strcspn(text, " \t\n")] = '\0';
        return mr_parse_int(text, &value) < 0 ? -1 : value;
}

void check_config(Check *check) {
        _cleanup_free_ char *text = check_read(check, CHECK_HOSTD_CONFIG);
        _cleanup_(mr_tree_freep) MrTree *documents = NULL;
        _cleanup_error_ MrError err = {};

        check->config = mr_tree_free(check->config);
        if (!text)
                return;
        if (mr_yaml_read(text, strlen(text), CHECK_HOSTD_CONFIG, &documents, NULL, &err) < 0) {
                _cleanup_free_ char *why = mr_error_text(&err);
                check_add(check, CHECK_FAIL, "mend it: man hostd.yaml", "%s", why);
                return;
        }
        check->config = mr_tree_copy(mr_tree_at(documents, 0));
}

void check_run(Check *check) {
        check_config(check);
        check_system(check);
        check_kernel(check);
        check_memory(check);
        check_java(check);
        check_software(check);
        check_storage(check);
        check_clock(check);
        check_network(check);
}
