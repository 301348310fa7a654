/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "ticketd/control/control.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "ticketd/control/control_agents.h"
#include "ticketd/control/control_facts.h"
#include "ticketd/control/control_itsm.h"
#include "ticketd/control/control_notify.h"
#include "ticketd/control/control_queue.h"
#include "ticketd/control/control_sample.h"
#include "ticketd/control/control_sla.h"
#include "ticketd/people/people.h"
#include "ticketd/shadow/shadow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#define LIST_LIMIT 100
#define LIST_LIMIT_MAX 10000

enum kind {
    KIND_TEXT,
    KIND_NUMBER,
    KIND_FLAG,
    KIND_ID
};

struct arg_spec {
    const char *name;
    enum kind kind;
    bool required;
    bool many;
};

#define ARGS_MAX 12

struct verb {
    const char *name;
    enum tkt_role role;
    bool needs_fd;
    int (*run)(struct tkt_control_request *req, struct tkt_err *err);
    struct arg_spec args[ARGS_MAX];
};

static void say(struct tkt_control_request *req, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct tkt_control_request *req, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(req->text, sizeof(req->text), fmt, ap);
    va_end(ap);
}

/* ---- reading ------------------------------------------------------------------------ */

static int run_ping(struct tkt_control_request *req, struct tkt_err *err)
{
    (void)err; /* cannot fail */
    say(req, "ticketd " PACKAGE_VERSION " is here");
    return 0;
}

static void add_counter(struct tkt_buf *out, const char *name, uint64_t n)
{
    (void)tkt_buf_addf(out, ",\"%s\":%llu", name, (unsigned long long)n);
}

/* The daemon's own part: what the store cannot know. */
static void add_daemon_status(struct tkt_daemon *d, struct tkt_buf *out)
{
    struct tkt_commit_stats commit;
    struct tkt_settings *set = tkt_settings_get(d);

    tkt_commit_stats(d->commit, &commit);
    (void)tkt_buf_addf(out, "\"ticketd\":{\"version\":\"%s\"", PACKAGE_VERSION);
    add_counter(out, "uptime_ms", (uint64_t)(tkt_clock_mono_ms() - d->started_ms));
    (void)tkt_buf_addf(out, ",\"generation\":\"%016llx\",\"config\":",
                       (unsigned long long)set->generation);
    (void)tkt_json_add_string(out, d->conf_path ? d->conf_path : "",
                              d->conf_path ? strlen(d->conf_path) : 0);
    add_counter(out, "requests", d->stats.requests);
    add_counter(out, "refused", d->stats.refused);
    add_counter(out, "created", d->stats.created);
    add_counter(out, "existing", d->stats.existing);
    add_counter(out, "appended", d->stats.appended);
    add_counter(out, "temp", d->stats.temp);
    add_counter(out, "expired", d->stats.expired);
    add_counter(out, "stale", d->stats.stale);
    add_counter(out, "unanalysed", d->stats.unanalysed);
    add_counter(out, "forged_ids", d->stats.forged_ids);
    add_counter(out, "missed_taken", d->stats.missed);
    add_counter(out, "commit_batches", commit.batches);
    add_counter(out, "commit_items", commit.items);
    add_counter(out, "commit_failed", commit.failed);
    add_counter(out, "commit_waiting", commit.waiting);
    add_counter(out, "work_waiting", tkt_work_waiting(d->work));
    (void)tkt_buf_adds(out, "},\"parser\":{\"running\":");
    if (d->pool) {
        struct tkt_parserpool_stats p;

        tkt_parserpool_stats(d->pool, &p);
        (void)tkt_buf_adds(out, "true");
        add_counter(out, "children", p.children);
        add_counter(out, "busy", p.busy);
        add_counter(out, "parsed", p.parsed);
        add_counter(out, "degraded", p.degraded);
        add_counter(out, "killed", p.killed);
        add_counter(out, "died", p.died);
        add_counter(out, "waited_out", p.waited_out);
        add_counter(out, "restarts", p.restarts);
        add_counter(out, "guessed", p.guessed);
        add_counter(out, "rule_errors", p.rule_errors);
    } else {
        (void)tkt_buf_adds(out, "false");
    }
    (void)tkt_buf_adds(out, "},\"people\":");
    tkt_people_status(d->people, out);
    tkt_shadow_status(d->shadow, out);
    (void)tkt_buf_adds(out, "}");
    tkt_settings_put(&set);
}

static int run_status(struct tkt_control_request *req, struct tkt_err *err)
{
    if (tkt_reader_status_json(req->reader, tkt_clock_wall_ms(), &req->data, err) < 0) {
        return -1;
    }
    /* One object: ours goes in before the store's closing brace. */
    while (req->data.len && req->data.data[req->data.len - 1] != '}') {
        req->data.len--;
    }
    if (req->data.len < 2) {
        return tkt_err_set(err, TKT_ERR_BUG, "status: the store gave no object");
    }
    req->data.len--;
    if (req->data.data[req->data.len - 1] != '{') {
        (void)tkt_buf_addc(&req->data, ','); /* a full buffer is seen by the caller */
    }
    add_daemon_status(req->d, &req->data);
    req->has_data = true;
    return 0;
}

static int run_shadow(struct tkt_control_request *req, struct tkt_err *err)
{
    (void)err; /* a full buffer is seen by the caller */
    req->has_data = true;
    (void)tkt_shadow_json(req->d->shadow, &req->data);
    return 0;
}

static int run_list(struct tkt_control_request *req, struct tkt_err *err)
{
    const struct tkt_list_filter filter = {
        .desk = tkt_control_arg(req, "desk"),
        .state = tkt_control_arg(req, "state"),
        .group = tkt_control_arg(req, "group"),
        .assignee = tkt_control_arg(req, "assignee"),
        .requester = tkt_control_arg(req, "requester"),
        .text = tkt_control_arg(req, "text"),
        .since_ms = tkt_control_number(req, "since_ms", 0),
        .limit =
            (int)TKT_MIN(tkt_control_number(req, "limit", LIST_LIMIT), LIST_LIMIT_MAX),
        .before = tkt_control_number(req, "before", 0),
    };

    req->has_data = true;
    return tkt_reader_list_json(req->reader, &filter, &req->data, err);
}

static int run_show(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_reader_show_json(req->reader, tkt_control_arg(req, "id"), &req->data, err);
}

static int run_log(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_reader_log_json(
        req->reader, tkt_control_arg(req, "id"), tkt_control_number(req, "since_ms", 0),
        (int)TKT_MIN(tkt_control_number(req, "limit", LIST_LIMIT), LIST_LIMIT_MAX),
        &req->data, err);
}

static int run_raw(struct tkt_control_request *req, struct tkt_err *err)
{
    int64_t rows[1024];
    int64_t want = tkt_control_number(req, "message", 0);
    int count = tkt_reader_messages(req->reader, tkt_control_arg(req, "id"), rows,
                                    (int)TKT_ARRAY_LEN(rows), err);

    if (count < 0) {
        return -1;
    }
    for (int i = 0; i < count; i++) {
        if (want == 0 || rows[i] == want) {
            req->has_data = true;
            return tkt_reader_raw(req->reader, rows[i], &req->data, &req->out_fd, err);
        }
    }
    if (count == 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s has no message",
                           tkt_control_arg(req, "id"));
    }
    return tkt_err_set(err, TKT_ERR_PERM, "%s has no message %lld; show lists them",
                       tkt_control_arg(req, "id"), (long long)want);
}

static int run_queue(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_reader_jobs_json(
        req->reader, tkt_control_arg(req, "state"), tkt_control_number(req, "job", 0),
        (int)TKT_MIN(tkt_control_number(req, "limit", LIST_LIMIT), LIST_LIMIT_MAX),
        &req->data, err);
}

static int run_verify(struct tkt_control_request *req, struct tkt_err *err)
{
    int64_t bad = 0;

    if (tkt_reader_verify_json(req->reader, &bad, &req->data, err) < 0) {
        return -1;
    }
    req->has_data = true;
    if (bad) {
        req->exit_code = EX_DATAERR;
        say(req, "%lld faults", (long long)bad);
    } else {
        say(req, "no faults");
    }
    return 0;
}

static int copy_file(int from, int to, struct tkt_err *err)
{
    char block[65536];
    off_t at = 0;
    size_t got;

    do {
        if (tkt_pread_full(from, block, sizeof(block), at, &got, err) < 0 ||
            tkt_write_full(to, block, got, err) < 0) {
            return -1;
        }
        at += (off_t)got;
    } while (got == sizeof(block));
    if (fsync(to) < 0 && errno != EINVAL &&
        errno != EROFS) { /* a pipe cannot be synced */
        return tkt_err_errno(err, TKT_ERR_TEMP, "fsync");
    }
    return 0;
}

/* The store writes a file of its own beside the database; the caller's descriptor gets a
 * copy, so that ticketd needs no right to write where the person keeps backups. */
static int run_backup(struct tkt_control_request *req, struct tkt_err *err)
{
    char path[4200];
    unsigned char random[8];
    char hex[17];
    int rc = -1;

    tkt_random(random, sizeof(random));
    tkt_hex_encode(random, sizeof(random), hex);
    snprintf(path, sizeof(path), "%s/backup-%s.tmp", req->d->store_dir, hex);
    if (tkt_reader_backup(req->reader, path, err) == 0) {
        TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
        struct stat st = {0};

        if (fd < 0 || fstat(fd, &st) < 0) {
            tkt_err_errno(err, TKT_ERR_TEMP, "%s", path);
        } else {
            rc = copy_file(fd, req->in_fd, err);
            say(req, "%lld bytes", (long long)st.st_size);
        }
    }
    (void)unlink(path); /* not there when the backup failed early */
    return rc;
}

static int run_facts(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_control_facts(req, err);
}

static int run_sample(struct tkt_control_request *req, struct tkt_err *err)
{
    struct tkt_store_sample_filter filter = {
        .after = tkt_control_number(req, "after", -1),
        .since_ms = tkt_control_number(req, "since_ms", 0),
        .until_ms = tkt_control_number(req, "until_ms", 0),
        .desk = tkt_control_arg(req, "desk"),
        .id = tkt_control_arg(req, "id")};

    req->has_data = true;
    return tkt_control_sample(
        req, filter,
        (int)TKT_MIN(tkt_control_number(req, "limit", LIST_LIMIT), LIST_LIMIT_MAX), err);
}

static int run_reload(struct tkt_control_request *req, struct tkt_err *err)
{
    if (tkt_daemon_reload(req->d, err) < 0) {
        return tkt_err_prefix(err, "the old configuration stays");
    }
    say(req, "reloaded");
    return 0;
}

/* ---- changes: apply functions run in the commit writer ------------------------------- */

static int change(struct tkt_control_request *req,
                  int (*apply)(struct tkt_store *, void *, struct tkt_err *),
                  struct tkt_err *err)
{
    return tkt_commit_call(req->d->commit, apply, req, false, err);
}

static int apply_set(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;

    return tkt_store_set(store, tkt_control_arg(req, "id"), tkt_control_arg(req, "field"),
                         tkt_control_arg(req, "value"), req->who, tkt_clock_wall_ms(),
                         err);
}

static int run_set(struct tkt_control_request *req, struct tkt_err *err)
{
    say(req, "%s: %s is %s", tkt_control_arg(req, "id"), tkt_control_arg(req, "field"),
        tkt_control_arg(req, "value"));
    return change(req, apply_set, err);
}

static int apply_comment(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;

    return tkt_store_comment(
        store, tkt_control_arg(req, "id"), tkt_control_arg(req, "text"),
        tkt_control_number(req, "public", 0) != 0, req->who, tkt_clock_wall_ms(), err);
}

static int run_comment(struct tkt_control_request *req, struct tkt_err *err)
{
    say(req, "%s: commented", tkt_control_arg(req, "id"));
    return change(req, apply_comment, err);
}

static int apply_assign(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;
    const char *group = tkt_control_arg(req, "group");
    const char *assignee = tkt_control_arg(req, "assignee");
    int64_t now = tkt_clock_wall_ms();

    if (group && tkt_store_set(store, tkt_control_arg(req, "id"), "group", group,
                               req->who, now, err) < 0) {
        return -1;
    }
    if (assignee && tkt_store_set(store, tkt_control_arg(req, "id"), "assignee", assignee,
                                  req->who, now, err) < 0) {
        return -1;
    }
    return 0;
}

static int run_assign(struct tkt_control_request *req, struct tkt_err *err)
{
    const char *group = tkt_control_arg(req, "group");
    const char *assignee = tkt_control_arg(req, "assignee");
    bool by_itself = tkt_control_number(req, "auto", 0) != 0;

    if (by_itself && assignee) {
        req->exit_code = EX_USAGE;
        return tkt_err_set(err, TKT_ERR_PERM, "assign: an assignee or auto, not both");
    }
    if (!group && !assignee && !by_itself) {
        req->exit_code = EX_USAGE;
        return tkt_err_set(err, TKT_ERR_PERM,
                           "assign: give a group, an assignee or both");
    }
    if (group && *group) {
        struct tkt_settings *set = tkt_settings_get(req->d);
        bool known = tkt_conf_group(set->conf, group) != NULL;

        tkt_settings_put(&set);
        if (!known) {
            return tkt_err_set(err, TKT_ERR_PERM, "assign: there is no group %s", group);
        }
    }
    if (by_itself) {
        return tkt_control_assign_auto(req, err);
    }
    say(req, "%s: assigned to %s%s%s", tkt_control_arg(req, "id"), group ? group : "",
        group && assignee ? ", " : "", assignee ? assignee : "");
    return change(req, apply_assign, err);
}

static int apply_move(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;
    enum tkt_ticket_state to = TKT_STATE_OPEN;
    const char *text = tkt_control_arg(req, "text");

    if (strcmp(req->verb, "resolve") == 0) {
        to = TKT_STATE_RESOLVED;
    } else if (strcmp(req->verb, "close") == 0) {
        to = TKT_STATE_CLOSED;
    }
    return tkt_store_move(store, tkt_control_arg(req, "id"), to, req->who,
                          text ? text : "", tkt_clock_wall_ms(), err);
}

static int run_move(struct tkt_control_request *req, struct tkt_err *err)
{
    say(req, "%s: %s", tkt_control_arg(req, "id"),
        strcmp(req->verb, "resolve") == 0 ? "resolved"
        : strcmp(req->verb, "close") == 0 ? "closed"
                                          : "reopened");
    return change(req, apply_move, err);
}

static int apply_merge(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;

    return tkt_store_merge(store, tkt_control_arg(req, "from"),
                           tkt_control_arg(req, "into"), req->who, tkt_clock_wall_ms(),
                           err);
}

static int run_merge(struct tkt_control_request *req, struct tkt_err *err)
{
    say(req, "%s: merged into %s", tkt_control_arg(req, "from"),
        tkt_control_arg(req, "into"));
    return change(req, apply_merge, err);
}

static int apply_split(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;
    char id[48] = "";

    if (tkt_store_split(store, tkt_control_arg(req, "id"),
                        tkt_control_number(req, "message", 0), req->who,
                        tkt_clock_wall_ms(), id, err) < 0) {
        return -1;
    }
    tkt_buf_reset(&req->data);
    say(req, "message %s of %s is %s now", tkt_control_arg(req, "message"),
        tkt_control_arg(req, "id"), id);
    return tkt_buf_addf(&req->data, "{\"id\":\"%s\"}", id);
}

static int run_split(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return change(req, apply_split, err);
}

static int apply_link(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;

    return tkt_store_link(store, tkt_control_arg(req, "a"), tkt_control_arg(req, "b"),
                          req->who, tkt_clock_wall_ms(), err);
}

static int run_link(struct tkt_control_request *req, struct tkt_err *err)
{
    say(req, "%s and %s are linked", tkt_control_arg(req, "a"),
        tkt_control_arg(req, "b"));
    return change(req, apply_link, err);
}

static int apply_forget(struct tkt_store *store, void *p, struct tkt_err *err)
{
    struct tkt_control_request *req = p;
    int64_t count = 0;

    if (tkt_store_forget(store, tkt_control_arg(req, "what"), req->who,
                         tkt_clock_wall_ms(), &count, err) < 0) {
        return -1;
    }
    tkt_senders_forget(req->d->senders,
                       tkt_control_arg(req, "what")); /* a ticket ID is nobody's */
    tkt_buf_reset(&req->data);
    say(req, "%lld messages erased", (long long)count);
    return tkt_buf_addf(&req->data, "{\"count\":%lld}", (long long)count);
}

static int run_forget(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    int rc = change(req, apply_forget, err);
    if (rc == 0) {
        tkt_senders_forget(req->d->senders, tkt_control_arg(req, "what"));
    }
    return rc;
}

/* ---- directories -------------------------------------------------------------------- */

static int run_directory_lookup(struct tkt_control_request *req, struct tkt_err *err)
{
    req->has_data = true;
    return tkt_people_lookup_json(req->d, tkt_control_arg(req, "address"),
                                  tkt_control_number(req, "cached", 0) != 0, req->reader,
                                  &req->data, err);
}

static int run_directory_test(struct tkt_control_request *req, struct tkt_err *err)
{
    const char *name = tkt_control_arg(req, "name");

    req->has_data = true;
    return tkt_people_test_json(req->d, name ? name : "", &req->data, err);
}

static int run_directory_flush(struct tkt_control_request *req, struct tkt_err *err)
{
    int64_t removed = 0;

    if (tkt_people_flush(req->d, &removed, err) < 0) {
        return -1;
    }
    say(req, "%lld answers of directories were forgotten", (long long)removed);
    return 0;
}

/* ---- the table ----------------------------------------------------------------------- */

#define NEED(n, k)                                                                       \
    {                                                                                    \
        .name = (n), .kind = (k), .required = true                                       \
    }
#define MAY(n, k)                                                                        \
    {                                                                                    \
        .name = (n), .kind = (k)                                                         \
    }
#define MANY(n, k)                                                                       \
    {                                                                                    \
        .name = (n), .kind = (k), .many = true                                           \
    }

static const struct verb verbs[] = {
    {"ping", TKT_ROLE_NONE, false, run_ping, {{0}}},
    {"status", TKT_ROLE_READER, false, run_status, {{0}}},
    {"shadow", TKT_ROLE_READER, false, run_shadow, {{0}}},
    {"list",
     TKT_ROLE_READER,
     false,
     run_list,
     {MAY("desk", KIND_TEXT), MAY("state", KIND_TEXT), MAY("group", KIND_TEXT),
      MAY("assignee", KIND_TEXT), MAY("requester", KIND_TEXT), MAY("text", KIND_TEXT),
      MAY("since_ms", KIND_NUMBER), MAY("limit", KIND_NUMBER),
      MAY("before", KIND_NUMBER)}},
    {"show", TKT_ROLE_READER, false, run_show, {NEED("id", KIND_ID)}},
    {"log",
     TKT_ROLE_READER,
     false,
     run_log,
     {MAY("id", KIND_ID), MAY("since_ms", KIND_NUMBER), MAY("limit", KIND_NUMBER)}},
    {"raw",
     TKT_ROLE_AGENT,
     false,
     run_raw,
     {NEED("id", KIND_ID), MAY("message", KIND_NUMBER)}},
    {"set",
     TKT_ROLE_AGENT,
     false,
     run_set,
     {NEED("id", KIND_ID), NEED("field", KIND_TEXT), NEED("value", KIND_TEXT)}},
    {"comment",
     TKT_ROLE_AGENT,
     false,
     run_comment,
     {NEED("id", KIND_ID), NEED("text", KIND_TEXT), NEED("public", KIND_FLAG)}},
    {"assign",
     TKT_ROLE_AGENT,
     false,
     run_assign,
     {NEED("id", KIND_ID), MAY("group", KIND_TEXT), MAY("assignee", KIND_TEXT),
      MAY("auto", KIND_FLAG)}},
    {"agents", TKT_ROLE_READER, false, tkt_control_agents, {MAY("group", KIND_TEXT)}},
    {"sla", TKT_ROLE_READER, false, tkt_control_sla, {NEED("id", KIND_ID)}},
    {"slas",
     TKT_ROLE_READER,
     false,
     tkt_control_slas,
     {MAY("until_ms", KIND_NUMBER), MAY("limit", KIND_NUMBER)}},
    {"agent-away",
     TKT_ROLE_AGENT,
     false,
     tkt_control_agent_away,
     {NEED("agent", KIND_TEXT), NEED("until_ms", KIND_NUMBER),
      MAY("from_ms", KIND_NUMBER), MAY("note", KIND_TEXT), MAY("reassign", KIND_FLAG)}},
    {"agent-back",
     TKT_ROLE_AGENT,
     false,
     tkt_control_agent_back,
     {NEED("agent", KIND_TEXT)}},
    {"resolve",
     TKT_ROLE_AGENT,
     false,
     run_move,
     {NEED("id", KIND_ID), MAY("text", KIND_TEXT)}},
    {"reopen",
     TKT_ROLE_AGENT,
     false,
     run_move,
     {NEED("id", KIND_ID), MAY("text", KIND_TEXT)}},
    {"close",
     TKT_ROLE_AGENT,
     false,
     run_move,
     {NEED("id", KIND_ID), MAY("text", KIND_TEXT)}},
    {"merge",
     TKT_ROLE_AGENT,
     false,
     run_merge,
     {NEED("from", KIND_ID), NEED("into", KIND_ID)}},
    {"split",
     TKT_ROLE_AGENT,
     false,
     run_split,
     {NEED("id", KIND_ID), NEED("message", KIND_NUMBER)}},
    {"link", TKT_ROLE_AGENT, false, run_link, {NEED("a", KIND_ID), NEED("b", KIND_ID)}},
    {"forget", TKT_ROLE_ADMIN, false, run_forget, {NEED("what", KIND_TEXT)}},
    {"queue",
     TKT_ROLE_READER,
     false,
     run_queue,
     {MAY("job", KIND_NUMBER), MAY("state", KIND_TEXT), MAY("limit", KIND_NUMBER)}},
    {"sample",
     TKT_ROLE_AGENT,
     false,
     run_sample,
     {MAY("id", KIND_ID), MAY("desk", KIND_TEXT), MAY("after", KIND_NUMBER),
      MAY("since_ms", KIND_NUMBER), MAY("until_ms", KIND_NUMBER),
      MAY("limit", KIND_NUMBER)}},
    {"queue-retry",
     TKT_ROLE_AGENT,
     false,
     tkt_control_queue_order,
     {NEED("job", KIND_NUMBER)}},
    {"queue-park",
     TKT_ROLE_AGENT,
     false,
     tkt_control_queue_order,
     {NEED("job", KIND_NUMBER)}},
    {"queue-drop",
     TKT_ROLE_ADMIN,
     false,
     tkt_control_queue_order,
     {NEED("job", KIND_NUMBER)}},
    {"queue-edit",
     TKT_ROLE_ADMIN,
     false,
     tkt_control_queue_edit,
     {NEED("job", KIND_NUMBER), MAY("payload", KIND_TEXT), MAY("target", KIND_TEXT),
      MAY("force", KIND_FLAG)}},
    {"itsm-moved",
     TKT_ROLE_ADMIN,
     false,
     tkt_control_itsm_moved,
     {NEED("itsm", KIND_TEXT)}},
    {"verify", TKT_ROLE_READER, false, run_verify, {{0}}},
    {"backup", TKT_ROLE_ADMIN, true, run_backup, {{0}}},
    {"reload", TKT_ROLE_ADMIN, false, run_reload, {{0}}},
    {"directory-lookup",
     TKT_ROLE_AGENT,
     false,
     run_directory_lookup,
     {NEED("address", KIND_TEXT), MAY("cached", KIND_FLAG)}},
    {"directory-test",
     TKT_ROLE_AGENT,
     false,
     run_directory_test,
     {MAY("name", KIND_TEXT)}},
    {"directory-flush", TKT_ROLE_ADMIN, false, run_directory_flush, {{0}}},
    {"notify-contacts", TKT_ROLE_READER, false, tkt_control_contacts, {{0}}},
    {"notify-optout",
     TKT_ROLE_AGENT,
     false,
     tkt_control_optout,
     {NEED("address", KIND_TEXT), MAY("back", KIND_FLAG), MAY("mark", KIND_TEXT),
      MAY("desk", KIND_TEXT)}},
    {"notify-preview",
     TKT_ROLE_READER,
     false,
     tkt_control_preview,
     {MAY("id", KIND_ID), MAY("on", KIND_TEXT), MAY("to", KIND_TEXT),
      MAY("language", KIND_TEXT)}},
    {"facts",
     TKT_ROLE_READER,
     false,
     run_facts,
     {MANY("message-id", KIND_TEXT), MANY("id", KIND_ID), MANY("rcpt", KIND_TEXT),
      MANY("foreign", KIND_TEXT), MANY("tail", KIND_TEXT), MANY("image", KIND_TEXT),
      MANY("desk", KIND_TEXT), MAY("address", KIND_TEXT), MAY("self", KIND_TEXT),
      MAY("bounced", KIND_TEXT), MAY("print", KIND_TEXT), MAY("class", KIND_TEXT)}},
};

/* ---- checks -------------------------------------------------------------------------- */

static bool value_is(enum kind kind, const char *value)
{
    int64_t n;

    switch (kind) {
    case KIND_TEXT:
        return true;
    case KIND_NUMBER:
        return tkt_parse_int(value, 0, INT64_MAX, &n) == 0;
    case KIND_FLAG:
        return strcmp(value, "0") == 0 || strcmp(value, "1") == 0;
    case KIND_ID:
        return strlen(value) > 0 && strlen(value) < 48 &&
               strspn(value, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == strlen(value);
    }
    return false;
}

static const char *kind_text(enum kind kind)
{
    switch (kind) {
    case KIND_NUMBER:
        return "a number";
    case KIND_FLAG:
        return "0 or 1";
    case KIND_ID:
        return "a ticket ID such as IT-12";
    case KIND_TEXT:
        break;
    }
    return "a text";
}

static int check_args(const struct verb *verb, const struct tkt_control_request *req,
                      struct tkt_err *err)
{
    unsigned seen[ARGS_MAX] = {0};

    for (size_t i = 0; i < req->arg_count; i++) {
        size_t s = 0;

        while (s < ARGS_MAX && verb->args[s].name &&
               strcmp(verb->args[s].name, req->args[i].name) != 0) {
            s++;
        }
        if (s == ARGS_MAX || !verb->args[s].name) {
            return tkt_err_set(err, TKT_ERR_PERM, "%s takes no argument %.40s",
                               verb->name, req->args[i].name);
        }
        if (seen[s]++ && !verb->args[s].many) {
            return tkt_err_set(err, TKT_ERR_PERM, "%s: %s is given twice", verb->name,
                               verb->args[s].name);
        }
        if (!value_is(verb->args[s].kind, req->args[i].value)) {
            return tkt_err_set(err, TKT_ERR_PERM, "%s: %s must be %s, not \"%.60s\"",
                               verb->name, verb->args[s].name,
                               kind_text(verb->args[s].kind), req->args[i].value);
        }
    }
    for (size_t s = 0; s < ARGS_MAX && verb->args[s].name; s++) {
        if (verb->args[s].required && !seen[s]) {
            return tkt_err_set(err, TKT_ERR_PERM, "%s: %s is missing (%s)", verb->name,
                               verb->args[s].name, kind_text(verb->args[s].kind));
        }
    }
    if (verb->needs_fd && req->in_fd < 0) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: no descriptor came along", verb->name);
    }
    return 0;
}

int tkt_control_verb(struct tkt_control_request *req, struct tkt_err *err)
{
    const struct verb *verb = NULL;

    for (size_t i = 0; i < TKT_ARRAY_LEN(verbs) && !verb; i++) {
        verb = strcmp(verbs[i].name, req->verb) == 0 ? &verbs[i] : NULL;
    }
    if (!verb) {
        req->exit_code = EX_USAGE;
        return tkt_err_set(err, TKT_ERR_PERM, "unknown verb \"%.40s\"", req->verb);
    }
    if (req->role < verb->role) {
        req->exit_code = EX_NOPERM;
        return tkt_err_set(
            err, TKT_ERR_PERM, "%s needs the role %s, %s is %s; see access { }",
            verb->name, tkt_role_names[verb->role], req->who, tkt_role_names[req->role]);
    }
    if (check_args(verb, req, err) < 0) {
        req->exit_code = EX_USAGE;
        return -1;
    }
    if (verb->role == TKT_ROLE_READER || verb->run == run_raw ||
        verb->run == run_directory_lookup || verb->run == run_sample ||
        verb->run == run_backup) {
        req->reader = tkt_reader_open(req->d->store_dir, err);
        if (!req->reader) {
            return -1;
        }
    }
    if (verb->run(req, err) < 0) {
        return -1;
    }
    if (req->data.failed) {
        return tkt_err_set(err, TKT_ERR_PERM, "%s: the answer is too large; ask for less",
                           verb->name);
    }
    return 0;
}
