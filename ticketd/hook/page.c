/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/hook/page.h"

#include "base/enc.h"
#include "base/form.h"
#include "base/util.h"
#include "template/template.h"

#include <stdio.h>
#include <string.h>

#define ACCEPT_MAX 1024
#define BOUNDARY_MAX 70 /* RFC 2046 5.1.1 */
#define ADDRESS_MAX 400
#define FIELD "List-Unsubscribe"
#define ONE_CLICK "One-Click"

const char tkt_page_style[] =
    "body{font:1.1em/1.5 sans-serif;max-width:34em;margin:3em auto;padding:0 1em}"
    "button{font:inherit;padding:.4em 1em}";
const char tkt_page_policy[] =
    "default-src 'none'; style-src "
    "'sha256-6AZuWm89K+KJWD8DlbkbXMWYeIwEvFbgMN6PRKP/J2c='; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'";

/* ---- language ----------------------------------------------------------------------------- */

/* "0.8" -> 800; what is no number counts as 0. */
static int thousandths(const char *q, size_t len)
{
    int value = 0;
    int unit = 1000;

    for (size_t i = 0; i < len; i++) {
        if (q[i] == '.' && i == 1) {
            continue;
        }
        if (q[i] < '0' || q[i] > '9' || unit == 0) {
            return 0;
        }
        value += (q[i] - '0') * unit;
        unit /= 10;
    }
    return TKT_MIN(value, 1000);
}

static int quality(const char *range, size_t len)
{
    for (size_t i = strcspn(range, ";"); i < len;) {
        i += 1 + strspn(range + i + 1, " \t");
        if (i + 2 <= len && (range[i] == 'q' || range[i] == 'Q') && range[i + 1] == '=') {
            return thousandths(range + i + 2,
                               TKT_MIN(strcspn(range + i + 2, "; \t,"), len - i - 2));
        }
        i += strcspn(range + i, ";,");
    }
    return 1000;
}

const char *tkt_page_language(const char *accept, const char *otherwise)
{
    static const char *const known[] = {"en", "de"};
    const char *best = strcmp(otherwise, "de") == 0 ? "de" : "en";
    int best_q = 0;

    if (accept == NULL || strlen(accept) > ACCEPT_MAX) {
        return best;
    }
    for (const char *p = accept; *p != '\0'; p += *p == ',') {
        p += strspn(p, " \t");
        size_t len = strcspn(p, ",");
        size_t tag = TKT_MIN(strcspn(p, "-; \t,"), len);

        for (size_t i = 0; i < TKT_ARRAY_LEN(known); i++) {
            if (tag == 2 && tkt_ascii_ieqn(p, known[i], 2) && quality(p, len) > best_q) {
                best = known[i];
                best_q = quality(p, len);
            }
        }
        p += len;
    }
    return best;
}

/* ---- words --------------------------------------------------------------------------------- */

struct words {
    const char *language;
    const char *title;
    const char *text[TKT_PAGE_KINDS];
    const char *button[TKT_PAGE_KINDS];
    const char *all; /* the second button of a desk's page */
};
static const struct words all_words[] = {
    {.language = "en",
     .title = "Notices",
     .text = {[TKT_PAGE_ASK] = "Notices about tickets, of this desk and all others, are "
                               "sent to this address. Shall that end? What people write "
                               "to you comes all the same.",
              [TKT_PAGE_STOPPED] =
                  "No more notices about tickets, whatever desk they are "
                  "of, are sent to this address. What people write to "
                  "you comes all the same.",
              [TKT_PAGE_ASK_DESK] = "Notices about tickets of this desk are sent to this "
                                    "address. Shall that end? What people write to you "
                                    "comes all the same.",
              [TKT_PAGE_STOPPED_DESK] = "No more notices about tickets of this desk are "
                                        "sent to this address. What people write to you "
                                        "comes all the same.",
              [TKT_PAGE_UNKNOWN] = "This link is not known, or not any more. Newer mails "
                                   "have a link that is.",
              [TKT_PAGE_UNASKED] = "Nothing was changed: please use the button.",
              [TKT_PAGE_BUSY] = "Nothing was changed: please try again in a minute."},
     .button = {[TKT_PAGE_ASK] = "No more notices",
                [TKT_PAGE_STOPPED] = "Send notices again",
                [TKT_PAGE_ASK_DESK] = "No more notices",
                [TKT_PAGE_STOPPED_DESK] = "Send notices again",
                [TKT_PAGE_UNASKED] = "No more notices"},
     .all = "No more notices of any desk"},
    {.language = "de",
     .title = "Benachrichtigungen",
     .text = {[TKT_PAGE_ASK] = "An diese Adresse gehen Benachrichtigungen \xc3\xbc"
                               "ber Tickets, von dieser Stelle und allen anderen. Soll "
                               "das enden? Was Ihnen Menschen schreiben, kommt "
                               "weiterhin an.",
              [TKT_PAGE_STOPPED] = "An diese Adresse gehen keine Benachrichtigungen "
                                   "\xc3\xbc"
                                   "ber Tickets mehr, gleich von welcher Stelle. Was "
                                   "Ihnen Menschen schreiben, kommt weiterhin an.",
              [TKT_PAGE_ASK_DESK] = "An diese Adresse gehen Benachrichtigungen \xc3\xbc"
                                    "ber Tickets dieser Stelle. Soll das enden? Was "
                                    "Ihnen Menschen schreiben, kommt weiterhin an.",
              [TKT_PAGE_STOPPED_DESK] = "An diese Adresse gehen keine "
                                        "Benachrichtigungen \xc3\xbc"
                                        "ber Tickets dieser Stelle mehr. Was Ihnen "
                                        "Menschen schreiben, kommt weiterhin an.",
              [TKT_PAGE_UNKNOWN] = "Diesen Link gibt es nicht, oder nicht mehr. Neuere "
                                   "Mails haben einen, der gilt.",
              [TKT_PAGE_UNASKED] = "Nichts wurde ge\xc3\xa4ndert: bitte den Knopf "
                                   "benutzen.",
              [TKT_PAGE_BUSY] = "Nichts wurde ge\xc3\xa4ndert: bitte in einer Minute "
                                "noch einmal versuchen."},
     .button = {[TKT_PAGE_ASK] = "Keine Benachrichtigungen mehr",
                [TKT_PAGE_STOPPED] = "Wieder benachrichtigen",
                [TKT_PAGE_ASK_DESK] = "Keine Benachrichtigungen mehr",
                [TKT_PAGE_STOPPED_DESK] = "Wieder benachrichtigen",
                [TKT_PAGE_UNASKED] = "Keine Benachrichtigungen mehr"},
     .all = "Keine Benachrichtigungen mehr, von keiner Stelle"}};

static void add_html(struct tkt_buf *out, const char *text)
{
    (void)tkt_escape_add(TKT_ESCAPE_HTML, text, out); /* out->failed tells */
}

/* The first character and the host, or the last digits: enough to know one's own. */
static void add_address(struct tkt_buf *out, const char *address)
{
    TKT_AUTO_BUF struct tkt_buf clean = TKT_BUF_INIT(3 * ADDRESS_MAX);
    TKT_AUTO_BUF struct tkt_buf shown = TKT_BUF_INIT(4 * ADDRESS_MAX);
    const char *at = strrchr(address, '@');
    size_t len = strnlen(address, ADDRESS_MAX);

    (void)tkt_utf8_add_clean(&clean, address, len); /* shown is empty then */
    const char *text = tkt_buf_str(&clean);
    if (at == NULL) {
        (void)tkt_buf_addf(&shown, "...%s", text + (len > 3 ? clean.len - 3 : clean.len));
    } else {
        size_t first = 1;

        while (first < clean.len && ((unsigned char)text[first] & 0xc0U) == 0x80) {
            first++;
        }
        at = strrchr(text, '@');
        (void)tkt_buf_addf(&shown, "%.*s...%s", (int)first, text, at != NULL ? at : "");
    }
    add_html(out, tkt_buf_str(&shown));
}

void tkt_page_write(enum tkt_page_kind kind, const char *language, const char *desk,
                    const char *address, bool others, struct tkt_buf *out)
{
    const struct words *w = &all_words[strcmp(language, "de") == 0];

    (void)tkt_buf_addf(
        out, /* out->failed tells, of all these */
        "<!DOCTYPE html>\n<html lang=\"%s\">\n<head><meta charset=\"utf-8\">"
        "<title>%s</title>\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n"
        "<style>%s</style></head>\n<body>\n<h1>",
        w->language, w->title, tkt_page_style);
    add_html(out, desk[0] != '\0' ? desk : w->title);
    (void)tkt_buf_adds(out, "</h1>\n<p>");
    if (address[0] != '\0') {
        add_address(out, address);
        (void)tkt_buf_adds(out, "</p>\n<p>");
    }
    add_html(out, w->text[kind]);
    (void)tkt_buf_adds(out, "</p>\n");
    if (w->button[kind] != NULL) {
        (void)tkt_buf_adds(out, "<form method=\"post\"><button name=\"do\" value=\"");
        (void)tkt_buf_adds(out, kind == TKT_PAGE_STOPPED || kind == TKT_PAGE_STOPPED_DESK
                                    ? "again"
                                    : "stop");
        (void)tkt_buf_addf(out, "\">%s</button></form>\n", w->button[kind]);
    }
    if (others && (kind == TKT_PAGE_ASK_DESK || kind == TKT_PAGE_STOPPED_DESK)) {
        (void)tkt_buf_addf(out,
                           "<form method=\"post\"><button name=\"do\" "
                           "value=\"stop-all\">%s</button></form>\n",
                           w->all);
    }
    (void)tkt_buf_adds(out, "</body>\n</html>\n");
}

/* ---- what is posted --------------------------------------------------------------------------- */

static enum tkt_page_wish wish_of(const char *name, const char *value)
{
    if (tkt_ascii_ieq(name, FIELD)) {
        return tkt_ascii_ieq(value, ONE_CLICK) ? TKT_PAGE_STOP : TKT_PAGE_NOTHING;
    }
    return strcmp(name, "do") != 0          ? TKT_PAGE_NOTHING
           : strcmp(value, "stop") == 0     ? TKT_PAGE_STOP
           : strcmp(value, "stop-all") == 0 ? TKT_PAGE_STOP_ALL
           : strcmp(value, "again") == 0    ? TKT_PAGE_AGAIN
                                            : TKT_PAGE_NOTHING;
}

static enum tkt_page_wish wish_of_form(const void *body, size_t len)
{
    struct tkt_form form;
    struct tkt_err err = TKT_ERR_INIT;
    enum tkt_page_wish wish = TKT_PAGE_NOTHING;

    if (tkt_form_parse(body, len, TKT_PAGE_FIELDS_MAX, &form, &err) < 0) {
        return TKT_PAGE_NOTHING;
    }
    for (size_t i = 0; i < form.count && wish == TKT_PAGE_NOTHING; i++) {
        wish = wish_of(form.pairs[i].name, form.pairs[i].value);
    }
    tkt_form_release(&form);
    return wish;
}

/* "name=..." of a header field's parameters, with or without quotes. */
static bool parameter(const char *field, const char *name, char *out, size_t max)
{
    size_t n = strlen(name);

    for (const char *p = strchr(field, ';'); p != NULL; p = strchr(p, ';')) {
        p += 1 + strspn(p + 1, " \t");
        if (!tkt_ascii_ieqn(p, name, n) || p[n] != '=') {
            continue;
        }
        const char *from = p + n + 1;
        bool quoted = *from == '"';
        size_t len = strcspn(from + quoted, quoted ? "\"" : "; \t\r\n");

        if (len == 0 || len >= max) {
            return false;
        }
        memcpy(out, from + quoted, len);
        out[len] = '\0';
        return true;
    }
    return false;
}

/* One part: its head, an empty line, what it says. */
static enum tkt_page_wish wish_of_part(const char *part, size_t len)
{
    char head[512];
    char name[32];
    char value[32];
    const char *end = memmem(part, len, "\r\n\r\n", 4);
    size_t head_len = end == NULL ? len : (size_t)(end - part);
    size_t value_len = end == NULL ? 0 : len - head_len - 4;
    static const char disposition[] = "Content-Disposition:";

    if (end == NULL || head_len >= sizeof(head) || value_len >= sizeof(value)) {
        return TKT_PAGE_NOTHING;
    }
    memcpy(head, part, head_len);
    head[head_len] = '\0';
    memcpy(value, end + 4, value_len);
    value[value_len] = '\0';
    for (char *line = head; line != NULL; line = strstr(line, "\r\n")) {
        line += line[0] == '\r' ? 2 : 0;
        if (tkt_ascii_ieqn(line, disposition, strlen(disposition)) &&
            parameter(line, "name", name, sizeof(name))) {
            return wish_of(name, value);
        }
    }
    return TKT_PAGE_NOTHING;
}

static enum tkt_page_wish wish_of_parts(const char *boundary, const char *body,
                                        size_t len)
{
    char mark[BOUNDARY_MAX + 5];
    size_t n = (size_t)snprintf(mark, sizeof(mark), "--%s", boundary); /* has room */
    const char *end = body + len;
    const char *at = memmem(body, len, mark, n);
    enum tkt_page_wish wish = TKT_PAGE_NOTHING;

    for (int i = 0; i < TKT_PAGE_FIELDS_MAX && at != NULL && wish == TKT_PAGE_NOTHING;
         i++) {
        const char *part = at + n;
        if (end - part < 2 || memcmp(part, "\r\n", 2) != 0) {
            break; /* "--" ends it */
        }
        part += 2;
        at = memmem(part, (size_t)(end - part), mark, n);
        if (at != NULL && at - part >= 2) {
            wish = wish_of_part(part, (size_t)(at - part) - 2);
        }
    }
    return wish;
}

enum tkt_page_wish tkt_page_wish(const char *type, const void *body, size_t len)
{
    static const char parts[] = "multipart/form-data";
    static const char form[] = "application/x-www-form-urlencoded";
    char boundary[BOUNDARY_MAX + 1];

    if (len == 0 || len > TKT_PAGE_POST_MAX) {
        return TKT_PAGE_NOTHING;
    }
    if (type != NULL && tkt_ascii_ieqn(type, parts, strlen(parts))) {
        return parameter(type, "boundary", boundary, sizeof(boundary))
                   ? wish_of_parts(boundary, body, len)
                   : TKT_PAGE_NOTHING;
    }
    return type == NULL || tkt_ascii_ieqn(type, form, strlen(form))
               ? wish_of_form(body, len)
               : TKT_PAGE_NOTHING;
}
