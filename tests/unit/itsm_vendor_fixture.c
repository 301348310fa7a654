/* SPDX-License-Identifier: BSD-2-Clause */
#include "itsm_vendor_fixture.h"

static char nothing[] = "";

void itsm_begin(struct drive *d, const char *type, enum tkt_itsm_op op)
{
    drive_begin(d, tkt_itsm_find(type), op);
    d->conf.url = (char *)ITSM_BASE "/";
    d->conf.token_url = nothing;
    d->conf.client_id = nothing;
    d->conf.client_secret = nothing;
    d->conf.scope = nothing;
    d->conf.project = (char *)"SUP";
    d->conf.groups = (struct tkt_conf_list){NULL, 0};
    d->conf.fields = (struct tkt_conf_list){NULL, 0};
    d->conf.timeout_ms = 0;
    d->conf.concurrency = 0;
    d->ticket.subject = "Printer";
    d->ticket.text = "broken\n";
    d->ticket.requester = "";
    d->ticket.requester_name = "";
    d->ticket.language = "";
    d->ticket.group = "";
    d->ticket.created_ms = 0;
    d->ticket.fields = NULL;
    d->ticket.field_count = 0;
    d->ticket.external = "";
    d->ticket.number = "";
    d->file.name = "a.pdf";
    d->file.type = "application/pdf";
    d->file.size = 462;
}
