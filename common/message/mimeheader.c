/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/mimeheader.h"

#include "base/cfws.h"
#include "base/enc.h"
#include "base/util.h"
#include "message/charset.h"
#include "message/rfc2047.h"

#include <string.h>

#define PARAM_NAME_MAX 64
#define PARAM_VALUE_MAX 4096
#define CONTENT_ID_MAX 998
#define SECTIONS_MAX 64 /* of one RFC 2231 value */

struct lexer {
    const char *at;
    const char *end;
};

static bool is_tspecial(char c)
{
    return strchr("()<>@,;:\\\"/[]?=", c) != NULL;
}

static bool is_token_byte(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && !is_tspecial(c);
}

/* A token into out (cut at its size), in lower case; false when there is none. */
static bool take_token(struct lexer *l, char *out, size_t size)
{
    size_t len = 0;
    const char *start = l->at;

    for (; l->at < l->end && is_token_byte(*l->at); l->at++) {
        if (len + 1 < size) {
            out[len++] = *l->at;
        }
    }
    out[len] = '\0';
    tkt_ascii_lower(out);
    return l->at > start;
}

/* A quoted-string, or whatever stands up to the next ';' or comment: filenames with
 * blanks are often not quoted. */
static void take_value(struct lexer *l, struct tkt_buf *out)
{
    bool quoted = l->at < l->end && *l->at == '"';

    l->at += quoted ? 1 : 0;
    for (; l->at < l->end; l->at++) {
        char c = *l->at;
        if (quoted && c == '"') {
            l->at++;
            return;
        }
        /* "C:\dir\file": before anything else a backslash is one. */
        bool escapes = l->at + 1 < l->end && strchr("\"\\", l->at[1]) != NULL;
        if (quoted && c == '\\' && escapes) {
            c = *++l->at;
        } else if (!quoted && (c == ';' || c == '(')) {
            break;
        }
        if (c != '\r' && c != '\n' && out->len < PARAM_VALUE_MAX) {
            tkt_buf_addc(out, c);
        }
    }
    while (out->len > 0 && strchr(" \t", out->data[out->len - 1]) != NULL) {
        out->data[--out->len] = '\0';
    }
}

/* ---- parameters: plain, encoded (name*), in sections (name*0, name*1*) ---- */

struct section {
    size_t at;
    size_t len;
    bool encoded;
};

/* One parameter that we want, gathered while the field is read. */
struct wanted {
    const char *name;
    bool is_set; /* by a plain value */
    size_t plain_at;
    size_t plain_len;
    struct section sections[SECTIONS_MAX];
    unsigned section_count; /* highest number + 1 that is there */
};

static void keep_section(struct wanted *w, const char *suffix, size_t at, size_t len)
{
    unsigned number = 0;
    bool encoded = false;

    if (*suffix >= '0' && *suffix <= '9') {
        for (; *suffix >= '0' && *suffix <= '9' && number < SECTIONS_MAX; suffix++) {
            number = number * 10 + (unsigned)(*suffix - '0');
        }
        encoded = *suffix == '*';
    } else {
        encoded = true; /* name*=charset'lang'value */
    }
    if (number >= SECTIONS_MAX || w->sections[number].len > 0) {
        return;
    }
    w->sections[number] = (struct section){at, len, encoded};
    w->section_count = TKT_MAX(w->section_count, number + 1);
}

static void keep_param(struct wanted *wanted, size_t count, const char *name, size_t at,
                       size_t len)
{
    for (size_t i = 0; i < count; i++) {
        size_t n = strlen(wanted[i].name);
        if (strncmp(name, wanted[i].name, n) != 0) {
            continue;
        }
        if (name[n] == '\0' && !wanted[i].is_set) {
            wanted[i].is_set = true;
            wanted[i].plain_at = at;
            wanted[i].plain_len = len;
        } else if (name[n] == '*') {
            keep_section(&wanted[i], name + n + 1, at, len);
        }
    }
}

static void read_params(struct lexer *l, struct wanted *wanted, size_t count,
                        size_t params_max, struct tkt_buf *values, bool *too_many)
{
    for (size_t seen = 0; l->at < l->end;) {
        char name[PARAM_NAME_MAX];
        l->at = tkt_cfws_end(l->at, l->end);
        while (l->at < l->end && *l->at != ';' && !is_token_byte(*l->at)) {
            l->at++; /* garbage */
        }
        if (l->at < l->end && *l->at == ';') {
            l->at++;
            continue;
        }
        if (!take_token(l, name, sizeof(name))) {
            return;
        }
        if (++seen > params_max) {
            *too_many = true;
            return;
        }
        l->at = tkt_cfws_end(l->at, l->end);
        if (l->at == l->end || *l->at != '=') {
            continue;
        }
        l->at++;
        l->at = tkt_cfws_end(l->at, l->end);
        size_t at = values->len;
        TKT_AUTO_BUF struct tkt_buf value = TKT_BUF_INIT(PARAM_VALUE_MAX);
        take_value(l, &value);
        tkt_buf_add(values, tkt_buf_str(&value), value.len);
        keep_param(wanted, count, name, at, value.len);
    }
}

static void percent_decode(struct tkt_buf *out, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char byte = 0;
        if (p[i] == '%' && n - i > 2 && tkt_hex_decode(p + i + 1, 2, &byte, 1) == 1) {
            tkt_buf_addc(out, byte);
            i += 2;
        } else {
            tkt_buf_addc(out, p[i]);
        }
    }
}

/* charset'language' of the first section: sets *charset, returns what is behind it. */
static size_t skip_charset(const char *p, size_t n, const char **charset,
                           size_t *charset_len)
{
    const char *first = memchr(p, '\'', n);
    const char *second =
        first == NULL ? NULL : memchr(first + 1, '\'', (size_t)(p + n - first - 1));

    if (second == NULL) {
        return 0;
    }
    *charset = p;
    *charset_len = (size_t)(first - p);
    return (size_t)(second + 1 - p);
}

/* Sections are counted from 0; some senders begin with 1. */
static unsigned first_section(const struct wanted *w)
{
    return w->section_count > 1 && w->sections[0].len == 0 ? 1 : 0;
}

/* Encoded-words have no place in there and are found all the same. */
static void add_text(struct tkt_buf *text, const char *charset, size_t charset_len,
                     const struct tkt_buf *raw)
{
    if (raw->len > 0 && memmem(raw->data, raw->len, "=?", 2) != NULL) {
        tkt_rfc2047_add(text, raw->data, raw->len);
        return;
    }
    tkt_charset_add(text, charset, charset_len, tkt_buf_str(raw), raw->len, NULL);
    tkt_header_compose(text, 0);
}

static void join_sections(const struct wanted *w, const char *values,
                          struct tkt_buf *text)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(SECTIONS_MAX * PARAM_VALUE_MAX);
    const char *charset = "";
    size_t charset_len = 0;
    unsigned first = first_section(w);

    for (unsigned i = first; i < w->section_count; i++) {
        const char *p = values + w->sections[i].at;
        size_t n = w->sections[i].len;
        if (n == 0) {
            break; /* a gap ends it */
        }
        if (!w->sections[i].encoded) {
            tkt_buf_add(&raw, p, n);
            continue;
        }
        size_t skip = i == first ? skip_charset(p, n, &charset, &charset_len) : 0;
        percent_decode(&raw, p + skip, n - skip);
    }
    add_text(text, charset, charset_len, &raw);
}

/* The value as text, or NULL when it is absent. Encoded-words are not allowed here and
 * written all the same. */
static char *text_of(struct tkt_mime_header *h, const struct wanted *w,
                     const char *values, struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(4 * SECTIONS_MAX * PARAM_VALUE_MAX);

    if (w->section_count > 0 && w->sections[first_section(w)].len > 0) {
        join_sections(w, values, &text);
    } else if (w->is_set) {
        tkt_rfc2047_add(&text, values + w->plain_at, w->plain_len);
    } else {
        return NULL;
    }
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];
        text.data[i] = c < ' ' || c == 0x7f ? ' ' : text.data[i];
    }
    size_t max = h->name_max > 0 ? h->name_max : TKT_MIME_NAME_MAX;
    const char *start = tkt_buf_str(&text);
    size_t n = text.len;
    while (n > 0 && *start == ' ') {
        start++;
        n--;
    }
    n = tkt_utf8_cut(start, n, max);
    while (n > 0 && start[n - 1] == ' ') {
        n--;
    }
    char *s = tkt_wire_arena_strdup(arena, start, n);
    h->no_memory = h->no_memory || s == NULL;
    return s;
}

/* The value byte for byte (a boundary is compared with lines of the message). */
static char *bytes_of(struct tkt_mime_header *h, const struct wanted *w,
                      const char *values, struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf joined = TKT_BUF_INIT(SECTIONS_MAX * PARAM_VALUE_MAX);

    if (w->is_set) {
        tkt_buf_add(&joined, values + w->plain_at, w->plain_len);
    } else if (w->section_count > 0) {
        join_sections(w, values, &joined);
    }
    size_t n = joined.len;
    while (n > 0 && strchr(" \t", joined.data[n - 1]) != NULL) {
        n--;
    }
    if (n == 0 || n > TKT_BOUNDARY_MAX || memchr(joined.data, '\0', n) != NULL) {
        return NULL;
    }
    char *s = tkt_wire_arena_strdup(arena, joined.data, n);
    h->no_memory = h->no_memory || s == NULL;
    return s;
}

enum {
    CHARSET,
    BOUNDARY,
    NAME,
    FORMAT,
    DELSP,
    REPORT_TYPE,
    SMIME_TYPE,
    PROTOCOL,
    WANTED
};

static bool value_is(struct tkt_mime_header *h, const struct wanted *w,
                     const char *values, const char *word, struct tkt_wire_arena *arena)
{
    const char *value = w->is_set ? bytes_of(h, w, values, arena) : NULL;

    return value != NULL && tkt_ascii_ieq(value, word);
}

static void add_content_type(struct tkt_mime_header *h, struct lexer *l,
                             size_t params_max, struct tkt_wire_arena *arena)
{
    char type[TKT_MIME_TYPE_MAX / 2];
    char subtype[TKT_MIME_TYPE_MAX / 2];
    struct wanted w[WANTED] = {[CHARSET] = {.name = "charset"},
                               [BOUNDARY] = {.name = "boundary"},
                               [NAME] = {.name = "name"},
                               [FORMAT] = {.name = "format"},
                               [DELSP] = {.name = "delsp"},
                               [REPORT_TYPE] = {.name = "report-type"},
                               [SMIME_TYPE] = {.name = "smime-type"},
                               [PROTOCOL] = {.name = "protocol"}};
    TKT_AUTO_BUF struct tkt_buf values = TKT_BUF_INIT((size_t)(l->end - l->at) + 1);

    l->at = tkt_cfws_end(l->at, l->end);
    bool ok = take_token(l, type, sizeof(type)) && l->at < l->end && *l->at == '/';
    l->at += ok ? 1 : 0;
    if (!ok || !take_token(l, subtype, sizeof(subtype))) {
        h->broken = true;
        return;
    }
    TKT_AUTO_BUF struct tkt_buf full = TKT_BUF_INIT(2 * TKT_MIME_TYPE_MAX);
    tkt_buf_addf(&full, "%s/%s", type, subtype);
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(8 * TKT_MIME_TYPE_MAX);
    tkt_charset_guess(&clean, full.data, full.len);
    h->type = tkt_wire_arena_strdup(arena, tkt_buf_str(&clean), clean.len);
    h->no_memory = h->no_memory || h->type == NULL;
    read_params(l, w, WANTED, params_max, &values, &h->too_many_params);
    const char *v = tkt_buf_str(&values);
    h->charset = text_of(h, &w[CHARSET], v, arena);
    h->boundary = bytes_of(h, &w[BOUNDARY], v, arena);
    if (h->name == NULL) {
        h->name = text_of(h, &w[NAME], v, arena);
    }
    h->flowed = value_is(h, &w[FORMAT], v, "flowed", arena);
    h->delsp = value_is(h, &w[DELSP], v, "yes", arena);
    for (int i = REPORT_TYPE; i <= PROTOCOL && h->subtype_hint == NULL; i++) {
        h->subtype_hint = text_of(h, &w[i], v, arena);
    }
    if (h->subtype_hint != NULL) {
        tkt_ascii_lower(h->subtype_hint);
    }
}

static void add_disposition(struct tkt_mime_header *h, struct lexer *l, size_t params_max,
                            struct tkt_wire_arena *arena)
{
    char word[32];
    struct wanted w[1] = {{.name = "filename"}};
    TKT_AUTO_BUF struct tkt_buf values = TKT_BUF_INIT((size_t)(l->end - l->at) + 1);

    l->at = tkt_cfws_end(l->at, l->end);
    if (take_token(l, word, sizeof(word))) {
        /* RFC 2183 2.8: unknown words mean attachment. */
        h->disposition = strcmp(word, "inline") == 0 ? TKT_DISPOSITION_INLINE
                                                     : TKT_DISPOSITION_ATTACHMENT;
    }
    read_params(l, w, 1, params_max, &values, &h->too_many_params);
    char *name = text_of(h, &w[0], tkt_buf_str(&values), arena);
    h->name = name != NULL ? name : h->name;
}

/* "<x@y>", or without the brackets as some write it. */
static void add_content_id(struct tkt_mime_header *h, struct lexer *l,
                           struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf id = TKT_BUF_INIT(4 * CONTENT_ID_MAX);

    l->at = tkt_cfws_end(l->at, l->end);
    const char *close = memchr(l->at, '>', (size_t)(l->end - l->at));
    bool has_brackets = l->at < l->end && *l->at == '<' && close != NULL;
    const char *p = has_brackets ? l->at + 1 : l->at;
    const char *end = has_brackets ? close : l->end;
    size_t n = (size_t)(end - p);
    h->has_content_id = true;
    if (n > CONTENT_ID_MAX || h->content_id != NULL) {
        return;
    }
    tkt_utf8_add_clean(&id, p, n);
    size_t len = id.len == 0 ? 0 : tkt_header_unfold(id.data, id.len);
    while (len > 0 && strchr(" \t", id.data[len - 1]) != NULL) {
        len--;
    }
    h->content_id = tkt_wire_arena_strdup(arena, tkt_buf_str(&id), len);
    h->no_memory = h->no_memory || h->content_id == NULL;
}

void tkt_mime_header_add(struct tkt_mime_header *h, const char *name, size_t name_len,
                         const char *value, size_t n, size_t params_max,
                         struct tkt_wire_arena *arena)
{
    struct lexer l = {value, value + n};

    if (name_len == 12 && tkt_ascii_ieqn(name, "content-type", 12)) {
        if (h->type == NULL) {
            add_content_type(h, &l, params_max, arena);
        }
    } else if (name_len == 25 && tkt_ascii_ieqn(name, "content-transfer-encoding", 25)) {
        char word[32];
        l.at = tkt_cfws_end(l.at, l.end);
        take_token(&l, word, sizeof(word));
        h->encoding = tkt_transfer_kind_of(word);
    } else if (name_len == 19 && tkt_ascii_ieqn(name, "content-disposition", 19)) {
        add_disposition(h, &l, params_max, arena);
    } else if (name_len == 10 && tkt_ascii_ieqn(name, "content-id", 10)) {
        add_content_id(h, &l, arena);
    }
}
