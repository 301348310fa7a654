/* SPDX-License-Identifier: BSD-2-Clause
 * The namespace `ticket` of variables: ${ticket.id} and its kin, read-only. Compiled as the
 * number of its row.
 */
#include "sieve-ext/ticket-common.h"

#include "sieve-ast.h"
#include "sieve-binary.h"
#include "sieve-code.h"
#include "sieve-commands.h"
#include "sieve-dump.h"
#include "sieve-generator.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"
#include "sieve-objects.h"
#include "sieve-runtime-trace.h"
#include "sieve-validator.h"

#include <string.h>

/* Rows are only added: their numbers stand in compiled scripts. */
enum {
    VAR_ID,
    VAR_STATUS,
    VAR_REF,
    VAR_URL,
    VAR_GROUP,
    VAR_CATEGORY,
    VAR_PRIORITY
};
static const char *const names[] = {
    [VAR_ID] = "id",
    [VAR_STATUS] = "status",
    [VAR_REF] = "ref",
    [VAR_URL] = "url",
    [VAR_GROUP] = "group",
    [VAR_CATEGORY] = "category",
    [VAR_PRIORITY] = "priority",
};
static const char *const priority_words[] = {"",       "urgent", "high",
                                             "normal", "low",    "planning"};

static const struct sieve_variables_namespace_def namespace_def;

static bool validate(struct sieve_validator *valdtr,
                     const struct sieve_variables_namespace *nspc ATTR_UNUSED,
                     struct sieve_ast_argument *arg, struct sieve_command *cmd,
                     ARRAY_TYPE(sieve_variable_name) * var_name, void **var_data,
                     bool assignment)
{
    const struct sieve_variable_name *elements;
    const char *name = NULL;
    unsigned count;

    elements = array_get(var_name, &count);
    if (count == 2 && elements[1].num_variable < 0) {
        name = str_c(elements[1].identifier);
    }
    for (size_t i = 0; name != NULL && i < N_ELEMENTS(names); i++) {
        if (strcasecmp(names[i], name) != 0) {
            continue;
        }
        if (assignment) {
            sieve_argument_validate_error(valdtr, arg,
                                          "variable ${ticket.%s} cannot be assigned: it "
                                          "is set by ticket and ticketref",
                                          names[i]);
            return FALSE;
        }
        *var_data = p_new(sieve_command_pool(cmd), unsigned, 1);
        *(unsigned *)*var_data = (unsigned)i;
        return TRUE;
    }
    sieve_argument_validate_error(valdtr, arg,
                                  "unknown variable in namespace ticket (there are id, "
                                  "status, ref, url, group, category, priority)");
    return FALSE;
}

static bool generate(const struct sieve_codegen_env *cgenv,
                     const struct sieve_variables_namespace *nspc,
                     struct sieve_ast_argument *arg ATTR_UNUSED,
                     struct sieve_command *cmd ATTR_UNUSED, void *var_data)
{
    const struct sieve_extension *ext = nspc->object.ext;

    sieve_variables_opr_namespace_variable_emit(
        cgenv->sblock, tkt_sieve_ext_of(ext)->variables, ext, &namespace_def);
    (void)sieve_binary_emit_unsigned(cgenv->sblock, *(const unsigned *)var_data);
    return TRUE;
}

static bool dump_variable(const struct sieve_dumptime_env *denv,
                          const struct sieve_variables_namespace *nspc ATTR_UNUSED,
                          const struct sieve_operand *oprnd, sieve_size_t *address)
{
    unsigned row;

    if (!sieve_binary_read_unsigned(denv->sblock, address, &row) ||
        row >= N_ELEMENTS(names)) {
        return FALSE;
    }
    if (oprnd->field_name != NULL) {
        sieve_code_dumpf(denv, "%s: VAR ${ticket.%s}", oprnd->field_name, names[row]);
    } else {
        sieve_code_dumpf(denv, "VAR ${ticket.%s}", names[row]);
    }
    return TRUE;
}

static const char *value_of(const struct tkt_sieve_ticket *t, unsigned row)
{
    switch (row) {
    case VAR_ID:
        return t->id;
    case VAR_STATUS:
        return t->status;
    case VAR_REF:
        return t->ref;
    case VAR_URL:
        return t->url;
    case VAR_GROUP:
        return t->group;
    case VAR_CATEGORY:
        return t->category;
    case VAR_PRIORITY:
        return t->priority > 0 && t->priority < (int)N_ELEMENTS(priority_words)
                   ? priority_words[t->priority]
                   : "";
    }
    return "";
}

static int read_variable(const struct sieve_runtime_env *renv,
                         const struct sieve_variables_namespace *nspc,
                         const struct sieve_operand *oprnd, sieve_size_t *address,
                         string_t **str)
{
    unsigned row;

    if (!sieve_binary_read_unsigned(renv->sblock, address, &row) ||
        row >= N_ELEMENTS(names)) {
        sieve_runtime_trace_operand_error(renv, oprnd, "unknown ticket variable");
        return SIEVE_EXEC_BIN_CORRUPT;
    }
    if (str != NULL) {
        const char *value =
            value_of(tkt_sieve_ticket_get(nspc->object.ext, renv->msgctx), row);

        *str = t_str_new_const(value, strlen(value));
    }
    return SIEVE_EXEC_OK;
}

static const struct sieve_variables_namespace_def namespace_def = {
    SIEVE_OBJECT("ticket", &tkt_sieve_namespace_operand, 0),
    .validate = validate,
    .generate = generate,
    .dump_variable = dump_variable,
    .read_variable = read_variable,
};

static const struct sieve_extension_objects namespaces =
    SIEVE_VARIABLES_DEFINE_NAMESPACE(namespace_def);

const struct sieve_operand_def tkt_sieve_namespace_operand = {
    .name = "ticket-namespace",
    .ext_def = &tkt_sieve_extension,
    .code = 0,
    .class = &sieve_variables_namespace_operand_class,
    .interface = &namespaces,
};

void tkt_sieve_variables_register(const struct sieve_extension *variables,
                                  struct sieve_validator *valdtr,
                                  const struct sieve_extension *ext)
{
    sieve_variables_namespace_register(variables, valdtr, ext, &namespace_def);
}
