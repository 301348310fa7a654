/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm_fixture.h"

static char *rows[] = {(char *)"net=Network"};
static char *field_rows[] = {(char *)"Site={{fields.site}}",
                             (char *)"Empty={{fields.none}}"};
static char nothing[] = "";
static const struct tkt_field fields[] = {{(char *)"site", (char *)"Berlin"}};

void drive_begin(struct drive *d, const struct tkt_itsm_ops *ops, enum tkt_itsm_op op)
{
    memset(d, 0, sizeof(*d));
    d->ops = ops;
    d->conf = (struct tkt_conf_itsm){.name = (char *)"here",
                                     .type = (char *)(uintptr_t)ops->type,
                                     .url = (char *)"http://127.0.0.1:1/base/",
                                     .user = (char *)"us",
                                     .secret = (char *)"env:X",
                                     .project = (char *)"General",
                                     .groups = {rows, 1},
                                     .fields = {field_rows, 2},
                                     .ca_file = nothing,
                                     .cert_file = nothing,
                                     .key_file = nothing,
                                     .proxy = nothing,
                                     .timeout_ms = 1000,
                                     .concurrency = 1};
    d->site = (struct tkt_itsm_site){
        .conf = &d->conf, .secret = "s3cret", .bearer = "", .product = "ticket-milter"};
    d->ticket = (struct tkt_itsm_ticket){.id = "IT-1",
                                         .corr = "mt-0123456789abcdef0123456789abcdef",
                                         .url = "",
                                         .desk = "it",
                                         .subject = "printer\r\nBcc: x \xf0\x9f\x98\x80",
                                         .text = "it is\x01 broken\n\xf0\x9f\x98\x80\n",
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
                                         .created_ms = 1790000000000,
                                         .fields = fields,
                                         .field_count = 1,
                                         .external = "7/../8",
                                         .number = "7"};
    d->comment = (struct tkt_itsm_comment){
        .text = "seen", .author = "", .author_name = "", .key = "m-1"};
    d->file = (struct tkt_itsm_file){
        .name = "a\"b\r\n.txt", .type = "text/plain", .fd = -1, .size = 3, .key = "2"};
    d->call = (struct tkt_itsm_call){.op = op,
                                     .site = &d->site,
                                     .ticket = &d->ticket,
                                     .comment = &d->comment,
                                     .file = &d->file};
    d->err = (struct tkt_err)TKT_ERR_INIT;
}

enum tkt_itsm_next drive_step(struct drive *d, int status, const char *answer)
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

void drive_end(struct drive *d)
{
    cJSON_Delete(d->json);
    tkt_wire_arena_release(&d->call.arena);
}
