/* SPDX-License-Identifier: BSD-2-Clause */
#include "ticket_config.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/sdnotify.h"
#include "base/util.h"
#include "net/oauth.h"
#include "secret/remote.h"
#include "ticketd/control/control.h"
#include "ticketd/core/daemon.h"
#include "ticketd/core/keyring.h"
#include "ticketd/core/process.h"
#include "ticketd/follow/follow.h"
#include "ticketd/hook/hook.h"
#include "ticketd/intake/intake.h"
#include "ticketd/intake/limits.h"
#include "ticketd/itsm/itsmback.h"
#include "ticketd/itsm/tokenkeep.h"
#include "ticketd/jobs/dispatch.h"
#include "ticketd/llm/refine.h"
#include "ticketd/people/people.h"
#include "ticketd/schedule.h"
#include "ticketd/shadow/shadow.h"
#include "ticketd/sinks/sinks.h"
#include "ticketd/watch/measure.h"
#include "ticketd/watch/watch.h"

#include <errno.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>

#define DEFAULT_CONF TKT_SYSCONFDIR "/ticket-milter/ticket-milter.conf"
/* In-flight requests have their own deadline of some seconds; this is for those whose
 * parser or disk hangs. */
#define DRAIN_MS 20000
/* Each connection has at most one request in it: limits.requests_max is the tighter cap,
 * and this the highest value that it can have. */
#define WORK_QUEUE_MAX 20000
#define ASIDE_THREADS 16 /* half of them for one channel */
/* Anybody may ask; what is answered depends on who it is. */
#define CONTROL_UMASK 0111

struct options {
    const char *conf_path;
    const char *user;
    const char *pid_file;
    bool foreground;
    bool test_only;
    bool verbose;
};

struct sockets {
    int intake;
    int control;
    bool made_intake; /* ours to remove at the end */
    bool made_control;
};

static void usage(FILE *to)
{
    fputs("usage: ticketd [-ftVvh] [-c FILE] [-u USER] [-P FILE]\n"
          "  -c, --config FILE      configuration, default " DEFAULT_CONF "\n"
          "  -f, --foreground       do not go into the background\n"
          "  -t, --test             check the configuration and exit\n"
          "  -u, --user USER        become USER when started as root\n"
          "  -P, --pid-file FILE    where to write the process number\n"
          "  -v, --verbose          log more (level debug)\n"
          "  -V, --version          print the version and exit\n"
          "  -h, --help             print this and exit\n",
          to);
}

/* -1: go on; else the exit status. */
static int parse_options(int argc, char **argv, struct options *o)
{
    static const struct option names[] = {{"config", required_argument, NULL, 'c'},
                                          {"foreground", no_argument, NULL, 'f'},
                                          {"test", no_argument, NULL, 't'},
                                          {"user", required_argument, NULL, 'u'},
                                          {"pid-file", required_argument, NULL, 'P'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {"version", no_argument, NULL, 'V'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "c:ftu:P:vVh", names, NULL)) != -1) {
        switch (c) {
        case 'c':
            o->conf_path = optarg;
            break;
        case 'f':
            o->foreground = true;
            break;
        case 't':
            o->test_only = true;
            break;
        case 'u':
            o->user = optarg;
            break;
        case 'P':
            o->pid_file = optarg;
            break;
        case 'v':
            o->verbose = true;
            break;
        case 'V':
            puts("ticketd " PACKAGE_VERSION);
            return EX_OK;
        case 'h':
            usage(stdout);
            return EX_OK;
        default:
            usage(stderr);
            return EX_USAGE;
        }
    }
    if (optind < argc) {
        usage(stderr);
        return EX_USAGE;
    }
    return -1;
}

static int exit_of(const struct tkt_err *err)
{
    switch (err->class) {
    case TKT_ERR_CONF:
        return EX_CONFIG;
    case TKT_ERR_TEMP:
        return EX_TEMPFAIL;
    default:
        return EX_SOFTWARE;
    }
}

/* What a start or a reload would refuse. */
static int test_config(struct tkt_conf *conf)
{
    struct tkt_buf warnings = TKT_BUF_INIT(1024 * 1024);
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_conf_warnings(conf, &warnings) == 0) {
        fputs(tkt_buf_str(&warnings), stderr);
    }
    tkt_buf_release(&warnings);
    int rc = tkt_settings_test(conf, &err);
    if (rc == 0 && conf->token.keys.count > 0) {
        struct tkt_token_keys keys = {0};

        rc = tkt_keyring_load(&conf->token, conf->store.path, &keys, &err);
        tkt_token_keys_wipe(&keys);
    }
    if (rc < 0) {
        fprintf(stderr, "%s: %s\n", conf->path, err.text);
        return exit_of(&err);
    }
    printf("%s: the configuration is good\n", conf->path);
    return EX_OK;
}

static int make_dirs(const struct tkt_conf *conf, const char *user, struct tkt_err *err)
{
    TKT_AUTO_FREE char *intake = strdup(conf->intake_socket);
    TKT_AUTO_FREE char *control = strdup(conf->control_socket);

    if (!intake || !control) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    const char *const dirs[] = {conf->store.path, dirname(intake), dirname(control),
                                NULL};
    return tkt_process_make_dirs(user, dirs, err);
}

/* From the service manager, else of our own. */
static int open_socket(const char *name, const char *path, unsigned umask_bits,
                       const char *user, bool *made, struct tkt_err *err)
{
    int fd = tkt_sd_listen_fd(name, SOCK_SEQPACKET, err);

    if (fd >= 0 || err->class != TKT_ERR_NONE) {
        return fd;
    }
    if (tkt_process_as_owner(path, err) < 0) {
        return -1;
    }
    fd = tkt_wire_listen(path, umask_bits, err);
    *made = fd >= 0;
    return tkt_process_as_root(err) < 0 ||
                   (*made && tkt_process_give(path, user, err) < 0)
               ? -1
               : fd;
}

static int open_sockets(const struct tkt_conf *conf, const char *user, struct sockets *s,
                        struct tkt_err *err)
{
    s->intake = open_socket("intake", conf->intake_socket, (unsigned)conf->intake_umask,
                            user, &s->made_intake, err);
    if (s->intake < 0) {
        return -1;
    }
    s->control = open_socket("control", conf->control_socket, CONTROL_UMASK, user,
                             &s->made_control, err);
    return s->control < 0 ? -1 : 0;
}

static int write_pid(const char *pid_file, struct tkt_err *err)
{
    if (!*pid_file) {
        return 0;
    }
    if (tkt_process_as_owner(pid_file, err) < 0) {
        return -1;
    }
    int rc = tkt_pid_file_write(pid_file, err);
    return tkt_process_as_root(err) < 0 ? -1 : rc;
}

/* Root's part, and what the folders of the sockets ask root for. */
static int settle(const struct options *o, const struct tkt_conf *conf,
                  const char *pid_file, struct sockets *s, struct tkt_err *err)
{
    const char *user = o->user ? o->user : conf->user;

    if (make_dirs(conf, user, err) < 0 || open_sockets(conf, user, s, err) < 0 ||
        write_pid(pid_file, err) < 0) {
        return -1;
    }
    return tkt_process_become(user, o->user != NULL, err);
}

static const char *host_of(const struct tkt_conf *conf, char *room, size_t size)
{
    if (*conf->hostname) {
        return conf->hostname;
    }
    if (gethostname(room, size) < 0) {
        return "localhost";
    }
    room[size - 1] = '\0';
    return room;
}

static int open_store(struct tkt_daemon *d, const struct tkt_conf *conf,
                      struct tkt_err *err)
{
    char host[256];
    const struct tkt_store_options opt = {.dir = d->store_dir,
                                          .host = host_of(conf, host, sizeof(host)),
                                          .id_block = (unsigned)conf->store.id_block,
                                          .batch_bytes_max =
                                              (uint64_t)conf->store.batch_bytes,
                                          .batch_us_max = conf->store.batch_ms * 1000,
                                          .dedupe_keep_ms = conf->store.dedupe_keep_ms,
                                          .dedupe_blind_ms = conf->store.dedupe_blind_ms};
    struct tkt_store *store = tkt_store_open(&opt, err);

    if (!store) {
        return -1;
    }
    d->commit = tkt_commit_start(&store, (size_t)conf->store.batch_max, err);
    if (!d->commit) {
        tkt_store_close(&store);
        return -1;
    }
    return 0;
}

/* Threads that may block: enough to read and copy beside those that wait for a child. */
static size_t worker_count(const struct tkt_conf *conf)
{
    long cpus = TKT_MAX(1, sysconf(_SC_NPROCESSORS_ONLN));
    size_t children = (size_t)(conf->parser.children ? conf->parser.children : cpus);

    return 2 * (size_t)cpus + children;
}

static void wait_for_signals(struct tkt_daemon *d, const sigset_t *signals)
{
    for (;;) {
        int sig = 0;

        if (sigwait(signals, &sig) != 0 || sig == SIGTERM || sig == SIGINT) {
            return;
        }
        char state[64];
        struct tkt_err err = TKT_ERR_INIT;

        snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%lld",
                 (long long)tkt_clock_mono_us());
        tkt_sd_notify(state);
        (void)tkt_daemon_reload(d, &err); /* it logs what was wrong; the old one stays */
        tkt_sd_notify("READY=1");
    }
}

/* The parts behind the store, in the order in which they start. */
struct parts {
    struct tkt_schedule *schedule;
    struct tkt_follow *follow;
    struct tkt_sinks *sinks;
    struct tkt_back *back;
    struct tkt_watch *watch;
    struct tkt_hook *hook;
    struct tkt_control *control;
    struct tkt_intake *intake;
};

static int start_parts(struct tkt_daemon *d, struct sockets *s, struct parts *p,
                       struct tkt_err *err)
{
    const struct tkt_conf *conf = d->settings->conf;

    d->measure = tkt_measure_new(err);
    if (!d->measure) {
        return -1;
    }
    d->work = tkt_work_start(d->store_dir, worker_count(conf), WORK_QUEUE_MAX, err);
    d->aside = tkt_work_start(d->store_dir, ASIDE_THREADS, WORK_QUEUE_MAX, err);
    if (!d->work || !d->aside) {
        return -1;
    }
    d->refiner = tkt_refiner_new();
    if (!d->refiner) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    d->people = tkt_people_new(d, err);
    if (!d->people) {
        return -1;
    }
    const struct tkt_oauth_keeper keeper = tkt_tokenkeep(d);
    d->oauth = tkt_oauth_new(&keeper, err);
    d->dispatch = d->oauth ? tkt_dispatch_start(d, err) : NULL;
    if (!d->dispatch || tkt_people_start(d->people, err) < 0) {
        return -1;
    }
    d->shadow = tkt_shadow_start(err);
    if (!d->shadow) {
        return -1;
    }
    tkt_shadow_follow(d->shadow, conf);
    p->schedule = tkt_schedule_start(d, err);
    if (!p->schedule) {
        return -1;
    }
    p->follow = tkt_follow_start(d, tkt_followers, err);
    if (!p->follow) {
        return -1;
    }
    p->sinks = tkt_sinks_start(d, err);
    if (!p->sinks) {
        return -1;
    }
    p->back = tkt_back_start(d, err);
    if (!p->back || tkt_watch_start(d, conf, &p->watch, err) < 0) {
        return -1;
    }
    if (tkt_hook_start(d, &p->hook, err) < 0) {
        return -1;
    }
    /* A ping is answered by a ticketd that listens everywhere else. */
    p->control = tkt_control_start(d, s->control, err);
    s->control = -1;
    if (!p->control) {
        return -1;
    }
    p->intake = tkt_intake_start(d, s->intake, err);
    s->intake = -1;
    return p->intake ? 0 : -1;
}

static void stop_parts(struct tkt_daemon *d, struct parts *p)
{
    size_t given_up = tkt_intake_stop(&p->intake, DRAIN_MS);

    if (given_up) {
        tkt_log(TKT_LOG_WARNING, NULL, "intake.given_up", "count", TKT_NUM(given_up),
                NULL);
    }
    tkt_watch_stop(&p->watch);
    tkt_control_stop(&p->control);
    tkt_schedule_stop(&p->schedule);
    tkt_hook_stop(&p->hook);
    tkt_back_stop(&p->back);
    tkt_follow_stop(&p->follow);
    tkt_sinks_stop(&p->sinks);
    tkt_people_stop(d->people); /* it wakes the dispatcher, which asks it */
    tkt_dispatch_stop(&d->dispatch);
    tkt_work_stop(&d->work);
    tkt_work_stop(&d->aside);
    tkt_oauth_free(&d->oauth);
    tkt_refiner_free(&d->refiner);
    tkt_commit_stop(&d->commit);
    tkt_people_free(&d->people);
    tkt_measure_free(&d->measure);
    tkt_shadow_stop(&d->shadow);
}

static void start_parser(struct tkt_daemon *d, const struct tkt_conf *conf)
{
    struct tkt_err err = TKT_ERR_INIT;

    if (!conf->analyse) {
        return;
    }
    d->pool = tkt_parserpool_start(conf, &err);
    if (!d->pool) {
        /* Mail is taken in meanwhile and analysed later; the schedule tries again. */
        tkt_log(TKT_LOG_ERROR, NULL, "parser.missing", "error", err.text, NULL);
    }
}

/* Memory that outlives restarts in the store: what mail is compared with. */
static int open_history(struct tkt_daemon *d, struct tkt_err *err)
{
    d->prints = tkt_prints_new();
    d->senders = tkt_senders_new();
    if (!d->prints || !d->senders) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    struct tkt_reader *reader = tkt_reader_open(d->store_dir, err);
    int rc = reader ? tkt_prints_load(d->prints, reader, tkt_clock_wall_ms(), err) : -1;
    tkt_reader_close(&reader);
    return rc;
}

static int serve(struct tkt_daemon *d, struct tkt_conf **conf, struct sockets *sockets,
                 int *ready_fd, const sigset_t *signals, struct tkt_err *err)
{
    struct parts parts = {0};
    struct tkt_settings *first = NULL; /* whose sockets we opened, whatever is reloaded */
    int rc = -1;

    start_parser(d, *conf); /* before secrets and threads */
    if (open_store(d, *conf, err) < 0 || open_history(d, err) < 0) {
        goto out;
    }
    d->settings = tkt_settings_new(conf, d->store_dir, err);
    if (!d->settings) {
        goto out;
    }
    first = tkt_settings_get(d);
    tkt_process_seal();
    if (start_parts(d, sockets, &parts, err) < 0) {
        goto out;
    }
    tkt_log(TKT_LOG_NOTICE, NULL, "start", "version", PACKAGE_VERSION, "config",
            d->conf_path, "store", d->store_dir, "intake", first->conf->intake_socket,
            NULL);
    tkt_process_ready(ready_fd);
    tkt_sd_notify("READY=1");
    wait_for_signals(d, signals);
    tkt_sd_notify("STOPPING=1");
    tkt_log(TKT_LOG_NOTICE, NULL, "stop", NULL);
    rc = 0;
out:
    if (first && sockets->made_intake) {
        /* New connections go to the next ticketd, not into our closing backlog. */
        (void)unlink(first->conf->intake_socket);
    }
    stop_parts(d, &parts);
    if (first && sockets->made_control) {
        (void)unlink(first->conf->control_socket);
    }
    struct tkt_parserpool *pool = d->pool;
    tkt_parserpool_stop(&pool);
    tkt_settings_put(&first);
    tkt_settings_put(&d->settings);
    tkt_secret_remote_clear();
    tkt_prints_free(&d->prints);
    tkt_senders_free(&d->senders);
    return rc;
}

/* In the background nobody reads stderr. */
static enum tkt_log_sink sink_of(const struct options *o, const struct tkt_conf *conf)
{
    return o->foreground ? conf->log_sink : TKT_LOG_SYSLOG;
}

static int run(const struct options *o, struct tkt_conf **conf, struct tkt_err *err)
{
    struct tkt_daemon *d = calloc(1, sizeof(*d));
    char *pid_file = strdup(o->pid_file ? o->pid_file : (*conf)->pid_file);
    struct sockets sockets = {.intake = -1, .control = -1};
    int ready_fd = -1;
    sigset_t signals;
    int rc = -1;

    if (!d || !pid_file || !(d->store_dir = strdup((*conf)->store.path))) {
        tkt_err_set(err, TKT_ERR_TEMP, "no memory");
        goto out;
    }
    d->conf_path = o->conf_path;
    d->verbose = o->verbose;
    d->started_ms = tkt_clock_mono_ms();
    pthread_mutex_init(&d->settings_lock, NULL);
    pthread_mutex_init(&d->reload_lock, NULL);
    tkt_rate_init(&d->personal_rate);
    d->limits = tkt_limits_new();
    if (o->foreground && !o->pid_file) {
        *pid_file = '\0'; /* who supervises it knows its number */
    }
    if (!o->foreground && tkt_process_detach(&ready_fd, err) < 0) {
        goto out;
    }
    tkt_log_open("ticketd", sink_of(o, *conf), (*conf)->log_json,
                 o->verbose ? TKT_LOG_DEBUG : (*conf)->log_level);
    if ((*conf)->log_ecs) {
        tkt_log_use_ecs(PACKAGE_VERSION, (*conf)->hostname, (*conf)->log_personal);
    }
    if (settle(o, *conf, pid_file, &sockets, err) < 0) {
        goto out;
    }
    (void)umask(077); /* mail is private */
    tkt_process_raise_files();
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL); /* all threads: only sigwait takes them */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_DFL); /* else nobody learns how a program of ours ended */
    signal(SIGXFSZ,
           SIG_IGN); /* a file size limit is an error of write, like a full disk */
    rc = serve(d, conf, &sockets, &ready_fd, &signals, err);
    if (rc == 0 && *pid_file) {
        (void)unlink(pid_file); /* its folder may be another user's: then it is stale */
    }
out:
    if (rc < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "start.failed", "class",
                tkt_err_class_name(err->class), "error", err->text, NULL);
    }
    if (d) {
        tkt_limits_free(&d->limits);
        free(d->store_dir);
    }
    free(d);
    free(pid_file);
    return rc;
}

int main(int argc, char **argv)
{
    struct options o = {.conf_path = DEFAULT_CONF};
    struct tkt_err err = TKT_ERR_INIT;
    int status = parse_options(argc, argv, &o);

    tkt_malloc_few_heaps();
    tkt_secret_remote_init();

    if (status >= 0) {
        return status;
    }
    struct tkt_conf *conf = tkt_conf_load(o.conf_path, &err);
    if (!conf) {
        fprintf(stderr, "ticketd: %s\n", err.text);
        return EX_CONFIG;
    }
    bool told = sink_of(&o, conf) == TKT_LOG_STDERR; /* by the log line */
    if (o.test_only) {
        status = test_config(conf);
    } else if (run(&o, &conf, &err) < 0) {
        if (!told) {
            fprintf(stderr, "ticketd: %s\n", err.text);
        }
        status = exit_of(&err);
    } else {
        status = EX_OK;
    }
    tkt_conf_free(&conf);
    return status;
}
