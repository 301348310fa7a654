/* SPDX-License-Identifier: BSD-2-Clause
 * Mails of which a person said what they are, for tests: one JSON object a line with
 * subject, body and either group, or mood and urgency. They are read as mail: quotes,
 * signatures and forwards are cut as ever.
 */
#ifndef TKT_TESTS_DECIDE_MAILS_H
#define TKT_TESTS_DECIDE_MAILS_H
#include "base/buf.h"
#include "message/message.h"

struct tkt_test_mail { /* what the line says; "" = nothing */
    struct tkt_buf subject, body, group, mood, urgency, id;
};

/* Both live until it returns; not 0: that was the last. */
typedef int tkt_test_mail_fn(void *arg, const struct tkt_test_mail *mail,
                             const struct tkt_message *msg);

/* Each mail of a file in turn; tkt_message_parser_init() comes first. -1: not all were
 * read, and why is printed. */
int tkt_test_mails(const char *path, tkt_test_mail_fn *fn, void *arg);

#endif
