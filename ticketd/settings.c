/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/core/daemon.h"
#include "ticketd/intake/limits.h"

#include "base/enc.h"
#include "base/log.h"
#include "base/util.h"
#include "itsm/itsm.h"
#include "notify/notify.h"
#include "notify/text.h"
#include "sink/sink.h"
#include "ticketd/core/keyring.h"
#include "ticketd/core/roster.h"
#include "ticketd/llm/learned.h"
#include "ticketd/shadow/shadow.h"
#include "ticketd/sla/slabook.h"

#include <string.h>

#define WARNINGS_MAX (16 * 1024)
#define TOLD_MAX (4u * 1024 * 1024)

static void settings_free(struct tkt_settings *s)
{
    tkt_wire_desks_index_free(&s->desk_index);
    tkt_access_free(&s->access);
    tkt_token_keys_wipe(&s->keys);
    tkt_sla_book_free(&s->sla);
    tkt_roster_free(&s->roster);
    tkt_notice_texts_free(&s->texts);
    tkt_wire_arena_release(&s->arena);
    tkt_conf_free(&s->conf);
    free(s);
}

static char *keep(struct tkt_settings *s, const char *text)
{
    return tkt_wire_arena_strdup(&s->arena, text, strlen(text));
}

static int make_desks(struct tkt_settings *s, struct tkt_err *err)
{
    const struct tkt_conf *conf = s->conf;
    const char **prefixes =
        tkt_wire_arena_alloc(&s->arena, (conf->desk_count + 1) * sizeof(*prefixes));
    char delimiters[TKT_CONF_DELIMITERS_MAX];
    size_t rows = 0;

    tkt_conf_delimiters(conf, delimiters);
    for (size_t i = 0; i < conf->desk_count; i++) {
        rows += conf->desks[i].addresses.count;
    }
    if (rows > TKT_WIRE_DESKS_MAX || conf->desk_count > TKT_SUBJECT_PREFIXES_MAX) {
        return tkt_err_set(err, TKT_ERR_CONF, "more than %d desk addresses",
                           TKT_WIRE_DESKS_MAX);
    }
    s->desks = tkt_wire_arena_alloc(&s->arena, (rows + 1) * sizeof(*s->desks));
    s->delimiters = keep(s, delimiters);
    if (!prefixes || !s->delimiters || !s->desks) {
        return tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        const struct tkt_conf_desk *d = &conf->desks[i];

        prefixes[i] = d->prefix;
        for (size_t k = 0; d->mode != TKT_MODE_OFF && k < d->addresses.count; k++) {
            char *address = keep(s, d->addresses.items[k]);

            if (!address) {
                return tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
            }
            tkt_ascii_lower(address);
            s->desks[s->desk_count++] = (struct tkt_wire_desk){
                .name = d->name,
                .address = address,
                .delimiters = s->delimiters,
                .on_failure_accept = d->on_failure == TKT_ON_FAILURE_ACCEPT,
                .limited = tkt_limits_has(d)};
        }
    }
    s->own = (struct tkt_prefixes){.items = prefixes, .count = conf->desk_count};
    s->desk_index = tkt_wire_desks_index(s->desks, s->desk_count);
    return s->desk_index ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
}

/* (?i)\[(?:IT|HR)-[0-9]+\] */
static int make_tag_pattern(struct tkt_settings *s, struct tkt_err *err)
{
    struct tkt_buf b = TKT_BUF_INIT(64 * 1024);

    (void)tkt_buf_adds(&b, "(?i)\\[(?:"); /* b.failed tells */
    for (size_t i = 0; i < s->own.count; i++) {
        (void)tkt_buf_addf(&b, "%s%s", i ? "|" : "", s->own.items[i]);
    }
    (void)tkt_buf_adds(&b, ")-[0-9]+\\]");
    if (!b.failed) {
        s->tag_pattern = keep(s, tkt_buf_str(&b));
    }
    tkt_buf_release(&b);
    return s->tag_pattern ? 0 : tkt_err_set(err, TKT_ERR_TEMP, "settings: tag pattern");
}

/* Of what HELLO tells and nothing else: the same table gives the same number, also after
 * a restart or a new log level, so that no hook has to ask again for nothing. */
static int make_generation(struct tkt_settings *s, struct tkt_err *err)
{
    struct tkt_buf told = TKT_BUF_INIT(TOLD_MAX);
    unsigned char hash[TKT_SHA256_LEN];

    (void)tkt_buf_addf(&told, "%lld %lld %s\n", (long long)s->conf->limits.message_max,
                       (long long)s->conf->milter.deadline_ms, s->tag_pattern);
    for (size_t i = 0; i < s->desk_count; i++) {
        (void)tkt_buf_addf(&told, "%s %s %s %d%s\n", s->desks[i].name,
                           s->desks[i].address, s->desks[i].delimiters,
                           s->desks[i].on_failure_accept,
                           s->desks[i].limited ? " limited" : "");
    }
    if (told.failed) {
        tkt_buf_release(&told);
        return tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
    }
    tkt_sha256(told.data, told.len, hash);
    tkt_buf_release(&told);
    for (size_t i = 0; i < 8; i++) {
        s->generation = s->generation << 8 | hash[i];
    }
    s->generation = (s->generation & INT64_MAX) | 1; /* 0 means none */
    return 0;
}

/* What a holiday file holds besides days off is told each time it is read. */
static int make_roster(struct tkt_settings *s, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf warnings = TKT_BUF_INIT(WARNINGS_MAX);

    s->roster = tkt_roster_new(s->conf, &warnings, err);
    if (!s->roster) {
        return -1;
    }
    char *rest = NULL;
    for (char *line = warnings.len ? strtok_r(warnings.data, "\n", &rest) : NULL; line;
         line = strtok_r(NULL, "\n", &rest)) {
        tkt_log(TKT_LOG_WARNING, NULL, "config.holidays", "what", line, NULL);
    }
    return 0;
}

static int make_slas(struct tkt_settings *s, struct tkt_err *err)
{
    s->sla = tkt_slabook_new(s->conf, s->roster, err);
    return s->sla ? 0 : -1;
}

/* All that a configuration may be refused for; keys apart, which may have to be made. */
static int make_all(struct tkt_settings *s, struct tkt_err *err)
{
    s->access = tkt_access_new(&s->conf->access, err);
    if (!s->access || tkt_itsm_check_all(s->conf, err) < 0 ||
        tkt_channel_check_all(s->conf, err) < 0 || tkt_sink_check_all(s->conf, err) < 0 ||
        make_roster(s, err) < 0 || make_slas(s, err) < 0 ||
        !(s->texts = tkt_notice_texts_load(s->conf, err)) ||
        tkt_learned_read(s->conf, s->model_version, sizeof(s->model_version), err) < 0 ||
        make_desks(s, err) < 0 || make_tag_pattern(s, err) < 0) {
        return -1;
    }
    return make_generation(s, err);
}

static atomic_uint_fast64_t loaded;

struct tkt_settings *tkt_settings_new(struct tkt_conf **conf, const char *store_dir,
                                      struct tkt_err *err)
{
    struct tkt_settings *s = calloc(1, sizeof(*s));

    if (!s) {
        tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
        return NULL;
    }
    s->refs = 1;
    s->serial = atomic_fetch_add(&loaded, 1) + 1;
    s->conf = *conf;
    *conf = NULL;
    if (make_all(s, err) < 0 ||
        tkt_keyring_load(&s->conf->token, store_dir, &s->keys, err) < 0) {
        settings_free(s);
        return NULL;
    }
    return s;
}

int tkt_settings_test(struct tkt_conf *conf, struct tkt_err *err)
{
    struct tkt_settings *s = calloc(1, sizeof(*s));

    if (!s) {
        return tkt_err_set(err, TKT_ERR_TEMP, "settings: no memory");
    }
    s->conf = conf;
    int rc = make_all(s, err);
    s->conf = NULL; /* it stays the caller's */
    settings_free(s);
    return rc;
}

struct tkt_settings *tkt_settings_get(struct tkt_daemon *d)
{
    pthread_mutex_lock(&d->settings_lock);
    struct tkt_settings *s = d->settings;
    atomic_fetch_add(&s->refs, 1);
    pthread_mutex_unlock(&d->settings_lock);
    return s;
}

void tkt_settings_put(struct tkt_settings **settings)
{
    struct tkt_settings *s = *settings;

    if (s && atomic_fetch_sub(&s->refs, 1) == 1) {
        settings_free(s);
    }
    *settings = NULL;
}

/* What a running daemon cannot change is named, so that nobody waits for it. */
static void tell_ignored(const struct tkt_conf *old, const struct tkt_conf *new)
{
    const struct {
        const char *key;
        const char *old;
        const char *new;
    } fixed[] = {
        {"store.path", old->store.path, new->store.path},
        {"intake_socket", old->intake_socket, new->intake_socket},
        {"control_socket", old->control_socket, new->control_socket},
        {"user", old->user, new->user},
        {"hostname", old->hostname, new->hostname},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(fixed); i++) {
        if (strcmp(fixed[i].old, fixed[i].new) != 0) {
            tkt_log(TKT_LOG_WARNING, NULL, "config.restart_needed", "key", fixed[i].key,
                    NULL);
        }
    }
}

static int reload_locked(struct tkt_daemon *d, struct tkt_err *err)
{
    struct tkt_conf *conf = tkt_conf_load(d->conf_path, err);

    if (!conf) {
        return -1;
    }
    struct tkt_settings *fresh = tkt_settings_new(&conf, d->store_dir, err);
    if (!fresh) {
        return -1;
    }
    if (d->pool && tkt_parserpool_reload(d->pool, fresh->conf, err) < 0) {
        tkt_settings_put(&fresh);
        return -1;
    }
    tell_ignored(d->settings->conf, fresh->conf);
    tkt_log_set_level(d->verbose ? TKT_LOG_DEBUG : fresh->conf->log_level);
    tkt_commit_set_batch(d->commit, (size_t)fresh->conf->store.batch_max);
    if (d->shadow) {
        tkt_shadow_follow(d->shadow, fresh->conf);
    }
    pthread_mutex_lock(&d->settings_lock);
    struct tkt_settings *old = d->settings;
    d->settings = fresh;
    pthread_mutex_unlock(&d->settings_lock);
    tkt_settings_put(&old);
    return 0;
}

int tkt_daemon_reload(struct tkt_daemon *d, struct tkt_err *err)
{
    pthread_mutex_lock(&d->reload_lock);
    int rc = reload_locked(d, err);
    if (rc < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "config.reload", "status", "refused", "error",
                err->text, NULL);
    } else {
        tkt_log(TKT_LOG_NOTICE, NULL, "config.reload", "status", "ok", NULL);
    }
    pthread_mutex_unlock(&d->reload_lock);
    return rc;
}
