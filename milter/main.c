/* SPDX-License-Identifier: BSD-2-Clause
 * ticket-milter: the hook for Postfix and Sendmail.
 */
#include "ticket_config.h"

#include "base/log.h"
#include "base/util.h"
#include "conf/conf.h"
#include "milter/options.h"
#include "milter/process.h"
#include "milter/service.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>

#define FILES_WANTED 65536

static int complain(const struct tkt_err *err)
{
    fprintf(stderr, "ticket-milter: %s\n", err->text);
    return err->class == TKT_ERR_CONF ? EX_CONFIG : EX_UNAVAILABLE;
}

static int replace_text(char **slot, const char *text, struct tkt_err *err)
{
    char *copy = text != NULL ? strdup(text) : NULL;

    if (text == NULL) {
        return 0;
    }
    if (copy == NULL) {
        return tkt_err_set(err, TKT_ERR_TEMP, "no memory");
    }
    free(*slot);
    *slot = copy;
    return 0;
}

/* The command line wins over the file. */
static int apply_options(struct tkt_conf *conf, const struct tkt_milter_options *o,
                         struct tkt_err *err)
{
    if (replace_text(&conf->milter.socket, o->socket, err) < 0 ||
        replace_text(&conf->milter.pid_file, o->pid_file, err) < 0 ||
        replace_text(&conf->milter.user, o->user, err) < 0) {
        return -1;
    }
    if (o->umask_bits >= 0) {
        conf->milter.umask = o->umask_bits;
    }
    return 0;
}

static int test_configuration(const struct tkt_conf *conf)
{
    TKT_AUTO_BUF struct tkt_buf warnings = TKT_BUF_INIT(1 << 20);
    struct tkt_endpoint endpoint;
    struct tkt_err err = TKT_ERR_INIT;

    if (tkt_endpoint_parse(conf->milter.socket, &endpoint, &err) < 0) {
        return complain(&err);
    }
    (void)tkt_conf_warnings(conf, &warnings); /* what does not fit is not shown */
    fputs(tkt_buf_str(&warnings), stderr);
    printf("%s: ok\n", conf->path);
    return EX_OK;
}

/* "unix:/var/spool/postfix/x" -> "unix:/x". TCP stays. */
static int move_socket_inside(struct tkt_conf *conf, struct tkt_err *err)
{
    struct tkt_endpoint endpoint;

    if (tkt_endpoint_parse(conf->milter.socket, &endpoint, err) < 0 || endpoint.tcp) {
        return endpoint.tcp ? 0 : -1;
    }
    char *inside = tkt_process_inside(conf->milter.chroot, endpoint.path, err);
    if (inside == NULL) {
        return -1;
    }
    free(conf->milter.socket);
    conf->milter.socket = inside; /* a bare path is a UNIX socket too */
    return 0;
}

/* One file serves ticketd and us: it gives all paths as they read outside. */
static int move_inside(struct tkt_conf *conf, struct tkt_err *err)
{
    char **const paths[] = {&conf->intake_socket, &conf->milter.state_dir};

    for (size_t i = 0; i < TKT_ARRAY_LEN(paths); i++) {
        char *inside = tkt_process_inside(conf->milter.chroot, *paths[i], err);
        if (inside == NULL) {
            return -1;
        }
        free(*paths[i]);
        *paths[i] = inside;
    }
    return move_socket_inside(conf, err);
}

/* Root's part: pid file, chroot, user. *conf_path is freed by the caller. */
static int settle(struct tkt_conf *conf, int *pid_fd, char **conf_path,
                  struct tkt_err *err)
{
    struct tkt_process_user user;

    if (tkt_process_find_user(conf->milter.user, &user, err) < 0) {
        return -1;
    }
    if (conf->milter.pid_file[0] != '\0') {
        *pid_fd = tkt_process_lock(conf->milter.pid_file, err);
        if (*pid_fd < 0 || tkt_process_write_pid(*pid_fd, err) < 0) {
            return -1;
        }
    }
    if (conf->milter.chroot[0] == '\0') {
        *conf_path = strdup(conf->path);
    } else {
        *conf_path = tkt_process_inside(conf->milter.chroot, conf->path, NULL);
        if (move_inside(conf, err) < 0 ||
            tkt_process_chroot(conf->milter.chroot, err) < 0) {
            return -1;
        }
    }
    return tkt_process_become(&user, err);
}

/* Before any thread: libmilter's thread waits for TERM, INT and HUP, ours for USR1. */
static void set_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* fails for a bad argument only */
    (void)signal(SIGPIPE, SIG_IGN);               /* as above */
    /* Keys stay out of core files; to ask for less is never refused. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
}

/* Two descriptors a connection and two a message in hand. */
static void raise_file_limit(void)
{
    struct rlimit rl;

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < FILES_WANTED) {
        rl.rlim_cur = TKT_MIN(rl.rlim_max, (rlim_t)FILES_WANTED);
        (void)setrlimit(RLIMIT_NOFILE, &rl); /* then with fewer */
    }
}

static int serve(struct tkt_conf *conf, const struct tkt_milter_options *o, int ready_fd,
                 struct tkt_err *err)
{
    static struct tkt_service service; /* threads may use it until the very end */
    char *conf_path = NULL;
    int pid_fd = -1;

    if (settle(conf, &pid_fd, &conf_path, err) < 0) {
        return -1;
    }
    (void)umask((mode_t)conf->milter.umask); /* for the sockets, and all after them */
    set_signals();
    raise_file_limit();
    service.verbose = o->verbose;
    if (tkt_service_init(&service, conf, conf_path, err) < 0 ||
        tkt_service_open(&service, err) < 0) {
        return -1;
    }
    free(conf_path);
    tkt_process_ready(ready_fd);
    int rc = tkt_service_run(&service, err);
    if (pid_fd >= 0) {
        (void)unlink(conf->milter.pid_file); /* may be root's folder: the lock counts */
    }
    return rc;
}

int main(int argc, char **argv)
{
    struct tkt_milter_options o;
    struct tkt_err err = TKT_ERR_INIT;
    int ready_fd = -1;

    tkt_malloc_few_heaps();
    int rc = tkt_milter_options_parse(argc, argv, &o);
    if (rc != 0) {
        return rc > 0 ? EX_OK : EX_USAGE;
    }
    struct tkt_conf *conf = tkt_conf_load(o.config, &err);
    if (conf == NULL || apply_options(conf, &o, &err) < 0) {
        return complain(&err);
    }
    if (o.test) {
        rc = test_configuration(conf);
        tkt_conf_free(&conf);
        return rc;
    }
    if (!o.foreground && tkt_process_background(&ready_fd, &err) < 0) {
        return complain(&err);
    }
    if (!o.foreground) {
        conf->log_sink = TKT_LOG_SYSLOG; /* in the background nobody reads stderr */
    }
    tkt_log_open("ticket-milter", conf->log_sink, conf->log_json,
                 o.verbose ? TKT_LOG_DEBUG : conf->log_level);
    if (conf->log_ecs) {
        tkt_log_use_ecs(PACKAGE_VERSION, conf->hostname, conf->log_personal);
    }
    if (serve(conf, &o, ready_fd, &err) < 0) {
        tkt_log(TKT_LOG_ERROR, NULL, "milter.failed", "reason", err.text, NULL);
        if (conf->log_sink == TKT_LOG_SYSLOG) {
            (void)complain(&err); /* the terminal should know as well */
        }
        _exit(err.class == TKT_ERR_CONF ? EX_CONFIG : EX_UNAVAILABLE);
    }
    _exit(EX_OK); /* libmilter's threads may still run: nothing is taken from them */
}
