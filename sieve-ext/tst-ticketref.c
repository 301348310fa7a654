/* SPDX-License-Identifier: BSD-2-Clause
 * Usage: ticketref [:verify] [COMPARATOR] [MATCH-TYPE] [<key-list: string-list>]
 * True when the message refers to a ticket: by an ID in brackets in its Subject, or by an
 * X-Ticket-ID. With keys: when such an ID matches one. With :verify ticketd is asked which
 * ticket the message belongs to. Sets ${ticket.ref}.
 */
#include "sieve-ext/ticket-common.h"

#include "mail-storage.h"

#include "sieve-binary.h"
#include "sieve-code.h"
#include "sieve-commands.h"
#include "sieve-comparators.h"
#include "sieve-dump.h"
#include "sieve-generator.h"
#include "sieve-interpreter.h"
#include "sieve-match-types.h"
#include "sieve-match.h"
#include "sieve-message.h"
#include "sieve-runtime-trace.h"
#include "sieve-stringlist.h"
#include "sieve-validator.h"

#include "sieve-ext/ticket-words.h"

#include <string.h>

#define REFS_MAX 32

enum {
    OPT_VERIFY = SIEVE_MATCH_OPT_LAST,
    OPT_KEYS
};

/* ---- compile time ----------------------------------------------------------------------- */

static bool validate_verify(struct sieve_validator *valdtr ATTR_UNUSED,
                            struct sieve_ast_argument **arg,
                            struct sieve_command *cmd ATTR_UNUSED)
{
    *arg = sieve_ast_argument_next(*arg);
    return TRUE;
}

static const struct sieve_argument_def verify_tag = {.identifier = "verify",
                                                     .validate = validate_verify};

static bool tst_registered(struct sieve_validator *valdtr,
                           const struct sieve_extension *ext,
                           struct sieve_command_registration *cmd_reg)
{
    sieve_comparators_link_tag(valdtr, cmd_reg, SIEVE_MATCH_OPT_COMPARATOR);
    sieve_match_types_link_tags(valdtr, cmd_reg, SIEVE_MATCH_OPT_MATCH_TYPE);
    sieve_validator_register_tag(valdtr, cmd_reg, ext, &verify_tag, OPT_VERIFY);
    return TRUE;
}

static bool tst_validate(struct sieve_validator *valdtr, struct sieve_command *tst)
{
    const struct sieve_match_type mcht_default = SIEVE_MATCH_TYPE_DEFAULT(is_match_type);
    const struct sieve_comparator cmp_default =
        SIEVE_COMPARATOR_DEFAULT(i_ascii_casemap_comparator);
    struct sieve_ast_argument *keys = tst->first_positional;

    if (keys == NULL) {
        return TRUE;
    }
    if (!sieve_validate_positional_argument(valdtr, tst, keys, "key list", 1,
                                            SAAT_STRING_LIST) ||
        !sieve_validator_argument_activate(valdtr, tst, keys, FALSE)) {
        return FALSE;
    }
    return sieve_match_type_validate(valdtr, tst, keys, &mcht_default, &cmp_default);
}

static bool tst_generate(const struct sieve_codegen_env *cgenv, struct sieve_command *tst)
{
    sieve_operation_emit(cgenv->sblock, tst->ext, &tkt_sieve_op_ticketref);
    if (!sieve_generate_arguments(cgenv, tst, NULL)) {
        return FALSE;
    }
    /* An omitted operand begins like a list of options: so there must be one before it. */
    if (sieve_command_first_argument(tst) == NULL) {
        (void)sieve_binary_emit_byte(cgenv->sblock, SIEVE_OPERAND_OPTIONAL);
        (void)sieve_binary_emit_byte(cgenv->sblock, SIEVE_MATCH_OPT_END);
    }
    if (tst->first_positional == NULL) {
        sieve_opr_omitted_emit(cgenv->sblock);
    }
    return TRUE;
}

const struct sieve_command_def tkt_sieve_tst_ticketref = {
    .identifier = "ticketref",
    .type = SCT_TEST,
    .positional_args = -1, /* none, or the keys */
    .registered = tst_registered,
    .validate = tst_validate,
    .generate = tst_generate,
};

static bool op_dump(const struct sieve_dumptime_env *denv, sieve_size_t *address)
{
    int opt = 0;

    sieve_code_dumpf(denv, "TICKETREF");
    sieve_code_descend(denv);
    do {
        if (sieve_match_opr_optional_dump(denv, address, &opt) < 0) {
            return FALSE;
        }
        if (opt == OPT_VERIFY) {
            sieve_code_dumpf(denv, "verify");
        } else if (opt != SIEVE_MATCH_OPT_END) {
            return FALSE;
        }
    } while (opt != SIEVE_MATCH_OPT_END);
    return sieve_opr_stringlist_dump_ex(denv, address, "key list", "NONE");
}

/* ---- run time --------------------------------------------------------------------------- */

struct refs {
    const char *items[REFS_MAX];
    size_t count;
};

static void find(struct refs *refs, const char *text)
{
    size_t at = 0;
    const char *id;
    size_t n;

    while (refs->count < REFS_MAX &&
           tkt_sieve_find_id(text, strlen(text), &at, &id, &n)) {
        refs->items[refs->count++] = t_strndup(id, n);
    }
}

static int find_in_header(const struct sieve_runtime_env *renv, struct refs *refs)
{
    struct mail *mail = sieve_message_get_mail(renv->msgctx);
    const char *const *values;

    if (mail_get_headers_utf8(mail, "Subject", &values) < 0) {
        return -1;
    }
    for (; values != NULL && *values != NULL; values++) {
        find(refs, *values);
    }
    if (mail_get_headers_utf8(mail, "X-Ticket-ID", &values) < 0) {
        return -1;
    }
    for (; values != NULL && *values != NULL; values++) {
        find(refs, t_strconcat("[", t_strcut(*values, ';'), "]", NULL));
    }
    return 0;
}

/* Which ticket the message would go to: 1 with *refs, 0 none, -1 with *status. */
static int verify(const struct sieve_runtime_env *renv, struct refs *refs, int *status)
{
    const struct tkt_sieve_settings *set = &tkt_sieve_ext_of(renv->oprtn->ext)->set;
    const struct tkt_sieve_wants wants = {.is_try = FALSE};
    struct tkt_wire_reply reply;
    struct tkt_err err = TKT_ERR_INIT;
    bool keep_subject;

    refs->count = 0;
    if (tkt_sieve_reserve(renv, set, &wants, TRUE, &keep_subject, &reply, &err) < 0) {
        e_error(renv->event, "ticketref test: %s", err.text);
        *status = set->accept ? SIEVE_EXEC_OK : SIEVE_EXEC_TEMP_FAILURE;
        return *status == SIEVE_EXEC_OK ? 0 : -1;
    }
    if (reply.status == TKT_WIRE_TEMP) {
        e_error(renv->event, "ticketref test: %s", reply.text);
        *status = set->accept ? SIEVE_EXEC_OK : SIEVE_EXEC_TEMP_FAILURE;
    }
    for (size_t i = 0; i < reply.ticket_count && refs->count < REFS_MAX; i++) {
        if (*reply.tickets[i].ref != '\0') {
            refs->items[refs->count++] = t_strdup(reply.tickets[i].ref);
        }
    }
    tkt_wire_reply_release(&reply);
    return *status == SIEVE_EXEC_TEMP_FAILURE ? -1 : refs->count > 0;
}

static int match_keys(const struct sieve_runtime_env *renv, const struct refs *refs,
                      const struct sieve_match_type *mcht,
                      const struct sieve_comparator *cmp, struct sieve_stringlist *keys,
                      const char **which, int *status)
{
    struct sieve_match_context *match = sieve_match_begin(renv, mcht, cmp);
    int rc = 0;

    if (match == NULL) {
        return 0;
    }
    for (size_t i = 0; rc == 0 && i < refs->count; i++) {
        rc = sieve_match_value(match, refs->items[i], strlen(refs->items[i]), keys);
        if (rc > 0) {
            *which = refs->items[i];
        }
    }
    int end = sieve_match_end(&match, status);

    return rc < 0 ? rc : end;
}

static int read_operands(const struct sieve_runtime_env *renv, sieve_size_t *address,
                         struct sieve_comparator *cmp, struct sieve_match_type *mcht,
                         bool *is_verify, struct sieve_stringlist **keys)
{
    int opt = 0;
    int status = SIEVE_EXEC_OK;

    do {
        if (sieve_match_opr_optional_read(renv, address, &opt, &status, cmp, mcht) < 0) {
            return status;
        }
        if (opt == OPT_VERIFY) {
            *is_verify = TRUE;
        } else if (opt != SIEVE_MATCH_OPT_END) {
            sieve_runtime_trace_error(renv, "unknown optional operand");
            return SIEVE_EXEC_BIN_CORRUPT;
        }
    } while (opt != SIEVE_MATCH_OPT_END);
    return sieve_opr_stringlist_read_ex(renv, address, "key list", TRUE, keys);
}

static int op_execute(const struct sieve_runtime_env *renv, sieve_size_t *address)
{
    struct sieve_match_type mcht = SIEVE_MATCH_TYPE_DEFAULT(is_match_type);
    struct sieve_comparator cmp = SIEVE_COMPARATOR_DEFAULT(i_ascii_casemap_comparator);
    struct sieve_stringlist *keys = NULL;
    struct tkt_sieve_ticket *t = tkt_sieve_ticket_get(renv->oprtn->ext, renv->msgctx);
    const char *which = NULL;
    bool is_verify = FALSE;
    struct refs refs = {.count = 0};
    int status = read_operands(renv, address, &cmp, &mcht, &is_verify, &keys);
    int rc;

    if (status <= 0) {
        return status;
    }
    status = SIEVE_EXEC_OK;
    if (find_in_header(renv, &refs) < 0) {
        return sieve_runtime_mail_error(renv, sieve_message_get_mail(renv->msgctx),
                                        "ticketref test: the header cannot be read");
    }
    if (is_verify &&
        tkt_sieve_place(renv, &tkt_sieve_ext_of(renv->oprtn->ext)->set) !=
            TKT_SIEVE_TOOL &&
        verify(renv, &refs, &status) < 0) {
        return status;
    }
    rc = refs.count > 0;
    which = rc > 0 ? refs.items[0] : NULL;
    if (rc > 0 && keys != NULL &&
        (rc = match_keys(renv, &refs, &mcht, &cmp, keys, &which, &status)) < 0) {
        return status;
    }
    if (rc > 0) {
        t->ref = p_strdup(sieve_message_context_pool(renv->msgctx), which);
    }
    sieve_runtime_trace(renv, SIEVE_TRLVL_TESTS, "ticketref test: %s",
                        rc > 0 ? which : "none");
    sieve_interpreter_set_test_result(renv->interp, rc > 0);
    return SIEVE_EXEC_OK;
}

const struct sieve_operation_def tkt_sieve_op_ticketref = {
    .mnemonic = "TICKETREF",
    .ext_def = &tkt_sieve_extension,
    .code = TKT_SIEVE_OP_TICKETREF,
    .dump = op_dump,
    .execute = op_execute,
};
