/* Runs a fuzz target over the files of its corpus, so that each input that was ever interesting
 * stays a test. The fuzzing engine itself brings a main of its own. */

#include <dirent.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "sdk/alloc.h"
#include "sdk/str.h"

#define INPUT_MAX (8U * 1024 * 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay(const char *directory, const char *name) {
        _cleanup_free_ char *path = mr_strf("%s/%s", directory, name);
        _cleanup_error_ MrError err = {};
        _cleanup_buf_ MrBuf input = {};

        if (read_file_capped(path, INPUT_MAX, &input, &err) < 0) {
                printf("not ok %s: %s\n", name, err.message);
                return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *) mr_buf_text(&input), input.size);
        printf("ok %s\n", name);
        return 0;
}

/* Failures among the inputs of a directory; one without inputs is a failure, too. */
static int replay_all(const char *path) {
        DIR *directory = opendir(path);
        int n_failed = 0, n = 0;

        for (const struct dirent *entry; directory && (entry = readdir(directory));)
                if (entry->d_name[0] != '.') {
                        n_failed += replay(path, entry->d_name);
                        n++;
                }
        if (directory)
                closedir(directory);
        if (n == 0)
                printf("not ok %s: there are no inputs\n", path);
        return n == 0 ? 1 : n_failed;
}

int main(int argc, char *argv[]) {
        int n_failed = 0;

        if (argc < 2) {
                fprintf(stderr, "usage: %s CORPUS...\n", argv[0]);
                return 2;
        }
        for (int i = 1; i < argc; i++)
                n_failed += replay_all(argv[i]);
        return n_failed > 0;
}
