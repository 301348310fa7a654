/* SPDX-License-Identifier: BSD-2-Clause
 * A file that says who is who: CSV with a header (address,name,department,...; parted by
 * , or ;, RFC 4180 quotes), or lines "address: key=value; key=value" with # comments.
 *
 * Read again when it changed. The first line of an address counts. A file with a line that
 * cannot be read is refused whole: half of a list would call people unknown.
 */
#include "directory/form.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define FILE_BYTES_MAX (64 * 1024 * 1024)
#define LINES_MAX 1000000
#define COLUMNS_MAX 64

struct entry {
    size_t address; /* where it is in addresses */
    char *rest;     /* of its line, into the text */
    size_t line;
};

struct map {
    const struct tkt_conf_directory *conf;
    struct tkt_form_names names;
    struct stat seen;
    struct tkt_buf text;
    struct tkt_buf addresses; /* one behind the other, NUL-terminated, lower case */
    bool is_csv;
    char separator;
    char *columns[COLUMNS_MAX]; /* of CSV, without the address */
    size_t column_count;
    size_t address_column;
    struct entry *entries;
    size_t count;
};

/* ---- cells ------------------------------------------------------------------------------ */

/* The next cell of a CSV record, unquoted in place; *at goes behind it, NULL at the end. */
static char *next_cell(char **at, char separator)
{
    char *from = *at;
    char *to = from;
    char *cell = from;

    if (*from != '"') {
        from += strcspn(from, (char[]){separator, '\0'});
        *at = *from == separator ? from + 1 : NULL;
        *from = '\0';
        return cell;
    }
    for (from++; *from != '\0' && (*from != '"' || from[1] == '"'); from++) {
        from += *from == '"';
        *to++ = *from;
    }
    from += *from == '"';
    *at = *from == separator ? from + 1 : NULL;
    *to = '\0';
    return cell;
}

/* Without blanks around it. */
static char *trim(char *s)
{
    s += strspn(s, " \t");
    size_t n = strlen(s);
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r')) {
        s[--n] = '\0';
    }
    return s;
}

/* ---- reading it --------------------------------------------------------------------------- */

/* The end of a record: a line end that is not within quotes. */
static char *record_end(char *s, bool quotes)
{
    bool quoted = false;

    for (; *s != '\0' && (*s != '\n' || quoted); s++) {
        quoted = quotes && *s == '"' ? !quoted : quoted;
    }
    return s;
}

static int bad(struct tkt_err *err, size_t line, const char *what)
{
    return tkt_err_set(err, TKT_ERR_CONF, "line %zu: %s", line, what);
}

static int take_header(struct map *m, char *record, struct tkt_err *err)
{
    bool has_address = false;

    m->separator = strchr(record, ';') != NULL ? ';' : ',';
    for (char *at = record; at != NULL;) {
        char *name = trim(next_cell(&at, m->separator));
        if (m->column_count == COLUMNS_MAX) {
            return bad(err, 1, "more than 64 columns");
        }
        if (!has_address &&
            (strcasecmp(name, "address") == 0 || strcasecmp(name, "mail") == 0 ||
             strcasecmp(name, "email") == 0)) {
            has_address = true;
            m->address_column = m->column_count;
        }
        m->columns[m->column_count++] = name;
    }
    return has_address ? 0 : bad(err, 1, "no column is called address, mail or email");
}

/* A copy of one cell, so that the record stays whole for a lookup. */
static char *address_of(struct map *m, char *record, char room[], size_t size)
{
    if (!m->is_csv) {
        char *colon = strchr(record, ':');
        size_t n = colon == NULL ? size : (size_t)(colon - record);
        snprintf(room, size, "%.*s", (int)TKT_MIN(n, size - 1), record);
        return n < size ? trim(room) : NULL;
    }
    TKT_AUTO_FREE char *copy = strdup(record);
    char *at = copy;
    char *cell = NULL;
    for (size_t i = 0; at != NULL && i <= m->address_column; i++) {
        cell = next_cell(&at, m->separator);
        cell = i == m->address_column ? cell : NULL;
    }
    if (cell == NULL || strlen(cell) >= size) {
        return NULL;
    }
    snprintf(room, size, "%s", cell);
    return trim(room);
}

static int take_record(struct map *m, char *record, size_t line, struct tkt_err *err)
{
    char room[TKT_DIRECTORY_ADDRESS_MAX + 2];

    if (record[strspn(record, " \t\r\n")] == '\0' || (!m->is_csv && *record == '#')) {
        return 0;
    }
    char *address = address_of(m, record, room, sizeof(room));
    if (address == NULL || strchr(address, '@') == NULL) {
        return bad(err, line,
                   m->is_csv ? "no address in its column"
                             : "write \"address: key=value; key=value\"");
    }
    if (m->count == LINES_MAX) {
        return bad(err, line, "more than 1,000,000 people");
    }
    tkt_ascii_lower(address);
    m->entries[m->count++] = (struct entry){
        m->addresses.len, m->is_csv ? record : strchr(record, ':') + 1, line};
    return tkt_buf_add(&m->addresses, address, strlen(address) + 1) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "out of memory")
               : 0;
}

static int by_address(const void *a, const void *b, void *addresses)
{
    const struct entry *x = a;
    const struct entry *y = b;
    const char *base = addresses;
    int order = strcmp(base + x->address, base + y->address);

    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static size_t count_lines(const struct tkt_buf *text)
{
    size_t n = 2;

    for (size_t i = 0; i < text->len; i++) {
        n += text->data[i] == '\n';
    }
    return n;
}

static bool looks_like_csv(const char *text)
{
    size_t line = strcspn(text, "\n");
    size_t word = strcspn(text, ":,;\n");

    /* A header names no address; it may be of one column. */
    return line > 0 && text[0] != '#' && text[word] != ':' &&
           memchr(text, '@', line) == NULL;
}

static int parse(struct map *m, struct tkt_err *err)
{
    char *text = m->text.data;
    size_t line = 1;
    bool first = true;

    if (text == NULL) {
        return 0;
    }
    text += strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    m->is_csv = looks_like_csv(text);
    m->entries =
        calloc(TKT_MIN(count_lines(&m->text), (size_t)LINES_MAX), sizeof(*m->entries));
    if (m->entries == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    while (*text != '\0') {
        char *end = record_end(text, m->is_csv);
        bool last = *end == '\0';
        size_t lines = 1;

        for (const char *p = text; p < end; p++) {
            lines += *p == '\n';
        }
        *end = '\0';
        if (end > text && end[-1] == '\r') {
            end[-1] = '\0';
        }
        int rc = first && m->is_csv ? take_header(m, text, err)
                                    : take_record(m, text, line, err);
        if (rc < 0) {
            return -1;
        }
        first = false;
        line += lines;
        text = last ? end : end + 1;
    }
    return 0;
}

static void forget(struct map *m)
{
    free(m->entries);
    tkt_buf_release(&m->text);
    tkt_buf_release(&m->addresses);
    m->entries = NULL;
    m->count = 0;
    m->column_count = 0;
    memset(&m->seen, 0, sizeof(m->seen));
}

static int load(struct map *m, struct tkt_err *err)
{
    forget(m);
    if (tkt_read_file(m->conf->file, &m->text, err) < 0) {
        err->class = err->class == TKT_ERR_PERM ? TKT_ERR_CONF : err->class;
        return -1;
    }
    if (m->text.len > 0 && memchr(m->text.data, '\0', m->text.len) != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: not a text file", m->conf->file);
    }
    if (parse(m, err) < 0) {
        return tkt_err_prefix(err, "%s", m->conf->file);
    }
    if (m->count > 0) {
        qsort_r(m->entries, m->count, sizeof(*m->entries), by_address, m->addresses.data);
    }
    return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
           a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int load_if_changed(struct map *m, struct tkt_err *err)
{
    struct stat now;

    if (stat(m->conf->file, &now) < 0) {
        return tkt_err_errno(err, TKT_ERR_TEMP, "%s", m->conf->file);
    }
    if (is_same(&now, &m->seen)) {
        return 0;
    }
    if (load(m, err) < 0) {
        forget(m);
        return -1;
    }
    m->seen = now; /* from before it was read: a change meanwhile is seen */
    return 0;
}

/* ---- looking up ---------------------------------------------------------------------------- */

static const struct entry *find(const struct map *m, const char *address)
{
    size_t from = 0;
    size_t to = m->count;

    while (from < to) { /* the first of equal ones */
        size_t middle = from + (to - from) / 2;
        if (strcmp(m->addresses.data + m->entries[middle].address, address) < 0) {
            from = middle + 1;
        } else {
            to = middle;
        }
    }
    return from < m->count &&
                   strcmp(m->addresses.data + m->entries[from].address, address) == 0
               ? &m->entries[from]
               : NULL;
}

static void fill_csv(const struct map *m, char *record, struct tkt_directory_form *form)
{
    char *at = record;

    for (size_t i = 0; at != NULL && i < m->column_count; i++) {
        char *cell = trim(next_cell(&at, m->separator));
        tkt_form_cell(form, &m->names, m->columns[i], cell, strlen(cell));
    }
}

static void fill_pairs(const struct map *m, char *rest, struct tkt_directory_form *form)
{
    for (char *at = rest; *at != '\0';) {
        size_t n = strcspn(at, ";");
        bool last = at[n] == '\0';
        at[n] = '\0';
        char *equal = strchr(at, '=');
        if (equal != NULL) {
            *equal = '\0';
            char *value = trim(equal + 1);
            tkt_form_cell(form, &m->names, trim(at), value, strlen(value));
        }
        at += last ? n : n + 1;
    }
}

static int lookup(void *state, const char *address, struct tkt_directory_form *form,
                  struct tkt_err *err)
{
    struct map *m = state;

    if (load_if_changed(m, err) < 0) {
        return -1;
    }
    const struct entry *e = find(m, address);
    if (e == NULL) {
        return 0;
    }
    TKT_AUTO_FREE char *copy = strdup(e->rest);
    if (copy == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    if (m->is_csv) {
        fill_csv(m, copy, form);
    } else {
        fill_pairs(m, copy, form);
    }
    return 1;
}

static int open_map(const struct tkt_conf_directory *conf, void **state,
                    struct tkt_err *err)
{
    struct map *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    m->conf = conf;
    tkt_buf_init(&m->text, FILE_BYTES_MAX);
    tkt_buf_init(&m->addresses, FILE_BYTES_MAX);
    if (tkt_form_names_make(conf, tkt_form_table_names, &m->names, err) < 0) {
        free(m);
        return -1;
    }
    *state = m;
    return 0;
}

static void close_map(void *state)
{
    forget(state);
    free(state);
}

static int test(void *state, struct tkt_buf *text, struct tkt_err *err)
{
    struct map *m = state;

    memset(&m->seen, 0, sizeof(m->seen));
    if (load_if_changed(m, err) < 0) {
        return -1;
    }
    (void)tkt_buf_addf(text, "%s: %zu people", m->conf->file, m->count); /* cut */
    return 0;
}

const struct tkt_directory_ops tkt_directory_file_ops =
    TKT_DIRECTORY_OPS(TKT_DIRECTORY_FILE, open_map, close_map, lookup, test);
