/* SPDX-License-Identifier: BSD-2-Clause
 * From its words to ours, and lists of what changed there.
 */
#include "itsm/back.h"

#include "base/civil.h"
#include "base/enc.h"
#include "base/util.h"
#include "itsm/build.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_WIDTH "\xe2\x80\x8b" /* U+200B */
#define CUT_MIN 64              /* bytes of a text that was cut, to know it by */

/* ---- times ---------------------------------------------------------------------------- */

static bool digits(const char **p, int count, int *out)
{
    *out = 0;
    for (; count > 0; count--, (*p)++) {
        if (**p < '0' || **p > '9') {
            return false;
        }
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool skip(const char **p, const char *any)
{
    if (**p == '\0' || strchr(any, **p) == NULL) {
        return false;
    }
    (*p)++;
    return true;
}

/* "Z", "+01:00", "-0100", " UTC" or nothing: minutes east of UTC. */
static bool zone(const char *p, int *minutes)
{
    int h = 0;
    int m = 0;
    int sign = *p == '-' ? -1 : 1;

    *minutes = 0;
    if (*p == '\0' || strcmp(p, "Z") == 0 || strcmp(p, " UTC") == 0) {
        return true;
    }
    if (!skip(&p, "+-") || !digits(&p, 2, &h)) {
        return false;
    }
    (void)skip(&p, ":"); /* with or without */
    if (!digits(&p, 2, &m) || *p != '\0' || h > 14 || m > 59) {
        return false;
    }
    *minutes = sign * (h * 60 + m);
    return true;
}

int64_t tkt_itsm_time(const char *text)
{
    int y, mo, d, h, mi, s;
    int minutes = 0;
    const char *p = text == NULL ? "" : text;

    if (!digits(&p, 4, &y) || !skip(&p, "-") || !digits(&p, 2, &mo) || !skip(&p, "-") ||
        !digits(&p, 2, &d) || !skip(&p, "T ") || !digits(&p, 2, &h) || !skip(&p, ":") ||
        !digits(&p, 2, &mi) || !skip(&p, ":") || !digits(&p, 2, &s)) {
        return -1;
    }
    if (skip(&p, ".")) {
        p += strspn(p, "0123456789");
    }
    if (y < 1970 || mo < 1 || mo > 12 || d < 1 || d > tkt_civil_month_length(y, mo) ||
        h > 23 || mi > 59 || s > 60 || !zone(p, &minutes)) {
        return -1;
    }
    int64_t at = (int64_t)tkt_civil_days(y, mo, d) * TKT_DAY_S + h * 3600 + mi * 60 + s;
    return (at - (int64_t)minutes * 60) * 1000;
}

const char *tkt_itsm_time_text(struct tkt_itsm_call *call, int64_t at_ms, char between)
{
    int64_t s = TKT_MAX(at_ms, INT64_C(0)) / 1000;
    struct tkt_civil day = tkt_civil_of((int32_t)(s / TKT_DAY_S));
    int left = (int)(s % TKT_DAY_S);

    return tkt_itsm_text(call, "%04d-%02d-%02d%c%02d:%02d:%02d", day.year, day.month,
                         day.day, between, left / 3600, left / 60 % 60, left % 60);
}

/* ---- lists ---------------------------------------------------------------------------- */

void tkt_itsm_saw_file(struct tkt_itsm_call *call, char *name, const cJSON *size,
                       const char *at)
{
    struct tkt_itsm_seen *s = &call->seen;
    size_t room = TKT_ITSM_FILES_MAX;

    if (s->file_sizes == NULL) {
        s->files = tkt_wire_arena_alloc(&call->arena, room * sizeof(*s->files));
        s->file_times = tkt_wire_arena_alloc(&call->arena, room * sizeof(*s->file_times));
        s->file_sizes = tkt_wire_arena_alloc(&call->arena, room * sizeof(*s->file_sizes));
    }
    if (s->files == NULL || s->file_times == NULL || s->file_sizes == NULL ||
        name == NULL || s->file_count == room) {
        return;
    }
    const char *digits_only = cJSON_GetStringValue(size);
    double bytes = cJSON_IsNumber(size) ? size->valuedouble
                   : digits_only != NULL && *digits_only >= '0' && *digits_only <= '9'
                       ? strtod(digits_only, NULL)
                       : -1;
    s->file_sizes[s->file_count] = bytes >= 0 && bytes < 9e15 ? (int64_t)bytes : -1;
    s->file_times[s->file_count] = tkt_itsm_time(at);
    s->files[s->file_count++] = name;
}

int tkt_itsm_changed(struct tkt_itsm_call *call, const char *key, int64_t at_ms,
                     struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;

    if (s->keys == NULL) {
        s->keys =
            tkt_wire_arena_alloc(&call->arena, TKT_ITSM_CHANGED_MAX * sizeof(char *));
        s->key_times =
            tkt_wire_arena_alloc(&call->arena, TKT_ITSM_CHANGED_MAX * sizeof(int64_t));
    }
    if (s->keys == NULL || s->key_times == NULL || key == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
    }
    if (s->key_count < TKT_ITSM_CHANGED_MAX && *key != '\0' &&
        (at_ms < 0 || at_ms >= call->since_ms)) {
        s->key_times[s->key_count] = at_ms;
        s->keys[s->key_count++] = (char *)(uintptr_t)key;
        tkt_itsm_went(call, at_ms);
    }
    return 0;
}

void tkt_itsm_went(struct tkt_itsm_call *call, int64_t at_ms)
{
    if (call->until_ms > 0 && at_ms > call->until_ms) {
        call->seen.has_odd_time = true;
    } else {
        call->seen.upto_ms = TKT_MAX(call->seen.upto_ms, at_ms);
    }
}

bool tkt_itsm_list_is_full(struct tkt_itsm_call *call, size_t page)
{
    call->seen.is_cut = call->seen.key_count + page > TKT_ITSM_CHANGED_MAX ||
                        call->step >= TKT_ITSM_LIST_PAGES_MAX;
    return call->seen.is_cut;
}

/* ---- words ---------------------------------------------------------------------------- */

static const char *state_there(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                               const char *ours)
{
    return ops->state_word != NULL ? ops->state_word(call, ours)
                                   : tkt_itsm_state(call, ops->states, ours, NULL);
}

/* States that an ITSM may bring; where several of ours are called the same there, the one
 * that ends least is meant. */
static const struct {
    const char *name;
    int state;
} states[] = {{"new", TKT_STATE_NEW},
              {"open", TKT_STATE_OPEN},
              {"pending", TKT_STATE_PENDING},
              {"resolved", TKT_STATE_RESOLVED},
              {"closed", TKT_STATE_CLOSED}};

static int state_of(const char *name, size_t len)
{
    for (size_t i = 0; i < TKT_ARRAY_LEN(states); i++) {
        if (strlen(states[i].name) == len && strncmp(states[i].name, name, len) == 0) {
            return states[i].state;
        }
    }
    return -1;
}

static void add(unsigned *set, int *first, int value)
{
    if (value >= 0) {
        *first = *set == 0 ? value : *first;
        *set |= 1u << value;
    }
}

static void read_state(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                       struct tkt_itsm_meaning *out)
{
    const struct tkt_conf_list *rows = &call->site->conf->states;
    const char *word = call->seen.state;

    for (size_t i = 0; word != NULL && i < rows->count; i++) {
        size_t n = strcspn(rows->items[i], "=");

        if (rows->items[i][n] == '=' && tkt_ascii_ieq(rows->items[i] + n + 1, word)) {
            add(&out->states, &out->state_to, state_of(rows->items[i], n));
        }
    }
    for (size_t i = 0; word != NULL && i < TKT_ARRAY_LEN(states); i++) {
        const char *there = state_there(ops, call, states[i].name);

        if (there != NULL && tkt_ascii_ieq(there, word)) {
            add(&out->states, &out->state_to, states[i].state);
        }
    }
}

static void read_priority(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                          struct tkt_itsm_meaning *out)
{
    const struct tkt_conf_list *rows = &call->site->conf->priorities;
    const char *word = call->seen.priority;
    char ours[2] = "0";
    bool by_row = false;

    for (size_t i = 0; word != NULL && i < rows->count; i++) {
        const char *row = rows->items[i];

        if (row[0] >= '1' && row[0] <= '5' && row[1] == '=' &&
            tkt_ascii_ieq(row + 2, word)) {
            add(&out->priorities, &out->priority_to, row[0] - '0');
            by_row = true;
        }
    }
    for (int p = 1; word != NULL && !by_row && ops->priorities != NULL && p <= 5; p++) {
        if (ops->priorities[p] != NULL && tkt_ascii_ieq(ops->priorities[p], word)) {
            add(&out->priorities, &out->priority_to, p);
        }
    }
    ours[0] = (char)('0' + call->ticket->priority % 10);
    out->priority_told = (ops->priorities != NULL && !ops->priorities_are_read) ||
                         tkt_itsm_map(rows, ours, NULL) != NULL;
}

static void read_group(struct tkt_itsm_call *call, struct tkt_itsm_meaning *out)
{
    const char *word = call->seen.group;
    const char *there = tkt_itsm_place(call);

    if (word == NULL) {
        return;
    }
    if (there != NULL && tkt_ascii_ieq(there, word)) {
        out->group_same = call->ticket->group;
    }
    out->group_to = tkt_itsm_unmap(call, &call->site->conf->groups, word, NULL);
}

/* An address is one; else the section says who it is. */
static void read_assignee(struct tkt_itsm_call *call, struct tkt_itsm_meaning *out)
{
    const char *word = call->seen.assignee;

    if (word == NULL || *word == '\0') {
        out->assignee_to = word;
        return;
    }
    out->assignee_to = tkt_itsm_unmap(call, &call->site->conf->assignees, word,
                                      strchr(word, '@') != NULL ? word : NULL);
}

void tkt_itsm_meaning(const struct tkt_itsm_ops *ops, struct tkt_itsm_call *call,
                      struct tkt_itsm_meaning *out)
{
    *out = (struct tkt_itsm_meaning){.state_to = -1};
    read_state(ops, call, out);
    read_priority(ops, call, out);
    read_group(call, out);
    read_assignee(call, out);
}

bool tkt_itsm_note_is_ours(const struct tkt_itsm_call *call,
                           const struct tkt_itsm_note *n)
{
    const char *author = n->author == NULL ? "" : n->author;
    const char *me = call->seen.me == NULL ? "" : call->seen.me;
    const char *user = call->site->conf->user;

    return n->is_ours ||
           (*author != '\0' &&
            (tkt_ascii_ieq(author, me) || tkt_ascii_ieq(author, user))) ||
           (n->text != NULL && call->ticket->corr[0] != '\0' &&
            strstr(n->text, call->ticket->corr) != NULL);
}

/* ---- what is kept of what it said ----------------------------------------------------- */

/* One line of whole characters: it is shown, mailed and logged. */
static char *plain(struct tkt_itsm_call *call, const char *text, size_t max)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * TKT_HTTP_ANSWER_MAX);

    if (text == NULL) {
        return NULL;
    }
    tkt_utf8_add_clean(&out, text, strlen(text));
    char *line = (char *)(uintptr_t)tkt_itsm_line(call, tkt_buf_str(&out), 0);
    if (line != NULL && max > 0) {
        line[tkt_utf8_cut(line, strlen(line), max)] = '\0';
    }
    return line;
}

/* People and programs follow it. */
static bool is_page(const char *url)
{
    size_t n = strlen(url);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)url[i] <= ' ' || url[i] == 0x7f) {
            return false;
        }
    }
    return n <= TKT_ITSM_PAGE_MAX &&
           (tkt_ascii_ieqn(url, "https://", 8) || tkt_ascii_ieqn(url, "http://", 7));
}

bool tkt_itsm_is_key(const char *text)
{
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return false;
        }
    }
    return n <= TKT_ITSM_KEY_MAX && tkt_utf8_valid(text, n);
}

int tkt_itsm_tidy(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    char **const words[] = {&s->state, &s->group, &s->assignee, &s->priority, &s->me};

    if (s->external != NULL && !tkt_itsm_is_key(s->external)) {
        return tkt_err_set(
            err, TKT_ERR_PERM,
            "%s names the ticket by what is no key: more than %d bytes, or "
            "no text",
            call->site->conf->name, TKT_ITSM_KEY_MAX);
    }
    s->number = plain(call, s->number, TKT_ITSM_KEY_MAX);
    if (s->url != NULL && !is_page(s->url)) {
        s->url = tkt_itsm_keep(call, "");
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        *words[i] = plain(call, *words[i], 0);
    }
    for (size_t i = 0; i < s->note_count; i++) {
        s->notes[i].author = plain(call, s->notes[i].author, 0);
    }
    return 0;
}

/* ---- is it there already? ------------------------------------------------------------- */

const char *tkt_itsm_mark(struct tkt_itsm_call *call)
{
    return call->key == NULL || *call->key == '\0' || call->ticket->corr[0] == '\0'
               ? NULL
               : tkt_itsm_text(call, "%s %s", call->ticket->corr, call->key);
}

/* Of all that is told, this needs no second look. */
static bool has_mark(struct tkt_itsm_call *call)
{
    const char *mark = tkt_itsm_mark(call);
    size_t n = mark == NULL ? 0 : strlen(mark);

    for (size_t i = 0; n > 0 && i < call->seen.note_count; i++) {
        const char *text = call->seen.notes[i].text;

        for (const char *p = text == NULL ? NULL : strstr(text, mark); p != NULL;
             p = strstr(p + n, mark)) {
            if (p[n] < '0' || p[n] > '9') {
                return true;
            }
        }
    }
    return false;
}

/* Each run of blanks is one, and there is none at either end; what has no width is none. */
static char *folded(struct tkt_itsm_call *call, const char *text)
{
    char *out = tkt_itsm_keep(call, text);
    char *to = out;

    for (const char *p = text == NULL ? "" : text; out != NULL && *p != '\0';) {
        size_t blank = strspn(p, " \t\r\n");

        p += blank;
        if (blank > 0 && to > out && *p != '\0') {
            *to++ = ' ';
        }
        for (; *p != '\0' && strchr(" \t\r\n", *p) == NULL; p++) {
            if (strncmp(p, NO_WIDTH, strlen(NO_WIDTH)) == 0) {
                p += strlen(NO_WIDTH) - 1;
            } else {
                *to++ = *p;
            }
        }
    }
    if (out != NULL) {
        *to = '\0';
    }
    return out;
}

/* All of it, or as much as had room there. */
static bool is_same(const char *there, const char *sent)
{
    size_t n = strlen(there);

    if (n > 0 && there[n - 1] == ']') {
        const char *cut = strstr(there, " [...");

        if (cut != NULL && cut - there >= CUT_MIN &&
            strncmp(there, sent, (size_t)(cut - there)) == 0) {
            return true;
        }
    }
    return strcmp(there, sent) == 0;
}

/* As one backend or another writes who said it. */
static bool says_it(struct tkt_itsm_call *call, const char *there)
{
    const struct tkt_itsm_comment *c = call->comment;
    const char *ways[] = {
        c->text, tkt_itsm_said(call),
        tkt_itsm_text(call, "%s <%s>:\n%s", c->author_name, c->author, c->text),
        tkt_itsm_text(call, "%s wrote:\n%s", c->author, c->text)};
    const char *is = folded(call, there);

    for (size_t i = 0; is != NULL && *is != '\0' && i < TKT_ARRAY_LEN(ways); i++) {
        const char *sent = folded(call, ways[i]);

        if (sent != NULL && is_same(is, sent)) {
            return true;
        }
    }
    return false;
}

bool tkt_itsm_has_comment(struct tkt_itsm_call *call, int64_t since_ms)
{
    const struct tkt_itsm_seen *s = &call->seen;

    if (has_mark(call)) {
        return true;
    }
    for (size_t i = 0; i < s->note_count; i++) {
        const struct tkt_itsm_note *n = &s->notes[i];

        if (tkt_itsm_time(n->at) >= since_ms && tkt_itsm_note_is_ours(call, n) &&
            n->is_public == call->comment->is_public && says_it(call, n->text)) {
            return true;
        }
    }
    return false;
}

bool tkt_itsm_has_file(struct tkt_itsm_call *call, int64_t since_ms)
{
    const struct tkt_itsm_seen *s = &call->seen;

    if (has_mark(call)) {
        return true;
    }
    for (size_t i = 0; i < s->file_count && s->file_sizes != NULL; i++) {
        if (s->files[i] != NULL && strcmp(s->files[i], call->file->name) == 0 &&
            s->file_sizes[i] == call->file->size && s->file_times[i] >= since_ms) {
            return true;
        }
    }
    return false;
}
