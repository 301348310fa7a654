/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm/issues.h"

#include "base/enc.h"
#include "base/util.h"
#include "itsm/back.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define NOTHING "\xe2\x80\x8b" /* U+200B: no width, and no word goes on behind it */
#define MARKDOWN_MAX (8 * 1024 * 1024)
#define TOLD_MAX (64 * 1024)

/* ---- Markdown ------------------------------------------------------------------------- */

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_' || ((unsigned char)c & 0x80) != 0;
}

/* At the start of a line these make it a heading, a rule, a block of code, or an order. */
static bool starts_something(const char *p)
{
    return *p == '#' || *p == '=' || *p == '`' || *p == '~' || *p == '|' ||
           (*p == '/' && isalpha((unsigned char)p[1])) ||
           (*p == '-' && strchr("\n", p[strspn(p, "- ")]) != NULL);
}

static void add_one(struct tkt_buf *out, const char *text, const char *p)
{
    static const char escaped[] = "\\<[&"; /* "&#64;x" is "@x" once it is shown */
    char before = p > text ? p[-1] : '\n';

    if (strchr(escaped, *p) != NULL) {
        tkt_buf_addc(out, '\\');
    }
    tkt_buf_addc(out, *p);
    bool mentions = *p == '@' && is_word(p[1]) && !is_word(before);
    bool refers = strchr("#!$%&", *p) != NULL && isdigit((unsigned char)p[1]);
    if (mentions || refers) {
        tkt_buf_adds(out, NOTHING);
    }
}

static bool is_raw(const struct tkt_itsm_call *call)
{
    return strcmp(tkt_itsm_option(call, "markdown", "no"), "yes") == 0;
}

const char *tkt_issues_markdown(struct tkt_itsm_call *call, const char *text,
                                bool with_breaks)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(MARKDOWN_MAX);
    bool at_start = true;

    if (is_raw(call)) {
        return tkt_itsm_keep(call, text);
    }
    for (const char *p = text; *p != '\0'; p++) {
        if (at_start && strchr("\\<[&", *p) == NULL && starts_something(p)) {
            tkt_buf_addc(&out, '\\');
        }
        /* Controls become blanks later. */
        at_start = *p == '\n' || (at_start && ((unsigned char)*p <= ' ' || *p == 0x7f));
        if (*p == '\n' && with_breaks && p > text && p[-1] != '\n' && p[1] != '\n' &&
            p[1] != '\0') {
            tkt_buf_adds(&out, "  ");
        }
        add_one(&out, text, p);
    }
    return out.failed ? NULL : tkt_itsm_keep(call, tkt_buf_str(&out));
}

char *tkt_issues_plain(struct tkt_itsm_call *call, const char *markdown)
{
    char *text = tkt_itsm_keep(call, markdown);
    char *to = text;

    if (text == NULL || is_raw(call)) {
        return text;
    }
    for (const char *p = text; *p != '\0';) {
        if (strncmp(p, NOTHING, strlen(NOTHING)) == 0) {
            p += strlen(NOTHING);
            continue;
        }
        p += *p == '\\' && p[1] != '\0' && ispunct((unsigned char)p[1]);
        p += strncmp(p, "  \n", 3) == 0 ? 2 : 0;
        *to++ = *p++;
    }
    *to = '\0';
    return text;
}

/* ---- texts ---------------------------------------------------------------------------- */

const char *tkt_issues_title(struct tkt_itsm_call *call, size_t max)
{
    const char *title = tkt_itsm_line(call, call->ticket->subject, max);

    return title == NULL || *title == '\0' ? call->ticket->id : title;
}

static size_t points_in(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++) {
        n += ((unsigned char)*text & 0xc0) != 0x80;
    }
    return n;
}

const char *tkt_issues_body(struct tkt_itsm_call *call, size_t subject_max, size_t max,
                            bool with_breaks)
{
    const struct tkt_itsm_ticket *t = call->ticket;
    bool cut = points_in(t->subject) > subject_max;
    bool sent = t->requester[0] != '\0';
    const char *whole =
        tkt_itsm_text(call, "%s%s%s%s%s%s%s", cut ? t->subject : "", cut ? "\n\n" : "",
                      sent ? t->requester_name : "", sent ? " <" : "",
                      sent ? t->requester : "", sent ? ">:\n\n" : "", t->text);
    const char *text =
        whole == NULL ? NULL : tkt_issues_markdown(call, whole, with_breaks);
    const char *mark = tkt_itsm_text(call, "\n\n<!-- %s -->", t->corr);

    if (text == NULL || mark == NULL) {
        return NULL;
    }
    const char *fits = tkt_itsm_fit(call, text, max - strlen(mark));
    return fits == NULL ? NULL : tkt_itsm_text(call, "%s%s", fits, mark);
}

bool tkt_issues_has_key(const struct tkt_itsm_call *call, const char *body)
{
    char mark[128];

    (void)snprintf(mark, sizeof(mark), "<!-- %s -->", call->ticket->corr); /* has room */
    return body != NULL && strstr(body, mark) != NULL;
}

const char *tkt_issues_comment(struct tkt_itsm_call *call, size_t max, bool with_breaks)
{
    const struct tkt_itsm_comment *c = call->comment;
    const char *text =
        c->author[0] == '\0'
            ? c->text
            : tkt_itsm_text(call, "%s <%s>:\n\n%s", c->author_name, c->author, c->text);
    const char *safe = text == NULL ? NULL : tkt_issues_markdown(call, text, with_breaks);

    return safe == NULL ? NULL : tkt_itsm_fit(call, *safe == '\0' ? "-" : safe, max);
}

const char *tkt_issues_file(struct tkt_itsm_call *call)
{
    const struct tkt_itsm_file *f = call->file;
    const char *name = tkt_itsm_line(call, f->name, 200);
    const char *text =
        name == NULL
            ? NULL
            : tkt_itsm_text(call, "File kept with %s: %s (%s, %" PRId64 " bytes)%s%s",
                            call->ticket->id, name, f->type, f->size,
                            call->ticket->url[0] ? "\n" : "", call->ticket->url);

    return text == NULL ? NULL : tkt_issues_markdown(call, text, true);
}

const char *tkt_issues_marked(struct tkt_itsm_call *call, const char *text)
{
    const char *mark = tkt_itsm_mark(call);

    return text == NULL || mark == NULL
               ? text
               : tkt_itsm_text(call, "%s\n\n<!-- %s -->", text, mark);
}

/* ---- labels --------------------------------------------------------------------------- */

static void add_label(struct tkt_issues_labels *labels, const char *name)
{
    if (name != NULL && *name != '\0' && labels->count < TKT_ISSUES_LABELS_MAX &&
        !tkt_issues_in(labels, name)) {
        labels->names[labels->count++] = name;
    }
}

/* Words of states that are no labels. */
static bool is_plain_state(const char *name)
{
    static const char *const words[] = {"open", "opened", "closed", "completed",
                                        "not_planned"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        if (strcmp(words[i], name) == 0) {
            return true;
        }
    }
    return false;
}

bool tkt_issues_is_closed(const char *state)
{
    return strcmp(state, "new") != 0 && strcmp(state, "open") != 0 &&
           strcmp(state, "pending") != 0;
}

void tkt_issues_wanted(struct tkt_itsm_call *call, bool with_type,
                       struct tkt_issues_labels *out)
{
    const struct tkt_conf_itsm *conf = call->site->conf;
    const struct tkt_itsm_ticket *t = call->ticket;
    const char *state = tkt_itsm_map(&conf->states, t->state, NULL);
    char priority[12];

    (void)snprintf(priority, sizeof(priority), "%d", t->priority); /* has room */
    out->count = 0;
    add_label(out, tkt_itsm_option(call, "label", NULL));
    if (tkt_itsm_tells(call, TKT_ITSM_GROUP)) {
        add_label(out, tkt_itsm_map(&conf->groups, t->group, NULL));
    }
    if (tkt_itsm_tells(call, TKT_ITSM_PRIORITY)) {
        add_label(out, tkt_itsm_map(&conf->priorities, priority, NULL));
    }
    if (with_type) {
        add_label(out, tkt_itsm_map(&conf->types, t->type, NULL));
    }
    if (state != NULL && !is_plain_state(state) && tkt_itsm_tells(call, TKT_ITSM_STATE)) {
        add_label(out, state);
    }
}

void tkt_issues_have(const cJSON *labels, struct tkt_issues_labels *out)
{
    const cJSON *label;

    out->count = 0;
    cJSON_ArrayForEach(label, labels)
    {
        add_label(out, cJSON_GetStringValue(
                           cJSON_IsObject(label) ? tkt_json_at(label, "name") : label));
    }
}

bool tkt_issues_in(const struct tkt_issues_labels *labels, const char *name)
{
    for (size_t i = 0; i < labels->count; i++) {
        if (tkt_ascii_ieq(labels->names[i], name)) {
            return true;
        }
    }
    return false;
}

/* What a row gives for ours. */
static const char *theirs(const char *row)
{
    const char *eq = strchr(row, '=');

    return eq == NULL ? "" : eq + 1;
}

static bool is_given(const struct tkt_conf_list *rows, const char *name)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (tkt_ascii_ieq(theirs(rows->items[i]), name)) {
            return true;
        }
    }
    return false;
}

bool tkt_issues_is_ours(const struct tkt_itsm_call *call, const char *name)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    return (tkt_itsm_tells(call, TKT_ITSM_GROUP) && is_given(&conf->groups, name)) ||
           (tkt_itsm_tells(call, TKT_ITSM_PRIORITY) &&
            is_given(&conf->priorities, name)) ||
           (tkt_itsm_tells(call, TKT_ITSM_STATE) && is_given(&conf->states, name) &&
            !is_plain_state(name));
}

static char *first_given(struct tkt_itsm_call *call, const struct tkt_conf_list *rows,
                         const struct tkt_issues_labels *have, const char *fallback)
{
    for (size_t i = 0; i < have->count; i++) {
        if (is_given(rows, have->names[i]) && !is_plain_state(have->names[i])) {
            return tkt_itsm_keep(call, have->names[i]);
        }
    }
    return tkt_itsm_keep(call, fallback);
}

void tkt_issues_see(struct tkt_itsm_call *call, const struct tkt_issues_labels *have,
                    const char *word)
{
    const struct tkt_conf_itsm *conf = call->site->conf;

    call->seen.state = first_given(call, &conf->states, have, word);
    call->seen.group = first_given(call, &conf->groups, have, "");
    call->seen.priority = first_given(call, &conf->priorities, have, "");
}

enum tkt_itsm_next tkt_issues_tell_labels(struct tkt_itsm_call *call)
{
    TKT_AUTO_BUF struct tkt_buf told = TKT_BUF_INIT(TOLD_MAX);
    const struct tkt_conf_itsm *conf = call->site->conf;
    const struct tkt_conf_list *lists[] = {&conf->groups, &conf->priorities};
    struct tkt_issues_labels have;

    tkt_issues_have(call->answer->json, &have);
    tkt_buf_adds(&told, call->seen.told);
    for (size_t l = 0; l < TKT_ARRAY_LEN(lists); l++) {
        for (size_t i = 0; i < lists[l]->count; i++) {
            const char *name = theirs(lists[l]->items[i]);

            tkt_buf_addf(&told, "\nlabel %s%s", name,
                         tkt_issues_in(&have, name) ? "" : " (its first issue makes it)");
        }
    }
    call->seen.told = told.failed ? call->seen.told /* too many to tell */
                                  : tkt_itsm_keep(call, tkt_buf_str(&told));
    return TKT_ITSM_DONE;
}

/* ---- answers -------------------------------------------------------------------------- */

bool tkt_issues_says(const struct tkt_itsm_call *call, const char *option,
                     const char *word)
{
    return strcmp(tkt_itsm_option(call, option, ""), word) == 0;
}

bool tkt_issues_wants_assignee(const struct tkt_itsm_call *call)
{
    return call->ticket->assignee[0] != '\0' && tkt_issues_says(call, "assignee", "yes");
}

enum tkt_itsm_next tkt_issues_take(struct tkt_itsm_call *call, const cJSON *issue,
                                   const struct tkt_issues_words *words,
                                   struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *number = tkt_json_at(issue, words->key);

    if (!cJSON_IsNumber(number) || number->valuedouble < 1) {
        return tkt_itsm_odd(call, err, words->key);
    }
    s->external = tkt_itsm_str(call, issue, words->key);
    s->number = (char *)(uintptr_t)tkt_itsm_text(call, "#%s", s->external);
    s->url = tkt_itsm_str(call, issue, words->page);
    return TKT_ITSM_DONE;
}

enum tkt_itsm_next tkt_issues_take_state(struct tkt_itsm_call *call,
                                         const struct tkt_issues_words *words,
                                         struct tkt_err *err)
{
    const cJSON *issue = call->answer->json;
    struct tkt_issues_labels have;

    if (tkt_issues_take(call, issue, words, err) != TKT_ITSM_DONE) {
        return TKT_ITSM_FAILED;
    }
    tkt_issues_have(tkt_json_at(issue, "labels"), &have);
    tkt_issues_see(call, &have, cJSON_GetStringValue(tkt_json_at(issue, "state")));
    call->seen.assignee = tkt_itsm_str(call, issue, words->assignee);
    call->seen.changed = tkt_itsm_str(call, issue, "updated_at");
    call->seen.me = tkt_itsm_str(call, issue, words->author);
    return TKT_ITSM_DONE;
}

/* ---- changes -------------------------------------------------------------------------- */

bool tkt_issues_changed(struct tkt_itsm_call *call, const char *key, size_t page,
                        enum tkt_itsm_next *out, struct tkt_err *err)
{
    const cJSON *list = call->answer->json;
    const cJSON *issue;

    *out = TKT_ITSM_FAILED;
    if (!cJSON_IsArray(list)) {
        *out = tkt_itsm_odd(call, err, "list of issues");
        return false;
    }
    cJSON_ArrayForEach(issue, list)
    {
        const char *text = cJSON_GetStringValue(tkt_json_at(issue, "updated_at"));
        int64_t at = text == NULL ? 0 : tkt_itsm_time(text);

        if (tkt_json_at(issue, "pull_request") != NULL) {
            tkt_itsm_went(call, at); /* a list of nothing else goes on, too */
        } else if (tkt_itsm_changed(call, tkt_itsm_str(call, issue, key), at, err) < 0) {
            return false;
        }
    }
    *out = TKT_ITSM_DONE;
    return tkt_itsm_count(list, "") == page && !tkt_itsm_list_is_full(call, page);
}
