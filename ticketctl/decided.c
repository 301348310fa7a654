/* SPDX-License-Identifier: BSD-2-Clause
 * `explain IT-12`: what was decided about a ticket's mails and why, as it was recorded;
 * with --now beside what today's configuration would decide. */
#include "base/clock.h"
#include "base/util.h"
#include "ticketctl/ctl.h"
#include "ticketctl/explain.h"
#include "ticketctl/out.h"
#include "ticketctl/parts.h"
#include "ticketctl/sample.h"

#include <string.h>

#define MAILS_MAX 1000
#define LINE_MAX_BYTES 8192

struct decided {
    struct tkt_ctl *ctl;
    bool now;
    bool is_running;
    struct tkt_ctl_rerun rerun;
    cJSON *today; /* record of today's decision, or NULL */
    long shown;
};

bool tkt_ctl_is_ticket_id(const char *s)
{
    size_t prefix = strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
    size_t digits =
        prefix > 0 && s[prefix] == '-' ? strspn(s + prefix + 1, "0123456789") : 0;

    return digits > 0 && s[prefix + 1 + digits] == '\0' && s[0] >= 'A' &&
           access(s, F_OK) < 0;
}

/* ---- text ------------------------------------------------------------------------------ */

static void put(const char *label, const char *value, const char *mark)
{
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);

    (void)tkt_buf_addf(&line, "%s %-13s%s", mark, label, value); /* past it: cut */
    tkt_ctl_put_clean(stdout, tkt_buf_str(&line));
    putchar('\n');
}

static void add_words(struct tkt_buf *line, const cJSON *words)
{
    const cJSON *w;
    const char *sep = " (";

    cJSON_ArrayForEach(w, words)
    {
        (void)tkt_buf_addf(line, "%s%s", sep, /* past the maximum it is cut */
                           cJSON_IsString(w) ? w->valuestring : "");
        sep = ", ";
    }
    (void)tkt_buf_adds(line, strcmp(sep, ", ") == 0 ? ")" : ""); /* the same */
}

static void put_reason(const cJSON *reason)
{
    TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);
    const char *field = tkt_ctl_str(reason, "field");
    double permille = tkt_ctl_num(reason, "permille");
    bool is_error = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reason, "error"));

    (void)tkt_buf_addf(&line, "    %s %s", tkt_ctl_str(reason, "source"), /* as above */
                       tkt_ctl_str(reason, "by"));
    if (is_error) {
        (void)tkt_buf_addf(&line, ": could not be tried: %s", /* the same */
                           tkt_ctl_str(reason, "value"));
    } else if (field[0] != '\0') {
        (void)tkt_buf_addf(&line, ": %s = %s", field, /* the same */
                           tkt_ctl_str(reason, "value"));
    }
    if (permille > 0) {
        (void)tkt_buf_addf(&line, ", %.1f %%", permille / 10); /* the same */
    }
    if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(reason, "overruled"))) {
        (void)tkt_buf_adds(&line, ", overruled"); /* the same */
    }
    add_words(&line, cJSON_GetObjectItemCaseSensitive(reason, "words"));
    tkt_ctl_put_clean(stdout, tkt_buf_str(&line));
    putchar('\n');
}

static void put_reasons(const cJSON *record, const char *title)
{
    const cJSON *reasons = cJSON_GetObjectItemCaseSensitive(record, "reasons");
    const cJSON *r;

    if (cJSON_GetArraySize(reasons) > 0) {
        printf("  %s\n", title);
    }
    cJSON_ArrayForEach(r, reasons)
    {
        put_reason(r);
    }
    if (tkt_ctl_num(record, "left_out") > 0) {
        printf("    and %.0f more\n", tkt_ctl_num(record, "left_out"));
    }
}

static void put_parts(const struct decided *d, const struct tkt_ctl_parts *then,
                      const struct tkt_ctl_parts *now)
{
    uint32_t bits = d->now && then->is_known ? tkt_ctl_parts_diff(then, now) : 0;

    for (int i = 0; i < TKT_PART_COUNT; i++) {
        TKT_AUTO_BUF struct tkt_buf line = TKT_BUF_INIT(LINE_MAX_BYTES);
        bool differs = (bits >> i & 1) != 0;
        const struct tkt_buf *was = then->is_known ? &then->texts[i] : &now->texts[i];
        if (was->len == 0 && !differs) {
            continue;
        }
        (void)tkt_buf_adds(&line, was->len > 0 ? tkt_buf_str(was) : "-"); /* as above */
        if (differs) {
            (void)tkt_buf_addf(&line, "   now: %s", /* the same */
                               now->texts[i].len > 0 ? tkt_buf_str(&now->texts[i]) : "-");
        }
        put(tkt_decision_part_names[i], tkt_buf_str(&line), differs ? "*" : " ");
    }
}

static void put_mail(const struct decided *d, const struct tkt_ctl_sample *s,
                     const struct tkt_ctl_parts *then, const struct tkt_ctl_parts *now)
{
    char at[32] = "";
    char line[400];

    printf("%s", d->shown > 0 ? "\n" : "");
    if (s->decided_ms > 0) {
        tkt_clock_format(s->decided_ms, at);
    }
    snprintf(line, sizeof line, "%s, message %lld, desk %s", s->mail.ticket_id,
             (long long)s->message, s->mail.desk);
    tkt_ctl_put_clean(stdout, line);
    putchar('\n');
    if (s->record != NULL) {
        snprintf(line, sizeof line, "%s by %s", at,
                 tkt_ctl_str(s->record, "by")[0] != '\0' ? tkt_ctl_str(s->record, "by")
                                                         : "the desk's settings");
        put("decided", line, " ");
    } else {
        put("decided",
            "no record was kept: it joined its ticket, or the desk's settings alone "
            "decided",
            " ");
    }
    put_parts(d, then, now);
    if (tkt_ctl_str(s->record, "why")[0] != '\0') {
        put("why", tkt_ctl_str(s->record, "why"), " ");
    }
    put_reasons(s->record, "because");
    if (d->now) {
        put_reasons(d->today, "now because");
        put("now",
            d->today == NULL  ? "this configuration does not know the desk"
            : !then->is_known ? "shown above, with nothing to compare"
            : tkt_ctl_parts_diff(then, now) == 0 ? "the same"
                                                 : "differs where marked *",
            " ");
    }
}

/* ---- JSON ------------------------------------------------------------------------------ */

static int put_json(const struct decided *d, const struct tkt_ctl_sample *s,
                    uint32_t differs)
{
    cJSON *o = cJSON_CreateObject();
    char at[32];
    int rc = EX_OSERR;

    tkt_clock_format(s->decided_ms, at);
    if (cJSON_AddStringToObject(o, "ticket", s->mail.ticket_id) == NULL ||
        cJSON_AddNumberToObject(o, "message", (double)s->message) == NULL ||
        cJSON_AddStringToObject(o, "decided", s->decided_ms > 0 ? at : "") == NULL) {
        cJSON_Delete(o);
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    cJSON_AddItemToObject(o, "record",
                          s->record != NULL ? cJSON_Duplicate(s->record, true)
                                            : cJSON_CreateNull());
    if (d->now) {
        cJSON *list = cJSON_AddArrayToObject(o, "differs");
        cJSON_AddItemToObject(o, "now",
                              d->today != NULL ? cJSON_Duplicate(d->today, true)
                                               : cJSON_CreateNull());
        for (int i = 0; i < TKT_PART_COUNT; i++) {
            if ((differs >> i & 1) != 0) {
                cJSON_AddItemToArray(list,
                                     cJSON_CreateString(tkt_decision_part_names[i]));
            }
        }
    }
    rc = tkt_ctl_print_json(o);
    cJSON_Delete(o);
    return rc;
}

/* ---- deciding again ---------------------------------------------------------------------- */

static int decide_today(struct decided *d, const struct tkt_ctl_sample *s)
{
    TKT_AUTO_BUF struct tkt_buf record = TKT_BUF_INIT(2 * TKT_DECISION_RECORD_MAX);
    struct tkt_decisions sides[TKT_CTL_RERUN_SIDES];
    struct tkt_err err = TKT_ERR_INIT;
    char by[40];
    int rc = 0;

    cJSON_Delete(d->today);
    d->today = NULL;
    if (!d->now || s->is_skipped) {
        return 0;
    }
    if (tkt_ctl_rerun(&d->rerun, &s->mail, sides, &err) < 0) {
        tkt_err_prefix(&err, "message %lld", (long long)s->message);
        return tkt_ctl_fail_err(&err);
    }
    snprintf(by, sizeof by, "config %016llx",
             (unsigned long long)d->ctl->conf->generation);
    if (sides[1].count > 0) {
        rc = tkt_decision_record(&sides[1].items[0], s->mail.desk, by, &record);
        d->today = rc == 0 ? cJSON_ParseWithLength(record.data, record.len) : NULL;
        rc = d->today != NULL ? 0 : tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    for (int i = 0; i < TKT_CTL_RERUN_SIDES; i++) {
        tkt_decisions_release(&sides[i]);
    }
    return rc;
}

static int show_one(struct decided *d, const struct tkt_ctl_sample *s)
{
    struct tkt_ctl_parts then;
    struct tkt_ctl_parts now;
    int rc = decide_today(d, s);

    if (rc != 0) {
        return rc;
    }
    tkt_ctl_parts_init(&then);
    tkt_ctl_parts_init(&now);
    tkt_ctl_parts_of_record(&then, s->record);
    tkt_ctl_parts_of_record(&now, d->today);
    if (d->ctl->json) {
        rc = put_json(d, s, then.is_known ? tkt_ctl_parts_diff(&then, &now) : 0);
    } else {
        put_mail(d, s, &then, &now);
    }
    d->shown++;
    tkt_ctl_parts_release(&then);
    tkt_ctl_parts_release(&now);
    return rc;
}

static int start(struct decided *d)
{
    struct tkt_err err = TKT_ERR_INIT;
    int rc = d->now && !d->is_running ? tkt_ctl_conf(d->ctl) : 0;

    if (rc != 0 || !d->now || d->is_running) {
        return rc;
    }
    const struct tkt_ctl_rerun_side sides[] = {{.conf = NULL}, {.conf = d->ctl->conf}};
    if (tkt_ctl_rerun_start(&d->rerun, sides, &err) < 0) {
        return tkt_ctl_fail_err(&err);
    }
    d->is_running = true;
    return 0;
}

static int show_ticket(struct decided *d, const char *id)
{
    struct tkt_ctl_samples samples = {.ctl = d->ctl, .id = id, .limit = MAILS_MAX};
    struct tkt_ctl_sample s;
    int code = 0;
    int n;
    long before = d->shown;

    while (code == 0 && (n = tkt_ctl_samples_next(&samples, &s, &code)) == 1) {
        code = show_one(d, &s);
    }
    tkt_ctl_samples_release(&samples);
    return code != 0 ? code
           : d->shown == before
               ? tkt_ctl_fail(EX_DATAERR, "%s: no mail of it is left", id)
               : 0;
}

int tkt_ctl_decided(struct tkt_ctl *ctl)
{
    struct decided d = {
        .ctl = ctl, .now = tkt_ctl_opt(ctl, "now") != NULL, .rerun = {.sock = -1}};
    int rc = start(&d);

    for (int i = 0; rc == 0 && i < ctl->pos_count; i++) {
        rc = tkt_ctl_is_ticket_id(ctl->pos[i])
                 ? show_ticket(&d, ctl->pos[i])
                 : tkt_ctl_fail(EX_USAGE,
                                "tickets and files are explained apart: "
                                "\"%s\" is no ticket ID",
                                ctl->pos[i]);
    }
    tkt_ctl_rerun_stop(&d.rerun);
    cJSON_Delete(d.today);
    return rc;
}
