/* SPDX-License-Identifier: BSD-2-Clause
 * Notices that nobody gets: to see what they would say.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "ticketd/notice/notice.h"

#include <string.h>

#define PAYLOAD_MAX 8192

static void add(struct tkt_buf *b, const char *key, const char *value)
{
    (void)tkt_buf_addf(b, "%s\"%s\":", b->len > 1 ? "," : "", key); /* b->failed tells */
    (void)tkt_json_add_string(b, value, strlen(value));             /* the same */
}

static const char *or_else(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

/* What a notice of that kind would carry. */
static int make_payload(const struct tkt_notice_asked *asked, struct tkt_buf *b)
{
    (void)tkt_buf_addc(b, '{'); /* b->failed tells, of all these */
    add(b, "what", or_else(asked->what, "created"));
    add(b, "to", "ann@example.org");
    add(b, "name", "Ann Example");
    add(b, "role", or_else(asked->role, "requester"));
    add(b, "language", or_else(asked->language, ""));
    add(b, "text", "What somebody wrote.");
    (void)tkt_buf_adds(
        b, ",\"optout\":true,\"event\":{\"reason\":\"the reason\",\"target\":\"itsm\","
           "\"job\":12,\"step\":\"first\",\"due\":\"2026-12-24T12:00:00Z\"}"
           ",\"items\":[{\"line\":\"[IT-12] one of many\",\"ticket\":"
           "\"IT-12\"}],\"left_out\":0}");
    return b->failed ? -1 : 0;
}

int tkt_notice_preview(const struct tkt_settings *set,
                       const struct tkt_notice_asked *asked, struct tkt_reader *reader,
                       int64_t ticket, struct tkt_buf *out, struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf payload = TKT_BUF_INIT(PAYLOAD_MAX);
    struct tkt_notice_made made;

    if (make_payload(asked, &payload) < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "an argument is too long");
    }
    int rc = ticket != 0 ? tkt_notice_make(&made, set, reader, ticket, 0,
                                           tkt_buf_str(&payload), err)
                         : tkt_notice_make_sample(&made, set, tkt_buf_str(&payload), err);
    if (rc == 0) {
        (void)tkt_buf_addc(out, '{'); /* out->failed tells, of all these */
        add(out, "subject", made.notice.subject);
        add(out, "language", made.notice.language);
        add(out, "text", made.notice.text);
        add(out, "html", made.notice.html);
        (void)tkt_buf_addc(out, '}');
        rc = out->failed ? tkt_err_set(err, TKT_ERR_PERM, "it is too long") : 0;
    }
    tkt_notice_made_release(&made);
    return rc;
}
