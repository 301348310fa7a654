/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/filter.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "milter/envelope.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#define LOOKUP_DEADLINE_MS 500
#define LOOKUP_TOKEN_MAX 64

/* Only the answers that we never give. */
#define NO_REPLY                                                                         \
    (SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL | SMFIP_NR_HDR | SMFIP_NR_EOH |       \
     SMFIP_NR_BODY)

/* libmilter hands a callback nothing but its context, and a new connection's context
 * holds nothing: set once, before the first connection. */
static struct tkt_milter *the_milter;

static struct tkt_session *session_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

const char *tkt_filter_macro(SMFICTX *ctx, const char *name)
{
    return smfi_getsymval(ctx, (char *)(uintptr_t)name); /* takes, but does not write */
}

static sfsistat go_on(const struct tkt_session *s, unsigned long no_reply)
{
    return (s->protocol & no_reply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static char *dup_or_null(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

/* ---- connection ---- */

/* The fewest macros: each costs the MTA a lookup and bytes on every step. An empty list
 * means the MTA's default one; Postfix's for MAIL asks trivial-rewrite about the sender. So
 * there is one cheap macro where none is needed. */
static void choose_macros(SMFICTX *ctx)
{
    static const struct {
        int stage;
        const char *macros;
    } lists[] = {
        {SMFIM_CONNECT, "j"},
        {SMFIM_HELO, "{tls_version}"},
        {SMFIM_ENVFROM, "i"},
        {SMFIM_ENVRCPT, "{rcpt_mailer} {rcpt_addr}"},
        {SMFIM_DATA, "i j {auth_authen} {tls_version} {cert_subject} {verify}"},
        {SMFIM_EOH, "i"},
        {SMFIM_EOM, "i"},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(lists); i++) {
        /* an MTA that sends more or less than asked for still works */
        (void)smfi_setsymlist(ctx, lists[i].stage, (char *)(uintptr_t)lists[i].macros);
    }
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long protocol,
                             unsigned long unused2, unsigned long unused3,
                             unsigned long *want_actions, unsigned long *want_protocol,
                             unsigned long *want2, unsigned long *want3)
{
    (void)unused2;
    (void)unused3;
    struct tkt_session *s = tkt_session_new(the_milter);

    if (s == NULL || smfi_setpriv(ctx, s) != MI_SUCCESS) {
        tkt_session_free(&s);
        return SMFIS_REJECT;
    }
    struct tkt_table *table = tkt_table_get(the_milter->tables);
    s->rcpt_lookup = table->hello.rcpt_lookup;
    tkt_table_put(&table);
    unsigned long want = NO_REPLY | SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC;
    want |= s->rcpt_lookup ? 0 : SMFIP_NR_RCPT;
    s->protocol = protocol & want;
    *want_actions = actions & (atomic_load(&the_milter->actions) | SMFIF_SETSYMLIST);
    *want_protocol = s->protocol;
    *want2 = 0;
    *want3 = 0;
    if ((actions & SMFIF_SETSYMLIST) != 0) {
        choose_macros(ctx);
    }
    return SMFIS_CONTINUE;
}

static char *address_text(const struct sockaddr *sa)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (sa != NULL && sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)); /* "" if not */
    } else if (sa != NULL && sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)); /* as above */
    }
    return strdup(text);
}

static sfsistat on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *sa)
{
    struct tkt_session *s = session_of(ctx);

    if (s == NULL) {
        return SMFIS_TEMPFAIL;
    }
    free(s->client_name);
    free(s->client_addr);
    s->client_name = dup_or_null(hostname);
    s->client_addr = address_text(sa);
    return go_on(s, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    struct tkt_session *s = session_of(ctx);

    free(s->helo);
    s->helo = dup_or_null(name);
    return go_on(s, SMFIP_NR_HELO);
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    tkt_session_free(&s);
    (void)smfi_setpriv(ctx, NULL); /* the context goes with the connection */
    return SMFIS_CONTINUE;
}

/* ---- envelope ---- */

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    struct tkt_session *s = session_of(ctx);
    struct tkt_message *m = tkt_message_begin(s);
    size_t n;

    if (m != NULL) {
        const char *addr = tkt_envelope_address(argv[0], &n);
        m->sender = tkt_message_strdup(m, addr, n);
        m->smtp_path = tkt_envelope_is_smtp(argv[0]);
        m->leadspc = (s->protocol & SMFIP_HDR_LEADSPC) != 0;
    }
    s->failed = m == NULL || m->sender == NULL;
    return go_on(s, SMFIP_NR_MAIL);
}

/* The sub-address of a desk may be a token. Whatever goes wrong here refuses nobody. */
static sfsistat look_up_token(SMFICTX *ctx, const struct tkt_session *s, const char *addr)
{
    char token[LOOKUP_TOKEN_MAX + 1];
    struct tkt_wire_reply reply;
    size_t sub = 0;
    sfsistat rc = SMFIS_CONTINUE;

    const struct tkt_wire_desk *d = tkt_table_find(s->msg->table, addr, &sub);
    const char *at = strrchr(addr, '@');
    if (d == NULL || sub == 0 || (size_t)(at - addr) <= sub ||
        (size_t)(at - addr) - sub > LOOKUP_TOKEN_MAX) {
        return rc;
    }
    size_t n = (size_t)(at - addr) - sub;
    memcpy(token, addr + sub, n);
    token[n] = '\0';
    struct tkt_wire_request req = {.verb = TKT_WIRE_LOOKUP,
                                   .hook = "milter",
                                   .token = token,
                                   .rcpt = addr,
                                   .sender = s->msg->sender,
                                   .client_addr = s->client_addr,
                                   .generation = s->msg->table->hello.generation};
    if (tkt_wire_call(s->milter->client, &req, -1,
                      tkt_clock_mono_ms() + LOOKUP_DEADLINE_MS, 0, NULL, NULL, &reply,
                      NULL) < 0) {
        return rc;
    }
    if (reply.status == TKT_WIRE_OK && reply.smtp_code != 0 && s->msg->smtp_path) {
        tkt_log(TKT_LOG_INFO, "NOQUEUE", "recipient.refused", "to", addr, "why",
                reply.why, NULL);
        rc = tkt_filter_reply(ctx, reply.smtp_code, reply.smtp_xcode, reply.smtp_text);
    }
    tkt_wire_reply_release(&reply);
    return rc;
}

/* RCPT may spell a desk in a way that only the MTA reads ("support" without a domain, a
 * phrase before the brackets): what it makes of it counts if that is a desk. Sendmail says
 * no more than the local part, which is none. */
static const char *recipient_of(SMFICTX *ctx, const struct tkt_session *s,
                                const char *arg, size_t *len)
{
    const char *addr = tkt_envelope_address(arg, len);
    const char *resolved = tkt_filter_macro(ctx, "{rcpt_addr}");
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

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    struct tkt_session *s = session_of(ctx);
    size_t n;

    if (s->failed || s->msg == NULL) {
        return go_on(s, SMFIP_NR_RCPT);
    }
    const char *addr = recipient_of(ctx, s, argv[0], &n);
    bool relayed = tkt_envelope_relayed(tkt_filter_macro(ctx, "{rcpt_mailer}"));
    if (s->rcpt_lookup) {
        char *copy = tkt_message_strdup(s->msg, addr, n);
        sfsistat rc = copy != NULL ? look_up_token(ctx, s, copy) : SMFIS_CONTINUE;
        if (rc != SMFIS_CONTINUE) {
            return rc; /* refused: not a recipient of the message */
        }
    }
    s->failed = tkt_message_add_rcpt(s, addr, n, relayed) < 0;
    return go_on(s, SMFIP_NR_RCPT);
}

/* ---- message ---- */

static char *macro_copy(SMFICTX *ctx, struct tkt_message *m, const char *name)
{
    const char *value = tkt_filter_macro(ctx, name);

    return tkt_message_strdup(m, value, value != NULL ? strlen(value) : 0);
}

static void take_macros(SMFICTX *ctx, struct tkt_message *m)
{
    const char *verify = tkt_filter_macro(ctx, "{verify}");

    m->queue_id = macro_copy(ctx, m, "i");
    m->mta_host = macro_copy(ctx, m, "j");
    m->auth_login = macro_copy(ctx, m, "{auth_authen}");
    m->tls = macro_copy(ctx, m, "{tls_version}");
    /* Postfix gives the subject of a trusted certificate only, Sendmail of any. */
    if (verify == NULL || strcmp(verify, "OK") == 0) {
        m->tls_subject = macro_copy(ctx, m, "{cert_subject}");
    }
}

static void start_spooling(SMFICTX *ctx, struct tkt_session *s)
{
    struct tkt_message *m = s->msg;

    take_macros(ctx, m);
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

static sfsistat on_data(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    if (s->failed || s->msg == NULL) {
        return SMFIS_TEMPFAIL;
    }
    if (s->msg->too_many_rcpts) {
        tkt_log(TKT_LOG_WARNING, tkt_filter_macro(ctx, "i"), "message.deferred", "reason",
                "recipients_max", NULL);
        return tkt_filter_reply(ctx, 452, "4.5.3",
                                "Too many recipients for a ticket desk");
    }
    if (s->msg->desk_rcpts == 0) {
        tkt_message_end(s);
        return SMFIS_ACCEPT;
    }
    start_spooling(ctx, s);
    return SMFIS_CONTINUE;
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    struct tkt_session *s = session_of(ctx);
    struct tkt_message *m = s->msg;

    if (s->failed || m == NULL || m->desk_rcpts == 0) {
        return go_on(s, SMFIP_NR_HDR);
    }
    if (!m->spooling) { /* an MTA that does not tell of DATA */
        start_spooling(ctx, s);
    }
    tkt_spool_add_field(&m->spool, name, value, m->leadspc);
    s->failed = tkt_message_note_field(m, name, value) < 0;
    return go_on(s, SMFIP_NR_HDR);
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    if (s->msg != NULL && s->msg->desk_rcpts > 0) {
        if (!s->msg->spooling) {
            start_spooling(ctx, s);
        }
        tkt_spool_add(&s->msg->spool, "\r\n", 2);
    }
    return go_on(s, SMFIP_NR_EOH);
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t n)
{
    struct tkt_session *s = session_of(ctx);

    if (s->msg != NULL && s->msg->spooling) {
        tkt_spool_add(&s->msg->spool, data, n);
    }
    return go_on(s, SMFIP_NR_BODY);
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    if (s != NULL) {
        tkt_message_end(s);
    }
    return SMFIS_CONTINUE;
}

struct smfiDesc tkt_filter_desc(struct tkt_milter *milter)
{
    the_milter = milter;
    return (struct smfiDesc){
        .xxfi_name = (char *)(uintptr_t) "ticket-milter",
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = TKT_FILTER_ACTIONS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = tkt_filter_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };
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
