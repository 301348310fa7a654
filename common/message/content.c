/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/content.h"

#include "base/util.h"

#include <string.h>

#define UU_GROWTH 64 /* a line that lost its blanks may decode to so much more */

int tkt_content_open(struct tkt_content *c, const struct tkt_message_source *src,
                     const struct tkt_part *part, struct tkt_err *err)
{
    *c = (struct tkt_content){.src = src,
                              .at = part->body_at,
                              .end = part->end_at,
                              .out = TKT_BUF_INIT(2 * TKT_MESSAGE_WINDOW)};
    tkt_transfer_init_body(&c->transfer, part->mime.encoding,
                           strncmp(tkt_part_type(part), "text/", 5) == 0);
    if (src->data == NULL) {
        c->window = malloc(TKT_MESSAGE_WINDOW);
        if (c->window == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        }
    }
    return 0;
}

void tkt_content_close(struct tkt_content *c)
{
    free(c->window);
    c->window = NULL;
    tkt_buf_release(&c->out);
}

/* The next window of the source, as it stands there. */
static int next_window(struct tkt_content *c, const char **p, size_t *n,
                       struct tkt_err *err)
{
    uint64_t left = c->end - c->at;
    bool is_uu = c->transfer.kind == TKT_TRANSFER_UU;
    size_t most = is_uu ? 2 * TKT_MESSAGE_WINDOW / UU_GROWTH : TKT_MESSAGE_WINDOW;
    size_t want = left < most ? (size_t)left : most;

    if (tkt_source_read(c->src, c->at, want, c->window, p, n, err) < 0) {
        return -1;
    }
    if (*n == 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "message is shorter than it was");
    }
    c->at += *n;
    return 0;
}

/* A window never decodes to more than two, so out is never full. */
static int decode(struct tkt_content *c, struct tkt_err *err)
{
    const char *p = NULL;
    size_t n = 0;

    tkt_buf_reset(&c->out);
    if (c->at == c->end) {
        c->is_ended = true;
        (void)tkt_transfer_end(&c->transfer, &c->out);
    } else if (next_window(c, &p, &n, err) < 0) {
        return -1;
    } else {
        (void)tkt_transfer_feed(&c->transfer, p, n, &c->out);
    }
    return c->out.failed ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

int tkt_content_next(struct tkt_content *c, const char **p, size_t *n,
                     struct tkt_err *err)
{
    if (c->src->budget != NULL && tkt_budget_over(c->src->budget)) {
        c->end = c->at;
    }
    if (c->transfer.kind == TKT_TRANSFER_IDENTITY) {
        return c->at == c->end ? 0 : next_window(c, p, n, err) < 0 ? -1 : 1;
    }
    while (!c->is_ended) {
        if (decode(c, err) < 0) {
            return -1;
        }
        if (c->out.len > 0) {
            *p = c->out.data;
            *n = c->out.len;
            return 1;
        }
    }
    return 0;
}

int tkt_content_walk(const struct tkt_message_source *src, const struct tkt_part *part,
                     tkt_content_fn *fn, void *arg, struct tkt_err *err)
{
    struct tkt_content c;
    const char *p = NULL;
    size_t n = 0;
    int rc = tkt_content_open(&c, src, part, err);

    while (rc == 0 && (rc = tkt_content_next(&c, &p, &n, err)) == 1) {
        rc = fn(arg, p, n, err);
        if (rc != 0) {
            rc = rc < 0 ? -1 : 0;
            break;
        }
    }
    tkt_content_close(&c);
    return rc;
}
