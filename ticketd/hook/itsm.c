/* SPDX-License-Identifier: BSD-2-Clause
 * ITSMs that tell that something changed.
 */
#include "ticketd/hook/hook.h"

#include "base/clock.h"
#include "base/log.h"
#include "secret/secret.h"
#include "store/back.h"
#include "ticketd/hook/guest.h"

#include <stdio.h>
#include <string.h>

static const struct tkt_conf_itsm *section(const struct tkt_conf *conf, const char *name)
{
    for (size_t i = 0; i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, name) == 0 &&
            conf->itsms[i].hook_secret[0] != '\0') {
            return &conf->itsms[i];
        }
    }
    return NULL;
}

static int head(struct tkt_hook_visit *v)
{
    const struct tkt_conf_itsm *conf =
        strlen(v->rest) > TKT_HOOK_NAME_MAX ? NULL : section(v->set->conf, v->rest);

    if (conf == NULL) {
        (void)snprintf(v->why, sizeof(v->why), "there is no such path"); /* has room */
        return 404;
    }
    (void)snprintf(v->name, sizeof(v->name), "%s", conf->name); /* the same */
    return 0;
}

struct hint {
    const char *itsm;
    const char *key;
    const char *delivery;
    enum tkt_store_hint result;
};

static int apply_hint(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct hint *h = arg;

    return tkt_store_back_hint(store, h->itsm, h->key, h->delivery, tkt_clock_wall_ms(),
                               &h->result, err);
}

static int verify(struct tkt_hook_visit *v, const struct tkt_conf_itsm *conf,
                  const char **delivery)
{
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_SECRET struct tkt_secret secret = TKT_SECRET_INIT;
    const struct tkt_hook_call call = {.field = v->field,
                                       .arg = v->arg,
                                       .body = v->body.data,
                                       .len = v->body.len,
                                       .now_ms = tkt_clock_wall_ms(),
                                       .window_ms = v->set->conf->webhook.window_ms};

    if (tkt_secret_get(conf->hook_secret, &secret, &err) < 0 ||
        tkt_hook_verify(conf, secret.data, &call, delivery, &err) < 0) {
        (void)snprintf(v->why, sizeof(v->why), "%.255s", err.text);
        return err.class == TKT_ERR_PERM ? 401 : 503;
    }
    return 0;
}

static int take(struct tkt_hook_visit *v)
{
    static const char *const words[] = {[TKT_STORE_HINT_TAKEN] = "taken",
                                        [TKT_STORE_HINT_UNKNOWN] = "unknown",
                                        [TKT_STORE_HINT_AGAIN] = "again"};
    const struct tkt_conf_itsm *conf = section(v->set->conf, v->rest);
    struct tkt_err err = TKT_ERR_INIT;
    struct hint hint = {.itsm = conf->name};
    char key[TKT_HOOK_KEY_MAX + 1];
    int refused = verify(v, conf, &hint.delivery);

    if (refused != 0) {
        return refused;
    }
    if (tkt_hook_key(conf, v->body.data, v->body.len, key) == 0) {
        tkt_log(TKT_LOG_DEBUG, NULL, "hook.taken", "itsm", conf->name, "key", "",
                "status", "no key", NULL);
        return 200;
    }
    hint.key = key;
    if (tkt_commit_call(v->d->commit, apply_hint, &hint, true, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "hook.failed", "itsm", conf->name, "error", err.text,
                NULL);
        return 503;
    }
    tkt_log(TKT_LOG_DEBUG, NULL, "hook.taken", "itsm", conf->name, "key", key, "status",
            words[hint.result], NULL);
    return 200;
}

const struct tkt_hook_guest tkt_hook_itsm = {
    .path = "/hook/", .methods = "POST", .head = head, .take = take};
