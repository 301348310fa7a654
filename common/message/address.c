/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/address.h"

#include "base/buf.h"
#include "base/enc.h"
#include "base/util.h"
#include "message/rfc2047.h"

#include <string.h>
#include <utf8proc.h>

/* One entry of the list, while it is read. */
struct entry {
    struct tkt_buf phrase;  /* the name: words with one blank between them */
    struct tkt_buf comment; /* the last one: a name, if there is no other */
    struct tkt_buf angle;   /* what stands between < and > */
    struct tkt_buf bare;    /* the word with an '@' outside of them */
    bool has_angle;
    bool has_words;
    bool gap; /* a blank before the next word */
};

struct reader {
    const char *p; /* UTF-8 on one line */
    const char *end;
    const char *last_close; /* the last '>', or NULL */
    struct entry entry;
    struct tkt_buf held; /* an entry that was only a name: "Smith," before "John <..>" */
    bool has_group;
    bool is_ambiguous;
    bool has_rest; /* an entry without an address */
    const struct tkt_address_caps *caps;
    struct tkt_addresses *out;
    struct tkt_wire_arena *arena;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- what is kept ---- */

/* Letters beyond ASCII, too, where the result is not longer. */
static void lower_domain(char *domain)
{
    size_t n = strlen(domain);
    TKT_AUTO_BUF struct tkt_buf lower = TKT_BUF_INIT(n);
    const utf8proc_uint8_t *p = (const utf8proc_uint8_t *)domain;

    tkt_ascii_lower(domain);
    for (size_t i = 0; i < n;) {
        utf8proc_int32_t c = 0;
        utf8proc_uint8_t bytes[4];
        utf8proc_ssize_t len = utf8proc_iterate(p + i, (utf8proc_ssize_t)(n - i), &c);
        if (len <= 0) {
            return;
        }
        utf8proc_ssize_t out = utf8proc_encode_char(utf8proc_tolower(c), bytes);
        tkt_buf_add(&lower, bytes, (size_t)out);
        i += (size_t)len;
    }
    if (!lower.failed && lower.len > 0) {
        memcpy(domain, lower.data, lower.len + 1);
    }
}

static char *keep_name(struct reader *r, struct tkt_buf *name)
{
    tkt_header_compose(name, 0);
    const char *s = tkt_buf_str(name);
    size_t n = tkt_utf8_cut(s, name->len, r->caps->name_max);

    while (n > 0 && is_blank(*s)) {
        s++;
        n--;
    }
    while (n > 0 && is_blank(s[n - 1])) {
        n--;
    }
    if (n > 2 && s[0] == '"' && s[n - 1] == '"') { /* ("Ann Example") */
        s++;
        n -= 2;
    }
    return tkt_wire_arena_strdup(r->arena, s, n);
}

static enum tkt_address_result append(struct reader *r, struct tkt_buf *name,
                                      const char *address, size_t n)
{
    struct tkt_addresses *out = r->out;

    if (out->items == NULL) {
        out->items =
            tkt_wire_arena_alloc(r->arena, TKT_MESSAGE_ADDRS_MAX * sizeof(*out->items));
        if (out->items == NULL) {
            return TKT_ADDRESS_NO_MEMORY;
        }
    }
    if (out->count >= r->caps->addresses_max) {
        return TKT_ADDRESS_MANY;
    }
    struct tkt_address a = {keep_name(r, name),
                            tkt_wire_arena_strdup(r->arena, address, n)};
    if (a.name == NULL || a.address == NULL) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    lower_domain(strrchr(a.address, '@') + 1);
    out->items[out->count++] = a;
    return TKT_ADDRESS_OK;
}

/* ---- is it an address? ---- */

/* local@domain without blanks; a dot at the end of a domain goes (*n is set). */
static bool is_address(const char *s, size_t *n)
{
    const char *at = *n == 0 ? NULL : memrchr(s, '@', *n);

    if (at == NULL || at == s) {
        return false;
    }
    while (*n > 0 && s[*n - 1] == '.') {
        (*n)--;
    }
    bool quoted = s[0] == '"';
    for (const char *p = s; p < s + *n; p++) {
        bool special = is_blank(*p) || strchr("<>(),;\"\\", *p) != NULL;
        if (special && (p > at || !quoted)) {
            return false;
        }
    }
    return at + 1 < s + *n && *n <= TKT_ADDRESS_MAX;
}

static bool is_search_byte(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && strchr("<>()[]:;,\"\\", c) == NULL;
}

/* The first user@domain in a text. */
static bool search(const char *s, size_t n, const char **address, size_t *len)
{
    for (size_t i = 0; i < n;) {
        size_t start = i;
        while (i < n && is_search_byte(s[i])) {
            i++;
        }
        *address = s + start;
        *len = i - start;
        if (is_address(*address, len)) {
            return true;
        }
        i += i == start ? 1 : 0;
    }
    return false;
}

/* Behind a route "@a,@b:" and "mailto:", which are no part of it. */
static void skip_route(const char **s, size_t *n)
{
    const char *colon = *n == 0 ? NULL : memchr(*s, ':', *n);
    bool route = colon != NULL && **s == '@';
    bool mailto = *n > 7 && tkt_ascii_ieqn(*s, "mailto:", 7);

    if (route || mailto) {
        size_t skip = route ? (size_t)(colon + 1 - *s) : 7;
        *s += skip;
        *n -= skip;
    }
}

/* ---- the end of an entry ---- */

static void reset_entry(struct entry *e)
{
    tkt_buf_reset(&e->phrase);
    tkt_buf_reset(&e->comment);
    tkt_buf_reset(&e->angle);
    tkt_buf_reset(&e->bare);
    e->has_angle = e->has_words = e->gap = false;
}

static enum tkt_address_result end_angle(struct reader *r, const char *address, size_t n)
{
    struct entry *e = &r->entry;
    const char *other = NULL;
    size_t other_len = 0;

    if (e->bare.len > 0) {
        /* "ceo@bank.example <a@b>" unquoted: some readers take the one, some the other. */
        tkt_buf_adds(&e->phrase, e->phrase.len > 0 ? " " : "");
        tkt_buf_add(&e->phrase, e->bare.data, e->bare.len);
        if (search(e->bare.data, e->bare.len, &other, &other_len) &&
            (other_len != n || memcmp(other, address, n) != 0)) {
            r->is_ambiguous = true;
        }
    }
    if (r->held.len > 0 && e->phrase.len > 0) {
        tkt_buf_addf(&r->held, ", %s", e->phrase.data);
        return append(r, &r->held, address, n);
    }
    return append(r, e->phrase.len > 0 ? &e->phrase : &e->comment, address, n);
}

static enum tkt_address_result end_bare(struct reader *r)
{
    struct entry *e = &r->entry;
    const char *address = tkt_buf_str(&e->bare);
    size_t n = e->bare.len;

    skip_route(&address, &n);
    if (is_address(address, &n)) {
        return append(r, e->phrase.len > 0 ? &e->phrase : &e->comment, address, n);
    }
    /* Nothing but a text: perhaps there is one in it. */
    tkt_buf_addf(&e->phrase, " %s %s", tkt_buf_str(&e->angle), tkt_buf_str(&e->bare));
    TKT_AUTO_BUF struct tkt_buf none = TKT_BUF_INIT(1);
    if (search(tkt_buf_str(&e->phrase), e->phrase.len, &address, &n)) {
        return append(r, &none, address, n);
    }
    r->has_rest = r->has_rest || e->has_words || e->has_angle;
    return TKT_ADDRESS_OK;
}

static enum tkt_address_result end_entry(struct reader *r)
{
    struct entry *e = &r->entry;
    const char *address = tkt_buf_str(&e->angle);
    size_t n = e->angle.len;
    bool only_words = e->has_words && !e->has_angle && e->bare.len == 0;
    size_t before = r->out->count;
    enum tkt_address_result rc;

    skip_route(&address, &n);
    rc = e->has_angle && is_address(address, &n) ? end_angle(r, address, n) : end_bare(r);
    tkt_buf_reset(&r->held);
    if (only_words && r->out->count == before) {
        tkt_buf_adds(&r->held, tkt_buf_str(&e->phrase));
        while (r->held.len > 0 && is_blank(r->held.data[r->held.len - 1])) {
            r->held.data[--r->held.len] = '\0';
        }
    }
    reset_entry(e);
    return rc;
}

/* ---- words ---- */

static void begin_word(struct entry *e)
{
    if (e->gap && e->phrase.len > 0) {
        tkt_buf_addc(&e->phrase, ' ');
    }
    e->gap = false;
    e->has_words = true;
}

/* Decodes encoded-words as they come; *p moves behind what was taken. */
static void take_char(const char **p, const char *end, struct tkt_buf *out)
{
    size_t from = out->len;
    size_t used = **p == '=' ? tkt_rfc2047_run(out, *p, (size_t)(end - *p)) : 0;

    if (used == 0) {
        tkt_buf_addc(out, **p);
        used = 1;
    } else {
        tkt_header_blank(out, from);
    }
    *p += used;
}

/* Up to the closing quote, without escapes. */
static void read_quoted(const char *p, const char *end, struct tkt_buf *out)
{
    while (p < end) {
        if (*p == '\\' && p + 1 < end) {
            p++;
            tkt_buf_addc(out, *p++);
        } else {
            take_char(&p, end, out);
        }
    }
}

/* The '"' that closes what stands behind p, or NULL. */
static const char *find_quote(const char *p, const char *end)
{
    for (; p < end; p++) {
        if (*p == '\\') {
            p++;
        } else if (*p == '"') {
            return p;
        }
    }
    return NULL;
}

static void on_quote(struct reader *r)
{
    struct entry *e = &r->entry;
    const char *close = find_quote(r->p + 1, r->end);

    if (close == NULL) {
        r->p++; /* a quote too few: it is none */
        return;
    }
    if (close + 1 < r->end && close[1] == '@') { /* "john doe"@example.com */
        tkt_buf_add(&e->bare, r->p, (size_t)(close + 1 - r->p));
        e->has_words = true;
    } else {
        begin_word(e);
        read_quoted(r->p + 1, close, &e->phrase);
    }
    r->p = close + 1;
}

/* A comment, which may hold others; p stands behind its '(' and is left behind its end. */
static void read_comment(const char **p, const char *end, struct tkt_buf *out)
{
    unsigned depth = 1;

    while (*p < end && depth > 0) {
        char c = **p;
        depth += c == '(' ? 1 : 0;
        depth -= c == ')' ? 1 : 0;
        if (depth == 0) {
            (*p)++;
        } else if (c == '\\' && *p + 1 < end) {
            tkt_buf_addc(out, (*p)[1]);
            *p += 2;
        } else {
            take_char(p, end, out);
        }
    }
}

static void on_comment(struct reader *r)
{
    tkt_buf_reset(&r->entry.comment);
    r->p++;
    read_comment(&r->p, r->end, &r->entry.comment);
    r->entry.gap = true;
}

/* Between '<' and '>': blanks and comments outside of quotes go. One that never closes
 * ends where a list goes on. */
static void on_angle(struct reader *r)
{
    struct entry *e = &r->entry;
    TKT_AUTO_BUF struct tkt_buf comment = TKT_BUF_INIT(e->comment.max);
    bool quoted = false;
    bool closes = r->last_close != NULL && r->last_close > r->p;

    tkt_buf_reset(&e->angle);
    e->has_angle = true;
    for (r->p++; r->p < r->end;) {
        char c = *r->p;
        quoted = c == '"' ? !quoted : quoted;
        if (!quoted && c == '>') {
            break;
        }
        if (!quoted && !closes && (c == ',' || c == ';')) {
            return;
        }
        if (!quoted && c == '<') {
            tkt_buf_reset(&e->angle);
            r->p++;
        } else if (!quoted && c == '(') {
            r->p++;
            read_comment(&r->p, r->end, &comment);
        } else if (!quoted && is_blank(c)) {
            r->p++;
        } else {
            take_char(&r->p, r->end, &e->angle);
        }
    }
    while (r->p < r->end && *r->p == '>') {
        r->p++;
    }
    e->gap = true;
}

static bool ends_word(char c)
{
    return is_blank(c) || strchr("\"(<>,;:", c) != NULL;
}

/* An atom; with an '@' in it or beside it, it belongs to an address. */
static enum tkt_address_result on_atom(struct reader *r)
{
    struct entry *e = &r->entry;
    enum tkt_address_result rc = TKT_ADDRESS_OK;
    TKT_AUTO_BUF struct tkt_buf word = TKT_BUF_INIT(8 * (size_t)(r->end - r->p) + 1);
    bool literal = false;

    while (r->p < r->end && (literal || !ends_word(*r->p))) {
        bool at = word.len > 0 && word.data[word.len - 1] == '@';
        literal = (literal || (at && *r->p == '[')) && *r->p != ']';
        if (*r->p == '\\' && r->p + 1 < r->end) {
            r->p++;
        }
        take_char(&r->p, r->end, &word);
    }
    const char *next = r->p;
    while (next < r->end && is_blank(*next)) {
        next++;
    }
    const char *s = tkt_buf_str(&word);
    bool goes_on = e->bare.len > 0 && (s[0] == '@' || s[0] == '.' ||
                                       strchr("@.", e->bare.data[e->bare.len - 1]));
    bool has_at = memchr(s, '@', word.len) != NULL || (next < r->end && *next == '@');
    if (has_at && !goes_on && e->bare.len > 0 && !e->has_angle) {
        rc = end_entry(r); /* "a@x.example b@y.example" */
    }
    if (goes_on || (has_at && e->bare.len == 0)) {
        tkt_buf_add(&e->bare, s, word.len);
        e->has_words = true;
    } else if (!e->has_angle || e->phrase.len == 0) { /* what follows a name is none */
        begin_word(e);
        tkt_buf_add(&e->phrase, s, word.len);
    }
    return rc;
}

static void on_colon(struct reader *r)
{
    struct entry *e = &r->entry;

    r->p++;
    if (e->bare.len == 0 && !e->has_angle) { /* the name of a group, or "mailto" */
        reset_entry(e);
        r->has_group = true;
    } else {
        e->gap = true;
    }
}

static enum tkt_address_result read_list(struct reader *r)
{
    enum tkt_address_result rc = TKT_ADDRESS_OK;

    while (r->p < r->end && rc == TKT_ADDRESS_OK) {
        switch (*r->p) {
        case ' ':
        case '\t':
        case '>':
            r->p++;
            r->entry.gap = true;
            break;
        case ',':
        case ';':
            rc = end_entry(r);
            r->p++;
            break;
        case '"':
            on_quote(r);
            break;
        case '(':
            on_comment(r);
            break;
        case '<':
            on_angle(r);
            break;
        case ':':
            on_colon(r);
            break;
        default:
            rc = on_atom(r);
        }
    }
    return rc == TKT_ADDRESS_OK ? end_entry(r) : rc;
}

enum tkt_address_result tkt_address_add(const char *value, size_t n, const char *hint,
                                        const struct tkt_address_caps *caps,
                                        struct tkt_addresses *out,
                                        struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(16 * n + 64);
    size_t before = out->count;

    tkt_header_text(&text, hint, value, n);
    if (text.failed) {
        return TKT_ADDRESS_NO_MEMORY;
    }
    size_t max = 4 * text.len + 64;
    struct reader r = {.p = tkt_buf_str(&text),
                       .end = tkt_buf_str(&text) + text.len,
                       .entry = {.phrase = TKT_BUF_INIT(2 * max),
                                 .comment = TKT_BUF_INIT(max),
                                 .angle = TKT_BUF_INIT(max),
                                 .bare = TKT_BUF_INIT(max)},
                       .held = TKT_BUF_INIT(2 * max),
                       .caps = caps,
                       .out = out,
                       .arena = arena};
    r.last_close = text.len == 0 ? NULL : memrchr(r.p, '>', text.len);
    enum tkt_address_result rc = read_list(&r);
    tkt_buf_release(&r.entry.phrase);
    tkt_buf_release(&r.entry.comment);
    tkt_buf_release(&r.entry.angle);
    tkt_buf_release(&r.entry.bare);
    tkt_buf_release(&r.held);
    if (rc != TKT_ADDRESS_OK) {
        return rc;
    }
    if (r.is_ambiguous) {
        return TKT_ADDRESS_AMBIGUOUS;
    }
    return r.has_rest && out->count == before ? TKT_ADDRESS_BROKEN : TKT_ADDRESS_OK;
}
