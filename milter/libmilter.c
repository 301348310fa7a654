/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/libmilter.h"

#include "base/util.h"
#include "milter/filter.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* libmilter hands a callback nothing but its context, and a new connection's context
 * holds nothing: set once, before the first connection. */
static struct tkt_milter *the_milter;

/* libmilter takes char pointers and does not write through them. */
static char *loose(const char *s)
{
    return (char *)(uintptr_t)s;
}

/* ---- what the filter asks for ---- */

static const char *do_macro(void *host, const char *name)
{
    return smfi_getsymval(host, loose(name));
}

static int do_set_reply(void *host, const char *code, const char *xcode, const char *text)
{
    return smfi_setreply(host, loose(code), loose(xcode), loose(text)) == MI_SUCCESS ? 0
                                                                                     : -1;
}

static void do_progress(void *host)
{
    (void)smfi_progress(host); /* if the MTA is gone, the answer finds out */
}

static void do_may_block(void *host)
{
    (void)host; /* libmilter has threads enough */
}

static int do_change(void *host, const char *name, unsigned index, const char *value)
{
    return smfi_chgheader(host, loose(name), (int)index, loose(value));
}

/* Index 1 is behind the MTA's own Received field and before all that came with it. */
static int do_insert(void *host, const char *name, const char *value)
{
    return smfi_insheader(host, 1, loose(name), loose(value));
}

static int do_remove(void *host, const char *name, unsigned index)
{
    return smfi_chgheader(host, loose(name), (int)index, NULL);
}

static int do_addrcpt(void *host, const char *addr)
{
    return smfi_addrcpt(host, loose(addr));
}

static int do_delrcpt(void *host, const char *addr)
{
    return smfi_delrcpt(host, loose(addr));
}

static const struct tkt_host_ops ops = {
    .macro = do_macro,
    .set_reply = do_set_reply,
    .progress = do_progress,
    .may_block = do_may_block,
    .edits =
        {
            .change = do_change,
            .insert = do_insert,
            .remove = do_remove,
            .addrcpt = do_addrcpt,
            .delrcpt = do_delrcpt,
        },
};

/* ---- callbacks ---- */

static struct tkt_session *session_of(SMFICTX *ctx)
{
    return smfi_getpriv(ctx);
}

static sfsistat status_of(enum tkt_answer answer)
{
    switch (answer) {
    case TKT_ANSWER_CONTINUE:
        return SMFIS_CONTINUE;
    case TKT_ANSWER_NONE:
        return SMFIS_NOREPLY;
    case TKT_ANSWER_ACCEPT:
        return SMFIS_ACCEPT;
    case TKT_ANSWER_REJECT:
        return SMFIS_REJECT;
    case TKT_ANSWER_TEMPFAIL:
        break;
    }
    return SMFIS_TEMPFAIL;
}

static void choose_macros(SMFICTX *ctx)
{
    for (size_t i = 0; i < TKT_FILTER_MACRO_LISTS; i++) {
        /* an MTA that sends more or less than asked for still works */
        (void)smfi_setsymlist(ctx, tkt_filter_macro_lists[i].stage,
                              loose(tkt_filter_macro_lists[i].names));
    }
}

static sfsistat on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
                             unsigned long unused2, unsigned long unused3,
                             unsigned long *want_actions, unsigned long *want_steps,
                             unsigned long *want2, unsigned long *want3)
{
    (void)unused2;
    (void)unused3;
    const struct tkt_host host = {&ops, ctx};
    struct tkt_session *s = tkt_filter_open(the_milter, host, &actions, &steps);

    if (s == NULL || smfi_setpriv(ctx, s) != MI_SUCCESS) {
        tkt_filter_close(&s);
        return SMFIS_REJECT;
    }
    *want_actions = actions;
    *want_steps = steps;
    *want2 = 0;
    *want3 = 0;
    if ((actions & SMFIF_SETSYMLIST) != 0) {
        choose_macros(ctx);
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *ctx, char *hostname, _SOCK_ADDR *sa)
{
    struct tkt_session *s = session_of(ctx);
    char text[INET6_ADDRSTRLEN] = "";

    if (s == NULL) {
        return SMFIS_TEMPFAIL;
    }
    if (sa != NULL && sa->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)(const void *)sa;
        (void)inet_ntop(AF_INET, &in->sin_addr, text, sizeof(text)); /* "" if not */
    } else if (sa != NULL && sa->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)(const void *)sa;
        (void)inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text)); /* as above */
    }
    return status_of(tkt_filter_connect(s, hostname, text));
}

static sfsistat on_helo(SMFICTX *ctx, char *name)
{
    return status_of(tkt_filter_helo(session_of(ctx), name));
}

static sfsistat on_mail(SMFICTX *ctx, char **argv)
{
    return status_of(tkt_filter_mail(session_of(ctx), argv[0]));
}

static sfsistat on_rcpt(SMFICTX *ctx, char **argv)
{
    return status_of(tkt_filter_rcpt(session_of(ctx), argv[0]));
}

static sfsistat on_data(SMFICTX *ctx)
{
    return status_of(tkt_filter_data(session_of(ctx)));
}

static sfsistat on_header(SMFICTX *ctx, char *name, char *value)
{
    return status_of(tkt_filter_header(session_of(ctx), name, value));
}

static sfsistat on_eoh(SMFICTX *ctx)
{
    return status_of(tkt_filter_eoh(session_of(ctx)));
}

static sfsistat on_body(SMFICTX *ctx, unsigned char *data, size_t n)
{
    return status_of(tkt_filter_body(session_of(ctx), data, n));
}

static sfsistat on_eom(SMFICTX *ctx)
{
    return status_of(tkt_filter_eom(session_of(ctx)));
}

static sfsistat on_abort(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    if (s != NULL) {
        tkt_filter_abort(s);
    }
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *ctx)
{
    struct tkt_session *s = session_of(ctx);

    tkt_filter_close(&s);
    (void)smfi_setpriv(ctx, NULL); /* the context goes with the connection */
    return SMFIS_CONTINUE;
}

/* ---- the process ---- */

int tkt_libmilter_open(struct tkt_milter *milter, const char *unix_path, int backlog,
                       struct tkt_err *err)
{
    char spec[PATH_MAX + 8];
    const struct smfiDesc desc = {
        .xxfi_name = loose("ticket-milter"),
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = TKT_FILTER_ACTIONS,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_rcpt,
        .xxfi_header = on_header,
        .xxfi_eoh = on_eoh,
        .xxfi_body = on_body,
        .xxfi_eom = on_eom,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_data = on_data,
        .xxfi_negotiate = on_negotiate,
    };

    the_milter = milter;
    snprintf(spec, sizeof(spec), "unix:%s", unix_path);
    if (smfi_register(desc) != MI_SUCCESS || smfi_setconn(spec) != MI_SUCCESS ||
        smfi_setbacklog(backlog) != MI_SUCCESS) {
        return tkt_err_set(err, TKT_ERR_CONF, "libmilter does not take %s", spec);
    }
    if (smfi_opensocket(true) != MI_SUCCESS) {
        return tkt_err_errno(err, TKT_ERR_CONF, "open %s", spec);
    }
    return 0;
}

int tkt_libmilter_run(struct tkt_err *err)
{
    return smfi_main() == MI_SUCCESS
               ? 0
               : tkt_err_set(err, TKT_ERR_TEMP, "libmilter gave up");
}
