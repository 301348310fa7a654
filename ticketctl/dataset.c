/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/dataset.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum column {
    COLUMN_CATEGORY = TKT_HEAD_CATEGORY,
    COLUMN_GROUP = TKT_HEAD_GROUP,
    COLUMN_URGENCY = TKT_HEAD_URGENCY,
    COLUMN_TEXT,
    COLUMN_SUBJECT,
    COLUMN_DATE,
    COLUMN_COUNT
};
static const char *const column_names[] = {"category", "group",   "urgency",
                                           "text",     "subject", "date"};

void tkt_dataset_release(struct tkt_dataset *d)
{
    for (size_t i = 0; i < d->buffer_count; i++) {
        free(d->buffers[i]);
    }
    free(d->buffers);
    free(d->items);
    tkt_wire_arena_release(&d->arena);
    *d = (struct tkt_dataset){.items = NULL};
}

/* ---- records ---- */

void tkt_dataset_note_date(struct tkt_dataset *d, const char *date)
{
    size_t n = strspn(date, "0123456789-");

    if (n >= sizeof(d->newest) - 1 &&
        strncmp(date, d->newest, sizeof(d->newest) - 1) > 0) {
        memcpy(d->newest, date, sizeof(d->newest) - 1);
    }
}

static int check_label(const char *label, const char *column, struct tkt_err *err)
{
    size_t n = strlen(label);

    if (n > TKT_MODEL_LABEL_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: longer than %d bytes", column,
                           TKT_MODEL_LABEL_MAX);
    }
    if (!tkt_utf8_valid(label, n)) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: not UTF-8", column);
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f) {
            return tkt_err_set(err, TKT_ERR_PERM, "%s: not one line of text", column);
        }
    }
    return 0;
}

static int keep(struct tkt_dataset *d, char *const values[COLUMN_COUNT],
                struct tkt_err *err)
{
    struct tkt_learn_record r = {values[COLUMN_SUBJECT], values[COLUMN_TEXT], {NULL}};
    bool has_label = false;

    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        if (check_label(values[h], tkt_model_head_names[h], err) < 0) {
            return -1;
        }
        r.labels[h] = values[h];
        has_label = has_label || values[h][0] != '\0';
    }
    if (!has_label || (r.subject[0] == '\0' && r.text[0] == '\0')) {
        d->skipped++;
        return 0;
    }
    tkt_dataset_note_date(d, values[COLUMN_DATE]);
    if (d->count == TKT_LEARN_RECORDS_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "more than %u records",
                           TKT_LEARN_RECORDS_MAX);
    }
    if (d->count == d->cap) {
        size_t cap = d->cap == 0 ? 1024 : d->cap * 2;
        void *bigger = realloc(d->items, cap * sizeof(*d->items));
        if (bigger == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        d->items = bigger;
        d->cap = cap;
    }
    d->items[d->count++] = r;
    return 0;
}

static char *copy(struct tkt_dataset *d, const char *s)
{
    return tkt_wire_arena_strdup(&d->arena, s, strlen(s));
}

int tkt_dataset_add(struct tkt_dataset *d, const char *subject, const char *text,
                    const char *const labels[TKT_HEAD_COUNT], struct tkt_err *err)
{
    char *values[COLUMN_COUNT] = {[COLUMN_TEXT] = copy(d, text),
                                  [COLUMN_SUBJECT] = copy(d, subject),
                                  [COLUMN_DATE] = copy(d, "")};
    bool ok = values[COLUMN_TEXT] != NULL && values[COLUMN_SUBJECT] != NULL &&
              values[COLUMN_DATE] != NULL;

    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        values[h] = copy(d, labels[h]);
        ok = ok && values[h] != NULL;
    }
    return ok ? keep(d, values, err) : tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

/* ---- CSV ---- */

struct csv {
    char *at;
    char *end;
    size_t line;
};

enum csv_end {
    CSV_MORE, /* of the record */
    CSV_RECORD,
    CSV_BROKEN
};

/* One field, unquoted in its place and closed by a NUL. */
static enum csv_end take_field(struct csv *c, char **field)
{
    char *to = c->at;

    *field = to;
    if (c->at < c->end && *c->at == '"') {
        for (c->at++;; c->at++) {
            if (c->at >= c->end) {
                return CSV_BROKEN;
            }
            if (*c->at == '"' && (c->at + 1 >= c->end || c->at[1] != '"')) {
                c->at++;
                break;
            }
            c->at += *c->at == '"';
            c->line += *c->at == '\n';
            *to++ = *c->at;
        }
    } else {
        while (c->at < c->end && *c->at != ',' && *c->at != '\n' &&
               !(*c->at == '\r' && (c->at + 1 == c->end || c->at[1] == '\n'))) {
            *to++ = *c->at++;
        }
    }
    if (c->at < c->end && *c->at == '\r') {
        c->at++;
    }
    if (c->at < c->end && *c->at != ',' && *c->at != '\n') {
        return CSV_BROKEN; /* something behind the closing quote */
    }
    bool more = c->at < c->end && *c->at == ',';
    c->line += !more;
    c->at += c->at < c->end;
    *to = '\0'; /* data has a byte behind its end */
    return more ? CSV_MORE : CSV_RECORD;
}

/* Which value each column of the file is; -1: none. */
static int take_header(struct csv *c, int columns[TKT_DATASET_COLUMNS_MAX], size_t *count,
                       struct tkt_err *err)
{
    bool has[COLUMN_COUNT] = {false};
    enum csv_end end = CSV_MORE;

    for (*count = 0; end == CSV_MORE; (*count)++) {
        char *name = NULL;
        if (*count == TKT_DATASET_COLUMNS_MAX) {
            return tkt_err_set(err, TKT_ERR_CONF, "more than %d columns",
                               TKT_DATASET_COLUMNS_MAX);
        }
        end = take_field(c, &name);
        columns[*count] = -1;
        for (int i = 0; i < COLUMN_COUNT; i++) {
            if (tkt_ascii_ieq(name, column_names[i])) {
                columns[*count] = i;
                has[i] = true;
            }
        }
    }
    if (end == CSV_BROKEN) {
        return tkt_err_set(err, TKT_ERR_CONF, "a quote that is not closed");
    }
    if (!has[COLUMN_TEXT] && !has[COLUMN_SUBJECT]) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "no column text; the first line names the columns: "
                           "text,category");
    }
    if (!has[COLUMN_CATEGORY] && !has[COLUMN_GROUP] && !has[COLUMN_URGENCY]) {
        return tkt_err_set(err, TKT_ERR_CONF, "no column category, group or urgency");
    }
    return 0;
}

static int take_row(struct tkt_dataset *d, struct csv *c, const int *columns,
                    size_t count, struct tkt_err *err)
{
    static char none[] = "";
    char *values[COLUMN_COUNT] = {none, none, none, none, none, none};
    enum csv_end end = CSV_MORE;
    size_t n = 0;

    for (; end == CSV_MORE; n++) {
        char *field = NULL;
        end = take_field(c, &field);
        if (n < count && columns[n] >= 0) {
            values[columns[n]] = field;
        }
    }
    if (end == CSV_BROKEN) {
        return tkt_err_set(err, TKT_ERR_CONF, "a quote that is not closed");
    }
    if (n == 1 && count > 1 && values[COLUMN_TEXT][0] == '\0') {
        return 0; /* an empty line */
    }
    if (n != count) {
        return tkt_err_set(err, TKT_ERR_CONF, "%zu fields, the first line has %zu", n,
                           count);
    }
    return keep(d, values, err);
}

static int read_csv(struct tkt_dataset *d, char *data, size_t n, size_t *line,
                    struct tkt_err *err)
{
    struct csv c = {data, data + n, 1};
    int columns[TKT_DATASET_COLUMNS_MAX];
    size_t count = 0;

    *line = 1;
    if (take_header(&c, columns, &count, err) < 0) {
        return -1;
    }
    while (c.at < c.end) {
        *line = c.line;
        if (take_row(d, &c, columns, count, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- JSON ---- */

static int take_object(struct tkt_dataset *d, const cJSON *object, struct tkt_err *err)
{
    char *values[COLUMN_COUNT];
    char number[32];

    if (!cJSON_IsObject(object)) {
        return tkt_err_set(err, TKT_ERR_CONF, "not a JSON object");
    }
    for (int i = 0; i < COLUMN_COUNT; i++) {
        const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, column_names[i]);
        const char *s = cJSON_IsString(v) ? v->valuestring : "";
        if (cJSON_IsNumber(v)) {
            (void)snprintf(number, sizeof(number), "%g", v->valuedouble); /* fits */
            s = number;
        } else if (v != NULL && !cJSON_IsString(v) && !cJSON_IsNull(v)) {
            return tkt_err_set(err, TKT_ERR_CONF, "%s is not a string", column_names[i]);
        }
        values[i] = copy(d, s);
        if (values[i] == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
    }
    return keep(d, values, err);
}

static int read_json(struct tkt_dataset *d, const char *data, size_t n, size_t *line,
                     struct tkt_err *err)
{
    const char *end = data + n;

    for (*line = 1; data < end; (*line)++) {
        const char *nl = memchr(data, '\n', (size_t)(end - data));
        size_t len = (size_t)((nl == NULL ? end : nl) - data);
        if (strspn(data, " \t\r") < len) {
            cJSON *object = cJSON_ParseWithLength(data, len);
            int rc = object == NULL ? tkt_err_set(err, TKT_ERR_CONF, "not a JSON object")
                                    : take_object(d, object, err);
            cJSON_Delete(object);
            if (rc < 0) {
                return -1;
            }
        }
        data += len + 1;
    }
    return 0;
}

/* ---- files ---- */

/* Keeps data, whose byte behind its end is NUL. */
static int read_owned(struct tkt_dataset *d, const char *name, char *data, size_t n,
                      struct tkt_err *err)
{
    size_t line = 1;
    void *bigger = realloc(d->buffers, (d->buffer_count + 1) * sizeof(*d->buffers));

    if (bigger == NULL) {
        free(data);
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    d->buffers = bigger;
    d->buffers[d->buffer_count++] = data;
    if (memchr(data, '\0', n) != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: not a text file", name);
    }
    size_t skip = strncmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    char *at = data + skip;
    int rc = at[strspn(at, " \t\r\n")] == '{' ? read_json(d, at, n - skip, &line, err)
                                              : read_csv(d, at, n - skip, &line, err);
    return rc < 0 ? tkt_err_prefix(err, "%s:%zu", name, line) : 0;
}

int tkt_dataset_read_text(struct tkt_dataset *d, const char *name, const char *data,
                          size_t n, struct tkt_err *err)
{
    char *own = malloc(n + 1);

    if (own == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
    }
    memcpy(own, data, n);
    own[n] = '\0';
    return read_owned(d, name, own, n, err);
}

int tkt_dataset_read(struct tkt_dataset *d, const char *path, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(TKT_DATASET_FILE_MAX);
    bool is_stdin = strcmp(path, "-") == 0;
    size_t n = 0;

    if (is_stdin ? tkt_read_fd(STDIN_FILENO, &b, err) < 0
                 : tkt_read_file(path, &b, err) < 0) {
        return -1;
    }
    if (b.len == 0) {
        return tkt_err_set(err, TKT_ERR_CONF, "%s: empty", path);
    }
    char *data = tkt_buf_take(&b, &n);
    return read_owned(d, is_stdin ? "standard input" : path, data, n, err);
}
