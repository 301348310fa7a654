/* SPDX-License-Identifier: BSD-2-Clause
 * What an ITSM said of a ticket, against what it said before: changes, each once.
 */
#include "store/back.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/external.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define CUT_LINE "\n[...]"
#define AUTHOR_MAX 256
#define WAIT_MS 10000 /* until a change of ours should have gone there */
#define HOUR_MS (3600 * INT64_C(1000))
#define DAY_MS (24 * HOUR_MS)

enum word {
    W_STATE,
    W_GROUP,
    W_ASSIGNEE,
    W_PRIORITY,
    W_COUNT
};
static const char *const word_names[W_COUNT] = {"state", "group", "assignee", "priority"};

struct look {
    struct tkt_store *s;
    const struct tkt_store_back *in;
    struct tkt_store_back_out *out;
    int64_t now_ms;
    struct ticket_row t;
    char who[80];
    char requester[330];
    int64_t hinted;
    int64_t changed;
    bool had[W_COUNT];                                /* it was said before ... */
    char words[W_COUNT][TKT_STORE_BACK_WORD_MAX + 1]; /* ... and this is what */
};

/* ---- events --------------------------------------------------------------------------- */

static int tell(struct look *l, const char *kind, enum word w, const char *value,
                const char *why, struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(l->s);

    json_str(b, "itsm", l->in->itsm);
    json_str(b, "field", word_names[w]);
    json_str(b, "value", value);
    json_str_opt(b, "why", why);
    json_str(b, "who", l->who);
    return tkt_event_end(l->s, l->t.id, 0, NULL, kind, l->now_ms, err);
}

/* It has a word that means nothing here: kept, and nothing changes. */
static int unknown(struct look *l, enum word w, const char *value, struct tkt_err *err)
{
    l->out->unknown++;
    return tell(l, "itsm.unknown", w, value, NULL, err);
}

/* ---- fields --------------------------------------------------------------------------- */

static int set(struct look *l, const char *field, const char *value, struct tkt_err *err)
{
    l->out->changes++;
    return tkt_store_set(l->s, l->t.name, field, value, l->who, l->now_ms, err);
}

static int apply_state(struct look *l, const char *word, struct tkt_err *err)
{
    enum tkt_ticket_state to = (enum tkt_ticket_state)l->in->state_to;
    unsigned is = 1u << l->t.state;

    if (l->in->states == 0) {
        return unknown(l, W_STATE, word, err);
    }
    if ((l->in->states & is) != 0) {
        return 0;
    }
    bool by_hand = to == TKT_STATE_OPEN || to == TKT_STATE_PENDING ||
                   to == TKT_STATE_RESOLVED || to == TKT_STATE_CLOSED;
    if (l->t.state == TKT_STATE_REFUSED || !by_hand ||
        !tkt_ticket_may_move(l->t.state, to)) {
        /* A ticket that begins is new there when it is under way here: nothing to tell. */
        return l->had[W_STATE] ? tell(l, "itsm.unapplied", W_STATE, word,
                                      tkt_store_state_name(l->t.state), err)
                               : 0;
    }
    l->out->changes++;
    return tkt_store_move(l->s, l->t.name, to, l->who, "", l->now_ms, err);
}

static int apply_group(struct look *l, const char *word, struct tkt_err *err)
{
    const char *same = l->in->group_same;
    const char *to = l->in->group_to;

    if (same != NULL && strcmp(same, l->t.group) == 0) {
        return 0;
    }
    if (word[0] == '\0') {
        return 0; /* in nobody's hands there: here it stays where it is */
    }
    if (to == NULL) {
        return l->had[W_GROUP] ? unknown(l, W_GROUP, word, err) : 0;
    }
    return strcmp(to, l->t.group) == 0 ? 0 : set(l, "group", to, err);
}

static int apply_assignee(struct look *l, const char *word, struct tkt_err *err)
{
    const char *to = l->in->assignee_to;

    if (word[0] == '\0' && !l->had[W_ASSIGNEE]) {
        return 0; /* it was not told who has the ticket */
    }
    if (to == NULL || strlen(to) >= sizeof(l->t.assignee)) {
        return unknown(l, W_ASSIGNEE, word, err);
    }
    return tkt_ascii_ieq(to, l->t.assignee) ? 0 : set(l, "assignee", to, err);
}

static int apply_priority(struct look *l, const char *word, struct tkt_err *err)
{
    char digit[12];

    if (l->in->priorities == 0) {
        return l->had[W_PRIORITY] ? unknown(l, W_PRIORITY, word, err) : 0;
    }
    if (!l->had[W_PRIORITY] && !l->in->priority_told) {
        return 0; /* its own default */
    }
    if (l->t.priority > 0 && (l->in->priorities & (1u << l->t.priority)) != 0) {
        return 0;
    }
    snprintf(digit, sizeof(digit), "%d", l->in->priority_to);
    return set(l, "priority", digit, err);
}

static int apply_fields(struct look *l, struct tkt_err *err)
{
    static int (*const apply[W_COUNT])(struct look *, const char *, struct tkt_err *) = {
        [W_STATE] = apply_state,
        [W_GROUP] = apply_group,
        [W_ASSIGNEE] = apply_assignee,
        [W_PRIORITY] = apply_priority};
    /* The state last: whoever hears of the end of a ticket finds the rest in its place. */
    static const enum word order[W_COUNT] = {W_GROUP, W_ASSIGNEE, W_PRIORITY, W_STATE};
    const char *said[W_COUNT] = {[W_STATE] = l->in->state,
                                 [W_GROUP] = l->in->group,
                                 [W_ASSIGNEE] = l->in->assignee,
                                 [W_PRIORITY] = l->in->priority};

    for (size_t i = 0; i < W_COUNT; i++) {
        enum word w = order[i];
        char word[TKT_STORE_BACK_WORD_MAX + 1];

        if (said[w] == NULL) {
            continue;
        }
        snprintf(word, sizeof(word), "%s", said[w]);
        if (l->had[w] && strcmp(word, l->words[w]) == 0) {
            continue;
        }
        if (apply[w](l, word, err) < 0 ||
            tkt_ticket_load(l->s->db, l->t.id, &l->t, err) < 0) {
            return -1;
        }
        l->changed = l->had[w] ? l->now_ms : l->changed;
        l->had[w] = true;
        memcpy(l->words[w], word, sizeof(word));
    }
    return 0;
}

/* ---- comments ------------------------------------------------------------------------- */

/* What a comment says, as far as it has room here. */
static int text_of(const struct tkt_store_back_note *n, struct tkt_buf *out)
{
    size_t len = strlen(n->text);
    size_t max = tkt_utf8_cut(n->text, len, TKT_STORE_BACK_TEXT_MAX);

    tkt_utf8_add_clean(out, n->text, max);
    return max < len ? tkt_buf_adds(out, CUT_LINE) : out->failed ? -1 : 0;
}

static int write_comment(struct look *l, const struct ticket_row *t,
                         const struct tkt_store_back_note *n, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text =
        TKT_BUF_INIT(3 * TKT_STORE_BACK_TEXT_MAX + sizeof(CUT_LINE));
    unsigned char sha[TKT_SHA256_LEN];
    char author[AUTHOR_MAX + 1];
    int flags = M_COMMENT | M_CONFIRMED | (n->is_public ? M_PUBLIC : M_INTERNAL);
    int64_t message = 0;

    if (text_of(n, &text) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    snprintf(author, sizeof(author), "%s", n->author == NULL ? "" : n->author);
    tkt_sha256(text.data, text.len, sha);
    if (tkt_db_insert(l->s->db, SQL_MESSAGE_ADD, &message, err, "iidibtttttttttsb", t->id,
                      l->now_ms, flags, (int64_t)text.len, sha, sizeof(sha), "itsm", "",
                      "", "", author[0] != '\0' ? author : l->who, "", "", "", "",
                      (const char *)NULL, text.data, text.len) < 0 ||
        tkt_db_run(l->s->db, SQL_TICKET_TOUCH, err, "ii", t->id, l->now_ms) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(l->s);
    json_str(b, "who", l->who);
    json_bool(b, "public", n->is_public);
    json_str_opt(b, "author", author);
    json_bool(b, "from_requester",
              l->requester[0] != '\0' && tkt_ascii_ieq(author, l->requester));
    json_str(b, "note", n->id);
    l->out->comments++;
    return tkt_event_end(l->s, t->id, message, sha, "ticket.comment", l->now_ms, err);
}

static bool is_blank(const char *text)
{
    return text == NULL || text[strspn(text, " \t\r\n")] == '\0';
}

static int apply_notes(struct look *l, struct tkt_err *err)
{
    size_t count = TKT_MIN(l->in->note_count, (size_t)TKT_STORE_BACK_NOTES_MAX);
    struct ticket_row heir = l->t;

    if (tkt_ticket_follow(l->s->db, &heir, err) < 0) {
        return -1;
    }
    for (size_t i = count; i-- > 0;) {
        const struct tkt_store_back_note *n = &l->in->notes[i];

        if (n->id == NULL || n->id[0] == '\0' ||
            strlen(n->id) > TKT_STORE_BACK_WORD_MAX) {
            continue; /* without a name nobody knows it again */
        }
        int fresh = tkt_db_run(l->s->db, SQL_BACK_NOTE_ADD, err, "iss", l->t.id,
                               l->in->itsm, n->id);
        if (fresh < 0) {
            return -1;
        }
        if (fresh == 0 || n->is_ours || is_blank(n->text) ||
            (!n->is_public && !l->in->with_internal)) {
            continue;
        }
        l->changed = l->now_ms;
        if (write_comment(l, &heir, n, err) < 0) {
            return -1;
        }
    }
    return 0;
}

/* ---- the record ----------------------------------------------------------------------- */

static int load(struct look *l, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    TKT_AUTO_ROW struct tkt_row about = TKT_ROW_INIT;
    int n = tkt_ticket_load(l->s->db, l->in->ticket, &l->t, err);

    if (n == 1) {
        n = tkt_db_query(l->s->db, &row, SQL_BACK_GET, err, "is", l->in->ticket,
                         l->in->itsm);
    }
    if (n <= 0) {
        return n < 0 ? -1
                     : tkt_err_set(err, TKT_ERR_PERM, "store: nothing of %s comes",
                                   l->in->itsm);
    }
    l->hinted = tkt_row_int(&row, 0);
    l->changed = tkt_row_int(&row, 1);
    for (int w = 0; w < W_COUNT; w++) {
        l->had[w] = !tkt_row_null(&row, 3 + w);
        snprintf(l->words[w], sizeof(l->words[w]), "%s", tkt_row_text(&row, 3 + w));
    }
    if (tkt_db_query(l->s->db, &about, SQL_BACK_TICKET, err, "i", l->t.id) == 1) {
        snprintf(l->requester, sizeof(l->requester), "%s", tkt_row_text(&about, 0));
    }
    snprintf(l->who, sizeof(l->who), "itsm:%.60s", l->in->itsm);
    return 0;
}

static int apply_names(struct look *l, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    const struct tkt_store_back *in = l->in;
    int n = in->number == NULL || in->number[0] == '\0'
                ? 0
                : tkt_db_query(l->s->db, &row, SQL_EXTERNAL_OF, err, "is", in->ticket,
                               in->itsm);
    if (n <= 0 || strcmp(tkt_row_text(&row, 1), in->number) == 0 ||
        strlen(in->number) > TKT_STORE_EXTERNAL_MAX) {
        return n < 0 ? -1 : 0;
    }
    TKT_AUTO_FREE char *key = strdup(tkt_row_text(&row, 0));
    TKT_AUTO_FREE char *url = strdup(tkt_row_text(&row, 2));
    tkt_row_end(&row);
    if (key == NULL || url == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    const struct tkt_store_external names = {
        .ticket = in->ticket,
        .itsm = in->itsm,
        .key = key,
        .number = in->number,
        .url = in->url != NULL && in->url[0] != '\0' ? in->url : url};
    if (tkt_store_external_set(l->s, &names, l->now_ms, err) < 0) {
        return -1;
    }
    l->out->changes++;
    struct tkt_buf *b = tkt_event_begin(l->s);
    json_str(b, "itsm", in->itsm);
    json_str(b, "number", in->number);
    json_str(b, "who", l->who);
    return tkt_event_end(l->s, l->t.id, 0, NULL, "ticket.number", l->now_ms, err);
}

/* 0: only after a hint. What rests is asked less often. */
static int64_t next_look(const struct look *l)
{
    int64_t age = l->now_ms - l->changed;
    int64_t wait = l->in->poll_ms;

    if (l->hinted > l->in->asked_ms) {
        return l->now_ms;
    }
    if (l->out->waits) {
        return l->now_ms + WAIT_MS;
    }
    if (wait == 0 ||
        (l->t.state != TKT_STATE_NEW && l->t.state != TKT_STATE_OPEN &&
         l->t.state != TKT_STATE_PENDING && l->t.state != TKT_STATE_RESOLVED)) {
        return 0;
    }
    if (age > DAY_MS || l->t.state == TKT_STATE_RESOLVED) {
        wait *= 12;
    } else if (age > HOUR_MS) {
        wait *= 4;
    }
    return l->now_ms + wait + wait / 64 * (l->t.id % 8); /* not all at one time */
}

static int keep(struct look *l, struct tkt_err *err)
{
    const char *words[W_COUNT];

    for (int w = 0; w < W_COUNT; w++) {
        words[w] = l->had[w] ? l->words[w] : NULL;
    }
    return tkt_db_run(l->s->db, SQL_BACK_SEEN, err, "isiissss", l->t.id, l->in->itsm,
                      next_look(l), l->changed, words[W_STATE], words[W_GROUP],
                      words[W_ASSIGNEE], words[W_PRIORITY]) < 0
               ? -1
               : 0;
}

static int back(struct tkt_store *s, const struct tkt_store_back *in, int64_t now_ms,
                struct tkt_store_back_out *out, struct tkt_err *err)
{
    struct look l = {.s = s, .in = in, .out = out, .now_ms = now_ms};
    int64_t ours = 0;

    memset(out, 0, sizeof(*out)); /* it may run twice */
    if (load(&l, err) < 0) {
        return -1;
    }
    if ((l.t.flags & T_ERASED) != 0) {
        return tkt_db_run(s->db, SQL_BACK_REST, err, "is", l.t.id, in->itsm) < 0 ? -1 : 0;
    }
    if (tkt_db_get_int(s->db, SQL_BACK_OURS_OPEN, &ours, err, "is", l.t.id, in->itsm) <
            0 ||
        apply_names(&l, err) < 0 || apply_notes(&l, err) < 0) {
        return -1;
    }
    out->waits = ours > 0;
    if (!out->waits && apply_fields(&l, err) < 0) {
        return -1;
    }
    return keep(&l, err);
}

int tkt_store_back(struct tkt_store *s, const struct tkt_store_back *in, int64_t now_ms,
                   struct tkt_store_back_out *out, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = back(s, in, now_ms, out, err);
    return tkt_store_leave(s, own, rc, err);
}
