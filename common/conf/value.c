/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/value.h"

#include "base/enc.h"
#include "base/util.h"
#include "conf/unit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void *target(const struct tkt_conf_row *row, void *base)
{
    return (char *)base + row->offset;
}

/* ---- text to numbers ---- */

static int split_number(const char *text, int64_t *number, const char **rest)
{
    size_t digits = strspn(text, "0123456789");
    char copy[20];

    if (digits == 0 || digits >= sizeof(copy)) {
        return -1;
    }
    memcpy(copy, text, digits);
    copy[digits] = '\0';
    *rest = text + digits;
    return tkt_parse_int(copy, 0, INT64_MAX, number);
}

static int parse_with_units(const char *text, const struct tkt_conf_unit *units,
                            bool any_case, int64_t *out)
{
    const char *rest;
    int64_t number;

    if (split_number(text, &number, &rest) < 0) {
        return -1;
    }
    for (const struct tkt_conf_unit *u = units; u->name != NULL; u++) {
        bool same = any_case ? tkt_ascii_ieq(rest, u->name) : strcmp(rest, u->name) == 0;
        if (same) {
            return __builtin_mul_overflow(number, u->factor, out) ? -1 : 0;
        }
    }
    if (number == 0 && *rest == '\0') { /* no time needs no unit */
        *out = 0;
        return 0;
    }
    return -1;
}

static int parse_octal(const char *text, int64_t *out)
{
    if (*text == '\0' || strlen(text) > 4 || text[strspn(text, "01234567")] != '\0') {
        return -1;
    }
    *out = strtol(text, NULL, 8);
    return 0;
}

static int parse_bool(const char *text, bool *out)
{
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (tkt_ascii_ieq(text, words[i])) {
            *out = i % 2 == 1;
            return 0;
        }
    }
    return -1;
}

/* ---- errors ---- */

static void add_words(const struct tkt_conf_row *row, struct tkt_buf *out)
{
    for (const struct tkt_conf_word *w = row->words; w->word != NULL; w++) {
        bool last = w[1].word == NULL;
        const char *before = w == row->words ? "" : last ? " or " : ", ";
        (void)tkt_buf_addf(out, "%s%s", before,
                           w->word); /* a cut help text is still one */
    }
}

static const char *wanted(enum tkt_conf_type type)
{
    switch (type) {
    case TKT_CONF_BOOL:
        return "yes or no";
    case TKT_CONF_SIZE:
        return "a number with nothing, k, M or G behind it, such as 64k";
    case TKT_CONF_TIME:
        return "a number with ms, s, m, h, d or w behind it, such as 8s";
    case TKT_CONF_OCTAL:
        return "octal digits such as 007";
    default:
        return "a whole number";
    }
}

static int not_a_value(const struct tkt_conf_row *row, const char *text,
                       struct tkt_err *err)
{
    static const char *const things[] = {[TKT_CONF_BOOL] = "yes or no",
                                         [TKT_CONF_INT] = "a number",
                                         [TKT_CONF_SIZE] = "a size",
                                         [TKT_CONF_TIME] = "a time",
                                         [TKT_CONF_OCTAL] = "a umask"};

    if (row->words == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "\"%.60s\" is not %s; write %s", text,
                           things[row->type], wanted(row->type));
    }
    TKT_AUTO_BUF struct tkt_buf words = TKT_BUF_INIT(200);
    add_words(row, &words);
    return tkt_err_set(err, TKT_ERR_CONF, "\"%.60s\" is not known here; write %s", text,
                       tkt_buf_str(&words));
}

static int out_of_range(const struct tkt_conf_row *row, const char *text,
                        struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(100);

    (void)tkt_conf_number_format(row->type, row->min,
                                 &b); /* 100 bytes hold two numbers */
    (void)tkt_buf_adds(&b, " to ");   /* as above */
    (void)tkt_conf_number_format(row->type, row->max, &b); /* as above */
    return tkt_err_set(err, TKT_ERR_CONF, "%.60s is out of range; write %s %s", text,
                       row->type == TKT_CONF_OCTAL ? "octal" : "a value of",
                       tkt_buf_str(&b));
}

/* ---- set ---- */

static const struct tkt_conf_word *find_word(const struct tkt_conf_row *row,
                                             const char *text)
{
    for (const struct tkt_conf_word *w = row->words; w != NULL && w->word != NULL; w++) {
        if (strcmp(w->word, text) == 0) {
            return w;
        }
    }
    return NULL;
}

static int set_number(const struct tkt_conf_row *row, int64_t *out, const char *text,
                      struct tkt_err *err)
{
    const struct tkt_conf_word *word = find_word(row, text);
    int64_t v = 0;
    int rc;

    if (word != NULL) {
        *out = word->value;
        return 0;
    }
    if (row->type == TKT_CONF_TIME) {
        rc = parse_with_units(text, tkt_conf_time_units, false, &v);
    } else if (row->type == TKT_CONF_SIZE) {
        rc = parse_with_units(text, tkt_conf_size_units, true, &v);
    } else if (row->type == TKT_CONF_OCTAL) {
        rc = parse_octal(text, &v);
    } else {
        rc = tkt_parse_int(text, INT64_MIN, INT64_MAX, &v);
    }
    if (rc < 0) {
        return not_a_value(row, text, err);
    }
    if (v < row->min || v > row->max) {
        return out_of_range(row, text, err);
    }
    *out = v;
    return 0;
}

static bool has_control_byte(const char *s)
{
    for (; *s != '\0'; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f) {
            return true;
        }
    }
    return false;
}

/* What every string must be, items of lists too. */
static int check_string(const struct tkt_conf_row *row, const char *text,
                        struct tkt_err *err)
{
    size_t max = row->type == TKT_CONF_STRING ? (size_t)row->max : (size_t)row->item_max;

    if (!tkt_utf8_valid(text, strlen(text))) {
        return tkt_err_set(err, TKT_ERR_CONF, "not valid UTF-8; save the file as UTF-8");
    }
    if (has_control_byte(text)) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "a control character in the value; remove it");
    }
    if (row->words != NULL && find_word(row, text) == NULL) {
        return not_a_value(row, text, err);
    }
    const char *want = row->check != NULL ? row->check(text) : NULL;
    if (want != NULL && row->secret) { /* it may be the secret itself */
        return tkt_err_set(err, TKT_ERR_CONF, "what stands here does not fit; write %s",
                           want);
    }
    if (want != NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "\"%.100s\" does not fit; write %s", text,
                           want);
    }
    max = max == 0 ? 255 : max;
    if (strlen(text) > max) {
        return tkt_err_set(err, TKT_ERR_CONF, "%zu bytes are too long; write at most %zu",
                           strlen(text), max);
    }
    return 0;
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

static int set_string(const struct tkt_conf_row *row, char **out, const char *text,
                      struct tkt_err *err)
{
    if (check_string(row, text, err) < 0) {
        return -1;
    }
    char *copy = strdup(text);
    if (copy == NULL) {
        return no_memory(err);
    }
    free(*out);
    *out = copy;
    return 0;
}

static int add_item(const struct tkt_conf_row *row, struct tkt_conf_list *list,
                    const char *text, struct tkt_err *err)
{
    if (text[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_CONF, "an empty item; remove it");
    }
    if (check_string(row, text, err) < 0) {
        return -1;
    }
    if (tkt_conf_list_has(list, text)) {
        return tkt_err_set(err, TKT_ERR_CONF, "\"%.100s\" stands twice; remove one",
                           text);
    }
    if ((int64_t)list->count >= row->max) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "more than %" PRId64 " items; write at most %" PRId64,
                           row->max, row->max);
    }
    return tkt_conf_list_add(list, text) < 0 ? no_memory(err) : 0;
}

static int set_enum(const struct tkt_conf_row *row, void *out, const char *text,
                    struct tkt_err *err)
{
    const struct tkt_conf_word *word = find_word(row, text);

    if (word == NULL) {
        return not_a_value(row, text, err);
    }
    if (row->size == sizeof(bool)) {
        *(bool *)out = word->value != 0;
    } else {
        memcpy(out, &word->value, sizeof(word->value));
    }
    return 0;
}

int tkt_conf_value_set(const struct tkt_conf_row *row, void *base, const char *text,
                       struct tkt_err *err)
{
    void *out = target(row, base);

    switch (row->type) {
    case TKT_CONF_BOOL:
        return parse_bool(text, out) < 0 ? not_a_value(row, text, err) : 0;
    case TKT_CONF_STRING:
        return set_string(row, out, text, err);
    case TKT_CONF_LIST:
        return add_item(row, out, text, err);
    case TKT_CONF_ENUM:
        return set_enum(row, out, text, err);
    default:
        return set_number(row, out, text, err);
    }
}

/* ---- default, clear, release ---- */

static int default_list(const char *def, struct tkt_conf_list *list)
{
    while (*def != '\0') {
        size_t n = strcspn(def, " ");
        TKT_AUTO_FREE char *item = strndup(def, n);
        if (item == NULL || tkt_conf_list_add(list, item) < 0) {
            return -1;
        }
        def += n + strspn(def + n, " ");
    }
    return 0;
}

int tkt_conf_value_default(const struct tkt_conf_row *row, void *base)
{
    if (row->type == TKT_CONF_LIST) {
        return default_list(row->def, target(row, base));
    }
    if (row->type == TKT_CONF_STRING) { /* unchecked: a built-in path may be any */
        char *copy = strdup(row->def);
        *(char **)target(row, base) = copy;
        return copy == NULL ? -1 : 0;
    }
    struct tkt_err err = TKT_ERR_INIT;
    return tkt_conf_value_set(row, base, row->def, &err);
}

int tkt_conf_value_clear(const struct tkt_conf_row *row, void *base)
{
    tkt_conf_value_release(row, base);
    return row->type == TKT_CONF_LIST ? 0 : tkt_conf_value_default(row, base);
}

void tkt_conf_value_release(const struct tkt_conf_row *row, void *base)
{
    if (row->type == TKT_CONF_LIST) {
        tkt_conf_list_release(target(row, base));
    } else if (row->type == TKT_CONF_STRING) {
        char **s = target(row, base);
        free(*s);
        *s = NULL;
    }
}
