# SPDX-License-Identifier: BSD-2-Clause
"""Waiting, ports, processes."""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time


def free_port():
    """A TCP port on loopback that nobody listened on a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(what, test, timeout=15.0, step=0.02):
    """Calls test() until it is true; raises TimeoutError naming what."""
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


def make_root(prefix="ticket-milter-"):
    """A temporary folder that other users may traverse but not list."""
    root = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    os.chmod(root, 0o711)
    return root


def remove_root(root):
    shutil.rmtree(root, ignore_errors=True)


def stop(proc, timeout=15, sig=signal.SIGTERM):
    """Ends a child we started; returns its exit status."""
    if proc is None or proc.poll() is not None:
        return None if proc is None else proc.returncode
    proc.send_signal(sig)
    try:
        return proc.wait(timeout)
    except subprocess.TimeoutExpired:
        proc.kill()
        return proc.wait()


def as_user(uid, gid, command, groups=()):
    """The command line that runs command under a uid without a name, when we are root."""
    if os.geteuid() != 0:
        return list(command)
    extra = ["--groups", ",".join(str(g) for g in groups)] if groups else ["--clear-groups"]
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *extra, "--", *command]
