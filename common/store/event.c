/* SPDX-License-Identifier: BSD-2-Clause
 * The audit trail: a hash chain a host, over hashes of content.
 *
 * Link n = SHA-256(link n-1, time, ticket, message, SHA-256 of the message, kind,
 * SHA-256 of the data). Data and message can be erased; their hashes stay and the chain
 * still verifies.
 */
#include "base/util.h"
#include "store/internal.h"

#include <endian.h>
#include <string.h>

void tkt_event_chain(const unsigned char prev[TKT_SHA256_LEN], const struct event_link *e,
                     unsigned char out[TKT_SHA256_LEN])
{
    unsigned char b[TKT_SHA256_LEN * 3 + 24 + 64] = {0};
    uint64_t be;
    size_t n = 0;

    memcpy(b, prev, TKT_SHA256_LEN);
    n += TKT_SHA256_LEN;
    be = htobe64((uint64_t)e->at);
    memcpy(b + n, &be, 8);
    be = htobe64((uint64_t)e->ticket);
    memcpy(b + n + 8, &be, 8);
    be = htobe64((uint64_t)e->message);
    memcpy(b + n + 16, &be, 8);
    n += 24;
    if (e->sha256 != NULL) {
        memcpy(b + n, e->sha256, TKT_SHA256_LEN);
    }
    n += TKT_SHA256_LEN;
    memcpy(b + n, e->hash, TKT_SHA256_LEN);
    n += TKT_SHA256_LEN;
    size_t k = TKT_MIN(strlen(e->kind), (size_t)64);
    memcpy(b + n, e->kind, k);
    tkt_sha256(b, n + k, out);
}

static int load_chain(struct tkt_store *s, struct tkt_err *err)
{
    TKT_AUTO_ROW struct tkt_row row = TKT_ROW_INIT;
    size_t len = 0;
    int n = tkt_db_query(s->db, &row, SQL_EVENT_LAST, err, "i", s->host);

    if (n < 0) {
        return -1;
    }
    memset(s->chain, 0, sizeof(s->chain));
    if (n == 1) {
        const void *p = tkt_row_blob(&row, 0, &len);
        if (p == NULL || len != TKT_SHA256_LEN) {
            return tkt_err_set(err, TKT_ERR_TEMP, "store: the event chain is damaged");
        }
        memcpy(s->chain, p, TKT_SHA256_LEN);
    }
    s->chain_known = true;
    return 0;
}

int tkt_event_write(struct tkt_store *s, int64_t ticket, int64_t message,
                    const unsigned char *sha256, const char *kind, const char *data,
                    int64_t now_ms, struct tkt_err *err)
{
    unsigned char hash[TKT_SHA256_LEN];
    struct message_row m;
    struct event_link link = {.at = now_ms,
                              .ticket = ticket,
                              .message = message,
                              .sha256 = sha256,
                              .kind = kind,
                              .hash = hash};

    if (strlen(kind) > 64) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: event kind too long: %.80s", kind);
    }
    if (data != NULL && strlen(data) > EVENT_DATA_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "store: event %s: data too long", kind);
    }
    if (!s->chain_known && load_chain(s, err) < 0) {
        return -1;
    }
    if (message != 0 && sha256 == NULL) {
        if (tkt_message_load(s->db, message, &m, err) != 1) {
            return tkt_err_set(err, TKT_ERR_PERM, "store: event %s: no message %" PRId64,
                               kind, message);
        }
        link.sha256 = m.sha256;
    }
    tkt_sha256(data != NULL ? data : "", data != NULL ? strlen(data) : 0, hash);
    tkt_event_chain(s->chain, &link, s->chain);
    return tkt_db_run(s->db, SQL_EVENT_ADD, err, "iiiisbbs", s->host, now_ms, ticket,
                      message, kind, hash, sizeof(hash), s->chain, sizeof(s->chain),
                      data) < 0
               ? -1
               : 0;
}

struct tkt_buf *tkt_event_begin(struct tkt_store *s)
{
    tkt_buf_reset(&s->json);
    (void)tkt_buf_addc(&s->json, '{'); /* event_end looks at failed */
    return &s->json;
}

int tkt_event_end(struct tkt_store *s, int64_t ticket, int64_t message,
                  const unsigned char *sha256, const char *kind, int64_t now_ms,
                  struct tkt_err *err)
{
    json_close(&s->json, '}');
    /* Too much to say is no reason to lose the event itself. */
    const char *data = s->json.failed ? "{\"cut\":true}" : s->json.data;
    return tkt_event_write(s, ticket, message, sha256, kind, data, now_ms, err);
}

int tkt_store_event(struct tkt_store *s, int64_t ticket, const char *kind,
                    const char *data, int64_t now_ms, struct tkt_err *err)
{
    bool own = false;

    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = tkt_event_write(s, ticket, 0, NULL, kind, data, now_ms, err);
    return tkt_store_leave(s, own, rc, err);
}
