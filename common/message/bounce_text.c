/* SPDX-License-Identifier: BSD-2-Clause
 * Delivery reports in prose: qmail, Exim, old Sendmail, Exchange and all who wrote their
 * own. Lines are weighed, not matched against one program's wording: in every report the
 * failed address stands alone on its line or is the object of the failure, and the
 * reason stands behind it.
 */
#include "base/enc.h"
#include "base/util.h"
#include "message/bounce.h"
#include "message/phrase.h"

#include <string.h>

#define LINES_MAX 1000   /* of a report; what it tells stands at its top */
#define REASON_LINES 12  /* of one reason */
#define LINE_LOOK_AT 400 /* bytes of a line in which words are looked for */

struct line {
    const char *p; /* without leading blanks */
    size_t n;      /* without trailing ones */
};

struct prose {
    struct line lines[LINES_MAX];
    size_t count; /* of the report itself, without the returned message */
    const struct tkt_bounce_hints *hints;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static struct line line_at(const char *p, const char *end, const char **next)
{
    const char *lf = memchr(p, '\n', (size_t)(end - p));
    const char *stop = lf == NULL ? end : lf;

    *next = lf == NULL ? end : lf + 1;
    while (p < stop && is_blank(*p)) {
        p++;
    }
    while (stop > p && is_blank(stop[-1])) {
        stop--;
    }
    return (struct line){p, (size_t)(stop - p)};
}

static bool has(const struct line *l, const char *words)
{
    return tkt_phrase_find(l->p, TKT_MIN(l->n, LINE_LOOK_AT), words) != NULL;
}

static bool has_any(const struct line *l, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (has(l, words[i])) {
            return true;
        }
    }
    return false;
}

static bool begins(const struct line *l, const char *words)
{
    size_t n = strlen(words);

    return l->n >= n && tkt_ascii_ieqn(l->p, words, n);
}

/* ---- where the returned message begins ---- */

static bool is_rule(char c)
{
    return c == '-' || c == '|' || c == '=' || c == '_' || c == '*' || c == '+';
}

/* "--- Below this line is a copy of the message.", "Original message follows.",
 * "-------original mail info", "Message headers follow." */
static bool announces_returned(const struct line *l)
{
    static const char *const what[] = {
        "original message",       "original mail",          "returned message",
        "unsent message",         "copy of the message",    "copy of your message",
        "message header",         "message text follows",   "copy of the original",
        "original header",        "header of the original", "returned mail follows",
        "begin returned message", "rejected message",       "undelivered message"};
    static const char *const how[] = {"follow",  "below",    "header",
                                      "copy of", "enclosed", "included"};

    if (l->n > 120 || !has_any(l, what, TKT_ARRAY_LEN(what))) {
        return false;
    }
    bool ruled = l->n > 3 && is_rule(l->p[0]) && is_rule(l->p[1]) && is_rule(l->p[2]);
    return ruled || (has_any(l, how, TKT_ARRAY_LEN(how)) &&
                     (l->p[l->n - 1] == ':' || l->p[l->n - 1] == '.' || l->n < 50));
}

/* A header field that only a message's own header has. */
static bool is_trace_field(const struct line *l)
{
    return begins(l, "Received:") || begins(l, "Return-Path:") ||
           begins(l, "DKIM-Signature:") || begins(l, "X-Received:") ||
           begins(l, "X-Envelope-From:") || begins(l, "Delivered-To:");
}

size_t tkt_bounce_returned_at(const char *text, size_t n, size_t *body_at)
{
    const char *end = text + TKT_MIN(n, TKT_BOUNCE_TEXT_MAX);
    const char *next = text;

    for (const char *p = text; p < end; p = next) {
        struct line l = line_at(p, end, &next);
        bool trace = is_trace_field(&l);
        if (trace || announces_returned(&l)) {
            if (body_at != NULL) {
                *body_at = (size_t)((trace ? p : next) - text);
            }
            return (size_t)(p - text);
        }
    }
    if (body_at != NULL) {
        *body_at = n;
    }
    return n;
}

/* ---- which address failed ---- */

/* Lines that name people to ask, and links. */
static bool names_helper(const struct line *l)
{
    static const char *const words[] = {
        "contact", "assistance", "support",       "questions", "help",  "mailto:",
        "visit",   "http",       "administrator", "please do", "reply", "abuse@"};

    return has_any(l, words, TKT_ARRAY_LEN(words));
}

/* What stands in front of an address decides whether it is the one who wrote. */
static bool is_behind_sender_word(const struct line *l, size_t from)
{
    static const char *const words[] = {"mail from:", "from:",  "from ", "sender:",
                                        "sender ",    "from=<", "f=[",   "envelope-from"};
    struct line before = {l->p, from};

    if (has(&before, "rcpt to") || has(&before, "rcpt:")) {
        return false;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        const char *at =
            tkt_phrase_find(before.p, TKT_MIN(before.n, LINE_LOOK_AT), words[i]);
        if (at != NULL && before.n - (size_t)(at - before.p) <= strlen(words[i]) + 4) {
            return true;
        }
    }
    return false;
}

/* Nothing but the address, its brackets, signs of a list and what introduces a reason. */
static bool stands_alone(const struct line *l, size_t from, size_t end)
{
    for (size_t i = 0; i < from; i++) {
        if (strchr(" \t<\"'(*-[o", l->p[i]) == NULL) {
            return false;
        }
    }
    size_t i = end;
    while (i < l->n && strchr(">\"')]", l->p[i]) != NULL) {
        i++;
    }
    while (i < l->n && is_blank(l->p[i])) {
        i++;
    }
    return i == l->n || strchr(":;[(.,-<", l->p[i]) != NULL;
}

static int weigh(const struct line *l, size_t from, size_t end)
{
    static const char *const objects[] = {
        "recipient", "deliver",       "address",   "user",      "mailbox",
        "account",   "unknown",       "rejected",  "failed",    "could not",
        "couldn't",  "unable",        "not found", "not exist", "no such",
        "undeliver", "did not reach", "gateway",   "error",     "refused",
        "unzustell", "zugestellt",    "remis",     "entrega",   "recapit",
        "destinat",  "mailing list",  "не достав", "доставить", "拒",
        "送信"};

    if (is_behind_sender_word(l, from)) {
        return -8;
    }
    if (stands_alone(l, from, end)) {
        return names_helper(l) && end < l->n ? 4 : 10;
    }
    struct line before = {l->p, from};
    if (has(&before, "rcpt to") || has(&before, "rcpt:")) {
        return 9;
    }
    if (names_helper(l)) {
        return -8;
    }
    if (has_any(l, objects, TKT_ARRAY_LEN(objects)) || tkt_bounce_is_reply(l->p, l->n)) {
        return 6;
    }
    if (begins(l, "To:") || begins(l, "T:")) {
        return 3;
    }
    return from <= 2 ? 7 : 1;
}

static bool is_office(const char *address)
{
    static const char *const locals[] = {"postmaster@", "mailer-daemon@", "abuse@",
                                         "support@",    "helpdesk@",      "hostmaster@"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(locals); i++) {
        if (tkt_ascii_ieqn(address, locals[i], strlen(locals[i]))) {
            return true;
        }
    }
    return false;
}

/* The people of the report itself are the last that it is about. */
static int weigh_address(const struct prose *s, const char *address)
{
    for (size_t i = 0; i < s->hints->not_recipient_count; i++) {
        if (tkt_ascii_ieq(s->hints->not_recipient[i], address)) {
            return -6;
        }
    }
    const char *at = strrchr(address, '@');
    int weight = is_office(address) ? -3 : 0;
    return at != NULL && strchr(at, '.') == NULL && at[1] != '[' ? weight - 4 : weight;
}

struct hit {
    int weight;
    size_t line;
    size_t end; /* of the address within the line; 0: the whole line is the reason */
    char address[TKT_BOUNCE_ADDRESS_MAX];
};

/* Behind the address and its brackets, when what follows is said of it. */
static size_t reason_begin(const struct line *l, size_t end)
{
    size_t i = end;

    while (i < l->n && strchr(">\"')] \t", l->p[i]) != NULL) {
        i++;
    }
    return i == l->n || strchr(":;[(.,-<", l->p[i]) != NULL ? end : 0;
}

/* "... to the address" above one says whom to ask. */
static bool is_asked_to_write(const struct prose *s, size_t index)
{
    static const char *const words[] = {"to the address", "send mail to",
                                        "please contact"};

    while (index > 0 && s->lines[index - 1].n == 0) {
        index--;
    }
    const struct line *l = index > 0 ? &s->lines[index - 1] : NULL;
    return l != NULL && memchr(l->p, '@', l->n) == NULL &&
           has_any(l, words, TKT_ARRAY_LEN(words));
}

static void look_at_line(const struct prose *s, size_t index, struct hit *best)
{
    const struct line *l = &s->lines[index];
    size_t at = 0;
    size_t from = 0;
    char address[TKT_BOUNCE_ADDRESS_MAX];

    while (
        tkt_bounce_address_find(l->p, TKT_MIN(l->n, LINE_LOOK_AT), &at, &from, address)) {
        bool wanted = s->hints->recipient[0] != '\0';
        int weight = weigh(l, from, at) + weigh_address(s, address);
        weight -= weight > 0 && is_asked_to_write(s, index) ? 9 : 0;
        if (wanted) {
            weight = tkt_ascii_ieq(address, s->hints->recipient) ? weight + 20 : 0;
        }
        if (weight > best->weight) {
            best->weight = weight;
            best->line = index;
            best->end = reason_begin(l, at);
            memcpy(best->address, address, sizeof(address));
        }
    }
}

/* ---- why ---- */

static bool is_empty(const struct line *l)
{
    return l->n == 0;
}

/* "-----", "=====", "|--- ...": the end of what belongs together. */
static bool is_ruler(const struct line *l)
{
    return l->n > 4 && is_rule(l->p[0]) && is_rule(l->p[1]) && is_rule(l->p[2]);
}

/* The fields of a report (RFC 3464) below its prose. */
static bool is_report_field(const struct line *l)
{
    static const char *const names[] = {
        "Action:",       "Status:",          "Final-Recipient:", "Original-Recipient:",
        "X-Actual-Rec",  "Reporting-MTA:",   "Remote-MTA:",      "Last-Attempt-Date:",
        "Arrival-Date:", "Will-Retry-Until", "Diagnostic-Code:", "Received-From-MTA:"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        if (begins(l, names[i])) {
            return true;
        }
    }
    return false;
}

static bool is_next_recipient(const struct line *l, const char *this_one)
{
    size_t at = 0;
    size_t from = 0;
    char address[TKT_BOUNCE_ADDRESS_MAX];

    return tkt_bounce_address_find(l->p, l->n, &at, &from, address) &&
           !tkt_ascii_ieq(address, this_one) && stands_alone(l, from, at) && from <= 2;
}

static const char *skip_to_reason(const char *p, const char *end)
{
    while (p < end && strchr(" \t>\"'):;.,-[]", *p) != NULL) {
        p++;
    }
    return p;
}

/* The rest of a line and those behind it, until what ends a paragraph. */
static void take_reason(const struct prose *s, size_t index, size_t from,
                        const char *about, char out[TKT_BOUNCE_DIAGNOSTIC_MAX])
{
    const struct line *first = &s->lines[index];
    const char *begin = skip_to_reason(first->p + from, first->p + first->n);
    const char *end = first->p + first->n;
    size_t i = index + 1;

    for (; i < s->count && i < index + REASON_LINES; i++) {
        const struct line *l = &s->lines[i];
        if (is_empty(l) || is_ruler(l) || is_report_field(l) ||
            is_next_recipient(l, about)) {
            break;
        }
        end = l->p + l->n;
    }
    tkt_bounce_one_line(begin, (size_t)(end - begin), out, TKT_BOUNCE_DIAGNOSTIC_MAX);
    size_t n = strlen(out);
    if (n > 0 && out[n - 1] == ']' && strchr(out, '[') == NULL) {
        out[n - 1] = '\0'; /* of a bracket before the address */
    }
}

/* The first line in which a server refuses: "550 5.1.1 ...", "<<< 550 ...",
 * "host said: 550 ...". *from: where its reply begins. */
static bool find_reply(const struct prose *s, size_t begin, size_t *index, size_t *from)
{
    for (size_t i = begin; i < s->count; i++) {
        const struct line *l = &s->lines[i];
        size_t n = TKT_MIN(l->n, LINE_LOOK_AT);
        for (size_t k = 0; k + 3 <= n; k++) {
            bool free = k == 0 || strchr(" \t:('\"<>", l->p[k - 1]) != NULL;
            bool in_text = k == 0 || l->p[k - 1] != ' ' || k < 4 || l->p[k - 2] == ':' ||
                           l->p[k - 2] == '<' || l->p[k - 2] == '>' ||
                           l->p[k - 2] == 'd' || l->p[k - 2] == 's';
            if (free && in_text && l->p[k] != '2' &&
                tkt_bounce_is_reply(l->p + k, n - k)) {
                *index = i;
                *from = k;
                return true;
            }
        }
    }
    return false;
}

static bool find_words(const struct prose *s, enum tkt_phrase kind, size_t *index)
{
    for (size_t i = 0; i < s->count; i++) {
        if (tkt_phrase_in_text(kind, s->lines[i].p,
                               TKT_MIN(s->lines[i].n, LINE_LOOK_AT))) {
            *index = i;
            return true;
        }
    }
    return false;
}

/* "Reason:" and its kin, alone on a line or before the reason. */
static bool find_label(const struct prose *s, size_t *index, size_t *from)
{
    static const char *const labels[] = {"reason:",
                                         "error:",
                                         "because:",
                                         "because of",
                                         "technical details of permanent failure:",
                                         "technical details of temporary failure:",
                                         "technical details:",
                                         "diagnostic",
                                         "details:",
                                         "server message",
                                         "grund:",
                                         "raison"};

    for (size_t i = 0; i < s->count; i++) {
        for (size_t k = 0; k < TKT_ARRAY_LEN(labels); k++) {
            const struct line *l = &s->lines[i];
            const char *at = tkt_phrase_find(l->p, TKT_MIN(l->n, 60), labels[k]);
            if (at == NULL) {
                continue;
            }
            *index = i;
            *from = (size_t)(at - l->p) + strlen(labels[k]);
            while (*from >= l->n && *index + 1 < s->count) {
                *index +=
                    1; /* what it announces is on the next line that says something */
                l = &s->lines[*index];
                *from = is_empty(l) || is_ruler(l) ? l->n : 0;
            }
            return true;
        }
    }
    return false;
}

static bool says_something(const char *reason)
{
    size_t letters = 0;

    for (; *reason != '\0'; reason++) {
        letters += (unsigned char)*reason > ' ' ? 1 : 0;
    }
    return letters >= 6;
}

/* The paragraph behind or, where reasons come first, the line before the address. */
static bool find_neighbour(const struct prose *s, const struct hit *hit, size_t *index)
{
    size_t i = hit->line + 1;

    while (i < s->count && !is_empty(&s->lines[i])) {
        i++;
    }
    while (i < s->count && (is_empty(&s->lines[i]) || is_ruler(&s->lines[i]))) {
        i++;
    }
    if (i < s->count && !is_report_field(&s->lines[i])) {
        *index = i;
        return true;
    }
    const struct line *before = hit->line > 0 ? &s->lines[hit->line - 1] : NULL;
    if (before == NULL || is_ruler(before) || before->n < 6 ||
        before->p[before->n - 1] == ':') {
        return false;
    }
    *index = hit->line - 1;
    return true;
}

/* Prose in a language that nobody taught us: its first whole sentence. */
static bool find_sentence(const struct prose *s, size_t *index)
{
    for (size_t i = 0; i < s->count; i++) {
        if (s->lines[i].n >= 40 && !is_ruler(&s->lines[i]) &&
            !is_report_field(&s->lines[i])) {
            *index = i;
            return true;
        }
    }
    return false;
}

static void find_reason(const struct prose *s, const struct hit *hit,
                        char out[TKT_BOUNCE_DIAGNOSTIC_MAX])
{
    size_t index = 0;
    size_t from = 0;
    bool certain = hit->weight >= 6;
    bool is_sentence = hit->end == 0 || s->lines[hit->line].n <= hit->end + 8;

    if (certain) {
        bool paragraph = hit->line + 1 < s->count &&
                         !is_empty(&s->lines[hit->line + 1]) &&
                         !is_report_field(&s->lines[hit->line + 1]);
        take_reason(s, hit->line, hit->end, hit->address, out);
        if (says_something(out) && (paragraph || !is_sentence)) {
            return;
        }
        out[0] = '\0';
    }
    if (find_reply(s, 0, &index, &from) || find_label(s, &index, &from)) {
        take_reason(s, index, from, hit->address, out);
    }
    bool sentence = certain && hit->weight < 10;
    if (!says_something(out) && certain && find_neighbour(s, hit, &index)) {
        take_reason(s, index, 0, hit->address, out);
    }
    if (!says_something(out) && sentence) {
        take_reason(s, hit->line, 0, hit->address, out);
    }
    if (!says_something(out) &&
        (find_words(s, TKT_PHRASE_BOUNCE_TEXT, &index) || find_sentence(s, &index))) {
        take_reason(s, index, 0, hit->address, out);
    }
}

/* ---- all of it ---- */

static void split(struct prose *s, const char *text, size_t n)
{
    const char *end = text + n;
    const char *next = text;

    for (const char *p = text; p < end && s->count < LINES_MAX; p = next) {
        s->lines[s->count++] = line_at(p, end, &next);
    }
}

void tkt_bounce_prose(const char *text, size_t n, const struct tkt_bounce_hints *hints,
                      struct tkt_bounce_found *out)
{
    TKT_AUTO_FREE struct prose *s = calloc(1, sizeof(*s));
    struct hit best = {.weight = 0};

    n = TKT_MIN(n, TKT_BOUNCE_TEXT_MAX);
    n = tkt_bounce_returned_at(text, n, NULL);
    if (s == NULL) {
        return;
    }
    s->hints = hints;
    split(s, text, n);
    for (size_t i = 0; i < s->count; i++) {
        look_at_line(s, i, &best);
    }
    if (best.weight > 0 && out->recipient[0] == '\0') {
        memcpy(out->recipient, best.address, sizeof(best.address));
    }
    if (out->diagnostic[0] == '\0') {
        find_reason(s, &best, out->diagnostic);
    }
    size_t head = TKT_MIN(n, 8192);
    if (out->action == TKT_BOUNCE_NONE &&
        tkt_phrase_in_text(TKT_PHRASE_DELAY_TEXT, text, head) &&
        !tkt_phrase_in_text(TKT_PHRASE_FINAL_TEXT, text, head)) {
        out->action = TKT_BOUNCE_DELAYED;
    }
    if (out->status[0] == '\0' && out->diagnostic[0] != '\0') {
        tkt_bounce_status_of(out->diagnostic, strlen(out->diagnostic),
                             out->action == TKT_BOUNCE_DELAYED, out->status);
    }
    if (out->status[0] == '\0' || strcmp(out->status + 1, ".0.0") == 0) {
        tkt_bounce_status_of(text, n, out->action == TKT_BOUNCE_DELAYED, out->status);
    }
}
