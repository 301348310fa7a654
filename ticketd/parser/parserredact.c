/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "base/util.h"
#include "message/redact.h"
#include "ticketd/parser/parserpool_private.h"

#include <string.h>

/* Text like any other, and no longer than brackets can make it. */
static enum tkt_child_result take(const struct tkt_child_answer *answer, size_t n,
                                  struct tkt_buf *out, struct tkt_err *err)
{
    if (answer->len > n * TKT_REDACT_GROWTH + 64 || answer->tail_len > 0 ||
        !tkt_utf8_valid(answer->data, answer->len) ||
        memchr(answer->data, '\0', answer->len) != NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "a child gave a text back that is none");
        return TKT_CHILD_NONSENSE;
    }
    if (answer->len > 0 && tkt_buf_add(out, answer->data, answer->len) < 0) {
        tkt_err_set(err, TKT_ERR_PERM, "the redacted text is too long");
        return TKT_CHILD_ERROR;
    }
    return TKT_CHILD_OK;
}

int tkt_parserpool_redact(struct tkt_parserpool *pool, const char *text, size_t n,
                          int64_t deadline_mono_ms, struct tkt_buf *out,
                          struct tkt_err *err)
{
    struct tkt_child_request req = {.type = TKT_PARSER_REDACT, .payload = text, .len = n};
    struct tkt_err own_err = TKT_ERR_INIT;
    struct tkt_child_answer answer;
    struct tkt_pool_claim claim;

    err = err != NULL ? err : &own_err;
    if (n > TKT_MESSAGE_TEXT_MAX) {
        return tkt_err_set(err, TKT_ERR_PERM, "%zu bytes are too many to redact", n);
    }
    if (tkt_pool_acquire(pool, TKT_POOL_JOBS, deadline_mono_ms, &claim, err) < 0) {
        return -1;
    }
    int64_t deadline_us = deadline_mono_ms * 1000;
    enum tkt_child_result rc = tkt_child_send(claim.child, &req, deadline_us, err);
    if (rc == TKT_CHILD_OK) {
        rc = tkt_child_receive(claim.child, deadline_us, &answer, err);
    }
    if (rc == TKT_CHILD_OK) {
        rc = take(&answer, n, out, err);
    }
    tkt_pool_release(pool, &claim, rc != TKT_CHILD_OK ? err->text : NULL);
    return rc == TKT_CHILD_OK ? 0 : -1;
}
