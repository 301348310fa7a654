/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/fields.h"

#include "base/enc.h"
#include "base/util.h"
#include "message/address.h"
#include "message/authres.h"
#include "message/date.h"
#include "message/prescan.h"
#include "message/rfc2047.h"

#include <string.h>

#define ADDRESS_FIELDS_MAX 8 /* of one name; the standard knows one */

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

/* ---- fields for rules ---- */

static void keep_field(struct tkt_reading *r, const struct tkt_field *f, const char *name)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * f->value_len + 16);
    struct tkt_kept_field *kept = &r->msg->kept[r->msg->kept_count];

    tkt_rfc2047_add_near(&b, r->charset_hint, tkt_field_value(&r->scan.header, f),
                         f->value_len);
    const char *s = tkt_buf_str(&b);
    size_t skip = b.len == 0 ? 0 : strspn(s, " \t");
    size_t n = tkt_utf8_cut(s + skip, b.len - skip, r->scan.limits->header_max);
    kept->name = tkt_reading_keep(r, name, strlen(name));
    kept->value = tkt_reading_keep(r, s + skip, n);
    r->msg->kept_count++;
}

/* The name of the options that the field has, or NULL. */
static const char *kept_name(const struct tkt_reading *r, const struct tkt_field *f)
{
    const char *name = r->scan.header.block.data + f->name_at;

    for (size_t i = 0; i < r->opt->keep_count; i++) {
        if (strlen(r->opt->keep[i]) == f->name_len &&
            tkt_ascii_ieqn(name, r->opt->keep[i], f->name_len)) {
            return r->opt->keep[i];
        }
    }
    return NULL;
}

static void read_kept(struct tkt_reading *r)
{
    for (size_t i = 0; r->opt->keep_count > 0 && i < r->scan.header.count; i++) {
        const struct tkt_field *f = &r->scan.header.fields[i];
        const char *name = kept_name(r, f);
        if (name == NULL || r->msg->kept_count == TKT_MESSAGE_KEPT_MAX) {
            continue;
        }
        if (r->msg->kept == NULL) {
            r->msg->kept = tkt_wire_arena_alloc(
                &r->msg->arena, TKT_MESSAGE_KEPT_MAX * sizeof(*r->msg->kept));
            if (r->msg->kept == NULL) {
                r->no_memory = true;
                return;
            }
        }
        keep_field(r, f, name);
    }
}

/* ---- Subject and the IDs in it ---- */

static void decode_subject(struct tkt_reading *r, const char *value, size_t len)
{
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * len + 16);

    if (memchr(value, '\0', len) != NULL) {
        tkt_scan_problem(&r->scan, "broken: NUL in the Subject");
    }
    tkt_rfc2047_add_near(&b, r->charset_hint, value, len);
    const char *s = tkt_buf_str(&b);
    size_t n = b.len;
    while (n > 0 && *s == ' ') {
        s++;
        n--;
    }
    n = tkt_utf8_cut(s, n, r->scan.limits->header_max);
    while (n > 0 && s[n - 1] == ' ') {
        n--;
    }
    r->msg->subject = tkt_reading_keep(r, s, n);
}

static void read_subject(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "Subject");

    r->msg->subject = tkt_nothing;
    if (f != NULL) {
        note_repeated(r, "Subject");
        decode_subject(r, tkt_field_value(&r->scan.header, f), f->value_len);
    }
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

void tkt_fields_subject(struct tkt_reading *r, const char *value, size_t len)
{
    decode_subject(r, value, len);
    read_subject_ids(r);
}

/* ---- addresses ---- */

static void note_addresses(struct tkt_reading *r, const char *name,
                           enum tkt_address_result rc)
{
    switch (rc) {
    case TKT_ADDRESS_OK:
        break;
    case TKT_ADDRESS_AMBIGUOUS:
        tkt_scan_problem(&r->scan, "broken: an entry of %s names two addresses", name);
        break;
    case TKT_ADDRESS_BROKEN:
        tkt_scan_problem(&r->scan, "broken: no address in %s", name);
        break;
    case TKT_ADDRESS_MANY:
        tkt_scan_problem(&r->scan, "addresses: more than %zu in %s",
                         r->scan.limits->addresses_max, name);
        break;
    case TKT_ADDRESS_NO_MEMORY:
        r->no_memory = true;
        break;
    }
}

/* The worst of the results of all fields of that name. */
static enum tkt_address_result read_addresses(struct tkt_reading *r, const char *name,
                                              struct tkt_addresses *out)
{
    struct tkt_address_caps caps = {r->scan.limits->addresses_max,
                                    r->scan.limits->name_max};
    enum tkt_address_result worst = TKT_ADDRESS_OK;
    size_t index = 0;
    size_t fields = 0;
    const struct tkt_field *f;

    while (worst < TKT_ADDRESS_MANY &&
           (f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        if (++fields > ADDRESS_FIELDS_MAX) {
            tkt_scan_problem(&r->scan, "address_fields: more than %d %s fields",
                             ADDRESS_FIELDS_MAX, name);
            break;
        }
        enum tkt_address_result rc =
            tkt_address_add(tkt_field_value(&r->scan.header, f), f->value_len,
                            r->charset_hint, &caps, out, &r->msg->arena);
        note_addresses(r, name, rc);
        worst = TKT_MAX(worst, rc);
    }
    return worst;
}

/* A From without an address still has a name. */
static void keep_name_alone(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "From");

    if (f == NULL) {
        return;
    }
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(16 * f->value_len + 16);
    tkt_rfc2047_add_near(&b, r->charset_hint, tkt_field_value(&r->scan.header, f),
                         f->value_len);
    const char *s = tkt_buf_str(&b);
    size_t n = strcspn(s, "<");
    while (n > 0 && strchr(" \t\"", *s) != NULL) {
        s++;
        n--;
    }
    n = tkt_utf8_cut(s, n, r->scan.limits->name_max);
    while (n > 0 && strchr(" \t\"", s[n - 1]) != NULL) {
        n--;
    }
    r->msg->from.name = tkt_reading_keep(r, s, n);
}

/* Who else may have written it, when From does not tell. */
static void find_author(struct tkt_reading *r)
{
    static const char *const names[] = {"Sender", "Reply-To", "Resent-From",
                                        "Return-Path"};
    struct tkt_addresses found = {NULL, 0};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        read_addresses(r, names[i], &found);
        if (found.count > 0) {
            tkt_scan_problem(&r->scan, "broken: no usable From, %s counts", names[i]);
            r->msg->from.address = found.items[0].address;
            if (r->msg->from.name[0] == '\0') {
                r->msg->from.name = found.items[0].name;
            }
            return;
        }
    }
    tkt_scan_problem(&r->scan, "broken: no usable From");
}

/* Returns whether From names exactly one author, so that results about a domain can be
 * results about him. */
static bool read_from(struct tkt_reading *r)
{
    struct tkt_addresses from = {NULL, 0};
    enum tkt_address_result rc = read_addresses(r, "From", &from);

    note_repeated(r, "From");
    r->msg->from = (struct tkt_address){tkt_nothing, tkt_nothing};
    if (from.count == 0) {
        keep_name_alone(r);
        find_author(r);
        return false;
    }
    r->msg->from = from.items[0];
    if (from.count > 1) {
        tkt_scan_problem(&r->scan, "broken: more than one author, the first counts");
    }
    return from.count == 1 && rc == TKT_ADDRESS_OK;
}

static void read_sender(struct tkt_reading *r)
{
    struct tkt_addresses sender = {NULL, 0};

    read_addresses(r, "Sender", &sender);
    if (sender.count > 0 &&
        !tkt_ascii_ieq(sender.items[0].address, r->msg->from.address)) {
        r->msg->sender = sender.items[0];
    }
}

/* ---- date, importance ---- */

static void read_date(struct tkt_reading *r)
{
    const struct tkt_field *f = first_field(r, "Date");

    if (f != NULL && !tkt_date_read(tkt_field_value(&r->scan.header, f), f->value_len,
                                    &r->msg->date_s)) {
        tkt_scan_problem(&r->scan, "broken: Date is none");
    }
}

static enum tkt_importance importance_of(const char *p, size_t n)
{
    static const struct {
        const char *word;
        enum tkt_importance importance;
    } words[] = {{"high", TKT_IMPORTANCE_HIGH},      {"urgent", TKT_IMPORTANCE_HIGH},
                 {"1", TKT_IMPORTANCE_HIGH},         {"2", TKT_IMPORTANCE_HIGH},
                 {"normal", TKT_IMPORTANCE_NORMAL},  {"medium", TKT_IMPORTANCE_NORMAL},
                 {"3", TKT_IMPORTANCE_NORMAL},       {"low", TKT_IMPORTANCE_LOW},
                 {"non-urgent", TKT_IMPORTANCE_LOW}, {"4", TKT_IMPORTANCE_LOW},
                 {"5", TKT_IMPORTANCE_LOW}};

    while (n > 0 && strchr(" \t\r\n\"", *p) != NULL) {
        p++;
        n--;
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(words); i++) {
        size_t len = strlen(words[i].word);
        if (n >= len && tkt_ascii_ieqn(p, words[i].word, len)) {
            return words[i].importance;
        }
    }
    return TKT_IMPORTANCE_NONE;
}

/* The first field that says something; clients that write several write the same. */
static void read_importance(struct tkt_reading *r)
{
    static const char *const names[] = {"Importance", "X-Priority", "X-MSMail-Priority",
                                        "Priority"};

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        const struct tkt_field *f = first_field(r, names[i]);
        if (f != NULL && r->msg->importance == TKT_IMPORTANCE_NONE) {
            r->msg->importance =
                importance_of(tkt_field_value(&r->scan.header, f), f->value_len);
        }
    }
}

/* ---- what our border says ---- */

/* The newest set of an ARC chain: the field of that name with the highest instance, of
 * which there must be one alone. */
static const struct tkt_field *newest_arc(const struct tkt_reading *r, const char *name,
                                          int *instance)
{
    const struct tkt_field *newest = NULL;
    size_t index = 0;
    const struct tkt_field *f;

    *instance = 0;
    while ((f = tkt_header_find(&r->scan.header, name, &index)) != NULL) {
        int i = tkt_arc_instance(tkt_field_value(&r->scan.header, f), f->value_len);
        if (i > 0 && i == *instance) {
            newest = NULL;
        } else if (i > *instance) {
            *instance = i;
            newest = f;
        }
    }
    return newest;
}

/* A list or a forwarder changed the message, so the author's signature does not hold any
 * more. When our border says that the chain holds and its last sealer is one that the
 * administrator trusts, what that one saw counts. */
static void read_arc(struct tkt_reading *r, const char *domain, struct tkt_authres *res)
{
    const struct tkt_header *h = &r->scan.header;
    struct tkt_authres seen;
    int sealed = 0;
    int told = 0;

    if (res->arc != TKT_AUTH_PASS || res->aligned || r->opt->arc_sealer_count == 0) {
        return;
    }
    const struct tkt_field *seal = newest_arc(r, "ARC-Seal", &sealed);
    const struct tkt_field *f = newest_arc(r, "ARC-Authentication-Results", &told);
    if (seal == NULL || f == NULL || sealed != told ||
        !tkt_arc_seal_is_of(tkt_field_value(h, seal), seal->value_len,
                            r->opt->arc_sealers, r->opt->arc_sealer_count)) {
        return;
    }
    tkt_arc_results_read(tkt_field_value(h, f), f->value_len, domain, &seen);
    if (seen.aligned && seen.dmarc != TKT_AUTH_FAIL) {
        *res = seen;
        tkt_scan_problem(&r->scan, "arc: the results of the last sealer count");
    }
}

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
        read_arc(r, domain, &res);
        r->msg->spf = res.spf;
        r->msg->dkim = res.dkim;
        r->msg->dmarc = res.dmarc;
        r->msg->auth_aligned = res.aligned;
        return;
    }
}

static const char *find_hint(const struct tkt_scan *scan)
{
    for (size_t i = 0; i < scan->part_count; i++) {
        if (scan->parts[i].mime.charset != NULL) {
            return scan->parts[i].mime.charset;
        }
    }
    return "";
}

void tkt_fields_read(struct tkt_reading *r)
{
    struct tkt_message *msg = r->msg;

    r->charset_hint = find_hint(&r->scan);
    read_kept(r);
    read_subject(r);
    read_subject_ids(r);
    bool one_author = read_from(r);
    read_sender(r);
    read_addresses(r, "Reply-To", &msg->reply_to);
    read_addresses(r, "To", &msg->to);
    read_addresses(r, "Cc", &msg->cc);
    read_date(r);
    read_importance(r);
    read_auth(r, one_author);
}
