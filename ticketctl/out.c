/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketctl/out.h"
#include "base/util.h"

#include <math.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <utf8proc.h>

#define CELL_MAX 4096
#define COLUMNS_MAX 24
#define REPLACEMENT "\xef\xbf\xbd"

/* Characters that move the cursor, switch modes, or reorder what a person sees. */
static bool is_unsafe(utf8proc_int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x200e || c == 0x200f || c == 0x2028 ||
           c == 0x2029;
}

static utf8proc_ssize_t next_char(const char *s, size_t n, utf8proc_int32_t *c)
{
    utf8proc_ssize_t got =
        utf8proc_iterate((const utf8proc_uint8_t *)s, (utf8proc_ssize_t)n, c);
    if (got <= 0) {
        *c = -1;
        return 1;
    }
    return got;
}

int tkt_ctl_clean_add(struct tkt_buf *out, const char *s, size_t n, bool lines)
{
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t c;
        size_t len = (size_t)next_char(s + at, n - at, &c);
        if (c == '\n' || c == '\t') {
            tkt_buf_addc(out, lines ? s[at] : ' ');
        } else if (c == '\r' && at + 1 < n && s[at + 1] == '\n') {
            ; /* CRLF is one end of line */
        } else if (c < 0 || is_unsafe(c)) {
            tkt_buf_adds(out, REPLACEMENT);
        } else {
            tkt_buf_add(out, s + at, len);
        }
        at += len;
    }
    return out->failed ? -1 : 0;
}

void tkt_ctl_put_clean(FILE *to, const char *s)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(3 * strlen(s) + 8);
    (void)tkt_ctl_clean_add(&b, s, strlen(s), false); /* the maximum fits any input */
    fputs(tkt_buf_str(&b), to);
}

void tkt_ctl_put_block(FILE *to, const char *indent, const char *s)
{
    while (*s != '\0') {
        size_t n = strcspn(s, "\n");
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(3 * n + 8);
        size_t text = n > 0 && s[n - 1] == '\r' ? n - 1 : n;
        (void)tkt_ctl_clean_add(&b, s, text, true); /* the maximum fits any input */
        fprintf(to, "%s%s\n", text > 0 ? indent : "", tkt_buf_str(&b));
        s += n;
        s += *s == '\n';
    }
}

int tkt_ctl_width(const char *s)
{
    int width = 0;
    size_t n = strlen(s);
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t c;
        at += (size_t)next_char(s + at, n - at, &c);
        width += c < 0 ? 1 : utf8proc_charwidth(c);
    }
    return width;
}

size_t tkt_ctl_fit(const char *s, int columns)
{
    int width = 0;
    size_t n = strlen(s);
    for (size_t at = 0; at < n;) {
        utf8proc_int32_t c;
        size_t len = (size_t)next_char(s + at, n - at, &c);
        width += c < 0 ? 1 : utf8proc_charwidth(c);
        if (width > columns) {
            return at;
        }
        at += len;
    }
    return n;
}

const char *tkt_ctl_str(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsString(v) ? v->valuestring : "";
}

double tkt_ctl_num(const cJSON *object, const char *key)
{
    const cJSON *v = cJSON_GetObjectItemCaseSensitive(object, key);
    return cJSON_IsNumber(v) ? v->valuedouble : 0;
}

/* RFC 3339 in UTC, as ticketd writes it, in the time of the person. */
static void add_time(const char *utc, struct tkt_buf *out)
{
    struct tm tm = {0};
    char text[32];
    if (strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm) == NULL) {
        tkt_ctl_clean_add(out, utc, strlen(utc), false);
        return;
    }
    time_t t = timegm(&tm);
    if (localtime_r(&t, &tm) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) > 0) {
        tkt_buf_adds(out, text);
    }
}

static void add_size(double bytes, struct tkt_buf *out)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    size_t u = 0;
    while (bytes >= 1024 && u + 1 < TKT_ARRAY_LEN(units)) {
        bytes /= 1024;
        u++;
    }
    tkt_buf_addf(out, u == 0 ? "%.0f %s" : "%.1f %s", bytes, units[u]);
}

static void add_span(double ms, struct tkt_buf *out)
{
    static const struct {
        double below_ms;
        double unit_ms;
        int decimals;
        const char *unit;
    } spans[] = {
        {1000, 1, 0, "ms"},
        {60000, 1000, 1, "s"},
        {3600000, 60000, 0, "min"},
        {172800000, 3600000, 1, "h"},
    };
    for (size_t i = 0; i < TKT_ARRAY_LEN(spans); i++) {
        if (ms < spans[i].below_ms) {
            tkt_buf_addf(out, "%.*f %s", spans[i].decimals, ms / spans[i].unit_ms,
                         spans[i].unit);
            return;
        }
    }
    tkt_buf_addf(out, "%.1f d", ms / 86400000);
}

static void add_number(double n, struct tkt_buf *out)
{
    tkt_buf_addf(out, n == floor(n) ? "%.0f" : "%.2f", n);
}

void tkt_ctl_cell(const cJSON *value, enum tkt_ctl_kind kind, struct tkt_buf *out)
{
    if (cJSON_IsString(value) && kind == TKT_CTL_TIME) {
        add_time(value->valuestring, out);
    } else if (cJSON_IsString(value)) {
        tkt_ctl_clean_add(out, value->valuestring, strlen(value->valuestring), false);
    } else if (cJSON_IsNumber(value) && kind == TKT_CTL_SIZE) {
        add_size(value->valuedouble, out);
    } else if (cJSON_IsNumber(value) && kind == TKT_CTL_SPAN) {
        add_span(value->valuedouble, out);
    } else if (cJSON_IsNumber(value)) {
        add_number(value->valuedouble, out);
    } else if (cJSON_IsBool(value)) {
        tkt_buf_adds(out, cJSON_IsTrue(value) ? "yes" : "no");
    } else if (cJSON_IsArray(value)) {
        const cJSON *item;
        cJSON_ArrayForEach(item, value)
        {
            tkt_buf_adds(out, item == value->child ? "" : ", ");
            if (!cJSON_IsArray(item) && !cJSON_IsObject(item)) { /* one level of names */
                tkt_ctl_cell(item, kind, out);
            }
        }
    }
}

/* Columns of the terminal, or 0 when the output is none. */
static int terminal_columns(FILE *to)
{
    struct winsize ws;
    if (!isatty(fileno(to))) {
        return 0;
    }
    if (ioctl(fileno(to), TIOCGWINSZ, &ws) == 0 && ws.ws_col > 0) {
        return ws.ws_col;
    }
    return 80;
}

static char *cell_text(const cJSON *row, const struct tkt_ctl_col *col)
{
    struct tkt_buf b = TKT_BUF_INIT(CELL_MAX);
    tkt_ctl_cell(cJSON_GetObjectItemCaseSensitive(row, col->key), col->kind, &b);
    b.failed = false; /* a cell is cut at CELL_MAX */
    char *text = tkt_buf_take(&b, NULL);
    tkt_buf_release(&b);
    return text;
}

static void measure(const struct tkt_ctl_col *cols, size_t count, const cJSON *array,
                    int *widths)
{
    const cJSON *row;
    cJSON_ArrayForEach(row, array)
    {
        for (size_t i = 0; i < count; i++) {
            TKT_AUTO_FREE char *text = cell_text(row, &cols[i]);
            widths[i] = TKT_MAX(widths[i], text != NULL ? tkt_ctl_width(text) : 0);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (widths[i] > 0) {
            widths[i] = TKT_MAX(widths[i], tkt_ctl_width(cols[i].title));
        }
    }
}

/* On a terminal each column keeps to its maximum and the open one takes the rest. */
static void squeeze(const struct tkt_ctl_col *cols, size_t count, int columns,
                    int *widths)
{
    int used = 0;
    for (size_t i = 0; i < count; i++) {
        if (cols[i].max > 0) {
            widths[i] = TKT_MIN(widths[i], cols[i].max);
            used += widths[i] > 0 ? widths[i] + 2 : 0;
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (cols[i].max == 0 && widths[i] > 0) {
            widths[i] = TKT_MIN(widths[i], TKT_MAX(columns - used, 16));
        }
    }
}

static void put_cell(FILE *to, const char *text, int width, bool right, bool last)
{
    size_t n = tkt_ctl_fit(text, width);
    bool cut = text[n] != '\0' && width > 1;
    if (cut) {
        n = tkt_ctl_fit(text, width - 1);
    }
    TKT_AUTO_FREE char *shown = strndup(text, n);
    int pad = width - (cut ? 1 : 0) - tkt_ctl_width(shown != NULL ? shown : "");
    if (pad < 0) {
        pad = 0;
    }
    fprintf(to, "%*s%.*s%s", right ? pad : 0, "", (int)n, text, cut ? "…" : "");
    if (!last) {
        fprintf(to, "%*s  ", right ? 0 : pad, "");
    }
}

static void put_row(FILE *to, const struct tkt_ctl_col *cols, size_t count,
                    const int *widths, const cJSON *row)
{
    size_t last = 0;
    for (size_t i = 0; i < count; i++) {
        last = widths[i] > 0 ? i : last;
    }
    for (size_t i = 0; i < count; i++) {
        if (widths[i] > 0) {
            TKT_AUTO_FREE char *text =
                row != NULL ? cell_text(row, &cols[i]) : strdup(cols[i].title);
            bool right = cols[i].kind == TKT_CTL_NUMBER || cols[i].kind == TKT_CTL_SIZE;
            put_cell(to, text != NULL ? text : "", widths[i], right, i == last);
        }
    }
    fputc('\n', to);
}

void tkt_ctl_put_table(FILE *to, const struct tkt_ctl_col *cols, size_t count,
                       const cJSON *array)
{
    int widths[COLUMNS_MAX] = {0};
    count = TKT_MIN(count, TKT_ARRAY_LEN(widths));
    if (cJSON_GetArraySize(array) == 0) {
        return;
    }
    measure(cols, count, array, widths);
    int columns = terminal_columns(to);
    if (columns > 0) {
        squeeze(cols, count, columns, widths);
    }
    put_row(to, cols, count, widths, NULL);
    const cJSON *row;
    cJSON_ArrayForEach(row, array)
    {
        put_row(to, cols, count, widths, row);
    }
}

/* The unit in which ticketd counts ends a key's name; people see another. */
static enum tkt_ctl_kind kind_of_key(const char *key, size_t *shown)
{
    static const struct {
        const char *ending;
        enum tkt_ctl_kind kind;
    } units[] = {{"_bytes", TKT_CTL_SIZE}, {"_ms", TKT_CTL_SPAN}};

    *shown = strlen(key);
    for (size_t i = 0; i < TKT_ARRAY_LEN(units); i++) {
        size_t n = strlen(units[i].ending);
        if (*shown > n && strcmp(key + *shown - n, units[i].ending) == 0) {
            *shown -= n;
            return units[i].kind;
        }
    }
    return TKT_CTL_TEXT;
}

static bool is_flat(const cJSON *v)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, v)
    {
        if (cJSON_IsObject(item) || cJSON_IsArray(item)) {
            return false;
        }
    }
    return !cJSON_IsObject(v);
}

void tkt_ctl_put_object(FILE *to, const cJSON *object, int depth)
{
    const cJSON *v;
    cJSON_ArrayForEach(v, object)
    {
        enum tkt_ctl_kind kind = TKT_CTL_TEXT;
        fprintf(to, "%*s", 2 * depth, "");
        if (v->string != NULL) {
            TKT_AUTO_BUF struct tkt_buf key = TKT_BUF_INIT(CELL_MAX);
            size_t shown;
            kind = kind_of_key(v->string, &shown);
            tkt_ctl_clean_add(&key, v->string, shown, false);
            fprintf(to, "%s:", tkt_buf_str(&key));
        } else {
            fputc('-', to);
        }
        if (is_flat(v)) {
            TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(65536);
            tkt_ctl_cell(v, kind, &b);
            fprintf(to, " %s\n", tkt_buf_str(&b));
        } else {
            fputc('\n', to);
            if (depth < 8) { /* ours are not deeper */
                tkt_ctl_put_object(to, v, depth + 1);
            }
        }
    }
}

/* What is too much for a cell, such as a decision's reasons: `explain` tells them. */
static bool is_list_of_objects(const cJSON *v)
{
    return cJSON_IsArray(v) && cJSON_IsObject(v->child);
}

void tkt_ctl_put_members(struct tkt_buf *out, const cJSON *object)
{
    size_t start = out->len;
    const cJSON *v;
    cJSON_ArrayForEach(v, object)
    {
        if (v->string != NULL && !(cJSON_IsString(v) && v->valuestring[0] == '\0')) {
            tkt_buf_adds(out, out->len == start ? "" : " ");
            tkt_ctl_clean_add(out, v->string, strlen(v->string), false);
            tkt_buf_addc(out, '=');
            if (is_list_of_objects(v)) {
                tkt_buf_addf(out, "%d", cJSON_GetArraySize(v));
            } else {
                tkt_ctl_cell(v, TKT_CTL_TEXT, out);
            }
        }
    }
}

static void put_json(FILE *to, const char *json, size_t n, bool one_line)
{
    bool indent = false; /* within the blanks that begin a line */
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)json[i];
        unsigned char next = i + 1 < n ? (unsigned char)json[i + 1] : 0;
        if (one_line && (c == '\n' || (indent && c == ' '))) {
            indent = true; /* no string has a newline in it: they are escaped */
            continue;
        }
        indent = false;
        if (c == 0x7f) {
            fputs("\\u007f", to);
        } else if (c == 0xc2 && next >= 0x80 && next < 0xa0) {
            fprintf(to, "\\u00%02x", next);
            i++;
        } else if (c >= 0x20 || c == '\n' || c == '\t') {
            fputc(c, to);
        }
    }
    if (n == 0 || one_line || json[n - 1] != '\n') {
        fputc('\n', to);
    }
}

void tkt_ctl_put_json(FILE *to, const char *json, size_t n)
{
    put_json(to, json, n, false);
}

void tkt_ctl_put_json_line(FILE *to, const char *json, size_t n)
{
    put_json(to, json, n, true);
}
