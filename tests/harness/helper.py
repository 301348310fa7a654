# SPDX-License-Identifier: BSD-2-Clause
"""A desk behind a helper program (type exec), in a folder: what was asked, its tickets, and
what goes wrong next (plan: lose, half, page, exit, hang, loud, env)."""
import json
import os
import shutil
import sys
import tempfile
import uuid

PROGRAM = r'''#!/usr/bin/python3 -IS
import base64, json, os, signal, subprocess, sys, time
ROOT = ROOT_FOLDER
call = json.load(sys.stdin)
with open(f"{ROOT}/state") as f:
    s = json.load(f)
tickets, op = s["tickets"], call["op"]
s["seen"].append({"op": op, "call": call, "env": dict(os.environ), "argv": sys.argv[1:],
                  "cwd": os.getcwd(), "group": os.getpgrp() == os.getpid(),
                  "fds": sorted(int(n) for n in os.listdir("/proc/self/fd"))})
plan = s["plans"].pop(0) if s["plans"] and s["plans"][0][1] in (op, "") else ["", "", {}]

def save():
    with open(f"{ROOT}/state.new", "w") as f:
        json.dump(s, f)
    os.rename(f"{ROOT}/state.new", f"{ROOT}/state")

def end(code, answer=None, text=None):
    save()
    text = json.dumps(answer) if text is None else text
    if plan[0] == "lose":
        os.kill(os.getpid(), signal.SIGKILL)
    sys.stdout.write(text[:len(text) // 2] if plan[0] == "half" else text)
    sys.stdout.flush()
    os._exit(code)

def known():
    t = tickets.get(call["ticket"]["external"])
    if t is None:
        end(65, {"error": "no such ticket"})
    return t

if plan[0] == "exit":
    sys.stderr.write(plan[2].get("said", ""))
    end(plan[2]["code"], plan[2].get("answer", {}))
if plan[0] == "page":
    end(0, text="<html>log in</html>")
if plan[0] == "hang":
    save()
    subprocess.Popen(["/bin/sleep", NAP])
    time.sleep(300)
if plan[0] == "loud":
    save()
    sys.stderr.write("x" * 100000)
    while True:
        sys.stdout.write("y" * 65536)
if call["site"]["secret"] != "s3cret":
    end(77, {"error": "who are you?"})
if op == "create":
    number = str(len(tickets) + 1)
    tickets[number] = dict(call["ticket"], there=call["there"], notes=[], files={})
    end(0, {"external": number, "number": "H-" + number, "url": "https://h.example/" + number})
if op == "find":
    for number, t in tickets.items():
        if t["corr"] == call["ticket"]["corr"] or s.get("lies"):
            end(0, {"external": number, "number": "H-" + number, "corr": t["corr"]})
    end(0, {})
if op == "comment":
    c = call["comment"]
    known()["notes"].append({"id": "1", "text": c["text"], "public": c["public"]})
if op == "attach":
    data = b""
    while chunk := os.read(call["file"]["fd"], 1 << 20):
        data += chunk
    with open(f"{ROOT}/file", "wb") as f:
        f.write(data)
    assert len(data) == call["file"]["size"]
    known()["files"][call["file"]["name"]] = f"{ROOT}/file"
if op in ("update", "close"):
    known()["state"] = call["there"].get("state", call["ticket"]["state"])
    if op == "close":
        known()["state"] = "done"
if op == "fetch":
    t = known()
    end(0, {"external": call["ticket"]["external"], "state": t["state"],
            "notes": t["notes"][::-1], "files": list(t["files"])})
end(0, {"told": "a desk in a folder"} if op == "check" else {})
'''


class Seen:
    def __init__(self, record):
        self.__dict__.update(record)
        self.target = " ".join([record["op"], *record["argv"], *record["env"].values()])


class Helper:
    breaches = []

    def __init__(self):
        self.root = tempfile.mkdtemp(prefix="tkt-helper-")
        self.nap = f"300.{uuid.uuid4().int}"  # of its child, told from all others by it
        self.program = self.write("helper", PROGRAM.replace("ROOT_FOLDER", repr(self.root))
                                  .replace("NAP", repr(self.nap)))
        self.url = self.program
        self._put({"tickets": {}, "seen": [], "plans": []})

    def write(self, name, text, mode=0o755):
        path = f"{self.root}/{name}"
        with open(path, "w", encoding="utf-8") as f:
            f.write(text.replace("/usr/bin/python3", sys.executable))
        os.chmod(path, mode)
        return path

    def _put(self, state):
        with open(f"{self.root}/state", "w", encoding="utf-8") as f:
            json.dump(state, f)

    def state(self):
        with open(f"{self.root}/state", encoding="utf-8") as f:
            return json.load(f)

    def change(self, **more):
        self._put(dict(self.state(), **more))

    @property
    def seen(self):
        return [Seen(r) for r in self.state()["seen"]]

    @property
    def tickets(self):
        return self.state()["tickets"]

    def plan(self, what, match, **more):
        state = self.state()
        state["plans"].append([what, match, more])
        self._put(state)

    def stop(self):
        shutil.rmtree(self.root)
