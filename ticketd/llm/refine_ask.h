/* SPDX-License-Identifier: BSD-2-Clause
 * One question to the language model: what the job and inline share. Private to refine*.c.
 */
#ifndef TKT_TICKETD_REFINE_ASK_H
#define TKT_TICKETD_REFINE_ASK_H
#include "net/http.h"
#include "secret/secret.h"
#include "ticketd/llm/llm.h"
#include "ticketd/llm/refine.h"

struct tkt_llm_ask {
    struct tkt_refiner *refiner;
    struct tkt_settings *set;
    const struct tkt_conf_llm *conf; /* of set */
    char *text;                      /* redacted */
    size_t text_len;
    struct tkt_buf body;
    unsigned char key[TKT_SHA256_LEN];
    struct tkt_buf kept; /* an answer of before */
    struct tkt_secret secret;
    int64_t answer_tokens;
    int64_t taken;    /* tokens from the budget */
    int64_t asked_ms; /* wall; of the first request */
    /* how it ended: */
    struct tkt_llm_answer answer;
    bool is_answer;
    bool is_cached;
    int64_t tokens;
    int64_t took_ms;
    char why[200]; /* when there is no answer */
};

void tkt_llm_ask_init(struct tkt_llm_ask *a, struct tkt_daemon *d);
void tkt_llm_ask_release(struct tkt_llm_ask *a);
/* Redacts, writes the question, looks for a kept answer (then is_answer is set), reads
 * the key. Blocks. */
int tkt_llm_ask_prepare(struct tkt_llm_ask *a, struct tkt_daemon *d,
                        struct tkt_tools *tools, const char *subject, const char *text,
                        int64_t deadline_mono_ms, struct tkt_err *err);
/* Budget and circuit: may it be sent now? false: why is filled. */
bool tkt_llm_ask_may(struct tkt_llm_ask *a);
/* It was not sent after all. */
void tkt_llm_ask_forget(struct tkt_llm_ask *a);
/* Fills the request; headers and url live in room until start has copied them. */
struct tkt_llm_room {
    struct tkt_buf url;
    struct tkt_buf auth;
    const char *headers[4];
};
int tkt_llm_ask_fill(const struct tkt_llm_ask *a, struct tkt_llm_room *room,
                     struct tkt_http_request *q, int64_t timeout_ms);
void tkt_llm_room_release(struct tkt_llm_room *room);
/* What came back. again: worth another try soon (the service was not there). longer: the
 * answer was cut off and a longer one may be asked for; the body is written anew. */
void tkt_llm_ask_judge(struct tkt_llm_ask *a, const struct tkt_http_response *r,
                       bool *again, bool *longer);
/* The event's data. */
int tkt_llm_ask_event(const struct tkt_llm_ask *a, bool is_inline, struct tkt_buf *out);

#endif
