/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/source.h"

#include "base/fs.h"
#include "base/util.h"
#include "conf/scan.h"
#include "conf/suggest.h"
#include "conf/text.h"

#include <errno.h>
#include <glob.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define WARNINGS_MAX (64 * 1024)

/* One file on its way through. */
struct reader {
    struct tkt_conf_scan scan;
    const struct tkt_conf_section *section; /* the open one, or the top level */
    char *title;
    struct tkt_conf_pos opened;
    unsigned depth; /* of includes */
};

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

/* ---- what libconfuse gets to read -------------------------------------------------- */

/* Room for one more item; arrays double. */
static void *grown(void *items, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0) {
        return items;
    }
    return reallocarray(items, count == 0 ? 1 : 2 * count, size);
}

static int emit(struct tkt_conf_source *source, const struct tkt_conf_lexeme *token,
                struct tkt_err *err)
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

/* ---- statements ---------------------------------------------------------------------- */

static int add_statement(struct reader *r, const struct tkt_conf_row *row,
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
    return 0;
}

/* The earlier statement of this row (NULL: of the section's head) in the same section. */
static const struct tkt_conf_statement *find_earlier(const struct reader *r,
                                                     const struct tkt_conf_row *row)
{
    const struct tkt_conf_source *source = r->scan.source;
    const char *title = r->title == NULL ? "" : r->title;

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

static int expect(struct reader *r, const struct tkt_conf_lexeme *token,
                  const char *after, const char *want, struct tkt_err *err)
{
    if (token->kind == TKT_CONF_END) {
        return tkt_conf_source_fail(r->scan.source, token->pos, err,
                                    "the file ends after %s; write %s", after, want);
    }
    int n = token->len > 60 ? 60 : (int)token->len;
    return tkt_conf_source_fail(r->scan.source, token->pos, err,
                                "unexpected %.*s after %s; write %s", n, token->raw,
                                after, want);
}

static bool is_text(const struct tkt_conf_lexeme *token)
{
    return token->kind == TKT_CONF_WORD || token->kind == TKT_CONF_QUOTED;
}

static int next_and_emit(struct reader *r, struct tkt_conf_lexeme *token,
                         struct tkt_err *err)
{
    if (tkt_conf_scan_next(&r->scan, token, err) < 0) {
        return -1;
    }
    return token->kind == TKT_CONF_END ? 0 : emit(r->scan.source, token, err);
}

/* The items of a list behind its "{". A comma behind the last one is fine, but libconfuse
 * is not asked. */
static int read_list(struct reader *r, const char *key, size_t *items,
                     struct tkt_err *err)
{
    struct tkt_conf_lexeme token;
    struct tkt_conf_lexeme comma = {.kind = TKT_CONF_END};

    for (;;) {
        if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
            return -1;
        }
        if (tkt_conf_lexeme_is(&token, '}')) {
            return emit(r->scan.source, &token, err);
        }
        if (comma.kind == TKT_CONF_END && *items > 0) {
            return expect(r, &token, key, ", or } here", err);
        }
        if (!is_text(&token)) {
            return expect(r, &token, key, "an item or } here", err);
        }
        if ((*items > 0 && emit(r->scan.source, &comma, err) < 0) ||
            emit(r->scan.source, &token, err) < 0) {
            return -1;
        }
        (*items)++;
        struct tkt_conf_scan before = r->scan;
        if (tkt_conf_scan_next(&r->scan, &comma, err) < 0) {
            return -1;
        }
        if (!tkt_conf_lexeme_is(&comma, ',')) {
            comma.kind = TKT_CONF_END;
            r->scan = before;
        }
    }
}

static int read_value(struct reader *r, const struct tkt_conf_row *row, size_t *items,
                      struct tkt_err *err)
{
    struct tkt_conf_lexeme token;

    if (next_and_emit(r, &token, err) < 0) {
        return -1;
    }
    if (is_text(&token)) {
        *items = 1;
        return 0;
    }
    if (!tkt_conf_lexeme_is(&token, '{')) {
        return expect(r, &token, row->key, "a value", err);
    }
    if (row->type != TKT_CONF_LIST) {
        return tkt_conf_source_fail(r->scan.source, token.pos, err,
                                    "%s takes one value; write it without { }", row->key);
    }
    return read_list(r, row->key, items, err);
}

static int unknown_key(struct reader *r, const char *key, struct tkt_conf_pos pos,
                       struct tkt_err *err)
{
    char hint[160];

    tkt_conf_suggest_key(r->section, key, hint, sizeof(hint));
    return tkt_conf_source_fail(
        r->scan.source, pos, err, "%.60s is not known %s%s; %s", key,
        r->title == NULL && r->section->name[0] == '\0' ? "here" : "in section ",
        r->section->name, hint);
}

static int read_assignment(struct reader *r, const struct tkt_conf_lexeme *key_token,
                           const struct tkt_conf_lexeme *op, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    TKT_AUTO_FREE char *key = tkt_conf_lexeme_value(key_token);

    if (key == NULL) {
        return no_memory(err);
    }
    const struct tkt_conf_row *row = tkt_conf_row_find(r->section, key);
    if (row == NULL) {
        return unknown_key(r, key, key_token->pos, err);
    }
    bool append = op->kind == TKT_CONF_APPEND;
    if (append && row->type != TKT_CONF_LIST) {
        return tkt_conf_source_fail(source, op->pos, err,
                                    "%s is no list; write = for +=", key);
    }
    const struct tkt_conf_statement *earlier = find_earlier(r, row);
    if (earlier != NULL && !append) {
        return tkt_conf_source_fail(
            source, key_token->pos, err, "%s stands twice, first at %s:%u; remove one",
            key, tkt_conf_source_file(source, earlier->pos), earlier->pos.line);
    }
    size_t items = 0;
    if (emit(source, key_token, err) < 0 || emit(source, op, err) < 0 ||
        read_value(r, row, &items, err) < 0 ||
        add_statement(r, row, key_token->pos, err) < 0) {
        return -1;
    }
    source->statements[source->statement_count - 1].items = items;
    source->statements[source->statement_count - 1].append = append;
    return 0;
}

/* ---- sections -------------------------------------------------------------------------- */

static int unknown_section(struct reader *r, const char *name, struct tkt_conf_pos pos,
                           struct tkt_err *err)
{
    char hint[160];

    tkt_conf_suggest_section(name, hint, sizeof(hint));
    return tkt_conf_source_fail(r->scan.source, pos, err,
                                "section %.60s is not known; %s", name, hint);
}

static int check_title(struct reader *r, const struct tkt_conf_section *section,
                       const struct tkt_conf_lexeme *title, struct tkt_conf_pos pos,
                       struct tkt_err *err)
{
    if (section->titled && title == NULL) {
        return tkt_conf_source_fail(r->scan.source, pos, err,
                                    "section %s has no title; write %s \"name\" {",
                                    section->name, section->name);
    }
    if (!section->titled && title != NULL) {
        return tkt_conf_source_fail(r->scan.source, pos, err,
                                    "section %s takes no title; write %s {",
                                    section->name, section->name);
    }
    if (title == NULL) {
        return 0;
    }
    r->title = tkt_conf_lexeme_value(title);
    if (r->title == NULL) {
        return no_memory(err);
    }
    const char *want = tkt_conf_is_title(r->title);
    return want == NULL
               ? 0
               : tkt_conf_source_fail(r->scan.source, pos, err,
                                      "\"%.60s\" is no title; write %s", r->title, want);
}

static int open_section(struct reader *r, const struct tkt_conf_lexeme *name_token,
                        const struct tkt_conf_lexeme *title,
                        const struct tkt_conf_lexeme *brace, struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    TKT_AUTO_FREE char *name = tkt_conf_lexeme_value(name_token);

    if (name == NULL) {
        return no_memory(err);
    }
    const struct tkt_conf_section *section = tkt_conf_section_find(name);
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(
            source, name_token->pos, err,
            "section %.60s within section %s of line %u; write } to "
            "close that one first",
            name, r->section->name, r->opened.line);
    }
    if (section == NULL) {
        return unknown_section(r, name, name_token->pos, err);
    }
    if (check_title(r, section, title, name_token->pos, err) < 0) {
        return -1;
    }
    r->section = section;
    r->opened = name_token->pos;
    const struct tkt_conf_statement *earlier = find_earlier(r, NULL);
    if (earlier != NULL) {
        return tkt_conf_source_fail(
            source, name_token->pos, err,
            "section %s%s%s stands twice, first at %s:%u; put them "
            "together",
            name, title == NULL ? "" : " ", title == NULL ? "" : r->title,
            tkt_conf_source_file(source, earlier->pos), earlier->pos.line);
    }
    if (++source->section_count > TKT_CONF_SECTIONS_MAX) {
        return tkt_conf_source_fail(source, name_token->pos, err,
                                    "more than %d sections; remove some",
                                    TKT_CONF_SECTIONS_MAX);
    }
    if (emit(source, name_token, err) < 0 ||
        (title != NULL && emit(source, title, err) < 0) || emit(source, brace, err) < 0) {
        return -1;
    }
    return add_statement(r, NULL, name_token->pos, err);
}

static int close_section(struct reader *r, const struct tkt_conf_lexeme *brace,
                         struct tkt_err *err)
{
    if (r->section == &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(r->scan.source, brace->pos, err,
                                    "} without an open section; remove it");
    }
    r->section = &tkt_conf_sections[TKT_CONF_TOP];
    free(r->title);
    r->title = NULL;
    return emit(r->scan.source, brace, err);
}

/* ---- include ----------------------------------------------------------------------------- */

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

static int include_glob(struct reader *r, const char *pattern, struct tkt_conf_pos pos,
                        struct tkt_err *err)
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

static int read_function(struct reader *r, const struct tkt_conf_lexeme *name,
                         struct tkt_err *err)
{
    struct tkt_conf_source *source = r->scan.source;
    struct tkt_conf_lexeme token;
    struct tkt_conf_lexeme close;

    if (name->len != 7 || memcmp(name->raw, "include", 7) != 0) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "%.*s() is not known; only include(\"file\") is",
                                    name->len > 60 ? 60 : (int)name->len, name->raw);
    }
    if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
        return -1;
    }
    if (!is_text(&token)) {
        return expect(r, &token, "include(", "a file name in quotes", err);
    }
    if (tkt_conf_scan_next(&r->scan, &close, err) < 0) {
        return -1;
    }
    if (!tkt_conf_lexeme_is(&close, ')')) {
        return expect(r, &close, "the file name", ") here", err);
    }
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "include() within section %s; move it outside",
                                    r->section->name);
    }
    if (!source->may_include) {
        return tkt_conf_source_fail(source, name->pos, err,
                                    "include() is not taken here; write the text itself");
    }
    TKT_AUTO_FREE char *pattern = tkt_conf_lexeme_value(&token);
    return pattern == NULL ? no_memory(err) : include_glob(r, pattern, name->pos, err);
}

/* ---- files --------------------------------------------------------------------------------- */

static int read_statement(struct reader *r, const struct tkt_conf_lexeme *first,
                          struct tkt_err *err)
{
    struct tkt_conf_lexeme second;
    struct tkt_conf_lexeme third;

    if (tkt_conf_lexeme_is(first, '}')) {
        return close_section(r, first, err);
    }
    if (first->kind != TKT_CONF_WORD) {
        return tkt_conf_source_fail(r->scan.source, first->pos, err,
                                    "unexpected %.*s; write a key or a section here",
                                    first->len > 60 ? 60 : (int)first->len, first->raw);
    }
    if (tkt_conf_scan_next(&r->scan, &second, err) < 0) {
        return -1;
    }
    if (second.kind == TKT_CONF_ASSIGN || second.kind == TKT_CONF_APPEND) {
        return read_assignment(r, first, &second, err);
    }
    if (tkt_conf_lexeme_is(&second, '{')) {
        return open_section(r, first, NULL, &second, err);
    }
    if (tkt_conf_lexeme_is(&second, '(')) {
        return read_function(r, first, err);
    }
    char after[64];
    snprintf(after, sizeof(after), "%.*s", first->len > 60 ? 60 : (int)first->len,
             first->raw);
    if (!is_text(&second)) {
        return expect(r, &second, after, "= and a value", err);
    }
    if (tkt_conf_scan_next(&r->scan, &third, err) < 0) {
        return -1;
    }
    if (tkt_conf_lexeme_is(&third, '{')) {
        return open_section(r, first, &second, &third, err);
    }
    return expect(r, &second, after, "= before a value", err);
}

static int read_statements(struct reader *r, struct tkt_err *err)
{
    struct tkt_conf_lexeme token;

    for (;;) {
        if (tkt_conf_scan_next(&r->scan, &token, err) < 0) {
            return -1;
        }
        if (token.kind == TKT_CONF_END) {
            break;
        }
        if (read_statement(r, &token, err) < 0) {
            return -1;
        }
    }
    if (r->section != &tkt_conf_sections[TKT_CONF_TOP]) {
        return tkt_conf_source_fail(r->scan.source, r->opened, err,
                                    "section %s%s%s is never closed; write } at its end",
                                    r->section->name, r->title == NULL ? "" : " ",
                                    r->title == NULL ? "" : r->title);
    }
    return 0;
}

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
    struct reader r = {
        .scan = {.source = source,
                 .at = data,
                 .end = data + n,
                 .pos = {.file = (unsigned)source->file_count - 1, .line = 1}},
        .section = &tkt_conf_sections[TKT_CONF_TOP],
        .depth = depth};
    int rc = read_statements(&r, err);
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
