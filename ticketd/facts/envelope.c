/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/envelope.h"

#include "base/enc.h"
#include "base/util.h"
#include "ticketd/facts/wants.h"

#include <cjson/cJSON.h>
#include <string.h>

static void add_text(struct tkt_buf *b, const char *name, const char *value)
{
    (void)tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", name);
    (void)tkt_json_add_string(b, value, strlen(value));
}

char *tkt_envelope_make(const struct tkt_wire_request *w, struct tkt_wire_arena *arena)
{
    struct tkt_buf b = TKT_BUF_INIT(TKT_ENVELOPE_MAX);
    char *kept = NULL;

    (void)tkt_buf_addc(&b, '{'); /* b.failed tells in the end */
    add_text(&b, "hook", w->hook);
    add_text(&b, "queue_id", w->queue_id);
    add_text(&b, "sender", w->sender);
    add_text(&b, "client_addr", w->client_addr);
    add_text(&b, "client_name", w->client_name);
    add_text(&b, "helo", w->helo);
    add_text(&b, "tls", w->tls);
    add_text(&b, "tls_subject", w->tls_subject);
    add_text(&b, "auth_login", w->auth_login);
    (void)tkt_buf_addf(&b, ",\"mail_time_s\":%lld,\"other_rcpts\":%u,\"rcpts\":[",
                       (long long)w->mail_time_s, w->other_rcpts);
    for (size_t i = 0; i < TKT_MIN(w->rcpt_count, TKT_ENVELOPE_RCPTS_MAX); i++) {
        (void)tkt_buf_adds(&b, i ? "," : "");
        (void)tkt_json_add_string(&b, w->rcpts[i].addr, strlen(w->rcpts[i].addr));
    }
    (void)tkt_buf_addc(&b, ']');
    if (w->per_recipient) {
        (void)tkt_buf_adds(&b, ",\"per_recipient\":true");
    }
    if (tkt_wants_any(&w->wants)) {
        (void)tkt_buf_adds(&b, ",\"wants\":");
        tkt_wants_write(&w->wants, &b);
    }
    (void)tkt_buf_addc(&b, '}');
    if (!b.failed) {
        kept = tkt_wire_arena_strdup(arena, b.data, b.len);
    }
    tkt_buf_release(&b);
    return kept;
}

static const char *take_text(struct tkt_envelope *e, const cJSON *value)
{
    const char *text = cJSON_GetStringValue(value);
    char *kept =
        tkt_wire_arena_strdup(&e->arena, text ? text : "", text ? strlen(text) : 0);

    return kept ? kept : "";
}

static int take_rcpts(struct tkt_envelope *e, const cJSON *list, struct tkt_err *err)
{
    const cJSON *item;

    e->rcpts =
        tkt_wire_arena_alloc(&e->arena, TKT_ENVELOPE_RCPTS_MAX * sizeof(*e->rcpts));
    if (!e->rcpts) {
        return tkt_err_set(err, TKT_ERR_TEMP, "envelope: no memory");
    }
    cJSON_ArrayForEach(item, list)
    {
        if (e->rcpt_count < TKT_ENVELOPE_RCPTS_MAX && cJSON_IsString(item)) {
            e->rcpts[e->rcpt_count++] = take_text(e, item);
        }
    }
    return 0;
}

int tkt_envelope_read(const char *json, size_t len, struct tkt_envelope *out,
                      struct tkt_err *err)
{
    cJSON *root = cJSON_ParseWithLength(json, len);

    memset(out, 0, sizeof(*out));
    if (!cJSON_IsObject(root)) {
        cJSON_Delete(root);
        return tkt_err_set(err, TKT_ERR_PERM, "the stored envelope cannot be read");
    }
    out->hook = take_text(out, cJSON_GetObjectItemCaseSensitive(root, "hook"));
    out->sender = take_text(out, cJSON_GetObjectItemCaseSensitive(root, "sender"));
    out->client_addr =
        take_text(out, cJSON_GetObjectItemCaseSensitive(root, "client_addr"));
    out->auth_login =
        take_text(out, cJSON_GetObjectItemCaseSensitive(root, "auth_login"));
    out->tls_subject =
        take_text(out, cJSON_GetObjectItemCaseSensitive(root, "tls_subject"));
    out->per_recipient =
        cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(root, "per_recipient"));
    tkt_wants_read(cJSON_GetObjectItemCaseSensitive(root, "wants"), &out->arena,
                   &out->wants);
    int rc = take_rcpts(out, cJSON_GetObjectItemCaseSensitive(root, "rcpts"), err);
    cJSON_Delete(root);
    if (rc < 0) {
        tkt_envelope_release(out);
    }
    return rc;
}

void tkt_envelope_release(struct tkt_envelope *e)
{
    tkt_wire_arena_release(&e->arena);
    memset(e, 0, sizeof(*e));
}
