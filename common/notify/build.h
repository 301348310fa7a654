/* SPDX-License-Identifier: BSD-2-Clause
 * What channels make requests of, and read answers with. Private to common/notify; pure.
 *
 * Everything lives in call->arena. A maker that got no memory returns NULL, and each takes
 * NULL: tkt_channel_post says so in the end.
 */
#ifndef TKT_NOTIFY_BUILD_H
#define TKT_NOTIFY_BUILD_H
#include "notify/notify.h"
#include "template/template.h"

#include <cjson/cJSON.h>

const char *tkt_channel_text(struct tkt_channel_call *call, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
char *tkt_channel_keep(struct tkt_channel_call *call, const char *text);
/* The section's url, or the vendor's where the section has none, without a '/' at its end. */
const char *tkt_channel_base(struct tkt_channel_call *call, const char *vendor);
/* As one component of a URL or a value of a form. */
const char *tkt_channel_escape(struct tkt_channel_call *call, const char *text);
/* At most max characters, never between the bytes of one; where something was cut, "..."
 * is its end. Control characters but the line's end become blanks. */
const char *tkt_channel_cut(struct tkt_channel_call *call, const char *text, size_t max);
/* The same as one line. */
const char *tkt_channel_line(struct tkt_channel_call *call, const char *text, size_t max);
/* RFC 3339 in UTC. */
const char *tkt_channel_time(struct tkt_channel_call *call, int64_t at_ms);

/* What is known of the ticket, for people: only rows with a value. How many there are. */
#define TKT_CHANNEL_FACTS_MAX 6
struct tkt_channel_fact {
    const char *title;
    const char *value;
};
size_t tkt_channel_facts(struct tkt_channel_call *call,
                         struct tkt_channel_fact out[TKT_CHANNEL_FACTS_MAX]);

/* notice->to, or the section's. */
const char *tkt_channel_to(const struct tkt_channel_call *call);
/* Who the section sends as: its secret as a token, or the OAuth token. */
void tkt_channel_bearer(struct tkt_channel_call *call);
void tkt_channel_basic(struct tkt_channel_call *call, const char *user,
                       const char *password);
void tkt_channel_header(struct tkt_channel_call *call, const char *line);

/* Ends build: 0, or -1 TEMP when something above got no memory. body is NUL-terminated. */
int tkt_channel_post(struct tkt_channel_call *call, const char *url, const char *type,
                     const char *body, struct tkt_err *err);
/* The same with JSON; takes it (deletes it). */
int tkt_channel_post_json(struct tkt_channel_call *call, const char *url, cJSON *json,
                          struct tkt_err *err);

/* The body of an answer as JSON, NULL when it is none; delete it. */
cJSON *tkt_channel_json(const struct tkt_http_response *response);
/* A text or a number below "a.b" as text; "" when it is not there. */
const char *tkt_channel_str(struct tkt_channel_call *call, const cJSON *json,
                            const char *path);
/* "VENDOR: what" as err of that class; control characters in what are blanks. -1. */
int tkt_channel_refuse(struct tkt_err *err, enum tkt_err_class class, const char *vendor,
                       const char *what);
/* err as HTTP has it, with the vendor's words behind it: 0 when it was DONE, else -1. */
int tkt_channel_by_status(struct tkt_channel_call *call,
                          const struct tkt_http_response *response, const char *vendor,
                          const char *words, struct tkt_err *err);

#endif
