/* SPDX-License-Identifier: BSD-2-Clause
 * A parser child: one message at a time until its socket is closed. See parser/proto.h
 * for what it hears and says. It is called behind the sandbox and has nothing but sock.
 */
#ifndef TKT_PARSER_CHILD_H
#define TKT_PARSER_CHILD_H
#include "message/parse.h"
#include "message/redact.h"

struct tkt_policy;
/* Serves requests on sock; policy may be NULL; returns at end of file, or when ticketd spoke nonsense. */
void tkt_parser_child_serve(int sock, const struct tkt_message_options *options,
                            const struct tkt_redact_rules *redact,
                            const struct tkt_policy *policy);

#endif
