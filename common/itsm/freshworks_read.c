/* SPDX-License-Identifier: BSD-2-Clause
 * Freshservice and Freshdesk, API v2: what only looks.
 *
 * A lost ticket is looked for by the filter, which has an index that lags by minutes, and
 * then in the list of the requester's tickets, which has none.
 */
#include "itsm/freshworks.h"

#include "base/util.h"
#include "itsm/back.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PAGE 100
#define LIST_PAGES 5 /* of one requester's tickets */
#define NOTE_PAGES 2
#define GROUPS_MAX 50 /* that CHECK asks for */
#define SINCE_SLACK_S 600

/* ---- find ----------------------------------------------------------------------------- */

static bool has_tag(struct tkt_itsm_call *call, const cJSON *ticket)
{
    const char *want = tkt_freshworks_tag(call);
    const cJSON *tag;

    cJSON_ArrayForEach(tag, tkt_json_at(ticket, "tags"))
    {
        const char *have = cJSON_GetStringValue(tag);

        if (want != NULL && have != NULL && strcmp(have, want) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_key(struct tkt_itsm_call *call, const cJSON *ticket)
{
    const char *name = tkt_freshworks_key_field(call);
    const char *value = *name == '\0'
                            ? NULL
                            : cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(
                                  tkt_json_at(ticket, "custom_fields"), name));

    return *name == '\0' ? has_tag(call, ticket)
                         : value != NULL && strcmp(value, call->ticket->corr) == 0;
}

static enum tkt_itsm_next ask_filter(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *name = tkt_freshworks_key_field(call);
    const char *query =
        *name == '\0' ? tkt_itsm_text(call, "\"tag:'%s'\"", tkt_freshworks_tag(call))
                      : tkt_itsm_text(call, "\"%s:'%s'\"", name, call->ticket->corr);
    const char *escaped = query == NULL ? NULL : tkt_itsm_escape(call, query);
    enum tkt_itsm_next next = tkt_itsm_get(
        call,
        escaped == NULL ? NULL
                        : tkt_itsm_url(call, "/api/v2/%s?query=%s",
                                       tkt_freshworks_is_desk(call) ? "search/tickets"
                                                                    : "tickets/filter",
                                       escaped),
        err);

    call->request.also[0] = 400; /* it does not filter by that */
    return next;
}

static const char *since(struct tkt_itsm_call *call)
{
    time_t at = (time_t)(call->ticket->created_ms / 1000 - SINCE_SLACK_S);
    char text[64];
    struct tm tm;

    if (call->ticket->created_ms <= 0 || gmtime_r(&at, &tm) == NULL ||
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0) {
        return "";
    }
    return tkt_itsm_text(call, "&updated_since=%s", text);
}

enum {
    BY_FILTER,
    BY_SENDER,
    BY_DEFAULT
}; /* stages of a look-up */

/* Tickets of the sender, or of the one who stands for senders that are not known. */
static enum tkt_itsm_next ask_list(struct tkt_itsm_call *call, int page,
                                   struct tkt_err *err)
{
    const char *who = call->stage == BY_SENDER
                          ? call->ticket->requester
                          : tkt_itsm_option(call, "default_requester", "");
    const char *escaped = tkt_itsm_escape(call, who);
    const char *from = since(call);
    enum tkt_itsm_next next = tkt_itsm_get(
        call,
        escaped == NULL || from == NULL
            ? NULL
            : tkt_itsm_url(call, "/api/v2/tickets?email=%s&per_page=%d&page=%d%s",
                           escaped, PAGE, page, from),
        err);

    call->request.also[0] = 404; /* nobody has that address */
    call->request.also[1] = 400;
    return next;
}

static bool take_found(struct tkt_itsm_call *call, const cJSON *list,
                       enum tkt_itsm_next *out, struct tkt_err *err)
{
    const cJSON *ticket;

    cJSON_ArrayForEach(ticket, list)
    {
        if (has_key(call, ticket)) {
            *out = tkt_freshworks_take(call, ticket, err);
            return true;
        }
    }
    return false;
}

/* The filter; the list of the sender's tickets; that of the default requester's. */
enum tkt_itsm_next tkt_freshworks_find(struct tkt_itsm_call *call, struct tkt_err *err)
{
    bool filtered = call->stage == BY_FILTER;
    enum tkt_itsm_next found = TKT_ITSM_DONE;
    int *page = call->state;

    if (call->step == 0) {
        call->state = tkt_wire_arena_alloc(&call->arena, sizeof(*page));
        return ask_filter(call, err);
    }
    const cJSON *list = tkt_freshworks_list(
        call->answer->json,
        filtered && tkt_freshworks_is_desk(call) ? "results" : "tickets");
    bool refused = call->answer->status == 400 || call->answer->status == 404;
    if (page == NULL || (!cJSON_IsArray(list) && !refused)) {
        return tkt_itsm_odd(call, err, "list of tickets");
    }
    if (take_found(call, list, &found, err)) {
        return found;
    }
    *page = filtered ? 0 : *page;
    if (filtered || tkt_itsm_count(list, "") < PAGE || *page == LIST_PAGES) {
        call->stage++;
        *page = 0;
    }
    if (call->stage == BY_SENDER && call->ticket->requester[0] == '\0') {
        call->stage = BY_DEFAULT;
    }
    return call->stage > BY_DEFAULT ? TKT_ITSM_DONE : ask_list(call, ++*page, err);
}

/* ---- fetch ---------------------------------------------------------------------------- */

static void take_files(struct tkt_itsm_call *call, const cJSON *holder)
{
    const cJSON *file;

    cJSON_ArrayForEach(file, tkt_json_at(holder, "attachments"))
    {
        tkt_itsm_saw_file(call, tkt_itsm_str(call, file, "name"),
                          tkt_json_at(file, "size"),
                          tkt_itsm_str(call, file, "created_at"));
    }
}

/* They come with the oldest first. */
static void take_notes(struct tkt_itsm_call *call, const cJSON *list)
{
    struct tkt_itsm_seen *s = &call->seen;
    const cJSON *c;

    cJSON_ArrayForEach(c, list)
    {
        if (s->note_count < TKT_ITSM_COMMENTS_MAX) {
            s->notes[s->note_count++] = (struct tkt_itsm_note){
                .id = tkt_itsm_str(call, c, "id"),
                .author = tkt_itsm_str(call, c, "user_id"),
                .text = tkt_itsm_str(call, c,
                                     tkt_json_at(c, "body_text") ? "body_text" : "body"),
                .at = tkt_itsm_str(call, c, "created_at"),
                .is_public = !cJSON_IsTrue(tkt_json_at(c, "private"))};
        }
        take_files(call, c);
    }
}

static void turn_round(struct tkt_itsm_seen *s)
{
    for (size_t i = 0; i + 1 < s->note_count - i; i++) {
        struct tkt_itsm_note one = s->notes[i];

        s->notes[i] = s->notes[s->note_count - 1 - i];
        s->notes[s->note_count - 1 - i] = one;
    }
}

static enum tkt_itsm_next ask_notes(struct tkt_itsm_call *call, int page,
                                    struct tkt_err *err)
{
    const char *below =
        tkt_itsm_text(call, "/conversations?per_page=%d&page=%d", PAGE, page);

    return tkt_itsm_get(
        call, below == NULL ? NULL : tkt_freshworks_ticket_url(call, below), err);
}

#define WHO_AM_I 1 /* stage of a fetch */

/* Whose the key is: what that agent wrote is ours. Not everywhere is there such a page. */
static enum tkt_itsm_next ask_me(struct tkt_itsm_call *call, struct tkt_err *err)
{
    enum tkt_itsm_next next =
        tkt_itsm_get(call, tkt_itsm_url(call, "/api/v2/agents/me"), err);

    call->stage = WHO_AM_I;
    call->request.also[0] = 403;
    call->request.also[1] = 404;
    call->request.also[2] = 400;
    return next;
}

enum tkt_itsm_next tkt_freshworks_fetch(struct tkt_itsm_call *call, struct tkt_err *err)
{
    struct tkt_itsm_seen *s = &call->seen;

    if (call->step == 0) {
        return tkt_itsm_get(call, tkt_freshworks_ticket_url(call, ""), err);
    }
    if (call->step == 1) {
        const cJSON *ticket = tkt_freshworks_ticket(call->answer->json);

        s->notes =
            tkt_wire_arena_alloc(&call->arena, TKT_ITSM_COMMENTS_MAX * sizeof(*s->notes));
        if (s->notes == NULL) {
            tkt_err_set(err, TKT_ERR_TEMP, "itsm: no memory");
            return TKT_ITSM_FAILED;
        }
        if (tkt_freshworks_take(call, ticket, err) != TKT_ITSM_DONE) {
            return TKT_ITSM_FAILED;
        }
        take_files(call, ticket);
        return ask_notes(call, 1, err);
    }
    if (call->stage == WHO_AM_I) {
        const cJSON *agent = tkt_json_at(call->answer->json, "agent");

        s->me = tkt_itsm_str(call, agent != NULL ? agent : call->answer->json, "id");
        return TKT_ITSM_DONE;
    }
    const cJSON *list = tkt_freshworks_list(call->answer->json, "conversations");
    take_notes(call, list);
    if (tkt_itsm_count(list, "") == PAGE && call->step - 1 < NOTE_PAGES) {
        return ask_notes(call, call->step, err);
    }
    turn_round(s);
    return s->note_count == 0 || call->site->conf->user[0] != '\0' ? TKT_ITSM_DONE
                                                                   : ask_me(call, err);
}

/* ---- list ----------------------------------------------------------------------------- */

static enum tkt_itsm_next ask_changed(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const char *from = tkt_itsm_time_text(call, call->since_ms, 'T');

    return tkt_itsm_get(
        call,
        from == NULL ? NULL
                     : tkt_itsm_url(call,
                                    "/api/v2/tickets?updated_since=%sZ%s&per_page=%d"
                                    "&page=%d",
                                    from,
                                    tkt_freshworks_is_desk(call)
                                        ? "&order_by=updated_at&order_type=asc"
                                        : "",
                                    PAGE, call->step + 1),
        err);
}

enum tkt_itsm_next tkt_freshworks_changed(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const cJSON *ticket;

    if (call->step == 0) {
        return ask_changed(call, err);
    }
    const cJSON *list = tkt_freshworks_list(call->answer->json, "tickets");
    if (!cJSON_IsArray(list)) {
        return tkt_itsm_odd(call, err, "tickets");
    }
    cJSON_ArrayForEach(ticket, list)
    {
        if (tkt_itsm_changed(call, tkt_itsm_str(call, ticket, "id"),
                             tkt_itsm_time(tkt_itsm_str(call, ticket, "updated_at")),
                             err) < 0) {
            return TKT_ITSM_FAILED;
        }
    }
    return cJSON_GetArraySize(list) < PAGE || tkt_itsm_list_is_full(call, PAGE)
               ? TKT_ITSM_DONE
               : ask_changed(call, err);
}

/* ---- check ---------------------------------------------------------------------------- */

static bool is_field(const cJSON *list, const char *name, size_t n)
{
    const cJSON *field;

    cJSON_ArrayForEach(field, list)
    {
        const char *have = cJSON_GetStringValue(tkt_json_at(field, "name"));

        for (int i = 0; i < 2 && have != NULL; i++) {
            if (strlen(have) == n && strncmp(have, name, n) == 0) {
                return true;
            }
            have = strncmp(have, "cf_", 3) == 0 ? have + 3 : NULL;
        }
    }
    return false;
}

/* Each name of the section that has to be a field there. */
static enum tkt_itsm_next judge_fields(struct tkt_itsm_call *call, struct tkt_err *err)
{
    const struct tkt_conf_list *rows = &call->site->conf->fields;
    const cJSON *list = tkt_freshworks_list(call->answer->json, "ticket_fields");
    const char *key = tkt_freshworks_key_field(call);

    if (!cJSON_IsArray(list)) {
        call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
            call, "%s\nits fields may not be read: they are not checked",
            call->seen.told);
        return TKT_ITSM_DONE;
    }
    for (size_t i = 0; i <= rows->count; i++) {
        const char *name = i < rows->count ? rows->items[i] : key;
        size_t n = strcspn(name, ".=");
        bool is_id = n > 3 && strncmp(name + n - 3, "_id", 3) == 0;

        if (n > 0 && !is_id && !is_field(list, name, n)) {
            tkt_err_set(err, TKT_ERR_CONF, "there is no field %.*s for tickets", (int)n,
                        name);
            return TKT_ITSM_FAILED;
        }
    }
    return TKT_ITSM_DONE;
}

static const char *group_named(const struct tkt_conf_itsm *conf, size_t n)
{
    if (n < conf->groups.count) {
        return strchr(conf->groups.items[n], '=') + 1;
    }
    return n == conf->groups.count && conf->project[0] != '\0' ? conf->project : NULL;
}

static enum tkt_itsm_next ask_group(struct tkt_itsm_call *call, size_t n,
                                    struct tkt_err *err)
{
    const char *group = n < GROUPS_MAX ? group_named(call->site->conf, n) : NULL;

    if (group == NULL) {
        return TKT_ITSM_DONE;
    }
    const char *id = tkt_itsm_escape(call, group);
    enum tkt_itsm_next next = tkt_itsm_get(
        call, id == NULL ? NULL : tkt_itsm_url(call, "/api/v2/groups/%s", id), err);
    call->request.also[0] = 404;
    return next;
}

static enum tkt_itsm_next judge_group(struct tkt_itsm_call *call, size_t n,
                                      struct tkt_err *err)
{
    const cJSON *json = call->answer->json;
    const cJSON *inner = tkt_json_at(json, "group");

    if (call->answer->status != 200) {
        tkt_err_set(err, TKT_ERR_CONF, "there is no group %s",
                    group_named(call->site->conf, n));
        return TKT_ITSM_FAILED;
    }
    call->seen.told = (char *)(uintptr_t)tkt_itsm_text(
        call, "%s\ngroup %s", call->seen.told,
        tkt_itsm_str(call, inner == NULL ? json : inner, "name"));
    return ask_group(call, n + 1, err);
}

/* A list of one ticket shows the key's rights; then the fields, then each group. */
enum tkt_itsm_next tkt_freshworks_check(struct tkt_itsm_call *call, struct tkt_err *err)
{
    if (call->step == 0) {
        return tkt_itsm_get(call, tkt_itsm_url(call, "/api/v2/tickets?per_page=1"), err);
    }
    if (call->step == 1) {
        if (!cJSON_IsArray(tkt_freshworks_list(call->answer->json, "tickets"))) {
            return tkt_itsm_odd(call, err, "list of tickets");
        }
        call->seen.told = tkt_itsm_keep(call, "tickets may be read");
        enum tkt_itsm_next next = tkt_itsm_get(call,
                                               tkt_itsm_url(call, "/api/v2/%s",
                                                            tkt_freshworks_is_desk(call)
                                                                ? "ticket_fields"
                                                                : "ticket_form_fields"),
                                               err);
        call->request.also[0] = 403;
        call->request.also[1] = 404;
        return next;
    }
    if (call->step == 2) {
        return judge_fields(call, err) != TKT_ITSM_DONE ? TKT_ITSM_FAILED
                                                        : ask_group(call, 0, err);
    }
    return judge_group(call, (size_t)call->step - 3, err);
}
