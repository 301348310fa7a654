/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control_facts.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

#define TICKETS_PER_ID 8

struct writer {
    struct tkt_buf *out;
    bool first;
};

static void add_candidate(struct writer *w, const struct tkt_reader_ticket *t,
                          enum tkt_evidence evidence, const char *message_id)
{
    (void)tkt_buf_addf(
        w->out,
        "%s{\"ticket\":%lld,\"id\":\"%s\",\"desk\":\"%s\",\"state\":\"%s\","
        "\"evidence\":\"%s\",\"is_participant\":%s,\"message_id\":",
        w->first ? "" : ",", (long long)t->ticket, t->id, t->desk,
        tkt_state_names[t->state], tkt_evidence_names[evidence],
        t->is_participant ? "true" : "false");
    (void)tkt_json_add_string(w->out, message_id, strlen(message_id));
    (void)tkt_buf_addc(w->out, '}');
    w->first = false;
}

static int by_reference(struct tkt_reader *reader, const char *id, const char *address,
                        struct writer *w, struct tkt_err *err)
{
    struct tkt_reader_ticket found[TICKETS_PER_ID];
    unsigned char hash[TKT_SHA256_LEN];

    tkt_sha256(id, strlen(id), hash);
    int n = tkt_reader_by_reference(reader, hash, address, found, TICKETS_PER_ID, err);
    for (int k = 0; k < n; k++) {
        add_candidate(w, &found[k], TKT_EVIDENCE_REFERENCE, id);
    }
    return n < 0 ? -1 : 0;
}

static int by_ticket(struct tkt_reader *reader, const char *id, const char *address,
                     struct writer *w, struct tkt_err *err)
{
    struct tkt_reader_ticket found;
    int n = tkt_reader_by_id(reader, id, address, &found, err);

    if (n == 1) {
        add_candidate(w, &found, TKT_EVIDENCE_SUBJECT, "");
    }
    return n < 0 ? -1 : 0;
}

int tkt_control_facts(struct tkt_reader *reader, const struct tkt_control_named *named,
                      size_t count, const char *address, struct tkt_buf *out,
                      struct tkt_err *err)
{
    struct writer w = {.out = out, .first = true};

    (void)tkt_buf_adds(out, "{\"candidates\":["); /* the caller looks at out->failed */
    for (size_t i = 0; i < count; i++) {
        const char *who = address ? address : "";
        int rc = named[i].is_ticket ? by_ticket(reader, named[i].id, who, &w, err)
                                    : by_reference(reader, named[i].id, who, &w, err);
        if (rc < 0) {
            return -1;
        }
    }
    return tkt_buf_adds(out, "]}");
}
