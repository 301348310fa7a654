/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/model_route.h"

#include "base/enc.h"
#include "decide/model.h"
#include "decide/policy.h"
#include "decide/route.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What a person may call an urgency in the texts that a model learned from. */
static int urgency_of(const char *label)
{
    static const char *const words[][3] = {
        {"1", "high", "urgent"}, {"2", "medium", "normal"}, {"3", "low", "low"}};

    for (int u = 0; u < 3; u++) {
        for (int i = 0; i < 3; i++) {
            if (tkt_ascii_ieq(label, words[u][i])) {
                return u + 1;
            }
        }
    }
    return 0;
}

static char *copy(struct tkt_wire_arena *arena, const char *s, size_t n)
{
    return tkt_wire_arena_strdup(arena, s, n);
}

static int copy_words(const struct tkt_model_choice *c, struct tkt_wire_arena *arena,
                      struct tkt_strings *out)
{
    *out = (struct tkt_strings){NULL, 0};
    if (c->word_count == 0) {
        return 0;
    }
    out->items = tkt_wire_arena_alloc(arena, c->word_count * sizeof(*out->items));
    if (out->items == NULL) {
        return -1;
    }
    for (; out->count < c->word_count; out->count++) {
        out->items[out->count] =
            copy(arena, c->words[out->count].text, c->words[out->count].len);
        if (out->items[out->count] == NULL) {
            return -1;
        }
    }
    return 0;
}

/* Where the answer of a head goes, or NULL: urgency, or a label that is none. */
static char **field_of(struct tkt_decision *d, enum tkt_model_head head)
{
    switch (head) {
    case TKT_HEAD_CATEGORY:
        return &d->category;
    case TKT_HEAD_GROUP:
        return &d->group;
    default:
        return NULL;
    }
}

static int apply(struct tkt_decision *d, enum tkt_model_head head,
                 const struct tkt_model *m, const struct tkt_model_choice *c,
                 struct tkt_wire_arena *arena)
{
    const char *label = tkt_model_label(m, head, (size_t)c->label);
    char **field = field_of(d, head);

    if (field == NULL) {
        int urgency = urgency_of(label);
        d->urgency = urgency != 0 ? urgency : d->urgency;
        return 0;
    }
    *field = copy(arena, label, strlen(label));
    return *field == NULL ? -1 : 0;
}

static int answer(struct tkt_decision *d, enum tkt_model_head head,
                  const struct tkt_model *m, const struct tkt_model_choice *c,
                  struct tkt_wire_arena *arena)
{
    struct tkt_reason reason = {
        .source = TKT_SOURCE_MODEL,
        .by = (char *)(uintptr_t)tkt_model_head_names[head],
        .field = (char *)(uintptr_t)(c->label >= 0 ? tkt_model_head_names[head] : ""),
        .value = (char *)(uintptr_t)tkt_model_label(m, head, (size_t)c->best),
        .permille = (int)lrint(c->probability * 1000),
    };

    if (copy_words(c, arena, &reason.words) < 0) {
        return -1;
    }
    if (c->label >= 0) {
        if (apply(d, head, m, c, arena) < 0) {
            return -1;
        }
        if (d->keywords.count == 0) {
            d->keywords = reason.words;
        }
    }
    return tkt_reason_add(d, arena, &reason);
}

/* ---- the question, once a message ----------------------------------------------------- */

struct tkt_model_memo {
    struct tkt_model_work *work;
    bool is_asked;
    struct tkt_model_choice choice[TKT_HEAD_COUNT];
};

struct tkt_model_memo *tkt_model_memo_new(void)
{
    struct tkt_model_memo *memo = calloc(1, sizeof(*memo));

    if (memo != NULL && (memo->work = tkt_model_work_new()) == NULL) {
        free(memo);
        return NULL;
    }
    return memo;
}

void tkt_model_memo_free(struct tkt_model_memo **memo)
{
    if (*memo != NULL) {
        tkt_model_work_free(&(*memo)->work);
        free(*memo);
        *memo = NULL;
    }
}

void tkt_model_begin(struct tkt_model_memo *memo)
{
    if (memo != NULL && memo->is_asked) {
        memo->is_asked = false;
        tkt_model_work_trim(memo->work);
    }
}

static int ask(const struct tkt_question *q, struct tkt_model_memo *memo)
{
    const struct tkt_model *m = q->by->model;

    if (memo->is_asked) {
        return 0;
    }
    memo->is_asked = true;
    if (tkt_model_ask(m, memo->work, q->msg->subject, q->msg->reply_text,
                      tkt_model_threshold(m), true, memo->choice) < 0) {
        memo->is_asked = false;
        return -1;
    }
    return 0;
}

int tkt_model_step(const struct tkt_question *q, struct tkt_decision *d,
                   struct tkt_wire_arena *arena)
{
    const struct tkt_model *m = q->by->model;
    struct tkt_model_memo *memo = q->by->memo;

    if (m == NULL) {
        return 0;
    }
    if (memo == NULL || ask(q, memo) < 0) {
        return -1;
    }
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        if (memo->choice[h].best >= 0 && answer(d, h, m, &memo->choice[h], arena) < 0) {
            return -1;
        }
    }
    return 0;
}
