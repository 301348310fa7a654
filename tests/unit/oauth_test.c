/* SPDX-License-Identifier: BSD-2-Clause
 * OAuth tokens: kept, renewed in time, dropped, fetched once by many.
 */
#include "base/clock.h"
#include "base/util.h"
#include "http_fake.h"
#include "net/oauth.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
/* cmocka wants the four above first */
#include <cmocka.h>

struct site {
    struct fake *fake;
    struct tkt_oauth *oauth;
    struct tkt_oauth_ask ask;
    struct tkt_err err;
    char url[200];
};

static struct site *begin(struct site *s, const char *answer)
{
    memset(s, 0, sizeof(*s));
    s->fake = fake_start();
    fake_answer(s->fake, "/token", 200, answer);
    s->oauth = tkt_oauth_new(NULL, &s->err);
    assert_non_null(s->oauth);
    (void)snprintf(s->url, sizeof(s->url), "%s", fake_url(s->fake, "/token"));
    s->ask = (struct tkt_oauth_ask){.token_url = s->url,
                                    .client_id = "a b&c",
                                    .client_secret = "geheim+x",
                                    .user = "",
                                    .password = "",
                                    .scope = "",
                                    .timeout_ms = 5000};
    return s;
}

static void end(struct site *s)
{
    tkt_clock_real();
    tkt_oauth_free(&s->oauth);
    fake_stop(&s->fake);
}

static int get(struct site *s, char token[64])
{
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(TKT_OAUTH_TOKEN_MAX);
    int rc = tkt_oauth_get(s->oauth, &s->ask, &out, &s->err);

    (void)snprintf(token, 64, "%s", tkt_buf_str(&out));
    return rc;
}

static void a_token_is_kept_for_four_fifths_of_its_life(void **state)
{
    struct site s;
    char token[64];

    (void)state;
    begin(&s, "{\"access_token\":\"t1\",\"token_type\":\"Bearer\",\"expires_in\":1000}");
    tkt_clock_fake(1000000, 1000000);
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(token, "t1");
    assert_non_null(strstr(fake_last_head(s.fake), "application/x-www-form-urlencoded"));
    fake_answer(s.fake, "/token", 200, "{\"access_token\":\"t2\",\"expires_in\":2}");
    tkt_clock_advance(799000);
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(token, "t1");
    assert_int_equal(fake_requests(s.fake), 1);
    tkt_clock_advance(1000);
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(token, "t2");
    tkt_clock_advance(2000);
    assert_int_equal(get(&s, token), 0);
    assert_int_equal(fake_requests(s.fake), 3);
    end(&s);
}

static void a_dropped_token_is_fetched_anew_and_a_newer_one_stays(void **state)
{
    struct site s;
    char token[64];

    (void)state;
    begin(&s, "{\"access_token\":\"t1\",\"expires_in\":\"1000\"}");
    assert_int_equal(get(&s, token), 0);
    tkt_oauth_drop(s.oauth, &s.ask, "older");
    assert_int_equal(get(&s, token), 0);
    assert_int_equal(fake_requests(s.fake), 1);
    tkt_oauth_drop(s.oauth, &s.ask, "t1");
    assert_int_equal(get(&s, token), 0);
    assert_int_equal(fake_requests(s.fake), 2);
    s.ask.scope = "other"; /* a key of its own */
    assert_int_equal(get(&s, token), 0);
    assert_int_equal(fake_requests(s.fake), 3);
    end(&s);
}

static void a_refused_refresh_token_falls_back_to_the_grant(void **state)
{
    struct site s;
    char token[64];

    (void)state;
    begin(&s, "{\"access_token\":\"t1\",\"refresh_token\":\"r\",\"expires_in\":0}");
    s.ask.grant = TKT_OAUTH_PASSWORD;
    s.ask.user = "us";
    s.ask.password = "pw";
    assert_int_equal(get(&s, token), 0);
    size_t grant = fake_last_body(s.fake, (unsigned char[32]){0});
    assert_int_equal(get(&s, token), 0);
    assert_int_equal(fake_requests(s.fake), 2);
    size_t refresh = fake_last_body(s.fake, (unsigned char[32]){0});
    assert_int_equal(grant, strlen("grant_type=password&username=us&password=pw"
                                   "&client_id=a%20b%26c&client_secret=geheim%2Bx"));
    assert_int_equal(refresh, strlen("grant_type=refresh_token&refresh_token=r"
                                     "&client_id=a%20b%26c&client_secret=geheim%2Bx"));
    fake_answer(s.fake, "/token", 401, "{\"error\":\"invalid_grant\"}");
    assert_int_equal(get(&s, token), -1);
    assert_int_equal(fake_requests(s.fake), 4);
    assert_int_equal(s.err.class, TKT_ERR_CONF);
    assert_non_null(strstr(s.err.text, "invalid_grant"));
    end(&s);
}

static void no_error_tells_a_secret_and_no_answer_is_believed_blindly(void **state)
{
    static const struct {
        int status;
        const char *body;
        enum tkt_err_class class;
    } rows[] = {{401, "{\"error\":\"geheim+x\",\"error_description\":\"geheim+x\"}",
                 TKT_ERR_CONF},
                {503, "{}", TKT_ERR_TEMP},
                {200, "{}", TKT_ERR_TEMP},
                {200, "[\"geheim+x\"]", TKT_ERR_TEMP},
                {200, "<html>", TKT_ERR_TEMP},
                {200, "{\"access_token\":\"\"}", TKT_ERR_TEMP},
                {200, "{\"access_token\":\"a\\r\\nX: y\"}", TKT_ERR_TEMP},
                {200, "{\"access_token\":7}", TKT_ERR_TEMP}};

    (void)state;
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        struct site s;
        char token[64];

        begin(&s, "{}");
        fake_answer(s.fake, "/token", rows[i].status, rows[i].body);
        assert_int_equal(get(&s, token), -1);
        assert_int_equal(s.err.class, rows[i].class);
        assert_null(strstr(s.err.text, "geheim"));
        assert_string_equal(token, "");
        end(&s);
    }
}

static void *getter(void *arg)
{
    char token[64];

    return get(arg, token) == 0 && strcmp(token, "t1") == 0 ? arg : NULL;
}

static void many_that_need_it_at_once_fetch_it_once(void **state)
{
    pthread_t threads[8];
    struct site s;

    (void)state;
    begin(&s, "{\"access_token\":\"t1\",\"expires_in\":1000}");
    struct site each[TKT_ARRAY_LEN(threads)];
    for (size_t i = 0; i < TKT_ARRAY_LEN(threads); i++) {
        each[i] = s; /* an err of its own */
        each[i].ask.token_url = s.url;
        assert_int_equal(pthread_create(&threads[i], NULL, getter, &each[i]), 0);
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(threads); i++) {
        void *got = NULL;

        pthread_join(threads[i], &got);
        assert_ptr_equal(got, &each[i]);
    }
    assert_int_equal(fake_requests(s.fake), 1);
    end(&s);
}

/* ---- a keeper ------------------------------------------------------------------------- */

struct shelf {
    bool shut; /* neither read nor written now */
    struct tkt_oauth_kept kept;
};

static int load(void *arg, const unsigned char key[TKT_SHA256_LEN],
                struct tkt_oauth_kept *out)
{
    struct shelf *shelf = arg;

    (void)key;
    if (shelf->shut) {
        return -1;
    }
    *out = shelf->kept;
    return shelf->kept.refresh[0] != '\0';
}

static int save(void *arg, const unsigned char key[TKT_SHA256_LEN],
                const struct tkt_oauth_kept *kept, struct tkt_err *err)
{
    struct shelf *shelf = arg;

    (void)key;
    if (shelf->shut) {
        return tkt_err_set(err, TKT_ERR_TEMP, "disk full");
    }
    shelf->kept = kept ? *kept : (struct tkt_oauth_kept){.until_wall_ms = 0};
    return 0;
}

static void begin_kept(struct site *s, struct shelf *shelf, const char *answer)
{
    const struct tkt_oauth_keeper keeper = {.arg = shelf, .load = load, .save = save};

    begin(s, answer);
    tkt_oauth_free(&s->oauth);
    s->oauth = tkt_oauth_new(&keeper, &s->err);
    assert_non_null(s->oauth);
    s->ask.grant = TKT_OAUTH_REFRESH;
    s->ask.password = "first";
}

/* The last form that was sent. */
static void assert_form(struct site *s, const char *form)
{
    unsigned char have[TKT_SHA256_LEN];
    unsigned char want[TKT_SHA256_LEN];

    assert_int_equal(fake_last_body(s->fake, have), strlen(form));
    tkt_sha256(form, strlen(form), want);
    assert_memory_equal(have, want, sizeof(want));
}

static void a_refresh_token_whose_newer_one_cannot_be_read_is_not_used(void **state)
{
    static struct shelf shelf; /* its tokens are large */
    struct site s;
    char token[64];

    (void)state;
    shelf = (struct shelf){.shut = true, .kept = {.refresh = "second"}};
    begin_kept(&s, &shelf, "{\"access_token\":\"t1\",\"expires_in\":1000}");
    assert_int_equal(get(&s, token), -1);
    assert_int_equal(s.err.class, TKT_ERR_TEMP);
    assert_int_equal(fake_requests(s.fake), 0);
    shelf.shut = false;
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(token, "t1");
    assert_form(&s, "grant_type=refresh_token&refresh_token=second"
                    "&client_id=a%20b%26c&client_secret=geheim%2Bx");
    end(&s);
}

static void
a_changed_refresh_token_is_kept_before_its_access_token_is_given_out(void **state)
{
    static struct shelf shelf;
    struct site s;
    char token[64];

    (void)state;
    shelf = (struct shelf){.kept = {.refresh = "second"}};
    begin_kept(
        &s, &shelf,
        "{\"access_token\":\"t1\",\"expires_in\":100,\"refresh_token\":\"third\"}");
    tkt_clock_fake(1000000, 1000000);
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(shelf.kept.refresh, "third");
    fake_answer(
        s.fake, "/token", 200,
        "{\"access_token\":\"t2\",\"expires_in\":100,\"refresh_token\":\"fourth\"}");
    tkt_clock_advance(80000);
    shelf.shut = true;
    assert_int_equal(get(&s, token), -1);
    assert_int_equal(get(&s, token), -1);
    assert_int_equal(fake_requests(s.fake), 2); /* not asked once more */
    shelf.shut = false;
    assert_int_equal(get(&s, token), 0);
    assert_string_equal(token, "t2");
    assert_string_equal(shelf.kept.refresh, "fourth");
    assert_int_equal(fake_requests(s.fake), 2);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_token_is_kept_for_four_fifths_of_its_life),
        cmocka_unit_test(a_dropped_token_is_fetched_anew_and_a_newer_one_stays),
        cmocka_unit_test(a_refused_refresh_token_falls_back_to_the_grant),
        cmocka_unit_test(no_error_tells_a_secret_and_no_answer_is_believed_blindly),
        cmocka_unit_test(many_that_need_it_at_once_fetch_it_once),
        cmocka_unit_test(a_refresh_token_whose_newer_one_cannot_be_read_is_not_used),
        cmocka_unit_test(
            a_changed_refresh_token_is_kept_before_its_access_token_is_given_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
