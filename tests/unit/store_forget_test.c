/* SPDX-License-Identifier: BSD-2-Clause
 * What was forgotten is in no file any more, not even where no row is.
 */
#include "store/scrub.h"
#include "tests/unit/store_fixture.h"

#define TICKETS 60
#define PEOPLE_MAX 50
#define NEEDLE "remember.me"

static uint32_t seed;

static size_t below(size_t n)
{
    seed = seed * 1664525 + 1013904223;
    return (size_t)(seed >> 8) % n;
}

/* How often the bytes of needle are in a file of the store. */
static unsigned found_in(const struct fixture *f, const char *file, const char *needle)
{
    char path[128];
    unsigned count = 0;
    size_t n = strlen(needle);

    snprintf(path, sizeof(path), "%s/%s", f->dir, file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    assert_true(fd >= 0 && fstat(fd, &st) == 0);
    char *data = malloc((size_t)st.st_size + 1);
    size_t got = 0;
    assert_int_equal(tkt_pread_full(fd, data, (size_t)st.st_size, 0, &got, NULL), 0);
    close(fd);
    for (const char *p = data; (p = memmem(p, got - (size_t)(p - data), needle, n));
         p += n) {
        count++;
    }
    free(data);
    return count;
}

/* An address of that length which ends so that it can be told from all others. */
static void make_address(char *out, size_t len, const char *end)
{
    memset(out, 'a' + (int)below(20), len);
    memcpy(out + len - strlen(end), end, strlen(end) + 1);
}

/* Tickets of many people, with addresses of all lengths, so that pages are split and
 * tidied; the victim takes part in most of them. */
static void fill(struct fixture *f, const char *victim)
{
    static char names[PEOPLE_MAX][1400];
    static struct tkt_store_participant who[PEOPLE_MAX + 1];
    bool own = false;

    assert_int_equal(tkt_store_enter(f->store, &own, NULL), 0);
    for (int i = 0; i < TICKETS; i++) {
        struct sample m;
        char text[32];
        size_t n = below(PEOPLE_MAX);

        snprintf(text, sizeof(text), "mail %d", i);
        sample_init(&m, text);
        for (size_t k = 0; k < n; k++) {
            char end[32];
            snprintf(end, sizeof(end), "%zu@other.example", below(1000000));
            make_address(names[k], below(4) == 0 ? 40 + below(1200) : 30 + below(30),
                         end);
            who[k] = (struct tkt_store_participant){names[k], "cc"};
        }
        if (below(3) > 0) {
            who[n++] = (struct tkt_store_participant){victim, "from"};
            m.in.requester = victim;
            m.in.sender = victim;
        }
        m.in.participants = who;
        m.in.participant_count = n;
        assert_int_equal(tkt_store_reserve(f->store, &m.in, &m.res, NULL), 0);
        if (below(4) == 0) {
            assert_int_equal(tkt_store_leave(f->store, own, 0, NULL), 0);
            assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
            assert_int_equal(tkt_store_enter(f->store, &own, NULL), 0);
        }
    }
    assert_int_equal(tkt_store_leave(f->store, own, 0, NULL), 0);
    assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
}

static void a_forgotten_address_is_in_no_byte_of_the_files(void **state)
{
    struct fixture *f = *state;
    static const size_t lengths[] = {40, 60, 120, 300, 700, 1030, 1200, 1900};

    for (size_t i = 0; i < TKT_ARRAY_LEN(lengths); i++) {
        char victim[2000];
        int64_t count = 0;
        seed = (uint32_t)i;
        make_address(victim, lengths[i], NEEDLE "@victim.example");
        fill(f, victim);
        assert_true(found_in(f, DB_NAME, NEEDLE) > 0);
        assert_int_equal(tkt_store_forget(f->store, victim, "dpo", NOW, &count, NULL), 0);
        assert_true(count > 0);
        assert_int_equal(tkt_store_checkpoint(f->store, NULL), 0);
        if (found_in(f, DB_NAME, NEEDLE) > 0) {
            fail_msg("an address of %zu bytes is still there", lengths[i]);
        }
        assert_int_equal(found_in(f, DB_NAME "-wal", NEEDLE), 0);
        assert_clean(f);
        fixture_close(state);
        assert_int_equal(fixture_open(state), 0);
        f = *state;
    }
}

/* ---- pages ------------------------------------------------------------------------------ */

static void put16(unsigned char *p, size_t v)
{
    p[0] = (unsigned char)(v >> 8);
    p[1] = (unsigned char)v;
}

static void the_gap_of_a_page_lies_between_its_list_and_its_rows(void **state)
{
    (void)state;
    unsigned char page[4096] = {0};
    size_t from = 0;
    size_t to = 0;

    for (int first = 0; first < 2; first++) {
        unsigned char *header = page + (first ? 100 : 0);
        memset(page, 0, sizeof(page));
        header[0] = 10;
        put16(header + 3, 2);
        put16(header + 5, 4000);
        put16(header + 8, 4050);
        put16(header + 10, 4000);
        assert_true(tkt_scrub_gap(page, sizeof(page), first, &from, &to));
        assert_int_equal(from, (first ? 100 : 0) + 12);
        assert_int_equal(to, 4000);
        header[0] = 2;
        put16(header + 12, 4050);
        put16(header + 14, 4000);
        assert_true(tkt_scrub_gap(page, sizeof(page), first, &from, &to));
        assert_int_equal(from, (first ? 100 : 0) + 16);
    }
    memset(page, 0, sizeof(page)); /* empty: the rows begin behind its end */
    page[0] = 13;
    put16(page + 5, 4096);
    assert_true(tkt_scrub_gap(page, sizeof(page), false, &from, &to));
    assert_int_equal(from, 8);
    assert_int_equal(to, 4096);
}

static void what_is_no_whole_page_of_a_tree_is_left_alone(void **state)
{
    (void)state;
    unsigned char page[4096] = {0};
    size_t from = 0;
    size_t to = 0;

    for (int type = 0; type < 256; type++) { /* overflow, freelist: a page's number */
        memset(page, 0, sizeof(page));
        page[0] = (unsigned char)type;
        put16(page + 5, 4096);
        bool tree = type == 2 || type == 5 || type == 10 || type == 13;
        assert_int_equal(tkt_scrub_gap(page, sizeof(page), false, &from, &to), tree);
    }
    page[0] = 13;
    put16(page + 3, 1);
    put16(page + 5, 4000);
    put16(page + 8, 3999); /* a row before the rows */
    assert_false(tkt_scrub_gap(page, sizeof(page), false, &from, &to));
    put16(page + 8, 4096); /* ... and behind the page */
    assert_false(tkt_scrub_gap(page, sizeof(page), false, &from, &to));
    put16(page + 3, 3000); /* a list longer than the page */
    assert_false(tkt_scrub_gap(page, sizeof(page), false, &from, &to));
    assert_false(tkt_scrub_gap(page, 100, false, &from, &to));
    for (int round = 0; round < 20000; round++) {
        for (size_t i = 0; i < 24; i++) {
            page[i] = (unsigned char)below(256);
        }
        page[0] = (unsigned char)(round % 2 == 0 ? 13 : 2);
        page[3] = (unsigned char)(round % 3 == 0 ? 0 : page[3]);
        if (tkt_scrub_gap(page, sizeof(page), false, &from, &to)) {
            assert_true(from <= to && from >= 8 && to <= sizeof(page));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_forgotten_address_is_in_no_byte_of_the_files),
        cmocka_unit_test(the_gap_of_a_page_lies_between_its_list_and_its_rows),
        cmocka_unit_test(what_is_no_whole_page_of_a_tree_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
