/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/decided.h"

#include "base/enc.h"
#include "base/util.h"
#include "decide/record.h"

#include <stdio.h>
#include <string.h>

#define QUESTION_TEXT_MAX 4000

const char *tkt_decided_itsm(const struct tkt_conf *conf,
                             const struct tkt_conf_desk *desk,
                             const struct tkt_decision *d)
{
    for (size_t i = 0; d && d->itsm && *d->itsm && i < conf->itsm_count; i++) {
        if (strcmp(conf->itsms[i].name, d->itsm) == 0) {
            return conf->itsms[i].name;
        }
    }
    return desk->itsm;
}

/* ---- the question ------------------------------------------------------------------- */

static const char *question_for(const struct tkt_conf *conf, const char *field,
                                const char *language)
{
    for (size_t i = 0; i < conf->require_count; i++) {
        const struct tkt_conf_require *r = &conf->requires[i];

        if (strcmp(r->name, field) == 0) {
            return strcmp(language, "de") == 0 && *r->question_de ? r->question_de
                                                                  : r->question;
        }
    }
    return "";
}

const char *tkt_decided_question(const struct tkt_conf *conf,
                                 const struct tkt_decision *d, const char *language,
                                 struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf text = TKT_BUF_INIT(QUESTION_TEXT_MAX);

    for (size_t i = 0; d && i < d->missing.count; i++) {
        const char *asked = question_for(conf, d->missing.items[i], language);

        /* Past the maximum the rest is not asked: the fields are named beside it. */
        (void)tkt_buf_addf(&text, "%s%s", text.len > 0 ? "\n" : "",
                           *asked ? asked : d->missing.items[i]);
    }
    return text.len > 0 ? tkt_wire_arena_strdup(arena, text.data, text.len) : NULL;
}

/* ---- the record --------------------------------------------------------------------- */

static bool says_more(const struct tkt_decision *d)
{
    return d->reason_count > 0 || d->field_count > 0 || d->missing.count > 0 ||
           d->keywords.count > 0 || d->refused_by_rule || d->ignored_by_rule;
}

const char *tkt_decided_record(const struct tkt_settings *set,
                               const struct tkt_decision *d, const char *desk,
                               struct tkt_wire_arena *arena)
{
    TKT_AUTO_BUF struct tkt_buf record = TKT_BUF_INIT(2 * TKT_DECISION_RECORD_MAX);
    char by[128];

    if (!d || (!says_more(d) && set->conf->rule_count == 0)) {
        return NULL;
    }
    snprintf(by, sizeof(by), "config %016llx%s%s",
             (unsigned long long)set->conf->generation,
             *set->model_version ? ", model " : "", set->model_version);
    return tkt_decision_record(d, desk, by, &record) == 0
               ? tkt_wire_arena_strdup(arena, record.data, record.len)
               : NULL;
}

/* ---- the reply ----------------------------------------------------------------------- */

/* What German texts need; everything else beyond ASCII becomes a question mark. */
static const char *in_ascii(const char *s, size_t *len)
{
    static const char *const table[][2] = {
        {"\xc3\xa4", "ae"}, {"\xc3\xb6", "oe"}, {"\xc3\xbc", "ue"}, {"\xc3\x9f", "ss"},
        {"\xc3\x84", "Ae"}, {"\xc3\x96", "Oe"}, {"\xc3\x9c", "Ue"},
    };

    for (size_t i = 0; i < TKT_ARRAY_LEN(table); i++) {
        if (strncmp(s, table[i][0], 2) == 0) {
            *len = 2;
            return table[i][1];
        }
    }
    *len = 1;
    while (((unsigned char)s[*len] & 0xc0) == 0x80) {
        (*len)++;
    }
    return "?";
}

/* Printable ASCII with single blanks. */
static void flatten(const char *text, struct tkt_buf *out)
{
    bool was_blank = true;
    size_t step = 1;

    for (const char *c = text; *c; c += step) {
        unsigned char byte = (unsigned char)*c;
        bool blank = byte <= ' ' || byte == 0x7f;

        step = 1;
        if (byte > 0x7f) {
            (void)tkt_buf_adds(out, in_ascii(c, &step)); /* the maximum fits it all */
        } else if (!blank || !was_blank) {
            (void)tkt_buf_addc(out, blank ? ' ' : *c); /* the same */
        }
        was_blank = blank;
    }
}

void tkt_decided_reply(const char *text, char out[TKT_DECIDED_REPLY_MAX + 1])
{
    TKT_AUTO_BUF struct tkt_buf flat = TKT_BUF_INIT(2 * TKT_REFUSE_TEXT_MAX + 2);

    flatten(text ? text : "", &flat);
    const char *s = tkt_buf_str(&flat);
    size_t n = flat.len;
    if (n > TKT_DECIDED_REPLY_MAX) {
        n = TKT_DECIDED_REPLY_MAX;
        while (n > 0 && s[n] != ' ') {
            n--;
        }
        n = n == 0 ? TKT_DECIDED_REPLY_MAX : n;
    }
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    if (n == 0) {
        s = "This address does not take the message";
        n = strlen(s);
    }
    memcpy(out, s, n);
    out[n] = '\0';
}
