/* SPDX-License-Identifier: BSD-2-Clause
 * Usage: ticket [:try] [:nosubject] [:desk <string>] [:priority <string>]
 *               [:group <string>] [:category <string>] [:subcategory <string>]
 *               [:assignee <string>] [:requester <string>] [:summary <string>]
 *               [:tags <string-list>] [:fields <string-list>]
 */
#include "sieve-ext/ticket-common.h"

#include "str-sanitize.h"

#include "sieve-actions.h"
#include "sieve-ast.h"
#include "sieve-binary.h"
#include "sieve-code.h"
#include "sieve-commands.h"
#include "sieve-dump.h"
#include "sieve-execute.h"
#include "sieve-generator.h"
#include "sieve-interpreter.h"
#include "sieve-message.h"
#include "sieve-result.h"
#include "sieve-runtime-trace.h"
#include "sieve-stringlist.h"
#include "sieve-validator.h"

#include "sieve-ext/ticket-words.h"

#include <stddef.h>
#include <string.h>

/* Optional operands; their numbers stand in compiled scripts. */
enum {
    OPT_END,
    OPT_TRY,
    OPT_NOSUBJECT,
    OPT_DESK,
    OPT_PRIORITY,
    OPT_GROUP,
    OPT_CATEGORY,
    OPT_SUBCATEGORY,
    OPT_ASSIGNEE,
    OPT_REQUESTER,
    OPT_SUMMARY,
    OPT_TAGS,
    OPT_FIELDS,
    OPT_COUNT
};

/* ---- tags ------------------------------------------------------------------------------- */

static bool validate_tag(struct sieve_validator *valdtr, struct sieve_ast_argument **arg,
                         struct sieve_command *cmd);
static bool validate_flag(struct sieve_validator *valdtr, struct sieve_ast_argument **arg,
                          struct sieve_command *cmd);

#define TAG(name)                                                                        \
    {                                                                                    \
        .identifier = name, .validate = validate_tag                                     \
    }
static const struct sieve_argument_def tags[OPT_COUNT] = {
    [OPT_TRY] = {.identifier = "try", .validate = validate_flag},
    [OPT_NOSUBJECT] = {.identifier = "nosubject", .validate = validate_flag},
    [OPT_DESK] = TAG("desk"),
    [OPT_PRIORITY] = TAG("priority"),
    [OPT_GROUP] = TAG("group"),
    [OPT_CATEGORY] = TAG("category"),
    [OPT_SUBCATEGORY] = TAG("subcategory"),
    [OPT_ASSIGNEE] = TAG("assignee"),
    [OPT_REQUESTER] = TAG("requester"),
    [OPT_SUMMARY] = TAG("summary"),
    [OPT_TAGS] = TAG("tags"),
    [OPT_FIELDS] = TAG("fields"),
};

/* What a tag's value is and where it goes. */
static const struct row {
    enum tkt_sieve_word kind;
    size_t offset;
} rows[OPT_COUNT] = {
    [OPT_DESK] = {TKT_SIEVE_DESK, offsetof(struct tkt_sieve_wants, desk)},
    [OPT_PRIORITY] = {TKT_SIEVE_PRIORITY, offsetof(struct tkt_sieve_wants, priority)},
    [OPT_GROUP] = {TKT_SIEVE_TEXT, offsetof(struct tkt_sieve_wants, group)},
    [OPT_CATEGORY] = {TKT_SIEVE_TEXT, offsetof(struct tkt_sieve_wants, category)},
    [OPT_SUBCATEGORY] = {TKT_SIEVE_TEXT, offsetof(struct tkt_sieve_wants, subcategory)},
    [OPT_ASSIGNEE] = {TKT_SIEVE_TEXT, offsetof(struct tkt_sieve_wants, assignee)},
    [OPT_REQUESTER] = {TKT_SIEVE_ADDRESS, offsetof(struct tkt_sieve_wants, requester)},
    [OPT_SUMMARY] = {TKT_SIEVE_TEXT, offsetof(struct tkt_sieve_wants, summary)},
    [OPT_TAGS] = {TKT_SIEVE_TAG, offsetof(struct tkt_sieve_wants, tags)},
    [OPT_FIELDS] = {TKT_SIEVE_FIELD, offsetof(struct tkt_sieve_wants, fields)},
};

static const char above_all[] = "and the other arguments are above 8 KiB";

static bool is_list(int opt)
{
    return opt == OPT_TAGS || opt == OPT_FIELDS;
}

/* A flag has no value: it stays among the arguments for the code. */
static bool validate_flag(struct sieve_validator *valdtr ATTR_UNUSED,
                          struct sieve_ast_argument **arg,
                          struct sieve_command *cmd ATTR_UNUSED)
{
    *arg = sieve_ast_argument_next(*arg);
    return TRUE;
}

/* bytes: of all literals of the command so far. */
static bool literal_is_right(struct sieve_validator *valdtr, int opt, size_t *bytes,
                             struct sieve_ast_argument *item)
{
    const char *wrong;

    if (!sieve_argument_is_string_literal(item)) {
        return TRUE; /* made of variables: checked at run time */
    }
    wrong = tkt_sieve_word_check(rows[opt].kind, sieve_ast_argument_strc(item),
                                 str_len(sieve_ast_argument_str(item)));
    *bytes += str_len(sieve_ast_argument_str(item));
    if (wrong == NULL && *bytes > TKT_SIEVE_ALL_MAX) {
        wrong = above_all;
    }
    if (wrong != NULL) {
        sieve_argument_validate_error(valdtr, item, "ticket action: :%s %s (got '%s')",
                                      tags[opt].identifier, wrong,
                                      str_sanitize(sieve_ast_argument_strc(item), 80));
    }
    return wrong == NULL;
}

struct check {
    struct sieve_validator *valdtr;
    int opt;
    size_t *bytes;
    unsigned count;
    const char *literals[TKT_SIEVE_ITEMS_MAX];
    unsigned literal_count;
};

static bool same_name(const char *a, const char *b)
{
    size_t n = strcspn(a, "=");

    return n == strcspn(b, "=") && strncasecmp(a, b, n) == 0;
}

static bool is_new_name(struct check *c, struct sieve_ast_argument *item)
{
    const char *text = sieve_ast_argument_strc(item);

    for (unsigned i = 0; i < c->literal_count; i++) {
        if (same_name(c->literals[i], text)) {
            sieve_argument_validate_error(c->valdtr, item,
                                          "ticket action: :fields names %s twice",
                                          str_sanitize(t_strcut(text, '='), 80));
            return FALSE;
        }
    }
    if (c->literal_count < TKT_SIEVE_ITEMS_MAX) {
        c->literals[c->literal_count++] = text;
    }
    return TRUE;
}

static int check_item(void *context, struct sieve_ast_argument *item)
{
    struct check *c = context;

    c->count++;
    if (!literal_is_right(c->valdtr, c->opt, c->bytes, item)) {
        return -1;
    }
    return c->opt != OPT_FIELDS || !sieve_argument_is_string_literal(item) ||
                   is_new_name(c, item)
               ? 1
               : -1;
}

static bool validate_values(struct sieve_validator *valdtr, int opt, size_t *bytes,
                            struct sieve_ast_argument *param)
{
    struct check check = {.valdtr = valdtr, .opt = opt, .bytes = bytes};
    struct sieve_ast_argument *at = param;

    if (!is_list(opt)) {
        return literal_is_right(valdtr, opt, bytes, param);
    }
    if (sieve_ast_stringlist_map(&at, &check, check_item) < 0) {
        return FALSE;
    }
    if (check.count > TKT_SIEVE_ITEMS_MAX) {
        sieve_argument_validate_error(
            valdtr, param, "ticket action: :%s has %u items, at most %u",
            tags[opt].identifier, check.count, TKT_SIEVE_ITEMS_MAX);
        return FALSE;
    }
    return TRUE;
}

/* The value takes the place of its tag, with the tag's number: it is what is emitted. */
static bool validate_tag(struct sieve_validator *valdtr, struct sieve_ast_argument **arg,
                         struct sieve_command *cmd)
{
    struct sieve_ast_argument *tag = *arg;
    int opt = tag->argument->id_code;

    *arg = sieve_ast_arguments_detach(*arg, 1);
    if (!sieve_validate_tag_parameter(valdtr, cmd, tag, *arg, NULL, 0,
                                      is_list(opt) ? SAAT_STRING_LIST : SAAT_STRING,
                                      FALSE) ||
        !validate_values(valdtr, opt, cmd->data, *arg)) {
        return FALSE;
    }
    (*arg)->argument->id_code = opt;
    *arg = sieve_ast_argument_next(*arg);
    return TRUE;
}

static bool cmd_registered(struct sieve_validator *valdtr,
                           const struct sieve_extension *ext,
                           struct sieve_command_registration *cmd_reg)
{
    for (int opt = OPT_TRY; opt < OPT_COUNT; opt++) {
        sieve_validator_register_tag(valdtr, cmd_reg, ext, &tags[opt], opt);
    }
    return TRUE;
}

static bool cmd_pre_validate(struct sieve_validator *valdtr ATTR_UNUSED,
                             struct sieve_command *cmd)
{
    cmd->data = p_new(sieve_command_pool(cmd), size_t, 1);
    return TRUE;
}

static bool cmd_generate(const struct sieve_codegen_env *cgenv, struct sieve_command *cmd)
{
    sieve_operation_emit(cgenv->sblock, cmd->ext, &tkt_sieve_op_ticket);
    return sieve_generate_arguments(cgenv, cmd, NULL);
}

const struct sieve_command_def tkt_sieve_cmd_ticket = {
    .identifier = "ticket",
    .type = SCT_COMMAND,
    .registered = cmd_registered,
    .pre_validate = cmd_pre_validate,
    .generate = cmd_generate,
};

/* ---- compiled form ---------------------------------------------------------------------- */

static bool op_dump(const struct sieve_dumptime_env *denv, sieve_size_t *address)
{
    int opt = 0;

    sieve_code_dumpf(denv, "TICKET");
    sieve_code_descend(denv);
    for (;;) {
        int rc = sieve_opr_optional_dump(denv, address, &opt);
        bool ok;

        if (rc <= 0) {
            return rc == 0;
        }
        if (opt == OPT_TRY || opt == OPT_NOSUBJECT) {
            sieve_code_dumpf(denv, "%s", tags[opt].identifier);
            continue;
        }
        if (opt < 0 || opt >= OPT_COUNT || tags[opt].identifier == NULL) {
            return FALSE;
        }
        ok = is_list(opt) ? sieve_opr_stringlist_dump(denv, address, tags[opt].identifier)
                          : sieve_opr_string_dump(denv, address, tags[opt].identifier);
        if (!ok) {
            return FALSE;
        }
    }
}

static int read_value(const struct sieve_runtime_env *renv, sieve_size_t *address,
                      int opt, struct tkt_sieve_wants *wants)
{
    const char *name = tags[opt].identifier;
    char *slot = (char *)wants + rows[opt].offset;
    int rc;

    if (is_list(opt)) {
        struct sieve_stringlist *list = NULL;

        rc = sieve_opr_stringlist_read(renv, address, name, &list);
        if (rc > 0 && sieve_stringlist_read_all(list, pool_datastack_create(),
                                                (const char *const **)(void *)slot) < 0) {
            rc = list->exec_status;
        }
    } else {
        string_t *value = NULL;

        rc = sieve_opr_string_read(renv, address, name, &value);
        if (rc > 0 && strlen(str_c(value)) != str_len(value)) {
            sieve_runtime_error(renv, NULL, "ticket action: :%s contains a NUL", name);
            return SIEVE_EXEC_FAILURE;
        }
        if (rc > 0) {
            *(const char **)(void *)slot = str_c(value);
        }
    }
    return rc;
}

static int read_operands(const struct sieve_runtime_env *renv, sieve_size_t *address,
                         struct tkt_sieve_wants *wants)
{
    int opt = 0;

    for (;;) {
        int rc = sieve_opr_optional_read(renv, address, &opt);

        if (rc <= 0) {
            return rc < 0 ? SIEVE_EXEC_BIN_CORRUPT : SIEVE_EXEC_OK;
        }
        if (opt == OPT_TRY) {
            wants->is_try = TRUE;
        } else if (opt == OPT_NOSUBJECT) {
            wants->keep_subject = TRUE;
        } else if (opt < 0 || opt >= OPT_COUNT || tags[opt].identifier == NULL) {
            sieve_runtime_trace_error(renv, "unknown optional operand");
            return SIEVE_EXEC_BIN_CORRUPT;
        } else if ((rc = read_value(renv, address, opt, wants)) <= 0) {
            return rc;
        }
    }
}

/* ---- run time --------------------------------------------------------------------------- */

struct budget {
    const struct sieve_runtime_env *renv;
    size_t bytes;
};

static bool value_is_right(struct budget *b, int opt, const char *value)
{
    const char *wrong = tkt_sieve_word_check(rows[opt].kind, value, strlen(value));

    b->bytes += strlen(value);
    if (wrong == NULL && b->bytes > TKT_SIEVE_ALL_MAX) {
        wrong = above_all;
    }
    if (wrong != NULL) {
        sieve_runtime_error(b->renv, NULL, "ticket action: :%s %s (got '%s')",
                            tags[opt].identifier, wrong, str_sanitize(value, 80));
    }
    return wrong == NULL;
}

static bool list_is_right(struct budget *b, int opt, const char *const *list)
{
    for (size_t i = 0; list != NULL && list[i] != NULL; i++) {
        if (i == TKT_SIEVE_ITEMS_MAX) {
            sieve_runtime_error(b->renv, NULL,
                                "ticket action: :%s has more than %u items",
                                tags[opt].identifier, TKT_SIEVE_ITEMS_MAX);
            return FALSE;
        }
        if (!value_is_right(b, opt, list[i])) {
            return FALSE;
        }
        for (size_t k = 0; opt == OPT_FIELDS && k < i; k++) {
            if (same_name(list[k], list[i])) {
                sieve_runtime_error(b->renv, NULL,
                                    "ticket action: :fields names %s twice",
                                    str_sanitize(t_strcut(list[i], '='), 80));
                return FALSE;
            }
        }
    }
    return TRUE;
}

static bool wants_are_right(const struct sieve_runtime_env *renv,
                            const struct tkt_sieve_wants *wants)
{
    struct budget b = {renv, 0};

    for (int opt = OPT_DESK; opt < OPT_COUNT; opt++) {
        const char *slot = (const char *)wants + rows[opt].offset;

        if (is_list(opt)) {
            if (!list_is_right(&b, opt,
                               *(const char *const *const *)(const void *)slot)) {
                return FALSE;
            }
        } else {
            const char *value = *(const char *const *)(const void *)slot;

            if (value != NULL && !value_is_right(&b, opt, value)) {
                return FALSE;
            }
        }
    }
    return TRUE;
}

/* One word for all that was asked, to notice when a second command asks something else. */
static const char *spell(const struct tkt_sieve_wants *wants)
{
    string_t *s = t_str_new(256);

    for (int opt = OPT_DESK; opt < OPT_COUNT; opt++) {
        const char *slot = (const char *)wants + rows[opt].offset;

        str_printfa(s, "%d:", opt);
        if (is_list(opt)) {
            const char *const *list = *(const char *const *const *)(const void *)slot;

            for (; list != NULL && *list != NULL; list++) {
                str_printfa(s, "%s\n", *list);
            }
        } else {
            const char *value = *(const char *const *)(const void *)slot;

            str_printfa(s, "%s\n", value == NULL ? "" : value);
        }
    }
    return str_c(s);
}

static bool is_listed(const char *words, const char *name)
{
    const char *const *list = t_strsplit_spaces(words, " ,\t\n");

    return str_array_icase_find(list, name);
}

/* A script of the user's own: only where the administrator lists the desk. */
static bool is_allowed(const struct sieve_runtime_env *renv,
                       const struct tkt_sieve_settings *set,
                       const struct tkt_sieve_wants *wants)
{
    const char *desk = wants->desk != NULL ? wants->desk : set->default_desk;

    if (!tkt_sieve_is_personal(renv)) {
        return TRUE;
    }
    if (*desk == '\0') {
        sieve_runtime_error(renv, NULL,
                            "ticket action: a personal script must name its desk "
                            "(:desk)");
        return FALSE;
    }
    if (!is_listed(set->desks, desk)) {
        sieve_runtime_error(renv, NULL,
                            "ticket action: desk %s is not open to personal scripts "
                            "(sieve_ticket_desks)",
                            str_sanitize(desk, 80));
        return FALSE;
    }
    return TRUE;
}

/* Copies that were made before carry no ID: they took the message as it was then. */
static void warn_of_earlier_copies(const struct sieve_runtime_env *renv)
{
    struct sieve_result_iterate_context *it = sieve_result_iterate_init(renv->result);
    const struct sieve_action *act;
    bool keep;

    while ((act = sieve_result_iterate_next(it, &keep)) != NULL) {
        if (keep || (act->def != NULL &&
                     ((act->def->flags & SIEVE_ACTFLAG_MAIL_STORAGE) != 0 ||
                      (act->def->flags & SIEVE_ACTFLAG_TRIES_DELIVER) != 0))) {
            sieve_runtime_warning(
                renv, NULL,
                "ticket action: the copy of an earlier %s will not carry "
                "the ticket's ID: put ticket before it",
                keep || act->def == NULL ? "keep" : act->def->name);
            return;
        }
    }
}

/* ticketd, or the way to it, failed for now. */
static int unavailable(const struct sieve_runtime_env *renv,
                       const struct tkt_sieve_settings *set,
                       const struct tkt_sieve_wants *wants, struct tkt_sieve_ticket *t,
                       const char *why)
{
    if (!wants->is_try && !set->accept) {
        e_error(renv->event, "ticket action: %s; the delivery is put off", why);
        return SIEVE_EXEC_TEMP_FAILURE;
    }
    e_warning(renv->event, "ticket action: %s; the mail is delivered without a ticket",
              why);
    t->status = "unavailable";
    return SIEVE_EXEC_OK;
}

static int refused(const struct sieve_runtime_env *renv,
                   const struct tkt_sieve_wants *wants, struct tkt_sieve_ticket *t,
                   const char *why)
{
    if (wants->is_try) {
        sieve_runtime_warning(renv, NULL, "ticket action: %s", str_sanitize(why, 200));
        t->status = "refused";
        return SIEVE_EXEC_OK;
    }
    sieve_runtime_error(renv, NULL, "ticket action: %s", str_sanitize(why, 200));
    return SIEVE_EXEC_FAILURE;
}

static void keep_answer(struct sieve_message_context *msgctx,
                        const struct tkt_wire_ticket *in, const char *asked,
                        const char *ref, struct tkt_sieve_ticket *out)
{
    pool_t pool = sieve_message_context_pool(msgctx);

    out->is_done = TRUE;
    out->id = p_strdup(pool, in->id);
    out->status = p_strdup(pool, in->status);
    out->hold = p_strdup(pool, in->hold);
    out->url = p_strdup(pool, in->url);
    out->group = p_strdup(pool, in->group);
    out->category = p_strdup(pool, in->category);
    out->priority = in->priority;
    out->asked = p_strdup(pool, asked);
    out->ref = p_strdup(pool, *in->ref != '\0' ? in->ref : ref);
}

static int take_answer(const struct sieve_runtime_env *renv,
                       const struct sieve_extension *ext,
                       const struct tkt_sieve_wants *wants, bool keep_subject,
                       const struct tkt_wire_reply *reply)
{
    struct tkt_sieve_ticket *t = tkt_sieve_ticket_get(ext, renv->msgctx);
    const char *ref = t_strdup(t->ref);
    const char *asked = spell(wants);
    enum tkt_sieve_place place = tkt_sieve_place(renv, &tkt_sieve_ext_of(ext)->set);
    bool state_lost = FALSE;

    warn_of_earlier_copies(renv);
    /* A mail that lies in a mailbox already stays as it is. */
    if (place == TKT_SIEVE_DELIVERY &&
        tkt_sieve_apply(renv, reply->edits, reply->edit_count,
                        wants->keep_subject || keep_subject, &state_lost) < 0) {
        return SIEVE_EXEC_TEMP_FAILURE; /* the retry gets the same ticket */
    }
    t = tkt_sieve_ticket_get(ext, renv->msgctx); /* a new one if the state was lost */
    keep_answer(renv->msgctx, &reply->tickets[0], asked, ref, t);
    sieve_runtime_trace(renv, SIEVE_TRLVL_ACTIONS, "%s ticket `%s'", t->status, t->id);
    return tkt_sieve_action_add(renv, ext, t);
}

static int reserve(const struct sieve_runtime_env *renv,
                   const struct sieve_extension *ext, const struct tkt_sieve_wants *wants)
{
    const struct tkt_sieve_settings *set = &tkt_sieve_ext_of(ext)->set;
    struct tkt_sieve_ticket *t = tkt_sieve_ticket_get(ext, renv->msgctx);
    struct tkt_wire_reply reply;
    struct tkt_err err = TKT_ERR_INIT;
    bool keep_subject = FALSE;
    int rc;

    if (tkt_sieve_reserve(renv, set, wants, FALSE, &keep_subject, &reply, &err) < 0) {
        return err.class == TKT_ERR_PERM ? refused(renv, wants, t, err.text)
                                         : unavailable(renv, set, wants, t, err.text);
    }
    if (reply.status == TKT_WIRE_PERM) {
        rc = refused(renv, wants, t, reply.text);
    } else if (reply.status != TKT_WIRE_OK || reply.ticket_count == 0) {
        rc = unavailable(renv, set, wants, t, reply.text);
    } else {
        rc = take_answer(renv, ext, wants, keep_subject, &reply);
    }
    tkt_wire_reply_release(&reply);
    return rc;
}

static int dry_run(const struct sieve_runtime_env *renv,
                   const struct sieve_extension *ext, const struct tkt_sieve_wants *wants)
{
    const struct tkt_wire_ticket ticket = {.id = TKT_SIEVE_DRYRUN_ID,
                                           .status = "dryrun",
                                           .hold = "",
                                           .url = "",
                                           .ref = "",
                                           .group = wants->group ? wants->group : "",
                                           .category =
                                               wants->category ? wants->category : ""};
    struct tkt_sieve_ticket *t = tkt_sieve_ticket_get(ext, renv->msgctx);

    warn_of_earlier_copies(renv);
    keep_answer(renv->msgctx, &ticket, spell(wants), t->ref, t);
    sieve_runtime_trace(renv, SIEVE_TRLVL_ACTIONS, "a ticket would be made");
    return tkt_sieve_action_add(renv, ext, t);
}

static int op_execute(const struct sieve_runtime_env *renv, sieve_size_t *address)
{
    const struct sieve_extension *ext = renv->oprtn->ext;
    const struct tkt_sieve_settings *set = &tkt_sieve_ext_of(ext)->set;
    struct tkt_sieve_wants wants = {.is_try = FALSE};
    struct tkt_sieve_ticket *t = tkt_sieve_ticket_get(ext, renv->msgctx);
    int rc = read_operands(renv, address, &wants);

    if (rc <= 0) {
        return rc;
    }
    sieve_runtime_trace(renv, SIEVE_TRLVL_ACTIONS, "ticket action");
    if (!wants_are_right(renv, &wants) || !is_allowed(renv, set, &wants)) {
        return SIEVE_EXEC_FAILURE;
    }
    if (t->is_done) {
        if (strcmp(t->asked, spell(&wants)) != 0) {
            sieve_runtime_warning(renv, NULL,
                                  "ticket action: this delivery has ticket %s already; "
                                  "other arguments change nothing",
                                  t->id);
        }
        return SIEVE_EXEC_OK;
    }
    switch (tkt_sieve_place(renv, set)) {
    case TKT_SIEVE_DELIVERY:
    case TKT_SIEVE_IMAP:
        return reserve(renv, ext, &wants);
    case TKT_SIEVE_TOOL:
        return dry_run(renv, ext, &wants);
    case TKT_SIEVE_ELSEWHERE:
        break;
    }
    sieve_runtime_error(renv, NULL,
                        "ticket action: no tickets outside a delivery "
                        "(sieve_ticket_imap = yes allows them for IMAP)");
    return SIEVE_EXEC_FAILURE;
}

const struct sieve_operation_def tkt_sieve_op_ticket = {
    .mnemonic = "TICKET",
    .ext_def = &tkt_sieve_extension,
    .code = TKT_SIEVE_OP_TICKET,
    .dump = op_dump,
    .execute = op_execute,
};
