/* SPDX-License-Identifier: BSD-2-Clause
 * What is legal but hardly meant.
 */
#include "base/util.h"
#include "conf/conf.h"
#include "conf/source.h"

#include <grp.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DAY_MS INT64_C(86400000)
#define QUEUE_LIFETIME_MS (5 * DAY_MS) /* Postfix' and Sendmail's default */

struct warner {
    const struct tkt_conf *conf;
    struct tkt_buf *out;
    bool failed;
};

__attribute__((format(printf, 5, 6))) static void warn(struct warner *w,
                                                       enum tkt_conf_section_id section,
                                                       const char *title, const char *key,
                                                       const char *fmt, ...)
{
    struct tkt_conf_pos pos = tkt_conf_source_where(w->conf->source, section, title, key);
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    w->failed |=
        tkt_buf_addf(w->out, "%s:%u: %s\n", tkt_conf_source_file(w->conf->source, pos),
                     pos.line, text) < 0;
}

static void warn_desk(struct warner *w, const struct tkt_conf_desk *desk)
{
    if (desk->mode == TKT_MODE_OFF) {
        warn(w, TKT_CONF_DESK, desk->name, "mode",
             "desk %s is off: its mail passes without a ticket", desk->name);
    }
    if (desk->delivery == TKT_DELIVERY_RELAY && desk->subject == TKT_SUBJECT_REWRITE) {
        warn(w, TKT_CONF_DESK, desk->name, "delivery",
             "desk %s: with delivery = relay the Subject is not rewritten, only "
             "X-Ticket-ID "
             "is added",
             desk->name);
    }
    if (desk->retain_ms > 0 && desk->retain_ms < w->conf->store.dedupe_keep_ms) {
        warn(w, TKT_CONF_DESK, desk->name, "retain",
             "desk %s: retain is shorter than store dedupe_keep; content goes before "
             "copies "
             "of it are forgotten",
             desk->name);
    }
    if (desk->on_failure == TKT_ON_FAILURE_ACCEPT && desk->mode == TKT_MODE_SHADOW) {
        warn(w, TKT_CONF_DESK, desk->name, "on_failure",
             "desk %s: in mode = shadow mail is always accepted; on_failure says nothing",
             desk->name);
    }
}

/* A sub-address of another desk's address would be that desk's, were it not listed. */
static void warn_delimiter(struct warner *w, const struct tkt_conf_desk *desk)
{
    for (size_t i = 0; i < desk->addresses.count; i++) {
        const char *address = desk->addresses.items[i];
        size_t local = strcspn(address, "@");
        size_t plain = strcspn(address, w->conf->recipient_delimiter);
        if (plain > 0 && plain < local) {
            warn(w, TKT_CONF_DESK, desk->name, "addresses",
                 "%.100s has a recipient_delimiter in its local part: only exactly this "
                 "address is meant, not sub-addresses of %.*s",
                 address, (int)TKT_MIN(plain, 64), address);
        }
    }
}

static void warn_folder(struct warner *w, enum tkt_conf_section_id section,
                        const char *key, const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        warn(w, section, "", key, "%s: the folder %s does not exist", key, path);
    } else if ((st.st_mode & S_IWOTH) != 0) {
        warn(w, section, "", key, "%s: anybody may write in the folder %s%s", key, path,
             (st.st_mode & S_ISVTX) != 0 ? "" : ", and replace its files");
    }
}

static void warn_parent(struct warner *w, enum tkt_conf_section_id section,
                        const char *key, const char *path)
{
    char folder[256];
    const char *slash = strrchr(path, '/');

    if (slash != NULL && slash != path && (size_t)(slash - path) < sizeof(folder)) {
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
        warn_folder(w, section, key, folder);
    }
}

/* Of "port@host" or "host:port". */
static bool is_loopback(const char *endpoint)
{
    static const char *const hosts[] = {"localhost", "127.", "[::1]", "::1"};
    const char *at = strchr(endpoint, '@');
    const char *host = at == NULL ? endpoint : at + 1;

    for (size_t i = 0; i < TKT_ARRAY_LEN(hosts); i++) {
        if (strncmp(host, hosts[i], strlen(hosts[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void warn_sockets(struct warner *w)
{
    const char *socket = w->conf->milter.socket;
    const char *path = strchr(socket, ':') + 1;

    if (path[0] == '/') {
        warn_parent(w, TKT_CONF_MILTER, "socket", path);
    } else if (!is_loopback(path)) {
        warn(w, TKT_CONF_MILTER, "", "socket",
             "socket: %s may be reached from other hosts, and the milter protocol knows "
             "no "
             "passwords; use a UNIX socket or 127.0.0.1",
             socket);
    }
    warn_parent(w, TKT_CONF_TOP, "intake_socket", w->conf->intake_socket);
}

static void warn_users(struct warner *w, const char *key,
                       const struct tkt_conf_list *list)
{
    struct tkt_conf_pos pos =
        tkt_conf_source_where(w->conf->source, TKT_CONF_ACCESS, "", key);
    struct tkt_conf_pos head =
        tkt_conf_source_where(w->conf->source, TKT_CONF_ACCESS, "", NULL);

    if (pos.file == head.file && pos.line == head.line) {
        return; /* defaults may name who is not there yet */
    }
    for (size_t i = 0; i < list->count; i++) {
        const char *name = list->items[i];
        bool is_group = name[0] == '@';
        if (is_group ? getgrnam(name + 1) == NULL : getpwnam(name) == NULL) {
            warn(w, TKT_CONF_ACCESS, "", key, "%s: there is no %s %s on this host", key,
                 is_group ? "group" : "user", is_group ? name + 1 : name);
        }
    }
}

/* Legal, for a group may be known to the ITSM alone. */
static void warn_rules(struct warner *w)
{
    for (size_t i = 0; i < w->conf->rule_count; i++) {
        const struct tkt_conf_rule *rule = &w->conf->rules[i];
        if (w->conf->group_count > 0 && rule->set_group[0] != '\0' &&
            tkt_conf_group(w->conf, rule->set_group) == NULL) {
            warn(w, TKT_CONF_RULE, rule->name, "set_group",
                 "rule %s: there is no section group \"%s\"", rule->name,
                 rule->set_group);
        }
    }
}

static void warn_top(struct warner *w)
{
    const struct tkt_conf *conf = w->conf;

    if (conf->desk_count == 0) {
        warn(w, TKT_CONF_TOP, "", NULL, "there is no desk: no mail becomes a ticket");
    }
    if (conf->recipient_delimiter[0] == '\0' ||
        strchr(conf->recipient_delimiter, conf->token.separator[0]) == NULL) {
        warn(w, TKT_CONF_TOP, "", "recipient_delimiter",
             "recipient_delimiter lacks token separator %s: no tokens in addresses, "
             "replies "
             "are found by their header only",
             conf->token.separator);
    }
    if (conf->webhook.public_url[0] != '\0' && conf->webhook.listen[0] == '\0') {
        warn(w, TKT_CONF_WEBHOOK, "", "public_url",
             "public_url: nobody answers there while listen is empty");
    }
    if (conf->store.dedupe_keep_ms < 2 * QUEUE_LIFETIME_MS) {
        warn(w, TKT_CONF_STORE, "", "dedupe_keep",
             "dedupe_keep is under ten days: an MTA that holds a message for five days "
             "may "
             "open its ticket twice");
    }
}

int tkt_conf_warnings(const struct tkt_conf *conf, struct tkt_buf *out)
{
    struct warner w = {.conf = conf, .out = out};

    if (conf->source != NULL && conf->source->warnings.len > 0) {
        w.failed |= tkt_buf_adds(out, tkt_buf_str(&conf->source->warnings)) < 0;
    }
    warn_top(&w);
    for (size_t i = 0; i < conf->desk_count; i++) {
        warn_desk(&w, &conf->desks[i]);
        warn_delimiter(&w, &conf->desks[i]);
    }
    warn_rules(&w);
    warn_sockets(&w);
    warn_folder(&w, TKT_CONF_STORE, "path", conf->store.path);
    warn_folder(&w, TKT_CONF_MILTER, "state_dir", conf->milter.state_dir);
    warn_users(&w, "hooks", &conf->access.hooks);
    warn_users(&w, "admins", &conf->access.admins);
    warn_users(&w, "agents", &conf->access.agents);
    warn_users(&w, "readers", &conf->access.readers);
    return w.failed ? -1 : 0;
}
