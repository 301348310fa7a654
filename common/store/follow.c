/* SPDX-License-Identifier: BSD-2-Clause */
#include "store/follow.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <stdio.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------- */

static int take(const struct tkt_row *row, struct tkt_wire_arena *arena,
                struct tkt_store_event *out, struct tkt_err *err)
{
    const char *data = tkt_row_text(row, 5);

    out->id = tkt_row_int(row, 0);
    out->at_ms = tkt_row_int(row, 1);
    out->ticket = tkt_row_int(row, 2);
    out->message = tkt_row_int(row, 3);
    snprintf(out->kind, sizeof(out->kind), "%s", tkt_row_text(row, 4));
    out->data = tkt_wire_arena_strdup(arena, data, strlen(data));
    return out->data != NULL ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
}

int tkt_reader_events_after(struct tkt_reader *r, int64_t after, int max,
                            struct tkt_wire_arena *arena, struct tkt_store_event *out,
                            struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_EVENTS_AFTER, err, "id", after, max);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        if (take(&row, arena, &out[count], err) < 0) {
            return -1;
        }
        count++;
    }
    return n < 0 ? -1 : count;
}

static void take_out(const struct tkt_row *row, struct tkt_store_event_out *out)
{
    size_t len = 0;
    const void *chain = tkt_row_blob(row, 4, &len);
    const char *prefix = tkt_row_text(row, 5);

    memset(out, 0, sizeof(*out));
    out->id = tkt_row_int(row, 0);
    out->at_ms = tkt_row_int(row, 1);
    out->host = tkt_row_text(row, 2);
    out->kind = tkt_row_text(row, 3);
    tkt_hex_encode(chain, TKT_MIN(len, (size_t)8), out->mark);
    if (prefix[0] != '\0') {
        snprintf(out->ticket, sizeof(out->ticket), "%s-%" PRId64, prefix,
                 tkt_row_int(row, 6));
    }
    out->queue_id = tkt_row_text(row, 7);
    out->message_id = tkt_row_text(row, 8);
    out->data = tkt_row_text(row, 9);
}

int tkt_reader_events_out(struct tkt_reader *r, int64_t after, int max,
                          int (*take_one)(void *arg,
                                          const struct tkt_store_event_out *event,
                                          struct tkt_err *err),
                          void *arg, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    struct tkt_store_event_out event;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_EVENTS_OUT, err, "id", after, max);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        take_out(&row, &event);
        int rc = take_one(arg, &event, err);
        if (rc != 0) {
            return rc < 0 ? -1 : count;
        }
        count++;
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_event_newest(struct tkt_reader *r, int64_t *id, struct tkt_err *err)
{
    *id = 0;
    return tkt_db_get_int(r->db, SQL_EVENT_NEWEST, id, err, "") < 0 ? -1 : 0;
}

int tkt_reader_event_latest(struct tkt_reader *r, int64_t *at_ms, struct tkt_err *err)
{
    *at_ms = 0;
    return tkt_db_get_int(r->db, SQL_EVENTS_LATEST, at_ms, err, "") < 0 ? -1 : 0;
}

int tkt_reader_place(struct tkt_reader *r, const char *follower, int64_t *event,
                     struct tkt_err *err)
{
    return tkt_db_get_int(r->db, SQL_PLACE, event, err, "s", follower);
}

/* ---- writing -------------------------------------------------------------------------- */

static int move(struct tkt_store *s, const char *follower, int64_t from, int64_t to,
                struct tkt_err *err)
{
    size_t n = strlen(follower);
    int64_t at = -1;

    if (n == 0 || n > TKT_STORE_FOLLOWER_NAME_MAX || to < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: no place of a follower: %.40s",
                           follower);
    }
    if (tkt_db_get_int(s->db, SQL_PLACE, &at, err, "s", follower) < 0) {
        return -1;
    }
    if (at != from) {
        return tkt_err_set(err, TKT_ERR_PERM,
                           "store: follower %s is at %" PRId64 ", not at %" PRId64,
                           follower, at, from);
    }
    return tkt_db_run(s->db, SQL_PLACE_SET, err, "si", follower, to) < 0 ? -1 : 0;
}

int tkt_store_place_move(struct tkt_store *s, const char *follower, int64_t from,
                         int64_t to, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = move(s, follower, from, to, err);
    return tkt_store_leave(s, own, rc, err);
}

int tkt_store_place_drop(struct tkt_store *s, const char *follower, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_db_run(s->db, SQL_PLACE_DROP, err, "s", follower) < 0 ? -1 : 0;
    return tkt_store_leave(s, own, rc, err);
}
