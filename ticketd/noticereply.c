/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/noticereply.h"

#include "base/enc.h"
#include "base/util.h"
#include "store/notice.h"
#include "ticketd/agentnote.h"
#include "ticketd/mailread.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (128 * 1024) /* a notice's words have twice that, as text and as HTML */

static const char *member(const cJSON *json, const char *name)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));

    return text == NULL ? "" : text;
}

bool tkt_noticereply_is(const char *payload)
{
    cJSON *json = cJSON_Parse(payload == NULL ? "" : payload);
    bool is = strcmp(member(json, "what"), "reply") == 0;

    cJSON_Delete(json);
    return is;
}

static bool has(const struct tkt_addresses *list, const char *address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (tkt_ascii_ieq(list->items[i].address, address)) {
            return true;
        }
    }
    return false;
}

/* Why these words do not go to that address; "" = they do. */
static const char *refuses(const struct tkt_message *m, const char *to)
{
    if (has(&m->to, to) || has(&m->cc, to)) {
        return "the mail itself went to him";
    }
    if (m->reply_text[strspn(m->reply_text, " \t\r\n")] == '\0') {
        return "the answer has no words of its own";
    }
    return tkt_agentnote_is(m->reply_text) ? "it is a note for colleagues" : "";
}

static int put(cJSON *json, const struct tkt_message *m, struct tkt_buf *payload,
               struct tkt_err *err)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(TEXT_MAX + 1);
    size_t len = strlen(m->reply_text);
    char *made = NULL;

    if (tkt_buf_add(&text, m->reply_text, tkt_utf8_cut(m->reply_text, len, TEXT_MAX)) ==
            0 &&
        cJSON_AddStringToObject(json, "text", tkt_buf_str(&text)) != NULL) {
        made = cJSON_PrintUnformatted(json);
    }
    int rc = made == NULL ? -1 : tkt_buf_adds(payload, made);
    cJSON_free(made);
    return rc < 0 ? tkt_err_set(err, TKT_ERR_TEMP, "no memory") : 0;
}

int tkt_noticereply_load(struct tkt_running *r, const struct tkt_settings *set,
                         struct tkt_reader *reader, struct tkt_buf *payload,
                         const char **why, struct tkt_err *err)
{
    struct tkt_wire_arena arena = {0};
    struct tkt_reader_noted noted;
    struct tkt_analysis analysis;
    int n = tkt_reader_noted(reader, r->job.ticket, r->job.message, &arena, &noted, err);
    bool proved = n == 1 && noted.is_proved;

    tkt_wire_arena_release(&arena);
    if (n < 0) {
        return -1;
    }
    if (!proved) { /* whoever writes an agent's address into From would speak for us */
        *why = "nothing proves that its author is the agent";
        return 0;
    }
    if (tkt_mailread(r->d->pool, set->conf, reader, r->job.message, &analysis, err) < 0) {
        return -1;
    }
    cJSON *json = cJSON_Parse(r->job.payload);
    *why = refuses(&analysis.msg, member(json, "to"));
    int rc = (*why)[0] != '\0' ? 0 : put(json, &analysis.msg, payload, err) < 0 ? -1 : 1;
    cJSON_Delete(json);
    tkt_analysis_release(&analysis);
    return rc;
}
