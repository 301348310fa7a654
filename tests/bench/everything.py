# SPDX-License-Identifier: BSD-2-Clause
"""The configuration with all that decides: the shipped rules, a learned model, priority, a
directory, assignment, correlated alarms, likeness. And mails that people wrote."""
import csv
import glob
import json
import os
import re
import subprocess

from harness.product import DESKS, Product

SOURCE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SENDERS = 200  # of mails.c
AGENTS = 10
LARGE = "banking77-train.csv"  # 77 labels, 10,000 texts

TOP = """\
include("{root}/rules/*.conf")
calendar "office" {{
    time_zone = "Europe/Berlin"
    hours = {{"daily 00:00-12:00", "daily 12:00-24:00"}}
    holidays = {{"1970-01-01", "1970-12-25"}}
}}
{agents}
people {{
    domains = {{"example.org"}}
    lookups_max = 10000
}}
directory "staff" {{
    type = file
    file = "{root}/people.csv"
}}
model {{
    file = "{root}/model"
    trainer = "{build}/ticket-train"
}}
correlate "monitoring" {{
    if_sender = {{"nagios@*", "*@monitoring.example.org"}}
    key = {{"^(?:PROBLEM|RECOVERY): (\\\\S+) "}}
    recovery = {{"^RECOVERY: "}}
}}
priority {{
    vip = 1
    affected = {{"5", "25"}}
}}
"""


def data(name):
    """Of the folder TKT_DATA, or beside the checkout; None: not there."""
    for where in (os.environ.get("TKT_DATA"), f"{SOURCE}/../shared/data/classify"):
        if where and os.path.exists(f"{where}/{name}"):
            return f"{where}/{name}"
    return None


def dev_mails():
    with open(f"{SOURCE}/tests/decide/dev/group.jsonl", encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]


def write_mails(path):
    """As mails.h wants them: Subject and sentences, parted by tabs."""
    with open(path, "w", encoding="utf-8") as f:
        for m in dev_mails():
            lines = re.split(r"\n|(?<=[.!?]) ", m["body"])
            parts = [m["subject"], *(s.strip() for s in lines)]
            f.write("\t".join(re.sub(r"\s+", " ", p)[:300] for p in parts if p) + "\n")
    os.chmod(path, 0o644)
    return path


def write_rules(root, members):
    """The shipped ones, the empty groups with people in them."""
    os.makedirs(f"{root}/rules", exist_ok=True)
    inside = (f"    members = {{{members}}}\n    strategy = least_open\n"
              '    calendar = "office"\n')
    for path in glob.glob(f"{SOURCE}/conf/rules/*.conf"):
        with open(path, encoding="utf-8") as f:
            text = re.sub(r'^(group "[^"]*" \{\n)', r"\1" + inside, f.read(), flags=re.M)
        with open(f"{root}/rules/{os.path.basename(path)}", "w", encoding="utf-8") as f:
            f.write(text)


def write_people(path):
    with open(path, "w", encoding="utf-8") as f:
        f.write("address,name,department,title,location,manager,language,groups,vip\n")
        for i in range(SENDERS):
            f.write(f"customer{i}@example.org,Customer {i},Sales {i % 7},Clerk,Berlin,"
                    f'boss@example.org,en,"staff,team{i % 12}",{"yes" if i % 50 == 0 else ""}\n')
    os.chmod(path, 0o644)


def write_model(root, build):
    """Learned of TKT_DATA, or of the mails of tests/decide/dev: which of them."""
    large = data(LARGE)
    with open(f"{root}/texts.csv", "w", encoding="utf-8", newline="") as f:
        out = csv.writer(f)
        out.writerow(["subject", "text", "category", "group"])
        for m in dev_mails():
            out.writerow([m["subject"], m["body"], m["group"], m["group"]])
    with open(f"{root}/train.conf", "w", encoding="utf-8") as f:
        f.write(DESKS)
    subprocess.run([f"{build}/ticketctl/ticketctl", "-c", f"{root}/train.conf", "model",
                    "train", "--trainer", f"{build}/ticket-train", "--date", "2026-01-01",
                    "--out", f"{root}/model", large or f"{root}/texts.csv"],
                   check=True, stdout=subprocess.DEVNULL)
    os.chmod(f"{root}/model", 0o644)
    return LARGE if large else "tests/decide/dev"


def product(root, build, **parts):
    """ticketd with all of it, ready to be started, below root; .model says of what."""
    os.makedirs(root, exist_ok=True)
    os.chmod(root, 0o711)
    agents = [f"agent{i}@desk.example" for i in range(AGENTS)]
    write_rules(root, ", ".join(f'"{a}"' for a in agents))
    write_people(f"{root}/people.csv")
    model = write_model(root, build)
    desks = TOP.format(root=root, build=build, agents="\n".join(
        f'agent "{a}" {{\n    name = "Agent"\n}}' for a in agents)) + DESKS.replace(
            'prefix = "IT"', 'prefix = "IT"\n    group = "it-servicedesk"')
    made = Product(root, build, desks=desks, **parts)
    made.model = model
    made.prepare()
    return made
