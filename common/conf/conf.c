/* SPDX-License-Identifier: BSD-2-Clause */
#include "conf/conf.h"

#include "base/hash.h"
#include "conf/read.h"
#include "conf/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DUMP_MAX (16 * 1024 * 1024)
#define LOCAL_ITSM "local"

static int no_memory(struct tkt_err *err)
{
    return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
}

/* ---- what is there without being written ---- */

static int fill_hostname(struct tkt_conf *conf)
{
    char name[256] = "";

    if (conf->hostname[0] != '\0') {
        return 0;
    }
    if (gethostname(name, sizeof(name) - 1) < 0 || name[0] == '\0') {
        snprintf(name, sizeof(name), "localhost");
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        return -1;
    }
    free(conf->hostname);
    conf->hostname = copy;
    return 0;
}

static int add_local_itsm(struct tkt_conf *conf)
{
    const struct tkt_conf_section *itsm = &tkt_conf_sections[TKT_CONF_ITSM];

    if (tkt_conf_element(conf, itsm, LOCAL_ITSM) != NULL) {
        return 0;
    }
    return tkt_conf_element_add(conf, TKT_CONF_ITSM, LOCAL_ITSM) == NULL ? -1 : 0;
}

static int fill_display_names(struct tkt_conf *conf)
{
    for (size_t i = 0; i < conf->desk_count; i++) {
        struct tkt_conf_desk *desk = &conf->desks[i];
        if (desk->display_name[0] == '\0') {
            char *copy = strdup(desk->name);
            if (copy == NULL) {
                return -1;
            }
            free(desk->display_name);
            desk->display_name = copy;
        }
    }
    return 0;
}

static void sum_up_rules(struct tkt_conf *conf)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct tkt_conf_rule *r = &conf->rules[i];

        conf->rules_refuse |= r->refuse[0] != '\0';
        conf->rules_ignore |= r->ignore;
        conf->rules_set_requester |= r->set_requester[0] != '\0';
    }
}

int tkt_conf_derive(struct tkt_conf *conf)
{
    sum_up_rules(conf);
    return fill_hostname(conf) < 0 || fill_display_names(conf) < 0 ? -1 : 0;
}

/* All processes that read the same settings must agree, and a changed one must show. */
static int set_generation(struct tkt_conf *conf)
{
    TKT_AUTO_BUF struct tkt_buf dump = TKT_BUF_INIT(DUMP_MAX);
    unsigned char digest[TKT_SHA256_LEN];
    uint64_t generation = 0;

    if (tkt_conf_dump(conf, false, &dump) < 0) {
        return -1;
    }
    tkt_sha256(dump.data, dump.len, digest);
    for (size_t i = 0; i < sizeof(generation); i++) {
        generation = generation << 8 | digest[i];
    }
    generation >>= 1; /* fits int64_t too */
    conf->generation = generation == 0 ? 1 : generation;
    return 0;
}

static int complete(struct tkt_conf *conf)
{
    if (add_local_itsm(conf) < 0 || tkt_conf_derive(conf) < 0) {
        return -1;
    }
    return set_generation(conf);
}

/* ---- load ---- */

/* Takes source, which is scanned. */
static struct tkt_conf *load(struct tkt_conf_source *source, const char *path,
                             struct tkt_err *err)
{
    struct tkt_conf *conf = tkt_conf_new();

    if (conf == NULL) {
        (void)no_memory(err); /* NULL says so */
        tkt_conf_source_free(&source);
        return NULL;
    }
    conf->source = source;
    conf->path = strdup(path);
    bool ok = conf->path != NULL && tkt_conf_read(conf, source, err) == 0;
    if (ok && add_local_itsm(conf) < 0) {
        ok = false;
        (void)no_memory(err); /* ok says so */
    }
    ok = ok && (source->only != 0 || tkt_conf_check(conf, err) == 0);
    if (ok && complete(conf) < 0) {
        ok = false;
        (void)no_memory(err); /* as above */
    }
    if (!ok) {
        tkt_conf_free(&conf);
    }
    return conf;
}

static struct tkt_conf *load_file(const char *path, uint64_t only, struct tkt_err *err)
{
    struct tkt_conf_source *source = tkt_conf_source_new();

    if (source == NULL) {
        (void)no_memory(err); /* NULL says so */
        return NULL;
    }
    source->only = only;
    if (tkt_conf_source_read(source, path, err) < 0) {
        tkt_conf_source_free(&source);
        return NULL;
    }
    return load(source, path, err);
}

struct tkt_conf *tkt_conf_load(const char *path, struct tkt_err *err)
{
    return load_file(path, 0, err);
}

struct tkt_conf *tkt_conf_load_part(const char *path, uint64_t sections,
                                    struct tkt_err *err)
{
    return load_file(path, sections | UINT64_C(1) << TKT_CONF_TOP, err);
}

struct tkt_conf *tkt_conf_load_text(const char *name, const char *data, size_t n,
                                    struct tkt_err *err)
{
    struct tkt_conf_source *source = tkt_conf_source_new();

    if (source == NULL) {
        (void)no_memory(err); /* NULL says so */
        return NULL;
    }
    if (tkt_conf_source_scan(source, name, data, n, err) < 0) {
        tkt_conf_source_free(&source);
        return NULL;
    }
    return load(source, name, err);
}

struct tkt_conf *tkt_conf_defaults(void)
{
    struct tkt_conf *conf = tkt_conf_new();

    if (conf != NULL) {
        conf->path = strdup("");
        if (conf->path == NULL || complete(conf) < 0) {
            tkt_conf_free(&conf);
        }
    }
    return conf;
}

/* ---- look-ups ---- */

void tkt_conf_delimiters(const struct tkt_conf *conf, char out[TKT_CONF_DELIMITERS_MAX])
{
    size_t n = strnlen(conf->recipient_delimiter, TKT_CONF_DELIMITERS_MAX - 2);

    memcpy(out, conf->recipient_delimiter, n);
    out[n] = '\0';
    if (conf->token.separator[0] != '\0' &&
        strchr(out, conf->token.separator[0]) == NULL) {
        out[n] = conf->token.separator[0];
        out[n + 1] = '\0';
    }
}

const struct tkt_conf_desk *tkt_conf_desk(const struct tkt_conf *conf, const char *name)
{
    return tkt_conf_element(conf, &tkt_conf_sections[TKT_CONF_DESK], name);
}

const struct tkt_conf_group *tkt_conf_group(const struct tkt_conf *conf, const char *name)
{
    return tkt_conf_element(conf, &tkt_conf_sections[TKT_CONF_GROUP], name);
}
