/* SPDX-License-Identifier: BSD-2-Clause
 * Goes through all that can be listed or extracted: the leaves of the part tree, the
 * messages within the message, what winmail.dat holds, and the files within the text.
 * Listing and extraction are two visitors of this one walk, so that a path that was
 * listed is a path that can be extracted.
 *
 * Paths: "1.2" as in IMAP, through messages inside, too ("2.1" is in the message that is
 * part 2); "3/tnef/1" in a winmail.dat; "1/uu/2" and "1/yenc/1" in a text.
 * Bounded: limits.nested_max messages (or winmail.dat) within each other, one window of
 * memory each; a message inside that is itself encoded is opened up to
 * limits.nested_bytes_max bytes. What is deeper or larger is listed and not opened. The
 * budget of the scan holds for what is opened. One thread.
 */
#ifndef TKT_MESSAGE_VISIT_H
#define TKT_MESSAGE_VISIT_H
#include "message/content.h"
#include "message/prescan.h"

#define TKT_VISIT_DEPTH_MAX 8 /* limits.nested_max is never above */
#define TKT_VISIT_PATH_MAX 256

struct tkt_entry {
    const char *path;
    const char *name; /* "" when it has none; UTF-8 on one line, and so are the others */
    const char *type;
    const char *content_id; /* without <>; "" */
    enum tkt_disposition disposition;
    bool is_related;       /* within a multipart/related */
    uint64_t encoded_size; /* as it stands in the message */
};

struct tkt_visitor {
    void *arg;
    /* Whether to look for more below this path. */
    bool (*enter)(void *arg, const char *path);
    /* What data is to be called with; NULL: the content is not wanted. */
    void *(*begin)(void *arg, const char *path);
    tkt_content_fn *data;
    /* Each entry once, behind its content. 1: no more entries are wanted. */
    int (*end)(void *arg, void *content, const struct tkt_entry *entry,
               struct tkt_err *err);
    bool with_text; /* the parts that are the text of a message, too */
};

/* 0, or -1 (TEMP: the source cannot be read, no memory; or what the visitor set). */
int tkt_visit(const struct tkt_message_source *src, struct tkt_scan *scan,
              const struct tkt_visitor *visitor, struct tkt_err *err);
bool tkt_visit_is_message(const char *type);
bool tkt_visit_is_tnef(const struct tkt_part *part);
/* The files within all texts of a message, into their parts (once). */
int tkt_visit_find_blocks(const struct tkt_message_source *src, struct tkt_scan *scan,
                          struct tkt_err *err);

#endif
