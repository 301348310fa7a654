/* SPDX-License-Identifier: BSD-2-Clause
 * Extension vnd.ticket: docs/vnd.ticket.txt is its specification.
 */
#include "sieve-ext/ticket-common.h"

#include "sieve-code.h"
#include "sieve-commands.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"
#include "sieve-validator.h"

/* Raised whenever operands change, so that compiled scripts are compiled again. */
#define OPERANDS_VERSION 1

static const struct sieve_operation_def *const operations[] = {
    [TKT_SIEVE_OP_TICKET] = &tkt_sieve_op_ticket,
    [TKT_SIEVE_OP_HASTICKET] = &tkt_sieve_op_hasticket,
    [TKT_SIEVE_OP_TICKETREF] = &tkt_sieve_op_ticketref,
};

static void extension_unload(const struct sieve_extension *ext)
{
    i_free(*(void **)(uintptr_t)&ext->context);
}

/* Called again on a reload, with the old context. */
static tkt_sieve_load_t extension_load(const struct sieve_extension *ext, void **context)
{
    struct tkt_sieve_ext *state;

    i_free(*context);
    state = i_new(struct tkt_sieve_ext, 1);
    tkt_sieve_settings_read(ext->svinst, &state->set);
    if (state->set.problem != NULL) {
        e_error(ext->svinst->event, "vnd.ticket: %s", state->set.problem);
    }
    state->variables = tkt_sieve_variables(ext->svinst);
    *context = state;
    return TKT_SIEVE_LOADED;
}

static bool validator_load(const struct sieve_extension *ext,
                           struct sieve_validator *valdtr)
{
    const struct tkt_sieve_ext *state = tkt_sieve_ext_of(ext);

    sieve_validator_register_command(valdtr, ext, &tkt_sieve_cmd_ticket);
    sieve_validator_register_command(valdtr, ext, &tkt_sieve_tst_hasticket);
    sieve_validator_register_command(valdtr, ext, &tkt_sieve_tst_ticketref);
    if (state->variables != NULL) {
        tkt_sieve_variables_register(state->variables, valdtr, ext);
    }
    return TRUE;
}

const struct sieve_extension_def tkt_sieve_extension = {
    .name = "vnd.ticket",
    .version = OPERANDS_VERSION,
    .load = extension_load,
    .unload = extension_unload,
    .validator_load = validator_load,
    SIEVE_EXT_DEFINE_OPERATIONS(operations),
    SIEVE_EXT_DEFINE_OPERAND(tkt_sieve_namespace_operand),
};

struct tkt_sieve_ticket *tkt_sieve_ticket_get(const struct sieve_extension *ext,
                                              struct sieve_message_context *msgctx)
{
    const void *found = sieve_message_context_extension_get(msgctx, ext);
    struct tkt_sieve_ticket *t = (struct tkt_sieve_ticket *)(uintptr_t)found;

    if (t == NULL) {
        t = p_new(sieve_message_context_pool(msgctx), struct tkt_sieve_ticket, 1);
        t->id = t->status = t->hold = t->url = t->group = t->category = t->ref = "";
        sieve_message_context_extension_set(msgctx, ext, t);
    }
    return t;
}
