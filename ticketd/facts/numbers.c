/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticketd/facts/numbers.h"

#include "base/enc.h"
#include "base/util.h"

#include <stdio.h>
#include <string.h>

#define FORM_MAX 320

/* What the types write where the section says nothing; {project} and {host} are of it. */
static const struct {
    const char *type, *forms[4];
} known[] = {{"rt", {"{host}#{number}"}},
             {"redmine", {"BUG#{number}", "FEATURE#{number}", "SUPPORT#{number}"}},
             {"znuny", {"TICKET#{number}"}},
             {"salesforce", {"CASE#{number}"}},
             {"zendesk", {"#{number}"}},
             {"glpi", {"GLPI#{number}"}},
             {"github", {"{project}{number}"}},
             {"gitlab", {"{project}{number}", "{number}"}}};

/* Others have numbers that nobody takes for something else: INC0010042, PROJ-12. */
static const char plain[] = "{number}";

static const char *form_of(const struct tkt_conf_itsm *itsm, size_t n)
{
    if (itsm->tags.count > 0) {
        return n < itsm->tags.count ? itsm->tags.items[n] : NULL;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(known); i++) {
        if (strcmp(known[i].type, itsm->type) == 0) {
            return n < TKT_ARRAY_LEN(known[i].forms) ? known[i].forms[n] : NULL;
        }
    }
    return n == 0 ? plain : NULL;
}

/* Of "https://rt.example.org:8443/path": rt.example.org. */
static void add_host(struct tkt_buf *out, const char *url)
{
    const char *start = strstr(url, "://");

    if (start != NULL) {
        tkt_buf_add(out, start + 3, strcspn(start + 3, ":/?#"));
    }
}

/* What stands before the number, and behind it. */
static bool fill(const struct tkt_conf_itsm *itsm, const char *form, struct tkt_buf *out,
                 size_t *number_at)
{
    bool has_number = false;

    for (const char *p = form; *p != '\0';) {
        if (strncmp(p, "{project}", 9) == 0) {
            tkt_buf_adds(out, itsm->project);
            p += 9;
        } else if (strncmp(p, "{host}", 6) == 0) {
            add_host(out, itsm->url);
            p += 6;
        } else if (strncmp(p, "{number}", 8) == 0 && !has_number) {
            *number_at = out->len;
            has_number = true;
            p += 8;
        } else {
            tkt_buf_addc(out, *p++);
        }
    }
    return has_number && !out->failed;
}

int tkt_number_in_tag(const struct tkt_conf_itsm *itsm, size_t n, const char *tag,
                      char out[TKT_NUMBER_MAX + 1])
{
    TKT_AUTO_BUF struct tkt_buf want = TKT_BUF_INIT(FORM_MAX);
    const char *form = form_of(itsm, n);
    size_t before = 0;

    if (form == NULL) {
        return -1;
    }
    if (!fill(itsm, form, &want, &before)) {
        return 0;
    }
    const char *frame = tkt_buf_str(&want);
    size_t len = strlen(tag);
    size_t behind = want.len - before;

    if (len <= want.len || len - want.len > TKT_NUMBER_MAX ||
        !tkt_ascii_ieqn(tag, frame, before) ||
        !tkt_ascii_ieqn(tag + len - behind, frame + before, behind)) {
        return 0;
    }
    (void)snprintf(out, TKT_NUMBER_MAX + 1, "%.*s", (int)(len - want.len), tag + before);
    return 1;
}
