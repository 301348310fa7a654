/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "base/util.h"
#include "decide/json.h"
#include "decide/model.h"
#include "decide/policy.h"
#include "message/json.h"
#include "ticketctl/explain.h"
#include "ticketctl/out.h"

#include <string.h>

static const char *const edit_names[] = {
    [TKT_WIRE_CHANGE] = "change",   [TKT_WIRE_INSERT] = "insert",
    [TKT_WIRE_DELETE] = "delete",   [TKT_WIRE_ADDRCPT] = "addrcpt",
    [TKT_WIRE_DELRCPT] = "delrcpt",
};

static const char *text_of(const char *s)
{
    return s != NULL ? s : "";
}

static void add_desk(const struct tkt_ctl_explained *x, size_t i, struct tkt_buf *out)
{
    const struct tkt_edit_desk *d = &x->desks[i];
    bool first = true;
    tkt_buf_addc(out, '{');
    tkt_json_key(out, 3, &first, "desk");
    tkt_json_str(out, d->conf->name);
    tkt_json_key(out, 3, &first, "rcpt");
    tkt_json_str(out, d->rcpt);
    tkt_json_key(out, 3, &first, "id");
    tkt_json_str(out, d->id);
    tkt_json_key(out, 3, &first, "status");
    tkt_json_str(out, d->status);
    tkt_json_key(out, 3, &first, "decision");
    (void)tkt_decision_json(&x->decisions.items[i], 3, out); /* out->failed tells */
    tkt_json_close(out, 2, first, '}');
}

static void add_edit(const struct tkt_wire_edit *e, struct tkt_buf *out)
{
    bool first = true;
    tkt_buf_addc(out, '{');
    tkt_json_key(out, 3, &first, "kind");
    tkt_json_str(out, edit_names[e->kind]);
    tkt_json_key(out, 3, &first, "name");
    tkt_json_str(out, e->name);
    tkt_json_key(out, 3, &first, "index");
    tkt_buf_addf(out, "%u", e->index);
    tkt_json_key(out, 3, &first, "value");
    tkt_json_str(out, e->value);
    tkt_json_close(out, 2, first, '}');
}

static void next_item(struct tkt_buf *out, size_t i)
{
    tkt_buf_adds(out, i > 0 ? ",\n    " : "\n    ");
}

static const char *subject_word(const struct tkt_ctl_explained *x)
{
    return x->desk_count > 0 ? tkt_edit_subject_names[x->subject] : "";
}

static void add_text(struct tkt_buf *out, bool *first, const char *key, const char *value)
{
    tkt_json_key(out, 2, first, key);
    tkt_json_str(out, value);
}

static void add_word(struct tkt_buf *out, bool *first, const char *key, const char *word)
{
    tkt_json_key(out, 2, first, key);
    tkt_buf_adds(out, word);
}

static void add_number(struct tkt_buf *out, bool *first, const char *key, int n)
{
    tkt_json_key(out, 2, first, key);
    tkt_buf_addf(out, "%d", n);
}

/* Where the message goes at its first desk. */
static void add_thread(const struct tkt_ctl_explained *x, struct tkt_buf *out)
{
    const struct tkt_decision *d = x->desk_count > 0 ? &x->decisions.items[0] : NULL;
    bool first = true;
    tkt_buf_addc(out, '{');
    add_text(out, &first, "action", d != NULL ? tkt_action_names[d->action] : "none");
    tkt_json_key(out, 2, &first, "ticket");
    if (d != NULL && d->ticket != 0) {
        tkt_json_str(out, tkt_ctl_explain_ticket(x, d->ticket));
    } else {
        tkt_buf_adds(out, "null");
    }
    add_text(out, &first, "why", d != NULL ? d->why : "no recipient is a desk");
    tkt_json_close(out, 1, first, '}');
}

static void add_fields(const struct tkt_decision *d, struct tkt_buf *out, bool *outer)
{
    bool first = true;
    tkt_json_key(out, 2, outer, "fields");
    tkt_buf_addc(out, '{');
    for (size_t i = 0; i < d->field_count; i++) {
        tkt_json_key(out, 3, &first, d->fields[i].name);
        tkt_json_str(out, d->fields[i].value);
    }
    tkt_json_close(out, 2, first, '}');
}

/* Whether an earlier reason is of the same rule. */
static bool is_told(const struct tkt_decision *d, size_t reason)
{
    for (size_t i = 0; i < reason; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        if (r->source == TKT_SOURCE_RULE && !r->is_error &&
            strcmp(r->by, d->reasons[reason].by) == 0) {
            return true;
        }
    }
    return false;
}

/* Those that acted, in their order; their version is the configuration's. */
static void add_rules(const struct tkt_ctl_explained *x, const struct tkt_decision *d,
                      struct tkt_buf *out, bool *outer)
{
    bool first = true;
    tkt_json_key(out, 2, outer, "rules");
    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < d->reason_count; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        bool none = true;
        if (r->source != TKT_SOURCE_RULE || r->is_error || is_told(d, i)) {
            continue;
        }
        tkt_buf_addf(out, "%s\n      {", first ? "" : ",");
        first = false;
        tkt_json_key(out, 4, &none, "id");
        tkt_json_str(out, r->by);
        tkt_json_key(out, 4, &none, "version");
        tkt_buf_addf(out, "\"%016llx\"", (unsigned long long)x->generation);
        tkt_json_close(out, 3, none, '}');
    }
    tkt_json_close(out, 2, first, ']');
}

/* What the model says of the category, heard or not. */
static void add_model(const struct tkt_ctl_explained *x, const struct tkt_decision *d,
                      struct tkt_buf *out, bool *outer)
{
    const struct tkt_reason *said = NULL;
    bool first = true;
    for (size_t i = 0; i < d->reason_count; i++) {
        const struct tkt_reason *r = &d->reasons[i];
        if (r->source == TKT_SOURCE_MODEL && strcmp(r->field, "category") == 0) {
            said = r;
        }
    }
    if (said == NULL || x->policy == NULL || x->policy->model == NULL) {
        add_word(out, outer, "model", "null");
        return;
    }
    tkt_json_key(out, 2, outer, "model");
    tkt_buf_addc(out, '{');
    tkt_json_key(out, 3, &first, "label");
    tkt_json_str(out, said->value);
    tkt_json_key(out, 3, &first, "probability");
    tkt_buf_addf(out, "%.3f", said->permille / 1000.0);
    tkt_json_key(out, 3, &first, "version");
    tkt_json_str(out, tkt_model_version(x->policy->model));
    tkt_json_close(out, 2, first, '}');
}

/* The decision of the first desk; without one, of no desk: the same keys, empty. */
static void add_decision(const struct tkt_ctl_explained *x, struct tkt_buf *out)
{
    static const struct tkt_decision none;
    const struct tkt_decision *d = x->desk_count > 0 ? &x->decisions.items[0] : &none;
    const char *action = x->desk_count > 0 ? tkt_action_names[d->action] : "none";
    struct tkt_class_policy policy = {false, false, false};
    bool first = true;
    if (x->desk_count > 0) {
        policy = tkt_decide_policy(&x->msg, &x->facts, &x->facts.desks[0]);
    }
    tkt_buf_addc(out, '{');
    add_text(out, &first, "type", d->type);
    add_text(out, &first, "category", d->category);
    add_text(out, &first, "subcategory", d->subcategory);
    add_text(out, &first, "group", d->group);
    add_text(out, &first, "assignee", d->assignee);
    add_number(out, &first, "urgency", d->urgency);
    add_number(out, &first, "impact", d->impact);
    add_number(out, &first, "priority", d->priority);
    tkt_json_key(out, 2, &first, "tags");
    tkt_json_strings(out, 2, &d->tags);
    tkt_json_key(out, 2, &first, "keywords");
    tkt_json_strings(out, 2, &d->keywords);
    add_fields(d, out, &first);
    add_text(out, &first, "action", action);
    add_word(out, &first, "opens", policy.opens ? "true" : "false");
    add_word(out, &first, "changes_state", policy.moves_state ? "true" : "false");
    add_word(out, &first, "acknowledge", policy.acknowledge ? "true" : "false");
    add_rules(x, d, out, &first);
    add_model(x, d, out, &first);
    tkt_json_close(out, 1, first, '}');
}

/* Only of somebody whom a directory knows. */
static void add_person(const struct tkt_person *p, struct tkt_buf *out, bool *top)
{
    bool first = true;
    if (!p->is_known && !p->is_vip) {
        return;
    }
    tkt_json_key(out, 1, top, "person");
    tkt_buf_addc(out, '{');
    add_text(out, &first, "name", p->name);
    add_text(out, &first, "department", p->department);
    add_text(out, &first, "company", p->company);
    add_text(out, &first, "title", p->title);
    add_text(out, &first, "location", p->location);
    add_text(out, &first, "manager", p->manager);
    add_text(out, &first, "language", p->language);
    add_word(out, &first, "vip", p->is_vip ? "true" : "false");
    tkt_json_key(out, 2, &first, "groups");
    tkt_json_strings(out, 2, &p->groups);
    tkt_json_close(out, 1, first, '}');
}

static void add_edits(const struct tkt_ctl_explained *x, struct tkt_buf *out)
{
    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < x->edit_count; i++) {
        next_item(out, i);
        add_edit(&x->edits[i], out);
    }
    tkt_json_close(out, 1, x->edit_count == 0, ']');
}

static void add_desks(const struct tkt_ctl_explained *x, struct tkt_buf *out)
{
    tkt_buf_addc(out, '[');
    for (size_t i = 0; i < x->desk_count; i++) {
        next_item(out, i);
        add_desk(x, i, out);
    }
    tkt_json_close(out, 1, x->desk_count == 0, ']');
}

int tkt_ctl_explain_json(const struct tkt_ctl_explained *x, struct tkt_buf *out)
{
    bool first = true;
    tkt_buf_addc(out, '{');
    tkt_json_key(out, 1, &first, "file");
    tkt_json_str(out, x->place->file);
    tkt_json_key(out, 1, &first, "number");
    tkt_buf_addf(out, "%lu", x->place->number);
    tkt_json_key(out, 1, &first, "size");
    tkt_buf_addf(out, "%llu", (unsigned long long)x->mail.size);
    tkt_json_key(out, 1, &first, "configured");
    tkt_buf_adds(out, x->has_conf ? "true" : "false");
    tkt_json_key(out, 1, &first, "facts");
    tkt_buf_adds(out, x->has_facts ? "true" : "false");
    tkt_json_key(out, 1, &first, "message");
    (void)tkt_message_json(&x->msg, 1, out); /* out->failed tells */
    add_person(&x->facts.person, out, &first);
    tkt_json_key(out, 1, &first, "thread");
    add_thread(x, out);
    tkt_json_key(out, 1, &first, "decision");
    add_decision(x, out);
    tkt_json_key(out, 1, &first, "other_recipients");
    tkt_buf_addf(out, "%u", x->req.other_rcpts);
    tkt_json_key(out, 1, &first, "desks");
    add_desks(x, out);
    tkt_json_key(out, 1, &first, "subject_edit");
    tkt_json_str(out, subject_word(x));
    tkt_json_key(out, 1, &first, "edits");
    add_edits(x, out);
    tkt_json_close(out, 0, first, '}');
    tkt_buf_addc(out, '\n');
    return out->failed ? -1 : 0;
}

static void put(FILE *to, const char *label, const char *value)
{
    if (value[0] != '\0') {
        fprintf(to, "  %-13s", label);
        tkt_ctl_put_clean(to, value);
        fputc('\n', to);
    }
}

static void put_strings(FILE *to, const char *label, const struct tkt_strings *list)
{
    for (size_t i = 0; i < list->count; i++) {
        put(to, i == 0 ? label : "", list->items[i]);
    }
}

static void put_addresses(FILE *to, const char *label, const struct tkt_addresses *list)
{
    for (size_t i = 0; i < list->count; i++) {
        put(to, i == 0 ? label : "", list->items[i].address);
    }
}

static void put_attachments(FILE *to, const struct tkt_message *msg)
{
    for (size_t i = 0; i < msg->attachment_count; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        char line[512];
        snprintf(line, sizeof line, "%s, %s, %llu bytes, part %s%s",
                 a->name[0] != '\0' ? a->name : "(no name)", a->type,
                 (unsigned long long)a->size, a->part, a->is_inline ? ", inline" : "");
        put(to, i == 0 ? "attachment:" : "", line);
    }
}

static void put_auth(FILE *to, const struct tkt_message *msg)
{
    static const char *const words[] = {
        [TKT_AUTH_NONE] = "none",
        [TKT_AUTH_PASS] = "pass",
        [TKT_AUTH_FAIL] = "fail",
        [TKT_AUTH_ERROR] = "error",
    };
    fprintf(to, "  %-13sspf %s, dkim %s, dmarc %s%s\n", "sender:", words[msg->spf],
            words[msg->dkim], words[msg->dmarc], msg->auth_aligned ? ", aligned" : "");
}

static void put_message(FILE *to, const struct tkt_ctl_explained *x)
{
    static const char *const security[] = {
        [TKT_SECURITY_NONE] = "",
        [TKT_SECURITY_SIGNED] = "signed",
        [TKT_SECURITY_ENCRYPTED] = "encrypted",
    };
    const struct tkt_message *msg = &x->msg;
    put(to, "from:", msg->from.address);
    put_addresses(to, "to:", &msg->to);
    put_addresses(to, "cc:", &msg->cc);
    put(to, "subject:", msg->subject);
    put(to, "message-id:", msg->message_id);
    put(to, "class:", tkt_class_names[msg->class]);
    put_strings(to, "", &msg->class_evidence);
    put(to, "security:", security[msg->security]);
    put_auth(to, msg);
    put_strings(to, "names:", &msg->subject_ids);
    fprintf(to, "  %-13s%zu bytes%s%s\n", "text:", strlen(msg->text),
            msg->text_cut ? ", cut" : "", msg->has_html ? ", has HTML" : "");
    put_attachments(to, msg);
    put_strings(to, "problem:", &msg->problems);
    if (x->show_text) {
        fputs("  text that may leave:\n", to);
        tkt_ctl_put_block(to, "    ", msg->reply_text);
    }
}

static void put_person(FILE *to, const struct tkt_person *p)
{
    if (!p->is_known && !p->is_vip) {
        return;
    }
    put(to, "person:", p->name[0] != '\0' ? p->name : "(no name)");
    put(to, "", p->is_vip ? "very important" : "");
    put(to, "  works in:", p->department);
    put(to, "  company:", p->company);
    put(to, "  title:", p->title);
    put(to, "  location:", p->location);
    put(to, "  manager:", p->manager);
    put(to, "  language:", p->language);
    put_strings(to, "  groups:", &p->groups);
}

/* "rule vpn: group network (vpn, anyconnect)" */
static void put_reason(FILE *to, const char *label, const struct tkt_reason *r)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4096);
    /* What does not fit is left out: it is for reading. */
    (void)tkt_buf_addf(&b, "%s %s: %s%s%s", tkt_source_names[r->source], r->by,
                       r->is_error ? "error: " : r->field,
                       !r->is_error && r->field[0] != '\0' ? " " : "", r->value);
    for (size_t i = 0; i < r->words.count; i++) {
        (void)tkt_buf_addf(&b, "%s%s", i == 0 ? " (" : ", ", r->words.items[i]);
    }
    (void)tkt_buf_addf(&b, "%s%s", r->words.count > 0 ? ")" : "",
                       r->overruled ? ", overruled" : "");
    put(to, label, tkt_buf_str(&b));
}

static void put_desk(FILE *to, const struct tkt_edit_desk *desk,
                     const struct tkt_decision *d)
{
    char line[1024];
    snprintf(line, sizeof line, "%s (%s)", desk->conf->name, desk->rcpt);
    put(to, "desk:", line);
    snprintf(line, sizeof line, "%s%s%s%s%s", tkt_action_names[d->action],
             desk->id[0] != '\0' ? " " : ", kept without a ticket", desk->id,
             d->reopens ? ", reopens it" : "",
             desk->conf->mode == TKT_MODE_SHADOW ? ", shadow: nobody is told" : "");
    put(to, "  action:", line);
    put(to, "  why:", d->why);
    snprintf(line, sizeof line, "%s, priority %d%s%s%s%s", d->type, d->priority,
             d->group[0] != '\0' ? ", group " : "", d->group,
             d->assignee[0] != '\0' ? ", for " : "", d->assignee);
    put(to, "  as:", line);
    put(to, "  category:", d->category);
    put(to, "  service:", d->service);
    put_strings(to, "  tag:", &d->tags);
    for (size_t i = 0; i < d->field_count; i++) {
        snprintf(line, sizeof line, "%s = %s", d->fields[i].name, d->fields[i].value);
        put(to, i == 0 ? "  field:" : "", line);
    }
    put_strings(to, "  missing:", &d->missing);
    for (size_t i = 0; i < d->reason_count; i++) {
        put_reason(to, i == 0 ? "  because:" : "", &d->reasons[i]);
    }
    put(to, "  answer:", d->acknowledge ? "" : "no acknowledgement");
}

static void put_edit(FILE *to, const struct tkt_wire_edit *e)
{
    const char *value = text_of(e->value);
    TKT_AUTO_FREE char *line = NULL;
    int n;
    switch (e->kind) {
    case TKT_WIRE_CHANGE:
        n = asprintf(&line, "change %s:%s", e->name, value);
        break;
    case TKT_WIRE_INSERT:
        n = asprintf(&line, "insert %s:%s", e->name, value);
        break;
    case TKT_WIRE_DELETE:
        n = asprintf(&line, "delete %s (number %u)", e->name, e->index);
        break;
    case TKT_WIRE_ADDRCPT:
        n = asprintf(&line, "add recipient %s", value);
        break;
    case TKT_WIRE_DELRCPT:
    default:
        n = asprintf(&line, "remove recipient %s", value);
        break;
    }
    put(to, "header:", n >= 0 ? line : "(out of memory)");
    if (n < 0) {
        line = NULL;
    }
}

void tkt_ctl_explain_text(const struct tkt_ctl_explained *x, FILE *to)
{
    tkt_ctl_put_clean(to, x->place->file);
    if (x->place->number > 1) {
        fprintf(to, ", message %lu", x->place->number);
    }
    fprintf(to, ": %llu bytes\n", (unsigned long long)x->mail.size);
    put_message(to, x);
    put_person(to, &x->facts.person);
    for (size_t i = 0; i < x->desk_count; i++) {
        put_desk(to, &x->desks[i], &x->decisions.items[i]);
    }
    if (x->desk_count == 0) {
        put(to, "desk:", "none: no recipient is a desk, the mail passes untouched");
    }
    for (size_t i = 0; i < x->edit_count; i++) {
        put_edit(to, &x->edits[i]);
    }
    if (x->desk_count > 0) {
        put(to, "Subject:", subject_word(x));
    }
    if (!x->has_conf) {
        put(to, "note:", "no configuration: the defaults with one desk");
    }
    if (!x->has_facts) {
        put(to, "note:", "without ticketd's facts: replies look like new mail");
    }
}
