/* SPDX-License-Identifier: BSD-2-Clause
 * What the files of Jira and Jira Service Management share: jira.c (names, comments,
 * files), jira_create.c, jira_state.c (reading and moving), jira_check.c, jira_text.c and
 * jira_adf.c (texts), jsm.c (requests). Pure.
 */
#ifndef TKT_ITSM_JIRA_H
#define TKT_ITSM_JIRA_H
#include "itsm/build.h"

#define TKT_JIRA_PARTS_MAX 8 /* of a text that is too long */
#define TKT_JIRA_TEXT_MAX 30000
#define TKT_JIRA_SUMMARY_MAX 250
#define TKT_JIRA_CUSTOM "customfield_" /* and a number */

struct tkt_jira_work {               /* in the arena, over the steps of an operation */
    const char *reporter, *assignee; /* who they are there, or NULL */
    bool no_reporter, no_assignee, no_priority, no_group; /* refused once */
    bool has_part[TKT_JIRA_PARTS_MAX];
    size_t part;
    /* update: what is there already */
    bool group_ok, priority_ok;
    const char *old_groups[8]; /* mapped ones that are to go */
    const char *had_assignee, *status, *category;
};

/* ---- jira.c --------------------------------------------------------------------------- */

extern const char *const tkt_jira_options[];

/* NULL: no memory. */
struct tkt_jira_work *tkt_jira_work(struct tkt_itsm_call *call);
bool tkt_jira_is_cloud(const struct tkt_itsm_call *call);
bool tkt_jira_is_jsm(const struct tkt_itsm_call *call);
enum tkt_itsm_next tkt_jira_no_memory(struct tkt_err *err);
/* /rest/api/N and the path; NULL stays NULL. */
const char *tkt_jira_url(struct tkt_itsm_call *call, const char *path);
/* Below the issue. */
const char *tkt_jira_issue_url(struct tkt_itsm_call *call, const char *below);
void tkt_jira_refusal(const struct tkt_itsm_answer *answer, struct tkt_err *err);
/* Fails with the words of call->answer. */
enum tkt_itsm_next tkt_jira_refuse(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_ask_user(struct tkt_itsm_call *call, const char *address,
                                     struct tkt_err *err);
/* The id of the only one with just this address, or NULL. */
const char *tkt_jira_user_in(struct tkt_itsm_call *call, const char *address);
/* {"accountId"} or {"name"}, as this Jira has it. */
void tkt_jira_add_user(const struct tkt_itsm_call *call, cJSON *to, const char *name,
                       const char *user);
const char *tkt_jira_priority(struct tkt_itsm_call *call);
/* A component, a label or a group there; NULL: not told. */
const char *tkt_jira_group(const struct tkt_itsm_call *call);
/* "components", "labels" or a custom field. */
const char *tkt_jira_group_field(const struct tkt_itsm_call *call);
/* The issue type or the request type. */
const char *tkt_jira_type(const struct tkt_itsm_call *call);
/* Notes which refused fields can be left out; false: not all can. */
bool tkt_jira_drop(struct tkt_itsm_call *call, struct tkt_jira_work *w);
/* A comment by the issue's API, under a key of ours ("" = none). */
enum tkt_itsm_next tkt_jira_put_comment(struct tkt_itsm_call *call, const char *text,
                                        bool is_public, const char *key,
                                        struct tkt_err *err);
/* Whose issue it is: what was made or found in this call, else the ticket's. */
const char *tkt_jira_key(const struct tkt_itsm_call *call);
/* Of the issue, newest first. */
enum tkt_itsm_next tkt_jira_list_comments(struct tkt_itsm_call *call,
                                          struct tkt_err *err);
enum tkt_itsm_next tkt_jira_list_files(struct tkt_itsm_call *call, struct tkt_err *err);
bool tkt_jira_has_file(struct tkt_itsm_call *call);

/* ---- jira_create.c ------------------------------------------------------------------- */

/* The rows of fields into an object; -1 with err. */
int tkt_jira_fields(struct tkt_itsm_call *call, cJSON *to, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_create(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_list(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_find(struct tkt_itsm_call *call, struct tkt_err *err);

/* ---- jira_text.c ---------------------------------------------------------------------- */

/* Of the subject: one line that fits. */
const char *tkt_jira_summary(struct tkt_itsm_call *call);
/* Of the ticket, never empty. */
const char *tkt_jira_text(struct tkt_itsm_call *call);
/* Its first piece, with its sender where the reporter is somebody else. */
const char *tkt_jira_description(struct tkt_itsm_call *call,
                                 const struct tkt_jira_work *w);
/* "Ann <ann@example.org>:" before the text; NULL stays NULL. */
const char *tkt_jira_sent_by(struct tkt_itsm_call *call, const char *name,
                             const char *address, const char *text);
/* The n-th piece that Jira takes, of *count; NULL: no memory. */
const char *tkt_jira_part(struct tkt_itsm_call *call, const char *text, size_t n,
                          size_t *count);
/* A text as Jira's rich text: a document or wiki markup. */
cJSON *tkt_jira_rich(struct tkt_itsm_call *call, const char *text);
/* The other way. */
char *tkt_jira_plain(struct tkt_itsm_call *call, const cJSON *rich);
/* A text as wiki markup that shows just it (as it is with the option markup=plain), and back. */
char *tkt_jira_to_wiki(struct tkt_itsm_call *call, const char *text);
char *tkt_jira_from_wiki(struct tkt_itsm_call *call, const char *text);
/* How long a text is in Java: a character beyond 16 bits counts twice. */
size_t tkt_jira_units(const char *text);
/* Where http://..., https://... or mailto:... at p ends; 0: there is none. */
size_t tkt_jira_link(const char *p, const char *end);

/* ---- jira_adf.c ----------------------------------------------------------------------- */

/* Plain text as an Atlassian document; NULL: no memory. */
cJSON *tkt_jira_adf(const char *text);

/* ---- jira_state.c, jira_check.c, jsm.c ------------------------------------------------ */

enum tkt_itsm_next tkt_jira_update(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_close(struct tkt_itsm_call *call, struct tkt_err *err);
/* The status that was read, if it may be this state of ours by its category. */
const char *tkt_jira_state_word(struct tkt_itsm_call *call, const char *ours);
enum tkt_itsm_next tkt_jira_fetch(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jira_check(struct tkt_itsm_call *call, struct tkt_err *err);
/* The maker of a customer, or of its place in the desk. */
enum tkt_itsm_next tkt_jsm_make_customer(struct tkt_itsm_call *call, struct tkt_err *err);
enum tkt_itsm_next tkt_jsm_join_desk(struct tkt_itsm_call *call, const char *customer,
                                     struct tkt_err *err);
enum tkt_itsm_next tkt_jsm_post(struct tkt_itsm_call *call, struct tkt_jira_work *w,
                                struct tkt_err *err);
enum tkt_itsm_next tkt_jsm_comment(struct tkt_itsm_call *call, const char *text,
                                   bool is_public, struct tkt_err *err);
enum tkt_itsm_next tkt_jsm_attach(struct tkt_itsm_call *call, struct tkt_err *err);

#endif
