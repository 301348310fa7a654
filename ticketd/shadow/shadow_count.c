/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/shadow/shadow_count.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

static const char *or_empty(const char *s)
{
    return s ? s : "";
}

static void count_move(struct tkt_shadow_counts *c, const char *from, const char *to)
{
    struct tkt_shadow_move m = {.count = 1};

    snprintf(m.from, sizeof(m.from), "%s", from);
    snprintf(m.to, sizeof(m.to), "%s", to);
    for (size_t i = 0; i < c->move_count; i++) {
        if (strcmp(c->moves[i].from, m.from) == 0 && strcmp(c->moves[i].to, m.to) == 0) {
            c->moves[i].count++;
            return;
        }
    }
    if (c->move_count < TKT_SHADOW_MOVES_MAX) {
        c->moves[c->move_count++] = m;
    } else {
        c->other_moves++;
    }
}

/* Cut where a character ends. */
static void add_text(struct tkt_buf *out, const struct tkt_decision *d,
                     enum tkt_decision_part part)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TKT_DECISION_PART_MAX);

    tkt_decision_part_text(d, part, &text);
    (void)tkt_buf_add(out, tkt_buf_str(&text), /* out->failed tells in the end */
                      tkt_utf8_cut(tkt_buf_str(&text), text.len, TKT_SHADOW_TEXT_MAX));
    (void)tkt_buf_addc(out, '\0'); /* the same */
}

static void keep_example(struct tkt_shadow_counts *c, const struct tkt_decision *old,
                         const struct tkt_decision *new, uint32_t bits,
                         struct tkt_shadow_example *e)
{
    TKT_AUTO_BUF struct tkt_buf texts =
        TKT_BUF_INIT(2 * TKT_PART_COUNT * (TKT_SHADOW_TEXT_MAX + 1));
    struct tkt_shadow_example *slot =
        &c->examples[c->example_count % TKT_SHADOW_EXAMPLES_MAX];

    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (bits >> i & 1) {
            add_text(&texts, old, (enum tkt_decision_part)i);
            add_text(&texts, new, (enum tkt_decision_part)i);
        }
    }
    e->bits = bits;
    e->texts = tkt_buf_take(&texts, NULL);
    if (!e->texts) { /* without memory it is counted, not shown */
        return;
    }
    free(slot->texts);
    *slot = *e;
    c->example_count++;
}

void tkt_shadow_count(struct tkt_shadow_counts *c, const struct tkt_decision *old,
                      const struct tkt_decision *new, const char *ticket,
                      const char *desk, int64_t at_ms)
{
    uint32_t bits = tkt_decision_diff(old, new);
    struct tkt_shadow_example e = {.at_ms = at_ms};

    c->compared++;
    if (bits == 0) {
        return;
    }
    c->differ++;
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        c->parts[i] += bits >> i & 1;
    }
    if (bits >> TKT_PART_GROUP & 1) {
        count_move(c, or_empty(old->group), or_empty(new->group));
    }
    snprintf(e.ticket, sizeof(e.ticket), "%s", ticket);
    snprintf(e.desk, sizeof(e.desk), "%s", desk);
    keep_example(c, old, new, bits, &e);
}

void tkt_shadow_counts_reset(struct tkt_shadow_counts *c)
{
    for (size_t i = 0; i < TKT_SHADOW_EXAMPLES_MAX; i++) {
        free(c->examples[i].texts);
    }
    memset(c, 0, sizeof(*c));
}

/* ---- JSON ----------------------------------------------------------------------------- */

static void add_string(struct tkt_buf *out, const char *key, const char *value)
{
    (void)tkt_buf_addf(out, "\"%s\":", key); /* the caller looks at out->failed */
    (void)tkt_json_add_string(out, value, strlen(value));
}

static void add_sides(struct tkt_buf *out, const struct tkt_shadow_example *e, int side)
{
    const char *at = e->texts;
    const char *sep = "";

    (void)tkt_buf_addf(out, ",\"%s\":{", side == 0 ? "old" : "new"); /* as above */
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (!(e->bits >> i & 1)) {
            continue;
        }
        const char *other = at + strlen(at) + 1;
        (void)tkt_buf_adds(out, sep); /* the same */
        add_string(out, tkt_decision_part_names[i], side == 0 ? at : other);
        sep = ",";
        at = other + strlen(other) + 1;
    }
    (void)tkt_buf_addc(out, '}'); /* the same */
}

static void add_example(struct tkt_buf *out, const struct tkt_shadow_example *e)
{
    char at[32];
    const char *sep = "";

    tkt_clock_format(e->at_ms, at);
    (void)tkt_buf_addc(out, '{'); /* the same */
    add_string(out, "at", at);
    (void)tkt_buf_addc(out, ','); /* the same */
    add_string(out, "ticket", e->ticket);
    (void)tkt_buf_addc(out, ','); /* the same */
    add_string(out, "desk", e->desk);
    (void)tkt_buf_adds(out, ",\"differs\":["); /* the same */
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (e->bits >> i & 1) {
            (void)tkt_buf_addf(out, "%s\"%s\"", sep, tkt_decision_part_names[i]);
            sep = ",";
        }
    }
    (void)tkt_buf_addc(out, ']'); /* the same */
    add_sides(out, e, 0);
    add_sides(out, e, 1);
    (void)tkt_buf_addc(out, '}'); /* the same */
}

static void add_parts(struct tkt_buf *out, const struct tkt_shadow_counts *c)
{
    const char *sep = "";

    (void)tkt_buf_adds(out, ",\"parts\":{"); /* the same */
    for (int i = 0; i < TKT_PART_COUNT; i++) {
        if (c->parts[i] > 0) {
            (void)tkt_buf_addf(out, "%s\"%s\":%llu", sep, tkt_decision_part_names[i],
                               (unsigned long long)c->parts[i]);
            sep = ",";
        }
    }
    (void)tkt_buf_adds(out, "},\"groups\":["); /* the same */
    for (size_t i = 0; i < c->move_count; i++) {
        (void)tkt_buf_adds(out, i > 0 ? ",{" : "{"); /* the same */
        add_string(out, "old", c->moves[i].from);
        (void)tkt_buf_addc(out, ','); /* the same */
        add_string(out, "new", c->moves[i].to);
        (void)tkt_buf_addf(out, ",\"count\":%llu}",
                           (unsigned long long)c->moves[i].count);
    }
    (void)tkt_buf_addf(out, "],\"other_groups\":%llu",
                       (unsigned long long)c->other_moves);
}

void tkt_shadow_counts_json(const struct tkt_shadow_counts *c, struct tkt_buf *out)
{
    size_t kept = TKT_MIN(c->example_count, (size_t)TKT_SHADOW_EXAMPLES_MAX);

    add_parts(out, c);
    (void)tkt_buf_adds(out, ",\"examples\":["); /* the same */
    for (size_t i = 0; i < kept; i++) {
        (void)tkt_buf_adds(out, i > 0 ? "," : ""); /* the same */
        add_example(out,
                    &c->examples[(c->example_count - 1 - i) % TKT_SHADOW_EXAMPLES_MAX]);
    }
    (void)tkt_buf_addc(out, ']'); /* the same */
}
