# SPDX-License-Identifier: BSD-2-Clause
"""Waiting, ports, processes."""
import itertools
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def _quiet_ports():
    """Those outside the range from which the kernel takes ports for outgoing connections: a
    port of that range is another's as soon as it is given back here."""
    try:
        with open("/proc/sys/net/ipv4/ip_local_port_range", encoding="ascii") as f:
            first, last = map(int, f.read().split())
    except (OSError, ValueError):
        first, last = 32768, 60999
    ports = [p for p in range(12000, 65000) if not first <= p <= last]
    if len(ports) < 1000:
        ports = list(range(12000, 65000))
    random.SystemRandom().shuffle(ports)
    return itertools.cycle(ports)


_ports = _quiet_ports()


def free_port():
    """A TCP port on loopback on which nobody listens; each call gives another."""
    for port in _ports:
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def wait_for(what, test, timeout=180.0, step=0.02):
    """Calls test() until it is true; raises TimeoutError naming what. The time is for a busy
    machine: who waits for less should have a reason."""
    end = time.monotonic() + timeout
    while True:
        value = test()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {timeout} s for {what}")
        time.sleep(step)


def port_open(port):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) == 0


def socket_listens(path):
    """Whether somebody listens on a UNIX socket. Its file is there before that, and after a
    kill; asking costs the listener no connection."""
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as f:
        for line in f:
            words = line.split(maxsplit=7)
            if len(words) == 8 and words[7].rstrip("\n") == path and int(words[3], 16) & 0x10000:
                return True
    return False


def make_root(prefix="ticket-milter-"):
    """A temporary folder that other users may traverse but not list."""
    root = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    os.chmod(root, 0o711)
    return root


def remove_root(root):
    shutil.rmtree(root, ignore_errors=True)


def stop(proc, timeout=180, sig=signal.SIGTERM):
    """Ends a child we started; returns its exit status."""
    if proc is None or proc.poll() is not None:
        return None if proc is None else proc.returncode
    proc.send_signal(sig)
    try:
        return proc.wait(timeout)
    except subprocess.TimeoutExpired:
        proc.kill()
        return proc.wait()


def is_gone(pid):
    """Whether a process has ended, be it that nobody asked for its status yet."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def stands_still(pid):
    """All of its threads: a SIGSTOP reaches the one that answers last on a busy machine."""
    states = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii", errors="replace") as f:
                states.append(f.read().rpartition(")")[2].split()[0])
    except OSError:  # one of them ended meanwhile
        return False
    return set(states) == {"T"}


def as_user(uid, gid, command, groups=()):
    """The command line that runs command under a uid without a name, when we are root."""
    if os.geteuid() != 0:
        return list(command)
    extra = ["--groups", ",".join(str(g) for g in groups)] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *extra, "--", *command]


def disturbed(command):
    """The command with one more library in front of libc's, that makes calls late: TKT_PRELOAD
    is the library, TKT_PERTURB what it shall do (tests/campaign/perturb.c)."""
    library = os.environ.get("TKT_PRELOAD")
    if not library:
        return command
    add = 'export LD_PRELOAD="$0${LD_PRELOAD:+:$LD_PRELOAD}"; exec "$@"'
    return ["sh", "-c", add, library, *command]
