# SPDX-License-Identifier: BSD-2-Clause
"""A private Dovecot on loopback: LMTP with Sieve, IMAP where a test wants it."""
import glob
import os
import pwd
import shutil
import signal
import smtplib
import subprocess

from .util import free_port, is_gone, make_root, port_open, remove_root, wait_for

MAIL_UID = 61803
MAIL_GID = 61804

CONFIG = """\
base_dir = {r}/run
state_dir = {r}/state
instance_name = ticket-{port}
listen = 127.0.0.1
protocols = lmtp {protocols}
ssl = no
disable_plaintext_auth = no
log_path = {r}/log/dovecot.log
mail_location = maildir:{r}/mail/%u
first_valid_uid = 1
first_valid_gid = 1
postmaster_address = postmaster@example.test
hostname = mx.example.test
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={r}/home/%u
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service imap-login {{
  inet_listener imap {{
    address = 127.0.0.1
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service stats {{
  unix_listener stats-writer {{
    mode = 0666
  }}
}}
protocol lmtp {{
  mail_plugins = $mail_plugins sieve
}}
protocol lda {{
  mail_plugins = $mail_plugins sieve
}}
plugin {{
  sieve = file:~/sieve;active=~/.dovecot.sieve
  sieve_before = {r}/before.sieve
  sieve_plugin_dir = {r}/modules
  sieve_plugins = sieve_vnd_ticket {plugins}
  sieve_global_extensions = {extensions}
  sieve_ticket_socket = {socket}
  sieve_ticket_timeout = 25s
{settings}
}}
{top}
"""


# Dovecot 2.4 has other words for the same.
CONFIG_24 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
base_dir = {r}/run
state_dir = {r}/state
instance_name = ticket-{port}
listen = 127.0.0.1
protocols {{
  lmtp = yes
{protocols}
}}
ssl = no
auth_allow_cleartext = yes
log_path = {r}/log/dovecot.log
mail_driver = maildir
mail_path = {r}/mail/%{{user}}
first_valid_uid = 1
first_valid_gid = 1
postmaster_address = postmaster@example.test
hostname = mx.example.test
passdb static {{
  fields {{
    nopassword = yes
  }}
}}
userdb static {{
  fields {{
    uid = {uid}
    gid = {gid}
    home = {r}/home/%{{user}}
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    listen = 127.0.0.1
    port = {port}
  }}
}}
service imap-login {{
  inet_listener imap {{
    listen = 127.0.0.1
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
protocol lmtp {{
  mail_plugins {{
    sieve = yes
  }}
}}
protocol lda {{
  mail_plugins {{
    sieve = yes
  }}
}}
sieve_script personal {{
  type = personal
  path = ~/sieve
  active_path = ~/.dovecot.sieve
}}
sieve_script before {{
  type = before
  path = {r}/before.sieve
}}
sieve_plugins {{
  sieve_vnd_ticket = yes
{plugins}
}}
sieve_global_extensions {{
{extensions}
}}
sieve_ticket_socket = {socket}
sieve_ticket_timeout = 25s
{settings}
{top}
"""
IMAPSIEVE_24 = """\
mailbox Desk {{
  sieve_script desk {{
    type = before
    cause = copy append
    path = {r}/imap.sieve
  }}
}}
protocol imap {{
  mail_plugins {{
    imap_sieve = yes
  }}
}}
"""


def words_to_24(words):
    return "\n".join(f"  {w.lstrip('+')} = yes" for w in words.split())


def parts_to_24(parts):
    """What a test says for 2.3, for 2.4."""
    out = dict(parts)
    for key in ("protocols", "plugins", "extensions"):
        out[key] = words_to_24(parts[key])
    lines = []
    for line in parts["settings"].splitlines():
        key, _, value = line.strip().partition(" = ")
        if key == "sieve_extensions":
            lines.append(f"sieve_extensions {{\n{words_to_24(value)}\n}}")
        elif not key.startswith(("imapsieve_", "sieve_editheader_")):
            lines.append(f"{key} = {value}")
    out["settings"] = "\n".join(lines)
    if "imap" in parts["protocols"].split():
        out["top"] = IMAPSIEVE_24.replace("{{", "{").replace("}}", "}")
    return out


# A folder with another Debian (tests/dovecot24.sh makes it): its Dovecot is what is tested.
TREE = os.environ.get("TKT_DOVECOT_TREE", "")


def make_site_root():
    """A folder that has the same name inside the other Debian and outside."""
    root = make_root()
    if TREE:
        os.rmdir(root)
        os.makedirs(TREE + root, 0o711)
        os.symlink(TREE + root, root)
    return root


def remove_site_root(root):
    if os.path.islink(root):
        os.unlink(root)
        remove_root(TREE + root)
    remove_root(root)


class Dovecot:
    """before: the global script. settings: lines of plugin {}; top: any other lines."""

    def __init__(self, root, build, socket, before="keep;", settings="", top="",
                 extensions="+vnd.ticket", protocols="", plugins=""):
        self.root = os.path.join(root, "dovecot")
        self.build = build
        self.port, self.imap_port = free_port(), free_port()
        self.parts = dict(socket=socket, settings=settings, top=top, protocols=protocols,
                          extensions=extensions, plugins=plugins)
        self.before = before
        self.env = dict(os.environ)

    @staticmethod
    def missing(build):
        """Why it cannot run here, or None."""
        if os.geteuid() != 0:
            return "a private Dovecot needs root"
        if TREE:
            return None if os.path.exists(f"{TREE}/usr/lib/dovecot/modules/sieve/"
                                          "lib90_sieve_vnd_ticket_plugin.so") else \
                f"no plugin in {TREE}"
        if not shutil.which("dovecot") or not glob.glob("/usr/lib/dovecot/lmtp"):
            return "Dovecot with LMTP is not installed"
        if not glob.glob("/usr/lib/dovecot/modules/lib90_sieve_plugin.so"):
            return "Pigeonhole is not installed"
        if not os.path.exists(f"{build}/.libs/lib90_sieve_vnd_ticket_plugin.so"):
            return "the plugin was not built (dovecot-dev is missing)"
        try:
            pwd.getpwnam("dovecot")
        except KeyError:
            return "there is no user dovecot"
        return None

    def start(self):
        r = self.root
        for d in ("run", "state", "log", "modules"):
            os.makedirs(f"{r}/{d}", exist_ok=True)
        for d in ("mail", "home"):
            os.makedirs(f"{r}/{d}", exist_ok=True)
            os.chown(f"{r}/{d}", MAIL_UID, MAIL_GID)
        os.chmod(r, 0o755)
        if not TREE:
            self._modules()
        self.write_config()
        self.script(self.before)
        subprocess.run(self.command("dovecot"), check=True, timeout=180)
        wait_for("Dovecot to listen", lambda: port_open(self.port))
        return self

    def _modules(self):
        """A folder with Pigeonhole's own and the plugin of the build."""
        shutil.copy(f"{self.build}/.libs/lib90_sieve_vnd_ticket_plugin.so",
                    f"{self.root}/modules")
        for so in glob.glob("/usr/lib/dovecot/modules/sieve/*.so"):
            link = f"{self.root}/modules/{os.path.basename(so)}"
            if not os.path.exists(link):
                os.symlink(so, link)

    def command(self, name, *args):
        """The command line of one of Dovecot's programs."""
        return [*(["chroot", TREE] if TREE else []), name, "-c", f"{self.root}/dovecot.conf",
                *args]

    def write_config(self, **parts):
        self.parts.update(parts)
        parts = parts_to_24(self.parts) if TREE else self.parts
        parts = {k: v.replace("{r}", self.root) for k, v in parts.items()}
        with open(f"{self.root}/dovecot.conf", "w", encoding="utf-8") as f:
            f.write((CONFIG_24 if TREE else CONFIG).format(r=self.root, port=self.port, imap_port=self.imap_port,
                                  uid=MAIL_UID, gid=MAIL_GID, **parts))

    def stop(self):
        """At once: nothing is asked of it any more (its own way takes seconds)."""
        try:
            master, children = self._processes()
        except FileNotFoundError:
            return  # it did not start, or has ended
        for pid in (master, *children):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_for("Dovecot to end", lambda: is_gone(master))

    def _processes(self):
        with open(f"{self.root}/run/master.pid", encoding="ascii") as f:
            master = int(f.read())
        with open(f"/proc/{master}/task/{master}/children", encoding="ascii") as f:
            return master, [int(pid) for pid in f.read().split()]

    def reload(self, **parts):
        self.write_config(**parts)
        subprocess.run(self.command("doveadm", "reload"), check=True,
                       timeout=180)

    def run(self, command):
        return subprocess.run(command, capture_output=True, text=True, check=False,
                              timeout=300)

    def compile(self, path):
        return self.run(self.command("sievec", path))

    def script(self, text):
        """The global script, compiled (its folder is not the user's)."""
        path = f"{self.root}/before.sieve"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        done = self.compile(path)
        if done.returncode != 0:
            raise RuntimeError(done.stderr)

    def user_script(self, user, text):
        home = f"{self.root}/home/{user}"
        os.makedirs(home, exist_ok=True)
        with open(f"{home}/.dovecot.sieve", "w", encoding="utf-8") as f:
            f.write(text)
        for path in (home, f"{home}/.dovecot.sieve"):
            os.chown(path, MAIL_UID, MAIL_GID)

    def deliver(self, sender, rcpts, message):
        """Over LMTP: {recipient: (code, text)}."""
        rcpts = [rcpts] if isinstance(rcpts, str) else rcpts
        out = {}
        with smtplib.LMTP("127.0.0.1", self.port, local_hostname="client.test") as s:
            s.sock.settimeout(60)
            s.ehlo()
            s.mail(sender)
            accepted = []
            for rcpt in rcpts:
                code, text = s.rcpt(rcpt)
                if code == 250:
                    accepted.append(rcpt)
                else:
                    out[rcpt] = (code, text.decode())
            s.putcmd("data")
            s.getreply()
            lines = message.replace(b"\r\n", b"\n").split(b"\n")
            if lines[-1] == b"":
                lines.pop()
            s.send(b"".join((b"." + line if line[:1] == b"." else line) + b"\r\n"
                            for line in lines) + b".\r\n")
            for rcpt in accepted:
                code, text = s.getreply()
                out[rcpt] = (code, text.decode())
        return out

    def lda(self, rcpt, sender, message):
        """The same by the local delivery agent."""
        subprocess.run(self.command("/usr/lib/dovecot/dovecot-lda", "-d", rcpt, "-a", rcpt,
                                    "-f", sender), input=message, check=True, timeout=180)

    def workers(self, service="lmtp"):
        """Process IDs of a service, as the master started them."""
        out = []
        for pid in self._processes()[1]:
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                    if f.read().strip() == service:
                        out.append(pid)
            except FileNotFoundError:
                pass
        return out

    def mails(self, user, folder=""):
        """Stored mails of a user, oldest first, as bytes."""
        sub = f"/.{folder}" if folder else ""
        files = [f for d in ("new", "cur")
                 for f in glob.glob(f"{self.root}/mail/{user}{sub}/{d}/*")]
        out = []
        for name in sorted(files, key=os.path.getmtime):
            with open(name, "rb") as f:
                out.append(f.read())
        return out

    def says(self, text, since=0):
        """Waits for a line of the log: a process of its own writes them, after the answer."""
        wait_for(f"{text!r} in Dovecot's log", lambda: text in self.log()[since:])

    def log(self):
        try:
            with open(f"{self.root}/log/dovecot.log", encoding="utf-8",
                      errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""
