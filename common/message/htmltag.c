/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmltag.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool is_letter(char c)
{
    return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

void tkt_html_reader_init(struct tkt_html_reader *r, const char *html, size_t n)
{
    memset(r, 0, sizeof(*r));
    r->at = html;
    r->end = html + n;
}

static const char *find_gt(struct tkt_html_reader *r, const char *p)
{
    if (r->no_gt) {
        return NULL;
    }
    const char *gt = memchr(p, '>', (size_t)(r->end - p));
    r->steps += (size_t)((gt == NULL ? r->end : gt) - p);
    r->no_gt = gt == NULL;
    return gt == NULL ? NULL : gt + 1;
}

/* The end of the tag that starts at p ('<'), behind its '>'; NULL when there is none.
 * Quotes count where a value may begin. */
static const char *tag_end(struct tkt_html_reader *r, const char *p)
{
    bool value = false; /* behind '=' and blanks */
    char quote = '\0';

    for (const char *at = p + 1; at < r->end && !r->quotes_off; at++) {
        if (quote != '\0') {
            quote = *at == quote ? '\0' : quote;
        } else if (*at == '>') {
            r->steps += (size_t)(at - p);
            return at + 1;
        } else if (value && (*at == '"' || *at == '\'')) {
            quote = *at;
            value = false;
        } else {
            value = *at == '=' || (value && is_space(*at));
        }
    }
    if (!r->quotes_off) {
        r->steps += (size_t)(r->end - p);
        r->quotes_off = true;
    }
    return find_gt(r, p);
}

/* p is at "<!--". Behind its end, or NULL: then it is not taken as a comment. */
static const char *comment_end(struct tkt_html_reader *r, const char *p)
{
    const char *text = p + 4;

    if (text < r->end && *text == '>') {
        return text + 1;
    }
    if (r->end - text >= 2 && memcmp(text, "->", 2) == 0) {
        return text + 2;
    }
    if (r->no_comment_end) {
        return NULL;
    }
    const char *close = memmem(text, (size_t)(r->end - text), "-->", 3);
    r->steps += (size_t)((close == NULL ? r->end : close) - text);
    r->no_comment_end = close == NULL;
    return close == NULL ? NULL : close + 3;
}

/* Takes the '<' as text, with what follows it. */
static void take_text(struct tkt_html_reader *r, struct tkt_html_token *out)
{
    const char *from = r->at + (*r->at == '<' ? 1 : 0);
    const char *lt = memchr(from, '<', (size_t)(r->end - from));

    out->kind = TKT_HTML_TEXT;
    out->text = r->at;
    out->len = (size_t)((lt == NULL ? r->end : lt) - r->at);
    r->steps += out->len;
    r->at += out->len;
}

static void take_name(const char *p, const char *end, struct tkt_html_token *out)
{
    size_t n = 0;
    size_t len = 0;

    while (p + n < end && !is_space(p[n]) && p[n] != '/' && p[n] != '>') {
        if (len + 1 < sizeof(out->name)) {
            out->name[len++] = p[n];
        }
        n++;
    }
    out->name[len] = '\0';
    tkt_ascii_lower(out->name);
    out->text = p + n;
    out->len = (size_t)(end - p - n);
}

static void take_tag(struct tkt_html_reader *r, struct tkt_html_token *out)
{
    const char *p = r->at;
    const char *name = p + 1;

    if (r->end - p >= 4 && memcmp(p, "<!--", 4) == 0) {
        const char *after = comment_end(r, p);
        if (after != NULL) {
            out->kind = TKT_HTML_NOTHING;
            r->at = after;
            return;
        }
    }
    bool closing = name < r->end && *name == '/';
    name += closing ? 1 : 0;
    bool other = name < r->end && !closing && (*name == '!' || *name == '?');
    if (name == r->end || (!is_letter(*name) && !other)) {
        take_text(r, out);
        return;
    }
    /* A declaration has no quotes to respect: "<![if !mso]>". */
    const char *after = other ? find_gt(r, p) : tag_end(r, p);
    if (after == NULL) {
        take_text(r, out);
        return;
    }
    out->kind = other ? TKT_HTML_NOTHING : closing ? TKT_HTML_CLOSE : TKT_HTML_OPEN;
    if (!other) {
        take_name(name, after - 1, out);
    }
    r->at = after;
}

bool tkt_html_next(struct tkt_html_reader *r, struct tkt_html_token *out)
{
    if (r->at >= r->end) {
        return false;
    }
    if (*r->at == '<') {
        take_tag(r, out);
    } else {
        take_text(r, out);
    }
    return true;
}

void tkt_html_skip(struct tkt_html_reader *r, const char *name, const char **content,
                   size_t *len)
{
    size_t n = strlen(name);
    const char *p = r->at;
    const char *close = r->end;

    while (p < r->end) {
        const char *lt = memchr(p, '<', (size_t)(r->end - p));
        if (lt == NULL || (size_t)(r->end - lt) < n + 2) {
            break;
        }
        char next = (size_t)(r->end - lt) > n + 2 ? lt[n + 2] : '>';
        if (lt[1] == '/' && tkt_ascii_ieqn(lt + 2, name, n) &&
            (is_space(next) || next == '>' || next == '/')) {
            close = lt;
            break;
        }
        p = lt + 1;
    }
    r->steps += (size_t)(close - r->at);
    *content = r->at;
    *len = (size_t)(close - r->at);
    r->at = close;
}

bool tkt_html_attr_next(const char **at, const char *end, struct tkt_html_attr *out)
{
    const char *p = *at;

    while (p < end && (is_space(*p) || *p == '/')) {
        p++;
    }
    if (p == end) {
        *at = p;
        return false;
    }
    out->name = p;
    for (p++; p < end && !is_space(*p) && *p != '=' && *p != '/'; p++) {
    }
    out->name_len = (size_t)(p - out->name);
    while (p < end && is_space(*p)) {
        p++;
    }
    out->value = p;
    out->value_len = 0;
    if (p < end && *p == '=') {
        for (p++; p < end && is_space(*p); p++) {
        }
        char quote = p < end && (*p == '"' || *p == '\'') ? *p++ : '\0';
        out->value = p;
        while (p < end && (quote != '\0' ? *p != quote : !is_space(*p))) {
            p++;
        }
        out->value_len = (size_t)(p - out->value);
        p += p < end && quote != '\0' ? 1 : 0;
    }
    *at = p;
    return true;
}
