/* SPDX-License-Identifier: BSD-2-Clause
 * Feeds files, or all files of folders, to a fuzz target: `make check` replays each
 * corpus with it, without libFuzzer. Called as NAME_replay without arguments it feeds
 * $TKT_SRCDIR/tests/fuzz/corpus/NAME. Ends with 1 when there was nothing to feed.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define INPUT_MAX (16 * 1024 * 1024)

static unsigned fed;

static void feed_file(const char *path)
{
    struct stat st;
    FILE *f = fopen(path, "rb");

    if (f == NULL || fstat(fileno(f), &st) < 0 || st.st_size > INPUT_MAX) {
        perror(path);
        exit(1);
    }
    /* Exactly as long as the input: a read past its end is seen by the sanitizer. */
    uint8_t *data = malloc(st.st_size > 0 ? (size_t)st.st_size : 1);
    size_t n = data != NULL ? fread(data, 1, (size_t)st.st_size, f) : 0;
    fclose(f);
    if (data == NULL || n != (size_t)st.st_size) {
        fprintf(stderr, "%s: short read\n", path);
        exit(1);
    }
    LLVMFuzzerTestOneInput(data, n);
    free(data);
    fed++;
}

static void feed_folder(const char *path)
{
    char file[PATH_MAX];
    struct dirent *e;
    DIR *d = opendir(path);

    if (d == NULL) {
        perror(path);
        exit(1);
    }
    while ((e = readdir(d)) != NULL) {
        if (e->d_name[0] != '.') {
            snprintf(file, sizeof(file), "%s/%s", path, e->d_name);
            feed_file(file);
        }
    }
    closedir(d);
}

static void feed_own_corpus(const char *program)
{
    char path[PATH_MAX];
    const char *src = getenv("TKT_SRCDIR");
    const char *slash = strrchr(program, '/');
    const char *name = slash != NULL ? slash + 1 : program;
    const char *end = strstr(name, "_replay");
    int len = end != NULL ? (int)(end - name) : 0;

    if (src != NULL && len > 0) {
        snprintf(path, sizeof(path), "%s/tests/fuzz/corpus/%.*s", src, len, name);
        feed_folder(path);
    }
}

int main(int argc, char **argv)
{
    struct stat st;

    for (int i = 1; i < argc; i++) {
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode)) {
            feed_folder(argv[i]);
        } else {
            feed_file(argv[i]);
        }
    }
    if (argc == 1) {
        feed_own_corpus(argv[0]);
    }
    printf("%u inputs\n", fed);
    return fed > 0 ? 0 : 1;
}
