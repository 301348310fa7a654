/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/fields.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/address.h"
#include "message/authres.h"
#include "message/prescan.h"
#include "message/rfc2047.h"

#include <gmime/gmime.h>
#include <string.h>

#define ADDRESS_FIELDS_MAX 8 /* of one name; the standard knows one */
#define SUBJECT_MAX (32 * 1024)
#define ID_MAX 998

static const struct tkt_field *first_field(const struct tkt_reading *r, const char *name)
{
    size_t index = 0;

    return tkt_header_find(&r->scan.header, name, &index);
}

static void note_repeated(struct tkt_reading *r, const char *name)
{
    size_t index = 0;

    (void)tkt_header_find(&r->scan.header, name, &index);
    if (tkt_header_find(&r->scan.header, name, &index) != NULL) {
        tkt_scan_problem(&r->scan, "broken: more than one %s field, the first counts",
                         name);
    }
}

/* ---- Subject and the IDs in it ---- */

static void read_subject(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "Subject");

    r->msg->subject = tkt_nothing;
    if (f == NULL) {
        return;
    }
    note_repeated(r, "Subject");
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(8 * f->value_len + 16);
    const char *value = tkt_field_value(&r->scan.header, f);
    if (memchr(value, '\0', f->value_len) != NULL) {
        tkt_scan_problem(&r->scan, "broken: NUL in the Subject");
    }
    tkt_rfc2047_add(&b, value, f->value_len);
    const char *s = tkt_buf_str(&b);
    size_t n = b.len;
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    n = tkt_utf8_cut(s, n, SUBJECT_MAX);
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    r->msg->subject = tkt_reading_keep(r, s, n);
}

/* "[IT-12]": length of PREFIX-number at p, or 0. */
static size_t match_id(const char *p, const char *prefix)
{
    size_t n = strlen(prefix);

    if (n == 0 || !tkt_ascii_ieqn(p, prefix, n) || p[n] != '-') {
        return 0;
    }
    size_t digits = strspn(p + n + 1, "0123456789");
    bool good = digits > 0 && digits <= 18 && p[n + 1] != '0' && p[n + 1 + digits] == ']';
    return good ? n + 1 + digits : 0;
}

static void add_subject_id(struct tkt_reading *r, const char *prefix, const char *number,
                           size_t n)
{
    TKT_AUTO_BUF struct tkt_buf id = TKT_BUF_INIT(strlen(prefix) + 32);

    tkt_buf_addf(&id, "%s-%.*s", prefix, (int)n, number);
    for (size_t i = 0; i < r->msg->subject_ids.count; i++) {
        if (strcmp(r->msg->subject_ids.items[i], tkt_buf_str(&id)) == 0) {
            return;
        }
    }
    tkt_reading_add(r, &r->msg->subject_ids, TKT_MESSAGE_IDS_MAX, tkt_buf_str(&id),
                    id.len);
}

static void read_subject_ids(struct tkt_reading *r)
{
    for (const char *p = strchr(r->msg->subject, '['); p != NULL;
         p = strchr(p + 1, '[')) {
        for (size_t i = 0; i < r->opt->prefix_count; i++) {
            const char *prefix = r->opt->prefixes[i];
            size_t n = match_id(p + 1, prefix);
            if (n > 0) {
                size_t skip = strlen(prefix) + 1;
                add_subject_id(r, prefix, p + 1 + skip, n - skip);
            }
        }
    }
}

/* ---- addresses ---- */

static void read_addresses(struct tkt_reading *r, const char *name,
                           struct tkt_addresses *out)
{
    size_t index = 0;
    size_t fields = 0;
    const struct tkt_field *f;

    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        if (++fields > ADDRESS_FIELDS_MAX) {
            tkt_scan_problem(&r->scan, "address_fields: more than %d %s fields",
                             ADDRESS_FIELDS_MAX, name);
            return;
        }
        switch (tkt_address_add(tkt_field_value(&r->scan.header, f), f->value_len,
                                r->scan.limits->address_colons_max, out,
                                &r->msg->arena)) {
        case TKT_ADDRESS_OK:
            break;
        case TKT_ADDRESS_COLONS:
            tkt_scan_problem(&r->scan, "address_colons: more than %zu ':' in %s",
                             r->scan.limits->address_colons_max, name);
            break;
        case TKT_ADDRESS_BROKEN:
            tkt_scan_problem(&r->scan, "broken: no address in %s", name);
            break;
        case TKT_ADDRESS_MANY:
            tkt_scan_problem(&r->scan, "addresses: more than %d in %s",
                             TKT_MESSAGE_ADDRS_MAX, name);
            return;
        case TKT_ADDRESS_NO_MEMORY:
            r->no_memory = true;
            return;
        }
    }
}

/* Returns whether From names exactly one author, so that results about a domain can be
 * results about him. */
static bool read_from(struct tkt_reading *r)
{
    struct tkt_addresses from = {NULL, 0};
    struct tkt_addresses sender = {NULL, 0};

    read_addresses(r, "From", &from);
    note_repeated(r, "From");
    r->msg->from = (struct tkt_address){tkt_nothing, tkt_nothing};
    if (from.count > 0) {
        r->msg->from = from.items[0];
        if (from.count > 1) {
            tkt_scan_problem(&r->scan, "broken: more than one author, the first counts");
        }
        return from.count == 1;
    }
    tkt_scan_problem(&r->scan, "broken: no usable From");
    read_addresses(r, "Sender", &sender);
    if (sender.count > 0) {
        r->msg->from = sender.items[0];
    }
    return false;
}

/* ---- Message-IDs, date ---- */

/* The next "<...>" behind *p; what stands between is passed over. */
static bool next_id(const char **p, const char *end, const char **id, size_t *n)
{
    const char *open = memchr(*p, '<', (size_t)(end - *p));
    const char *close = open == NULL ? NULL : memchr(open, '>', (size_t)(end - open));

    if (close == NULL) {
        return false;
    }
    *p = close + 1;
    *id = open + 1;
    *n = (size_t)(close - open - 1);
    return true;
}

/* An ID as text on one line; "" when there is none or it is absurdly long. */
static void clean_id(struct tkt_buf *out, const char *p, size_t n)
{
    tkt_buf_reset(out);
    if (n > ID_MAX) {
        return;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    tkt_utf8_add_clean(&b, p, n);
    for (size_t i = 0; i < b.len; i++) {
        unsigned char c = (unsigned char)b.data[i];
        if (c > ' ' && c != 0x7f) { /* folds inside an ID are not part of it */
            tkt_buf_addc(out, b.data[i]);
        }
    }
}

static void read_message_id(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "Message-ID");
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);

    r->msg->message_id = tkt_nothing;
    if (f == NULL) {
        return;
    }
    const char *p = tkt_field_value(&r->scan.header, f);
    const char *id = p;
    size_t n = f->value_len;
    if (!next_id(&p, p + n, &id, &n)) {
        id = p; /* without brackets: taken as it stands */
    }
    clean_id(&b, id, n);
    r->msg->message_id = tkt_reading_keep(r, tkt_buf_str(&b), b.len);
}

/* The first one (how the thread began) and the newest are kept when there are many. */
void tkt_fields_ids(struct tkt_reading *r, const char *value, size_t len,
                    struct tkt_strings *out)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(4 * ID_MAX);
    const char *p = value;
    const char *end = value + len;
    const char *id = NULL;
    size_t n = 0;

    while (next_id(&p, end, &id, &n)) {
        clean_id(&b, id, n);
        if (b.len == 0) {
            continue;
        }
        if (out->count == r->scan.limits->references_max) {
            tkt_scan_problem(&r->scan, "references: more than %d, the middle is left out",
                             (int)r->scan.limits->references_max);
            memmove(out->items + 1, out->items + 2,
                    (out->count - 2) * sizeof(*out->items));
            out->count--;
        }
        tkt_reading_add(r, out, TKT_MESSAGE_REFS_MAX, tkt_buf_str(&b), b.len);
    }
}

static void read_id_field(struct tkt_reading *r, const char *name,
                          struct tkt_strings *out)
{
    size_t index = 0;
    const struct tkt_field *f;

    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        tkt_fields_ids(r, tkt_field_value(&r->scan.header, f), f->value_len, out);
    }
}

static void read_date(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "Date");
    char flat[256];

    if (f == NULL) {
        return;
    }
    size_t n = TKT_MIN(f->value_len, sizeof(flat) - 1);
    memcpy(flat, tkt_field_value(&r->scan.header, f), n);
    n = tkt_header_unfold(flat, n);
    flat[n] = '\0';
    for (size_t i = 0; i < n; i++) {
        flat[i] = (unsigned char)flat[i] < 0x7f ? flat[i] : '?';
    }
    GDateTime *date = g_mime_utils_header_decode_date(flat);
    if (date != NULL) {
        r->msg->date_s = g_date_time_to_unix(date);
        g_date_time_unref(date);
    } else {
        tkt_scan_problem(&r->scan, "broken: Date is none");
    }
}

/* ---- what our border says ---- */

static void read_auth(struct tkt_reading *r, bool one_author)
{
    size_t index = 0;
    const struct tkt_field *f;
    const char *at = strrchr(r->msg->from.address, '@');
    const char *domain = one_author && at != NULL ? at + 1 : "";
    struct tkt_authres res;

    while ((f = tkt_header_find(&r->scan.header, "Authentication-Results", &index)) !=
           NULL) {
        const char *value = tkt_field_value(&r->scan.header, f);
        if (!tkt_authres_is_of(value, f->value_len, r->opt->authserv_ids,
                               r->opt->authserv_id_count)) {
            continue;
        }
        tkt_authres_read(value, f->value_len, domain, &res);
        r->msg->spf = res.spf;
        r->msg->dkim = res.dkim;
        r->msg->dmarc = res.dmarc;
        r->msg->auth_aligned = res.aligned;
        return;
    }
}
void tkt_fields_read(struct tkt_reading *r)
{
    struct tkt_message *msg = r->msg;

    read_subject(r);
    read_subject_ids(r);
    bool one_author = read_from(r);
    read_addresses(r, "Reply-To", &msg->reply_to);
    read_addresses(r, "To", &msg->to);
    read_addresses(r, "Cc", &msg->cc);
    read_message_id(r);
    read_id_field(r, "In-Reply-To", &msg->in_reply_to);
    read_id_field(r, "References", &msg->references);
    read_date(r);
    read_auth(r, one_author);
}
