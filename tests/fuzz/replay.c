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

int main(int argc, char *argv[]) {
        DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
        int n_failed = 0;

        if (!directory) {
                fprintf(stderr, "usage: %s CORPUS\n", argv[0]);
                return 2;
        }
        for (const struct dirent *entry; (entry = readdir(directory));)
                if (entry->d_name[0] != '.')
                        n_failed += replay(argv[1], entry->d_name);
        closedir(directory);
        return n_failed > 0;
}
