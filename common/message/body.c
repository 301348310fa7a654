/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/body.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/blocks.h"
#include "message/content.h"
#include "message/parttext.h"

#include <string.h>

#define PEEK 4096      /* of an alternative: is there any text in it? */
#define STUB_MAX 400   /* bytes of a text that only points to the HTML */
#define ADVICE_MAX 250 /* ... and that says so */

static bool is_type(const struct tkt_part *p, const char *type)
{
    return strcmp(tkt_part_type(p), type) == 0;
}

/* As much as fits; enough when it is full. */
int tkt_body_take_head(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct tkt_buf *out = arg;
    size_t room = out->max - out->len;

    if (tkt_buf_add(out, p, TKT_MIN(n, room)) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    return out->len == out->max;
}

int tkt_body_head(const struct tkt_message_source *src, const struct tkt_part *part,
                  struct tkt_buf *out, struct tkt_err *err)
{
    return tkt_content_walk(src, part, tkt_body_take_head, out, err);
}

bool tkt_body_is_text(const struct tkt_scan *scan, size_t part)
{
    const struct tkt_part *p = &scan->parts[part];
    bool has_name = p->mime.name != NULL && p->mime.name[0] != '\0';

    return !p->is_multipart && (is_type(p, "text/plain") || is_type(p, "text/html")) &&
           p->mime.disposition != TKT_DISPOSITION_ATTACHMENT && (!has_name || part == 0);
}

/* The innermost multipart/alternative around a part, or -1. */
static int alternative_of(const struct tkt_scan *scan, size_t part)
{
    int i = scan->parts[part].parent;

    while (i >= 0 && !is_type(&scan->parts[i], "multipart/alternative")) {
        i = scan->parts[i].parent;
    }
    return i;
}

/* ---- which of the alternatives ---- */

enum worth {
    NO_PLAIN,
    ADVICE, /* only says that the HTML is to be read */
    STUB,   /* may be no more than that */
    GOOD
};
struct plain {
    enum worth worth;
    size_t stub_len;
};

static bool holds(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strstr(text, words[i]) != NULL) {
            return true;
        }
    }
    return false;
}

/* A few words that speak of HTML or of browsers. Where a person wrote them, the HTML
 * part says the same: nothing is lost by taking that one. */
static enum worth judge(const struct tkt_buf *head)
{
    static const char *const words[] = {
        "html",           "browser",        "navigateur",
        "navegador",      "przegl",         "webansicht",
        "web version",    "webversion",     "view this email",
        "view it online", "view online",    "online-version",
        "en ligne",       "im web ansehen", "web page",
    };
    /* ... to whom: the reader is told what to do. */
    static const char *const asks[] = {
        "your ",     "please", "you ",          "to view",     "to read",  "to see",
        "bitte",     "ihr ",   "sie ",          "votre",       "veuillez", "vous ",
        "por favor", "su ",    "seu ",          "usted",       "tuo ",     "per ",
        "uw ",       "je ",    "prosz\xc4\x99", "tw\xc3\xb3j", "din ",     "sinun",
    };
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(STUB_MAX + 1);
    const char *p = tkt_buf_str(head);

    for (size_t i = 0; i < head->len && text.len <= STUB_MAX; i++) {
        bool blank = strchr(" \t\r\n", p[i]) != NULL;
        if (!blank) {
            tkt_buf_addc(&text, p[i]);
        } else if (text.len > 0 && text.data[text.len - 1] != ' ') {
            tkt_buf_addc(&text, ' ');
        }
    }
    if (text.len == 0 || strcmp(tkt_buf_str(&text), "\xc2\xa0") == 0) {
        return NO_PLAIN;
    }
    tkt_ascii_lower(text.data);
    if (text.len > STUB_MAX || !holds(text.data, words, TKT_ARRAY_LEN(words))) {
        return GOOD;
    }
    bool advises = holds(text.data, asks, TKT_ARRAY_LEN(asks));
    return text.len <= ADVICE_MAX && advises ? ADVICE : STUB;
}

/* For each alternative: what its plain parts are worth. */
static int find_plain(const struct tkt_message_source *src, const struct tkt_scan *scan,
                      struct plain *plain, bool *has_html, struct tkt_err *err)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        int a = alternative_of(scan, i);
        if (a < 0 || !tkt_body_is_text(scan, i)) {
            continue;
        }
        if (is_type(&scan->parts[i], "text/html")) {
            has_html[a] = true;
            continue;
        }
        if (plain[a].worth == GOOD) {
            continue;
        }
        TKT_AUTO_BUF struct tkt_buf head = TKT_BUF_INIT(PEEK);
        if (tkt_blocks_walk_text(src, &scan->parts[i], tkt_body_take_head, &head, err) <
            0) {
            return -1;
        }
        enum worth worth = judge(&head);
        plain[a].worth = TKT_MAX(plain[a].worth, worth);
        plain[a].stub_len += worth == STUB || worth == ADVICE ? head.len : 0;
    }
    return 0;
}

static void trim_end(struct tkt_buf *b, size_t from)
{
    while (b->len > from && strchr(" \t\n", b->data[b->len - 1]) != NULL) {
        b->data[--b->len] = '\0';
    }
}

/* One part as a paragraph of its own; nothing when it has no text. */
static int add_part(const struct tkt_message_source *src, struct tkt_scan *scan,
                    size_t part, struct tkt_buf *out, struct tkt_body *body,
                    bool *was_blank, struct tkt_err *err)
{
    size_t from = out->len;

    if (from > 0 && out->max - from > 2) {
        tkt_buf_adds(out, "\n\n");
    }
    size_t before = out->len;
    if (tkt_part_text(src, scan, part, out, body, err) < 0) {
        return -1;
    }
    trim_end(out, before);
    *was_blank = out->len == before;
    if (*was_blank && from > 0) {
        out->len = from;
        out->data[from] = '\0';
    }
    return 0;
}

/* What the plain parts say. */
static int add_stubs(const struct tkt_message_source *src, struct tkt_scan *scan,
                     int alternative, struct tkt_buf *out, struct tkt_body *body,
                     struct tkt_err *err)
{
    bool blank;

    for (size_t i = 0; i < scan->part_count; i++) {
        if (alternative_of(scan, i) == alternative && tkt_body_is_text(scan, i) &&
            is_type(&scan->parts[i], "text/plain") &&
            add_part(src, scan, i, out, body, &blank, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* Whether the other form of an alternative is taken instead of this one. */
static bool is_passed_over(bool html, enum worth worth, bool has_html)
{
    return html ? worth == GOOD : worth != GOOD && has_html;
}

/* The HTML of a stub; the stub after all, where the HTML says even less. */
static int add_html_or_stub(const struct tkt_message_source *src, struct tkt_scan *scan,
                            size_t part, const struct plain *plain, struct tkt_buf *out,
                            struct tkt_body *body, struct tkt_err *err)
{
    size_t from = out->len;
    size_t marks = body->marks.count;
    bool blank = false;

    if (add_part(src, scan, part, out, body, &blank, err) < 0) {
        return -1;
    }
    int a = alternative_of(scan, part);
    bool stays = a < 0 || (plain[a].worth == ADVICE && !blank) ||
                 (plain[a].worth != STUB && plain[a].worth != ADVICE) ||
                 out->len - from >= plain[a].stub_len;
    if (stays) {
        return 0;
    }
    out->len = from;
    if (out->data != NULL) {
        out->data[from] = '\0';
    }
    body->marks.count = marks;
    return add_stubs(src, scan, a, out, body, err);
}

static int add_all(const struct tkt_message_source *src, struct tkt_scan *scan,
                   const struct plain *plain, const bool *has_html, struct tkt_buf *out,
                   struct tkt_body *body, struct tkt_err *err)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        if (!tkt_body_is_text(scan, i)) {
            continue;
        }
        if (tkt_scan_out_of_time(scan)) {
            body->cut = true;
            return 0;
        }
        bool html = is_type(&scan->parts[i], "text/html");
        bool blank = false;
        int a = alternative_of(scan, i);
        body->has_html = body->has_html || html;
        if (a >= 0 && is_passed_over(html, plain[a].worth, has_html[a])) {
            continue;
        }
        if (out->len == out->max) {
            body->cut = true;
            continue;
        }
        int rc = html ? add_html_or_stub(src, scan, i, plain, out, body, err)
                      : add_part(src, scan, i, out, body, &blank, err);
        if (rc < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_body_text(const struct tkt_message_source *src, struct tkt_scan *scan,
                  struct tkt_buf *out, struct tkt_body *body, struct tkt_err *err)
{
    TKT_AUTO_FREE struct plain *plain = calloc(scan->part_count + 1, sizeof(*plain));
    TKT_AUTO_FREE bool *has_html = calloc(scan->part_count + 1, sizeof(*has_html));

    memset(body, 0, sizeof(*body));
    body->html_depth_max = scan->limits->html_depth_max;
    if (plain == NULL || has_html == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (find_plain(src, scan, plain, has_html, err) < 0 ||
        add_all(src, scan, plain, has_html, out, body, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < body->marks.count; i++) {
        struct tkt_mark *m = &body->marks.items[i];
        m->offset = TKT_MIN(m->offset, (uint32_t)out->len);
    }
    if (body->has_hidden) {
        tkt_scan_problem(scan, "hidden: text that its reader does not see is left out");
    }
    return 0;
}
