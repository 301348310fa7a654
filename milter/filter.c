/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/filter.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "milter/envelope.h"

#include <string.h>

#define LOOKUP_DEADLINE_MS 500
#define LOOKUP_TOKEN_MAX 64

/* Only the answers that we never give. */
#define NO_REPLY                                                                         \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH |       \
     SMFIP_NR_BODY)

const char *tkt_filter_macro(const struct tkt_session *s, const char *name)
{
    return s->host.ops->macro(s->host.ctx, name);
}

static enum tkt_answer go_on(const struct tkt_session *s, unsigned long no_reply)
{
    return (s->protocol & no_reply) != 0 ? TKT_ANSWER_NONE : TKT_ANSWER_CONTINUE;
}

/* ---- connection ---- */

/* The fewest macros: each costs the MTA a lookup and bytes on every step. An empty list
 * means the MTA's default one; Postfix's for MAIL asks trivial-rewrite about the sender. So
 * there is one cheap macro where none is needed. */
const struct tkt_filter_macros tkt_filter_macro_lists[TKT_FILTER_MACRO_LISTS] = {
    {SMFIM_CONNECT, "j"},
    {SMFIM_HELO, "{tls_version}"},
    {SMFIM_ENVFROM, "i"},
    {SMFIM_ENVRCPT, "{rcpt_mailer} {rcpt_addr}"},
    {SMFIM_DATA, "i j {auth_authen} {tls_version} {cert_subject} {verify}"},
    {SMFIM_EOH, "i"},
    {SMFIM_EOM, "i"},
};

struct tkt_session *tkt_filter_open(struct tkt_milter *milter, struct tkt_host host,
                                    unsigned long *actions, unsigned long *steps)
{
    struct tkt_session *s = tkt_session_new(milter);

    if (s == NULL) {
        return NULL;
    }
    struct tkt_table *table = tkt_table_get(milter->tables);
    s->rcpt_lookup = table->hello.rcpt_lookup;
    tkt_table_put(&table);
    unsigned long want = NO_REPLY | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC;
    want |= s->rcpt_lookup ? 0 : SMFIP_NR_RCPT;
    s->host = host;
    s->protocol = *steps & want;
    *steps = s->protocol;
    *actions &= atomic_load(&milter->actions) | SMFIF_SETSYMLIST;
    return s;
}

void tkt_filter_close(struct tkt_session **session)
{
    tkt_session_free(session);
}

static void replace(char **slot, const char *text)
{
    free(*slot);
    *slot = text != NULL ? strdup(text) : NULL; /* NULL is "unknown" */
}

enum tkt_answer tkt_filter_connect(struct tkt_session *s, const char *name,
                                   const char *addr)
{
    replace(&s->client_name, name);
    replace(&s->client_addr, addr);
    replace(&s->helo, NULL);
    return go_on(s, SMFIP_NR_CONN);
}

enum tkt_answer tkt_filter_helo(struct tkt_session *s, const char *name)
{
    replace(&s->helo, name);
    return go_on(s, SMFIP_NR_HELO);
}

/* ---- envelope ---- */

enum tkt_answer tkt_filter_mail(struct tkt_session *s, const char *arg)
{
    struct tkt_message *m = tkt_message_begin(s);
    size_t n;

    if (m != NULL) {
        const char *addr = tkt_envelope_address(arg, &n);
        m->sender = tkt_message_strdup(m, addr, n);
        m->smtp_path = tkt_envelope_is_smtp(arg);
        m->leadspc = (s->protocol & SMFIP_HDR_LEADSPC) != 0;
    }
    s->failed = m == NULL || m->sender == NULL;
    return go_on(s, SMFIP_NR_MAIL);
}

/* The sub-address of a desk may be a token, and its sender may have sent too much. Whatever
 * goes wrong here refuses nobody. */
static enum tkt_answer look_up(const struct tkt_session *s, const char *addr)
{
    char token[LOOKUP_TOKEN_MAX + 1];
    struct tkt_wire_reply reply;
    size_t sub = 0;
    enum tkt_answer rc = TKT_ANSWER_CONTINUE;

    const struct tkt_wire_desk *d = tkt_table_find(s->msg->table, addr, &sub);
    const char *at = strrchr(addr, '@');
    bool limited = d != NULL && d->limited && s->msg->sender[0] != '\0';
    bool has_token = d != NULL && sub != 0 && (size_t)(at - addr) > sub &&
                     (size_t)(at - addr) - sub <= LOOKUP_TOKEN_MAX;
    if (!limited && !has_token) {
        return rc;
    }
    size_t n = has_token ? (size_t)(at - addr) - sub : 0;
    memcpy(token, addr + sub, n);
    token[n] = '\0';
    struct tkt_wire_request req = {.verb = TKT_WIRE_LOOKUP,
                                   .hook = "milter",
                                   .token = token,
                                   .rcpt = addr,
                                   .sender = s->msg->sender,
                                   .client_addr = s->client_addr,
                                   .generation = s->msg->table->hello.generation};
    s->host.ops->may_block(s->host.ctx);
    if (tkt_wire_call(s->milter->client, &req, -1,
                      tkt_clock_mono_ms() + LOOKUP_DEADLINE_MS, 0, NULL, NULL, &reply,
                      NULL) < 0) {
        return rc;
    }
    if (reply.status == TKT_WIRE_OK && reply.smtp_code != 0 && s->msg->smtp_path) {
        tkt_log(TKT_LOG_INFO, "NOQUEUE", "recipient.refused", "to", addr, "why",
                reply.why, NULL);
        rc = tkt_filter_reply(s, reply.smtp_code, reply.smtp_xcode, reply.smtp_text);
    }
    tkt_wire_reply_release(&reply);
    return rc;
}

/* RCPT may spell a desk in a way that only the MTA reads ("support" without a domain, a
 * phrase before the brackets): what it makes of it counts if that is a desk. Sendmail says
 * no more than the local part, which is none. */
static const char *recipient_of(const struct tkt_session *s, const char *arg, size_t *len)
{
    const char *addr = tkt_envelope_address(arg, len);
    const char *resolved = tkt_filter_macro(s, "{rcpt_addr}");
    size_t sub;

    if (resolved == NULL ||
        (strncmp(resolved, addr, *len) == 0 && resolved[*len] == '\0') ||
        tkt_table_find(s->msg->table, resolved, &sub) == NULL) {
        return addr;
    }
    const char *plain = tkt_message_strdup(s->msg, addr, *len);
    if (plain != NULL && tkt_table_find(s->msg->table, plain, &sub) != NULL) {
        return addr;
    }
    *len = strlen(resolved);
    return resolved;
}

enum tkt_answer tkt_filter_rcpt(struct tkt_session *s, const char *arg)
{
    size_t n;

    if (s->failed || s->msg == NULL) {
        return go_on(s, SMFIP_NR_RCPT);
    }
    const char *addr = recipient_of(s, arg, &n);
    bool relayed = tkt_envelope_relayed(tkt_filter_macro(s, "{rcpt_mailer}"));
    if (s->rcpt_lookup) {
        char *copy = tkt_message_strdup(s->msg, addr, n);
        enum tkt_answer rc = copy != NULL ? look_up(s, copy) : TKT_ANSWER_CONTINUE;
        if (rc != TKT_ANSWER_CONTINUE) {
            return rc; /* refused: not a recipient of the message */
        }
    }
    s->failed = tkt_message_add_rcpt(s, addr, n, relayed) < 0;
    return go_on(s, SMFIP_NR_RCPT);
}

/* ---- message ---- */

static char *macro_copy(const struct tkt_session *s, const char *name)
{
    const char *value = tkt_filter_macro(s, name);

    return tkt_message_strdup(s->msg, value, value != NULL ? strlen(value) : 0);
}

static void take_macros(struct tkt_session *s)
{
    struct tkt_message *m = s->msg;
    const char *verify = tkt_filter_macro(s, "{verify}");

    m->queue_id = macro_copy(s, "i");
    m->mta_host = macro_copy(s, "j");
    m->auth_login = macro_copy(s, "{auth_authen}");
    m->tls = macro_copy(s, "{tls_version}");
    /* Postfix gives the subject of a trusted certificate only, Sendmail of any. */
    if (verify == NULL || strcmp(verify, "OK") == 0) {
        m->tls_subject = macro_copy(s, "{cert_subject}");
    }
}

static void start_spooling(struct tkt_session *s)
{
    struct tkt_message *m = s->msg;

    take_macros(s);
    struct tkt_received r = {
        .helo = s->helo,
        .client_name = s->client_name,
        .client_addr = s->client_addr,
        /* The MTA's own name: a Message-ID that it added is known by it later. */
        .hostname =
            m->mta_host != NULL && m->mta_host[0] ? m->mta_host : s->milter->hostname,
        .queue_id = m->queue_id,
        .rcpt = m->rcpt_count == 1 ? m->rcpts[0].addr : NULL,
        .smtp = m->smtp_path,
        .tls = m->tls != NULL && m->tls[0] != '\0',
        .auth = m->auth_login != NULL && m->auth_login[0] != '\0',
        .time_s = m->mail_time_s,
    };
    tkt_spool_add_received(&m->spool, &r);
    m->spooling = true;
}

enum tkt_answer tkt_filter_data(struct tkt_session *s)
{
    if (s->failed || s->msg == NULL) {
        return TKT_ANSWER_TEMPFAIL;
    }
    if (s->msg->too_many_rcpts) {
        tkt_log(TKT_LOG_WARNING, tkt_filter_macro(s, "i"), "message.deferred", "reason",
                "recipients_max", NULL);
        return tkt_filter_reply(s, 452, "4.5.3", "Too many recipients for a ticket desk");
    }
    if (s->msg->desk_rcpts == 0) {
        tkt_message_end(s);
        return TKT_ANSWER_ACCEPT;
    }
    start_spooling(s);
    return TKT_ANSWER_CONTINUE;
}

enum tkt_answer tkt_filter_header(struct tkt_session *s, const char *name,
                                  const char *value)
{
    struct tkt_message *m = s->msg;

    if (s->failed || m == NULL || m->desk_rcpts == 0) {
        return go_on(s, SMFIP_NR_HDR);
    }
    if (!m->spooling) { /* an MTA that does not tell of DATA */
        start_spooling(s);
    }
    tkt_spool_add_field(&m->spool, name, value, m->leadspc);
    s->failed = tkt_message_note_field(m, name, value) < 0;
    return go_on(s, SMFIP_NR_HDR);
}

enum tkt_answer tkt_filter_eoh(struct tkt_session *s)
{
    if (s->msg != NULL && s->msg->desk_rcpts > 0) {
        if (!s->msg->spooling) {
            start_spooling(s);
        }
        tkt_spool_add(&s->msg->spool, "\r\n", 2);
    }
    return go_on(s, SMFIP_NR_EOH);
}

enum tkt_answer tkt_filter_body(struct tkt_session *s, const void *data, size_t n)
{
    if (s->msg != NULL && s->msg->spooling) {
        if (s->msg->spool.in_file) { /* a disk may keep its writers waiting */
            s->host.ops->may_block(s->host.ctx);
        }
        tkt_spool_add(&s->msg->spool, data, n);
    }
    return go_on(s, SMFIP_NR_BODY);
}

void tkt_filter_abort(struct tkt_session *s)
{
    tkt_message_end(s);
}

unsigned long tkt_filter_actions(const struct tkt_conf *conf)
{
    unsigned long actions = SMFIF_ADDHDRS | SMFIF_CHGHDRS;

    for (size_t i = 0; i < conf->desk_count; i++) {
        actions |= conf->desks[i].add_group_recipient ? SMFIF_ADDRCPT : 0;
        actions |= conf->desks[i].replace_recipient ? SMFIF_ADDRCPT | SMFIF_DELRCPT : 0;
    }
    return actions;
}
