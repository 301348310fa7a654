/* SPDX-License-Identifier: BSD-2-Clause
 * Erasing content: forget, retention, and files that no row names.
 *
 * Rows stay, with their hashes; words, names and addresses go. A file is removed only
 * after the commit that forgot it.
 */
#include "base/clock.h"
#include "base/enc.h"
#include "base/util.h"
#include "store/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#define SWEEP_FILES_MAX 20000
#define SWEEP_KEYS_MAX 5000

static int doom(struct tkt_store *s, const char *blob, struct tkt_err *err)
{
    if (blob[0] == '\0') {
        return 0;
    }
    return tkt_buf_add(&s->doomed, blob, strlen(blob) + 1) < 0
               ? tkt_err_set(err, TKT_ERR_PERM, "store: too many files in one erasure")
               : 0;
}

static int erase_message(struct tkt_store *s, int64_t id, const char *blob,
                         struct tkt_err *err)
{
    if (doom(s, blob, err) < 0) {
        return -1;
    }
    s->want_truncate = true;
    return tkt_db_run(s->db, SQL_MESSAGE_ERASE, err, "i", id) < 0 ||
                   tkt_db_run(s->db, SQL_LEARNED_DROP, err, "i", id) < 0
               ? -1
               : 0;
}

/* "erased:" and 16 digits of its hash: the same person still counts as one. */
static void placeholder(const char *address, char out[32])
{
    unsigned char sha[TKT_SHA256_LEN];

    tkt_sha256(address, strlen(address), sha);
    memcpy(out, "erased:", 8);
    tkt_hex_encode(sha, 8, out + 7);
}

static int replace_participant(struct tkt_store *s, int64_t ticket, const char *address,
                               const char *role, struct tkt_err *err)
{
    char hashed[32];

    placeholder(address, hashed);
    return tkt_db_run(s->db, SQL_PARTICIPANT_DROP, err, "is", ticket, address) < 0 ||
                   tkt_db_run(s->db, SQL_PARTICIPANT_ADD, err, "iss", ticket, hashed,
                              role) < 0
               ? -1
               : 0;
}

/* Each round must change the row that it found: an address is taken whole, however long. */
static int erase_participants(struct tkt_store *s, int64_t ticket, struct tkt_err *err)
{
    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        char role[32];
        int n = tkt_db_query(s->db, &row, SQL_PARTICIPANT_NEXT, err, "i", ticket);
        if (n <= 0) {
            return n;
        }
        TKT_AUTO_FREE char *address = strdup(tkt_row_text(&row, 0));
        snprintf(role, sizeof(role), "%s", tkt_row_text(&row, 1));
        tkt_row_end(&row);
        if (address == NULL) {
            return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
        }
        if (replace_participant(s, ticket, address, role, err) < 0) {
            return -1;
        }
    }
}

static int erase_ticket_fields(struct tkt_store *s, int64_t ticket, int flag,
                               int64_t now_ms, struct tkt_err *err)
{
    if (tkt_db_run(s->db, SQL_TICKET_ERASE, err, "idsi", ticket, flag, ERASED_TEXT,
                   now_ms) < 0 ||
        tkt_db_run(s->db, SQL_EVENT_ERASE, err, "i", ticket) < 0 ||
        tkt_db_run(s->db, SQL_FIELDS_DROP, err, "i", ticket) < 0 ||
        tkt_db_run(s->db, SQL_ANSWERS_FORGET, err, "i", ticket) < 0 ||
        tkt_db_run(s->db, SQL_NOTICES_OF, err, "i", ticket) < 0 ||
        tkt_db_run(s->db, SQL_ASK_DROP, err, "i", ticket) < 0 ||
        tkt_db_run(s->db, SQL_JOB_ERASE, err, "i", ticket) < 0) {
        return -1;
    }
    s->want_truncate = true;
    return 0;
}

static int erased_event(struct tkt_store *s, int64_t ticket, const char *kind,
                        const char *who, int64_t messages, int64_t now_ms,
                        struct tkt_err *err)
{
    struct tkt_buf *b = tkt_event_begin(s);

    json_str_opt(b, "who", who);
    json_int(b, "messages", messages);
    return tkt_event_end(s, ticket, 0, NULL, kind, now_ms, err);
}

/* Everything that a ticket says. */
static int erase_ticket(struct tkt_store *s, int64_t ticket, const char *kind,
                        const char *who, int64_t now_ms, int64_t *count,
                        struct tkt_err *err)
{
    int64_t erased = 0;
    int64_t id = 0;

    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        char blob[40];
        int n = tkt_db_query(s->db, &row, SQL_MESSAGE_NEXT, err, "ii", ticket, id);
        if (n < 0) {
            return -1;
        }
        if (n == 0) {
            break;
        }
        id = tkt_row_int(&row, 0);
        bool gone = (tkt_row_int(&row, 1) & M_ERASED) != 0;
        snprintf(blob, sizeof(blob), "%s", tkt_row_text(&row, 2));
        tkt_row_end(&row);
        if (!gone && erase_message(s, id, blob, err) < 0) {
            return -1;
        }
        erased += gone ? 0 : 1;
    }
    *count += erased;
    return erase_participants(s, ticket, err) < 0 ||
                   tkt_db_run(s->db, SQL_FOREIGN_DROP, err, "i", ticket) < 0 ||
                   erase_ticket_fields(s, ticket, T_ERASED, now_ms, err) < 0 ||
                   erased_event(s, ticket, kind, who, erased, now_ms, err) < 0
               ? -1
               : 0;
}

/* ---- forget an address ------------------------------------------------------------ */

static int forget_messages(struct tkt_store *s, const char *address, const char *who,
                           int64_t now_ms, int64_t *count, struct tkt_err *err)
{
    int64_t id = 0;

    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        char blob[40];
        int n = tkt_db_query(s->db, &row, SQL_MESSAGE_OF_ADDRESS, err, "si", address, id);
        if (n <= 0) {
            return n;
        }
        id = tkt_row_int(&row, 0);
        int64_t ticket = tkt_row_int(&row, 1);
        snprintf(blob, sizeof(blob), "%s", tkt_row_text(&row, 2));
        tkt_row_end(&row);
        if (erase_message(s, id, blob, err) < 0 ||
            (ticket != 0 &&
             (tkt_db_run(s->db, SQL_EVENT_ERASE, err, "i", ticket) < 0 ||
              erased_event(s, ticket, "message.forgotten", who, 1, now_ms, err) < 0))) {
            return -1;
        }
        (*count)++;
    }
}

static int forget_requester(struct tkt_store *s, const char *address, int64_t now_ms,
                            struct tkt_err *err)
{
    int64_t id = 0;
    int n;

    while ((n = tkt_db_get_int(s->db, SQL_TICKETS_OF_REQUESTER, &id, err, "si", address,
                               id)) == 1) {
        if (erase_ticket_fields(s, id, 0, now_ms, err) < 0) {
            return -1;
        }
    }
    return n;
}

static int forget_participant(struct tkt_store *s, const char *address,
                              struct tkt_err *err)
{
    for (;;) {
        struct tkt_row row = TKT_ROW_INIT;
        char role[32];
        int n = tkt_db_query(s->db, &row, SQL_PARTICIPANT_TICKET, err, "s", address);
        if (n <= 0) {
            return n;
        }
        int64_t ticket = tkt_row_int(&row, 0);
        snprintf(role, sizeof(role), "%s", tkt_row_text(&row, 1));
        tkt_row_end(&row);
        if (replace_participant(s, ticket, address, role, err) < 0) {
            return -1;
        }
    }
}

static int forget_address(struct tkt_store *s, const char *what, const char *who,
                          int64_t now_ms, int64_t *count, struct tkt_err *err)
{
    TKT_AUTO_FREE char *address = strdup(what);

    if (address == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "store: no memory");
    }
    tkt_ascii_lower(address);
    return forget_messages(s, address, who, now_ms, count, err) < 0 ||
                   forget_requester(s, address, now_ms, err) < 0 ||
                   forget_participant(s, address, err) < 0 ||
                   tkt_sender_forget(s, address, err) < 0 ||
                   tkt_person_forget(s, address, err) < 0
               ? -1
               : 0;
}

int tkt_store_forget(struct tkt_store *s, const char *what, const char *who,
                     int64_t now_ms, int64_t *count, struct tkt_err *err)
{
    struct ticket_row t;
    bool own = false;
    int rc;

    *count = 0;
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    if (strchr(what, '@') != NULL) {
        rc = forget_address(s, what, who, now_ms, count, err);
    } else {
        rc = tkt_ticket_named(s->db, what, &t, err) < 0
                 ? -1
                 : erase_ticket(s, t.id, "ticket.forgotten", who, now_ms, count, err);
    }
    return tkt_store_leave(s, own, rc, err);
}

/* ---- retention -------------------------------------------------------------------- */

static int retain(struct tkt_store *s, const char *desk, int64_t before_ms, int max,
                  int64_t now_ms, int64_t *count, struct tkt_err *err)
{
    for (int i = 0; i < max; i++) {
        int64_t id = 0;
        int n = tkt_db_get_int(s->db, SQL_TICKETS_CLOSED, &id, err, "sid", desk,
                               before_ms, 1);
        if (n <= 0) {
            return n;
        }
        if (erase_ticket(s, id, "ticket.retention", "", now_ms, count, err) < 0) {
            return -1;
        }
    }
    return 0;
}

int tkt_store_retain(struct tkt_store *s, const char *desk, int64_t closed_before_ms,
                     int max, int64_t now_ms, int64_t *count, struct tkt_err *err)
{
    bool own = false;

    *count = 0;
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = retain(s, desk, closed_before_ms, max, now_ms, count, err);
    return tkt_store_leave(s, own, rc, err);
}

/* ---- sweep ------------------------------------------------------------------------ */

static int sweep_file(struct tkt_store *s, const char *name, int64_t before_ms,
                      int64_t *removed, struct tkt_err *err)
{
    char path[PATH_MAX];
    struct stat st;
    int64_t used = 0;

    if (tkt_blob_path(s->opt.dir, name, path, sizeof(path)) < 0 || stat(path, &st) < 0 ||
        (int64_t)st.st_mtim.tv_sec * 1000 + st.st_mtim.tv_nsec / 1000000 > before_ms) {
        return 0;
    }
    if (tkt_db_get_int(s->db, SQL_BLOB_USED, &used, err, "s", name) < 0) {
        return -1;
    }
    /* Gone when this is committed: what was erased a moment ago may still come back. */
    if (used == 0 && doom(s, name, NULL) == 0) {
        (*removed)++;
    }
    return 0;
}

static int sweep_dir(struct tkt_store *s, const char *dir, int64_t before_ms,
                     int64_t *seen, int64_t *removed, struct tkt_err *err)
{
    DIR *d = opendir(dir);
    struct dirent *e;
    int rc = 0;

    if (d == NULL) {
        return errno == ENOENT
                   ? 0
                   : tkt_err_errno(err, TKT_ERR_TEMP, "store: open directory %s", dir);
    }
    while (rc == 0 && (e = readdir(d)) != NULL) {
        if (strlen(e->d_name) == 32) {
            (*seen)++;
            rc = sweep_file(s, e->d_name, before_ms, removed, err);
        }
    }
    closedir(d);
    return rc;
}

/* Keys that hold no longer: one stretch of the table a call. */
static int sweep_keys(struct tkt_store *s, int64_t now_ms, struct tkt_err *err)
{
    int64_t last = INT64_MAX;
    int n = tkt_db_get_int(s->db, SQL_KEYS_STEP, &last, err, "id", s->sweep_head,
                           SWEEP_KEYS_MAX);

    if (n < 0 ||
        tkt_db_run(s->db, SQL_KEYS_EXPIRE, err, "iii", s->sweep_head, last, now_ms) < 0) {
        return -1;
    }
    s->sweep_head = n == 1 ? last : INT64_MIN;
    return 0;
}

static int sweep(struct tkt_store *s, int64_t now_ms, int64_t min_age_ms,
                 int64_t *removed, struct tkt_err *err)
{
    int64_t seen = 0;

    if (sweep_keys(s, now_ms, err) < 0) {
        return -1;
    }
    for (int i = 0; i < 256 && seen < SWEEP_FILES_MAX; i++) {
        char dir[PATH_MAX];
        snprintf(dir, sizeof(dir), "%s/" BLOBS_NAME "/%02x", s->opt.dir, s->sweep_dir);
        if (sweep_dir(s, dir, now_ms - min_age_ms, &seen, removed, err) < 0) {
            return -1;
        }
        s->sweep_dir = (s->sweep_dir + 1) % 256;
    }
    return 0;
}

int tkt_store_sweep(struct tkt_store *s, int64_t now_ms, int64_t min_age_ms,
                    int64_t *removed, struct tkt_err *err)
{
    bool own = false;

    *removed = 0;
    if (tkt_store_enter(s, &own, err) < 0) {
        return -1;
    }
    int rc = sweep(s, now_ms, min_age_ms, removed, err);
    return tkt_store_leave(s, own, rc, err);
}
