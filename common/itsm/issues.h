/* SPDX-License-Identifier: BSD-2-Clause
 * What GitHub's and GitLab's issues have in common: Markdown that a stranger's mail cannot
 * make do anything, the hidden line with the correlation key, and labels that stand for
 * group, priority, type and state. Private to common/itsm; pure.
 */
#ifndef TKT_ITSM_ISSUES_H
#define TKT_ITSM_ISSUES_H
#include "itsm/build.h"

#define TKT_ISSUES_LABELS_MAX 128 /* of one issue; GitHub and GitLab have 100 at most */

/* Text as Markdown that shows just these characters: no HTML, no links that lie, no images
 * from elsewhere, nobody is mentioned, no other issue is referred to, no line is an order
 * ("/close" is one to GitLab). with_breaks: line ends are made to last. With
 * options = {"markdown=yes"} the text is left alone. */
const char *tkt_issues_markdown(struct tkt_itsm_call *call, const char *text,
                                bool with_breaks);
/* The body of a new issue: subject if it had to be cut, sender, text, and the key in a line
 * that is not shown; at most max bytes. */
const char *tkt_issues_body(struct tkt_itsm_call *call, size_t subject_max, size_t max,
                            bool with_breaks);
const char *tkt_issues_title(struct tkt_itsm_call *call, size_t max);
/* Whether a body is that of this ticket. Nobody else knows its key. */
bool tkt_issues_has_key(const struct tkt_itsm_call *call, const char *body);
/* The text of a comment, and of one that says which file stayed here. */
const char *tkt_issues_comment(struct tkt_itsm_call *call, size_t max, bool with_breaks);
const char *tkt_issues_file(struct tkt_itsm_call *call);
/* With a line that is not shown and names the job, so that what it made is known again
 * (itsm/back.h). NULL for NULL, and without memory. */
const char *tkt_issues_marked(struct tkt_itsm_call *call, const char *text);
/* A text from there without what tkt_issues_markdown did to it. */
char *tkt_issues_plain(struct tkt_itsm_call *call, const char *markdown);

/* ---- answers -------------------------------------------------------------------------- */

/* What they call the same things in an issue. */
struct tkt_issues_words {
    const char *key;  /* a number: "iid" */
    const char *page; /* its address for people */
    const char *assignee, *author;
};
bool tkt_issues_says(const struct tkt_itsm_call *call, const char *option,
                     const char *word);
bool tkt_issues_wants_assignee(const struct tkt_itsm_call *call);
/* external, number, url of an issue. */
enum tkt_itsm_next tkt_issues_take(struct tkt_itsm_call *call, const cJSON *issue,
                                   const struct tkt_issues_words *words,
                                   struct tkt_err *err);
/* ... and all else but its comments, of the answer. */
enum tkt_itsm_next tkt_issues_take_state(struct tkt_itsm_call *call,
                                         const struct tkt_issues_words *words,
                                         struct tkt_err *err);

/* ---- labels --------------------------------------------------------------------------- */

struct tkt_issues_labels {
    const char *names[TKT_ISSUES_LABELS_MAX];
    size_t count;
};

/* What of the ticket's group, priority, type and state this operation tells. */
void tkt_issues_wanted(struct tkt_itsm_call *call, bool with_type,
                       struct tkt_issues_labels *out);
/* Those that the issue has (an array of names, or of objects with a name). */
void tkt_issues_have(const cJSON *labels, struct tkt_issues_labels *out);
bool tkt_issues_in(const struct tkt_issues_labels *labels, const char *name);
/* One that only the section gives: it goes when the ticket does not want it any more. */
bool tkt_issues_is_ours(const struct tkt_itsm_call *call, const char *name);
/* Whether such a ticket's issue is closed. */
bool tkt_issues_is_closed(const char *state);
/* state, group and priority as labels tell them; word: the state without a label. */
void tkt_issues_see(struct tkt_itsm_call *call, const struct tkt_issues_labels *have,
                    const char *word);
/* LIST: the answer's array of issues, each with its key under that name. true: a further
 * page may have more; *out says how it went. */
bool tkt_issues_changed(struct tkt_itsm_call *call, const char *key, size_t page,
                        enum tkt_itsm_next *out, struct tkt_err *err);
/* CHECK: which labels of the section are there (the answer has those that are). One that
 * is not there is made by the first issue that has it. */
enum tkt_itsm_next tkt_issues_tell_labels(struct tkt_itsm_call *call);

#endif
