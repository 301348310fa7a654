/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/assign.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

#define ABOUT_MAX 6000 /* of a ticket's words: tags and a few names */

bool tkt_state_in_hand(enum tkt_ticket_state state)
{
    return state == TKT_STATE_RESERVED || state == TKT_STATE_NEW ||
           state == TKT_STATE_OPEN || state == TKT_STATE_PENDING;
}

int tkt_load_change(struct tkt_store *s, const char *assignee, int delta,
                    struct tkt_err *err)
{
    if (assignee == NULL || assignee[0] == '\0') {
        return 0;
    }
    return tkt_db_run(s->db, SQL_AGENT_LOAD, err, "td", assignee, delta) < 0 ? -1 : 0;
}

bool tkt_ticket_untouched(const struct ticket_row *t)
{
    bool fresh = t->state == TKT_STATE_RESERVED || t->state == TKT_STATE_NEW;

    return tkt_state_in_hand(t->state) &&
           (t->is_auto || (fresh && t->assignee[0] == '\0'));
}

int tkt_ticket_touched(struct tkt_store *s, struct ticket_row *t, struct tkt_err *err)
{
    if (!t->is_auto) {
        return 0;
    }
    t->is_auto = false;
    return tkt_db_run(s->db, SQL_TICKET_TOUCHED, err, "i", t->id) < 0 ? -1 : 0;
}

/* ---- who had this requester last ---------------------------------------------------- */

/* A hash: an erased address must not be found here. */
static void requester_key(const char *address, unsigned char out[SHORT_KEY_LEN])
{
    unsigned char whole[TKT_SHA256_LEN];
    char lower[TKT_STORE_AGENT_MAX];

    snprintf(lower, sizeof(lower), "%s", address);
    tkt_ascii_lower(lower);
    tkt_sha256(lower, strlen(lower), whole);
    memcpy(out, whole, SHORT_KEY_LEN);
}

int tkt_handler_note(struct tkt_store *s, const char *requester, const char *group,
                     const char *agent, int64_t now_ms, struct tkt_err *err)
{
    unsigned char key[SHORT_KEY_LEN];

    if (requester == NULL || requester[0] == '\0' || group[0] == '\0' ||
        agent[0] == '\0') {
        return 0;
    }
    requester_key(requester, key);
    return tkt_db_run(s->db, SQL_HANDLER_SET, err, "bssi", key, sizeof(key), group, agent,
                      now_ms) < 0
               ? -1
               : 0;
}

int tkt_handler_forget(struct tkt_store *s, const char *requester, struct tkt_err *err)
{
    unsigned char key[SHORT_KEY_LEN];

    requester_key(requester, key);
    return tkt_db_run(s->db, SQL_HANDLER_DROP, err, "b", key, sizeof(key)) < 0 ? -1 : 0;
}

static int find_handler(struct tkt_store *s, const char *requester, const char *group,
                        char out[TKT_STORE_AGENT_MAX], struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    unsigned char key[SHORT_KEY_LEN];

    out[0] = '\0';
    if (requester == NULL || requester[0] == '\0') {
        return 0;
    }
    requester_key(requester, key);
    int n =
        tkt_db_query(s->db, &row, SQL_HANDLER_GET, err, "bs", key, sizeof(key), group);
    if (n == 1) {
        snprintf(out, TKT_STORE_AGENT_MAX, "%s", tkt_row_text(&row, 0));
    }
    return n < 0 ? -1 : 0;
}

int tkt_store_handlers_expire(struct tkt_store *s, int64_t before_ms, int max,
                              int64_t *count, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int n = tkt_db_run(s->db, SQL_HANDLERS_EXPIRE, err, "id", before_ms, max);
    *count = TKT_MAX(n, 0);
    return tkt_store_leave(s, own, n < 0 ? -1 : 0, err);
}

/* ---- the choice --------------------------------------------------------------------- */

/* Members are sorted by address. */
static int member_index(const struct tkt_roster_group *g, const char *address)
{
    size_t lo = 0;
    size_t hi = g->member_count;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(g->members[mid].address, address);
        if (c == 0) {
            return (int)mid;
        }
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return -1;
}

static void read_agent(const struct tkt_row *row, int col, struct tkt_assign_state *state)
{
    state->open = tkt_row_int(row, col);
    state->away_from_s = tkt_row_int(row, col + 1) / 1000;
    state->away_until_s = tkt_row_int(row, col + 2) / 1000;
}

struct group_state {
    struct tkt_assign_state *members;
    bool *seen;
    int64_t clock;
    int64_t sequence;
};

/* One range for all who ever had a turn here; who never had one is looked up. */
static int load_states(struct tkt_store *s, const struct tkt_roster_group *g,
                       struct group_state *out, struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(s->db, &row, SQL_TURNS, err, "s", g->name);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        const char *address = tkt_row_text(&row, 0);
        if (address[0] == '\0') {
            out->clock = tkt_row_int(&row, 1);
            out->sequence = tkt_row_int(&row, 2);
            continue;
        }
        int i = member_index(g, address);
        if (i >= 0) {
            out->members[i].turn = tkt_row_int(&row, 1);
            out->members[i].last = tkt_row_int(&row, 2);
            read_agent(&row, 3, &out->members[i]);
            out->seen[i] = true;
        }
    }
    tkt_row_end(&row);
    for (size_t i = 0; n == 0 && i < g->member_count; i++) {
        if (!out->seen[i]) {
            n = tkt_db_query(s->db, &row, SQL_AGENT_GET, err, "s", g->members[i].address);
            if (n == 1) {
                read_agent(&row, 0, &out->members[i]);
                n = 0;
            }
            tkt_row_end(&row);
        }
    }
    return n;
}

static int keep_turn(struct tkt_store *s, const struct tkt_roster_group *g,
                     const struct group_state *st, const struct tkt_assign_out *out,
                     struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_TURN_SET, err, "ssii", g->name,
                      g->members[out->chosen].address, out->turn, st->sequence + 1) < 0 ||
                   tkt_db_run(s->db, SQL_TURN_SET, err, "ssii", g->name, "", out->start,
                              st->sequence + 1) < 0
               ? -1
               : 0;
}

static int choose_in(struct tkt_store *s, const struct tkt_roster_group *g,
                     const struct assign_for *f, struct tkt_assign_out *out,
                     struct tkt_err *err)
{
    TKT_AUTO_FREE struct tkt_assign_state *members =
        calloc(g->member_count + 1, sizeof(*members));
    TKT_AUTO_FREE bool *seen = calloc(g->member_count + 1, sizeof(*seen));
    struct group_state st = {.members = members, .seen = seen};
    char handler[TKT_STORE_AGENT_MAX] = "";

    if (members == NULL || seen == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: out of memory");
    }
    if (load_states(s, g, &st, err) < 0 ||
        (g->strategy == TKT_ASSIGN_STICKY &&
         find_handler(s, f->requester, g->name, handler, err) < 0)) {
        return -1;
    }
    const struct tkt_assign_in in = {.group = g,
                                     .states = members,
                                     .clock = st.clock,
                                     .handler = handler,
                                     .words = f->words,
                                     .word_count = f->word_count,
                                     .except = f->except,
                                     .now_s = f->now_ms / 1000};
    tkt_assign_choose(&in, out);
    if (out->chosen < 0) {
        return 0;
    }
    if (keep_turn(s, g, &st, out, err) < 0) {
        return -1;
    }
    return g->strategy == TKT_ASSIGN_STICKY
               ? tkt_handler_note(s, f->requester, g->name,
                                  g->members[out->chosen].address, f->now_ms, err)
               : 0;
}

static void tell_pick(const struct tkt_roster_group *g, const struct tkt_assign_out *out,
                      const char *before, struct assign_pick *pick)
{
    pick->assignee = g->members[out->chosen].address;
    pick->group = g->name;
    snprintf(pick->why, sizeof(pick->why), "%.*s%s%.*s", TKT_ASSIGN_WHY_MAX / 2 - 20,
             before, before[0] != '\0' ? "; fallback " : "", TKT_ASSIGN_WHY_MAX / 2,
             out->why);
}

int tkt_assign_pick(struct tkt_store *s, const struct assign_for *f,
                    struct assign_pick *pick, struct tkt_err *err)
{
    const struct tkt_roster_group *g = tkt_roster_group(f->roster, f->group);
    struct tkt_assign_out out;

    *pick = (struct assign_pick){.assignee = "", .group = f->group, .next_ms = INT64_MAX};
    if (g == NULL || g->strategy == TKT_ASSIGN_NONE) {
        return 0;
    }
    pick->tried = true;
    for (int hop = 0; g != NULL && hop <= TKT_ASSIGN_HOPS_MAX; hop++) {
        if (hop > 0 && g->strategy == TKT_ASSIGN_NONE) { /* people take them there */
            size_t n = strlen(pick->why);
            pick->group = g->name;
            pick->next_ms = INT64_MAX;
            snprintf(pick->why + n, sizeof(pick->why) - n, "; fallback %.40s", g->name);
            return 0;
        }
        if (choose_in(s, g, f, &out, err) < 0) {
            return -1;
        }
        if (out.chosen >= 0) {
            char before[TKT_ASSIGN_WHY_MAX];
            memcpy(before, pick->why, sizeof(before));
            tell_pick(g, &out, before, pick);
            return 0;
        }
        if (hop == 0) {
            memcpy(pick->why, out.why, sizeof(pick->why));
        }
        if (out.next_s != TKT_CALENDAR_NEVER) {
            pick->next_ms = TKT_MIN(pick->next_ms, out.next_s * 1000);
        }
        g = g->fallback[0] != '\0' ? tkt_roster_group(f->roster, g->fallback) : NULL;
    }
    return 0;
}

int tkt_assign_tell(struct tkt_store *s, int64_t ticket, const char *group_before,
                    const struct assign_pick *pick, const char *who, const char *reason,
                    int64_t now_ms, struct tkt_err *err)
{
    bool nobody = pick->assignee[0] == '\0';
    struct tkt_buf *b = tkt_event_begin(s);

    if (!nobody) {
        json_str(b, "assignee", pick->assignee);
    }
    json_str_opt(b, "group", pick->group);
    if (group_before != NULL && strcmp(group_before, pick->group) != 0) {
        json_str_opt(b, "from_group", group_before);
    }
    json_str_opt(b, "why", pick->why);
    json_str_opt(b, "reason", reason);
    json_str_opt(b, "who", who);
    if (tkt_event_end(s, ticket, 0, NULL,
                      nobody ? "ticket.unassigned" : "ticket.assigned", now_ms,
                      err) < 0) {
        return -1;
    }
    if (!nobody || !pick->tried || pick->next_ms == INT64_MAX) {
        return 0;
    }
    int64_t waiting = 0;
    if (tkt_db_get_int(s->db, SQL_JOB_LANE_HEAD, &waiting, err, "is", ticket,
                       TKT_JOB_ASSIGN_TARGET) < 0) {
        return -1;
    }
    return waiting != 0
               ? 0
               : tkt_job_insert(s, ticket, 0, TKT_JOB_ASSIGN, TKT_JOB_ASSIGN_TARGET, NULL,
                                true, TKT_MAX(pick->next_ms, now_ms), now_ms, err);
}

static size_t add_word(const char *word, const char **out, size_t count, size_t max)
{
    if (word != NULL && word[0] != '\0' && count < max) {
        out[count++] = word;
    }
    return count;
}

size_t tkt_assign_words(const struct tkt_decision *d, const char *type,
                        const char *language, const char **out, size_t max)
{
    size_t n = add_word(type, out, 0, max);

    n = add_word(language, out, n, max);
    if (d == NULL) {
        return n;
    }
    n = add_word(d->category, out, n, max);
    n = add_word(d->subcategory, out, n, max);
    n = add_word(d->service, out, n, max);
    for (size_t i = 0; i < d->tags.count; i++) {
        n = add_word(d->tags.items[i], out, n, max);
    }
    return n;
}

/* ---- tickets that are there already -------------------------------------------------- */

int tkt_ticket_give(struct tkt_store *s, struct ticket_row *t, const char *group,
                    const char *to, bool is_auto, int64_t now_ms, struct tkt_err *err)
{
    bool counts = tkt_state_in_hand(t->state);

    if ((counts && (tkt_load_change(s, t->assignee, -1, err) < 0 ||
                    tkt_load_change(s, to, 1, err) < 0)) ||
        tkt_db_run(s->db, SQL_TICKET_GIVE, err, "ittii", t->id, group, to,
                   is_auto ? INT64_C(1) : INT64_C(0), now_ms) < 0) {
        return -1;
    }
    snprintf(t->group, sizeof(t->group), "%s", group);
    snprintf(t->assignee, sizeof(t->assignee), "%s", to);
    t->is_auto = is_auto;
    return 0;
}

/* What the ticket is about, as words that point into about. */
struct about {
    char text[ABOUT_MAX];
    char requester[TKT_STORE_AGENT_MAX];
    const char *words[ASSIGN_WORDS_MAX];
    size_t count;
};

static void add_words(struct about *a, size_t *used, const char *text)
{
    size_t n = TKT_MIN(strlen(text), sizeof(a->text) - 1 - *used);
    char *at = a->text + *used;

    memcpy(at, text, n);
    at[n] = '\0';
    *used += n + (n < sizeof(a->text) - 1 - *used ? 1 : 0);
    char *rest = NULL;
    for (char *word = strtok_r(at, "\n", &rest);
         word != NULL && a->count < ASSIGN_WORDS_MAX;
         word = strtok_r(NULL, "\n", &rest)) {
        a->words[a->count++] = word;
    }
}

static int load_about(struct tkt_store *s, int64_t ticket, struct about *a,
                      struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t used = 0;
    int n = tkt_db_query(s->db, &row, SQL_TICKET_ABOUT, err, "i", ticket);

    a->count = 0;
    a->requester[0] = '\0';
    if (n <= 0) {
        return n;
    }
    snprintf(a->requester, sizeof(a->requester), "%s", tkt_row_text(&row, 0));
    for (int col = 1; col <= 5; col++) {
        add_words(a, &used, tkt_row_text(&row, col));
    }
    return 0;
}

static int find_ticket(struct tkt_store *s, const struct tkt_store_assign_in *in,
                       struct ticket_row *t, struct tkt_err *err)
{
    if (in->id != NULL) {
        return tkt_ticket_named(s->db, in->id, t, err) < 0 ? -1 : 0;
    }
    int n = tkt_ticket_load(s->db, in->ticket, t, err);
    return n == 0 ? tkt_err_set(err, TKT_ERR_PERM, "no ticket row %" PRId64, in->ticket)
                  : TKT_MIN(n, 0);
}

static int pick_for(struct tkt_store *s, const struct tkt_store_assign_in *in,
                    struct ticket_row *t, const char *group, struct assign_pick *pick,
                    struct tkt_err *err)
{
    struct about about;

    if (in->to != NULL) {
        *pick = (struct assign_pick){
            .assignee = in->to, .group = group, .next_ms = INT64_MAX};
        return load_about(s, t->id, &about, err) < 0
                   ? -1
                   : tkt_handler_note(s, about.requester, group, in->to, in->now_ms, err);
    }
    /* His own ticket must not count against who has it now. */
    if (tkt_ticket_give(s, t, t->group, "", false, in->now_ms, err) < 0 ||
        load_about(s, t->id, &about, err) < 0) {
        return -1;
    }
    const struct assign_for f = {.roster = in->roster,
                                 .group = group,
                                 .requester = about.requester,
                                 .words = about.words,
                                 .word_count = about.count,
                                 .except = in->except,
                                 .now_ms = in->now_ms};
    return tkt_assign_pick(s, &f, pick, err);
}

static int assign(struct tkt_store *s, const struct tkt_store_assign_in *in,
                  struct tkt_store_assign_out *out, struct tkt_err *err)
{
    struct ticket_row t;
    struct assign_pick pick;
    char group[64];

    if (find_ticket(s, in, &t, err) < 0) {
        return -1;
    }
    if ((in->only_untouched && !tkt_ticket_untouched(&t)) ||
        (in->only_unassigned && t.assignee[0] != '\0')) {
        return 0;
    }
    if (!tkt_state_in_hand(t.state)) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s is %s: nobody needs to have it", t.name,
                           tkt_store_state_name(t.state));
    }
    snprintf(group, sizeof(group), "%s", in->group != NULL ? in->group : t.group);
    char before[64];
    memcpy(before, t.group, sizeof(before));
    if (pick_for(s, in, &t, group, &pick, err) < 0 ||
        tkt_ticket_give(s, &t, pick.group, pick.assignee, in->to == NULL, in->now_ms,
                        err) < 0 ||
        tkt_assign_tell(s, t.id, before, &pick, in->who, in->reason, in->now_ms, err) <
            0) {
        return -1;
    }
    out->changed = true;
    snprintf(out->group, sizeof(out->group), "%s", pick.group);
    snprintf(out->assignee, sizeof(out->assignee), "%s", pick.assignee);
    snprintf(out->why, sizeof(out->why), "%s", pick.why);
    out->next_ms = pick.next_ms;
    return 0;
}

int tkt_store_assign(struct tkt_store *s, const struct tkt_store_assign_in *in,
                     struct tkt_store_assign_out *out, struct tkt_err *err)
{
    bool own = false;

    *out = (struct tkt_store_assign_out){.next_ms = INT64_MAX};
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = assign(s, in, out, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_assign_analysed(struct tkt_store *s, struct ticket_row *t,
                        const struct tkt_store_analysed_in *in, struct tkt_err *err)
{
    const struct tkt_decision *d = in->decision;
    const char *words[ASSIGN_WORDS_MAX];
    struct assign_pick pick = {.assignee = "", .next_ms = INT64_MAX};
    char before[64];

    if (d == NULL || !tkt_ticket_untouched(t)) {
        return 0;
    }
    memcpy(before, t->group, sizeof(before));
    const char *group = d->group != NULL && d->group[0] != '\0' ? d->group : before;
    bool moved = strcmp(group, before) != 0;
    if (d->assignee != NULL && d->assignee[0] != '\0') {
        return tkt_ticket_give(s, t, group, d->assignee, false, in->now_ms, err);
    }
    if ((t->assignee[0] != '\0' && !moved) || (t->flags & T_SHADOW)) {
        return 0;
    }
    bool had = t->assignee[0] != '\0';
    if (had && tkt_ticket_give(s, t, group, "", false, in->now_ms, err) < 0) {
        return -1;
    }
    const struct assign_for f = {
        .roster = in->roster,
        .group = group,
        .requester = in->requester,
        .words = words,
        .word_count = tkt_assign_words(d, d->type, in->language, words, ASSIGN_WORDS_MAX),
        .now_ms = in->now_ms};
    if (tkt_assign_pick(s, &f, &pick, err) < 0) {
        return -1;
    }
    if (!pick.tried && !had) {
        return 0;
    }
    return tkt_ticket_give(s, t, pick.group, pick.assignee, true, in->now_ms, err) < 0
               ? -1
               : tkt_assign_tell(s, t->id, before, &pick, "", "analysed later",
                                 in->now_ms, err);
}

/* While nobody is there the job moves on, without an event each time. */
static int assign_job(struct tkt_store *s, const struct tkt_roster *roster,
                      const struct tkt_job *job, const char *owner, int64_t now_ms,
                      struct tkt_err *err)
{
    struct ticket_row t;
    struct about about;
    struct assign_pick pick = {.assignee = "", .next_ms = INT64_MAX};
    int n = tkt_ticket_load(s->db, job->ticket, &t, err);

    if (n < 0) {
        return -1;
    }
    if (n == 0 || !tkt_state_in_hand(t.state) || t.assignee[0] != '\0') {
        return tkt_store_job_finish(s, job->id, owner, TKT_JOB_DONE, 0,
                                    "somebody has it, or it is done", now_ms, err);
    }
    if (load_about(s, t.id, &about, err) < 0) {
        return -1;
    }
    const struct assign_for f = {.roster = roster,
                                 .group = t.group,
                                 .requester = about.requester,
                                 .words = about.words,
                                 .word_count = about.count,
                                 .now_ms = now_ms};
    if (tkt_assign_pick(s, &f, &pick, err) < 0) {
        return -1;
    }
    bool moved = strcmp(pick.group, t.group) != 0;
    if (pick.assignee[0] == '\0' && !moved && pick.next_ms != INT64_MAX) {
        return tkt_store_job_finish(s, job->id, owner, TKT_JOB_DEFER,
                                    TKT_MAX(pick.next_ms, now_ms + 1000), pick.why,
                                    now_ms, err);
    }
    char before[64];
    memcpy(before, t.group, sizeof(before));
    if (tkt_store_job_finish(s, job->id, owner, TKT_JOB_DONE, 0, pick.why, now_ms, err) <
        0) {
        return -1;
    }
    if (pick.assignee[0] == '\0' && !moved) { /* no strategy any more, or no members */
        return 0;
    }
    return tkt_ticket_give(s, &t, pick.group, pick.assignee, true, now_ms, err) < 0
               ? -1
               : tkt_assign_tell(s, t.id, before, &pick, "", "it waited", now_ms, err);
}

int tkt_store_assign_job(struct tkt_store *s, const struct tkt_roster *roster,
                         const struct tkt_job *job, const char *owner, int64_t now_ms,
                         struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = assign_job(s, roster, job, owner, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- absence ------------------------------------------------------------------------ */

static int note_away(struct tkt_store *s, const struct tkt_store_away *a, int64_t now_ms,
                     struct tkt_err *err)
{
    bool back = a->until_ms == 0;

    if (!back && a->until_ms <= a->from_ms) {
        return tkt_err_set(err, TKT_ERR_PERM, "an absence that ends before it begins");
    }
    if (a->address[0] == '\0' || strlen(a->address) >= TKT_STORE_AGENT_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "not an address: %.60s", a->address);
    }
    if (tkt_db_run(s->db, SQL_AGENT_AWAY, err, "siitt", a->address,
                   back ? INT64_C(0) : a->from_ms, a->until_ms, back ? "" : a->who,
                   back ? "" : a->note) < 0) {
        return -1;
    }
    /* What waits may wait for him. */
    if (back && tkt_db_run(s->db, SQL_ASSIGN_WAKE, err, "i", now_ms) < 0) {
        return -1;
    }
    struct tkt_buf *b = tkt_event_begin(s);
    json_str(b, "agent", a->address);
    if (!back) {
        json_int(b, "from_ms", a->from_ms);
        json_int(b, "until_ms", a->until_ms);
        json_str_opt(b, "note", a->note);
    }
    json_str_opt(b, "who", a->who);
    return tkt_event_end(s, 0, 0, NULL, back ? "agent.back" : "agent.away", now_ms, err);
}

int tkt_store_agent_away(struct tkt_store *s, const struct tkt_store_away *away,
                         int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = note_away(s, away, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_reader_agent(struct tkt_reader *r, const char *address,
                     struct tkt_store_agent *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_AGENT_GET, err, "s", address);

    memset(out, 0, sizeof(*out));
    if (n == 1) {
        out->open = tkt_row_int(&row, 0);
        out->away_from_ms = tkt_row_int(&row, 1);
        out->away_until_ms = tkt_row_int(&row, 2);
        snprintf(out->away_by, sizeof(out->away_by), "%s", tkt_row_text(&row, 3));
        snprintf(out->away_note, sizeof(out->away_note), "%s", tkt_row_text(&row, 4));
    }
    return n < 0 ? -1 : 0;
}

int tkt_reader_untouched(struct tkt_reader *r, const char *address, int64_t after,
                         int64_t *out, int max, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_UNTOUCHED, err, "isd", after, address, max);

    for (; n == 1 && count < max; n = tkt_row_next(&row, err)) {
        out[count++] = tkt_row_int(&row, 0);
    }
    return n < 0 ? -1 : count;
}
