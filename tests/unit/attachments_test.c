/* SPDX-License-Identifier: BSD-2-Clause
 * common/message: attachments and what they are packed in. Bytes are right however they
 * were broken up; bombs and nests end at their caps, in time and in little memory.
 */
#include "base/enc.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/util.h"
#include "message/parse.h"
#include "message/partname.h"
#include "message/transfer.h"
#include "message/visit.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

#define BUDGET_MS (SANITIZED ? 8000 : 1200) /* processor time of one hostile message */
#define INPUT_MAX (64 * 1024 * 1024)

static const char head[] = "From: ann@customer.example\r\nTo: it@desk.example\r\n"
                           "Subject: files\r\n";

/* ---- helpers ---- */

static int64_t cpu_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static struct tkt_message parse_with(const struct tkt_buf *raw,
                                     const struct tkt_message_limits *limits)
{
    struct tkt_message_options opt = {.limits = *limits};
    struct tkt_message_source src = {
        .data = tkt_buf_str(raw), .fd = -1, .size = raw->len};
    TKT_AUTO_BUF struct tkt_buf wire = TKT_BUF_INIT(TKT_MESSAGE_WIRE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_message msg;
    struct tkt_message decoded;

    assert_false(raw->failed);
    int64_t start = cpu_ms();
    if (tkt_message_parse(&src, &opt, &msg, &err) < 0) {
        fail_msg("%s", err.text);
    }
    int64_t took = cpu_ms() - start;
    if (took > BUDGET_MS) {
        fail_msg("%d ms for \"%.300s\"", (int)took, tkt_buf_str(raw));
    }
    assert_int_equal(tkt_message_encode(&msg, &wire), 0);
    tkt_message_release(&msg);
    if (tkt_message_decode(wire.data, wire.len, &decoded, &err) < 0) {
        fail_msg("%s", err.text);
    }
    return decoded;
}

static struct tkt_message parse(const struct tkt_buf *raw)
{
    struct tkt_message_limits limits;

    tkt_message_limits_default(&limits);
    return parse_with(raw, &limits);
}

static bool has_problem(const struct tkt_message *msg, const char *prefix)
{
    for (size_t i = 0; i < msg->problems.count; i++) {
        if (strncmp(msg->problems.items[i], prefix, strlen(prefix)) == 0) {
            return true;
        }
    }
    return false;
}

static const struct tkt_attachment *at_part(const struct tkt_message *msg,
                                            const char *part)
{
    for (size_t i = 0; i < msg->attachment_count; i++) {
        if (strcmp(msg->attachments[i].part, part) == 0) {
            return &msg->attachments[i];
        }
    }
    return NULL;
}

static void hash_of(const void *data, size_t n, char hex[65])
{
    unsigned char digest[TKT_SHA256_LEN];

    tkt_sha256(data, n, digest);
    tkt_hex_encode(digest, sizeof(digest), hex);
}

static void assert_content(const struct tkt_message *msg, const char *part,
                           const void *data, size_t n)
{
    const struct tkt_attachment *a = at_part(msg, part);
    char hex[65];

    if (a == NULL) {
        fail_msg("no part %s", part);
        return;
    }
    hash_of(data, n, hex);
    assert_int_equal(a->size, n);
    assert_string_equal(a->sha256, hex);
}

/* What extract writes is what the list promised. */
static void assert_all_extract(const struct tkt_buf *raw, const struct tkt_message *msg)
{
    struct tkt_message_source src = {
        .data = tkt_buf_str(raw), .fd = -1, .size = raw->len};

    for (size_t i = 0; i < msg->attachment_count; i++) {
        const struct tkt_attachment *a = &msg->attachments[i];
        TKT_AUTO_FD int fd = memfd_create("part", MFD_CLOEXEC);
        TKT_AUTO_BUF struct tkt_buf got = TKT_BUF_INIT(INPUT_MAX);
        struct tkt_err err = TKT_ERR_INIT;
        char hex[65];
        if (tkt_message_extract(&src, a->part, NULL, fd, &err) < 0) {
            fail_msg("%s: %s", a->part, err.text);
        }
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        assert_int_equal(tkt_read_fd(fd, &got, &err), 0);
        hash_of(tkt_buf_str(&got), got.len, hex);
        assert_int_equal(got.len, a->size);
        assert_string_equal(hex, a->sha256);
    }
}

static uint32_t seed = 1;

static uint32_t next_random(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static void fill_random(char *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        p[i] = (char)next_random();
    }
}

/* ---- transfer encodings ---- */

static void add_base64(struct tkt_buf *out, const char *data, size_t n, size_t width)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *p = (const unsigned char *)data;
    size_t column = 0;

    for (size_t i = 0; i < n; i += 3) {
        unsigned v = (unsigned)p[i] << 16 | (i + 1 < n ? (unsigned)p[i + 1] << 8 : 0) |
                     (i + 2 < n ? p[i + 2] : 0);
        char group[4] = {digits[v >> 18], digits[v >> 12 & 63],
                         i + 1 < n ? digits[v >> 6 & 63] : '=',
                         i + 2 < n ? digits[v & 63] : '='};
        for (size_t k = 0; k < 4; k++) {
            tkt_buf_addc(out, group[k]);
            if (++column == width) {
                tkt_buf_adds(out, "\r\n");
                column = 0;
            }
        }
    }
}

static void add_qp(struct tkt_buf *out, const char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tkt_buf_addf(out, "=%02X%s", (unsigned char)data[i], i % 20 == 19 ? "=\r\n" : "");
    }
}

static void decode(enum tkt_transfer_kind kind, const struct tkt_buf *in, size_t piece,
                   struct tkt_buf *out)
{
    struct tkt_transfer t;

    tkt_transfer_init_body(&t, kind, false);
    for (size_t i = 0; i < in->len; i += piece) {
        assert_int_equal(
            tkt_transfer_feed(&t, in->data + i, TKT_MIN(piece, in->len - i), out), 0);
    }
    assert_int_equal(tkt_transfer_end(&t, out), 0);
}

static void what_was_encoded_comes_back_whatever_the_pieces(void **state)
{
    (void)state;
    static const size_t widths[] = {76, 64, 4, 73, 1, 1000000};
    static const size_t pieces[] = {1, 2, 3, 5, 77, 4096, 1000000};
    char data[3000];
    fill_random(data, sizeof(data));
    for (size_t n = 0; n < sizeof(data); n = n < 40 ? n + 1 : n * 2 + 1) {
        for (size_t w = 0; w < TKT_ARRAY_LEN(widths); w++) {
            for (size_t i = 0; i < TKT_ARRAY_LEN(pieces); i++) {
                TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(INPUT_MAX);
                TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(INPUT_MAX);
                add_base64(&in, data, n, widths[w]);
                decode(TKT_TRANSFER_BASE64, &in, pieces[i], &out);
                assert_int_equal(out.len, n);
                assert_memory_equal(tkt_buf_str(&out), data, n);
            }
        }
        TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(INPUT_MAX);
        add_qp(&in, data, n);
        decode(TKT_TRANSFER_QP, &in, 7, &out);
        assert_int_equal(out.len, n);
        assert_memory_equal(tkt_buf_str(&out), data, n);
    }
}

static void broken_quoted_printable_reads_the_same_whatever_the_pieces(void **state)
{
    static const char bytes[] = "===  \t\r\n\nA3fx.";

    (void)state;
    for (size_t round = 0; round < 20000; round++) {
        char data[24];
        size_t n = 1 + next_random() % sizeof(data);
        for (size_t i = 0; i < n; i++) {
            data[i] = bytes[next_random() % (sizeof(bytes) - 1)];
        }
        TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf slow = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf fast = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_add(&in, data, n);
        decode(TKT_TRANSFER_QP, &in, 1, &slow); /* byte by byte */
        decode(TKT_TRANSFER_QP, &in, 1 + round % n, &fast);
        decode(TKT_TRANSFER_QP, &in, n, &fast);
        assert_int_equal(fast.len, 2 * slow.len);
        assert_memory_equal(tkt_buf_str(&fast), tkt_buf_str(&slow), slow.len);
        assert_memory_equal(tkt_buf_str(&fast) + slow.len, tkt_buf_str(&slow), slow.len);
    }
}

static void a_full_buffer_holds_the_beginning(void **state)
{
    (void)state;
    char data[5000];
    fill_random(data, sizeof(data));
    for (size_t max = 1; max < 4500; max = max * 3 + 1) {
        TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(max);
        struct tkt_transfer t;
        add_base64(&in, data, sizeof(data), 76);
        tkt_transfer_init_body(&t, TKT_TRANSFER_BASE64, false);
        assert_int_equal(tkt_transfer_feed(&t, in.data, in.len, &out), -1);
        assert_int_equal(out.len, max);
        assert_memory_equal(out.data, data, max);
    }
}

static void url_safe_digits_are_read(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_BUF struct tkt_buf out = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&in, "-_-_\r\n_-_-\r\nAA==\r\n");
    decode(TKT_TRANSFER_BASE64, &in, 5, &out);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.data, "\xfb\xff\xbf\xff\xef\xfe\0", 7);
}

/* ---- hashes ---- */

static void add_attachment(struct tkt_buf *b, const char *name, const char *data,
                           size_t n)
{
    tkt_buf_addf(b,
                 "--b\r\nContent-Type: application/octet-stream; name=%s\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n",
                 name);
    add_base64(b, data, n, 76);
    tkt_buf_adds(b, "\r\n");
}

static void begin_mixed(struct tkt_buf *b)
{
    tkt_buf_addf(b, "%sContent-Type: multipart/mixed; boundary=b\r\n\r\n", head);
}

static void past_hash_max_attachments_have_their_encoded_size(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FREE char *data = calloc(1, 400000);
    struct tkt_message_limits limits;
    begin_mixed(&raw);
    add_attachment(&raw, "first", data, 1000);
    add_attachment(&raw, "second", data, 400000);
    add_attachment(&raw, "third", data, 1000);
    tkt_buf_adds(&raw, "--b--\r\n");
    tkt_message_limits_default(&limits);
    limits.hash_max = 100000;
    struct tkt_message msg = parse_with(&raw, &limits);
    assert_int_equal(msg.attachment_count, 3);
    assert_content(&msg, "1", data, 1000);
    for (size_t i = 1; i < 3; i++) {
        assert_string_equal(msg.attachments[i].sha256, "");
        assert_true(msg.attachments[i].size > (i == 1 ? 500000 : 1300));
    }
    assert_true(has_problem(&msg, "hash_max: "));
    assert_false(msg.degraded);
    tkt_message_release(&msg);
    struct tkt_message all = parse(&raw);
    assert_content(&all, "2", data, 400000);
    assert_content(&all, "3", data, 1000);
    assert_false(has_problem(&all, "hash_max: "));
    tkt_message_release(&all);
}

static void when_the_time_is_up_attachments_are_listed_without_hash(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip(); /* the time is that of a plain build */
    }
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FREE char *data = calloc(1, 30000000);
    struct tkt_message_limits limits;
    begin_mixed(&raw);
    tkt_buf_adds(&raw, "--b\r\n\r\nthe text\r\n");
    add_attachment(&raw, "small", data, 1000);
    add_attachment(&raw, "large", data, 30000000);
    tkt_buf_adds(&raw, "--b--\r\n");
    tkt_message_limits_default(&limits);
    limits.parse_ms = 1;
    struct tkt_message msg = parse_with(&raw, &limits);
    /* However slow the machine is: what there was time for is right. */
    for (size_t i = 0; i < msg.attachment_count; i++) {
        if (strcmp(msg.attachments[i].part, "3") == 0) {
            assert_string_equal(msg.attachments[i].sha256, "");
        }
    }
    assert_true(has_problem(&msg, "parse_ms: "));
    tkt_message_release(&msg);
}

static void parse_large_file(size_t size, const char *type, long *kib)
{
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FREE char *data = calloc(1, size);
    int fd = memfd_create("large", MFD_CLOEXEC);
    struct rusage use;
    int status = 0;

    assert_non_null(data);
    tkt_buf_addf(&raw,
                 "%sContent-Type: %s; name=x\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n",
                 head, type);
    add_base64(&raw, data, size, 76);
    assert_int_equal(tkt_write_full(fd, raw.data, raw.len, NULL), 0);
    size_t len = raw.len;
    /* Given back before the child is made: it would count as the child's. */
    tkt_buf_release(&raw);
    free(data);
    data = NULL;
    (void)malloc_trim(0); /* the same */
    pid_t pid = fork();
    if (pid == 0) {
        struct tkt_message_source src = {.fd = fd, .size = len};
        struct tkt_message_options opt = {.prefix_count = 0};
        struct tkt_message msg;
        tkt_message_limits_default(&opt.limits);
        if (tkt_message_parse(&src, &opt, &msg, NULL) < 0 || msg.attachment_count != 1 ||
            msg.attachments[0].size != size) {
            _exit(1);
        }
        TKT_AUTO_FD int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
        _exit(tkt_message_extract(&src, "1", NULL, out, NULL) < 0 ? 2 : 0);
    }
    assert_int_equal(wait4(pid, &status, 0, &use), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    *kib = use.ru_maxrss;
    close(fd);
}

static void memory_does_not_grow_with_the_attachment(void **state)
{
    (void)state;
    if (SANITIZED) {
        skip(); /* its own memory is counted with ours */
    }
    static const char *const types[] = {"application/zip", "application/ms-tnef"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(types); i++) {
        long small = 0;
        long large = 0;
        parse_large_file(300 * 1024, types[i], &small);
        parse_large_file(30 * 1024 * 1024, types[i], &large);
        assert_in_range(large, 1, small + 2048);
    }
}

/* ---- messages inside ---- */

static void a_thousand_messages_within_each_other_end_at_the_cap(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_adds(&raw, head);
    for (unsigned i = 0; i < 1000; i++) {
        tkt_buf_addf(&raw, "Content-Type: message/rfc822\r\n\r\nSubject: level %u\r\n",
                     i + 1);
    }
    tkt_buf_adds(&raw, "\r\ntext\r\n");
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, TKT_VISIT_DEPTH_MAX + 1);
    assert_string_equal(msg.attachments[0].name, "level 1");
    assert_string_equal(msg.attachments[7].name, "level 8");
    assert_string_equal(msg.attachments[7].part, "1.1.1.1.1.1.1.1");
    assert_true(has_problem(&msg, "nested: "));
    assert_all_extract(&raw, &msg);
    tkt_message_release(&msg);
}

static void many_messages_side_by_side_are_read_in_time(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    begin_mixed(&raw);
    for (unsigned i = 0; i < 2000; i++) {
        tkt_buf_adds(&raw, "--b\r\nContent-Type: message/rfc822\r\n\r\nContent-Type: "
                           "multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: "
                           "image/png\r\n\r\nx\r\n--c--\r\n");
    }
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, TKT_MESSAGE_PARTS_MAX);
    assert_true(has_problem(&msg, "mime_parts: "));
    tkt_message_release(&msg);
}

static void an_encoded_message_above_its_cap_is_listed_and_not_opened(void **state)
{
    (void)state;
    for (unsigned large = 0; large < 2; large++) {
        TKT_AUTO_BUF struct tkt_buf inner = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_adds(&inner, "Subject: inside\r\nContent-Type: multipart/mixed; "
                             "boundary=c\r\n\r\n--c\r\nContent-Type: image/png\r\n\r\n");
        while (large != 0 && inner.len <= 1024 * 1024) {
            tkt_buf_adds(&inner, "a line of the image\r\n");
        }
        tkt_buf_adds(&inner, "\r\n--c--\r\n");
        tkt_buf_addf(&raw,
                     "%sContent-Type: message/rfc822\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n",
                     head);
        add_base64(&raw, inner.data, inner.len, 76);
        struct tkt_message msg = parse(&raw);
        assert_int_equal(msg.attachment_count, large != 0 ? 1 : 2);
        assert_int_equal(has_problem(&msg, "nested_bytes: "), large);
        assert_content(&msg, "1", inner.data, inner.len);
        assert_all_extract(&raw, &msg);
        tkt_message_release(&msg);
    }
}

/* ---- files within the text ---- */

static void add_uu(struct tkt_buf *b, const char *name, const char *data, size_t n)
{
    const unsigned char *p = (const unsigned char *)data;

    tkt_buf_addf(b, "begin 644 %s\r\n", name);
    for (size_t i = 0; i < n; i += 45) {
        size_t len = TKT_MIN(n - i, 45);
        tkt_buf_addc(b, (char)(' ' + len));
        for (size_t k = 0; k < len; k += 3) {
            unsigned v = (unsigned)p[i + k] << 16 |
                         (k + 1 < len ? (unsigned)p[i + k + 1] << 8 : 0) |
                         (k + 2 < len ? p[i + k + 2] : 0);
            for (int shift = 18; shift >= 0; shift -= 6) {
                unsigned digit = v >> shift & 63;
                tkt_buf_addc(b, digit == 0 ? '`' : (char)(' ' + digit));
            }
        }
        tkt_buf_adds(b, "\r\n");
    }
    tkt_buf_adds(b, "`\r\nend\r\n");
}

static void a_hundred_thousand_blocks_end_at_the_cap(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_addf(&raw, "%s\r\n", head);
    for (unsigned i = 0; i < 100000; i++) {
        tkt_buf_adds(&raw, "begin 644 x\r\n#86)C\r\n`\r\nend\r\n");
    }
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, TKT_MESSAGE_PARTS_MAX);
    assert_true(has_problem(&msg, "mime_parts: "));
    assert_content(&msg, "1/uu/1", "abc", 3);
    assert_content(&msg, "1/uu/500", "abc", 3);
    assert_non_null(strstr(msg.text, "begin 644 x")); /* what is past the cap stays */
    tkt_message_release(&msg);
}

static void blocks_that_never_end_stay_text(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    tkt_buf_addf(&raw, "%s\r\n", head);
    for (unsigned i = 0; i < 20000; i++) {
        tkt_buf_adds(&raw, "begin 644 x\r\n#86)C\r\n=ybegin line=9 size=3 name=y\r\n");
    }
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, 0);
    assert_int_equal(strncmp(msg.text, "begin 644 x\n#86)C\n=ybegin line", 30), 0);
    tkt_message_release(&msg);
}

static void a_block_larger_than_the_text_may_be_is_read_whole(void **state)
{
    (void)state;
    enum {
        SIZE = 3 * 1024 * 1024
    };
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FREE char *data = malloc(SIZE);
    fill_random(data, SIZE);
    tkt_buf_addf(&raw, "%s\r\nbefore\r\n", head);
    add_uu(&raw, "large.bin", data, SIZE);
    tkt_buf_adds(&raw, "behind\r\n");
    add_uu(&raw, "small.bin", data, 100);
    struct tkt_message msg = parse(&raw);
    assert_string_equal(msg.text, "before\nbehind");
    assert_false(msg.text_cut);
    assert_content(&msg, "1/uu/1", data, SIZE);
    assert_content(&msg, "1/uu/2", data, 100);
    assert_string_equal(at_part(&msg, "1/uu/1")->name, "large.bin");
    assert_all_extract(&raw, &msg);
    tkt_message_release(&msg);
}

/* Blanks at line ends get lost, and with them the zeros that they stand for. */
static void zeros_whose_blanks_got_lost_come_back(void **state)
{
    (void)state;
    enum {
        LINES = 20000
    };
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FREE char *zeros = calloc(LINES, 45);
    for (unsigned declared = 0; declared < 2; declared++) {
        tkt_buf_reset(&raw);
        tkt_buf_addf(&raw, "%s%s\r\nbegin 644 zeros\r\n", head,
                     declared != 0 ? "Content-Type: application/zip\r\n"
                                     "Content-Transfer-Encoding: x-uuencode\r\n"
                                   : "");
        for (unsigned i = 0; i < LINES; i++) {
            tkt_buf_adds(&raw, "M\r\n");
        }
        tkt_buf_adds(&raw, "`\r\nend\r\n");
        struct tkt_message msg = parse(&raw);
        assert_int_equal(msg.attachment_count, 1);
        assert_content(&msg, declared != 0 ? "1" : "1/uu/1", zeros, (size_t)LINES * 45);
        assert_all_extract(&raw, &msg);
        tkt_message_release(&msg);
    }
}

static void blocks_are_found_wherever_a_window_ends(void **state)
{
    (void)state;
    char data[90];
    fill_random(data, sizeof(data));
    for (size_t fill = TKT_MESSAGE_WINDOW - 140; fill < TKT_MESSAGE_WINDOW + 4;
         fill += 3) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        tkt_buf_addf(&raw, "%s\r\n", head);
        for (size_t i = 0; i < fill; i++) {
            tkt_buf_addc(&raw, i % 60 == 59 ? '\n' : 'b');
        }
        tkt_buf_adds(&raw, "\n");
        add_uu(&raw, "x", data, sizeof(data));
        struct tkt_message msg = parse(&raw);
        assert_int_equal(msg.attachment_count, 1);
        assert_content(&msg, "1/uu/1", data, sizeof(data));
        assert_null(strstr(msg.text, "begin"));
        tkt_message_release(&msg);
    }
}

/* ---- winmail.dat ---- */

static void add_number(struct tkt_buf *b, uint32_t v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        tkt_buf_addc(b, i < 4 ? (char)(v >> (8 * i)) : 0);
    }
}

static void add_attribute(struct tkt_buf *b, unsigned level, uint32_t id,
                          const struct tkt_buf *data)
{
    add_number(b, level, 1);
    add_number(b, id, 4);
    add_number(b, (uint32_t)data->len, 4);
    tkt_buf_add(b, data->data, data->len);
    add_number(b, 0, 2);
}

static void add_bytes_attribute(struct tkt_buf *b, unsigned level, uint32_t id,
                                const char *data, size_t n)
{
    TKT_AUTO_BUF struct tkt_buf d = TKT_BUF_INIT(INPUT_MAX);

    tkt_buf_add(&d, data, n);
    add_attribute(b, level, id, &d);
}

static void begin_tnef(struct tkt_buf *b)
{
    add_number(b, 0x223e9f78, 4);
    add_number(b, 1, 2);
}

/* A file with an object property: a message inside. */
static void wrap_message(struct tkt_buf *out, const struct tkt_buf *inner)
{
    static const char class_id[16] = "\x07\x03\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    TKT_AUTO_BUF struct tkt_buf props = TKT_BUF_INIT(INPUT_MAX);

    begin_tnef(out);
    add_bytes_attribute(out, 2, 0x00069002, "\1\0", 2);
    add_number(&props, 1, 4);
    add_number(&props, 0x000d, 2);
    add_number(&props, 0x3701, 2);
    add_number(&props, 1, 4);
    add_number(&props, (uint32_t)(sizeof(class_id) + inner->len), 4);
    tkt_buf_add(&props, class_id, sizeof(class_id));
    tkt_buf_add(&props, inner->data, inner->len);
    add_number(&props, 0, (4 - (sizeof(class_id) + inner->len) % 4) % 4);
    add_attribute(out, 2, 0x00069005, &props);
}

static void add_tnef_mail(struct tkt_buf *raw, const struct tkt_buf *tnef)
{
    tkt_buf_addf(raw,
                 "%sContent-Type: application/ms-tnef; name=winmail.dat\r\n"
                 "Content-Transfer-Encoding: base64\r\n\r\n",
                 head);
    add_base64(raw, tnef->data, tnef->len, 76);
}

static void tnef_within_tnef_ends_at_the_cap(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf a = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_BUF struct tkt_buf b = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    begin_tnef(&a);
    for (unsigned i = 0; i < 200; i++) {
        tkt_buf_reset(i % 2 == 0 ? &b : &a);
        wrap_message(i % 2 == 0 ? &b : &a, i % 2 == 0 ? &a : &b);
    }
    add_tnef_mail(&raw, &a);
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, 1 + 4);
    assert_non_null(at_part(&msg, "1/tnef/1/tnef/1/tnef/1/tnef/1"));
    assert_null(at_part(&msg, "1/tnef/1/tnef/1/tnef/1/tnef/1/tnef/1"));
    assert_all_extract(&raw, &msg);
    tkt_message_release(&msg);
}

static void a_tnef_of_many_files_ends_at_the_cap(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf tnef = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    begin_tnef(&tnef);
    for (unsigned i = 0; i < 50000; i++) {
        add_bytes_attribute(&tnef, 2, 0x00069002, "\1\0", 2);
        add_bytes_attribute(&tnef, 2, 0x0006800f, "data", 4);
    }
    add_tnef_mail(&raw, &tnef);
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, TKT_MESSAGE_PARTS_MAX);
    assert_content(&msg, "1/tnef/499", "data", 4);
    tkt_message_release(&msg);
}

static void lengths_that_lie_end_a_tnef(void **state)
{
    (void)state;
    static const uint32_t lies[] = {0x7fffffff, 0xffffffff, 0xfffffff0, 1000, 0};
    for (size_t i = 0; i < TKT_ARRAY_LEN(lies); i++) {
        TKT_AUTO_BUF struct tkt_buf tnef = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf props = TKT_BUF_INIT(INPUT_MAX);
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        begin_tnef(&tnef);
        add_bytes_attribute(&tnef, 2, 0x00069002, "\1\0", 2);
        add_number(&props, lies[i], 4); /* count of properties */
        add_number(&props, 0x1102, 2);  /* many binaries ... */
        add_number(&props, 0x8001, 2);  /* with a name ... */
        add_number(&props, 0, 16);
        add_number(&props, 1, 4);
        add_number(&props, lies[i], 4); /* of this length */
        add_number(&props, lies[i], 4);
        add_attribute(&tnef, 2, 0x00069005, &props);
        add_number(&tnef, 2, 1);
        add_number(&tnef, 0x0006800f, 4);
        add_number(&tnef, lies[i], 4);
        tkt_buf_adds(&tnef, "ends here");
        add_tnef_mail(&raw, &tnef);
        struct tkt_message msg = parse(&raw);
        assert_in_range(msg.attachment_count, 1, 2);
        assert_true(has_problem(&msg, "broken: winmail.dat"));
        tkt_message_release(&msg);
    }
}

/* ---- golden containers, cut anywhere ---- */

static void read_golden(const char *name, struct tkt_buf *raw)
{
    const char *src = getenv("TKT_SRCDIR");
    char path[512];
    struct tkt_err err = TKT_ERR_INIT;

    (void)snprintf(path, sizeof(path), "%s/tests/golden/%s.eml", src == NULL ? "." : src,
                   name);
    if (tkt_read_file(path, raw, &err) < 0) {
        fail_msg("%s", err.text);
    }
}

static void every_truncation_of_a_container_is_read(void **state)
{
    (void)state;
    static const char *const names[] = {"winmail", "winmail-rtf",     "uuencode",
                                        "yenc",    "messages-inside", "calendar-alone"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        read_golden(names[i], &raw);
        for (size_t n = 0; n < raw.len; n += SANITIZED ? 37 : 5) {
            TKT_AUTO_BUF struct tkt_buf cut = TKT_BUF_INIT(INPUT_MAX);
            tkt_buf_add(&cut, raw.data, n);
            struct tkt_message msg = parse(&cut);
            tkt_message_release(&msg);
        }
    }
}

static void every_listed_part_of_a_container_can_be_extracted(void **state)
{
    (void)state;
    static const char *const names[] = {"winmail", "winmail-alone",   "uuencode",
                                        "yenc",    "messages-inside", "base64-broken"};
    for (size_t i = 0; i < TKT_ARRAY_LEN(names); i++) {
        TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
        read_golden(names[i], &raw);
        struct tkt_message msg = parse(&raw);
        assert_true(msg.attachment_count >= 2);
        assert_all_extract(&raw, &msg);
        tkt_message_release(&msg);
    }
}

static void parts_that_are_not_there_are_refused(void **state)
{
    (void)state;
    static const char *const parts[] = {"",         "0",      "1/",      "1/uu",
                                        "1/uu/0",   "1/uu/4", "1/uu/01", "1/tnef/1",
                                        "1/yenc/1", "1.1",    "2",       "1/uu/1/uu/1",
                                        "1/uu/1 ",  "/uu/1",  "1//uu/1", "1/uu/999999"};
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    TKT_AUTO_FD int fd = memfd_create("part", MFD_CLOEXEC);
    read_golden("uuencode", &raw);
    struct tkt_message_source src = {.data = raw.data, .fd = -1, .size = raw.len};
    for (size_t i = 0; i < TKT_ARRAY_LEN(parts); i++) {
        struct tkt_err err = TKT_ERR_INIT;
        if (tkt_message_extract(&src, parts[i], NULL, fd, &err) == 0) {
            fail_msg("part \"%s\" was written", parts[i]);
        }
        assert_int_equal(err.class, TKT_ERR_PERM);
    }
    assert_int_equal(lseek(fd, 0, SEEK_END), 0);
}

/* ---- names ---- */

static void who_has_no_name_gets_one_of_type_and_part(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *part;
        const char *name;
    } rows[] = {{"image/png", "1.2", "image-1.2.png"},
                {"image/x-unheard-of", "2", "image-2.img"},
                {"message/rfc822", "3", "message-3.eml"},
                {"text/calendar", "1", "invitation-1.ics"},
                {"application/pdf", "3/tnef/1", "document-3-tnef-1.pdf"},
                {"nonsense", "4", "attachment-4.bin"},
                {"", "", "attachment-.bin"}};
    for (size_t i = 0; i < TKT_ARRAY_LEN(rows); i++) {
        char name[TKT_PART_NAME_MAX];
        tkt_part_name(rows[i].type, rows[i].part, name);
        assert_string_equal(name, rows[i].name);
    }
}

static void only_a_reference_makes_a_file_inline_that_is_no_image(void **state)
{
    (void)state;
    TKT_AUTO_BUF struct tkt_buf raw = TKT_BUF_INIT(INPUT_MAX);
    begin_mixed(&raw);
    tkt_buf_adds(&raw, "--b\r\nContent-Type: text/html\r\n\r\n<img src=cid:a%40x>"
                       "<object data=\"CID:b@x\">\r\n"
                       "--b\r\nContent-Type: application/x-shape\r\nContent-ID: <a@x>\r\n"
                       "Content-Disposition: attachment\r\n\r\none\r\n"
                       "--b\r\nContent-Type: application/pdf\r\nContent-ID: b@x\r\n\r\n"
                       "two\r\n--b\r\nContent-Type: application/pdf\r\n"
                       "Content-ID: <c@x>\r\nContent-Disposition: inline\r\n\r\nthree\r\n"
                       "--b--\r\n");
    struct tkt_message msg = parse(&raw);
    assert_int_equal(msg.attachment_count, 3);
    assert_true(msg.attachments[0].is_inline);
    assert_string_equal(msg.attachments[0].content_id, "a@x");
    assert_true(msg.attachments[1].is_inline);
    assert_string_equal(msg.attachments[1].content_id, "b@x");
    assert_false(msg.attachments[2].is_inline);
    tkt_message_release(&msg);
}

static int set_up(void **state)
{
    (void)state;
    return tkt_message_parser_init(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        /* First: the memory of a child is that of its parent. */
        cmocka_unit_test(memory_does_not_grow_with_the_attachment),
        cmocka_unit_test(what_was_encoded_comes_back_whatever_the_pieces),
        cmocka_unit_test(broken_quoted_printable_reads_the_same_whatever_the_pieces),
        cmocka_unit_test(a_full_buffer_holds_the_beginning),
        cmocka_unit_test(url_safe_digits_are_read),
        cmocka_unit_test(past_hash_max_attachments_have_their_encoded_size),
        cmocka_unit_test(when_the_time_is_up_attachments_are_listed_without_hash),
        cmocka_unit_test(a_thousand_messages_within_each_other_end_at_the_cap),
        cmocka_unit_test(many_messages_side_by_side_are_read_in_time),
        cmocka_unit_test(an_encoded_message_above_its_cap_is_listed_and_not_opened),
        cmocka_unit_test(a_hundred_thousand_blocks_end_at_the_cap),
        cmocka_unit_test(blocks_that_never_end_stay_text),
        cmocka_unit_test(a_block_larger_than_the_text_may_be_is_read_whole),
        cmocka_unit_test(zeros_whose_blanks_got_lost_come_back),
        cmocka_unit_test(blocks_are_found_wherever_a_window_ends),
        cmocka_unit_test(tnef_within_tnef_ends_at_the_cap),
        cmocka_unit_test(a_tnef_of_many_files_ends_at_the_cap),
        cmocka_unit_test(lengths_that_lie_end_a_tnef),
        cmocka_unit_test(every_truncation_of_a_container_is_read),
        cmocka_unit_test(every_listed_part_of_a_container_can_be_extracted),
        cmocka_unit_test(parts_that_are_not_there_are_refused),
        cmocka_unit_test(who_has_no_name_gets_one_of_type_and_part),
        cmocka_unit_test(only_a_reference_makes_a_file_inline_that_is_no_image),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
