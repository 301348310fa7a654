/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/source.h"

#include "base/fs.h"
#include "base/util.h"
#include "conf/reader.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WARNINGS_MAX (64 * 1024)

static int read_file(struct tkt_conf_source *source, const char *path,
                     const struct tkt_conf_pos *from, unsigned depth,
                     struct tkt_err *err);

struct tkt_conf_source *tkt_conf_source_new(void)
{
    struct tkt_conf_source *source = calloc(1, sizeof(*source));

    if (source != NULL) {
        tkt_buf_init(&source->text, TKT_CONF_TEXT_MAX);
        tkt_buf_init(&source->warnings, WARNINGS_MAX);
        source->may_include = true;
    }
    return source;
}

void tkt_conf_source_free(struct tkt_conf_source **source)
{
    struct tkt_conf_source *s = *source;

    if (s == NULL) {
        return;
    }
    for (size_t i = 0; i < s->file_count; i++) {
        free(s->files[i]);
    }
    for (size_t i = 0; i < s->statement_count; i++) {
        free(s->statements[i].title);
    }
    free(s->files);
    free(s->statements);
    free(s->tokens);
    free(s->heads);
    tkt_buf_release(&s->text);
    tkt_buf_release(&s->warnings);
    free(s);
    *source = NULL;
}

const char *tkt_conf_source_file(const struct tkt_conf_source *source,
                                 struct tkt_conf_pos pos)
{
    return source != NULL && pos.file < source->file_count ? source->files[pos.file] : "";
}

int tkt_conf_source_fail(const struct tkt_conf_source *source, struct tkt_conf_pos pos,
                         struct tkt_err *err, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return tkt_err_set(err, TKT_ERR_CONF, "%s:%u: %s", tkt_conf_source_file(source, pos),
                       pos.line, text);
}

struct tkt_conf_pos tkt_conf_source_where(const struct tkt_conf_source *source,
                                          enum tkt_conf_section_id section,
                                          const char *title, const char *key)
{
    struct tkt_conf_pos pos = {0, source == NULL ? 0 : 1};

    for (size_t i = 0; source != NULL && i < source->statement_count; i++) {
        const struct tkt_conf_statement *s = &source->statements[i];
        if (s->section != &tkt_conf_sections[section] || strcmp(s->title, title) != 0) {
            continue;
        }
        if (s->row == NULL) {
            pos = s->pos;
        } else if (key != NULL && strcmp(s->row->key, key) == 0) {
            return s->pos;
        }
    }
    return pos;
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

/* ---- what libconfuse gets to read ---- */

/* Room for one more item; arrays double. */
static void *grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return items;
    }
    return reallocarray(items, count == 0 ? 1 : 2 * count, size);
}

int tkt_conf_source_emit(struct tkt_conf_source *source,
                         const struct tkt_conf_lexeme *token, struct tkt_err *err)
{
    struct tkt_conf_pos *tokens =
        grown(source->tokens, source->token_count, sizeof(*tokens));

    if (tokens == NULL) {
        return no_memory(err);
    }
    source->tokens = tokens;
    tokens[source->token_count++] = token->pos;
    (void)tkt_buf_add(&source->text, token->raw, token->len); /* the next append tells */
    if (tkt_buf_addc(&source->text, '\n') < 0) {
        return tkt_conf_source_fail(source, token->pos, err,
                                    "more than %d MiB in all; split the desks over hosts",
                                    TKT_CONF_TEXT_MAX / (1024 * 1024));
    }
    return 0;
}

/* ---- heads of sections, by section and title ---- */

static size_t head_slot(const struct tkt_conf_source *source,
                        const struct tkt_conf_section *section, const char *title)
{
    size_t hash = (size_t)(section - tkt_conf_sections) + 1;

    for (const char *p = title; *p != '\0'; p++) {
        hash = (hash ^ (unsigned char)*p) * (size_t)UINT64_C(0x100000001b3);
    }
    for (size_t at = hash & (source->heads_cap - 1);;
         at = (at + 1) & (source->heads_cap - 1)) {
        if (source->heads[at] == 0) {
            return at;
        }
        const struct tkt_conf_statement *s = &source->statements[source->heads[at] - 1];
        if (s->section == section && strcmp(s->title, title) == 0) {
            return at;
        }
    }
}

static const struct tkt_conf_statement *
earlier_head(const struct tkt_conf_source *source, const struct tkt_conf_section *section,
             const char *title)
{
    size_t found =
        source->heads == NULL ? 0 : source->heads[head_slot(source, section, title)];

    return found == 0 ? NULL : &source->statements[found - 1];
}

/* The newest statement is a head; section_count counts it already. */
static int note_head(struct tkt_conf_source *source)
{
    if (source->heads_cap <= 2 * source->section_count) {
        size_t cap = source->heads_cap == 0 ? 64 : 2 * source->heads_cap;
        size_t *old = source->heads;
        size_t old_cap = source->heads_cap;
        source->heads = calloc(cap, sizeof(*source->heads));
        if (source->heads == NULL) {
            source->heads = old;
            return -1;
        }
        source->heads_cap = cap;
        for (size_t i = 0; i < old_cap; i++) {
            if (old[i] != 0) {
                const struct tkt_conf_statement *s = &source->statements[old[i] - 1];
                source->heads[head_slot(source, s->section, s->title)] = old[i];
            }
        }
        free(old);
    }
    const struct tkt_conf_statement *s = &source->statements[source->statement_count - 1];
    source->heads[head_slot(source, s->section, s->title)] = source->statement_count;
    return 0;
}

/* ---- statements ---- */

int tkt_conf_reader_add(struct tkt_conf_reader *r, const struct tkt_conf_row *row,
                        struct tkt_conf_pos pos, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    struct tkt_conf_statement *statements =
        grown(source->statements, source->statement_count, sizeof(*statements));

    if (statements == NULL) {
        return no_memory(err);
    }
    source->statements = statements;
    char *title = strdup(r->title == NULL ? "" : r->title);
    if (title == NULL) {
        return no_memory(err);
    }
    statements[source->statement_count++] = (struct tkt_conf_statement){
        .section = r->section, .row = row, .title = title, .pos = pos};
    return row == NULL && note_head(source) < 0 ? no_memory(err) : 0;
}

/* The earlier statement of this row (NULL: of the section's head) in the same section. */
const struct tkt_conf_statement *tkt_conf_reader_earlier(const struct tkt_conf_reader *r,
                                                         const struct tkt_conf_row *row)
{
    const struct tkt_conf_source *source = r->scan.source;
    const char *title = r->title == NULL ? "" : r->title;

    if (row == NULL) {
        return earlier_head(source, r->section, title);
    }
    for (size_t i = source->statement_count; i > 0; i--) {
        const struct tkt_conf_statement *s = &source->statements[i - 1];
        if (s->section != r->section || strcmp(s->title, title) != 0) {
            continue;
        }
        if (s->row == row) {
            return s;
        }
        if (s->row == NULL) {
            return NULL;
        }
    }
    return NULL;
}

/* ---- include ---- */

/* The pattern as seen from the including file's folder. */
static char *resolve(const char *from, const char *pattern)
{
    const char *slash = strrchr(from, '/');
    char *out;

    if (pattern[0] == '/' || slash == NULL) {
        return strdup(pattern);
    }
    return asprintf(&out, "%.*s/%s", (int)(slash - from), from, pattern) < 0 ? NULL : out;
}

int tkt_conf_reader_include(struct tkt_conf_reader *r, const char *pattern,
                            struct tkt_conf_pos pos, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    TKT_AUTO_FREE char *full = resolve(tkt_conf_source_file(source, pos), pattern);
    glob_t found;

    if (full == NULL) {
        return no_memory(err);
    }
    int rc = glob(full, 0, NULL, &found);
    if (rc == GLOB_NOMATCH && strpbrk(full, "*?[") != NULL) {
        return 0; /* an empty conf.d is fine */
    }
    if (rc != 0) {
        return tkt_conf_source_fail(
            source, pos, err, "there is no file %.200s; create it or remove the line",
            full);
    }
    int result = 0;
    for (size_t i = 0; i < found.gl_pathc && result == 0; i++) {
        result = read_file(source, found.gl_pathv[i], &pos, r->depth + 1, err);
    }
    globfree(&found);
    return result;
}

/* ---- files ---- */

static int read_text(struct tkt_conf_source *source, const char *name, const char *data,
                     size_t n, unsigned depth, struct tkt_err *err)
{
    char **files = grown(source->files, source->file_count, sizeof(*files));

    if (files == NULL) {
        return no_memory(err);
    }
    source->files = files;
    files[source->file_count] = strdup(name);
    if (files[source->file_count] == NULL) {
        return no_memory(err);
    }
    source->file_count++;
    if (n >= 3 &&
        memcmp(data, "\xef\xbb\xbf", 3) == 0) { /* a byte order mark is no text */
        data += 3;
        n -= 3;
    }
    struct tkt_conf_reader r = {
        .scan = {.source = source,
                 .at = data,
                 .end = data + n,
                 .pos = {.file = (unsigned)source->file_count - 1, .line = 1}},
        .section = &tkt_conf_sections[TKT_CONF_TOP],
        .depth = depth};
    int rc = tkt_conf_reader_run(&r, err);
    free(r.title);
    return rc;
}

/* In front of an error about the file itself: the line that includes it, if any. */
static int file_error(const struct tkt_conf_source *source,
                      const struct tkt_conf_pos *from, struct tkt_err *err,
                      const char *text)
{
    return from == NULL ? tkt_err_set(err, TKT_ERR_CONF, "%s", text)
                        : tkt_conf_source_fail(source, *from, err, "%s", text);
}

static int load_file(const struct tkt_conf_source *source, const char *path,
                     const struct tkt_conf_pos *from, struct tkt_buf *out,
                     struct tkt_err *err)
{
    struct stat st;
    char text[320];

    if (stat(path, &st) < 0) {
        snprintf(text, sizeof(text), "%.200s: %s; %s", path, strerror(errno),
                 errno == ENOENT ? "create it or name another file"
                                 : "let this user read it");
        return file_error(source, from, err, text);
    }
    if (!S_ISREG(st.st_mode)) { /* a FIFO would hang the start */
        snprintf(text, sizeof(text), "%.200s: not a regular file; name one", path);
        return file_error(source, from, err, text);
    }
    if (st.st_size > TKT_CONF_FILE_MAX) {
        snprintf(text, sizeof(text), "%.200s: larger than 1 MiB; split it", path);
        return file_error(source, from, err, text);
    }
    if (tkt_read_file(path, out, err) < 0) {
        snprintf(text, sizeof(text), "%.200s: it cannot be read; let this user read it",
                 path);
        return file_error(source, from, err, text);
    }
    return 0;
}

static int read_file(struct tkt_conf_source *source, const char *path,
                     const struct tkt_conf_pos *from, unsigned depth, struct tkt_err *err)
{
    if (depth > TKT_CONF_DEPTH_MAX || source->file_count >= TKT_CONF_FILES_MAX) {
        return tkt_conf_source_fail(source, *from, err,
                                    "includes go more than %d deep or make more than %d "
                                    "files; does a file include itself?",
                                    TKT_CONF_DEPTH_MAX, TKT_CONF_FILES_MAX);
    }
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_CONF_FILE_MAX);
    if (load_file(source, path, from, &data, err) < 0) {
        return -1;
    }
    return read_text(source, path, tkt_buf_str(&data), data.len, depth, err);
}

int tkt_conf_source_read(struct tkt_conf_source *source, const char *path,
                         struct tkt_err *err)
{
    return read_file(source, path, NULL, 0, err);
}

int tkt_conf_source_scan(struct tkt_conf_source *source, const char *name,
                         const char *data, size_t n, struct tkt_err *err)
{
    source->may_include = false;
    return read_text(source, name, data, n, 0, err);
}
