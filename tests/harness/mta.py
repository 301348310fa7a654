# SPDX-License-Identifier: BSD-2-Clause
"""A private Postfix and a private Sendmail on loopback."""
import glob
import os
import shutil
import subprocess
import sys

from .util import free_port, port_open, stop, wait_for

MASTER = """\
127.0.0.1:{port} inet n - {chroot} - - smtpd{smtpd_options}
{extra}
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - {chroot} - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
tlsmgr    unix  - - n 1000? 1 tlsmgr
postlog   unix-dgram n - n - 1 postlogd
"""

MAIN = """\
compatibility_level = 3.6
config_directory = {r}/etc
queue_directory = {r}/spool
data_directory = {r}/data
command_directory = /usr/sbin
daemon_directory = /usr/lib/postfix/sbin
mail_owner = postfix
setgid_group = postdrop
shlib_directory = /usr/lib/postfix
meta_directory = /etc/postfix
myhostname = mx.example.test
mydomain = example.test
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
smtpd_relay_restrictions = permit_mynetworks, reject_unauth_destination
alias_maps =
alias_database =
local_recipient_maps =
virtual_mailbox_domains = example.test, second.test
virtual_mailbox_base = {r}/mail
virtual_mailbox_maps = static:all/
virtual_minimum_uid = 1
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
maillog_file = {r}/log/maillog
maillog_file_prefixes = {r}
smtp_dns_support_level = disabled
smtp_host_lookup = native
default_transport = error:5.1.2 no outside world
relay_transport = error:5.1.2 no outside world
smtpd_peername_lookup = no
recipient_delimiter = +
biff = no
in_flow_delay = 0
"""


def merged(text):
    """main.cf with each parameter once, the last value. Twice would make every daemon log a
    warning at its start, postlogd too - which then may wait for itself."""
    values = {}
    for line in text.splitlines():
        if line.strip():
            key, value = line.split("=", 1)
            values[key.strip()] = value.strip()
    return "".join(f"{k} = {v}\n" for k, v in values.items())


class Postfix:
    """One instance. settings: main.cf lines; services: more master.cf lines."""

    def __init__(self, root, settings="", services="", chroot=False, smtpd_options=""):
        self.root = os.path.join(root, "postfix")
        self.port = free_port()
        self.settings = settings
        self.services = services
        self.chroot = "y" if chroot else "n"
        self.smtpd_options = smtpd_options
        self.env = dict(os.environ, MAIL_CONFIG=self.root + "/etc")

    @staticmethod
    def missing():
        """Why it cannot run here, or None."""
        if os.geteuid() != 0:
            return "a private Postfix needs root"
        if not os.path.exists("/usr/lib/postfix/sbin/master"):
            return "Postfix is not installed"
        return None

    def start(self):
        r = self.root
        for d in ("etc", "spool", "data", "log", "mail"):
            os.makedirs(f"{r}/{d}", exist_ok=True)
        os.chmod(r, 0o755)
        shutil.chown(f"{r}/data", "postfix")
        os.chmod(f"{r}/data", 0o700)
        shutil.chown(f"{r}/mail", 65534, 65534)
        with open(f"{r}/etc/main.cf", "w", encoding="utf-8") as f:
            f.write(merged(MAIN.format(r=r) + self.settings))
        with open(f"{r}/etc/master.cf", "w", encoding="utf-8") as f:
            f.write(MASTER.format(port=self.port, chroot=self.chroot, extra=self.services,
                                  smtpd_options=self.smtpd_options))
        # Other users' umask must not reach the queue directories.
        subprocess.run(["postfix", "start"], env=self.env, check=True, umask=0o022,
                       stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=180)
        wait_for("Postfix to listen", lambda: port_open(self.port))
        return self

    def stop(self):
        subprocess.run(["postfix", "stop"], env=self.env, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=180)

    def set(self, **settings):
        """Changes main.cf settings and reloads."""
        for key, value in settings.items():
            subprocess.run(["postconf", "-c", f"{self.root}/etc", "-e", f"{key}={value}"],
                           check=True)
        subprocess.run(["postfix", "reload"], env=self.env, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def log(self):
        try:
            with open(f"{self.root}/log/maillog", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def queue(self):
        return subprocess.run(["postqueue", "-p"], env=self.env, check=False, text=True,
                              capture_output=True).stdout

    def queue_empty(self):
        """Looks twice: what goes from one queue to the next is missed between their folders."""
        return all("Mail queue is empty" in self.queue() for _ in range(2))

    def flush(self):
        subprocess.run(["postqueue", "-f"], env=self.env, check=False)

    def wait_for_mail(self, what, arrived):
        """Waits for what a mail brings. What is deferred is tried again at once, not in minutes:
        more than once, as a mail may be deferred right behind a flush."""
        for _ in range(12):
            try:
                return wait_for(what, arrived, 5)
            except TimeoutError:
                self.flush()
        raise TimeoutError(f"{what}: {self.queue()} {self.log()[-2000:]}")

    def mails(self):
        """Delivered mails, oldest first, as bytes."""
        files = sorted(glob.glob(f"{self.root}/mail/all/new/*"), key=os.path.getmtime)
        out = []
        for name in files:
            with open(name, "rb") as f:
                out.append(f.read())
        return out

    def clear_mails(self):
        """Waits for what is on its way, so that no later mail stands beside it."""
        wait_for("empty queue", self.queue_empty)
        for name in glob.glob(f"{self.root}/mail/all/new/*"):
            os.unlink(name)

    def sendmail(self, args, message):
        """Local submission: the non_smtpd way in."""
        return subprocess.run(["/usr/sbin/sendmail", "-C", f"{self.root}/etc", *args],
                              env=self.env, input=message, capture_output=True, check=False)


DEVLOG = """\
import os, socket, sys
path = sys.argv[1]
if os.path.exists(path):
    os.unlink(path)
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(path)
os.chmod(path, 0o666)
with open(sys.argv[2], "ab", 0) as out:
    while True:
        out.write(s.recv(65536).rstrip(b"\\0\\n") + b"\\n")
"""

DELIVER = """\
#!/bin/sh
# deliver.sh DIR RCPT: one file a message, as maildir/new
umask 077
d=$1/$2/Maildir
mkdir -p "$d/new" "$d/tmp" "$d/cur"
f=$(date +%s.%N).$$
cat > "$d/tmp/$f" && mv "$d/tmp/$f" "$d/new/$f"
"""

SENDMAIL_MC = """\
divert(-1)
include(`{smx}/usr/share/sendmail/cf/m4/cf.m4')
VERSIONID(`private test instance')
OSTYPE(`linux')dnl
define(`confDOMAIN_NAME', `sm.example.test')dnl
define(`confTRUSTED_USER', `root')dnl
define(`QUEUE_DIR', `{r}/mqueue')dnl
define(`STATUS_FILE', `{r}/log/status')dnl
define(`HELP_FILE', `{smx}/etc/mail/helpfile')dnl
define(`confPID_FILE', `{r}/sendmail.pid')dnl
define(`confCW_FILE', `-o {r}/etc/local-host-names')dnl
define(`ALIAS_FILE', `')dnl
define(`confCONTROL_SOCKET_NAME', `')dnl
define(`confSERVICE_SWITCH_FILE', `{r}/etc/service.switch')dnl
define(`confHOSTS_FILE', `/etc/hosts')dnl
define(`confDONT_PROBE_INTERFACES', `True')dnl
define(`confTO_IDENT', `0s')dnl
define(`confREFUSE_LA', `10000')dnl
define(`confQUEUE_LA', `10000')dnl
define(`confTO_RESOLVER_RETRANS', `1s')dnl
define(`confTO_RESOLVER_RETRY', `1')dnl
define(`confBIND_OPTS', `-DNSRCH -DEFNAMES')dnl
define(`confLOG_LEVEL', `14')dnl
define(`confMILTER_LOG_LEVEL', `14')dnl
define(`confDEF_USER_ID', `nobody:nogroup')dnl
define(`confDONT_BLAME_SENDMAIL', `TrustStickyBit,GroupWritableDirPathSafe')dnl
define(`confFORWARD_PATH', `')dnl
define(`LOCAL_MAILER_PATH', `{r}/deliver.sh')dnl
define(`LOCAL_MAILER_ARGS', `deliver.sh {r}/mail $u')dnl
define(`LOCAL_MAILER_FLAGS', `SnP')dnl
MODIFY_MAILER_FLAGS(`LOCAL',`-A5:/|@wq')dnl
FEATURE(`accept_unresolvable_domains')dnl
FEATURE(`accept_unqualified_senders')dnl
FEATURE(`nocanonify')dnl
FEATURE(`no_default_msa')dnl
DAEMON_OPTIONS(`Port={port}, Addr=127.0.0.1, Name=MTA')dnl
LOCAL_DOMAIN(`example.test second.test')dnl
INPUT_MAIL_FILTER(`ticket', `S={milter}, F=T, T=C:60s;S:60s;R:60s;E:5m')dnl
MAILER(`local')dnl
MAILER(`smtp')dnl
"""


class Sendmail:
    """One instance from Debian's packages, unpacked because they conflict with Postfix. A busy
    machine is none of its business: else it refuses connections there, and keeps mail."""

    def __init__(self, root, milter, tree):
        self.root = os.path.join(root, "sendmail")
        self.port = free_port()
        self.milter = milter
        self.tree = tree
        self.proc = None
        self.log_proc = None

    @staticmethod
    def unpack(into):
        """Fetches and unpacks the packages once; returns the tree, or a reason (str)."""
        if os.geteuid() != 0:
            return None, "a private Sendmail needs root"
        binary = f"{into}/usr/libexec/sendmail/sendmail"
        if not os.path.exists(binary):
            if shutil.which("apt-get") is None:
                return None, "no apt-get to fetch Sendmail's packages"
            os.makedirs(into, exist_ok=True)
            got = subprocess.run(
                ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                 "sendmail-bin", "sendmail-base", "sendmail-cf"],
                cwd=into, capture_output=True, text=True, check=False)
            if got.returncode != 0:
                return None, "cannot download Sendmail: " + got.stderr.strip()[-200:]
            for deb in glob.glob(f"{into}/*.deb"):
                subprocess.run(["dpkg", "-x", deb, into], check=True)
        missing = subprocess.run(["ldd", binary], capture_output=True, text=True,
                                 check=False).stdout
        lost = [l.split()[0] for l in missing.splitlines() if "not found" in l]
        if lost:
            return None, "Sendmail lacks libraries: " + " ".join(lost)
        return into, None

    def start(self):
        r = self.root
        for d in ("etc", "mqueue", "mail", "log", "dev"):
            os.makedirs(f"{r}/{d}", exist_ok=True)
        os.chmod(r, 0o755)
        os.chmod(f"{r}/mqueue", 0o700)
        os.chmod(f"{r}/mail", 0o1777)
        self._write("deliver.sh", DELIVER, 0o755)
        self._write("devlog.py", DEVLOG)
        self._write("sendmail.mc", SENDMAIL_MC.format(r=r, smx=self.tree, port=self.port,
                                                      milter=self.milter))
        self._write("etc/service.switch", "hosts files\naliases files\npasswd files\n")
        self._write("etc/local-host-names", "")
        with open(f"{r}/sendmail.cf", "w", encoding="utf-8") as cf:
            subprocess.run(["m4", "-I", f"{self.tree}/usr/share/sendmail/cf",
                            f"{r}/sendmail.mc"], stdout=cf, check=True)
        for name, minor in (("null", 3), ("zero", 5), ("random", 8), ("urandom", 9)):
            subprocess.run(["mknod", "-m", "666", f"{r}/dev/{name}", "c", "1", str(minor)],
                           check=True)
        subprocess.run(["mknod", "-m", "666", f"{r}/dev/tty", "c", "5", "0"], check=True)
        self.log_proc = subprocess.Popen([sys.executable, f"{r}/devlog.py", f"{r}/dev/log",
                                          f"{r}/log/maillog"])
        wait_for("log socket", lambda: os.path.exists(f"{r}/dev/log"))
        # Names are known at once: no name server is asked that may not be there.
        self._write("hosts", "127.0.0.1 sm.example.test sm localhost\n::1 localhost\n")
        self._write("resolv.conf", "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        run = (f"hostname sm.example.test; mount --bind {r}/dev /dev; "
               f"mount --bind {r}/hosts /etc/hosts; "
               f"mount --bind {r}/resolv.conf /etc/resolv.conf; "
               f"exec {self.tree}/usr/libexec/sendmail/sendmail -C {r}/sendmail.cf -bD -q1m")
        self.proc = subprocess.Popen(["unshare", "--uts", "--mount", "sh", "-c", run],
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Sendmail to listen", lambda: port_open(self.port))
        return self

    def _write(self, name, text, mode=0o644):
        path = f"{self.root}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        os.chmod(path, mode)

    def stop(self):
        stop(self.proc)
        stop(self.log_proc)

    def log(self):
        try:
            with open(f"{self.root}/log/maillog", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def mails(self):
        files = sorted(glob.glob(f"{self.root}/mail/*/Maildir/new/*"), key=os.path.getmtime)
        out = []
        for name in files:
            with open(name, "rb") as f:
                out.append(f.read())
        return out
