/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/json.h"

#include "message/json.h"

#include <inttypes.h>

static void add_text(struct tkt_buf *out, unsigned indent, bool *first, const char *key,
                     const char *value)
{
    tkt_json_key(out, indent, first, key);
    tkt_json_str(out, value);
}

static void add_bool(struct tkt_buf *out, unsigned indent, bool *first, const char *key,
                     bool value)
{
    tkt_json_key(out, indent, first, key);
    tkt_buf_adds(out, value ? "true" : "false");
}

static void add_number(struct tkt_buf *out, unsigned indent, bool *first, const char *key,
                       int64_t value)
{
    tkt_json_key(out, indent, first, key);
    tkt_buf_addf(out, "%" PRId64, value);
}

int tkt_decision_json(const struct tkt_decision *d, unsigned indent, struct tkt_buf *out)
{
    unsigned in = indent + 1;
    bool first = true;

    tkt_buf_addc(out, '{');
    add_text(out, in, &first, "action", tkt_action_names[d->action]);
    add_number(out, in, &first, "ticket", d->ticket);
    add_bool(out, in, &first, "opens", d->opens);
    add_bool(out, in, &first, "reopens", d->reopens);
    add_bool(out, in, &first, "changes_state", d->changes_state);
    add_bool(out, in, &first, "acknowledge", d->acknowledge);
    add_bool(out, in, &first, "public_comment", d->public_comment);
    add_text(out, in, &first, "why", d->why);
    add_text(out, in, &first, "type", d->type);
    add_text(out, in, &first, "category", d->category);
    add_text(out, in, &first, "subcategory", d->subcategory);
    add_text(out, in, &first, "group", d->group);
    add_text(out, in, &first, "assignee", d->assignee);
    add_number(out, in, &first, "urgency", d->urgency);
    add_number(out, in, &first, "impact", d->impact);
    add_number(out, in, &first, "priority", d->priority);
    tkt_json_key(out, in, &first, "tags");
    tkt_json_strings(out, in, &d->tags);
    tkt_json_close(out, indent, first, '}');
    return out->failed ? -1 : 0;
}
