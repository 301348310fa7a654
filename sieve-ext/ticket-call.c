/* SPDX-License-Identifier: BSD-2-Clause */
#include "sieve-ext/ticket-common.h"

#include "istream.h"
#include "mail-storage.h"
#include "master-service.h"
#include "message-address.h"
#include "smtp-address.h"

#include "sieve-execute.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"

#include "base/clock.h"
#include "base/fs.h"
#include "sieve-ext/ticket-head.h"
#include "sieve-ext/ticket-tmp.h"

#include <string.h>

#define SETTLE_MS 1000

static const char *const priorities[] = {"urgent", "high", "normal", "low", "planning"};

enum tkt_sieve_place tkt_sieve_place(const struct sieve_runtime_env *renv,
                                     const struct tkt_sieve_settings *set)
{
    const struct sieve_instance *svinst = renv->exec_env->svinst;

    if (set->force || (svinst->env_location == SIEVE_ENV_LOCATION_MDA &&
                       svinst->delivery_phase == SIEVE_DELIVERY_PHASE_DURING)) {
        return TKT_SIEVE_DELIVERY;
    }
    /* imapsieve runs in the imap process; the tools are programs of their own. */
    if (strcmp(master_service_get_name(master_service), "imap") == 0) {
        return set->imap ? TKT_SIEVE_IMAP : TKT_SIEVE_ELSEWHERE;
    }
    return TKT_SIEVE_TOOL;
}

bool tkt_sieve_is_personal(const struct sieve_runtime_env *renv)
{
    return (renv->exec_env->flags & SIEVE_EXECUTE_FLAG_NOGLOBAL) != 0;
}

/* ---- the message ----------------------------------------------------------------------- */

/* The message as it was handed over, whatever scripts changed since. */
static int raw_message(const struct sieve_runtime_env *renv, struct tkt_err *err)
{
    struct mail *mail = renv->exec_env->msgdata->mail;
    struct istream *input;

    if (mail_get_stream(mail, NULL, NULL, &input) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "the message cannot be read");
    }
    i_stream_seek(input, 0);
    return tkt_sieve_tmp_copy(renv->exec_env->svinst->temp_dir, NULL, 0, input, err);
}

/* ---- the request ------------------------------------------------------------------------ */

static int priority_of(const char *word)
{
    for (int i = 0; word != NULL && i < (int)N_ELEMENTS(priorities); i++) {
        if (strcasecmp(word, priorities[i]) == 0) {
            return i + 1;
        }
    }
    return 0;
}

static size_t count_of(const char *const *list)
{
    size_t n = 0;

    while (list != NULL && list[n] != NULL) {
        n++;
    }
    return n;
}

static const char **borrow(const char *const *list)
{
    return (const char **)(uintptr_t)list;
}

static void set_wants(struct tkt_wire_request *req, const struct tkt_sieve_wants *wants,
                      const struct tkt_sieve_settings *set)
{
    req->wants = (struct tkt_wire_wants){
        /* A user's script gets the desk that was checked, not its recipient's. */
        .desk = wants->desk == NULL && req->personal ? set->default_desk : wants->desk,
        .default_desk = set->default_desk,
        .group = wants->group,
        .category = wants->category,
        .subcategory = wants->subcategory,
        .assignee = wants->assignee,
        .requester = wants->requester,
        .summary = wants->summary,
        .priority = priority_of(wants->priority),
        .tags = borrow(wants->tags),
        .tag_count = count_of(wants->tags),
        .fields = borrow(wants->fields),
        .field_count = count_of(wants->fields),
    };
}

static const char *address_of(const struct smtp_address *address)
{
    return smtp_address_isnull(address) ? "" : smtp_address_encode(address);
}

/* A mail that lies in a mailbox has no envelope; with the null sender it would be taken for
 * a bounce. Whoever moved it wants a ticket in its author's name. */
static const char *author_of(const struct sieve_runtime_env *renv)
{
    struct mail *mail = sieve_message_get_mail(renv->msgctx);
    const struct message_address *from;
    const char *value;

    if (mail_get_first_header(mail, "From", &value) <= 0) {
        return "";
    }
    from = message_address_parse(pool_datastack_create(), (const unsigned char *)value,
                                 strlen(value), 1, 0);
    return from != NULL && from->mailbox != NULL && *from->mailbox != '\0' &&
                   from->domain != NULL && *from->domain != '\0'
               ? t_strconcat(from->mailbox, "@", from->domain, NULL)
               : "";
}

static void set_envelope(struct tkt_wire_request *req,
                         const struct sieve_runtime_env *renv,
                         const struct tkt_sieve_settings *set)
{
    const struct smtp_address *rcpt = sieve_message_get_orig_recipient(renv->msgctx);
    const struct sieve_instance *svinst = renv->exec_env->svinst;

    if (smtp_address_isnull(rcpt)) {
        rcpt = sieve_message_get_final_recipient(renv->msgctx);
    }
    req->sender = address_of(sieve_message_get_sender(renv->msgctx));
    if (*req->sender == '\0' && tkt_sieve_place(renv, set) == TKT_SIEVE_IMAP) {
        req->sender = author_of(renv);
    }
    if (!smtp_address_isnull(rcpt)) {
        req->rcpts = t_new(struct tkt_wire_rcpt, 1);
        req->rcpts[0].addr = smtp_address_encode(rcpt);
    } else { /* IMAP has no envelope: the user whose mailbox it is */
        req->rcpts = t_new(struct tkt_wire_rcpt, 1);
        req->rcpts[0].addr = svinst->username != NULL ? svinst->username : "";
    }
    req->rcpt_count = *req->rcpts[0].addr != '\0';
    req->queue_id = svinst->username != NULL ? svinst->username : "";
    req->mta_host = svinst->hostname != NULL ? svinst->hostname : "";
}

static int call(const struct tkt_sieve_settings *set, const struct tkt_wire_request *req,
                int fd, unsigned timeout_ms, struct tkt_wire_reply *reply,
                struct tkt_err *err)
{
    struct tkt_wire_client *client = tkt_wire_client_new(set->socket, 1);
    int rc;

    if (client == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    rc = tkt_wire_call(client, req, fd, tkt_clock_mono_ms() + timeout_ms, 0, NULL, NULL,
                       reply, err);
    tkt_wire_client_free(&client);
    return rc;
}

int tkt_sieve_reserve(const struct sieve_runtime_env *renv,
                      const struct tkt_sieve_settings *set,
                      const struct tkt_sieve_wants *wants, bool dry_run,
                      bool *keep_subject, struct tkt_wire_reply *reply,
                      struct tkt_err *err)
{
    struct tkt_wire_request req = {
        .verb = TKT_WIRE_RESERVE,
        .hook = "sieve",
        .remaining_ms = set->timeout_ms,
        .leadspc = true,
        .dry_run = dry_run,
        .personal = tkt_sieve_is_personal(renv),
        .per_recipient = set->per_recipient,
    };
    struct tkt_buf head = TKT_BUF_INIT(TKT_SIEVE_HEAD_MAX);
    bool subject_is_told = true;
    bool is_cut = false;
    int fd = -1;
    int rc = -1;

    if (tkt_sieve_head_read(sieve_message_get_mail(renv->msgctx), &head, &is_cut, err) <
        0) {
        goto out;
    }
    if (tkt_sieve_head_fields(tkt_buf_str(&head), head.len, &req.arena, &req.fields,
                              &req.field_count, &subject_is_told) < 0) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory for the fields");
        goto out;
    }
    fd = raw_message(renv, err);
    if (fd >= 0) {
        *keep_subject = is_cut || !subject_is_told;
        set_wants(&req, wants, set);
        set_envelope(&req, renv, set);
        rc = call(set, &req, fd, set->timeout_ms, reply, err);
    }
out:
    i_close_fd(&fd);
    tkt_wire_request_release(&req);
    tkt_buf_release(&head);
    return rc;
}

/* The delivery is done: it does not wait for ticketd's disk once more. ticketd reads what was
 * sent before the connection ended. */
int tkt_sieve_settle(const struct tkt_sieve_settings *set, const char *hold,
                     enum tkt_wire_verb verb, bool untagged, struct tkt_err *err)
{
    const struct tkt_wire_request req = {.verb = verb,
                                         .hook = "sieve",
                                         .hold = hold,
                                         .untagged = untagged,
                                         .no_reply = true};
    int64_t deadline_ms = tkt_clock_mono_ms() + I_MIN(set->timeout_ms, SETTLE_MS);
    struct tkt_wire_packet packet;
    int sock;
    int rc;

    if (tkt_wire_request_encode(&req, -1, &packet, err) < 0) {
        return -1;
    }
    sock = tkt_wire_connect(set->socket, deadline_ms, err);
    rc = sock < 0 ? -1 : tkt_wire_send(sock, &packet, deadline_ms, err);
    tkt_wire_packet_release(&packet);
    i_close_fd(&sock);
    return rc;
}
