/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: changes by people, blobs, erasure, reports, verify, backup.
 */
#include "tests/unit/store_fixture.h"

#include <cjson/cJSON.h>
#include <sys/time.h>

static void make(struct fixture *f, struct sample *m, const char *text)
{
    sample_init(m, text);
    reserve_ok(f, m);
}

/* ---- changes ---------------------------------------------------------------------- */

static void fields_are_set_checked_and_recorded(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *field, *value;
        int ok;
    } cases[] = {
        {"priority", "urgent", 1}, {"priority", "5", 1},     {"priority", "0", 0},
        {"priority", "6", 0},      {"priority", "", 0},      {"impact", "3", 1},
        {"impact", "4", 0},        {"urgency", "1", 1},      {"urgency", "x", 0},
        {"group", "network", 1},   {"assignee", "bob", 1},   {"assignee", "", 1},
        {"type", "change", 1},     {"category", "print", 1}, {"subcategory", "toner", 1},
        {"subject", "new", 1},     {"tags", "a", 1},         {"requester", "x@y", 1},
        {"state", "open", 1},      {"state", "flying", 0},   {"colour", "red", 0},
        {"state", "merged", 0},    {"state", "reserved", 0}, {"state", "new", 0},
    };
    struct sample m;
    int64_t good = 0;

    make(f, &m, "x");
    for (size_t i = 0; i < TKT_ARRAY_LEN(cases); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        int rc = tkt_store_set(f->store, "it-1", cases[i].field, cases[i].value, "anna",
                               NOW, &err);
        if (rc != (cases[i].ok ? 0 : -1)) {
            fail_msg("%s=%s: %s", cases[i].field, cases[i].value, err.text);
        }
        assert_int_equal(err.class, cases[i].ok ? TKT_ERR_NONE : TKT_ERR_PERM);
        good += cases[i].ok && strcmp(cases[i].field, "state") != 0;
    }
    assert_int_equal(number(f, "SELECT count(*) FROM events WHERE kind = 'ticket.set' AND"
                               " data LIKE '%anna%'"),
                     good);
    assert_int_equal(number(f, "SELECT priority FROM tickets"), 5);
    assert_int_equal(number(f, "SELECT state FROM tickets"), TKT_STATE_OPEN);
    assert_clean(f);
}

static void what_is_not_there_cannot_be_changed(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"IT-1",
                                        "",
                                        "IT",
                                        "IT-",
                                        "-1",
                                        "IT-x",
                                        "IT-0",
                                        "IT-99999999999999999999",
                                        "ABCDEFGHIJKLMNOPQ-1"};
    int64_t count = 0;
    char id[48];

    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        const char *n = names[i];
        struct tkt_err err[8] = {0};
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(10000);
        assert_int_equal(tkt_store_set(f->store, n, "group", "x", "a", NOW, &err[0]), -1);
        assert_int_equal(
            tkt_store_move(f->store, n, TKT_STATE_OPEN, "a", "", NOW, &err[1]), -1);
        assert_int_equal(tkt_store_comment(f->store, n, "x", true, "a", NOW, &err[2]),
                         -1);
        assert_int_equal(tkt_store_merge(f->store, n, n, "a", NOW, &err[3]), -1);
        assert_int_equal(tkt_store_split(f->store, n, 1, "a", NOW, id, &err[4]), -1);
        assert_int_equal(tkt_store_link(f->store, n, n, "a", NOW, &err[5]), -1);
        assert_int_equal(tkt_store_forget(f->store, n, "a", NOW, &count, &err[6]), -1);
        assert_int_equal(tkt_reader_show_json(f->reader, n, &out, &err[7]), -1);
        for (size_t k = 0; k < 8; k++) {
            assert_int_equal(err[k].class, TKT_ERR_PERM);
        }
    }
}

static void comments_go_to_the_itsm_and_stay_in_local_tickets(void **state)
{
    struct fixture *f = *state;
    struct sample m;

    make(f, &m, "x");
    sample_init(&m, "y");
    m.desks[0].itsm = m.desks[0].itsm_type = "local";
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_comment(f->store, "IT-1", "hello", true, "anna", NOW, NULL), 0);
    assert_int_equal(
        tkt_store_comment(f->store, "IT-2", "hello", false, "anna", NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE kind = 'comment'"), 1);
    assert_int_equal(number(f, "SELECT count(*) FROM messages WHERE flags & 1024"), 2);
    assert_int_equal(tkt_store_comment(f->store, "IT-1", "", true, "anna", NOW, NULL),
                     -1);
    int64_t rows[10];
    assert_int_equal(tkt_reader_messages(f->reader, "IT-1", rows, 10, NULL), 1);
    assert_clean(f);
}

static void a_merge_moves_the_work_to_the_heir(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    assert_int_equal(tkt_store_merge(f->store, "IT-1", "IT-1", "anna", NOW, &err), -1);
    assert_int_equal(tkt_store_merge(f->store, "IT-1", "IT-2", "anna", NOW, &err), 0);
    assert_int_equal(number(f, "SELECT state FROM tickets WHERE id = 1"),
                     TKT_STATE_MERGED);
    assert_int_equal(
        number(f, "SELECT count(*) FROM jobs WHERE ticket = 1 AND state <> 2"), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE ticket = 2 AND"
                               " kind = 'comment' AND message = 1"),
                     1);
    assert_int_equal(tkt_store_merge(f->store, "IT-1", "IT-2", "anna", NOW, &err), -1);
    assert_int_equal(tkt_store_merge(f->store, "IT-2", "IT-1", "anna", NOW, &err), -1);
    assert_clean(f);
}

static void a_split_takes_the_message_with_its_keys(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    struct sample answer;
    struct tkt_reader_ticket found;
    char id[48];

    make(f, &m, "a");
    sample_init(&answer, "b");
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    reserve_ok(f, &answer);
    assert_int_equal(
        tkt_store_split(f->store, "IT-1", m.out[0].message, "anna", NOW, id, NULL), -1);
    assert_int_equal(
        tkt_store_split(f->store, "IT-1", answer.out[0].message, "anna", NOW, id, NULL),
        0);
    assert_string_equal(id, "IT-2");
    assert_int_equal(
        tkt_reader_by_reference(f->reader, answer.thread.hash, "", &found, 1, NULL), 1);
    assert_string_equal(found.id, "IT-2");
    reserve_ok(f, &answer);
    assert_string_equal(answer.out[0].id, "IT-2");
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE ticket = 2 AND"
                               " kind = 'create'"),
                     1);
    assert_int_equal(number(f, "SELECT count(DISTINCT corr) FROM tickets"), 2);
    assert_clean(f);
}

static void links_show_on_both_sides(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    assert_int_equal(tkt_store_link(f->store, "IT-1", "IT-2", "anna", NOW, NULL), 0);
    assert_int_equal(tkt_store_link(f->store, "IT-1", "IT-1", "anna", NOW, NULL), -1);
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, NULL), 0);
    assert_non_null(strstr(tkt_buf_str(&out), "{\"id\":\"IT-2\",\"kind\":\"related\"}"));
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-2", &out, NULL), 0);
    assert_non_null(strstr(tkt_buf_str(&out), "{\"id\":\"IT-1\",\"kind\":\"related\"}"));
}

/* ---- blobs ------------------------------------------------------------------------ */

static int files_in(const char *dir)
{
    char command[200];
    int n = -1;

    snprintf(command, sizeof(command), "find %s/blobs -type f | wc -l", dir);
    FILE *p = popen(command, "r");
    assert_non_null(p);
    assert_int_equal(fscanf(p, "%d", &n), 1);
    pclose(p);
    return n;
}

static void make_blob(struct fixture *f, struct tkt_blob *b, const char *text)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_blob_create(f->dir, b, &err) < 0 ||
        tkt_write_full(b->fd, text, strlen(text), &err) < 0 ||
        tkt_blob_commit(b, &err) < 0) {
        fail_msg("%s", err.text);
    }
    tkt_blob_close(b);
}

static void make_large(struct fixture *f, struct sample *m, const char *text,
                       struct tkt_blob *b)
{
    sample_init(m, text);
    make_blob(f, b, m->raw);
    m->in.raw = NULL;
    m->in.blob_name = b->name;
    reserve_ok(f, m);
}

static void a_blob_has_a_name_only_when_complete(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_blob b;
    char text[10] = "";

    assert_int_equal(tkt_blob_create(f->dir, &b, NULL), 0);
    assert_int_equal(write(b.fd, "abc", 3), 3);
    assert_int_equal(files_in(f->dir), 0);
    tkt_blob_close(&b);
    assert_int_equal(files_in(f->dir), 0);
    make_blob(f, &b, "hello");
    assert_int_equal(tkt_blob_commit(&b, &err), -1);
    assert_int_equal(err.class, TKT_ERR_BUG);
    int fd = tkt_blob_open(f->dir, b.name, NULL);
    assert_int_equal(read(fd, text, sizeof(text)), 5);
    close(fd);
    assert_string_equal(text, "hello");
    assert_int_equal(tkt_blob_open(f->dir, "../../../../etc/passwd", &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(tkt_blob_open(f->dir, "00000000000000000000000000000000", &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
}

static void raw_comes_back_from_row_and_file(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(1000);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_blob b;
    struct sample m;
    int fd = 0;

    make(f, &m, "small");
    assert_int_equal(tkt_reader_raw(f->reader, m.out[0].message, &out, &fd, NULL), 0);
    assert_int_equal(fd, -1);
    assert_string_equal(tkt_buf_str(&out), m.raw);
    make_large(f, &m, "large", &b);
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_raw(f->reader, m.out[0].message, &out, &fd, NULL), 0);
    assert_int_equal(tkt_read_fd(fd, &out, NULL), 0);
    close(fd);
    assert_string_equal(tkt_buf_str(&out), m.raw);
    assert_int_equal(tkt_reader_raw(f->reader, 99, &out, &fd, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_envelope(f->reader, m.out[0].message, &out, NULL), 0);
    assert_string_equal(tkt_buf_str(&out), "{\"helo\":\"x\"}");
    assert_clean(f);
}

static void age_file(const char *path, int64_t wall_ms)
{
    struct timeval t[2] = {{wall_ms / 1000, 0}, {wall_ms / 1000, 0}};

    assert_int_equal(utimes(path, t), 0);
}

static void sweep_takes_old_files_without_a_row(void **state)
{
    struct fixture *f = *state;
    struct tkt_blob used;
    struct tkt_blob old;
    struct tkt_blob young;
    struct sample m;
    int64_t removed = 0;

    make_large(f, &m, "large", &used);
    make_blob(f, &old, "old");
    make_blob(f, &young, "young");
    age_file(used.path, NOW - 2 * HOUR_MS);
    age_file(old.path, NOW - 2 * HOUR_MS);
    age_file(young.path, NOW - HOUR_MS / 2);
    assert_int_equal(tkt_store_sweep(f->store, NOW, HOUR_MS, &removed, NULL), 0);
    assert_int_equal(removed, 1);
    assert_int_equal(access(old.path, F_OK), -1);
    assert_int_equal(access(young.path, F_OK), 0);
    assert_int_equal(access(used.path, F_OK), 0);
    assert_clean(f);
}

static void sweep_drops_keys_that_hold_no_longer(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t removed = 0;

    make(f, &m, "a");
    sample_init(&m, "b");
    m.in.now_ms = NOW + 10 * DAY_MS;
    reserve_ok(f, &m);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(
            tkt_store_sweep(f->store, NOW + 35 * DAY_MS, HOUR_MS, &removed, NULL), 0);
    }
    assert_int_equal(count_of(f, "msgkeys"), 1);
}

/* ---- erasing ---------------------------------------------------------------------- */

/* Whether the bytes stand anywhere in the store's files. */
static bool files_hold(struct fixture *f, const char *text)
{
    char command[300];

    assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
    snprintf(command, sizeof(command), "grep -rqi -- '%s' %s", text, f->dir);
    return system(command) == 0;
}

static void forgetting_a_ticket_leaves_hashes_only(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_blob b;
    struct sample m;
    struct sample answer;
    int64_t count = 0;
    int fd = -1;

    make(f, &m, "top secret one");
    sample_init(&answer, "top secret two");
    make_blob(f, &b, answer.raw);
    answer.in.raw = NULL;
    answer.in.blob_name = b.name;
    sample_decide(&answer, TKT_ACTION_APPEND, m.out[0].ticket);
    reserve_ok(f, &answer);
    assert_int_equal(
        tkt_store_comment(f->store, "IT-1", "top secret three", true, "bob", NOW, NULL),
        0);
    assert_true(files_hold(f, "top secret"));
    assert_int_equal(tkt_store_forget(f->store, "IT-1", "admin", NOW, &count, NULL), 0);
    assert_int_equal(count, 3);
    assert_false(files_hold(f, "top secret"));
    assert_false(files_hold(f, "anna"));
    assert_false(files_hold(f, "printer on fire"));
    assert_int_equal(files_in(f->dir), 0);
    assert_int_equal(tkt_reader_raw(f->reader, m.out[0].message, &out, &fd, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(number(f, "SELECT count(*) FROM messages WHERE length(sha256) = 32"),
                     3);
    assert_int_equal(tkt_store_forget(f->store, "IT-1", "admin", NOW, &count, NULL), 0);
    assert_int_equal(count, 0);
    /* The same message is still the same ticket. */
    sample_init(&m, "top secret one");
    reserve_ok(f, &m);
    assert_string_equal(m.out[0].id, "IT-1");
    assert_clean(f);
}

static void forgetting_an_address_spares_the_others(void **state)
{
    struct fixture *f = *state;
    struct sample anna;
    struct sample bob;
    int64_t count = 0;

    make(f, &anna, "from anna");
    sample_init(&bob, "from bob");
    bob.in.requester = bob.in.sender = bob.who[0].address = "bob@example.net";
    bob.in.subject = "other thing";
    reserve_ok(f, &bob);
    sample_init(&bob, "bob again, in the ticket of anna");
    bob.in.requester = bob.in.sender = bob.who[0].address = "bob@example.net";
    sample_decide(&bob, TKT_ACTION_APPEND, anna.out[0].ticket);
    reserve_ok(f, &bob);
    assert_int_equal(
        tkt_store_forget(f->store, "ANNA@example.org", "admin", NOW, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_false(files_hold(f, "anna@"));
    assert_false(files_hold(f, "from anna"));
    assert_true(files_hold(f, "from bob"));
    assert_true(files_hold(f, "bob again"));
    assert_int_equal(number(f, "SELECT count(*) FROM participants WHERE address LIKE"
                               " 'erased:%'"),
                     1);
    assert_clean(f);
}

static void an_erasure_that_is_rolled_back_keeps_the_file(void **state)
{
    struct fixture *f = *state;
    struct tkt_blob b;
    struct sample m;
    int64_t count = 0;
    bool own = false;

    make_large(f, &m, "large", &b);
    assert_int_equal(tkt_store_enter(f->store, &own, NULL), 0);
    assert_int_equal(tkt_store_forget(f->store, "IT-1", "admin", NOW, &count, NULL), 0);
    assert_int_equal(tkt_store_leave(f->store, own, -1, NULL), -1);
    assert_int_equal(access(b.path, F_OK), 0);
    assert_clean(f);
}

static void retention_erases_what_is_closed_long_enough(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    int64_t count = 0;

    for (int i = 0; i < 4; i++) {
        char text[20];
        char id[20];
        snprintf(text, sizeof(text), "closed %d", i);
        snprintf(id, sizeof(id), "IT-%d", i + 1);
        make(f, &m, text);
        if (i < 3) {
            assert_int_equal(tkt_store_move(f->store, id, TKT_STATE_CLOSED, "", "",
                                            NOW + i * DAY_MS, NULL),
                             0);
        }
    }
    int64_t later = NOW + 100 * DAY_MS;
    assert_int_equal(tkt_store_retain(f->store, "hr", later, 10, later, &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_int_equal(
        tkt_store_retain(f->store, "it", NOW + DAY_MS + 1, 1, later, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(
        tkt_store_retain(f->store, "it", NOW + DAY_MS + 1, 10, later, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_int_equal(
        tkt_store_retain(f->store, "it", NOW + DAY_MS + 1, 10, later, &count, NULL), 0);
    assert_int_equal(count, 0);
    assert_false(files_hold(f, "closed 0"));
    assert_true(files_hold(f, "closed 2"));
    /* An answer to an erased ticket is content again. */
    sample_init(&m, "late answer");
    sample_decide(&m, TKT_ACTION_APPEND, 1);
    reserve_ok(f, &m);
    assert_int_equal(
        tkt_store_retain(f->store, "it", NOW + DAY_MS + 1, 10, later, &count, NULL), 0);
    assert_int_equal(count, 1);
    assert_clean(f);
}

/* ---- reports ---------------------------------------------------------------------- */

static cJSON *parse(struct tkt_buf *out)
{
    cJSON *j = cJSON_Parse(tkt_buf_str(out));

    if (j == NULL) {
        fail_msg("not JSON: %s", tkt_buf_str(out));
    }
    tkt_buf_reset(out);
    return j;
}

static int listed(struct fixture *f, const struct tkt_list_filter *filter)
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_reader_list_json(f->reader, filter, &out, &err) < 0) {
        fail_msg("%s", err.text);
    }
    cJSON *j = parse(&out);
    int n = cJSON_GetArraySize(j);
    cJSON_Delete(j);
    return n;
}

static void lists_are_filtered_and_paged(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    for (int i = 0; i < 5; i++) {
        char text[20];
        snprintf(text, sizeof(text), "m%d", i);
        sample_init(&m, text);
        m.in.now_ms = NOW + i;
        m.in.subject = i == 3 ? "Gr\xc3\xbc\xc3\x9f"
                                "e \"quoted\" \xff\n"
                              : "Printer";
        reserve_ok(f, &m);
    }
    assert_int_equal(tkt_store_set(f->store, "IT-2", "assignee", "bob", "", NOW, NULL),
                     0);
    assert_int_equal(tkt_store_move(f->store, "IT-2", TKT_STATE_OPEN, "", "", NOW, NULL),
                     0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){0}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.limit = 2}), 2);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.before = 3}), 2);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.desk = "it"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.desk = "hr"}), 0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.state = "open"}), 1);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.assignee = "bob"}), 1);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.group = "first"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.text = "pRINT"}), 4);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.text = "ANNA@"}), 5);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.requester = "x"}), 0);
    assert_int_equal(listed(f, &(struct tkt_list_filter){.since_ms = NOW + 3}), 2);
    assert_int_equal(tkt_reader_list_json(f->reader,
                                          &(struct tkt_list_filter){.state = "flying"},
                                          &out, &err),
                     -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    assert_int_equal(
        tkt_reader_list_json(f->reader, &(struct tkt_list_filter){0}, &out, NULL), 0);
    cJSON *j = parse(&out);
    cJSON *first = cJSON_GetArrayItem(j, 0);
    assert_string_equal(cJSON_GetObjectItem(first, "id")->valuestring, "IT-5");
    assert_string_equal(cJSON_GetObjectItem(first, "created")->valuestring,
                        "2027-01-15T08:00:00.004Z");
    cJSON_Delete(j);
}

static void an_answer_that_does_not_fit_is_an_error_not_half_an_answer(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(300);
    struct tkt_err err = TKT_ERR_INIT;
    struct sample m;

    make(f, &m, "a");
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    tkt_buf_reset(&out);
    assert_int_equal(
        tkt_reader_list_json(f->reader, &(struct tkt_list_filter){0}, &out, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
}

static void show_tells_everything_of_a_ticket(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    static const char *const arrays[] = {"messages", "participants", "holds", "jobs",
                                         "events"};
    struct sample m;

    sample_init(&m, "a");
    sample_sieve(&m, "a@example.com");
    reserve_ok(f, &m);
    assert_int_equal(tkt_store_confirm(f->store, m.out[0].hold, false, NOW, NULL), 0);
    assert_int_equal(
        tkt_store_comment(f->store, "IT-1", "look \"here\"", false, "bob", NOW, NULL), 0);
    assert_int_equal(tkt_reader_show_json(f->reader, "IT-1", &out, NULL), 0);
    cJSON *j = parse(&out);
    assert_string_equal(cJSON_GetObjectItem(j, "id")->valuestring, "IT-1");
    assert_string_equal(cJSON_GetObjectItem(j, "state")->valuestring, "new");
    assert_string_equal(cJSON_GetObjectItem(j, "corr")->valuestring, m.out[0].corr);
    for (size_t i = 0; i < TKT_ARRAY_LEN(arrays); i++) {
        if (cJSON_GetArraySize(cJSON_GetObjectItem(j, arrays[i])) == 0) {
            fail_msg("%s is empty", arrays[i]);
        }
    }
    cJSON *comment = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "messages"), 1);
    assert_string_equal(cJSON_GetObjectItem(comment, "kind")->valuestring, "comment");
    assert_string_equal(cJSON_GetObjectItem(comment, "text")->valuestring,
                        "look \"here\"");
    cJSON *mail = cJSON_GetArrayItem(cJSON_GetObjectItem(j, "messages"), 0);
    assert_true(cJSON_IsObject(cJSON_GetObjectItem(mail, "envelope")));
    cJSON_Delete(j);
}

static void log_queue_and_status_are_json(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    assert_int_equal(tkt_store_event(f->store, 0, "host.started", NULL, NOW + 5, NULL),
                     0);
    assert_int_equal(tkt_reader_log_json(f->reader, NULL, 0, 10, &out, NULL), 0);
    cJSON *j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 3);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(j, 2), "kind")->valuestring,
        "host.started");
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_log_json(f->reader, NULL, NOW + 1, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 1);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_log_json(f->reader, "IT-2", 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 1);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, NULL, 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 2);
    assert_string_equal(
        cJSON_GetObjectItem(cJSON_GetArrayItem(j, 0), "ticket")->valuestring, "IT-1");
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, "parked", 0, 10, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(cJSON_GetArraySize(j), 0);
    cJSON_Delete(j);
    assert_int_equal(tkt_reader_jobs_json(f->reader, "flying", 0, 10, &out, NULL), -1);
    tkt_buf_reset(&out);
    assert_int_equal(tkt_reader_status_json(f->reader, NOW + 7000, &out, NULL), 0);
    j = parse(&out);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(j, "tickets"), "new")->valueint, 2);
    assert_int_equal(
        cJSON_GetObjectItem(cJSON_GetObjectItem(j, "jobs"), "ready")->valueint, 2);
    assert_int_equal(cJSON_GetObjectItem(j, "job_lag_ms")->valueint, 7000);
    assert_true(cJSON_GetObjectItem(j, "database_bytes")->valuedouble > 0);
    cJSON_Delete(j);
}

/* ---- verify ----------------------------------------------------------------------- */

static void verify_finds_what_was_changed_behind_its_back(void **state)
{
    struct fixture *f = *state;
    static const char *const harm[] = {
        "UPDATE events SET data = '{\"desk\":\"hr\"}' WHERE id = 1",
        "UPDATE events SET at = at + 1 WHERE id = 1",
        "UPDATE events SET kind = 'x' WHERE id = 2",
        "UPDATE events SET chain = hash WHERE id = 2",
        "DELETE FROM events WHERE id = 1",
        "UPDATE messages SET raw = 'x' WHERE id = 1",
        "UPDATE messages SET sha256 = zeroblob(32) WHERE id = 1",
        "UPDATE messages SET blob = 'ffffffffffffffffffffffffffffffff', raw = NULL"
        " WHERE id = 1",
        "DELETE FROM jobs WHERE ticket = 1",
        "UPDATE messages SET ticket = 2 WHERE id = 1",
        "UPDATE messages SET ticket = 99 WHERE id = 1",
        "UPDATE msgkeys SET message = 99",
    };
    struct sample m;

    make(f, &m, "a");
    make(f, &m, "b");
    make(f, &m, "c");
    for (size_t i = 0; i < TKT_ARRAY_LEN(harm); i++) {
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
        char keep[400];
        char back[400];
        assert_clean(f);
        assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
        snprintf(keep, sizeof(keep), "cp %s/tickets.db %s/keep", f->dir, f->dir);
        snprintf(back, sizeof(back), "mv %s/keep %s/tickets.db; rm -f %s/tickets.db-*",
                 f->dir, f->dir, f->dir);
        assert_int_equal(system(keep), 0);
        execute(f, harm[i]);
        if (faults(f, &out) == 0) {
            fail_msg("not found: %s", harm[i]);
        }
        cJSON *j = parse(&out);
        assert_true(cJSON_GetArraySize(cJSON_GetObjectItem(j, "faults")) > 0);
        cJSON_Delete(j);
        tkt_reader_close(&f->reader);
        tkt_store_close(&f->store);
        assert_int_equal(system(back), 0);
        struct tkt_err err = TKT_ERR_INIT;
        f->store = tkt_store_open(&f->opt, &err);
        f->reader = tkt_reader_open(f->dir, &err);
        assert_non_null(f->reader);
    }
}

static void verify_reads_the_files(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(100000);
    struct tkt_blob b;
    struct sample m;

    make_large(f, &m, "large", &b);
    assert_clean(f);
    int fd = open(b.path, O_WRONLY);
    assert_int_equal(write(fd, "X", 1), 1);
    close(fd);
    assert_int_equal(faults(f, &out), 1);
    assert_non_null(strstr(tkt_buf_str(&out), "not what was taken in"));
    unlink(b.path);
    tkt_buf_reset(&out);
    assert_int_equal(faults(f, &out), 1);
    make_blob(f, &b, "orphan");
    age_file(b.path, tkt_clock_wall_ms() - 2 * HOUR_MS);
    tkt_buf_reset(&out);
    (void)faults(f, &out);
    assert_non_null(strstr(tkt_buf_str(&out), "\"orphans\":1"));
}

/* ---- backup ----------------------------------------------------------------------- */

static void a_backup_restores_to_a_store_that_verifies(void **state)
{
    struct fixture *f = *state;
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(4 * 1024 * 1024);
    struct tkt_err err = TKT_ERR_INIT;
    TKT_AUTO_FREE char *big = malloc(2500000);
    struct fixture copy = *f;
    struct tkt_blob b;
    struct sample m;
    char path[100];

    make(f, &m, "small");
    memset(big, 'x', 2499999);
    big[2499999] = '\0';
    sample_init(&m, "large");
    make_blob(f, &b, big);
    tkt_sha256(big, 2499999, m.in.sha256);
    m.in.size = 2499999;
    m.in.raw = NULL;
    m.in.blob_name = b.name;
    reserve_ok(f, &m);
    snprintf(path, sizeof(path), "%s/backup", f->dir);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), 0);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), -1);
    assert_int_equal(err.class, TKT_ERR_PERM);
    make(f, &m, "after the backup");

    snprintf(copy.dir, sizeof(copy.dir), "%.55s-copy", f->dir);
    copy.opt.dir = copy.dir;
    if (tkt_store_restore(path, copy.dir, &err) < 0) {
        fail_msg("%s", err.text);
    }
    copy.store = tkt_store_open(&copy.opt, &err);
    copy.reader = tkt_reader_open(copy.dir, &err);
    assert_non_null(copy.reader);
    assert_clean(&copy);
    assert_int_equal(count_of(&copy, "tickets"), 2);
    assert_int_equal(files_in(copy.dir), 1);
    int fd = -1;
    assert_int_equal(tkt_reader_raw(copy.reader, 2, &out, &fd, &err), 0);
    assert_int_equal(tkt_read_fd(fd, &out, &err), 0);
    close(fd);
    assert_int_equal(out.len, 2499999);
    sample_init(&m, "next");
    reserve_ok(&copy, &m);
    assert_string_equal(m.out[0].id, "IT-3");
    assert_int_equal(tkt_store_restore(path, copy.dir, &err),
                     -1); /* never over something */
    tkt_reader_close(&copy.reader);
    tkt_store_close(&copy.store);
    remove_tree(copy.dir);
}

static void a_file_erased_during_a_backup_is_erased_in_it(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    struct fixture copy = *f;
    struct tkt_blob b;
    struct sample m;
    char path[100];

    make_large(f, &m, "large", &b);
    unlink(b.path); /* as forget does, after the copy was made */
    snprintf(path, sizeof(path), "%s/backup", f->dir);
    assert_int_equal(tkt_reader_backup(f->reader, path, &err), 0);
    snprintf(copy.dir, sizeof(copy.dir), "%.55s-copy", f->dir);
    assert_int_equal(tkt_store_restore(path, copy.dir, &err), 0);
    copy.reader = tkt_reader_open(copy.dir, &err);
    assert_clean(&copy);
    tkt_reader_close(&copy.reader);
    remove_tree(copy.dir);
}

static void what_is_no_backup_is_not_restored(void **state)
{
    struct fixture *f = *state;
    struct tkt_err err = TKT_ERR_INIT;
    char path[100];
    char to[100];

    snprintf(path, sizeof(path), "%s/tickets.db", f->dir);
    snprintf(to, sizeof(to), "%s/restored", f->dir);
    assert_int_equal(tkt_store_restore(path, to, &err), -1);
    assert_int_equal(err.class, TKT_ERR_CONF);
    assert_int_equal(access(to, F_OK), -1);
    assert_int_equal(tkt_store_restore("/nowhere/x", to, &err), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(fields_are_set_checked_and_recorded),
        T(what_is_not_there_cannot_be_changed),
        T(comments_go_to_the_itsm_and_stay_in_local_tickets),
        T(a_merge_moves_the_work_to_the_heir),
        T(a_split_takes_the_message_with_its_keys),
        T(links_show_on_both_sides),
        T(a_blob_has_a_name_only_when_complete),
        T(raw_comes_back_from_row_and_file),
        T(sweep_takes_old_files_without_a_row),
        T(sweep_drops_keys_that_hold_no_longer),
        T(forgetting_a_ticket_leaves_hashes_only),
        T(forgetting_an_address_spares_the_others),
        T(an_erasure_that_is_rolled_back_keeps_the_file),
        T(retention_erases_what_is_closed_long_enough),
        T(lists_are_filtered_and_paged),
        T(an_answer_that_does_not_fit_is_an_error_not_half_an_answer),
        T(show_tells_everything_of_a_ticket),
        T(log_queue_and_status_are_json),
        T(verify_finds_what_was_changed_behind_its_back),
        T(verify_reads_the_files),
        T(a_backup_restores_to_a_store_that_verifies),
        T(a_file_erased_during_a_backup_is_erased_in_it),
        T(what_is_no_backup_is_not_restored),
    };
    return cmocka_run_group_tests_name("store-admin", tests, NULL, NULL);
}
