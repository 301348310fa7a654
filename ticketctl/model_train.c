/* SPDX-License-Identifier: BSD-2-Clause
 * Learned models: train one, replace the one in use by a better one, take that back. */
#include "ticketctl/model.h"

#include "base/enc.h"
#include "base/fs.h"
#include "base/util.h"
#include "train/protocol.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#define NEWEST_PERCENT 10 /* of the records: what champion and challenger meet on */
#define NEWEST_MAX 5000
#define NEWEST_LEAST 20 /* that the champion has not learned from */
#define SAID_MAX 500
#define MODEL_MODE 0644

extern char **environ;

/* ---- ticket-train ------------------------------------------------------------------- */

/* Not today's, which would make another file of the same records every day. */
static void set_date(struct tkt_ctl *ctl, const struct tkt_dataset *d,
                     char out[TKT_TRAIN_DATE_MAX])
{
    const char *given = tkt_ctl_opt(ctl, "date");
    const char *epoch = getenv("SOURCE_DATE_EPOCH");
    int64_t epoch_s = 0;
    struct tm tm;

    if (given == NULL && epoch != NULL &&
        tkt_parse_int(epoch, 0, INT32_MAX, &epoch_s) == 0) {
        time_t t = (time_t)epoch_s;
        if (gmtime_r(&t, &tm) != NULL &&
            strftime(out, TKT_TRAIN_DATE_MAX, "%Y-%m-%d", &tm) > 0) {
            return;
        }
    }
    snprintf(out, TKT_TRAIN_DATE_MAX, "%s", given != NULL ? given : d->newest);
}

static int set_options(struct tkt_ctl *ctl, const struct tkt_dataset *d,
                       struct tkt_train_head *head)
{
    int64_t seed;
    int64_t weight;
    int64_t workers;
    int rc = tkt_ctl_opt_int(ctl, "seed", 1, INT32_MAX, 1, &seed);

    if (rc == 0) {
        rc = tkt_ctl_opt_int(ctl, "subject-weight", 1, 20,
                             ctl->conf->model.subject_weight, &weight);
    }
    if (rc == 0) {
        rc = tkt_ctl_opt_int(ctl, "workers", 1, 64, 0, &workers);
    }
    if (rc != 0) {
        return rc;
    }
    tkt_learn_defaults(&head->options);
    head->options.seed = (unsigned)seed;
    head->options.subject_weight = (double)weight;
    head->options.workers = (unsigned)workers;
    head->options.size_max = ctl->conf->model.size_max;
    head->options.date = NULL;
    set_date(ctl, d, head->date);
    return 0;
}

/* -1: out has failed. */
static int pack(const struct tkt_learn_record *records, size_t count,
                struct tkt_train_head *head, struct tkt_buf *out)
{
    head->magic = TKT_TRAIN_MAGIC;
    head->count = count;
    (void)tkt_buf_add(out, head, sizeof *head); /* failed is looked at in the end */
    for (size_t i = 0; i < count; i++) {
        const struct tkt_learn_record *r = &records[i];
        struct tkt_train_record sizes = {
            (uint32_t)strlen(r->subject), (uint32_t)strlen(r->text), {0}};
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            sizes.labels[h] = (uint32_t)strlen(r->labels[h]);
        }
        (void)tkt_buf_add(out, &sizes, sizeof sizes);
        (void)tkt_buf_add(out, r->subject, sizes.subject + 1U);
        (void)tkt_buf_add(out, r->text, sizes.text + 1U);
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            (void)tkt_buf_add(out, r->labels[h], sizes.labels[h] + 1U);
        }
    }
    return out->failed ? -1 : 0;
}

static int spawn(const char *program, const int fds[3], pid_t *pid)
{
    posix_spawn_file_actions_t actions;
    char *argv[] = {(char *)(uintptr_t) "ticket-train", NULL};
    int rc = posix_spawn_file_actions_init(&actions);

    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = posix_spawn_file_actions_adddup2(&actions, fds[i], i);
    }
    if (rc == 0) {
        rc = posix_spawn(pid, program, &actions, NULL, argv, environ);
    }
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

/* What the trainer said, in one line. */
static int tell_failure(int said_fd, int status)
{
    char said[SAID_MAX + 1];
    size_t got = 0;

    if (tkt_pread_full(said_fd, said, SAID_MAX, 0, &got, NULL) < 0) {
        got = 0;
    }
    said[got] = '\0';
    said[strcspn(said, "\n")] = '\0';
    int code = WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
    return tkt_ctl_fail(code, "train: %s",
                        said[0] != '\0' ? said : "the trainer died: out of memory?");
}

/* In, out and errors are files in memory: no pipe can stop one of the two. */
static int run(const char *program, const struct tkt_buf *in, struct tkt_buf *out)
{
    struct tkt_err err = TKT_ERR_INIT;
    int status = 0;
    pid_t pid = 0;
    TKT_AUTO_FD int in_fd = tkt_memfd_sealed("records", in->data, in->len, &err);
    TKT_AUTO_FD int out_fd = memfd_create("model", MFD_CLOEXEC);
    TKT_AUTO_FD int said_fd = memfd_create("said", MFD_CLOEXEC);

    if (in_fd < 0) {
        return tkt_ctl_fail_err(&err);
    }
    if (out_fd < 0 || said_fd < 0) {
        return tkt_ctl_fail(EX_OSERR, "memfd_create: %s", strerror(errno));
    }
    (void)lseek(in_fd, 0, SEEK_SET); /* a memory file can be wound back */
    int rc = spawn(program, (const int[]){in_fd, out_fd, said_fd}, &pid);
    if (rc != 0) {
        return tkt_ctl_fail(EX_UNAVAILABLE, "execute %s: %s", program, strerror(rc));
    }
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
    if (status != 0) {
        return tell_failure(said_fd, status);
    }
    (void)lseek(out_fd, 0, SEEK_SET);
    return tkt_read_fd(out_fd, out, &err) < 0 ? tkt_ctl_fail_err(&err) : 0;
}

int tkt_ctl_model_learn(struct tkt_ctl *ctl, const struct tkt_dataset *d, size_t count,
                        struct tkt_buf *out)
{
    TKT_AUTO_BUF struct tkt_buf in = TKT_BUF_INIT(TKT_TRAIN_DATA_MAX);
    struct tkt_train_head head;
    const char *program = tkt_ctl_opt(ctl, "trainer");

    memset(&head, 0, sizeof head); /* its padding is written too */
    int rc = set_options(ctl, d, &head);
    if (rc != 0) {
        return rc;
    }
    if (pack(d->items, count, &head, &in) < 0) {
        return tkt_ctl_fail(EX_DATAERR, "more than %u bytes of texts",
                            TKT_TRAIN_DATA_MAX);
    }
    return run(program != NULL ? program : ctl->conf->model.trainer, &in, out);
}

/* ---- train -------------------------------------------------------------------------- */

static int tell(struct tkt_ctl *ctl, const struct tkt_dataset *d, const char *path,
                const struct tkt_buf *file)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_model *m = tkt_model_of(file->data, file->len, &err);

    if (m == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    if (ctl->json) {
        printf("%s\n", tkt_model_about(m));
    } else if (!ctl->quiet) {
        printf("%s: version %s, %zu bytes, %zu features, from %zu records", path,
               tkt_model_version(m), file->len, tkt_model_rows(m), d->count);
        if (d->skipped > 0) {
            printf(" (%zu without text or label)", d->skipped);
        }
        for (int h = 0; h < TKT_HEAD_COUNT; h++) {
            if (tkt_model_label_count(m, h) > 0) {
                printf(", %zu labels of %s", tkt_model_label_count(m, h),
                       tkt_model_head_names[h]);
            }
        }
        putchar('\n');
    }
    tkt_model_close(&m);
    return 0;
}

int tkt_ctl_model_train(struct tkt_ctl *ctl)
{
    TKT_AUTO_BUF struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_dataset d = {.items = NULL};
    struct tkt_err err = TKT_ERR_INIT;
    const char *path = tkt_ctl_opt(ctl, "out");
    int rc = path != NULL ? tkt_ctl_model_conf(ctl)
                          : tkt_ctl_fail(EX_USAGE, "name the new model: --out FILE");

    if (rc == 0) {
        rc = tkt_ctl_model_data(ctl, &d);
    }
    if (rc == 0) {
        rc = tkt_ctl_model_learn(ctl, &d, d.count, &file);
    }
    if (rc == 0 && tkt_replace_file(path, file.data, file.len, MODEL_MODE, &err) < 0) {
        rc = tkt_ctl_fail_err(&err);
    }
    if (rc == 0) {
        rc = tell(ctl, &d, path, &file);
    }
    tkt_dataset_release(&d);
    return rc;
}

/* ---- retrain ------------------------------------------------------------------------ */

static int count_right(const struct tkt_model *m, const struct tkt_learn_record *records,
                       size_t n, size_t *right, size_t *asked)
{
    *right = 0;
    *asked = 0;
    for (int h = 0; h < TKT_HEAD_COUNT; h++) {
        TKT_AUTO_FREE struct tkt_scored *scored = NULL;
        size_t count = 0;
        int rc = tkt_ctl_model_ask(m, records, n, h, &scored, &count, NULL);
        if (rc != 0) {
            return rc;
        }
        *asked += count;
        for (size_t i = 0; i < count; i++) {
            *right += scored[i].answer >= 0 && scored[i].answer == scored[i].truth;
        }
    }
    return 0;
}

/* Champion and a challenger that learned from all but the newest records, on those of
 * the newest that the champion has not learned from. *better: the challenger is no worse;
 * *met: on how many. */
static int compare(struct tkt_ctl *ctl, const struct tkt_model *champion,
                   const struct tkt_dataset *d, bool *better, size_t *met)
{
    size_t newest = TKT_MIN(d->count * NEWEST_PERCENT / 100 + 1, (size_t)NEWEST_MAX);
    newest = TKT_MIN(TKT_MAX(newest, (size_t)NEWEST_LEAST), d->count);
    size_t old = d->count - newest;
    TKT_AUTO_FREE struct tkt_learn_record *fresh = calloc(newest, sizeof *fresh);
    TKT_AUTO_BUF struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    size_t right[2] = {0, 0};
    size_t asked = 0;

    if (fresh == NULL) {
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    *met = 0;
    for (size_t i = old; i < d->count; i++) {
        const struct tkt_learn_record *r = &d->items[i];
        if (!tkt_model_has_seen(champion, tkt_model_print(r->subject, r->text))) {
            fresh[(*met)++] = *r;
        }
    }
    if (*met < NEWEST_LEAST || old == 0) {
        return 0;
    }
    int rc = tkt_ctl_model_learn(ctl, d, old, &file);
    if (rc != 0) {
        return rc;
    }
    struct tkt_model *challenger = tkt_model_of(file.data, file.len, &err);
    if (challenger == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    rc = count_right(champion, fresh, *met, &right[0], &asked);
    if (rc == 0) {
        rc = count_right(challenger, fresh, *met, &right[1], &asked);
    }
    tkt_model_close(&challenger);
    *better = right[1] >= right[0];
    if (rc == 0 && !ctl->quiet) {
        printf("on %zu new answers: in use %zu right, new %zu right\n", asked, right[0],
               right[1]);
    }
    return rc;
}

static int previous_of(const char *path, char **out)
{
    return asprintf(out, "%s.previous", path) < 0
               ? (*out = NULL, tkt_ctl_fail(EX_OSERR, "out of memory"))
               : 0;
}

/* The one before gets its second name before the first is taken away: at no time is there
 * no model. */
static int keep_previous(const char *path)
{
    TKT_AUTO_FREE char *previous = NULL;
    TKT_AUTO_FREE char *fresh = NULL;
    int rc = previous_of(path, &previous);

    if (rc != 0) {
        return rc;
    }
    if (asprintf(&fresh, "%s.new", previous) < 0) {
        fresh = NULL;
        return tkt_ctl_fail(EX_OSERR, "out of memory");
    }
    (void)unlink(fresh); /* of a run that was stopped */
    if (link(path, fresh) < 0 || rename(fresh, previous) < 0) {
        return errno == ENOENT
                   ? 0
                   : tkt_ctl_fail(EX_CANTCREAT, "keep %s: %s", path, strerror(errno));
    }
    return 0;
}

static int put_into_use(struct tkt_ctl *ctl, const char *path)
{
    if (tkt_ctl_opt(ctl, "no-reload") != NULL) {
        return 0;
    }
    int rc = tkt_ctl_do(ctl, "reload", NULL, 0);
    return rc == 0 ? 0
                   : tkt_ctl_fail(rc,
                                  "%s is written, but ticketd still uses the old "
                                  "one: ticketctl reload",
                                  path);
}

static int replace(struct tkt_ctl *ctl, const struct tkt_dataset *d, const char *path)
{
    TKT_AUTO_BUF struct tkt_buf file = TKT_BUF_INIT(TKT_MODEL_FILE_MAX);
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ctl_model_learn(ctl, d, d->count, &file);

    if (rc == 0) {
        rc = keep_previous(path);
    }
    if (rc == 0 && tkt_replace_file(path, file.data, file.len, MODEL_MODE, &err) < 0) {
        rc = tkt_ctl_fail_err(&err);
    }
    if (rc == 0) {
        rc = tell(ctl, d, path, &file);
    }
    return rc != 0 ? rc : put_into_use(ctl, path);
}

/* 0: replace it; *done: nothing to do. */
static int judge(struct tkt_ctl *ctl, const struct tkt_dataset *d, const char *path,
                 bool *done)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_model *champion = NULL;
    bool better = false;
    size_t met = 0;

    if (access(path, F_OK) < 0 && errno == ENOENT) {
        return 0; /* the first one */
    }
    champion = tkt_model_open(path, &err);
    if (champion == NULL) {
        (void)fprintf(stderr, "ticketctl: %s; it is replaced\n", err.text);
        return 0;
    }
    int rc = compare(ctl, champion, d, &better, &met);
    tkt_model_close(&champion);
    if (rc != 0) {
        return rc;
    }
    if (met < NEWEST_LEAST) {
        *done = true;
        if (!ctl->quiet) {
            printf("kept: %zu new records since it was trained, %d are needed to tell a "
                   "better one\n",
                   met, NEWEST_LEAST);
        }
        return 0;
    }
    return better ? 0
                  : tkt_ctl_fail(1, "kept: the new model is worse than the one in use; "
                                    "--force replaces it all the same");
}

int tkt_ctl_model_retrain(struct tkt_ctl *ctl)
{
    struct tkt_dataset d = {.items = NULL};
    bool done = false;
    int rc = tkt_ctl_model_conf(ctl);

    if (rc != 0) {
        return rc;
    }
    const char *path = tkt_ctl_model_path(ctl);
    if (path[0] == '\0') {
        return tkt_ctl_fail(EX_USAGE,
                            "which model? Write its file into the section model, "
                            "or name it with --model");
    }
    rc = ctl->pos_count == 0 ? tkt_ctl_model_store(ctl, &d) : tkt_ctl_model_data(ctl, &d);
    if (rc == 0 && tkt_ctl_opt(ctl, "force") == NULL) {
        rc = judge(ctl, &d, path, &done);
    }
    if (rc == 0 && !done) {
        rc = replace(ctl, &d, path);
    }
    tkt_dataset_release(&d);
    return rc;
}

/* ---- rollback ----------------------------------------------------------------------- */

int tkt_ctl_model_rollback(struct tkt_ctl *ctl)
{
    TKT_AUTO_FREE char *previous = NULL;
    struct tkt_err err = TKT_ERR_INIT;
    int rc = tkt_ctl_model_conf(ctl);

    if (rc != 0) {
        return rc;
    }
    const char *path = tkt_ctl_model_path(ctl);
    if (path[0] == '\0') {
        return tkt_ctl_fail(EX_USAGE,
                            "which model? Write its file into the section model, "
                            "or name it with --model");
    }
    rc = previous_of(path, &previous);
    if (rc != 0) {
        return rc;
    }
    struct tkt_model *m = tkt_model_open(previous, &err);
    if (m == NULL) {
        return tkt_ctl_fail_err(&err);
    }
    char version[17];
    snprintf(version, sizeof version, "%s", tkt_model_version(m));
    tkt_model_close(&m);
    /* They change places: what was taken back can be taken again. */
    if (renameat2(AT_FDCWD, previous, AT_FDCWD, path, RENAME_EXCHANGE) < 0 &&
        (errno != ENOENT || rename(previous, path) < 0)) {
        return tkt_ctl_fail(EX_CANTCREAT, "%s: %s", path, strerror(errno));
    }
    if (!ctl->quiet) {
        printf("%s: version %s again\n", path, version);
    }
    return put_into_use(ctl, path);
}
