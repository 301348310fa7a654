/* SPDX-License-Identifier: BSD-2-Clause */
#include "message/attachments.h"

#include "base/enc.h"
#include "base/hash.h"
#include "base/util.h"
#include "message/cid.h"
#include "message/partname.h"
#include "message/tnef.h"
#include "message/visit.h"

#include <string.h>

/* Contents that are read at the same time: streams within each other. */
#define HASHES_MAX (TKT_TNEF_DEPTH_MAX + 1)

struct listing;
struct hashing {
    struct listing *listing;
    struct tkt_sha256 sha;
    uint64_t size;
    bool is_used;
    bool is_cut; /* the time or the bytes were up */
};

struct listing {
    struct tkt_reading *r;
    struct hashing hashes[HASHES_MAX];
    size_t room;     /* of the list */
    uint64_t hashed; /* bytes so far, of the whole message */
    struct tkt_cids cids;
};

static bool enter(void *arg, const char *path)
{
    struct listing *l = arg;

    (void)path;
    return !l->r->scan.budget.is_over;
}

static bool is_spent(struct listing *l)
{
    struct tkt_scan *s = &l->r->scan;

    if (l->hashed > s->limits->hash_max) {
        tkt_scan_problem(s, "hash_max: no hash of attachments beyond %zu bytes",
                         s->limits->hash_max);
        return true;
    }
    return tkt_scan_out_of_time(s);
}

static void *begin(void *arg, const char *path)
{
    struct listing *l = arg;

    (void)path;
    for (size_t i = 0; i < HASHES_MAX && !is_spent(l); i++) {
        struct hashing *h = &l->hashes[i];
        if (!h->is_used) {
            *h = (struct hashing){.listing = l, .is_used = true};
            tkt_sha256_init(&h->sha);
            return h;
        }
    }
    return NULL;
}

static int add(void *arg, const char *p, size_t n, struct tkt_err *err)
{
    struct hashing *h = arg;

    (void)err;
    h->listing->hashed += n;
    h->is_cut = is_spent(h->listing);
    if (h->is_cut) {
        return 1;
    }
    tkt_sha256_add(&h->sha, p, n);
    h->size += n;
    return 0;
}

static int is_inline(struct listing *l, const struct tkt_entry *e, bool *out,
                     struct tkt_err *err)
{
    bool is_image = strncmp(e->type, "image/", 6) == 0;
    bool has_id = e->content_id[0] != '\0';

    *out = is_image &&
           (e->disposition == TKT_DISPOSITION_INLINE ||
            (has_id && e->is_related && e->disposition != TKT_DISPOSITION_ATTACHMENT));
    if (has_id && !*out) {
        if (tkt_cids_read(&l->cids, l->r->src, &l->r->scan, err) < 0) {
            return -1;
        }
        *out = tkt_cids_has(&l->cids, e->content_id);
    }
    return 0;
}

static char *keep(struct listing *l, const char *s, size_t max)
{
    return tkt_reading_keep(l->r, s, tkt_utf8_cut(s, strlen(s), max));
}

static void set_hash(struct listing *l, struct hashing *h, struct tkt_attachment *a)
{
    unsigned char digest[TKT_SHA256_LEN];
    char hex[2 * TKT_SHA256_LEN + 1];

    if (h->is_cut || tkt_scan_out_of_time(&l->r->scan)) {
        tkt_sha256_release(&h->sha);
    } else {
        tkt_sha256_final(&h->sha, digest);
        tkt_hex_encode(digest, sizeof(digest), hex);
        a->sha256 = tkt_reading_keep(l->r, hex, strlen(hex));
        a->size = h->size;
    }
    h->is_used = false;
}

/* The list grows in the arena: few messages have many. */
static int make_room(struct listing *l)
{
    struct tkt_message *msg = l->r->msg;

    if (msg->attachment_count < l->room) {
        return 0;
    }
    size_t room = TKT_MIN(l->room == 0 ? 8 : 4 * l->room, TKT_MESSAGE_PARTS_MAX);
    struct tkt_attachment *more = tkt_wire_arena_alloc(&msg->arena, room * sizeof(*more));
    if (more == NULL) {
        return -1;
    }
    if (msg->attachment_count > 0) {
        memcpy(more, msg->attachments, msg->attachment_count * sizeof(*more));
    }
    msg->attachments = more;
    l->room = room;
    return 0;
}

static int end(void *arg, void *content, const struct tkt_entry *e, struct tkt_err *err)
{
    struct listing *l = arg;
    struct tkt_message *msg = l->r->msg;
    struct tkt_attachment a = {.size = e->encoded_size, .sha256 = tkt_nothing};
    char made[TKT_PART_NAME_MAX];

    if (content != NULL) {
        set_hash(l, content, &a);
    }
    if (msg->attachment_count == TKT_MESSAGE_PARTS_MAX) {
        tkt_scan_problem(&l->r->scan, "mime_parts: more than %d attachments",
                         TKT_MESSAGE_PARTS_MAX);
        return 1;
    }
    if (make_room(l) < 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    if (is_inline(l, e, &a.is_inline, err) < 0) {
        return -1;
    }
    const char *name = e->name;
    if (name[strspn(name, " ")] == '\0') {
        tkt_part_name(e->type, e->path, made);
        name = made;
    }
    a.name = keep(l, name, l->r->scan.limits->name_max);
    a.type = keep(l, e->type, TKT_MIME_TYPE_MAX);
    a.part = keep(l, e->path, TKT_VISIT_PATH_MAX);
    a.content_id = keep(l, e->content_id, TKT_MESSAGE_NAME_MAX);
    msg->attachments[msg->attachment_count++] = a;
    return 0;
}

int tkt_attachments_read(struct tkt_reading *r, struct tkt_err *err)
{
    struct listing l = {.r = r};
    const struct tkt_visitor visitor = {
        .arg = &l, .enter = enter, .begin = begin, .data = add, .end = end};

    if (r->scan.header_only) {
        return 0;
    }
    int rc = tkt_visit(r->src, &r->scan, &visitor, err);
    for (size_t i = 0; i < HASHES_MAX; i++) {
        if (l.hashes[i].is_used) {
            tkt_sha256_release(&l.hashes[i].sha);
        }
    }
    tkt_cids_release(&l.cids);
    return rc;
}
