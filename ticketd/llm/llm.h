/* SPDX-License-Identifier: BSD-2-Clause
 * The question to a language model, and the reading of what it says. Pure; any thread.
 *
 * Mail text is data: it stands in a message of its own between marks that it cannot
 * forge, and whatever it makes the model say, only a label of the configuration, one of
 * three urgencies and a sanitised sentence come out of here.
 */
#ifndef TKT_TICKETD_LLM_H
#define TKT_TICKETD_LLM_H
#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "conf/conf.h"
#include "decide/decide.h"

#include <stdbool.h>
#include <stdint.h>

#define TKT_LLM_LABEL_MAX 64
#define TKT_LLM_SUMMARY_MAX 300
#define TKT_LLM_NOTE_MAX (TKT_LLM_SUMMARY_MAX + 100)
#define TKT_LLM_REQUEST_MAX (1024 * 1024)
#define TKT_LLM_ANSWER_MAX (256 * 1024)

struct tkt_llm_answer {
    char category[TKT_LLM_LABEL_MAX + 1]; /* "" = it did not know */
    int urgency;                          /* 0 = it did not know */
    char summary[TKT_LLM_SUMMARY_MAX + 1];
};

enum tkt_llm_verdict {
    TKT_LLM_ANSWERED,
    TKT_LLM_REFUSED,  /* it would not */
    TKT_LLM_FILTERED, /* the service would not */
    TKT_LLM_CUT,      /* longer than answer_tokens */
    TKT_LLM_NONSENSE, /* not what was asked for */
    TKT_LLM_VERDICT_COUNT
};
extern const char *const tkt_llm_verdict_names[];

/* Is it to be asked about a ticket with this decision? */
bool tkt_llm_wanted(const struct tkt_conf_llm *conf, const struct tkt_decision *d);
/* The body of the request about a (redacted) text, answer_tokens as given. */
int tkt_llm_request(const struct tkt_conf_llm *conf, const char *text, size_t n,
                    int64_t answer_tokens, struct tkt_buf *out, struct tkt_err *err);
/* Where it goes. */
int tkt_llm_url(const struct tkt_conf_llm *conf, struct tkt_buf *out);
/* Of a question: the same key, the same answer may be used again. */
void tkt_llm_key(const struct tkt_conf_llm *conf, const struct tkt_buf *request,
                 unsigned char key[TKT_SHA256_LEN]);
/* A 200's body. *tokens: what it cost, 0 = not said. out is filled when ANSWERED. */
enum tkt_llm_verdict tkt_llm_read(const struct tkt_conf_llm *conf, const char *body,
                                  size_t n, struct tkt_llm_answer *out, int64_t *tokens);
/* What an error's body says besides the status. */
struct tkt_llm_trouble {
    bool is_filtered;
    bool is_quota; /* paid out: asking again costs nothing and brings nothing */
};
void tkt_llm_trouble(const char *body, size_t n, struct tkt_llm_trouble *out);
/* What the matrix of the configuration makes of an urgency; impact 0: its default. */
int tkt_llm_priority(const struct tkt_conf_priority *conf, int urgency, int impact);
/* The summary as a comment that says who wrote it. */
void tkt_llm_note(const struct tkt_conf_llm *conf, const struct tkt_llm_answer *a,
                  char out[TKT_LLM_NOTE_MAX + 1]);
extern const char *const tkt_llm_urgency_names[]; /* [1] "high" ... */
/* An answer as it is kept, and back; the latter checks it like a new one. */
int tkt_llm_write(const struct tkt_conf_llm *conf, const struct tkt_llm_answer *a,
                  struct tkt_buf *out);
bool tkt_llm_check(const struct tkt_conf_llm *conf, const char *json, size_t n,
                   struct tkt_llm_answer *out);

#endif
