/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/enc.h"
#include "ticketd/mail/edit.h"

#include <string.h>

#define LEN(s) (sizeof(s) - 1)

const char *const tkt_edit_subject_names[] = {
    [TKT_EDIT_SUBJECT_TAGGED] = "tagged", [TKT_EDIT_SUBJECT_REPLACED] = "replaced",
    [TKT_EDIT_SUBJECT_KEPT] = "kept",     [TKT_EDIT_SUBJECT_POLICY] = "policy",
    [TKT_EDIT_SUBJECT_LIMIT] = "limit",
};

struct spot {
    size_t at;
    size_t len;
};

struct found {
    size_t count;
    struct spot
        keeper; /* the tag that stays or gives way: the right one, else the first */
    bool keeper_is_right;
};

static bool tag_names(const char *tag, size_t len, const char *id)
{
    return strlen(id) == len - 2 && tkt_ascii_ieqn(tag + 1, id, len - 2);
}

static void find_tags(const struct tkt_prefixes *own, const char *id, const char *value,
                      size_t len, struct found *f)
{
    struct spot spot;

    memset(f, 0, sizeof(*f));
    for (size_t from = 0;
         tkt_subject_find_tag(own, value, len, from, &spot.at, &spot.len);
         from = spot.at + spot.len) {
        bool right = tag_names(value + spot.at, spot.len, id);

        f->count++;
        if (f->count == 1 || (right && !f->keeper_is_right)) {
            f->keeper = spot;
            f->keeper_is_right = right;
        }
    }
}

/* Copies value with the keeper as [id] (as it stands if it is right) and no other tag. */
static void rewrite_tags(const struct tkt_prefixes *own, const char *id,
                         const char *value, size_t len, const struct found *f,
                         struct tkt_buf *out)
{
    size_t done = 0;
    struct spot spot;

    while (tkt_subject_find_tag(own, value, len, done, &spot.at, &spot.len)) {
        (void)tkt_buf_add(out, value + done, spot.at - done); /* out->failed is checked */
        done = spot.at + spot.len;
        if (spot.at != f->keeper.at) {
            done += tkt_subject_gap(value, len, done);
        } else if (f->keeper_is_right) {
            (void)tkt_buf_add(out, value + spot.at, spot.len);
        } else {
            (void)tkt_buf_addf(out, "[%s]", id);
        }
    }
    (void)tkt_buf_add(out, value + done, len - done);
}

/* Length of the physical line of value that holds at, with name_len on the first. */
static size_t line_length(const char *value, size_t len, size_t at, size_t name_len)
{
    const char *before = memrchr(value, '\n', at);
    const char *behind = memchr(value + at, '\n', len - at);
    size_t start = before == NULL ? 0 : (size_t)(before - value) + 1;
    size_t end = behind == NULL ? len : (size_t)(behind - value);

    return end - start + (before == NULL ? name_len : 0);
}

static void insert_tag(const char *id, const char *value, size_t len, size_t name_len,
                       struct tkt_buf *out)
{
    size_t at = tkt_subject_tag_place(value, len);
    size_t grows = strlen(id) + LEN("[] ");
    const char *gap = " ";

    if (at == len) {
        gap = "";
    } else if (line_length(value, len, at, name_len) + grows > TKT_EDIT_LINE_MAX) {
        gap = "\n ";
    }
    (void)tkt_buf_add(out, value, at);
    (void)tkt_buf_addf(out, "[%s]%s", id, gap);
    (void)tkt_buf_add(out, value + at, len - at);
}

static bool within_limits(const char *value, size_t len, size_t name_len)
{
    size_t line = name_len;

    for (size_t i = 0; i < len; i++) {
        line = value[i] == '\n' ? 0 : line + 1;
        if (line > TKT_EDIT_LINE_MAX) {
            return false;
        }
    }
    return name_len + len < TKT_EDIT_SUBJECT_MAX;
}

enum tkt_edit_subject tkt_edit_tag_subject(const struct tkt_prefixes *own, const char *id,
                                           const char *value, size_t len, size_t name_len,
                                           struct tkt_buf *out)
{
    enum tkt_edit_subject done = TKT_EDIT_SUBJECT_TAGGED;
    size_t mark = out->len;
    struct found f;

    find_tags(own, id, value, len, &f);
    if ((f.count == 1 && f.keeper_is_right) ||
        (f.count == 0 && tkt_subject_hides_tag(value, len, id))) {
        return TKT_EDIT_SUBJECT_KEPT;
    }
    if (f.count > 0) {
        rewrite_tags(own, id, value, len, &f, out);
        done = TKT_EDIT_SUBJECT_REPLACED;
    } else {
        insert_tag(id, value, len, name_len, out);
    }
    if (out->failed || !within_limits(out->data + mark, out->len - mark, name_len)) {
        return TKT_EDIT_SUBJECT_LIMIT;
    }
    return done;
}
