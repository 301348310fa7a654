# SPDX-License-Identifier: BSD-2-Clause
"""Request Tracker 5 of the distribution on loopback, with SQLite, in a folder of its own."""
import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import urllib.error
import urllib.request

from .util import free_port, stands_still, stop, wait_for

LIB = "/usr/share/request-tracker5"
SETUP = r"""
use strict; use warnings; use lib '/usr/share/request-tracker5/lib';
use RT -init;
my $queue = RT::Queue->new(RT->SystemUser); $queue->Load('General'); die unless $queue->id;
my $net = RT::Queue->new(RT->SystemUser); $net->Create(Name => 'Network');
my $everyone = RT::Group->new(RT->SystemUser); $everyone->LoadSystemInternalGroup('Everyone');
my $user = RT::User->new(RT->SystemUser);
$user->Create(Name => 'ticketmilter', EmailAddress => 'ticketmilter@rt.test', Privileged => 1);
for my $q ($queue, $net) {
  $everyone->PrincipalObj->GrantRight(Right => $_, Object => $q)
    for qw(CreateTicket ReplyToTicket CommentOnTicket SeeQueue ShowTicket);
  $user->PrincipalObj->GrantRight(Right => $_, Object => $q)
    for qw(CreateTicket ReplyToTicket CommentOnTicket SeeQueue ShowTicket ShowTicketComments
           ModifyTicket OwnTicket SeeCustomField ModifyCustomField);
}
for my $name (qw(CorrelationId Site)) {
  my $field = RT::CustomField->new(RT->SystemUser);
  $field->Create(Name => $name, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket');
  $field->AddToObject($_) for ($queue, $net);
}
$user->PrincipalObj->GrantRight(Right => 'ManageAuthTokens', Object => RT->System);
require RT::AuthToken; my $t = RT::AuthToken->new(RT->SystemUser);
my ($ok, $m, $token) = $t->Create(Owner => $user->id, Description => 'tests');
print "token: $token\n";
"""


class RT:
    def __init__(self, root, sendmail=None):
        """sendmail: a program that takes its mail (-t); without one it is thrown away."""
        self.root = f"{root}/rt"
        self.sendmail = sendmail
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.token = None
        self.process = None
        self.env = dict(os.environ, RT_SITE_CONFIG=f"{self.root}/etc/RT_SiteConfig.pm",
                        RT_SITE_CONFIG_DIR=f"{self.root}/etc/RT_SiteConfig.d",
                        PERL_HASH_SEED="0")

    @staticmethod
    def missing():
        if os.geteuid() != 0:
            return "Request Tracker is set up by root"
        for path in (f"{LIB}/libexec/rt-server", "/usr/sbin/rt-setup-database-5"):
            if not os.path.exists(path):
                return f"no {path}: install request-tracker5 rt5-db-sqlite rt5-standalone"
        return None

    def _own(self):
        user = pwd.getpwnam("www-data")
        for folder in ("var", "log"):
            for path, _, names in os.walk(f"{self.root}/{folder}"):
                os.chown(path, user.pw_uid, user.pw_gid)
                for name in names:
                    os.chown(f"{path}/{name}", user.pw_uid, user.pw_gid)

    def _mail(self):
        if self.sendmail is None:
            return "Set($MailCommand, 'testfile');\n"
        return ("Set($MailCommand, 'sendmailpipe'); Set($SendmailArguments, '-t');\n"
                f"Set($SendmailPath, '{self.sendmail}');\n"
                "Set($CorrespondAddress, 'rt@rt.test'); Set($CommentAddress, 'rt@rt.test');\n")

    def take_mail(self, message):
        """As an MTA gives it one."""
        subprocess.run(["/usr/bin/rt-mailgate", "--queue", "General", "--action", "correspond",
                        "--url", self.url], input=message, check=True, timeout=180,
                       capture_output=True)

    def _setup(self):
        for folder in ("etc/RT_SiteConfig.d", "var", "log"):
            os.makedirs(f"{self.root}/{folder}")
        os.chmod(self.root, 0o755)
        with open(f"{self.root}/etc/RT_SiteConfig.pm", "w", encoding="ascii") as f:
            f.write("Set($rtname, 'rt.test'); Set($Organization, 'rt.test');\n"
                    f"Set($WebDomain, '127.0.0.1'); Set($WebPort, {self.port});\n"
                    "Set($WebPath, ''); Set($DatabaseType, 'SQLite');\n"
                    f"Set($DatabaseName, '{self.root}/var/rtdb');\n"
                    + self._mail() + "Set($LogToSyslog, undef);\n"
                    "Set($LogToSTDERR, 'warning'); Set($WebSecureCookies, 0);\n1;\n")
        with open(f"{self.root}/rootpw", "w", encoding="ascii") as f:
            f.write("rt-root-pw\n")
        log = open(f"{self.root}/log/setup.log", "wb")
        subprocess.run(["/usr/sbin/rt-setup-database-5", "--action", "init", "--dba", "root",
                        "--dba-password", "", "--root-password-file", f"{self.root}/rootpw",
                        "--skip-create"], env=self.env, stdout=log, stderr=log, check=True,
                       stdin=subprocess.DEVNULL, timeout=180)
        done = subprocess.run(["/usr/bin/perl", "-"], input=SETUP, env=self.env,
                              capture_output=True, text=True, check=True, timeout=300)
        self.token = done.stdout.split("token: ")[1].strip()
        self._own()

    def start(self):
        if self.token is None:
            self._setup()
        log = open(f"{self.root}/log/server.log", "ab")
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--init-groups",
             "/usr/bin/perl", f"{LIB}/libexec/rt-server", "--server", "Starlet", "--host",
             "127.0.0.1", "--port", str(self.port), "--max-workers", "4"],
            env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.root)
        wait_for("RT to answer", lambda: self.get("rt") is not None, step=0.5)
        return self

    def pause(self):
        """It and its workers stand still; it first, as it makes others of those that end."""
        self._tell([self.process.pid], signal.SIGSTOP)
        wait_for("RT to stand still", lambda: stands_still(self.process.pid))
        self._tell(self._workers(), signal.SIGSTOP)

    def go_on(self):
        self._tell((*self._workers(), self.process.pid), signal.SIGCONT)

    @staticmethod
    def _tell(pids, sig):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sig)

    def _workers(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(child) for child in f.read().split()]

    def stop(self):
        stop(self.process)
        self.process = None

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            f"{self.url}/REST/2.0/{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}",
                     "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def get(self, path):
        try:
            return self.call("GET", path)
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def tickets(self):
        """All of them, with subject, status and custom fields, oldest first."""
        found = self.call("GET", "tickets?query=id>0&fields=Subject,Status,CustomFields,Queue,"
                                 "Requestor&fields[Queue]=Name&orderby=id&per_page=100")
        return found["items"]

    def log(self):
        try:
            with open(f"{self.root}/log/server.log", encoding="utf-8", errors="replace") as f:
                return f.read()[-3000:]
        except FileNotFoundError:
            return ""

    def remove(self):
        shutil.rmtree(self.root, ignore_errors=True)
