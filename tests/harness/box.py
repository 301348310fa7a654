# SPDX-License-Identifier: BSD-2-Clause
"""A program that takes mail as sendmail does, and the folder where it puts it."""
import email
import email.policy
import os

SCRIPT = """#!/bin/sh
f=$(mktemp {box}/new.XXXXXX)
cat >> $f
mv $f {box}/mail.${{f##*.}}
"""


class Box:
    def __init__(self, root):
        self.path = os.path.join(root, "box")
        os.mkdir(self.path)
        os.chmod(self.path, 0o777)
        self.program = os.path.join(root, "sendmail")
        with open(self.program, "w", encoding="utf-8") as f:
            f.write(SCRIPT.format(box=self.path))
        os.chmod(self.program, 0o755)

    def mails(self, to=None, about=""):
        """To that recipient, with that word in the Subject. One that is sent again by who was
        killed while he sent it is the same: as mailboxes have it, by its Message-ID."""
        found = {}
        for name in os.listdir(self.path):
            if name.startswith("mail."):
                with open(os.path.join(self.path, name), "rb") as f:
                    m = email.message_from_binary_file(f, policy=email.policy.default)
                if (to is None or m["To"].addresses[0].addr_spec == to) and \
                        about in m["Subject"]:
                    found[m["Message-ID"]] = m
        return list(found.values())
