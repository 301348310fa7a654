/* SPDX-License-Identifier: BSD-2-Clause
 * Asking while the SMTP client waits, where llm.inline says so.
 */
#include "ticketd/intake/refine_inline.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/util.h"
#include "ticketd/llm/refine_ask.h"

#include <string.h>

static const struct tkt_conf_llm *conf_of(const struct tkt_request *req)
{
    return &req->set->conf->llm;
}

bool tkt_refine_later(const struct tkt_request *req, size_t desk)
{
    return req->analysed && !req->is_refined && !req->wire.dry_run &&
           tkt_llm_wanted(conf_of(req), &req->analysis.decisions.items[desk]);
}

static char *keep(struct tkt_request *req, const char *text)
{
    return tkt_wire_arena_strdup(&req->analysis.decisions.arena, text, strlen(text));
}

static void add_reason(struct tkt_request *req, struct tkt_decision *d, const char *field,
                       const char *value)
{
    struct tkt_reason *all;

    if (d->reason_count >= TKT_DECISION_REASONS_MAX) {
        return;
    }
    all = tkt_wire_arena_alloc(&req->analysis.decisions.arena,
                               (d->reason_count + 1) * sizeof(*all));
    if (!all) {
        return;
    }
    if (d->reason_count > 0) {
        memcpy(all, d->reasons, d->reason_count * sizeof(*all));
    }
    struct tkt_reason r = {.source = TKT_SOURCE_LLM,
                           .by = keep(req, conf_of(req)->model),
                           .field = keep(req, field),
                           .value = keep(req, value)};
    if (r.by && r.field && r.value) {
        all[d->reason_count] = r;
        d->reasons = all;
        d->reason_count++;
    }
}

/* Only what nothing else has decided. */
static void change(struct tkt_request *req, size_t i, const struct tkt_llm_answer *a)
{
    struct tkt_decision *d = &req->analysis.decisions.items[i];
    char *category = *a->category && !*d->category ? keep(req, a->category) : NULL;

    if (category) {
        d->category = category;
        add_reason(req, d, "category", category);
    }
    if (a->urgency > 0 && d->urgency == 0) {
        d->urgency = a->urgency;
        add_reason(req, d, "urgency", tkt_llm_urgency_names[a->urgency]);
        int priority = tkt_llm_priority(&req->set->conf->priority, a->urgency, d->impact);
        if (priority > 0 && d->priority == req->desks[i]->priority) {
            d->priority = priority;
        }
    }
    if (*a->summary) {
        char note[TKT_LLM_NOTE_MAX + 1];

        add_reason(req, d, "summary", a->summary);
        tkt_llm_note(conf_of(req), a, note);
        req->notes[i] = keep(req, note);
    }
}

static bool ask(struct tkt_request *req, struct tkt_tools *tools, struct tkt_llm_ask *a)
{
    int64_t until = tkt_clock_mono_ms() + a->conf->inline_ms;
    struct tkt_http_request q;
    struct tkt_http_response r = {0};
    struct tkt_llm_room room = {0};
    struct tkt_err err = TKT_ERR_INIT;
    bool again, longer;

    if (tkt_llm_ask_prepare(a, req->d, tools, req->analysis.msg.subject,
                            req->analysis.msg.reply_text, until, &err) < 0) {
        return false;
    }
    if (a->is_answer) {
        return true;
    }
    int64_t left = until - tkt_clock_mono_ms();

    if (left <= 0 || !tkt_llm_ask_may(a)) {
        return false;
    }
    if (tkt_llm_ask_fill(a, &room, &q, left) < 0 || tkt_http_perform(&q, &r, &err) < 0) {
        tkt_llm_ask_forget(a);
    } else {
        tkt_llm_ask_judge(a, &r, &again, &longer);
        tkt_http_response_release(&r);
    }
    tkt_llm_room_release(&room);
    return a->is_answer;
}

void tkt_refine_inline(struct tkt_request *req, struct tkt_tools *tools)
{
    struct tkt_llm_ask a;
    bool wanted = false;

    if (!conf_of(req)->is_inline || !req->analysed || req->wire.dry_run) {
        return;
    }
    for (size_t i = 0; i < req->desk_count; i++) {
        wanted = wanted || tkt_refine_later(req, i);
    }
    if (!wanted) {
        return;
    }
    tkt_llm_ask_init(&a, req->d);
    if (ask(req, tools, &a)) {
        for (size_t i = 0; i < req->desk_count; i++) {
            if (tkt_refine_later(req, i)) {
                change(req, i, &a.answer);
            }
        }
        req->is_refined = true;
    }
    tkt_log(TKT_LOG_INFO, req->wire.queue_id, "llm.inline", "status",
            a.is_answer ? "answered" : "kept", "ms", TKT_NUM(a.took_ms), "why",
            a.is_answer ? NULL : a.why, NULL);
    tkt_llm_ask_release(&a);
}
