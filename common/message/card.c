/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/card.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdbool.h>
#include <string.h>

#define LINE_MAX_BYTES (64 * 1024) /* of an unfolded line */

struct property {
    char name[32]; /* upper case, without a group before it */
    const char *params;
    size_t params_len;
    const char *value;
    size_t value_len;
};

/* The next line with what is folded into it; false at the end. */
static bool next_line(const char **p, const char *end, struct tkt_buf *line)
{
    tkt_buf_reset(line);
    if (*p == end) {
        return false;
    }
    for (;;) {
        const char *lf = memchr(*p, '\n', (size_t)(end - *p));
        const char *stop = lf == NULL ? end : lf;
        size_t n = (size_t)(stop - *p);
        n -= n > 0 && (*p)[n - 1] == '\r' ? 1 : 0;
        tkt_buf_add(line, *p, TKT_MIN(n, line->max - line->len));
        *p = lf == NULL ? end : lf + 1;
        if (*p == end || (**p != ' ' && **p != '\t')) {
            return true;
        }
        (*p)++;
    }
}

/* NAME;PARAM=x;PARAM="a:b":value */
static bool split(const struct tkt_buf *line, struct property *out)
{
    const char *p = tkt_buf_str(line);
    size_t n = line->len;
    size_t name = strcspn(p, ";:");
    bool quoted = false;
    size_t i = name;

    for (; i < n && (quoted || p[i] != ':'); i++) {
        quoted = quoted != (p[i] == '"');
    }
    const char *dot = memchr(p, '.', name);
    size_t skip = dot == NULL ? 0 : (size_t)(dot + 1 - p);
    if (i >= n || name - skip >= sizeof(out->name)) {
        return false;
    }
    *out = (struct property){.params = p + name,
                             .params_len = i - name,
                             .value = p + i + 1,
                             .value_len = n - i - 1};
    for (size_t k = skip; k < name; k++) {
        out->name[k - skip] = p[k] >= 'a' && p[k] <= 'z' ? (char)(p[k] - 32) : p[k];
    }
    return true;
}

static bool is(const struct property *p, const char *name)
{
    return strcmp(p->name, name) == 0;
}

/* "\n", "\," and "\;" are undone; in a list (N, ORG) ';' is a blank. */
static void add_text(struct tkt_buf *out, const char *p, size_t n, bool is_list)
{
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '\\' && i + 1 < n) {
            i++;
            tkt_buf_addc(out, p[i] == 'n' || p[i] == 'N' ? '\n' : p[i]);
        } else {
            tkt_buf_addc(out, is_list && p[i] == ';' ? ' ' : p[i]);
        }
    }
}

static bool param(const struct property *p, const char *name, const char **value,
                  size_t *n)
{
    size_t len = strlen(name);

    for (size_t i = 0; i + len + 1 < p->params_len; i++) {
        if (p->params[i] != ';' || !tkt_ascii_ieqn(p->params + i + 1, name, len) ||
            p->params[i + 1 + len] != '=') {
            continue;
        }
        const char *v = p->params + i + 2 + len;
        size_t rest = p->params_len - i - 2 - len;
        bool quoted = rest > 0 && *v == '"';
        v += quoted ? 1 : 0;
        rest -= quoted ? 1 : 0;
        size_t k = 0;
        while (k < rest && v[k] != (quoted ? '"' : ';')) {
            k++;
        }
        *value = v;
        *n = k;
        return true;
    }
    return false;
}

/* "20261124T090000Z" as "2026-11-24 09:00 UTC"; what is none as it stands. */
static void add_time(struct tkt_buf *out, const struct property *p)
{
    const char *v = p->value;
    size_t n = p->value_len;
    const char *zone = NULL;
    size_t zone_len = 0;
    size_t digits = strspn(v, "0123456789");

    if (n < 8 || digits != 8) {
        add_text(out, v, n, false);
        return;
    }
    tkt_buf_addf(out, "%.4s-%.2s-%.2s", v, v + 4, v + 6);
    if (n >= 13 && v[8] == 'T' && strspn(v + 9, "0123456789") >= 4) {
        tkt_buf_addf(out, " %.2s:%.2s", v + 9, v + 11);
    }
    if (v[n - 1] == 'Z') {
        tkt_buf_adds(out, " UTC");
    } else if (param(p, "TZID", &zone, &zone_len) && zone_len > 0) {
        tkt_buf_addf(out, " (%.*s)", (int)tkt_utf8_cut(zone, zone_len, 100), zone);
    }
}

/* "Ann <ann@example.test>" of CN and mailto: */
static void add_person(struct tkt_buf *out, const struct property *p)
{
    const char *name = NULL;
    size_t n = 0;
    bool is_mail = p->value_len > 7 && tkt_ascii_ieqn(p->value, "mailto:", 7);
    size_t skip = is_mail ? 7 : 0;

    if (param(p, "CN", &name, &n) && n > 0) {
        tkt_buf_add(out, name, n);
        tkt_buf_adds(out, " <");
        tkt_buf_add(out, p->value + skip, p->value_len - skip);
        tkt_buf_addc(out, '>');
    } else {
        tkt_buf_add(out, p->value + skip, p->value_len - skip);
    }
}

static const char *title_of(const struct tkt_buf *method)
{
    static const struct {
        const char *method;
        const char *title;
    } titles[] = {{"REQUEST", "Invitation"},
                  {"CANCEL", "Cancelled"},
                  {"REPLY", "Answer to an invitation"},
                  {"COUNTER", "Proposal"},
                  {"DECLINECOUNTER", "Declined proposal"},
                  {"ADD", "Invitation"}};

    for (size_t i = 0; i < TKT_ARRAY_LEN(titles); i++) {
        if (tkt_ascii_ieq(tkt_buf_str(method), titles[i].method)) {
            return titles[i].title;
        }
    }
    return "Event";
}

struct event {
    struct tkt_buf method;
    struct tkt_buf summary;
    struct tkt_buf start;
    struct tkt_buf end;
    struct tkt_buf place;
    struct tkt_buf organizer;
    struct tkt_buf answer;
    struct tkt_buf description;
};

static void add_line(struct tkt_buf *out, const char *label, const struct tkt_buf *value)
{
    if (value->len > 0) {
        tkt_buf_addf(out, "%s: %s\n", label, tkt_buf_str(value));
    }
}

/* depth counts the components within VCALENDAR: an alarm's summary is not the event's. */
static void take_event(struct event *e, const struct property *p, unsigned depth)
{
    const char *answer = NULL;
    size_t n = 0;
    struct tkt_buf *text = is(p, "SUMMARY")       ? &e->summary
                           : is(p, "LOCATION")    ? &e->place
                           : is(p, "DESCRIPTION") ? &e->description
                                                  : NULL;

    if (is(p, "METHOD") && e->method.len == 0) {
        add_text(&e->method, p->value, p->value_len, false);
    }
    if (depth != 2) {
        return;
    }
    if (text != NULL && text->len == 0) {
        add_text(text, p->value, p->value_len, false);
    } else if (is(p, "DTSTART") && e->start.len == 0) {
        add_time(&e->start, p);
    } else if ((is(p, "DTEND") || is(p, "DUE")) && e->end.len == 0) {
        add_time(&e->end, p);
    } else if (is(p, "ORGANIZER") && e->organizer.len == 0) {
        add_person(&e->organizer, p);
    } else if (is(p, "ATTENDEE") && e->answer.len == 0 &&
               tkt_ascii_ieq(tkt_buf_str(&e->method), "REPLY") &&
               param(p, "PARTSTAT", &answer, &n)) {
        add_person(&e->answer, p);
        tkt_buf_addf(&e->answer, ", %.*s", (int)tkt_utf8_cut(answer, n, 40), answer);
    }
}

static void write_event(struct tkt_buf *out, const struct event *e)
{
    tkt_buf_addf(out, "%s: %s", title_of(&e->method), tkt_buf_str(&e->summary));
    if (e->method.len > 0) {
        tkt_buf_addf(out, " (%s)", tkt_buf_str(&e->method));
    }
    tkt_buf_addc(out, '\n');
    if (e->start.len > 0) {
        tkt_buf_addf(out, "When: %s%s%s\n", tkt_buf_str(&e->start),
                     e->end.len > 0 ? " - " : "", tkt_buf_str(&e->end));
    }
    add_line(out, "Where", &e->place);
    add_line(out, "Organizer", &e->organizer);
    add_line(out, "Answer", &e->answer);
    if (e->description.len > 0) {
        tkt_buf_addf(out, "\n%s\n", tkt_buf_str(&e->description));
    }
}

void tkt_card_calendar(struct tkt_buf *out, const char *ics, size_t n)
{
    struct event e;
    struct tkt_buf *const all[] = {&e.method, &e.summary,   &e.start,  &e.end,
                                   &e.place,  &e.organizer, &e.answer, &e.description};
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);
    struct property p;
    unsigned depth = 0;
    bool is_zone = false;
    bool is_done = false;

    for (size_t i = 0; i < TKT_ARRAY_LEN(all); i++) {
        tkt_buf_init(all[i], LINE_MAX_BYTES);
    }
    for (const char *at = ics; !is_done && next_line(&at, ics + n, &line);) {
        if (!split(&line, &p)) {
            continue;
        }
        if (is(&p, "BEGIN")) {
            depth++;
            is_zone = depth == 2 ? tkt_ascii_ieqn(p.value, "VTIMEZONE", 9) : is_zone;
        } else if (is(&p, "END")) {
            is_done = depth == 2 && !is_zone;
            depth -= depth > 0 ? 1 : 0;
        } else if (!(is_zone && depth >= 2)) {
            take_event(&e, &p, depth);
        }
    }
    if (e.summary.len + e.start.len + e.description.len > 0) {
        write_event(out, &e);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(all); i++) {
        tkt_buf_release(all[i]);
    }
}

void tkt_card_contact(struct tkt_buf *out, const char *vcf, size_t n)
{
    static const struct {
        const char *name;
        const char *label;
    } rows[] = {{"FN", "Contact"},    {"ORG", "Organization"}, {"TITLE", "Title"},
                {"TEL", "Telephone"}, {"EMAIL", "Mail"},       {"URL", "Web"},
                {"NOTE", "Note"}};
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);
    struct property p;

    for (const char *at = vcf; next_line(&at, vcf + n, &line);) {
        if (!split(&line, &p)) {
            continue;
        }
        if (is(&p, "END")) {
            return; /* of the first card */
        }
        for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
            if (is(&p, rows[i].name) && p.value_len > 0) {
                tkt_buf_addf(out, "%s: ", rows[i].label);
                add_text(out, p.value, p.value_len, true);
                tkt_buf_addc(out, '\n');
            }
        }
    }
}
