/* SPDX-License-Identifier: BSD-2-Clause
 * What must hold between settings, beyond the range of each.
 */
#include "base/enc.h"
#include "base/util.h"
#include "conf/read.h"
#include "conf/value.h"
#include "wire/idna.h"
#include "wire/intake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESS_MAX 512

/* What RESERVE needs beside the parser's time: scan, commit, the way there and back. */
#define REST_OF_RESERVE_MS 500

static struct tkt_conf_pos desk_at(const struct tkt_conf *conf,
                                   const struct tkt_conf_desk *desk, const char *key)
{
    return tkt_conf_source_where(conf->source, TKT_CONF_DESK, desk->name, key);
}

/* ---- addresses ---- */

int tkt_conf_idna_ascii(const char *address, struct tkt_buf *out)
{
    const char *at = strrchr(address, '@');
    const char *domain = at == NULL ? address : at + 1;
    char ascii[ADDRESS_MAX];

    if (tkt_idna_domain(domain, strlen(domain), ascii, sizeof(ascii)) < 0) {
        return -1;
    }
    (void)tkt_buf_add(out, address, (size_t)(domain - address)); /* the next one tells */
    return tkt_buf_adds(out, ascii);
}

static int fill_matches(struct tkt_conf_desk *desk)
{
    for (size_t i = 0; i < desk->addresses.count; i++) {
        TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(ADDRESS_MAX);
        if (tkt_conf_idna_ascii(desk->addresses.items[i], &b) < 0) {
            return -1;
        }
        tkt_ascii_lower(b.data);
        if (tkt_conf_list_add(&desk->matches, b.data) < 0) {
            return -1;
        }
    }
    return 0;
}

struct owner {
    const char *match;
    const struct tkt_conf_desk *desk;
};

static int by_match(const void *a, const void *b)
{
    return strcmp(((const struct owner *)a)->match, ((const struct owner *)b)->match);
}

static int address_twice(const struct tkt_conf *conf, const struct tkt_conf_desk *a,
                         const struct tkt_conf_desk *b, const char *match,
                         struct tkt_err *err)
{
    const struct tkt_conf_desk *first = a < b ? a : b;
    const struct tkt_conf_desk *second = a < b ? b : a;
    struct tkt_conf_pos pos = desk_at(conf, first, "addresses");

    if (first == second) {
        return tkt_conf_source_fail(conf->source, pos, err,
                                    "%.200s stands twice, in two spellings; remove one",
                                    match);
    }
    return tkt_conf_source_fail(conf->source, desk_at(conf, second, "addresses"), err,
                                "%.200s belongs to desk %s too (%s:%u); keep it in one",
                                match, first->name,
                                tkt_conf_source_file(conf->source, pos), pos.line);
}

static int check_owners(const struct tkt_conf *conf, struct owner *owners, size_t count,
                        struct tkt_err *err)
{
    qsort(owners, count, sizeof(*owners), by_match);
    for (size_t i = 1; i < count; i++) {
        if (by_match(&owners[i - 1], &owners[i]) == 0) {
            return address_twice(conf, owners[i - 1].desk, owners[i].desk,
                                 owners[i].match, err);
        }
    }
    return 0;
}

static int check_addresses(struct tkt_conf *conf, struct tkt_err *err)
{
    struct owner owners[TKT_WIRE_DESKS_MAX];
    size_t count = 0;

    for (size_t i = 0; i < conf->desk_count; i++) {
        struct tkt_conf_desk *desk = &conf->desks[i];
        if (desk->addresses.count == 0) {
            return tkt_conf_source_fail(conf->source, desk_at(conf, desk, "addresses"),
                                        err,
                                        "desk %s has no addresses; write addresses = "
                                        "{\"support@example.org\"}",
                                        desk->name);
        }
        if (fill_matches(desk) < 0) {
            return tkt_err_set(err, TKT_ERR_TEMP, "out of memory");
        }
        for (size_t k = 0; k < desk->matches.count; k++) {
            if (count == TKT_WIRE_DESKS_MAX) {
                return tkt_conf_source_fail(
                    conf->source, desk_at(conf, desk, "addresses"), err,
                    "more than %d desk addresses in all; use @domain",
                    TKT_WIRE_DESKS_MAX);
            }
            owners[count++] = (struct owner){desk->matches.items[k], desk};
        }
    }
    return check_owners(conf, owners, count, err);
}

/* ---- desks ---- */

/* A second ITSM of a desk: one that is there, far from here, and not the first. */
static int check_other_itsm(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                            const char *key, const char *name, struct tkt_err *err)
{
    const struct tkt_conf_section *itsm = &tkt_conf_sections[TKT_CONF_ITSM];
    const struct tkt_conf_itsm *other =
        name[0] == '\0' ? NULL : tkt_conf_element(conf, itsm, name);

    if (name[0] == '\0') {
        return 0;
    }
    if (other == NULL || strcmp(other->type, "local") == 0 ||
        strcmp(name, desk->itsm) == 0) {
        return tkt_conf_source_fail(
            conf->source, desk_at(conf, desk, key), err,
            "%s: \"%s\" is no section itsm, or the desk's own, or "
            "of type local; name another",
            key, name);
    }
    return 0;
}

static int check_references(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                            struct tkt_err *err)
{
    if (desk->group[0] != '\0' && tkt_conf_group(conf, desk->group) == NULL) {
        return tkt_conf_source_fail(
            conf->source, desk_at(conf, desk, "group"), err,
            "group: there is no section group \"%s\"; add it or name "
            "another",
            desk->group);
    }
    const struct tkt_conf_section *itsm = &tkt_conf_sections[TKT_CONF_ITSM];
    if (tkt_conf_element(conf, itsm, desk->itsm) == NULL) {
        return tkt_conf_source_fail(
            conf->source, desk_at(conf, desk, "itsm"), err,
            "itsm: there is no section itsm \"%s\"; add it or name "
            "another",
            desk->itsm);
    }
    if (check_other_itsm(conf, desk, "itsm_fallback", desk->itsm_fallback, err) < 0) {
        return -1;
    }
    return check_other_itsm(conf, desk, "itsm_copy", desk->itsm_copy, err);
}

static int check_recipients(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                            struct tkt_err *err)
{
    const struct tkt_conf_group *group = tkt_conf_group(conf, desk->group);

    if (desk->replace_recipient && !desk->add_group_recipient) {
        return tkt_conf_source_fail(conf->source,
                                    desk_at(conf, desk, "replace_recipient"), err,
                                    "replace_recipient without add_group_recipient would "
                                    "deliver the mail nowhere; "
                                    "set both");
    }
    if (desk->add_group_recipient && (group == NULL || group->mailbox[0] == '\0')) {
        return tkt_conf_source_fail(conf->source,
                                    desk_at(conf, desk, "add_group_recipient"), err,
                                    "add_group_recipient: desk %s has no group with a "
                                    "mailbox; give it one",
                                    desk->name);
    }
    return 0;
}

static int check_prefix(const struct tkt_conf *conf, const struct tkt_conf_desk *desk,
                        struct tkt_err *err)
{
    for (const struct tkt_conf_desk *other = conf->desks; other < desk; other++) {
        if (strcmp(other->prefix, desk->prefix) == 0) {
            struct tkt_conf_pos pos = desk_at(conf, other, "prefix");
            return tkt_conf_source_fail(
                conf->source, desk_at(conf, desk, "prefix"), err,
                "desk %s has the prefix %s of desk %s (%s:%u); give "
                "each its own",
                desk->name, desk->prefix, other->name,
                tkt_conf_source_file(conf->source, pos), pos.line);
        }
    }
    return 0;
}

/* ---- the rest ---- */

static int check_limits(const struct tkt_conf *conf, struct tkt_err *err)
{
    const struct tkt_conf_limits *l = &conf->limits;

    if (l->message_max < l->inline_max) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_LIMITS, "", "inline_max"), err,
            "inline_max is above message_max; lower it");
    }
    if (l->header_block_max < l->header_max) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_LIMITS, "", "header_max"), err,
            "header_max is above header_block_max; lower it");
    }
    if (l->requests_max < l->requests_per_peer) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_LIMITS, "", "requests_per_peer"),
            err, "requests_per_peer is above requests_max; lower it");
    }
    return 0;
}

static int check_times(const struct tkt_conf *conf, struct tkt_err *err)
{
    int64_t need =
        conf->parser.queue_wait_ms + conf->parser.budget_ms + REST_OF_RESERVE_MS;

    if (conf->milter.deadline_ms < need) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_MILTER, "", "deadline"), err,
            "deadline leaves no time to commit after parser queue_wait and budget; raise "
            "it "
            "to %d ms or more",
            (int)need);
    }
    return 0;
}

static int check_token(const struct tkt_conf *conf, struct tkt_err *err)
{
    const struct tkt_conf_token *t = &conf->token;
    struct tkt_conf_pos pos =
        tkt_conf_source_where(conf->source, TKT_CONF_TOKEN, "", "separator");

    if (t->separator[0] == '\0') {
        return tkt_conf_source_fail(conf->source, pos, err,
                                    "separator: empty; write one byte such as \"+\"");
    }
    if (t->keys.count > 0 && strchr(conf->recipient_delimiter, t->separator[0]) == NULL) {
        return tkt_conf_source_fail(
            conf->source, pos, err,
            "separator %s is not in recipient_delimiter, so no reply "
            "would reach its desk; add it there",
            t->separator);
    }
    return 0;
}

static int check_sockets(const struct tkt_conf *conf, struct tkt_err *err)
{
    if (strcmp(conf->intake_socket, conf->control_socket) == 0) {
        return tkt_conf_source_fail(
            conf->source,
            tkt_conf_source_where(conf->source, TKT_CONF_TOP, "", "control_socket"), err,
            "control_socket and intake_socket are the same; name two files");
    }
    return 0;
}

static bool is_within(const char *path, const char *folder)
{
    size_t n = strlen(folder);

    while (n > 0 && folder[n - 1] == '/') {
        n--;
    }
    return strncmp(path, folder, n) == 0 && path[n] == '/';
}

static int check_chroot(const struct tkt_conf *conf, struct tkt_err *err)
{
    const char *socket = strchr(conf->milter.socket, ':') + 1;
    const char *const paths[][2] = {
        {"socket", socket[0] == '/' ? socket : NULL},
        {"intake_socket", conf->intake_socket},
        {"state_dir", conf->milter.state_dir},
    };

    for (size_t i = 0; conf->milter.chroot[0] != '\0' && i < TKT_ARRAY_LEN(paths); i++) {
        if (paths[i][1] != NULL && !is_within(paths[i][1], conf->milter.chroot)) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_MILTER, "", "chroot"), err,
                "chroot: %s %.100s lies outside of it; move it into it", paths[i][0],
                paths[i][1]);
        }
    }
    return 0;
}

/* A set that nobody has written would hold rules that never run. */
static int check_rules(const struct tkt_conf *conf, struct tkt_err *err)
{
    for (size_t i = 0; i < conf->rule_count; i++) {
        const struct tkt_conf_rule *rule = &conf->rules[i];
        if (strcmp(rule->in, "main") != 0 &&
            tkt_conf_element(conf, &tkt_conf_sections[TKT_CONF_RULES], rule->in) ==
                NULL) {
            return tkt_conf_source_fail(
                conf->source,
                tkt_conf_source_where(conf->source, TKT_CONF_RULE, rule->name, "in"), err,
                "rule %s: there is no section rules \"%s\"; write one, or in = main",
                rule->name, rule->in);
        }
    }
    return 0;
}

int tkt_conf_check(struct tkt_conf *conf, struct tkt_err *err)
{
    if (check_addresses(conf, err) < 0) {
        return -1;
    }
    for (size_t i = 0; i < conf->desk_count; i++) {
        const struct tkt_conf_desk *desk = &conf->desks[i];
        if (check_prefix(conf, desk, err) < 0 || check_references(conf, desk, err) < 0 ||
            check_recipients(conf, desk, err) < 0) {
            return -1;
        }
    }
    if (check_limits(conf, err) < 0 || check_times(conf, err) < 0 ||
        check_token(conf, err) < 0 || check_chroot(conf, err) < 0 ||
        tkt_conf_check_directories(conf, err) < 0 || check_rules(conf, err) < 0 ||
        tkt_conf_check_people(conf, err) < 0 || tkt_conf_check_notify(conf, err) < 0 ||
        tkt_conf_check_slas(conf, err) < 0) {
        return -1;
    }
    return check_sockets(conf, err);
}
