/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/trim.h"

#include "base/util.h"
#include "message/trim_line.h"

#include <string.h>

#define FRAGMENT_ABOVE 60 /* a line as long as that was wrapped when it was quoted */

struct trimming {
    struct tkt_lines lines;
    const struct tkt_marks *marks;
    const char *subject;
    struct tkt_trim *out;
    size_t forward_line; /* of its fields or divider */
};

/* ---- lines ---- */

static size_t count_lines(const char *text, size_t n)
{
    size_t count = n > 0 ? 1 : 0;

    for (const char *p = text;
         n > 0 && (p = memchr(p, '\n', (size_t)(text + n - p))) != NULL;) {
        p++;
        count += p < text + n;
    }
    return TKT_MIN(count, TKT_TRIM_LINES_MAX);
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* "> > text": how many bytes, 0 when the line quotes nothing. */
static size_t quote_prefix(const char *p, size_t n)
{
    size_t i = 0;
    size_t end = 0;

    while (i < n && i < 3 && p[i] == ' ') {
        i++;
    }
    while (i < n && p[i] == '>' && i < 255) {
        end = ++i;
        if (i < n && p[i] == ' ' && i < 255) {
            end = i + 1;
            i += i + 1 < n && p[i + 1] == '>' ? 1 : 0;
        }
    }
    return end;
}

static bool is_from_escape(const struct tkt_lines *l, size_t i, size_t n)
{
    const char *p = l->text + l->items[i].at;

    return n > 6 && memcmp(p, ">From ", 6) == 0 &&
           (i == 0 || l->items[i - 1].kind != TKT_LINE_QUOTE);
}

static bool is_blank_text(const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        bool no_break = n - i >= 2 && memcmp(p + i, "\xc2\xa0", 2) == 0;
        bool invisible = n - i >= 3 && (memcmp(p + i, "\xe2\x80\x8b", 3) == 0 ||
                                        memcmp(p + i, "\xef\xbb\xbf", 3) == 0 ||
                                        memcmp(p + i, "\xe2\x80\x8e", 3) == 0);
        if (!is_space(p[i]) && !no_break && !invisible) {
            return false;
        }
        i += no_break ? 1 : invisible ? 2 : 0;
    }
    return true;
}

static void read_line(struct tkt_lines *l, size_t i)
{
    struct tkt_line *line = &l->items[i];
    const char *p = l->text + line->at;

    line->kind = TKT_LINE_TEXT;
    if (is_blank_text(p, line->len)) {
        line->kind = TKT_LINE_BLANK;
        return;
    }
    size_t skip = quote_prefix(p, line->len);
    if (skip > 0 && !is_from_escape(l, i, line->len)) {
        line->skip = (uint8_t)TKT_MIN(skip, 255);
        line->kind = TKT_LINE_QUOTE;
    }
}

static void split_lines(struct tkt_lines *l, size_t n)
{
    size_t at = 0;

    n -= n > 0 && l->text[n - 1] == '\n';
    for (size_t i = 0; i < l->count; i++) {
        const char *end = i + 1 == l->count ? NULL : memchr(l->text + at, '\n', n - at);
        size_t len = end == NULL ? n - at : (size_t)(end - (l->text + at));
        l->items[i].at = (uint32_t)at;
        l->items[i].len = (uint32_t)len;
        read_line(l, i);
        at += len + 1;
    }
}

/* ``` and ``` enclose what is nobody's quote; an open one encloses nothing. */
static void find_fences(struct tkt_lines *l)
{
    size_t open = l->count;

    for (size_t i = 0; i < l->count; i++) {
        struct tkt_line *line = &l->items[i];
        if (line->len < 3 || memcmp(l->text + line->at, "```", 3) != 0) {
            continue;
        }
        if (open == l->count) {
            open = i;
            continue;
        }
        for (size_t k = open; k <= i; k++) {
            l->items[k].fenced = true;
            l->items[k].skip = 0;
            l->items[k].kind =
                l->items[k].kind == TKT_LINE_BLANK ? TKT_LINE_BLANK : TKT_LINE_TEXT;
        }
        open = l->count;
    }
}

/* ---- marks ---- */

static void apply_marks(struct trimming *t)
{
    struct tkt_lines *l = &t->lines;
    size_t m = 0;
    uint8_t depth = 0;
    unsigned signature = 0;
    bool divider = false;
    size_t count = t->marks == NULL ? 0 : TKT_MIN(t->marks->count, TKT_MARKS_MAX);

    for (size_t i = 0; i < l->count && count > 0; i++) {
        struct tkt_line *line = &l->items[i];
        while (m < count &&
               t->marks->items[m].offset < line->at + TKT_MAX(line->len, 1)) {
            enum tkt_mark_kind kind = t->marks->items[m++].kind;
            depth = kind == TKT_MARK_QUOTE && depth < 255     ? depth + 1
                    : kind == TKT_MARK_QUOTE_END && depth > 0 ? depth - 1
                                                              : depth;
            signature += kind == TKT_MARK_SIGNATURE;
            signature -= kind == TKT_MARK_SIGNATURE_END && signature > 0;
            divider = divider || kind == TKT_MARK_DIVIDER || kind == TKT_MARK_FORWARD;
        }
        line->depth = depth;
        line->in_signature = signature > 0;
        if (line->kind != TKT_LINE_BLANK) {
            line->after_divider = divider;
            divider = false;
        }
    }
}

/* Of a quote of the markup only its first line may be the client's own: the header that
 * stands inside with what it is about. find_kinds() looks at it. */
static void find_marked_quotes(struct tkt_lines *l)
{
    bool first = true;

    for (size_t i = 0; i < l->count; i++) {
        struct tkt_line *line = &l->items[i];
        if (line->kind == TKT_LINE_BLANK || line->fenced) {
            continue;
        }
        if (line->depth > 0 && !first) {
            line->kind = TKT_LINE_QUOTE;
        }
        first = line->depth == 0;
    }
}

/* ---- kinds ---- */

static size_t next_shown(const struct tkt_lines *l, size_t i)
{
    while (i < l->count && l->items[i].kind == TKT_LINE_BLANK) {
        i++;
    }
    return i;
}

static void set_kind(struct tkt_lines *l, size_t from, size_t to, enum tkt_line_kind kind)
{
    for (size_t i = from; i < to; i++) {
        if (l->items[i].kind != TKT_LINE_QUOTE && l->items[i].kind != TKT_LINE_BLANK) {
            l->items[i].kind = (uint8_t)kind;
        }
    }
}

/* A rule or a border right above line i. */
static bool is_led(const struct tkt_lines *l, size_t i)
{
    size_t above = i;

    while (above > 0 && i - above < 3 && l->items[above - 1].kind == TKT_LINE_BLANK) {
        above--;
    }
    return l->items[i].after_divider ||
           (above > 0 && l->items[above - 1].kind == TKT_LINE_RULE);
}

/* The lines that line i begins as a header; 0: it is none. */
static size_t read_header(struct trimming *t, size_t i, const struct tkt_folded *f)
{
    struct tkt_lines *l = &t->lines;
    const char *language = NULL;
    bool sure = false;
    enum tkt_line_kind kind = tkt_line_divider(f, &sure);
    size_t n = 0;

    if (kind != TKT_LINE_TEXT) {
        size_t k = next_shown(l, i + 1);
        n = k < l->count ? tkt_line_block(l, k, true, &language) : 0;
        if (n > 0 || sure) {
            set_kind(l, i, i + 1, kind);
            set_kind(l, i + 1, n > 0 ? k + n : i + 1, TKT_LINE_FIELD);
            n = n > 0 ? k + n - i : 1;
        }
    }
    if (n == 0 && (n = tkt_line_block(l, i, is_led(l, i), &language)) > 0) {
        set_kind(l, i, i + n, TKT_LINE_FIELD);
    }
    if (n == 0 && (n = tkt_line_attribution(l, i, f, &language)) > 0) {
        for (size_t k = i; k < i + n; k++) { /* also "> wrote:", wrapped */
            l->items[k].kind = TKT_LINE_ATTRIBUTION;
        }
    }
    if (n > 0 && t->out->language_hint == NULL) {
        t->out->language_hint = language;
    }
    return n;
}

static bool is_header_kind(uint8_t kind)
{
    return kind == TKT_LINE_ATTRIBUTION || kind == TKT_LINE_ORIGINAL ||
           kind == TKT_LINE_FORWARD || kind == TKT_LINE_FIELD;
}

/* All that stands under an unquoted header under some text needs no kinds. */
static void find_kinds(struct trimming *t)
{
    struct tkt_lines *l = &t->lines;
    bool text = false;

    for (size_t i = 0; i < l->count;) {
        struct tkt_line *line = &l->items[i];
        struct tkt_folded f;
        size_t n = 0;
        if (line->kind == TKT_LINE_BLANK || line->fenced) {
            text = text || line->fenced;
            i++;
            continue;
        }
        bool led = is_led(l, i);
        if (line->kind == TKT_LINE_TEXT && line->depth == 0 && !led &&
            tkt_line_is_plain(l, i)) {
            text = true;
            i++;
            continue;
        }
        f.n = 0;
        f.cut = false;
        tkt_fold_line(&f, l, i);
        if (tkt_line_is_marker(&f, led)) {
            line->kind = TKT_LINE_MARKER;
        } else if (line->kind == TKT_LINE_TEXT && (n = read_header(t, i, &f)) == 0) {
            bool quoted = line->depth > 0;
            line->kind =
                (uint8_t)(quoted ? TKT_LINE_QUOTE : tkt_line_signature(l, i, &f));
            text = text || !quoted;
        }
        i += TKT_MAX(n, 1);
        size_t below = next_shown(l, i);
        if (n > 0 && text && below < l->count && l->items[below].kind != TKT_LINE_QUOTE) {
            return;
        }
    }
}

/* ---- where the words of others begin ---- */

static void send(struct tkt_lines *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        l->items[i].goes = TKT_GOES_QUOTED;
    }
}

/* Rules and empty lines above line i belong to what begins there. */
static size_t with_rule(const struct tkt_lines *l, size_t i)
{
    size_t top = i;

    while (i > 0 && (l->items[i - 1].kind == TKT_LINE_BLANK ||
                     l->items[i - 1].kind == TKT_LINE_RULE)) {
        i--;
        top = l->items[i].kind == TKT_LINE_RULE ? i : top;
    }
    return top;
}

static size_t header_end(const struct tkt_lines *l, size_t i)
{
    bool fields = false;

    for (; i < l->count &&
           (is_header_kind(l->items[i].kind) || l->items[i].kind == TKT_LINE_BLANK);
         i++) {
        bool attribution = l->items[i].kind == TKT_LINE_ATTRIBUTION;
        if (fields && attribution) {
            break;
        }
        fields = fields || l->items[i].kind == TKT_LINE_FIELD;
    }
    return i;
}

static bool subject_forwards(const struct trimming *t)
{
    return t->subject != NULL &&
           (tkt_trim_subject_is_forward(t->subject) ||
            tkt_forward_subject_in(t->subject, t->out->language_hint));
}

/* The line from which all is others' words; what stands above it has its kinds. */
static size_t find_cut(struct trimming *t)
{
    struct tkt_lines *l = &t->lines;
    bool text = false;

    for (size_t i = 0; i < l->count;) {
        uint8_t kind = l->items[i].kind;
        if (kind == TKT_LINE_MARKER && text) {
            return with_rule(l, i);
        }
        if (kind == TKT_LINE_MARKER) {
            send(l, i, i + 1);
        }
        if (!is_header_kind(kind)) {
            text = text || (kind != TKT_LINE_BLANK && kind != TKT_LINE_QUOTE &&
                            kind != TKT_LINE_MARKER);
            i++;
            continue;
        }
        size_t end = header_end(l, i);
        bool quoted = end < l->count && l->items[end].kind == TKT_LINE_QUOTE;
        bool forward = kind == TKT_LINE_FORWARD || subject_forwards(t);
        if (forward && !t->out->is_forward) {
            t->out->is_forward = true;
            t->forward_line = i;
        }
        if (!quoted && (text || forward)) {
            return with_rule(l, i);
        }
        /* Nothing above and no signs of quoting: what is below may well be the answer. */
        send(l, with_rule(l, i), end);
        i = end;
    }
    return l->count;
}

/* Apple's plain text quotes all of a forward, its divider too. */
static void find_quoted_forward(struct trimming *t)
{
    struct tkt_lines *l = &t->lines;
    const char *language = NULL;
    bool sure = false;
    size_t i = 0;

    while (i < l->count &&
           (l->items[i].kind != TKT_LINE_QUOTE || l->items[i].skip == 0)) {
        i++;
    }
    if (i == l->count || t->out->is_forward || !subject_forwards(t)) {
        return;
    }
    struct tkt_folded f = {.n = 0, .cut = false};
    tkt_fold_line(&f, l, i);
    if (tkt_line_divider(&f, &sure) != TKT_LINE_FORWARD) {
        return;
    }
    while (++i < l->count && l->items[i].len <= l->items[i].skip) {
    }
    t->out->is_forward = i < l->count && tkt_line_block(l, i, true, &language) > 0;
    t->forward_line = i;
}

/* ---- quotes and answers ---- */

static bool is_words(const struct tkt_line *line)
{
    return line->goes == TKT_GOES_REPLY && line->kind != TKT_LINE_BLANK &&
           line->kind != TKT_LINE_QUOTE && line->kind != TKT_LINE_MARKER &&
           !is_header_kind(line->kind);
}

/* "> a long line that a server\nwrapped\n> when it was sent" */
static void join_fragments(struct tkt_lines *l, size_t cut)
{
    for (size_t i = 1; i + 1 < cut; i++) {
        struct tkt_line *line = &l->items[i];
        const struct tkt_line *above = &l->items[i - 1];
        const struct tkt_line *below = &l->items[i + 1];
        if (line->kind == TKT_LINE_TEXT && above->kind == TKT_LINE_QUOTE &&
            below->kind == TKT_LINE_QUOTE && above->len >= FRAGMENT_ABOVE &&
            line->len < FRAGMENT_ABOVE && above->skip == below->skip && above->skip > 0) {
            line->kind = TKT_LINE_QUOTE;
        }
    }
}

static void find_signatures(struct tkt_lines *l, size_t cut)
{
    for (size_t i = 0; i < cut; i++) {
        size_t from = i;
        while (i < cut && l->items[i].kind != TKT_LINE_QUOTE &&
               l->items[i].kind != TKT_LINE_MARKER && !is_header_kind(l->items[i].kind)) {
            i++;
        }
        if (i > from) {
            tkt_run_signature(l, from, i);
        }
    }
}

static size_t find_words(const struct tkt_lines *l, size_t from, size_t to)
{
    while (from < to && !is_words(&l->items[from])) {
        from++;
    }
    return from;
}

static bool is_quote(const struct tkt_line *line)
{
    return line->kind == TKT_LINE_QUOTE;
}

static size_t quote_end(const struct tkt_lines *l, size_t i, size_t to)
{
    size_t end = i;

    for (; i < to && (is_quote(&l->items[i]) || !is_words(&l->items[i])); i++) {
        end = is_quote(&l->items[i]) ? i + 1 : end;
    }
    return end;
}

static void send_quotes(struct tkt_lines *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (is_quote(&l->items[i])) {
            l->items[i].goes = TKT_GOES_QUOTED;
        }
    }
}

/* A quote under a header is the client's: it stays only where the person went through it
 * and answered piece by piece. */
static void sort_headed(struct tkt_lines *l, size_t from, size_t to)
{
    size_t pieces = 0;
    size_t last_words = from;

    for (size_t i = from; i < to; i++) {
        if (is_quote(&l->items[i])) {
            i = quote_end(l, i, to) - 1;
            pieces++;
        } else if (is_words(&l->items[i])) {
            last_words = i;
        }
    }
    send_quotes(l, pieces > 1 ? last_words : from, to);
}

/* "I typed:" stands above what the person quotes. */
static bool is_introduced(const struct tkt_lines *l, size_t i)
{
    size_t above = i;

    while (above > 0 && i - above < 2 && l->items[above - 1].kind == TKT_LINE_BLANK) {
        above--;
    }
    if (above == 0 || !is_words(&l->items[above - 1])) {
        return false;
    }
    const struct tkt_line *line = &l->items[above - 1];
    const char *p = l->text + line->at;
    size_t n = line->len;
    while (n > 0 && is_space(p[n - 1])) {
        n--;
    }
    return n > 0 && p[n - 1] == ':';
}

/* A quote without a header is the person's own when words of hers follow or introduce
 * it, or when there is nothing else. */
static void sort_headless(struct tkt_lines *l, size_t from, size_t to, bool any_words,
                          bool any_header)
{
    size_t last_words = from;

    for (size_t i = from; i < to; i++) {
        last_words = is_words(&l->items[i]) ? i : last_words;
    }
    for (size_t i = last_words; i < to; i++) {
        if (!is_quote(&l->items[i])) {
            continue;
        }
        if (any_words ? !is_introduced(l, i) : any_header) {
            send_quotes(l, i, to);
        }
        return;
    }
}

static void sort_quotes(struct tkt_lines *l, size_t cut)
{
    size_t first = 0;
    bool any_words = find_words(l, 0, cut) < cut;

    while (first < cut && !is_header_kind(l->items[first].kind)) {
        first++;
    }
    sort_headless(l, 0, first, any_words, first < cut || cut < l->count);
    for (size_t i = first; i < cut;) {
        size_t from = header_end(l, i);
        for (i = from; i < cut && !is_header_kind(l->items[i].kind); i++) {
        }
        sort_headed(l, TKT_MIN(from, cut), i);
    }
}

/* Empty lines go with what follows them; but between two pieces of the reply one stays. */
static void sort_blank_lines(struct tkt_lines *l)
{
    uint8_t next = TKT_GOES_REPLY;
    bool reply_follows = false;

    for (size_t i = l->count; i > 0; i--) {
        struct tkt_line *line = &l->items[i - 1];
        bool blank = line->kind == TKT_LINE_BLANK;
        if (blank) {
            bool under_reply = i > 1 && l->items[i - 2].kind != TKT_LINE_BLANK &&
                               l->items[i - 2].goes == TKT_GOES_REPLY;
            line->goes = under_reply && reply_follows ? TKT_GOES_REPLY : next;
        } else {
            next = line->goes;
            reply_follows = reply_follows || next == TKT_GOES_REPLY;
        }
    }
}

/* ---- outputs ---- */

static int write_lines(const struct tkt_lines *l, struct tkt_trim *out)
{
    struct tkt_buf *const bufs[] = {&out->reply, &out->signature, &out->quoted};
    bool any_words = find_words(l, 0, l->count) < l->count;

    for (size_t i = 0; i < l->count; i++) {
        const struct tkt_line *line = &l->items[i];
        struct tkt_buf *b = bufs[line->goes];
        if (line->goes == TKT_GOES_REPLY && line->depth > 0 && any_words &&
            line->kind == TKT_LINE_QUOTE) {
            tkt_buf_adds(b, "> "); /* of the markup: readers of the reply see none */
        }
        tkt_buf_add(b, l->text + line->at, line->len);
        tkt_buf_addc(b, '\n');
    }
    return out->reply.failed || out->signature.failed || out->quoted.failed ? -1 : 0;
}

static int trim_lines(struct trimming *t, size_t n)
{
    struct tkt_lines *l = &t->lines;

    split_lines(l, n);
    find_fences(l);
    apply_marks(t);
    find_marked_quotes(l);
    find_kinds(t);
    size_t cut = find_cut(t);
    find_quoted_forward(t);
    join_fragments(l, cut);
    find_signatures(l, cut);
    sort_quotes(l, cut);
    send(l, cut, l->count);
    sort_blank_lines(l);
    if (t->out->is_forward && tkt_forward_fields(l, t->forward_line, t->out) < 0) {
        return -1;
    }
    return write_lines(l, t->out);
}

int tkt_trim_text(const char *text, size_t n, const struct tkt_marks *marks,
                  const char *subject, size_t max, struct tkt_trim *out)
{
    struct trimming t = {.marks = marks, .subject = subject, .out = out};

    memset(out, 0, sizeof(*out));
    t.lines.count = count_lines(text, n);
    tkt_buf_init(&out->reply, max + 1 + 2 * t.lines.count);
    tkt_buf_init(&out->signature, max + 1);
    tkt_buf_init(&out->quoted, max + 1);
    tkt_buf_init(&out->forward_from, TKT_TRIM_FIELD_MAX);
    tkt_buf_init(&out->forward_date, TKT_TRIM_FIELD_MAX);
    tkt_buf_init(&out->forward_subject, TKT_TRIM_FIELD_MAX);
    tkt_buf_init(&out->forward_text, max + 1);
    t.lines.text = text;
    t.lines.looks = TKT_TRIM_LOOKS_MAX;
    TKT_AUTO_FREE struct tkt_line *items = calloc(t.lines.count + 1, sizeof(*items));
    t.lines.items = items;
    return items == NULL ? -1 : trim_lines(&t, n);
}

void tkt_trim_release(struct tkt_trim *out)
{
    tkt_buf_release(&out->reply);
    tkt_buf_release(&out->signature);
    tkt_buf_release(&out->quoted);
    tkt_buf_release(&out->forward_from);
    tkt_buf_release(&out->forward_date);
    tkt_buf_release(&out->forward_subject);
    tkt_buf_release(&out->forward_text);
}
