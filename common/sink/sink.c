/* SPDX-License-Identifier: BSD-2-Clause */
#include "sink/sink.h"

#include "sink/sinks.h"

#include <stdio.h>
#include <string.h>

const struct tkt_sink_ops *const tkt_sink_table[] = {&tkt_sink_splunk,
                                                     &tkt_sink_elasticsearch, NULL};

const struct tkt_sink_ops *tkt_sink_find(const char *type)
{
    for (size_t i = 0; tkt_sink_table[i] != NULL; i++) {
        if (strcmp(tkt_sink_table[i]->type, type) == 0) {
            return tkt_sink_table[i];
        }
    }
    return NULL;
}

static int check(const struct tkt_conf_sink *conf, struct tkt_err *err)
{
    const struct tkt_sink_ops *ops = tkt_sink_find(conf->type);
    const struct tkt_http_peer peer = {.allow_plain = conf->allow_plain};

    if (ops == NULL) {
        return tkt_err_set(err, TKT_ERR_CONF, "no such type of sink: %s", conf->type);
    }
    if (conf->url[0] == '\0') {
        return 0; /* it rests */
    }
    return tkt_http_check_url(conf->url, &peer, err) < 0 ? -1 : ops->check(conf, err);
}

int tkt_sink_check_all(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->sink_count; i++) {
        if (check(&conf->sinks[i], err) < 0) {
            return tkt_err_prefix(err, "sink %s", conf->sinks[i].name);
        }
    }
    return 0;
}

const char *tkt_sink_keep(struct tkt_sink_call *call, const char *head, const char *text,
                          struct tkt_err *err)
{
    size_t at = call->room.len;

    for (const char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < 0x20 || *p == 0x7f) {
            tkt_err_set(err, TKT_ERR_CONF, "the secret has control characters");
            return NULL;
        }
    }
    /* What is kept must not move. */
    if ((call->room.data == NULL && tkt_buf_reserve(&call->room, call->room.max) < 0) ||
        tkt_buf_adds(&call->room, head) < 0 || tkt_buf_adds(&call->room, text) < 0 ||
        tkt_buf_addc(&call->room, '\0') < 0) {
        tkt_err_set(err, TKT_ERR_CONF, "the secret is too long");
        return NULL;
    }
    return call->room.data + at;
}

void tkt_sink_forget(struct tkt_sink_call *call)
{
    if (call->room.data != NULL) {
        explicit_bzero(call->room.data, call->room.cap);
    }
    tkt_buf_release(&call->room);
}

int tkt_sink_url(struct tkt_sink_call *call, const char *path, struct tkt_err *err)
{
    size_t n = strlen(call->conf->url);

    while (n > 0 && call->conf->url[n - 1] == '/') {
        n--;
    }
    int len =
        snprintf(call->url, sizeof(call->url), "%.*s%s", (int)n, call->conf->url, path);
    return len > 0 && (size_t)len < sizeof(call->url)
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "url is too long");
}
