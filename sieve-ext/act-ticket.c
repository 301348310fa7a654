/* SPDX-License-Identifier: BSD-2-Clause
 * The result action: it settles the hold when the delivery ends. It has no commit (see
 * ticket-common.h) and changes nothing itself. Nor has it a transaction: a rollback comes
 * also where no action was started.
 */
#include "sieve-ext/ticket-common.h"

#include "mail-storage.h"

#include "sieve-actions.h"
#include "sieve-execute.h"
#include "sieve-interpreter.h"
#include "sieve-result.h"

#include <string.h>

struct settle {
    const struct tkt_sieve_ext *state;
    const char *id;
    const char *status;
    const char *hold;
    bool rolled_back;
};

static int check_duplicate(const struct sieve_runtime_env *renv ATTR_UNUSED,
                           const struct sieve_action *act ATTR_UNUSED,
                           const struct sieve_action *act_other ATTR_UNUSED)
{
    return 1; /* the one that is there already settles it */
}

static bool is_reject(const struct sieve_action *act)
{
    return act->def != NULL && act->def->name != NULL &&
           (strcmp(act->def->name, "reject") == 0 ||
            strcmp(act->def->name, "ereject") == 0);
}

static int check_conflict(const struct sieve_runtime_env *renv,
                          const struct sieve_action *act,
                          const struct sieve_action *act_other)
{
    if (!is_reject(act_other)) {
        return 0;
    }
    sieve_runtime_error(renv, act->location,
                        "ticket action conflicts with %s: a mail that is refused has no "
                        "ticket (%s is at %s)",
                        act_other->def->name, act_other->def->name, act_other->location);
    return -1;
}

static void print(const struct sieve_action *action,
                  const struct sieve_result_print_env *penv, bool *keep ATTR_UNUSED)
{
    const struct settle *s = action->context;

    sieve_result_action_printf(penv, "create ticket: %s", s->id);
}

static int execute(const struct sieve_action_exec_env *aenv ATTR_UNUSED,
                   void *tr_context ATTR_UNUSED, bool *keep ATTR_UNUSED)
{
    return SIEVE_EXEC_OK; /* the implicit keep stands */
}

/* Whether anything was kept in spite of it shows only in finish. */
static void rollback(const struct sieve_action_exec_env *aenv,
                     void *tr_context ATTR_UNUSED, bool success ATTR_UNUSED)
{
    struct settle *s = aenv->action->context;

    s->rolled_back = true;
}

static void settle(const struct sieve_action_exec_env *aenv, const struct settle *s,
                   enum tkt_wire_verb verb, bool untagged)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (*s->hold != '\0' &&
        tkt_sieve_settle(&s->state->set, s->hold, verb, untagged, &err) < 0) {
        /* Not lost: a hold that nobody names confirms itself. */
        e_warning(aenv->event, "ticket action: %s of ticket %s: %s",
                  verb == TKT_WIRE_CONFIRM ? "confirmation" : "cancellation", s->id,
                  err.text);
    }
}

/* status: 1 delivered; 0 the scripts failed and the mail was kept as it came; TEMP_FAILURE
 * with a rollback: nothing was kept and the MTA comes again. After any other failure a
 * copy may exist: the hold is left to confirm itself. */
static void finish(const struct sieve_action_exec_env *aenv, void *tr_context ATTR_UNUSED,
                   int status)
{
    const struct settle *s = aenv->action->context;

    if (status == SIEVE_EXEC_OK || status == SIEVE_EXEC_FAILURE) {
        struct event_passthrough *e = sieve_action_create_finish_event(aenv)
                                          ->add_str("ticket_id", s->id)
                                          ->add_str("ticket_status", s->status);

        settle(aenv, s, TKT_WIRE_CONFIRM, status == SIEVE_EXEC_FAILURE);
        sieve_result_event_log(
            aenv, e->event(), "%s ticket %s%s", s->status, s->id,
            status == SIEVE_EXEC_FAILURE ? " (the mail was kept without it)" : "");
    } else if (status == SIEVE_EXEC_TEMP_FAILURE && s->rolled_back) {
        settle(aenv, s, TKT_WIRE_CANCEL, false);
    }
}

static const struct sieve_action_def act_ticket = {
    .name = "ticket",
    .check_duplicate = check_duplicate,
    .check_conflict = check_conflict,
    .print = print,
    .execute = execute,
    .rollback = rollback,
    .finish = finish,
};

int tkt_sieve_action_add(const struct sieve_runtime_env *renv,
                         const struct sieve_extension *ext,
                         const struct tkt_sieve_ticket *ticket)
{
    pool_t pool = sieve_result_pool(renv->result);
    struct settle *s = p_new(pool, struct settle, 1);

    s->state = tkt_sieve_ext_of(ext);
    s->id = p_strdup(pool, ticket->id);
    s->status = p_strdup(pool, ticket->status);
    s->hold = p_strdup(pool, ticket->hold);
    return sieve_result_add_action(renv, ext, "ticket", &act_ticket, NULL, s, 0, FALSE) <
                   0
               ? SIEVE_EXEC_FAILURE
               : SIEVE_EXEC_OK;
}
