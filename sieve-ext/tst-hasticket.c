/* SPDX-License-Identifier: BSD-2-Clause
 * Usage: hasticket
 * True when this delivery has a ticket: of a `ticket` command, or of one before (a message
 * that our milter marked keeps its ticket by its key; `ticket` finds it).
 */
#include "sieve-ext/ticket-common.h"

#include "sieve-code.h"
#include "sieve-commands.h"
#include "sieve-dump.h"
#include "sieve-generator.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"
#include "sieve-runtime-trace.h"

static bool tst_generate(const struct sieve_codegen_env *cgenv, struct sieve_command *tst)
{
    sieve_operation_emit(cgenv->sblock, tst->ext, &tkt_sieve_op_hasticket);
    return TRUE;
}

const struct sieve_command_def tkt_sieve_tst_hasticket = {
    .identifier = "hasticket",
    .type = SCT_TEST,
    .generate = tst_generate,
};

static bool op_dump(const struct sieve_dumptime_env *denv,
                    sieve_size_t *address ATTR_UNUSED)
{
    sieve_code_dumpf(denv, "HASTICKET");
    return TRUE;
}

static int op_execute(const struct sieve_runtime_env *renv,
                      sieve_size_t *address ATTR_UNUSED)
{
    const struct tkt_sieve_ticket *t =
        tkt_sieve_ticket_get(renv->oprtn->ext, renv->msgctx);
    bool result = t->is_done && *t->id != '\0';

    sieve_runtime_trace(renv, SIEVE_TRLVL_TESTS, "hasticket test: %s",
                        result ? t->id : "none");
    sieve_interpreter_set_test_result(renv->interp, result);
    return SIEVE_EXEC_OK;
}

const struct sieve_operation_def tkt_sieve_op_hasticket = {
    .mnemonic = "HASTICKET",
    .ext_def = &tkt_sieve_extension,
    .code = TKT_SIEVE_OP_HASTICKET,
    .dump = op_dump,
    .execute = op_execute,
};
