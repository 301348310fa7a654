/* SPDX-License-Identifier: BSD-2-Clause
 * The conversation with a child about one message.
 */
#include "base/clock.h"
#include "base/util.h"
#include "ticketd/parser/parserpool_private.h"

#include <string.h>

static enum tkt_child_result ask(struct tkt_pool_talk *t,
                                 const struct tkt_child_request *req,
                                 struct tkt_child_answer *answer)
{
    int64_t until_us =
        TKT_MIN(tkt_clock_mono_us() + t->claim->budget_ms * 1000, t->deadline_us);
    enum tkt_child_result rc = tkt_child_send(t->claim->child, req, until_us, t->err);

    if (rc == TKT_CHILD_OK) {
        rc = tkt_child_receive(t->claim->child, until_us, answer, t->err);
    }
    if (rc == TKT_CHILD_OK && answer->tail_len > 0 && req->tail_len == 0) {
        tkt_err_set(t->err, TKT_ERR_TEMP, "decisions that nobody asked for");
        rc = TKT_CHILD_NONSENSE;
    }
    return rc;
}

/* ---- facts ---------------------------------------------------------------------------- */

static int encode(const struct tkt_facts *facts, struct tkt_buf *out, struct tkt_err *err)
{
    return tkt_facts_encode(facts, out) < 0
               ? tkt_err_set(err, TKT_ERR_TEMP, "too many facts")
               : 0;
}

/* A message without anything: as decoded from one, no string of it is NULL. */
static int make_blank(struct tkt_message *out)
{
    static const struct tkt_message nothing;
    TKT_AUTO_BUF struct tkt_buf coded = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);

    return tkt_message_encode(&nothing, &coded) < 0
               ? -1
               : tkt_message_decode(coded.data, coded.len, out, NULL);
}

void tkt_pool_talk_guess(struct tkt_pool_talk *t, const char *from,
                         struct tkt_child_request *req)
{
    struct tkt_err ignored = TKT_ERR_INIT; /* without a guess it takes two trips */
    struct tkt_message blank;
    struct tkt_facts facts;

    if (from == NULL || t->facts == NULL || make_blank(&blank) < 0) {
        return;
    }
    blank.from.address = (char *)(uintptr_t)from;
    memset(&facts, 0, sizeof(facts));
    if (t->facts(t->arg, &blank, &facts, &ignored) == 0 &&
        encode(&facts, &t->guess, &ignored) == 0) {
        req->tail = t->guess.data;
        req->tail_len = t->guess.len;
    }
    tkt_facts_release(&facts);
    tkt_message_release(&blank);
}

static bool guess_was_right(const struct tkt_pool_talk *t, const struct tkt_buf *coded)
{
    return t->guess.len == coded->len &&
           memcmp(t->guess.data, coded->data, coded->len) == 0;
}

/* ---- decisions ------------------------------------------------------------------------ */

static enum tkt_child_result take_decisions(struct tkt_pool_talk *t, const char *data,
                                            size_t n, const struct tkt_facts *facts,
                                            struct tkt_decisions *out)
{
    if (tkt_decisions_decode(data, n, out, t->err) < 0) {
        return TKT_CHILD_NONSENSE;
    }
    if (tkt_decisions_check(out, facts, t->err) < 0) {
        tkt_decisions_release(out);
        return TKT_CHILD_NONSENSE;
    }
    return TKT_CHILD_OK;
}

/* The facts are there: by the decisions that came along, or by a second trip. */
static enum tkt_child_result decide(struct tkt_pool_talk *t,
                                    const struct tkt_facts *facts,
                                    const struct tkt_child_answer *parsed,
                                    struct tkt_decisions *out)
{
    TKT_AUTO_BUF struct tkt_buf coded = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_child_answer answer;

    if (encode(facts, &coded, t->err) < 0) {
        return TKT_CHILD_ERROR;
    }
    if (parsed->tail_len > 0 && guess_was_right(t, &coded)) {
        t->guessed = true;
        return take_decisions(t, parsed->tail, parsed->tail_len, facts, out);
    }
    struct tkt_child_request req = {
        .type = TKT_PARSER_DECIDE, .payload = coded.data, .len = coded.len};
    enum tkt_child_result rc = ask(t, &req, &answer);
    return rc == TKT_CHILD_OK ? take_decisions(t, answer.data, answer.len, facts, out)
                              : rc;
}

enum tkt_child_result tkt_pool_talk(struct tkt_pool_talk *t,
                                    const struct tkt_child_request *req,
                                    struct tkt_analysis *out)
{
    struct tkt_facts facts;
    struct tkt_child_answer parsed;
    enum tkt_child_result rc = ask(t, req, &parsed);

    t->facts_failed = false;
    t->guessed = false;
    if (rc != TKT_CHILD_OK) {
        return rc;
    }
    if (tkt_message_decode(parsed.data, parsed.len, &out->msg, t->err) < 0) {
        return TKT_CHILD_NONSENSE;
    }
    if (t->facts == NULL) {
        return TKT_CHILD_OK; /* it was to be read, no more */
    }
    memset(&facts, 0, sizeof(facts));
    t->facts_failed = t->facts(t->arg, &out->msg, &facts, t->err) < 0;
    if (!t->facts_failed) {
        rc = decide(t, &facts, &parsed, &out->decisions);
    }
    tkt_facts_release(&facts);
    if (rc != TKT_CHILD_OK || t->facts_failed) {
        tkt_message_release(&out->msg);
        memset(out, 0, sizeof(*out));
    }
    return rc;
}
