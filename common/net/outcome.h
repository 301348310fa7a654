/* SPDX-License-Identifier: BSD-2-Clause
 * What an answer means for the work that asked for it. Pure; any thread.
 */
#ifndef TKT_NET_OUTCOME_H
#define TKT_NET_OUTCOME_H
#include "net/http.h"

/* Seconds to wait: a number, or a date after now_s; 0 when it is neither. Cut at
 * TKT_HTTP_RETRY_AFTER_MAX_S. */
int tkt_retry_after(const char *value, int64_t now_s);
/* Seconds for which a server's header fields say that its rate limit is used up (none
 * remain, and when that ends): 0 when they do not. The forms of several vendors: seconds, a
 * time since 1970, an ISO 8601 time. Cut as above. */
int tkt_http_rest_s(const struct tkt_http_response *response, int64_t now_s);
/* The three forms of an HTTP date; -1 when it is none. */
int64_t tkt_http_date(const char *value);
/* By the status alone: what it means for a request that is repeatable or not. */
enum tkt_http_outcome tkt_http_status_outcome(int status, bool repeatable);
/* DONE NONE, REJECTED PERM (401 and 403 CONF: a key is wrong), RETRY and UNKNOWN TEMP. */
enum tkt_err_class tkt_http_outcome_class(enum tkt_http_outcome outcome, int status);
/* For a 2xx whose body cannot be read: it may have been carried out. */
void tkt_http_unreadable(struct tkt_http_response *response, bool repeatable,
                         const char *why);
/* When to try again the n-th time (1, 2, ...): between first_ms and the double of it grows
 * to max_ms with full jitter (jitter 0..1023), never before asked_s and at most a fifth
 * behind it. */
int64_t tkt_http_backoff_ms(int attempt, int64_t first_ms, int64_t max_ms, int asked_s,
                            unsigned jitter);

#endif
