/* SPDX-License-Identifier: BSD-2-Clause
 * common/store: changes by people, blobs, erasure.
 */
#include "tests/unit/store_fixture.h"

#include "store/notice.h"

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

/* An agent's answer may wait for a mail server just then. */
static void a_merge_leaves_what_is_to_be_told(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    const struct tkt_store_notice notice = {
        .ticket = 1, .channel = "mail", .payload = "{}", .due_ms = NOW, .digest = ""};

    make(f, &m, "a");
    make(f, &m, "b");
    execute(f, "UPDATE jobs SET state = 2, due = NULL");
    assert_int_equal(tkt_store_notice_add(f->store, &notice, NOW, NULL), 0);
    assert_int_equal(
        tkt_store_job_add(f->store, 1, 1, "agentmail", "(agent)", NULL, NOW, NOW, NULL),
        0);
    assert_int_equal(tkt_store_merge(f->store, "IT-1", "IT-2", "anna", NOW, NULL), 0);
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE ticket = 1 AND state = 0"
                               " AND kind IN ('notify', 'agentmail')"),
                     2);
    /* Its ITSM has had all: the heir's gets nothing for a second time. */
    assert_int_equal(number(f, "SELECT count(*) FROM jobs WHERE ticket = 2 AND"
                               " kind = 'comment'"),
                     0);
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

static int erase_sweep_and_fail(struct tkt_store *store, void *arg, struct tkt_err *err)
{
    int64_t n = 0;

    (void)arg; /* all is in the store */
    if (tkt_store_forget(store, "IT-1", "root", NOW, &n, err) < 0 || n != 1 ||
        tkt_store_sweep(store, NOW, HOUR_MS, &n, err) < 0) {
        return tkt_err_set(err, TKT_ERR_BUG, "not what was meant");
    }
    return tkt_err_set(err, TKT_ERR_PERM, "told to fail");
}

static void what_is_swept_is_there_until_the_commit(void **state)
{
    struct fixture *f = *state;
    struct tkt_store_item item = {.apply = erase_sweep_and_fail};
    struct tkt_blob used;
    struct sample m;

    make_large(f, &m, "large", &used);
    age_file(used.path, NOW - 2 * HOUR_MS);
    assert_int_equal(tkt_store_batch(f->store, &item, 1), 1);
    assert_int_equal(item.err.class, TKT_ERR_PERM);
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

static void an_address_of_any_length_can_be_erased(void **state)
{
    struct fixture *f = *state;
    struct sample m;
    static const char erased[] =
        "SELECT count(*) FROM participants WHERE address LIKE 'erased:%'";
    static char address[2][1100];
    int64_t count = 0;

    for (size_t i = 0; i < 2; i++) {
        memset(address[i], 'a' + (int)i, sizeof(address[i]) - 20);
        strcat(address[i], "@example.test");
    }
    sample_init(&m, "long ones");
    m.who[0].address = address[0];
    m.who[1].address = address[1];
    reserve_ok(f, &m);
    alarm(20); /* the writer must not go round for ever */
    assert_int_equal(tkt_store_forget(f->store, address[0], "admin", NOW, &count, NULL),
                     0);
    assert_int_equal(number(f, erased), 1);
    assert_int_equal(tkt_store_forget(f->store, "IT-1", "admin", NOW, &count, NULL), 0);
    alarm(0);
    assert_int_equal(number(f, erased), 2);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(fields_are_set_checked_and_recorded),
        T(what_is_not_there_cannot_be_changed),
        T(comments_go_to_the_itsm_and_stay_in_local_tickets),
        T(a_merge_moves_the_work_to_the_heir),
        T(a_merge_leaves_what_is_to_be_told),
        T(a_split_takes_the_message_with_its_keys),
        T(links_show_on_both_sides),
        T(a_blob_has_a_name_only_when_complete),
        T(raw_comes_back_from_row_and_file),
        T(sweep_takes_old_files_without_a_row),
        T(what_is_swept_is_there_until_the_commit),
        T(sweep_drops_keys_that_hold_no_longer),
        T(forgetting_a_ticket_leaves_hashes_only),
        T(forgetting_an_address_spares_the_others),
        T(an_address_of_any_length_can_be_erased),
        T(an_erasure_that_is_rolled_back_keeps_the_file),
        T(retention_erases_what_is_closed_long_enough),
    };
    return cmocka_run_group_tests_name("store-admin", tests, NULL, NULL);
}
