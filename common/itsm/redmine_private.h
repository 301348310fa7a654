/* SPDX-License-Identifier: BSD-2-Clause
 * Numbers for names: Redmine wants numbers where people have names. A plan says which are
 * needed, resolve asks for them one after the other. And texts. Private to redmine*.c; pure.
 */
#ifndef TKT_ITSM_REDMINE_PRIVATE_H
#define TKT_ITSM_REDMINE_PRIVATE_H
#include "itsm/build.h"

#define TKT_REDMINE_PAGE 100 /* the most that Redmine gives at once */
#define TKT_REDMINE_WANTS_MAX 8

/* One number that is needed, and the list that has it by name. */
struct tkt_redmine_want {
    const char *member; /* of the issue: "priority_id" */
    const char *what;   /* for people */
    const char *name;
    const char *path;
    const char *list; /* "issue_statuses" */
    const char *item; /* below each of list: "group.", or "" */
    bool optional;    /* the issue goes without it */
    bool is_person;
    int id;
};

struct tkt_redmine_plan { /* in the arena */
    struct tkt_redmine_want wants[TKT_REDMINE_WANTS_MAX];
    size_t count;
    size_t asked; /* wants before it have their numbers */
    int offset;   /* of the page of members that was asked for */
    const char *draft;
    const char *token; /* of an upload */
    bool making_user;
};

extern const struct tkt_itsm_word tkt_redmine_states[];
/* A number that is written as one; else 0. */
int tkt_redmine_number(const char *text);
/* That of the call, in its arena; NULL: no memory. */
struct tkt_redmine_plan *tkt_redmine_plan(struct tkt_itsm_call *call);
/* What has no name is not wanted. */
void tkt_redmine_want_state(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                            const char *state);
/* NULL: that of the ticket. */
void tkt_redmine_want_priority(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                               const char *name);
void tkt_redmine_want_group(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                            const char *name);
/* Whom it is assigned to. */
void tkt_redmine_want_people(struct tkt_itsm_call *call, struct tkt_redmine_plan *p);
void tkt_redmine_want_person(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                             const char *member, const char *address);
/* 1: all numbers are there; 0: *next says what comes first. */
int tkt_redmine_resolve(struct tkt_itsm_call *call, struct tkt_redmine_plan *p,
                        bool is_answer, enum tkt_itsm_next *next, struct tkt_err *err);
/* 0: not wanted, or not known there. */
int tkt_redmine_id(const struct tkt_redmine_plan *p, const char *member);
void tkt_redmine_add_numbers(const struct tkt_redmine_plan *p, cJSON *issue);
/* "/projects/NAME" and below. */
const char *tkt_redmine_project_path(struct tkt_itsm_call *call, const char *below);

/* A mail's text as it is to be sent (option markup), and one as it came back. NULL: no
 * memory, or no text. */
const char *tkt_redmine_text(struct tkt_itsm_call *call, const char *text);
char *tkt_redmine_plain(struct tkt_itsm_call *call, const char *text);
int tkt_redmine_check_markup(const struct tkt_conf_itsm *conf, struct tkt_err *err);

#endif
