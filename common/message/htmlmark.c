/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/htmlmark.h"

#include "base/enc.h"
#include "base/util.h"

#include <string.h>

struct known {
    const char *name; /* "*x": ends so; "x*": begins so */
    enum tkt_mark_kind kind;
};
static const struct known classes[] = {
    {"gmail_quote", TKT_MARK_QUOTE},
    {"*yahoo_quoted", TKT_MARK_QUOTE},
    {"protonmail_quote", TKT_MARK_QUOTE},
    {"tutanota_quote", TKT_MARK_QUOTE},
    {"zmail_extra", TKT_MARK_QUOTE},
    {"airmail_on", TKT_MARK_QUOTE},
    {"moz-cite-prefix", TKT_MARK_QUOTE},
    {"gmail_signature", TKT_MARK_SIGNATURE},
    {"moz-signature", TKT_MARK_SIGNATURE},
    {"protonmail_signature_block", TKT_MARK_SIGNATURE},
    {"tutanota_signature", TKT_MARK_SIGNATURE},
    {"k9mail-signature", TKT_MARK_SIGNATURE},
    {"ydp*signature", TKT_MARK_SIGNATURE},
    {"moz-forward-container", TKT_MARK_FORWARD},
    {"OutlookMessageHeader", TKT_MARK_DIVIDER},
};
static const struct known ids[] = {
    {"divRplyFwdMsg", TKT_MARK_DIVIDER},
    {"appendonsend", TKT_MARK_DIVIDER},
    {"mail-editor-reference-message-container", TKT_MARK_DIVIDER},
    {"OLK_SRC_BODY_SECTION", TKT_MARK_DIVIDER},
    {"stopSpelling", TKT_MARK_DIVIDER},
    {"zwchr", TKT_MARK_DIVIDER},
    {"isReplyContent", TKT_MARK_QUOTE},
    {"replybody1", TKT_MARK_QUOTE},
    {"reply-intro", TKT_MARK_QUOTE},
    {"_origContent", TKT_MARK_QUOTE},
    {"_originalContent", TKT_MARK_QUOTE},
    {"isForwardContent", TKT_MARK_FORWARD},
    {"forwardbody1", TKT_MARK_FORWARD},
    {"Signature", TKT_MARK_SIGNATURE},
    {"ms-outlook-mobile-signature", TKT_MARK_SIGNATURE},
    {"MAC_OUTLOOK_SIGNATURE", TKT_MARK_SIGNATURE},
    {"AppleMailSignature", TKT_MARK_SIGNATURE},
    {"composer_signature", TKT_MARK_SIGNATURE},
    {"bloop_sign*", TKT_MARK_SIGNATURE},
    {"_rc_sig", TKT_MARK_SIGNATURE},
};
static const struct known names[] = {
    {"quote", TKT_MARK_QUOTE},
    {"messageReplySection", TKT_MARK_QUOTE},
    {"messageSignatureSection", TKT_MARK_SIGNATURE},
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f';
}

static bool matches(const char *p, size_t n, const char *name)
{
    const char *star = strchr(name, '*');
    size_t len = strlen(name);

    if (star == NULL) {
        return n == len && tkt_ascii_ieqn(p, name, n);
    }
    size_t head = (size_t)(star - name);
    size_t tail = len - head - 1;
    return n >= head + tail && tkt_ascii_ieqn(p, name, head) &&
           tkt_ascii_ieqn(p + n - tail, star + 1, tail);
}

static const struct known *find(const struct known *list, size_t count, const char *p,
                                size_t n)
{
    while (n > 2 && (p[0] | 0x20) == 'x' && p[1] == '_') {
        p += 2;
        n -= 2;
    }
    for (size_t i = 0; i < count; i++) {
        if (matches(p, n, list[i].name)) {
            return &list[i];
        }
    }
    return NULL;
}

/* The first known word of a class attribute. */
static const struct known *find_class(struct tkt_html_range class)
{
    const char *end = class.p + class.n;

    for (const char *p = class.p; p < end;) {
        const char *start = p;
        while (p < end && !is_space(*p)) {
            p++;
        }
        const struct known *k =
            find(classes, TKT_ARRAY_LEN(classes), start, (size_t)(p - start));
        if (k != NULL) {
            return k;
        }
        while (p < end && is_space(*p)) {
            p++;
        }
    }
    return NULL;
}

bool tkt_html_mark_of(struct tkt_html_range class, struct tkt_html_range id,
                      struct tkt_html_range name, enum tkt_mark_kind *out, bool *gmail)
{
    const struct known *k = class.p == NULL ? NULL : find_class(class);

    *gmail = k == &classes[0];
    if (k == NULL && id.p != NULL) {
        k = find(ids, TKT_ARRAY_LEN(ids), id.p, id.n);
    }
    if (k == NULL && name.p != NULL) {
        k = find(names, TKT_ARRAY_LEN(names), name.p, name.n);
    }
    if (k == NULL) {
        return false;
    }
    *out = k->kind;
    return true;
}
