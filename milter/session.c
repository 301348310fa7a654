/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/session.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define FIRST_RCPTS 8

struct tkt_session *tkt_session_new(struct tkt_milter *milter)
{
    struct tkt_session *s = calloc(1, sizeof(*s));

    if (s != NULL) {
        s->milter = milter;
    }
    return s;
}

void tkt_session_free(struct tkt_session **session)
{
    struct tkt_session *s = *session;

    if (s == NULL) {
        return;
    }
    tkt_message_end(s);
    free(s->client_name);
    free(s->client_addr);
    free(s->helo);
    free(s);
    *session = NULL;
}

char *tkt_message_strdup(struct tkt_message *m, const char *text, size_t n)
{
    return tkt_wire_arena_strdup(&m->arena, text != NULL ? text : "",
                                 text != NULL ? n : 0);
}

struct tkt_message *tkt_message_begin(struct tkt_session *s)
{
    tkt_message_end(s);
    s->failed = false;
    struct tkt_message *m = calloc(1, sizeof(*m));
    if (m == NULL) {
        return NULL;
    }
    m->table = tkt_table_get(s->milter->tables);
    m->mail_time_s = tkt_clock_wall_ms() / 1000;
    uint64_t limit = (uint64_t)atomic_load(&s->milter->message_max);
    if (m->table->hello.message_max > 0) {
        limit = m->table->hello.message_max;
    }
    /* One byte above the limit, and our Received, so that ticketd sees it is too large. */
    tkt_spool_init(&m->spool, s->milter->state_dir,
                   (uint64_t)atomic_load(&s->milter->memory_max),
                   limit + TKT_SPOOL_BUFFER);
    s->msg = m;
    return m;
}

void tkt_message_end(struct tkt_session *s)
{
    struct tkt_message *m = s->msg;

    if (m == NULL) {
        return;
    }
    s->msg = NULL;
    tkt_spool_release(&m->spool);
    tkt_table_put(&m->table);
    free(m->rcpts);
    free(m->surplus);
    tkt_wire_arena_release(&m->arena);
    free(m);
}

static void count_further_rcpt(struct tkt_message *m, const char *addr, size_t len)
{
    TKT_AUTO_FREE char *text = strndup(addr, len);
    size_t sub;

    if (text == NULL || tkt_table_find(m->table, text, &sub) != NULL) {
        m->too_many_rcpts = true;
    } else {
        m->more_rcpts++;
    }
}

int tkt_message_add_rcpt(struct tkt_session *s, const char *addr, size_t len,
                         bool relayed)
{
    struct tkt_message *m = s->msg;
    size_t sub;

    if (m->rcpt_count >= (size_t)atomic_load(&s->milter->recipients_max) ||
        m->rcpt_count >= TKT_WIRE_RCPTS_MAX) {
        count_further_rcpt(m, addr, len);
        return 0;
    }
    if (m->rcpt_count == m->rcpt_room) {
        size_t room = m->rcpt_room == 0 ? FIRST_RCPTS : 2 * m->rcpt_room;
        void *grown = reallocarray(m->rcpts, room, sizeof(*m->rcpts));
        if (grown == NULL) {
            return -1;
        }
        m->rcpts = grown;
        m->rcpt_room = room;
    }
    char *copy = tkt_message_strdup(m, addr, len);
    if (copy == NULL) {
        return -1;
    }
    m->rcpts[m->rcpt_count++] = (struct tkt_wire_rcpt){copy, relayed};
    m->desk_rcpts += tkt_table_find(m->table, copy, &sub) != NULL ? 1 : 0;
    return 0;
}

void tkt_message_use_table(struct tkt_session *s)
{
    struct tkt_message *m = s->msg;
    size_t sub;

    tkt_table_put(&m->table);
    m->table = tkt_table_get(s->milter->tables);
    m->desk_rcpts = 0;
    for (size_t i = 0; i < m->rcpt_count; i++) {
        m->desk_rcpts += tkt_table_find(m->table, m->rcpts[i].addr, &sub) != NULL ? 1 : 0;
    }
}

bool tkt_message_all_desks(const struct tkt_message *m)
{
    return m->desk_rcpts > 0 && m->desk_rcpts == m->rcpt_count && m->more_rcpts == 0;
}
