/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/service.h"

#include "ticket_config.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sdnotify.h"
#include "base/util.h"
#include "milter/filter.h"
#include "milter/libmilter.h"
#include "wire/missed.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define IDLE_CONNECTIONS 64
#define FIRST_HELLO_MS 1000
#define HELLO_MS 2000
#define REFRESH_S 5
#define SWEEP_AGE_S 86400
#define BACKLOG 1024
/* libmilter writes the answer after the callback has returned. */
#define ANSWER_GRACE_MS 200

/* ---- settings ---- */

static void take_settings(struct tkt_milter *m, const struct tkt_conf *conf)
{
    atomic_store(&m->in_reserve_max, conf->milter.in_reserve_max);
    atomic_store(&m->memory_max, conf->milter.memory_max);
    atomic_store(&m->message_max, conf->limits.message_max);
    atomic_store(&m->recipients_max, conf->limits.recipients_max);
    atomic_store(&m->deadline_ms, conf->milter.deadline_ms);
    atomic_store(&m->progress_ms, conf->milter.progress_ms);
    atomic_store(&m->actions, tkt_filter_actions(conf));
}

static const char *source_name(enum tkt_table_source source)
{
    static const char *const names[] = {
        [TKT_TABLE_CONF] = "configuration",
        [TKT_TABLE_DISK] = "disk",
        [TKT_TABLE_HELLO] = "ticketd",
    };
    return names[source];
}

static void log_table(struct tkt_milter *m)
{
    struct tkt_table *t = tkt_table_get(m->tables);

    tkt_log(TKT_LOG_INFO, NULL, "desks.loaded", "source", source_name(t->source), "desks",
            TKT_NUM(t->hello.desk_count), "generation", TKT_NUM(t->hello.generation),
            NULL);
    tkt_table_put(&t);
}

static void refresh_table(struct tkt_milter *m, int64_t within_ms,
                          enum tkt_log_level level)
{
    struct tkt_err err = TKT_ERR_INIT;
    bool changed = false;

    if (tkt_tables_from_hello(m->tables, m->client, tkt_clock_mono_ms() + within_ms,
                              &changed, &err) < 0) {
        tkt_log(level, NULL, "hello.failed", "reason", err.text, NULL);
    }
    if (changed) {
        log_table(m);
    }
}

/* What only a restart takes. */
static void warn_of_fixed(const struct tkt_conf *was, const struct tkt_conf *now)
{
    const struct {
        const char *key;
        const char *was;
        const char *now;
    } fixed[] = {
        {"intake_socket", was->intake_socket, now->intake_socket},
        {"milter.socket", was->milter.socket, now->milter.socket},
        {"milter.state_dir", was->milter.state_dir, now->milter.state_dir},
        {"milter.user", was->milter.user, now->milter.user},
        {"milter.chroot", was->milter.chroot, now->milter.chroot},
        {"milter.pid_file", was->milter.pid_file, now->milter.pid_file},
    };

    if (was->milter.chroot[0] != '\0') {
        return; /* the paths of one of them are rewritten */
    }
    for (size_t i = 0; i < TKT_ARRAY_LEN(fixed); i++) {
        if (strcmp(fixed[i].was, fixed[i].now) != 0) {
            tkt_log(TKT_LOG_WARNING, NULL, "config.restart_needed", "key", fixed[i].key,
                    NULL);
        }
    }
}

static void reload(struct tkt_service *s)
{
    struct tkt_err err = TKT_ERR_INIT;
    struct tkt_conf *conf = NULL;

    if (s->conf_path == NULL) {
        (void)tkt_err_set(
            &err, TKT_ERR_CONF,
            "the file lies outside of the chroot; restart instead"); /* log */
    } else {
        conf = tkt_conf_load(s->conf_path, &err);
    }
    if (conf == NULL) {
        tkt_log(TKT_LOG_ERROR, NULL, "config.reload", "status", "refused", "error",
                err.text, NULL);
        return;
    }
    warn_of_fixed(s->conf, conf);
    take_settings(&s->milter, conf);
    tkt_log_set_level(s->verbose ? TKT_LOG_DEBUG : conf->log_level);
    if (tkt_tables_from_conf(s->milter.tables, conf, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "config.reload", "status", "refused", "error",
                err.text, NULL);
    }
    tkt_log(TKT_LOG_NOTICE, NULL, "config.reload", "status", "ok", "generation",
            TKT_NUM(conf->generation), NULL);
    tkt_conf_free(&conf);
    refresh_table(&s->milter, HELLO_MS, TKT_LOG_WARNING);
}

/* USR1 reloads; between signals the desk table is kept fresh. */
static void *control_main(void *arg)
{
    struct tkt_service *s = arg;
    const struct timespec every = {.tv_sec = REFRESH_S};
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    for (;;) {
        if (sigtimedwait(&set, NULL, &every) == SIGUSR1) {
            reload(s);
        } else {
            refresh_table(&s->milter, HELLO_MS, TKT_LOG_DEBUG);
        }
        if (s->engine != NULL) {
            tkt_engine_tick(s->engine, TKT_ENGINE_IDLE_MS);
        }
    }
    return NULL;
}

/* ---- start ---- */

static int check_state_dir(const char *dir, struct tkt_err *err)
{
    struct stat st;

    if (stat(dir, &st) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "milter.state_dir %s", dir);
    }
    if (!S_ISDIR(st.st_mode) || access(dir, R_OK | W_OK | X_OK) < 0) {
        return tkt_err_set(err, TKT_ERR_CONF,
                           "milter.state_dir %s is not a folder that we can write", dir);
    }
    return 0;
}

int tkt_service_init(struct tkt_service *s, const struct tkt_conf *conf,
                     const char *conf_path, struct tkt_err *err)
{
    struct tkt_milter *m = &s->milter;
    struct tkt_err ignored = TKT_ERR_INIT;

    if (check_state_dir(conf->milter.state_dir, err) < 0) {
        return -1;
    }
    s->conf = conf;
    s->drain_ms = conf->milter.drain_ms;
    m->hostname = strdup(conf->hostname);
    m->state_dir = strdup(conf->milter.state_dir);
    m->client = tkt_wire_client_new(conf->intake_socket, IDLE_CONNECTIONS);
    m->tables = tkt_tables_new(conf->milter.state_dir);
    if (m->hostname == NULL || m->state_dir == NULL || m->client == NULL ||
        m->tables == NULL || asprintf(&m->missed_dir, "%s/missed", m->state_dir) < 0 ||
        (conf_path != NULL && (s->conf_path = strdup(conf_path)) == NULL)) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    take_settings(m, conf);
    tkt_missed_sweep(m->missed_dir, SWEEP_AGE_S);
    if (tkt_tables_from_conf(m->tables, conf, err) < 0) {
        return -1;
    }
    if (tkt_tables_from_disk(m->tables, &ignored) < 0) { /* the first start has none */
        tkt_log(TKT_LOG_DEBUG, NULL, "desks.no_copy", "reason", ignored.text, NULL);
    }
    log_table(m);
    refresh_table(m, FIRST_HELLO_MS, TKT_LOG_WARNING);
    return 0;
}

/* The private socket behind a TCP one, in a folder that only we may enter. */
static int private_path(struct tkt_service *s, struct tkt_err *err)
{
    char dir[PATH_MAX];

    if (snprintf(dir, sizeof(dir), "%s/relay", s->milter.state_dir) >= (int)sizeof(dir)) {
        return tkt_err_set(err, TKT_ERR_CONF, "milter.state_dir is too long");
    }
    if ((mkdir(dir, 0700) < 0 && errno != EEXIST) || chmod(dir, 0700) < 0) {
        return tkt_err_errno(err, TKT_ERR_CONF, "%s", dir);
    }
    int n =
        snprintf(s->unix_path, sizeof(s->unix_path), "%s/%d.sock", dir, s->endpoint.port);
    return n > 0 && n < (int)sizeof(s->unix_path)
               ? 0
               : tkt_err_set(err, TKT_ERR_CONF, "milter.state_dir is too long");
}

/* A connection, the message in its hands and the question about it have a descriptor each:
 * connections alone must not use them up. */
static size_t connections_max(void)
{
    struct rlimit rl;
    size_t max = TKT_ENGINE_CONNECTIONS_MAX;

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur / 3 < max) {
        max = TKT_MAX((size_t)rl.rlim_cur / 3, (size_t)1);
    }
    return max;
}

static int open_native(struct tkt_service *s, struct tkt_err *err)
{
    int listener = tkt_endpoint_listen(&s->endpoint, err);

    if (listener < 0) {
        return -1;
    }
    s->engine =
        tkt_engine_start(&s->milter, listener, s->endpoint.tcp, connections_max(), err);
    return s->engine != NULL ? 0 : -1;
}

static int open_libmilter(struct tkt_service *s, struct tkt_err *err)
{
    if (tkt_endpoint_check_free(s->unix_path, err) < 0) {
        return -1;
    }
    return tkt_libmilter_open(&s->milter, s->unix_path, BACKLOG, err);
}

static int open_libmilter_tcp(struct tkt_service *s, struct tkt_err *err)
{
    int listener = tkt_endpoint_listen(&s->endpoint, err);

    if (listener < 0) {
        return -1;
    }
    if (private_path(s, err) < 0 || open_libmilter(s, err) < 0) {
        close(listener);
        return -1;
    }
    s->relay = tkt_relay_start(listener, s->unix_path, TKT_RELAY_CONNECTIONS_MAX, err);
    return s->relay != NULL ? 0 : -1;
}

int tkt_service_open(struct tkt_service *s, struct tkt_err *err)
{
    if (tkt_endpoint_parse(s->conf->milter.socket, &s->endpoint, err) < 0) {
        return -1;
    }
    if (!s->endpoint.tcp) {
        memcpy(s->unix_path, s->endpoint.path, sizeof(s->unix_path));
    }
    if (s->conf->milter.engine == TKT_ENGINE_NATIVE) {
        return open_native(s, err);
    }
    return s->endpoint.tcp ? open_libmilter_tcp(s, err) : open_libmilter(s, err);
}

/* ---- run and stop ---- */

static bool is_busy(struct tkt_service *s)
{
    return atomic_load(&s->milter.in_callback) > 0 ||
           (s->engine != NULL && tkt_engine_busy(s->engine) > 0);
}

/* Neither engine waits for anybody. */
static void drain(struct tkt_service *s)
{
    int64_t deadline = tkt_clock_mono_ms() + s->drain_ms;
    bool waited = false;

    while (is_busy(s) && tkt_clock_mono_ms() < deadline) {
        waited = true;
        (void)poll(NULL, 0, 20); /* a pause, whatever ends it */
    }
    if (s->engine == NULL) {
        (void)poll(NULL, 0, ANSWER_GRACE_MS); /* as above */
    }
    tkt_log(TKT_LOG_NOTICE, NULL, "milter.stopped", "drained", waited ? "yes" : "idle",
            "left", TKT_NUM(atomic_load(&s->milter.in_callback)), NULL);
}

/* Until a signal that ends us. Blocked in all threads since the start. */
static int await_signal(struct tkt_err *err)
{
    sigset_t set;
    int signo;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return sigwait(&set, &signo) == 0 ? 0 : tkt_err_set(err, TKT_ERR_BUG, "sigwait");
}

/* The path goes first: once nobody listens the next one may have bound it anew. */
static void stop_listening(struct tkt_service *s)
{
    if (s->unix_path[0] != '\0') {
        (void)unlink(s->unix_path); /* libmilter leaves it when root; else it is gone */
    }
    if (s->engine != NULL) {
        tkt_engine_close_listener(s->engine);
    }
    if (s->relay != NULL) {
        tkt_relay_close_listener(s->relay);
    }
}

int tkt_service_run(struct tkt_service *s, struct tkt_err *err)
{
    if (pthread_create(&s->control, NULL, control_main, s) != 0) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no thread");
    }
    tkt_log(TKT_LOG_NOTICE, NULL, "milter.started", "socket", s->conf->milter.socket,
            "engine", s->engine != NULL ? "native" : "libmilter", "version",
            PACKAGE_VERSION, NULL);
    tkt_sd_notify("READY=1");
    int rc = s->engine != NULL ? await_signal(err) : tkt_libmilter_run(err);
    tkt_sd_notify("STOPPING=1");
    stop_listening(s);
    drain(s);
    return rc;
}
