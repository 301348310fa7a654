/* SPDX-License-Identifier: BSD-2-Clause
 * For tests of backends: takes one step after the other by answers that are given.
 */
#ifndef TKT_TESTS_ITSM_STEPS_H
#define TKT_TESTS_ITSM_STEPS_H
#include "itsm/build.h"

#include <stdio.h>
#include <string.h>

#define STEPS_CORR "mt-0123456789abcdef0123456789abcdef"

struct steps {
    struct tkt_conf_itsm conf;
    struct tkt_itsm_site site;
    struct tkt_itsm_ticket ticket;
    struct tkt_itsm_comment comment;
    struct tkt_itsm_file file;
    struct tkt_itsm_call call;
    struct tkt_itsm_answer answer;
    cJSON *json;
    struct tkt_err err;
};

static inline const struct tkt_itsm_ops *steps_begin(struct steps *s, const char *type,
                                                     enum tkt_itsm_op op)
{
    static char *groups[] = {(char *)"net=7"};
    static char nothing[] = "";

    memset(s, 0, sizeof(*s));
    s->conf = (struct tkt_conf_itsm){.name = (char *)"here",
                                     .type = (char *)(uintptr_t)type,
                                     .url = (char *)"https://desk.example/base",
                                     .user = (char *)"us",
                                     .secret = (char *)"env:X",
                                     .project = (char *)"5",
                                     .groups = {groups, 1},
                                     .ca_file = nothing,
                                     .cert_file = nothing,
                                     .key_file = nothing,
                                     .proxy = nothing};
    s->site = (struct tkt_itsm_site){
        .conf = &s->conf, .secret = "s3cret", .bearer = "", .product = "ticket-milter"};
    s->ticket = (struct tkt_itsm_ticket){.id = "IT-1",
                                         .corr = STEPS_CORR,
                                         .url = "",
                                         .desk = "it",
                                         .subject = "printer",
                                         .text = "broken\n",
                                         .requester = "ann@example.org",
                                         .requester_name = "Ann",
                                         .language = "en",
                                         .type = "incident",
                                         .category = "",
                                         .subcategory = "",
                                         .service = "",
                                         .group = "net",
                                         .assignee = "",
                                         .state = "new",
                                         .priority = 2,
                                         .external = "15",
                                         .number = "15"};
    s->comment = (struct tkt_itsm_comment){
        .text = "seen", .author = "", .author_name = "", .key = "m-1"};
    s->file = (struct tkt_itsm_file){
        .name = "a\"b\r\n.txt", .type = "text/plain", .fd = -1, .size = 3, .key = "2"};
    s->call = (struct tkt_itsm_call){.op = op,
                                     .site = &s->site,
                                     .ticket = &s->ticket,
                                     .comment = &s->comment,
                                     .file = &s->file};
    s->err = (struct tkt_err)TKT_ERR_INIT;
    return tkt_itsm_find(type);
}

/* The next step, by the answer; NULL: the first. */
static inline enum tkt_itsm_next steps_next(struct steps *s, int status,
                                            const char *answer)
{
    const struct tkt_itsm_ops *ops = tkt_itsm_find(s->conf.type);

    memset(&s->call.request, 0, sizeof(s->call.request));
    if (answer != NULL) {
        cJSON_Delete(s->json);
        s->json = cJSON_Parse(answer);
        s->answer = (struct tkt_itsm_answer){
            .status = status, .body = answer, .len = strlen(answer), .json = s->json};
        s->call.answer = &s->answer;
        s->call.step++;
    }
    return ops->steps[s->call.op](&s->call, &s->err);
}

/* Whether the request has this header line. */
static inline bool steps_header(const struct steps *s, const char *line)
{
    for (size_t i = 0; i < s->call.request.header_count; i++) {
        if (strcmp(s->call.request.headers[i], line) == 0) {
            return true;
        }
    }
    return false;
}

static inline void steps_end(struct steps *s)
{
    cJSON_Delete(s->json);
    tkt_wire_arena_release(&s->call.arena);
}

#endif
