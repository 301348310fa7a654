/* SPDX-License-Identifier: BSD-2-Clause
 * What `ticketctl directory` asks for.
 */
#include "ticketd/people/people.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "store/people.h"

#include <string.h>

#define TEST_TEXT_MAX 8192

static void tell_string(struct tkt_buf *out, const char *key, const char *value)
{
    (void)tkt_buf_addf(out, ",\"%s\":", key); /* the caller looks at out->failed */
    (void)tkt_json_add_string(out, value, strlen(value)); /* the same */
}

void tkt_person_json(const struct tkt_person *p, struct tkt_buf *out)
{
    (void)tkt_buf_addf(out, "{\"known\":%s,\"vip\":%s", p->is_known ? "true" : "false",
                       p->is_vip ? "true" : "false"); /* the caller looks */
    tell_string(out, "name", p->name);
    tell_string(out, "department", p->department);
    tell_string(out, "company", p->company);
    tell_string(out, "title", p->title);
    tell_string(out, "location", p->location);
    tell_string(out, "manager", p->manager);
    tell_string(out, "language", p->language);
    (void)tkt_buf_adds(out, ",\"groups\":["); /* the same */
    for (size_t i = 0; i < p->groups.count; i++) {
        const char *name = p->groups.items[i];
        (void)tkt_buf_adds(out, i > 0 ? "," : "");          /* the same */
        (void)tkt_json_add_string(out, name, strlen(name)); /* the same */
    }
    (void)tkt_buf_adds(out, "]}"); /* the same */
}

/* ---- lookup -------------------------------------------------------------------------- */

struct keeping {
    const struct tkt_conf *conf;
    const char *address;
    const struct tkt_asker_result *result;
};

static int apply_keep(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    struct keeping *k = arg;

    return tkt_people_keep(store, k->conf, k->address, k->result, false,
                           tkt_clock_wall_ms(), err);
}

static int ask_now(struct tkt_daemon *d, struct tkt_settings *set, const char *address,
                   struct tkt_buf *out, struct tkt_err *err)
{
    struct tkt_asker *asker = tkt_asker_new(set);
    struct tkt_asker_result r;
    int rc = 0;

    if (!asker) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    int64_t start = tkt_clock_mono_ms();
    tkt_asker_ask(asker, address, &r);
    int64_t took = tkt_clock_mono_ms() - start;
    struct keeping k = {set->conf, address, &r};
    if (r.found >= 0) {
        rc = tkt_commit_call(d->commit, apply_keep, &k, true, err);
    }
    (void)tkt_buf_addf(out, ",\"found\":%s,\"ms\":%lld", /* the caller looks */
                       r.found == 1   ? "true"
                       : r.found == 0 ? "false"
                                      : "null",
                       (long long)took);
    if (r.found == 1) {
        tell_string(out, "directory", r.by);
        (void)tkt_buf_adds(out, ",\"person\":"); /* the same */
        tkt_person_json(&r.answer.person, out);
        tkt_directory_answer_release(&r.answer);
    }
    if (r.incomplete) {
        tell_string(out, "error", r.err.text);
    }
    tkt_asker_free(&asker);
    return rc;
}

static int tell_cached(struct tkt_reader *reader, const char *address,
                       struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf data = TKT_BUF_INIT(TKT_STORE_PERSON_MAX);
    struct tkt_wire_arena arena = {0};
    struct tkt_store_person row;
    struct tkt_person person;
    char checked[32];
    char expires[32];
    int n = tkt_reader_person(reader, address, &row, &data, err);

    if (n <= 0) {
        (void)tkt_buf_adds(out, ",\"cached\":null"); /* the caller looks */
        return n;
    }
    tkt_clock_format(row.checked_ms, checked);
    tkt_clock_format(row.expires_ms, expires);
    (void)tkt_buf_addf(out,
                       ",\"cached\":{\"checked\":\"%s\",\"expires\":\"%s\",\"fresh\":%s,"
                       "\"person\":", /* the same */
                       checked, expires,
                       row.expires_ms >= tkt_clock_wall_ms() ? "true" : "false");
    if (row.is_known &&
        tkt_person_decode(data.data, data.len, &arena, &person, NULL) == 0) {
        tkt_person_json(&person, out);
    } else {
        (void)tkt_buf_adds(out, "null"); /* the same */
    }
    tkt_wire_arena_release(&arena);
    return tkt_buf_addc(out, '}');
}

int tkt_people_lookup_json(struct tkt_daemon *d, const char *address, bool cached_only,
                           struct tkt_reader *reader, struct tkt_buf *out,
                           struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(d);
    TKT_AUTO_FREE char *lower = strdup(address);
    int rc = -1;

    if (!lower) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    } else if (!tkt_directory_address_ok(address)) {
        tkt_err_set(err, TKT_ERR_PERM, "not an address that could be looked up");
    } else {
        tkt_ascii_lower(lower);
        (void)tkt_buf_adds(out, "{\"address\":"); /* the caller looks at out->failed */
        (void)tkt_json_add_string(out, lower, strlen(lower)); /* the same */
        (void)tkt_buf_addf(out, ",\"asked_for\":%s",          /* the same */
                           tkt_people_covers(set->conf, lower) ? "true" : "false");
        rc = tell_cached(reader, lower, out, err);
        if (rc >= 0 && !cached_only) {
            rc = ask_now(d, set, lower, out, err);
        }
        (void)tkt_buf_addc(out, '}'); /* the same */
    }
    tkt_settings_put(&set);
    return rc < 0 ? -1 : 0;
}

/* ---- test ---------------------------------------------------------------------------- */

static void test_one(const struct tkt_conf_directory *conf, bool first,
                     struct tkt_buf *out)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TEST_TEXT_MAX);
    struct tkt_err why = TKT_ERR_INIT;
    int64_t start = tkt_clock_mono_ms();
    struct tkt_directory *d =
        conf->type == TKT_DIRECTORY_OFF ? NULL : tkt_directory_open(conf, &why);
    bool ok = d && tkt_directory_test(d, &text, &why) == 0;

    tkt_directory_close(&d);
    (void)tkt_buf_addf(out,
                       "%s{\"directory\":\"%s\",\"type\":\"%s\",\"ok\":%s,\"ms\":%lld",
                       first ? "" : ",", conf->name, tkt_directory_type_names[conf->type],
                       ok || conf->type == TKT_DIRECTORY_OFF ? "true" : "false",
                       (long long)(tkt_clock_mono_ms() - start)); /* the caller looks */
    tell_string(out, "text",
                ok                                ? tkt_buf_str(&text)
                : conf->type == TKT_DIRECTORY_OFF ? "off"
                                                  : why.text);
    (void)tkt_buf_addc(out, '}'); /* the same */
}

int tkt_people_test_json(struct tkt_daemon *d, const char *name, struct tkt_buf *out,
                         struct tkt_err *err)
{
    struct tkt_settings *set = tkt_settings_get(d);
    size_t count = 0;

    (void)tkt_buf_addc(out, '['); /* the caller looks at out->failed */
    for (size_t i = 0; i < set->conf->directory_count; i++) {
        const struct tkt_conf_directory *conf = &set->conf->directories[i];
        if (*name == '\0' || strcmp(conf->name, name) == 0) {
            test_one(conf, count++ == 0, out);
        }
    }
    (void)tkt_buf_addc(out, ']'); /* the same */
    tkt_settings_put(&set);
    return count > 0 || *name == '\0'
               ? 0
               : tkt_err_set(err, TKT_ERR_PERM, "no directory is called %.64s", name);
}

/* ---- flush --------------------------------------------------------------------------- */

static int apply_flush(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    return tkt_store_people_flush(store, arg, err);
}

int tkt_people_flush(struct tkt_daemon *d, int64_t *removed, struct tkt_err *err)
{
    *removed = 0;
    return tkt_commit_call(d->commit, apply_flush, removed, true, err);
}
