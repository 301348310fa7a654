/* SPDX-License-Identifier: BSD-2-Clause
 * Ticket numbers from leased blocks, and the small tables of names.
 *
 * A block is leased in the transaction of its first ticket; afterwards a number costs no
 * write of its own. What a crash left of a block is used up first.
 */
#include "store/internal.h"

#include <stdio.h>

static int add_series(struct tkt_store *s, const char *prefix, int64_t *id,
                      struct tkt_err *err)
{
    return tkt_db_insert(s->db, SQL_SERIES_ADD, id, err, "s", prefix);
}

/* Fills c from the tables. next > last when no leased number is left. */
static int load_series(struct tkt_store *s, const char *prefix, struct series *c,
                       int64_t *next_free, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    int64_t used = 0;

    snprintf(c->prefix, sizeof(c->prefix), "%s", prefix);
    c->next = 1;
    c->last = 0;
    *next_free = 1;
    int n = tkt_db_query(s->db, &row, SQL_SERIES_FIND, err, "si", prefix, s->host);
    if (n <= 0) {
        return n < 0 ? -1 : add_series(s, prefix, &c->id, err);
    }
    c->id = tkt_row_int(&row, 0);
    *next_free = tkt_row_int(&row, 1);
    if (tkt_row_null(&row, 2)) {
        return 0;
    }
    c->next = tkt_row_int(&row, 2);
    c->last = tkt_row_int(&row, 3);
    tkt_row_end(&row);
    n = tkt_db_get_int(s->db, SQL_SERIES_USED, &used, err, "iii", c->id, c->next,
                       c->last);
    if (n == 1) {
        c->next = used + 1;
    }
    return n < 0 ? -1 : 0;
}

static int lease(struct tkt_store *s, struct series *c, int64_t next_free,
                 struct tkt_err *err)
{
    c->next = next_free;
    c->last = next_free + s->opt.id_block - 1;
    if (tkt_db_run(s->db, SQL_SERIES_LEASE, err, "ii", c->id, c->last + 1) < 0 ||
        tkt_db_run(s->db, SQL_BLOCK_SET, err, "iiii", c->id, s->host, c->next, c->last) <
            0) {
        return -1;
    }
    return 0;
}

static struct series *find_series(struct tkt_store *s, const char *prefix)
{
    for (size_t i = 0; i < s->series_count; i++) {
        if (strcmp(s->series[i].prefix, prefix) == 0) {
            return &s->series[i];
        }
    }
    return NULL;
}

int tkt_series_next(struct tkt_store *s, const char *prefix, int64_t *series,
                    int64_t *number, struct tkt_err *err)
{
    struct series *c = find_series(s, prefix);
    struct series fresh;
    int64_t next_free = 0;

    if (strlen(prefix) >= sizeof(fresh.prefix) || prefix[0] == '\0') {
        return tkt_err_set(err, TKT_ERR_PERM, "store: bad prefix '%s'", prefix);
    }
    if (c == NULL || c->next > c->last) {
        if (load_series(s, prefix, &fresh, &next_free, err) < 0 ||
            (fresh.next > fresh.last && lease(s, &fresh, next_free, err) < 0)) {
            return -1;
        }
        if (c == NULL) { /* more prefixes than the cache holds share its last slot */
            size_t slot = s->series_count < SERIES_CACHE_MAX ? s->series_count++
                                                             : SERIES_CACHE_MAX - 1;
            c = &s->series[slot];
        }
        *c = fresh;
    }
    *series = c->id;
    *number = c->next++;
    return 0;
}

int tkt_desk_id(struct tkt_store *s, const char *name, int64_t *id, struct tkt_err *err)
{
    for (size_t i = 0; i < s->desk_count; i++) {
        if (strcmp(s->desks[i].name, name) == 0) {
            *id = s->desks[i].id;
            return 0;
        }
    }
    if (strlen(name) >= sizeof(s->desks[0].name)) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: desk name too long: %s", name);
    }
    int n = tkt_db_get_int(s->db, SQL_DESK_FIND, id, err, "s", name);
    if (n < 0 || (n == 0 && tkt_db_insert(s->db, SQL_DESK_ADD, id, err, "s", name) < 0)) {
        return -1;
    }
    size_t slot =
        s->desk_count < SERIES_CACHE_MAX ? s->desk_count++ : SERIES_CACHE_MAX - 1;
    snprintf(s->desks[slot].name, sizeof(s->desks[slot].name), "%s", name);
    s->desks[slot].id = *id;
    return 0;
}

int tkt_host_id(struct tkt_store *s, const char *name, int64_t *id, struct tkt_err *err)
{
    int n = tkt_db_get_int(s->db, SQL_HOST_FIND, id, err, "s", name);

    return n != 0 ? (n < 0 ? -1 : 0)
                  : tkt_db_insert(s->db, SQL_HOST_ADD, id, err, "s", name);
}
