/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of the plugin share. The plugin is loaded and unloaded once a delivery:
 * no threads, no statics that change, no exit handlers, nothing but libc, the host's own
 * symbols and common/wire. All memory is of Dovecot's pools.
 *
 * The rule that carries the design: the ticket is reserved when the `ticket` command is
 * interpreted (only there can the message still be changed for what follows) and its hold
 * is confirmed in the action's finish. The action has no commit: Pigeonhole 0.5 answers
 * 250 to a failed keep once any commit succeeded.
 */
#ifndef TKT_SIEVE_COMMON_H
#define TKT_SIEVE_COMMON_H
#include "sieve-ext/compat.h"
#include "sieve-ext/ticket-settings.h"
#include "wire/intake.h"

#define TKT_SIEVE_DRYRUN_ID "DRYRUN"

struct sieve_runtime_env;
struct sieve_message_context;

/* ext->context */
struct tkt_sieve_ext {
    struct tkt_sieve_settings set;
    const struct sieve_extension *variables; /* NULL: that extension is not to be had */
};

/* What one `ticket` command asks for; strings "" or NULL where it does not. */
struct tkt_sieve_wants {
    bool is_try;
    bool keep_subject;
    const char *desk;
    const char *priority;
    const char *group;
    const char *category;
    const char *subcategory;
    const char *assignee;
    const char *requester;
    const char *summary;
    const char *const *tags; /* NULL-terminated */
    const char *const *fields;
};

/* What this delivery has: lives in the message context's pool. */
struct tkt_sieve_ticket {
    bool is_done; /* a `ticket` command was carried out */
    const char *id;
    const char *status;
    const char *hold;
    const char *url;
    const char *group;
    const char *category;
    int priority;
    const char *ref;   /* of the last true ticketref */
    const char *asked; /* the wants, spelled out, to notice different ones */
};

static inline const struct tkt_sieve_ext *
tkt_sieve_ext_of(const struct sieve_extension *ext)
{
    return ext->context;
}

/* Never NULL; made on first use. */
struct tkt_sieve_ticket *tkt_sieve_ticket_get(const struct sieve_extension *ext,
                                              struct sieve_message_context *msgctx);

/* ---- ticket-call.c: what is said to ticketd -------------------------------------------- */

enum tkt_sieve_place {
    TKT_SIEVE_DELIVERY, /* a ticket is made */
    TKT_SIEVE_IMAP,     /* ... of a mail moved or saved by IMAP, if that is allowed */
    TKT_SIEVE_TOOL,     /* dry run */
    TKT_SIEVE_ELSEWHERE /* an error */
};
enum tkt_sieve_place tkt_sieve_place(const struct sieve_runtime_env *renv,
                                     const struct tkt_sieve_settings *set);
bool tkt_sieve_is_personal(const struct sieve_runtime_env *renv);

/* RESERVE for the message as it was delivered, with Subject and X-Ticket fields as they
 * stand now. 0 with *reply (release it), or -1: TEMP, PERM. *keep_subject: the Subject could
 * not be told, so edits of it mean nothing. */
int tkt_sieve_reserve(const struct sieve_runtime_env *renv,
                      const struct tkt_sieve_settings *set,
                      const struct tkt_sieve_wants *wants, bool dry_run,
                      bool *keep_subject, struct tkt_wire_reply *reply,
                      struct tkt_err *err);
/* CONFIRM or CANCEL, best effort: a hold that nobody names confirms itself. */
int tkt_sieve_settle(const struct tkt_sieve_settings *set, const char *hold,
                     enum tkt_wire_verb verb, bool untagged, struct tkt_err *err);

/* ---- ticket-edit.c: the message gets its ID -------------------------------------------- */

/* Applies edits to the current version of the message. Plain ones through Pigeonhole's
 * editor; a field that it would write anew (8-bit, encoded-words, folds) by a message of
 * its own bytes. *state_lost: the message context was emptied. 0 or -1 (told). */
int tkt_sieve_apply(const struct sieve_runtime_env *renv,
                    const struct tkt_wire_edit *edits, size_t count, bool keep_subject,
                    bool *state_lost);

/* ---- what the extension registers ------------------------------------------------------ */

enum {
    TKT_SIEVE_OP_TICKET,
    TKT_SIEVE_OP_HASTICKET,
    TKT_SIEVE_OP_TICKETREF
};

extern const struct sieve_extension_def tkt_sieve_extension;
extern const struct sieve_command_def tkt_sieve_cmd_ticket;
extern const struct sieve_command_def tkt_sieve_tst_hasticket;
extern const struct sieve_command_def tkt_sieve_tst_ticketref;
extern const struct sieve_operation_def tkt_sieve_op_ticket;
extern const struct sieve_operation_def tkt_sieve_op_hasticket;
extern const struct sieve_operation_def tkt_sieve_op_ticketref;
extern const struct sieve_operand_def tkt_sieve_namespace_operand;
void tkt_sieve_variables_register(const struct sieve_extension *variables,
                                  struct sieve_validator *valdtr,
                                  const struct sieve_extension *ext);
/* Adds the action that settles the hold when the delivery ends. */
int tkt_sieve_action_add(const struct sieve_runtime_env *renv,
                         const struct sieve_extension *ext,
                         const struct tkt_sieve_ticket *ticket);
#endif
