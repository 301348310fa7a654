/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/control_facts.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

static void add_candidate(struct tkt_buf *out, const struct tkt_reader_ticket *t,
                          const char *id, bool first)
{
    (void)tkt_buf_addf(
        out,
        "%s{\"ticket\":%lld,\"id\":\"%s\",\"desk\":\"%s\",\"state\":\"%s\","
        "\"evidence\":\"reference\",\"is_participant\":%s,\"message_id\":",
        first ? "" : ",", (long long)t->ticket, t->id, t->desk, tkt_state_names[t->state],
        t->is_participant ? "true" : "false");
    (void)tkt_json_add_string(out, id, strlen(id));
    (void)tkt_buf_addc(out, '}');
}

int tkt_control_facts(struct tkt_reader *reader, const char *const *ids, size_t count,
                      const char *address, struct tkt_buf *out, struct tkt_err *err)
{
    bool first = true;

    (void)tkt_buf_adds(out, "{\"candidates\":["); /* the caller looks at out->failed */
    for (size_t i = 0; i < count; i++) {
        struct tkt_reader_ticket found[8];
        unsigned char hash[TKT_SHA256_LEN];

        tkt_sha256(ids[i], strlen(ids[i]), hash);
        int n = tkt_reader_by_reference(reader, hash, address ? address : "", found,
                                        (int)TKT_ARRAY_LEN(found), err);
        if (n < 0) {
            return -1;
        }
        for (int k = 0; k < n; k++) {
            add_candidate(out, &found[k], ids[i], first);
            first = false;
        }
    }
    return tkt_buf_adds(out, "]}");
}
