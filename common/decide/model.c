/* SPDX-License-Identifier: BSD-2-Clause */
#include "decide/model.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "decide/model_private.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHECKED_FROM                                                                     \
    (offsetof(struct tkt_model_file_head, sha256) + sizeof(unsigned char[TKT_SHA256_LEN]))

const char *const tkt_model_head_names[] = {
    [TKT_HEAD_CATEGORY] = "category",
    [TKT_HEAD_GROUP] = "group",
    [TKT_HEAD_URGENCY] = "urgency",
};

static int refuse(struct tkt_err *err, const char *why)
{
    return tkt_err_set(err, TKT_ERR_CONF, "model: %s", why);
}

static int check_kind(const struct tkt_model *m, struct tkt_err *err)
{
    const struct tkt_model_file_head *head = m->head;

    if (m->size < sizeof(*head)) {
        return refuse(err, "too short for a model");
    }
    if (memcmp(head->magic, TKT_MODEL_MAGIC, sizeof(head->magic)) != 0) {
        return refuse(err, "not a model: another kind of file");
    }
    if (head->order != TKT_MODEL_ORDER) {
        return refuse(err, "made on a machine of another byte order: train it here");
    }
    if (head->format != TKT_MODEL_FORMAT) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "model: format %u, this program reads %u: train it again",
                           head->format, TKT_MODEL_FORMAT);
    }
    if (head->size != m->size) {
        return refuse(err, "cut short, or something stands behind it");
    }
    unsigned char digest[TKT_SHA256_LEN];
    tkt_sha256((const char *)m->map + CHECKED_FROM, m->size - CHECKED_FROM, digest);
    if (memcmp(digest, head->sha256, sizeof(digest)) != 0) {
        return refuse(err, "broken: its checksum is another");
    }
    return 0;
}

static int lay_out(struct tkt_model *m, struct tkt_err *err)
{
    struct tkt_model_layout layout;
    const char *base = m->map;

    if (tkt_model_layout(m->head, &layout) < 0 || layout.size != m->size) {
        return refuse(err, "its counts make no sense");
    }
    m->slots = (const void *)(base + layout.at[TKT_MODEL_PART_SLOTS]);
    m->idf = (const void *)(base + layout.at[TKT_MODEL_PART_IDF]);
    m->scale = (const void *)(base + layout.at[TKT_MODEL_PART_SCALE]);
    m->labels = (const void *)(base + layout.at[TKT_MODEL_PART_LABELS]);
    m->top = (const void *)(base + layout.at[TKT_MODEL_PART_TOP]);
    m->seen = (const void *)(base + layout.at[TKT_MODEL_PART_SEEN]);
    m->weights = (const void *)(base + layout.at[TKT_MODEL_PART_WEIGHTS]);
    m->strings = base + layout.at[TKT_MODEL_PART_STRINGS];
    uint32_t first = 0;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        m->first[h] = first;
        first += m->head->labels[h];
    }
    return 0;
}

/* Whatever a weight may be, a score stays a number. */
static bool is_sane(float f)
{
    return isfinite(f) && f >= 0 && f <= 1e6F;
}

static int check_numbers(const struct tkt_model *m, struct tkt_err *err)
{
    const struct tkt_model_file_head *head = m->head;
    bool ok = is_sane(head->subject_weight) && head->subject_weight >= 1;
    uint32_t taken = 0;

    for (int v = 0; v < 2; v++) {
        ok = ok && is_sane(head->view_weight[v]);
    }
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        ok = ok && is_sane(head->slope[h]);
    }
    for (uint32_t i = 0; i < head->rows; i++) {
        ok = ok && is_sane(m->idf[i]) && is_sane(m->scale[i]);
    }
    for (uint32_t i = 0; i < UINT32_C(1) << head->slot_bits; i++) {
        if (m->slots[i].row != TKT_MODEL_NONE) {
            taken++;
            ok = ok && m->slots[i].row < head->rows;
        }
    }
    for (uint32_t i = 1; i < head->seen; i++) {
        ok = ok && m->seen[i - 1] <= m->seen[i];
    }
    return ok && taken == head->rows ? 0 : refuse(err, "its numbers make no sense");
}

/* One line of text at this offset, or NULL. */
static const char *string_at(const struct tkt_model *m, uint32_t at, size_t max)
{
    if (at >= m->head->strings) {
        return NULL;
    }
    const char *s = m->strings + at;
    size_t n = strlen(s); /* the last byte of strings is NUL */
    if (n > max || !tkt_utf8_valid(s, n)) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f) {
            return NULL;
        }
    }
    return s;
}

static int check_strings(const struct tkt_model *m, struct tkt_err *err)
{
    uint32_t labels = tkt_model_label_total(m->head);

    if (m->strings[m->head->strings - 1] != '\0' ||
        string_at(m, m->head->about, 65536) == NULL) {
        return refuse(err, "its texts make no sense");
    }
    for (uint32_t i = 0; i < labels; i++) {
        const char *label = string_at(m, m->labels[i], TKT_MODEL_LABEL_MAX);
        if (label == NULL || label[0] == '\0') {
            return refuse(err, "a label is not a line of UTF-8");
        }
    }
    for (uint32_t i = 0; i < labels * TKT_MODEL_TOP; i++) {
        if (m->top[i].name != TKT_MODEL_NONE &&
            (string_at(m, m->top[i].name, 1024) == NULL || !isfinite(m->top[i].weight))) {
            return refuse(err, "its texts make no sense");
        }
    }
    return 0;
}

static int check(struct tkt_model *m, struct tkt_err *err)
{
    m->head = m->map;
    if (check_kind(m, err) < 0 || lay_out(m, err) < 0 || check_numbers(m, err) < 0 ||
        check_strings(m, err) < 0) {
        return -1;
    }
    tkt_hex_encode(m->head->sha256, 8, m->version);
    return 0;
}

static struct tkt_model *new_of_size(size_t n, struct tkt_err *err)
{
    struct tkt_model *m = calloc(1, sizeof(*m));

    if (m == NULL) {
        tkt_err_set(err, TKT_ERR_TEMP, "model: out of memory");
        return NULL;
    }
    m->size = n;
    m->threshold = TKT_MODEL_THRESHOLD_PERMILLE / 1000.0;
    m->map = mmap(NULL, n > 0 ? n : 1, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (m->map == MAP_FAILED) {
        tkt_err_errno(err, TKT_ERR_TEMP, "model: memory");
        free(m);
        return NULL;
    }
    return m;
}

/* Checks what was copied in and shuts it against writing. */
static struct tkt_model *finish(struct tkt_model *m, struct tkt_err *err)
{
    if (mprotect(m->map, m->size > 0 ? m->size : 1, PROT_READ) < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "model: mprotect");
        tkt_model_close(&m);
        return NULL;
    }
    if (check(m, err) < 0) {
        tkt_model_close(&m);
    }
    return m;
}

struct tkt_model *tkt_model_of(const void *data, size_t n, struct tkt_err *err)
{
    struct tkt_model *m = new_of_size(n, err);

    if (m == NULL) {
        return NULL;
    }
    if (n > 0) {
        memcpy(m->map, data, n);
    }
    return finish(m, err);
}

struct tkt_model *tkt_model_open_fd(int fd, struct tkt_err *err)
{
    struct stat st;
    size_t got = 0;

    if (fstat(fd, &st) < 0) {
        tkt_err_errno(err, TKT_ERR_TEMP, "model: fstat");
        return NULL;
    }
    if (!S_ISREG(st.st_mode)) {
        refuse(err, "not a regular file");
        return NULL;
    }
    if ((uint64_t)st.st_size > TKT_MODEL_FILE_MAX) {
        refuse(err, "too large");
        return NULL;
    }
    struct tkt_model *m = new_of_size((size_t)st.st_size, err);
    if (m == NULL) {
        return NULL;
    }
    if (tkt_pread_full(fd, m->map, m->size, 0, &got, err) < 0) {
        tkt_model_close(&m);
        return NULL;
    }
    if (got != m->size) {
        refuse(err, "it was cut while it was read");
        tkt_model_close(&m);
        return NULL;
    }
    return finish(m, err);
}

struct tkt_model *tkt_model_open(const char *path, struct tkt_err *err)
{
    TKT_AUTO_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0) {
        tkt_err_errno(err, TKT_ERR_CONF, "model: open %s", path);
        return NULL;
    }
    struct tkt_model *m = tkt_model_open_fd(fd, err);
    if (m == NULL) {
        tkt_err_prefix(err, "%s", path);
    }
    return m;
}

void tkt_model_close(struct tkt_model **model)
{
    struct tkt_model *m = *model;

    if (m != NULL) {
        (void)munmap(m->map, m->size > 0 ? m->size : 1); /* our own mapping */
        free(m);
        *model = NULL;
    }
}

size_t tkt_model_label_count(const struct tkt_model *m, enum tkt_model_head head)
{
    return m->head->labels[head];
}

const char *tkt_model_label(const struct tkt_model *m, enum tkt_model_head head,
                            size_t label)
{
    return m->strings + m->labels[m->first[head] + label];
}

const char *tkt_model_top(const struct tkt_model *m, enum tkt_model_head head,
                          size_t label, size_t nth, double *weight)
{
    const struct tkt_model_top_entry *t =
        &m->top[(m->first[head] + label) * TKT_MODEL_TOP + nth];

    *weight = (double)t->weight;
    return t->name == TKT_MODEL_NONE ? NULL : m->strings + t->name;
}

void tkt_model_set_threshold(struct tkt_model *m, double threshold)
{
    m->threshold = threshold;
}

double tkt_model_threshold(const struct tkt_model *m)
{
    return m->threshold;
}

const char *tkt_model_about(const struct tkt_model *m)
{
    return m->strings + m->head->about;
}

const char *tkt_model_version(const struct tkt_model *m)
{
    return m->version;
}

size_t tkt_model_rows(const struct tkt_model *m)
{
    return m->head->rows;
}

bool tkt_model_has_seen(const struct tkt_model *m, uint32_t print)
{
    uint32_t low = 0;
    uint32_t high = m->head->seen;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (m->seen[mid] == print) {
            return true;
        }
        if (m->seen[mid] < print) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return false;
}

uint32_t tkt_model_print(const char *subject, const char *text)
{
    uint64_t h = UINT64_C(14695981039346656037);

    for (const char *s = subject; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    }
    h = (h ^ 0xff) * UINT64_C(1099511628211);
    for (const char *s = text; *s != '\0'; s++) {
        h = (h ^ (unsigned char)*s) * UINT64_C(1099511628211);
    }
    return (uint32_t)(h >> 32 ^ h);
}
