/* SPDX-License-Identifier: BSD-2-Clause
 * Rows of tickets and of what hangs on them: writing new ones, loading old ones.
 */
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <ctype.h>
#include <endian.h>
#include <stdio.h>
#include <string.h>

#define TAGS_MAX 4000
#define MERGES_FOLLOWED_MAX 32

/* ---- tickets ---------------------------------------------------------------------- */

static void name_ticket(struct ticket_row *t, const char *prefix, int64_t number)
{
    snprintf(t->prefix, sizeof(t->prefix), "%s", prefix);
    snprintf(t->name, sizeof(t->name), "%s-%" PRId64, t->prefix, number);
}

void tkt_lines_join(const struct tkt_strings *list, struct tkt_buf *out)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (out->len > 0) {
            (void)tkt_buf_addc(out, '\n'); /* too many: the rest is left out */
        }
        (void)tkt_buf_adds(out, list->items[i]); /* the same */
    }
}

int tkt_ticket_insert(struct tkt_store *s, const struct ticket_new *n,
                      struct ticket_row *t, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf tags = TKT_BUF_INIT(TAGS_MAX);
    TKT_AUTO_BUF struct tkt_buf keywords = TKT_BUF_INIT(LINES_MAX);
    TKT_AUTO_BUF struct tkt_buf missing = TKT_BUF_INIT(LINES_MAX);
    int64_t series = 0;
    int64_t number = 0;
    bool ended = n->state == TKT_STATE_REFUSED;

    memset(t, 0, sizeof(*t));
    if (n->itsm != NULL && strlen(n->itsm) >= sizeof(t->itsm)) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: itsm name too long: %s", n->itsm);
    }
    if (tkt_series_next(s, n->prefix, &series, &number, err) < 0) {
        return -1;
    }
    name_ticket(t, n->prefix, number);
    tkt_random(t->corr, sizeof(t->corr));
    tkt_lines_join(n->tags, &tags);
    tkt_lines_join(n->keywords, &keywords);
    tkt_lines_join(n->missing, &missing);
    t->desk = n->desk;
    t->state = n->state;
    t->flags = n->flags;
    t->priority = n->priority;
    snprintf(t->itsm, sizeof(t->itsm), "%s", n->itsm != NULL ? n->itsm : "");
    snprintf(t->copy, sizeof(t->copy), "%s", n->copy != NULL ? n->copy : "");
    snprintf(t->group, sizeof(t->group), "%s", n->group != NULL ? n->group : "");
    snprintf(t->assignee, sizeof(t->assignee), "%s",
             n->assignee != NULL ? n->assignee : "");
    if (tkt_state_in_hand(n->state) && tkt_load_change(s, t->assignee, 1, err) < 0) {
        return -1;
    }
    return tkt_db_insert(
        s->db, SQL_TICKET_ADD, &t->id, err, "iiiddbiisttttttttdddttiitttst", series,
        number, n->desk, (int)n->state, n->flags, t->corr, sizeof(t->corr), n->now_ms,
        n->now_ms, t->itsm, n->requester, n->requester_name, n->subject, n->type,
        n->category, n->subcategory, n->group, t->assignee, n->urgency, n->impact,
        n->priority, tkt_buf_str(&tags), n->class_name, ended ? n->now_ms : INT64_C(0),
        (int64_t)n->print, n->service, tkt_buf_str(&keywords), tkt_buf_str(&missing),
        n->question, t->copy);
}

static int read_ticket(struct tkt_row *row, int n, struct ticket_row *t)
{
    size_t len = 0;

    if (n <= 0) {
        return n;
    }
    memset(t, 0, sizeof(*t));
    t->id = tkt_row_int(row, 0);
    name_ticket(t, tkt_row_text(row, 1), tkt_row_int(row, 2));
    t->desk = tkt_row_int(row, 3);
    snprintf(t->desk_name, sizeof(t->desk_name), "%s", tkt_row_text(row, 4));
    t->state = (enum tkt_ticket_state)tkt_row_int(row, 5);
    t->flags = (int)tkt_row_int(row, 6);
    snprintf(t->itsm, sizeof(t->itsm), "%s", tkt_row_text(row, 7));
    const void *corr = tkt_row_blob(row, 8, &len);
    if (corr != NULL && len == CORR_LEN) {
        memcpy(t->corr, corr, CORR_LEN);
    }
    snprintf(t->group, sizeof(t->group), "%s", tkt_row_text(row, 9));
    t->priority = (int)tkt_row_int(row, 10);
    t->merged_into = tkt_row_int(row, 11);
    snprintf(t->assignee, sizeof(t->assignee), "%s", tkt_row_text(row, 12));
    t->is_auto = !tkt_row_null(row, 13);
    snprintf(t->copy, sizeof(t->copy), "%s", tkt_row_text(row, 14));
    tkt_row_end(row);
    return 1;
}

int tkt_ticket_load(struct tkt_db *db, int64_t id, struct ticket_row *t,
                    struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;

    return read_ticket(&row, tkt_db_query(db, &row, SQL_TICKET_BY_ROW, err, "i", id), t);
}

int tkt_ticket_split_name(const char *name, char prefix[16], int64_t *number)
{
    const char *dash = strrchr(name, '-');

    if (dash == NULL || dash == name || dash - name > 15 ||
        tkt_parse_int(dash + 1, 1, INT64_MAX, number) < 0) {
        return -1;
    }
    for (size_t i = 0; i < (size_t)(dash - name); i++) {
        prefix[i] = (char)toupper((unsigned char)name[i]);
    }
    prefix[dash - name] = '\0';
    return 0;
}

int tkt_ticket_named(struct tkt_db *db, const char *name, struct ticket_row *t,
                     struct tkt_err *err)
{
    struct tkt_row row = TKT_ROW_INIT;
    char prefix[16];
    int64_t number = 0;
    int n = 0;

    if (tkt_ticket_split_name(name, prefix, &number) == 0) {
        n = tkt_db_query(db, &row, SQL_TICKET_BY_NUMBER, err, "si", prefix, number);
        n = read_ticket(&row, n, t);
    }
    return n == 0 ? tkt_err_set(err, TKT_ERR_PERM, "no ticket %.48s", name) : n;
}

int tkt_ticket_follow(struct tkt_db *db, struct ticket_row *t, struct tkt_err *err)
{
    for (int i = 0; t->merged_into != 0 && i < MERGES_FOLLOWED_MAX; i++) {
        int64_t next = t->merged_into;
        int n = tkt_ticket_load(db, next, t, err);
        if (n <= 0) {
            return n < 0 ? -1
                         : tkt_err_set(err, TKT_ERR_PERM, "store: merged into nothing");
        }
    }
    return 0;
}

void tkt_corr_text(const unsigned char corr[CORR_LEN], char out[40])
{
    memcpy(out, "mt-", 4);
    tkt_hex_encode(corr, CORR_LEN, out + 3);
}

/* ---- what hangs on a ticket ------------------------------------------------------- */

/* Keys lie on disk beside their head key; a message without one lies by itself. The place
 * depends on the message alone, not on whether it is to be compared: a retry must find
 * it. */
int64_t tkt_key_head(const unsigned char *key, const unsigned char *head_key)
{
    static const unsigned char none[TKT_SHA256_LEN];
    uint64_t be;

    if (head_key == NULL || memcmp(head_key, none, sizeof(none)) == 0) {
        head_key = key;
    }
    memcpy(&be, head_key, sizeof(be));
    return (int64_t)be64toh(be);
}

int tkt_link_add(struct tkt_store *s, int64_t a, int64_t b, const char *kind,
                 int64_t now_ms, struct tkt_err *err)
{
    return tkt_db_run(s->db, SQL_LINK_ADD, err, "iisi", a, b, kind, now_ms) < 0 ? -1 : 0;
}

int tkt_participants_add(struct tkt_store *s, int64_t ticket,
                         const struct tkt_store_participant *items, size_t count,
                         struct tkt_err *err)
{
    for (size_t i = 0; i < TKT_MIN(count, (size_t)PARTICIPANTS_MAX); i++) {
        if (items[i].address != NULL && items[i].address[0] != '\0' &&
            tkt_db_run(s->db, SQL_PARTICIPANT_ADD, err, "iss", ticket, items[i].address,
                       items[i].role) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_threads_add(struct tkt_store *s, int64_t ticket, int64_t message,
                    const struct tkt_store_thread_key *keys, size_t count,
                    struct tkt_err *err)
{
    for (size_t i = 0; i < count; i++) {
        if (tkt_db_run(s->db, SQL_THREAD_ADD, err, "bii", keys[i].hash,
                       (size_t)SHORT_KEY_LEN, ticket, message) < 0) {
            return -1;
        }
    }
    return 0;
}
