/* SPDX-License-Identifier: BSD-2-Clause
 * What notices are made of, read.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"
#include "store/notice.h"

#include <stdio.h>
#include <string.h>

static bool keep(struct tkt_wire_arena *arena, const struct tkt_row *row, int col,
                 char **out)
{
    const char *text = tkt_row_text(row, col);

    *out = tkt_wire_arena_strdup(arena, text, strlen(text));
    return *out != NULL;
}

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
}

int tkt_reader_contact(struct tkt_reader *r, const char *address, const char *desk,
                       struct tkt_err *err)
{
    int64_t marks = 0;
    char folded[TKT_STORE_CONTACT_MAX + 1];

    (void)snprintf(folded, sizeof(folded), "%s", address); /* cut: there is none such */
    tkt_ascii_lower(folded);
    return tkt_db_get_int(r->db, SQL_CONTACT_MARKS, &marks, err, "ss", folded, desk) < 0
               ? -1
               : (int)marks;
}

int tkt_reader_contacts_json(struct tkt_reader *r, int limit, struct tkt_buf *out,
                             struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_CONTACTS, err, "i", (int64_t)limit);

    json_open(out, NULL, '[');
    for (; n == 1; n = tkt_row_next(&row, err)) {
        char at[32];

        tkt_clock_format(tkt_row_int(&row, 2), at);
        json_open(out, NULL, '{');
        json_str(out, "address", tkt_row_text(&row, 0));
        json_str(out, "mark",
                 tkt_row_int(&row, 1) == TKT_CONTACT_UNDELIVERABLE ? "undeliverable"
                                                                   : "opted-out");
        json_str(out, "desk", tkt_row_text(&row, 4));
        json_str(out, "reason", tkt_row_text(&row, 3));
        json_str(out, "at", at);
        json_close(out, '}');
    }
    json_close(out, ']');
    if (n < 0) {
        return -1;
    }
    return out->failed ? tkt_err_set(err, TKT_ERR_PERM, "the answer is too long") : 0;
}

int tkt_reader_notice_thread(struct tkt_reader *r, int64_t ticket, const char *channel,
                             const char *room, struct tkt_wire_arena *arena,
                             char **thread, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n =
        tkt_db_query(r->db, &row, SQL_NOTICE_THREAD, err, "iss", ticket, channel, room);

    if (n < 0) {
        return -1;
    }
    const char *text = n == 1 ? tkt_row_text(&row, 0) : "";
    *thread = tkt_wire_arena_strdup(arena, text, strlen(text));
    return *thread == NULL ? no_memory(err) : 0;
}

int tkt_reader_asks_due(struct tkt_reader *r, int64_t now_ms, int max,
                        struct tkt_wire_arena *arena, struct tkt_store_ask *out,
                        struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_ASKS_DUE, err, "ii", now_ms, (int64_t)max);

    for (; n == 1; n = tkt_row_next(&row, err)) {
        char *subscription;
        char *payload;

        if (!keep(arena, &row, 1, &subscription) || !keep(arena, &row, 4, &payload)) {
            return no_memory(err);
        }
        out[count++] = (struct tkt_store_ask){.ticket = tkt_row_int(&row, 0),
                                              .subscription = subscription,
                                              .due_ms = tkt_row_int(&row, 2),
                                              .left = tkt_row_int(&row, 3),
                                              .payload = payload};
    }
    return n < 0 ? -1 : count;
}

int tkt_reader_ask_untold(struct tkt_reader *r, int64_t ticket, struct tkt_err *err)
{
    int64_t one = 0;

    return tkt_db_get_int(r->db, SQL_ASK_UNTOLD, &one, err, "i", ticket);
}

int tkt_reader_notices_due(struct tkt_reader *r, int64_t now_ms, struct tkt_err *err)
{
    int64_t due = 0;
    int n = tkt_db_get_int(r->db, SQL_NOTICE_NEXT, &due, err, "");

    return n <= 0 ? n : due > 0 && due <= now_ms;
}

/* What was noted when the message came: see note() of reserve.c. */
static int take_decided(struct tkt_reader *r, int64_t ticket, int64_t message,
                        struct tkt_wire_arena *arena, struct tkt_reader_noted *out,
                        struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_NOTED_DECIDED, err, "ii", ticket, message);

    if (n < 0) {
        return -1;
    }
    if (n == 1) {
        out->may_answer = tkt_row_int(&row, 0) != 0;
        return keep(arena, &row, 1, &out->language) ? 0 : no_memory(err);
    }
    return 0;
}

static int take_message(struct tkt_reader *r, int64_t ticket, int64_t message,
                        struct tkt_wire_arena *arena, struct tkt_reader_noted *out,
                        int64_t *row_id, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int n = tkt_db_query(r->db, &row, SQL_NOTED_MESSAGE, err, "ii", ticket, message);

    *row_id = 0;
    if (n <= 0) {
        return n;
    }
    int flags = (int)tkt_row_int(&row, 1);
    int assurance = ((flags & M_ASSURANCE) >> M_ASSURANCE_SHIFT) - 1;

    *row_id = tkt_row_int(&row, 0);
    out->message_confirmed = (flags & M_CONFIRMED) != 0;
    out->message_unverified = (flags & M_UNVERIFIED) != 0;
    out->message_internal = (flags & M_INTERNAL) != 0;
    out->is_first = (flags & M_FIRST) != 0;
    out->is_agent = (flags & M_AGENT) != 0;
    out->is_proved = assurance == TKT_ASSURANCE_LOGIN || assurance == TKT_ASSURANCE_PASS;
    out->is_forged = assurance == TKT_ASSURANCE_FAIL;
    return keep(arena, &row, 2, &out->class_name) && keep(arena, &row, 3, &out->author) &&
                   keep(arena, &row, 4, &out->sender) &&
                   keep(arena, &row, 5, &out->message_id)
               ? 0
               : no_memory(err);
}

int tkt_reader_noted(struct tkt_reader *r, int64_t ticket, int64_t message,
                     struct tkt_wire_arena *arena, struct tkt_reader_noted *out,
                     struct tkt_err *err)
{
    static char nothing[1];
    int64_t flags = 0;
    int64_t row_id = 0;

    *out = (struct tkt_reader_noted){.class_name = nothing,
                                     .author = nothing,
                                     .message_id = nothing,
                                     .sender = nothing,
                                     .language = nothing};
    int n = tkt_db_get_int(r->db, SQL_NOTED_TICKET, &flags, err, "i", ticket);
    if (n <= 0) {
        return n;
    }
    out->is_confirmed = (flags & T_CONFIRMED) != 0;
    out->is_shadow = (flags & T_SHADOW) != 0;
    out->is_erased = (flags & T_ERASED) != 0;
    if (take_message(r, ticket, message, arena, out, &row_id, err) < 0 ||
        (row_id != 0 && take_decided(r, ticket, row_id, arena, out, err) < 0)) {
        return -1;
    }
    return 1;
}

int tkt_reader_last_mail(struct tkt_reader *r, int64_t ticket, const char *address,
                         struct tkt_wire_arena *arena, char **last, char **first,
                         struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    const int others = M_UNVERIFIED | M_COPY | M_WITHDRAWN | M_ERASED | M_COMMENT;
    int n =
        tkt_db_query(r->db, &row, SQL_NOTED_LAST, err, "itd", ticket, address, others);

    if (n == 1 && (!keep(arena, &row, 0, last) || !keep(arena, &row, 1, first))) {
        return no_memory(err);
    }
    return n;
}

int tkt_reader_participants(struct tkt_reader *r, int64_t ticket, int max,
                            struct tkt_wire_arena *arena,
                            struct tkt_reader_participant *out, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int count = 0;
    int n = tkt_db_query(r->db, &row, SQL_SHOW_PARTICIPANTS, err, "i", ticket);

    for (; n == 1 && count < max; n = tkt_row_next(&row, err)) {
        if (!keep(arena, &row, 0, &out[count].address) ||
            !keep(arena, &row, 1, &out[count].role)) {
            return no_memory(err);
        }
        count++;
    }
    return n < 0 ? -1 : count;
}
