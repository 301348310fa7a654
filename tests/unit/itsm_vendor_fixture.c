/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm_vendor_fixture.h"

#include <string.h>

static char nothing[] = "";

void itsm_begin(struct itsm_drive *d, const char *type, enum tkt_itsm_op op)
{
    *d = (struct itsm_drive){.ops = tkt_itsm_find(type), .err = TKT_ERR_INIT};
    d->conf = (struct tkt_conf_itsm){.name = (char *)"here",
                                     .type = (char *)(uintptr_t)type,
                                     .url = (char *)ITSM_BASE "/",
                                     .user = (char *)"us",
                                     .secret = (char *)"env:X",
                                     .token_url = nothing,
                                     .client_id = nothing,
                                     .client_secret = nothing,
                                     .scope = nothing,
                                     .project = (char *)"SUP",
                                     .ca_file = nothing,
                                     .cert_file = nothing,
                                     .key_file = nothing,
                                     .proxy = nothing};
    d->ticket = (struct tkt_itsm_ticket){.id = "IT-1",
                                         .corr = ITSM_KEY,
                                         .url = "",
                                         .desk = "it",
                                         .subject = "Printer",
                                         .text = "broken\n",
                                         .requester = "",
                                         .requester_name = "",
                                         .language = "",
                                         .type = "incident",
                                         .category = "",
                                         .subcategory = "",
                                         .service = "",
                                         .group = "",
                                         .assignee = "",
                                         .state = "new",
                                         .priority = 2,
                                         .external = "",
                                         .number = ""};
    d->comment = (struct tkt_itsm_comment){
        .text = "seen", .author = "", .author_name = "", .key = "m-1"};
    d->file = (struct tkt_itsm_file){
        .name = "a.pdf", .type = "application/pdf", .fd = -1, .size = 462, .key = "2"};
    d->site = (struct tkt_itsm_site){
        .conf = &d->conf, .secret = "s3cret", .bearer = "", .product = "ticket-milter"};
    d->call = (struct tkt_itsm_call){.op = op,
                                     .site = &d->site,
                                     .ticket = &d->ticket,
                                     .comment = &d->comment,
                                     .file = &d->file};
}

enum tkt_itsm_next itsm_step(struct itsm_drive *d, int status, const char *answer)
{
    memset(&d->call.request, 0, sizeof(d->call.request));
    if (answer != NULL) {
        cJSON_Delete(d->json);
        d->json = cJSON_Parse(answer);
        d->answer = (struct tkt_itsm_answer){
            .status = status, .body = answer, .len = strlen(answer), .json = d->json};
        d->call.answer = &d->answer;
        d->call.step++;
    }
    return d->ops->steps[d->call.op](&d->call, &d->err);
}

void itsm_end(struct itsm_drive *d)
{
    cJSON_Delete(d->json);
    tkt_wire_arena_release(&d->call.arena);
}
