/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/table.h"

#include "base/fs.h"
#include "base/util.h"

#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define FILE_NAME "desks"

struct tkt_tables {
    char path[PATH_MAX];  /* of the copy on disk */
    pthread_mutex_t lock; /* of current */
    struct tkt_table *current;
    pthread_mutex_t refresh; /* one HELLO at a time; guards the two below */
    struct tkt_table *file;  /* the desks of the configuration file */
    struct tkt_buf last;     /* the body of the table that is current, for comparison */
};

struct tkt_tables *tkt_tables_new(const char *state_dir)
{
    struct tkt_tables *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        return NULL;
    }
    int n = snprintf(t->path, sizeof(t->path), "%s/" FILE_NAME, state_dir);
    if (n < 0 || (size_t)n >= sizeof(t->path) ||
        pthread_mutex_init(&t->lock, NULL) != 0 ||
        pthread_mutex_init(&t->refresh, NULL) != 0) {
        free(t);
        return NULL;
    }
    tkt_buf_init(&t->last, TKT_WIRE_TAIL_MAX);
    return t;
}

void tkt_tables_free(struct tkt_tables **tables)
{
    struct tkt_tables *t = *tables;

    if (t == NULL) {
        return;
    }
    tkt_table_put(&t->current);
    tkt_table_put(&t->file);
    tkt_buf_release(&t->last);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->refresh);
    free(t);
    *tables = NULL;
}

static struct tkt_table *share(struct tkt_table *t)
{
    if (t != NULL) {
        atomic_fetch_add(&t->refs, 1);
    }
    return t;
}

struct tkt_table *tkt_table_get(struct tkt_tables *tables)
{
    pthread_mutex_lock(&tables->lock);
    struct tkt_table *t = share(tables->current);
    pthread_mutex_unlock(&tables->lock);
    return t;
}

void tkt_table_put(struct tkt_table **table)
{
    struct tkt_table *t = *table;

    *table = NULL;
    if (t == NULL || atomic_fetch_sub(&t->refs, 1) > 1) {
        return;
    }
    tkt_wire_desks_index_free(&t->index);
    tkt_wire_reply_release(&t->hello);
    tkt_table_put(&t->behind);
    free(t);
}

/* A table of the packet's HELLO reply, or NULL. */
static struct tkt_table *new_table(const struct tkt_wire_packet *pkt,
                                   enum tkt_table_source source, struct tkt_err *err)
{
    struct tkt_table *t = calloc(1, sizeof(*t));

    if (t == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "no memory"); /* NULL tells it */
        return NULL;
    }
    atomic_init(&t->refs, 1);
    t->source = source;
    if (tkt_wire_reply_decode(pkt, &t->hello, err) < 0) {
        free(t);
        return NULL;
    }
    t->index = tkt_wire_desks_index(t->hello.desks, t->hello.desk_count);
    if (t->index == NULL) {
        (void)tkt_err_set(err, TKT_ERR_TEMP, "no memory"); /* as above */
        tkt_table_put(&t);
    }
    return t;
}

static void make_current(struct tkt_tables *tables, struct tkt_table *t)
{
    pthread_mutex_lock(&tables->lock);
    struct tkt_table *old = tables->current;
    tables->current = t;
    pthread_mutex_unlock(&tables->lock);
    tkt_table_put(&old);
}

/* Under refresh. *changed: the packet says something else than the current table. */
static int install(struct tkt_tables *tables, const struct tkt_wire_packet *pkt,
                   enum tkt_table_source source, bool *changed, struct tkt_err *err)
{
    struct tkt_table *now = tkt_table_get(tables);
    bool same = now != NULL && now->source == source &&
                tables->last.len == pkt->body.len &&
                memcmp(tables->last.data, pkt->body.data, pkt->body.len) == 0;

    tkt_table_put(&now);
    *changed = !same;
    if (same) {
        return 0;
    }
    struct tkt_table *t = new_table(pkt, source, err);
    if (t == NULL) {
        return -1;
    }
    t->behind = source == TKT_TABLE_DISK ? share(tables->file) : NULL;
    tkt_buf_reset(&tables->last);
    if (tkt_buf_add(&tables->last, pkt->body.data, pkt->body.len) < 0) {
        tkt_buf_reset(&tables->last); /* then the next one counts as changed */
    }
    make_current(tables, t);
    return 0;
}

/* One row per address. */
static size_t rows_of(const struct tkt_conf *conf, const char *delimiters,
                      struct tkt_wire_desk *rows)
{
    size_t n = 0;

    for (size_t i = 0; i < conf->desk_count; i++) {
        const struct tkt_conf_desk *d = &conf->desks[i];
        for (size_t k = 0; k < d->addresses.count && n < TKT_WIRE_DESKS_MAX; k++) {
            rows[n++] = (struct tkt_wire_desk){
                .name = d->name,
                .address = d->addresses.items[k],
                .delimiters = delimiters,
                .on_failure_accept = d->on_failure == TKT_ON_FAILURE_ACCEPT,
                .off = d->mode == TKT_MODE_OFF,
            };
        }
    }
    return n;
}

static int encode_conf(const struct tkt_conf *conf, struct tkt_wire_packet *pkt,
                       struct tkt_err *err)
{
    TKT_AUTO_FREE struct tkt_wire_desk *rows = calloc(TKT_WIRE_DESKS_MAX, sizeof(*rows));
    char delimiters[TKT_CONF_DELIMITERS_MAX];
    struct tkt_wire_reply reply = {.status = TKT_WIRE_OK, .desks = rows};

    if (rows == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    tkt_conf_delimiters(conf, delimiters);
    reply.desk_count = rows_of(conf, delimiters, rows);
    reply.message_max = (uint64_t)conf->limits.message_max;
    return tkt_wire_reply_encode(&reply, pkt, err);
}

/* Under refresh. */
static int read_copy(struct tkt_tables *tables, struct tkt_err *err)
{
    struct tkt_wire_packet pkt;
    bool changed;

    tkt_wire_packet_init(&pkt);
    int rc = tkt_read_file(tables->path, &pkt.body, err);
    if (rc == 0) {
        rc = install(tables, &pkt, TKT_TABLE_DISK, &changed, err);
    }
    tkt_wire_packet_release(&pkt);
    return rc < 0 ? tkt_err_prefix(err, "%s", tables->path) : 0;
}

/* Under refresh: the file's desks are file, wherever they count now. */
static int use_file(struct tkt_tables *tables, struct tkt_table *file,
                    struct tkt_err *err)
{
    struct tkt_table *now = tkt_table_get(tables);
    int rc = 0;

    tkt_table_put(&tables->file);
    tables->file = file;
    if (now == NULL || now->source == TKT_TABLE_CONF) {
        make_current(tables, share(file));
    } else if (now->source == TKT_TABLE_DISK) { /* it still has the old file behind it */
        tkt_buf_reset(&tables->last);
        rc = read_copy(tables, err);
    }
    tkt_table_put(&now);
    return rc;
}

int tkt_tables_from_conf(struct tkt_tables *tables, const struct tkt_conf *conf,
                         struct tkt_err *err)
{
    struct tkt_wire_packet pkt;
    int rc = -1;

    if (encode_conf(conf, &pkt, err) < 0) {
        return -1;
    }
    struct tkt_table *file = new_table(&pkt, TKT_TABLE_CONF, err);
    tkt_wire_packet_release(&pkt);
    if (file != NULL) {
        pthread_mutex_lock(&tables->refresh);
        rc = use_file(tables, file, err);
        pthread_mutex_unlock(&tables->refresh);
    }
    return rc;
}

int tkt_tables_from_disk(struct tkt_tables *tables, struct tkt_err *err)
{
    pthread_mutex_lock(&tables->refresh);
    int rc = read_copy(tables, err);
    pthread_mutex_unlock(&tables->refresh);
    return rc;
}

static int install_reply(struct tkt_tables *tables, const struct tkt_wire_reply *reply,
                         bool *changed, struct tkt_err *err)
{
    struct tkt_wire_packet pkt;

    if (reply->status != TKT_WIRE_OK) {
        return tkt_err_set(err, TKT_ERR_TEMP, "HELLO: %s", reply->text);
    }
    if (tkt_wire_reply_encode(reply, &pkt, err) < 0) {
        return -1;
    }
    pthread_mutex_lock(&tables->refresh);
    int rc = install(tables, &pkt, TKT_TABLE_HELLO, changed, err);
    if (rc == 0 && *changed) {
        rc = tkt_replace_file(tables->path, pkt.body.data, pkt.body.len, 0600, err);
        if (rc < 0) {
            tkt_buf_reset(&tables->last); /* the next HELLO writes it again */
        }
    }
    pthread_mutex_unlock(&tables->refresh);
    tkt_wire_packet_release(&pkt);
    return rc;
}

int tkt_tables_from_hello(struct tkt_tables *tables, struct tkt_wire_client *client,
                          int64_t deadline_mono_ms, bool *changed, struct tkt_err *err)
{
    struct tkt_wire_request req = {.verb = TKT_WIRE_HELLO, .hook = "milter"};
    struct tkt_wire_reply reply;

    *changed = false;
    if (tkt_wire_call(client, &req, -1, deadline_mono_ms, 0, NULL, NULL, &reply, err) <
        0) {
        return -1;
    }
    int rc = install_reply(tables, &reply, changed, err);
    tkt_wire_reply_release(&reply);
    return rc;
}

const struct tkt_wire_desk *tkt_table_find(const struct tkt_table *table,
                                           const char *addr, size_t *sub)
{
    const struct tkt_wire_desk *d = tkt_wire_desk_find(table->index, addr, sub);

    if (d == NULL && table->behind != NULL) {
        d = tkt_wire_desk_find(table->behind->index, addr, sub);
    }
    return d != NULL && !d->off ? d : NULL;
}
