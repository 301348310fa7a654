# SPDX-License-Identifier: BSD-2-Clause
"""ticketd and ticket-milter from the build directory, in a folder of their own."""
import json
import os
import re
import shutil
import subprocess

from .util import as_user, disturbed, socket_listens, stop, wait_for

# Different users without a name, as the units use different accounts.
DAEMON_UID = 61801
MILTER_UID = 61802
GROUP_ID = 61800

CONFIG = """\
hostname = "mx.example.test"
intake_socket = "{r}/run/intake.sock"
control_socket = "{r}/run/control.sock"
intake_umask = {intake_umask}
log_sink = "stderr"
log_level = "{log_level}"
authserv_ids = {{"mx.example.test"}}
{top}
milter {{
    socket = "{milter_socket}"
    umask = 0000
    pid_file = "{r}/milter/ticket-milter.pid"
    state_dir = "{r}/milter"
{milter}
}}
parser {{
    program = "{parser_program}"
{parser}
}}
store {{
    path = "{r}/store"
{store}
}}
access {{
    hooks = {{"{milter_uid}"{hooks}}}
{access}
}}
{desks}
"""

DESKS = """\
desk "it" {
    addresses = {"support@example.test", "it@second.test"}
    prefix = "IT"
    ticket_url = "https://desk.example.test/t/{id}"
}
desk "hr" {
    addresses = {"hr@example.test"}
    prefix = "HR"
}
"""


PLACES = {"ticketd": "ticketd/ticketd", "ticket-milter": "milter/ticket-milter",
          "ticketctl": "ticketctl/ticketctl", "ticket-parser": "ticket-parser"}


def program(build, name):
    """Where the build leaves a program."""
    return f"{build}/{PLACES[name]}"


class Product:
    """start() runs both daemons; every part of the configuration can be added to. Where neither
    milter nor parser are said, the limits of time are those of a busy machine."""

    def __init__(self, root, build, desks=DESKS, top="", milter=None, parser=None, store="",
                 access="", milter_socket=None, log_level="info", wrapper=(), hooks="",
                 intake_umask="0007"):
        if milter is None and parser is None:
            milter, parser = "    deadline = 25s", "    budget = 5s\n    queue_wait = 10s"
        self.root = os.path.join(root, "ticket")
        self.build = build
        self.milter_socket = milter_socket or f"unix:{self.root}/socket/milter.sock"
        self.config = f"{self.root}/ticket-milter.conf"
        self.parts = dict(desks=desks, top=top, milter=milter or "", parser=parser or "", store=store,
                          access=access, log_level=log_level, intake_umask=intake_umask,
                          hooks=hooks)
        self.wrapper = list(wrapper)
        self.ticketd = None
        self.milter = None

    def config_text(self, **parts):
        self.parts.update(parts)
        return CONFIG.format(r=self.root, milter_uid=MILTER_UID,
                             parser_program=program(self.build, "ticket-parser"),
                             milter_socket=self.milter_socket, **self.parts)

    def write_config(self, **parts):
        with open(self.config, "w", encoding="utf-8") as f:
            f.write(self.config_text(**parts))

    def prepare(self):
        r = self.root
        os.makedirs(r, exist_ok=True)
        os.chmod(r, 0o711)
        for name, uid, mode in (("run", DAEMON_UID, 0o2771), ("store", DAEMON_UID, 0o700),
                                ("milter", MILTER_UID, 0o750),
                                ("socket", MILTER_UID, 0o755), ("log", 0, 0o755)):
            os.makedirs(f"{r}/{name}", exist_ok=True)
            if os.geteuid() == 0:
                os.chown(f"{r}/{name}", uid if name != "log" else 0, GROUP_ID)
            os.chmod(f"{r}/{name}", mode)
        self.write_config()

    def start_ticketd(self, wait=True, extra=()):
        log = open(f"{self.root}/log/ticketd.log", "ab")
        self.ticketd = subprocess.Popen(
            [*self.wrapper, *as_user(DAEMON_UID, GROUP_ID, disturbed([
                program(self.build, "ticketd"), "-f", "-c", self.config, *extra]))],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        if wait:
            wait_for("ticketd to answer", self._ticketd_up)

    def _ticketd_up(self):
        if self.ticketd.poll() is not None:
            raise RuntimeError("ticketd ended:\n" + self.log("ticketd")[-4000:])
        return self.answers()

    def answers(self):
        return self.ctl("ping", check=False).returncode == 0

    def start_milter(self, wait=True):
        since = len(self.log("milter"))
        log = open(f"{self.root}/log/milter.log", "ab")
        self.milter = subprocess.Popen(
            [*self.wrapper, *as_user(MILTER_UID, GROUP_ID, disturbed([
                program(self.build, "ticket-milter"), "-f", "-c", self.config]))],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        log.close()
        if wait and self.milter_socket.startswith(("unix:", "local:")):
            path = self.milter_socket.split(":", 1)[1]
            wait_for("milter socket", lambda: self._milter_up(path, since))

    def _milter_up(self, path, since):
        if self.milter.poll() is not None:
            raise RuntimeError("ticket-milter ended:\n" + self.log("milter")[-4000:])
        return socket_listens(path) and self._milter_knows(since)

    def _milter_knows(self, since):
        """Whether it has the desks of ticketd: without an answer in a second it begins with
        those of its own file, and asks nothing at RCPT until it looks again."""
        return (not self.up() or self.parts["log_level"] not in ("info", "debug") or
                re.search("event=desks.loaded source=(ticketd|disk)", self.log("milter")[since:]))

    def start(self):
        self.prepare()
        self.start_ticketd()
        self.start_milter()
        return self

    def stop(self):
        stop(self.milter)
        stop(self.ticketd)

    def up(self):
        return self.ticketd is not None and self.ticketd.poll() is None

    def daemon_pid(self):
        """Of ticketd itself, below the program that changes its user."""
        return self.ticketd.pid

    def log(self, which):
        try:
            with open(f"{self.root}/log/{which}.log", encoding="utf-8", errors="replace") as f:
                return f.read()
        except FileNotFoundError:
            return ""

    def lines(self, which):
        """Of the log, without one that is only half there yet."""
        return self.log(which).rpartition("\n")[0].splitlines()

    def ctl(self, *args, check=True, stdin=None, text=True):
        """Runs ticketctl as root (admin). A mail that is handed in has time, as those that come
        through the milter."""
        args = list(args)
        if "submit" in args[:2] and "--remaining" not in args:
            args.insert(args.index("submit") + 1, "--remaining=60")
        return subprocess.run([program(self.build, "ticketctl"), "-c", self.config, *args],
                              capture_output=True, text=text, input=stdin, check=check,
                              timeout=180)

    def json(self, *args):
        return json.loads(self.ctl("--json", *args).stdout)

    def tickets(self):
        return self.json("list", "--limit", "100000")

    def wipe_store(self):
        shutil.rmtree(f"{self.root}/store")
        self.prepare()
