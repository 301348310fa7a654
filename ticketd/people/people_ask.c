/* SPDX-License-Identifier: BSD-2-Clause
 * Asking the directories in turn; one that fails is left alone for a while.
 */
#include "ticketd/people/people.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "store/people.h"

#include <stdatomic.h>
#include <string.h>

struct source {
    const struct tkt_conf_directory *conf;
    struct tkt_directory *directory; /* opened when it is first asked */
    int64_t pause_ms;
    /* Read by whoever asks for the status: */
    atomic_int failures;      /* in a row */
    _Atomic int64_t until_ms; /* left alone till then, by the monotonic clock */
    atomic_uint_fast64_t asked;
    atomic_uint_fast64_t failed;
};

struct tkt_asker {
    struct tkt_settings *set;
    struct source *sources;
    size_t count;
};

struct tkt_asker *tkt_asker_new(struct tkt_settings *set)
{
    const struct tkt_conf *conf = set->conf;
    struct tkt_asker *a = calloc(1, sizeof(*a));

    if (!a || !(a->sources = calloc(conf->directory_count + 1, sizeof(*a->sources)))) {
        free(a);
        return NULL;
    }
    atomic_fetch_add(&set->refs, 1);
    a->set = set;
    for (size_t i = 0; i < conf->directory_count; i++) {
        if (conf->directories[i].type != TKT_DIRECTORY_OFF) {
            a->sources[a->count++].conf = &conf->directories[i];
        }
    }
    return a;
}

void tkt_asker_free(struct tkt_asker **asker)
{
    struct tkt_asker *a = *asker;

    if (a) {
        for (size_t i = 0; i < a->count; i++) {
            tkt_directory_close(&a->sources[i].directory);
        }
        free(a->sources);
        tkt_settings_put(&a->set);
        free(a);
    }
    *asker = NULL;
}

const struct tkt_settings *tkt_asker_settings(const struct tkt_asker *asker)
{
    return asker->set;
}

static void note_failure(struct source *s, const struct tkt_err *err)
{
    s->failed++;
    s->failures++;
    if (s->failures < TKT_PEOPLE_FAILURES && err->class == TKT_ERR_TEMP) {
        tkt_log(TKT_LOG_WARNING, NULL, "directory.failed", "directory", s->conf->name,
                "class", tkt_err_class_name(err->class), "error", err->text, NULL);
        return;
    }
    s->pause_ms = s->pause_ms == 0
                      ? TKT_PEOPLE_PAUSE_FIRST_MS
                      : TKT_MIN(2 * s->pause_ms, (int64_t)TKT_PEOPLE_PAUSE_MAX_MS);
    s->until_ms = tkt_clock_mono_ms() + s->pause_ms;
    tkt_log(TKT_LOG_ERROR, NULL, "directory.paused", "directory", s->conf->name, "class",
            tkt_err_class_name(err->class), "error", err->text, "ms",
            TKT_NUM(s->pause_ms), NULL);
}

static void note_success(struct source *s)
{
    if (s->pause_ms > 0) {
        tkt_log(TKT_LOG_NOTICE, NULL, "directory.back", "directory", s->conf->name, NULL);
    }
    s->failures = 0;
    s->pause_ms = 0;
}

static int ask_one(struct source *s, const char *address, struct tkt_asker_result *out)
{
    out->err = (struct tkt_err)TKT_ERR_INIT;
    if (tkt_clock_mono_ms() < s->until_ms) {
        return tkt_err_set(&out->err, TKT_ERR_TEMP, "directory %s: left alone for now",
                           s->conf->name);
    }
    if (!s->directory) {
        s->directory = tkt_directory_open(s->conf, &out->err);
    }
    s->asked++;
    int rc = s->directory
                 ? tkt_directory_lookup(s->directory, address, &out->answer, &out->err)
                 : -1;
    if (rc < 0) {
        note_failure(s, &out->err);
    } else {
        note_success(s);
    }
    return rc;
}

void tkt_asker_ask(struct tkt_asker *a, const char *address, struct tkt_asker_result *out)
{
    struct tkt_err failed = TKT_ERR_INIT;

    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < a->count && out->found != 1; i++) {
        int rc = ask_one(&a->sources[i], address, out);

        if (rc == 1) {
            out->found = 1;
            out->by = a->sources[i].conf->name;
        } else if (rc < 0) {
            out->incomplete = true;
            failed = out->err;
        }
    }
    out->err = failed;
    if (out->found == 0 && out->incomplete) {
        out->found = -1;
    }
}

void tkt_asker_status(const struct tkt_asker *a, struct tkt_buf *out)
{
    int64_t now = tkt_clock_mono_ms();

    (void)tkt_buf_addc(out, '{'); /* the caller looks at out->failed */
    for (size_t i = 0; a && i < a->count; i++) {
        const struct source *s = &a->sources[i];
        (void)tkt_buf_addf(out,
                           "%s\"%s\":{\"type\":\"%s\",\"state\":\"%s\",\"asked\":%llu,"
                           "\"failed\":%llu}", /* names are of a-z0-9_- */
                           i ? "," : "", s->conf->name,
                           tkt_directory_type_names[s->conf->type],
                           now < s->until_ms ? "paused"
                           : s->failures > 0 ? "failing"
                           : s->asked > 0    ? "ok"
                                             : "idle",
                           (unsigned long long)s->asked, (unsigned long long)s->failed);
    }
    (void)tkt_buf_addc(out, '}'); /* as above */
}

int tkt_people_keep(struct tkt_store *store, const struct tkt_conf *conf,
                    const char *address, const struct tkt_asker_result *r, bool used,
                    int64_t now_ms, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_PERSON_MAX);
    const struct tkt_conf_people *p = &conf->people;
    /* Where somebody who goes before did not answer, it is not for long. */
    int64_t ttl = r->found == 1 && !r->incomplete
                      ? p->ttl_ms
                      : TKT_MIN(p->ttl_ms, p->negative_ttl_ms);

    if (r->found < 0) {
        return 0;
    }
    if (r->found == 1 && tkt_person_encode(&r->answer.person, &data) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "person: no memory");
    }
    return tkt_store_person_set(store, address, r->found == 1 ? data.data : NULL,
                                data.len, used, now_ms, now_ms + ttl, err);
}
