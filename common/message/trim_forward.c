/* SPDX-License-Identifier: BSD-2-Clause
 * Of a forwarded message inside a text: what its fields say, and its own text.
 */
#include "message/trim_line.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

/* Of a Subject; folded, without the colon. */
static const char prefixes[] =
    "fw|fwd|forward|forwarded|wg|tr|trans|rv|renv|reenv|enc|encaminhado|res:enc|doorst|"
    "pd|vb|vl|vid|videresend|videresendt|пересл|пер|ilt|yon|转发|轉寄|轉發|転送|전달|"
    "tovabb|πρθ|προωθ|הועבר|إعادة توجيه|prsl|redir.|redir|inoltra|inoltro";

/* The prefix of a subject in f; its length, 0: none. */
static size_t subject_prefix(const char *subject, struct tkt_folded *f,
                             const char **prefix)
{
    tkt_fold_add(f, subject, TKT_MIN(strlen(subject), TKT_TRIM_LINE_MAX));
    const char *s = f->s;
    size_t n = f->n;
    if (n > 0 && *s == '[') { /* "[Fwd: text]", or a list's or desk's tag before it */
        const char *end = memchr(s, ']', n);
        bool tag = end != NULL && (size_t)(end - s) < n - 1 &&
                   memchr(s, ':', (size_t)(end - s)) == NULL;
        size_t skip = tag ? (size_t)(end - s) + 1 : 1;
        s += skip;
        n -= skip;
        tkt_fold_strip(&s, &n, " ");
    }
    size_t colon = 0;
    while (colon < n && s[colon] != ':' && colon < 40) {
        colon++;
    }
    if (colon == n || s[colon] != ':') {
        return 0;
    }
    tkt_fold_strip(&s, &colon, " []0123456789()");
    *prefix = s;
    return colon;
}

bool tkt_trim_subject_is_forward(const char *subject)
{
    struct tkt_folded f = {.n = 0};
    const char *s = NULL;
    size_t n = subject_prefix(subject, &f, &s);

    return n > 0 && tkt_fold_is_one_of(s, n, prefixes);
}

bool tkt_forward_subject_in(const char *subject, const char *language)
{
    struct tkt_folded f = {.n = 0};
    const char *s = NULL;
    size_t n = subject_prefix(subject, &f, &s);

    if (n == 0 || language == NULL) {
        return false;
    }
    /* "vs" is Finnish for a reply. */
    return strcmp(language, "it") == 0 ? tkt_fold_is_one_of(s, n, "i")
           : strcmp(language, "no") == 0 || strcmp(language, "da") == 0
               ? tkt_fold_is_one_of(s, n, "vs")
               : false;
}

static void add_value(struct tkt_buf *b, const char *p, size_t n)
{
    while (n > 0 && strchr(" \t*|\r", *p) != NULL) { /* a table's cell */
        p++;
        n--;
    }
    while (n > 0 && strchr(" \t*\r", p[n - 1]) != NULL) {
        n--;
    }
    size_t room = b->max - b->len;
    if (n == 0 || room < 2) {
        return;
    }
    if (b->len > 0) {
        (void)tkt_buf_addc(b, ' '); /* there is room */
    }
    (void)tkt_buf_add(b, p, tkt_utf8_cut(p, n, room - 1)); /* no memory: an empty field */
}

/* "On DATE, NAME <ADDRESS> wrote:" */
static size_t read_attribution(const struct tkt_lines *l, size_t i, struct tkt_trim *out)
{
    struct tkt_buf *from = &out->forward_from;
    TKT_AUTO_BUF struct tkt_buf all = TKT_BUF_INIT(TKT_TRIM_FIELD_MAX);

    for (; i < l->count && l->items[i].kind == TKT_LINE_ATTRIBUTION; i++) {
        add_value(&all, l->text + l->items[i].at, l->items[i].len);
    }
    const char *s = tkt_buf_str(&all);
    const char *open = strchr(s, '<');
    const char *close = open == NULL ? NULL : strchr(open, '>');
    (void)tkt_buf_adds(&out->forward_date, s);
    if (close == NULL) {
        return i;
    }
    const char *name = open;
    while (name > s && !(name[-1] >= '0' && name[-1] <= '9') &&
           strchr(",;:", name[-1]) == NULL) {
        name--;
    }
    name = tkt_attribution_name(name, open);
    add_value(from, name, (size_t)(close + 1 - name));
    return i;
}

static size_t read_fields(struct tkt_lines *l, size_t i, size_t n, struct tkt_trim *out)
{
    struct tkt_buf *into = NULL;

    for (size_t k = i; k < i + n; k++) {
        const struct tkt_line *line = &l->items[k];
        uint64_t languages;
        size_t at = line->at + line->skip;
        enum tkt_label label = tkt_line_label(l, k, &languages, &at);
        if (label != TKT_LABEL_NONE) {
            into = label == TKT_LABEL_FROM      ? &out->forward_from
                   : label == TKT_LABEL_DATE    ? &out->forward_date
                   : label == TKT_LABEL_SUBJECT ? &out->forward_subject
                                                : NULL;
        }
        if (into != NULL) {
            add_value(into, l->text + at, line->at + line->len - at);
        }
    }
    return i + n;
}

/* Without one level of "> " when the first line has one. */
static int add_text(const struct tkt_lines *l, size_t i, struct tkt_buf *out)
{
    while (i < l->count && l->items[i].len <= l->items[i].skip) {
        i++;
    }
    bool quoted = i < l->count && l->items[i].skip > 0;
    for (; i < l->count; i++) {
        const char *p = l->text + l->items[i].at;
        size_t n = l->items[i].len;
        if (quoted && n > 0 && *p == '>') {
            size_t skip = n > 1 && p[1] == ' ' ? 2 : 1;
            p += skip;
            n -= skip;
        }
        (void)tkt_buf_add(out, p, n); /* asked for at the end */
        (void)tkt_buf_addc(out, '\n');
    }
    return out->failed ? -1 : 0;
}

int tkt_forward_fields(struct tkt_lines *l, size_t i, struct tkt_trim *out)
{
    const char *language = NULL;

    if (l->items[i].kind == TKT_LINE_ATTRIBUTION) {
        i = read_attribution(l, i, out);
        return add_text(l, i, &out->forward_text);
    }
    while (i < l->count &&
           (l->items[i].kind == TKT_LINE_FORWARD ||
            l->items[i].kind == TKT_LINE_ORIGINAL || l->items[i].kind == TKT_LINE_RULE ||
            l->items[i].kind == TKT_LINE_BLANK)) {
        i++;
    }
    while (i < l->count && l->items[i].len == l->items[i].skip) {
        i++;
    }
    l->looks =
        TKT_MAX(l->looks, TKT_TRIM_LINE_MAX); /* for one block there are always some */
    size_t n = i < l->count ? tkt_line_block(l, i, true, &language) : 0;
    /* A rule that leads the block was counted with it. */
    i = read_fields(l, i, n, out);
    if (language != NULL) {
        out->language_hint = language;
    }
    return add_text(l, i, &out->forward_text);
}
