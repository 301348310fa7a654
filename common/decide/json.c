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

static void add_fields(struct tkt_buf *out, unsigned indent, bool *first,
                       const struct tkt_decision *d)
{
    bool first_field = true;

    tkt_json_key(out, indent, first, "fields");
    tkt_buf_addc(out, '{');
    for (size_t i = 0; i < d->field_count; i++) {
        add_text(out, indent + 1, &first_field, d->fields[i].name, d->fields[i].value);
    }
    tkt_json_close(out, indent, first_field, '}');
}

static void add_reason(struct tkt_buf *out, unsigned indent, const struct tkt_reason *r)
{
    bool first = true;

    tkt_buf_addc(out, '{');
    add_text(out, indent + 1, &first, "source", tkt_source_names[r->source]);
    add_text(out, indent + 1, &first, "by", r->by);
    add_text(out, indent + 1, &first, "field", r->field);
    add_text(out, indent + 1, &first, "value", r->value);
    add_bool(out, indent + 1, &first, "overruled", r->overruled);
    add_bool(out, indent + 1, &first, "error", r->is_error);
    add_number(out, indent + 1, &first, "permille", r->permille);
    tkt_json_key(out, indent + 1, &first, "words");
    tkt_json_strings(out, indent + 1, &r->words);
    tkt_json_close(out, indent, first, '}');
}

static void add_reasons(struct tkt_buf *out, unsigned indent, bool *first,
                        const struct tkt_decision *d)
{
    bool first_reason = true;

    tkt_json_key(out, indent, first, "reasons");
    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < d->reason_count; i++) {
        tkt_buf_addf(out, "%s\n%*s", first_reason ? "" : ",", (int)(2 * indent + 2), "");
        first_reason = false;
        add_reason(out, indent + 1, &d->reasons[i]);
    }
    tkt_json_close(out, indent, first_reason, ']');
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
    add_text(out, in, &first, "service", d->service);
    add_text(out, in, &first, "group", d->group);
    add_text(out, in, &first, "assignee", d->assignee);
    add_text(out, in, &first, "itsm", d->itsm);
    add_number(out, in, &first, "urgency", d->urgency);
    add_number(out, in, &first, "impact", d->impact);
    add_number(out, in, &first, "priority", d->priority);
    tkt_json_key(out, in, &first, "tags");
    tkt_json_strings(out, in, &d->tags);
    add_fields(out, in, &first, d);
    tkt_json_key(out, in, &first, "missing");
    tkt_json_strings(out, in, &d->missing);
    add_bool(out, in, &first, "refused_by_rule", d->refused_by_rule);
    add_bool(out, in, &first, "ignored_by_rule", d->ignored_by_rule);
    add_text(out, in, &first, "refuse_text", d->refuse_text);
    add_text(out, in, &first, "correlate", d->correlate);
    add_text(out, in, &first, "correlate_by", d->correlate_by);
    add_bool(out, in, &first, "recovers", d->recovers);
    tkt_json_key(out, in, &first, "keywords");
    tkt_json_strings(out, in, &d->keywords);
    add_reasons(out, in, &first, d);
    tkt_json_close(out, indent, first, '}');
    return out->failed ? -1 : 0;
}
