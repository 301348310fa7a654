# SPDX-License-Identifier: BSD-2-Clause
"""A program in the place of sendmail: what it is given stands in files of a folder."""
import email
import email.policy
import os

PROGRAM = """\
#!/bin/sh
f=$(mktemp {box}/new.XXXXXX)
echo "X-Args: $*" >$f
cat >>$f
mv $f {box}/mail.${{f##*.}}
"""


class Outbox:
    """program: its path; mails(): parsed, with the arguments as X-Args."""

    def __init__(self, folder):
        self.box = os.path.join(folder, "box")
        os.mkdir(self.box)
        os.chmod(self.box, 0o777)
        self.program = os.path.join(folder, "sendmail")
        with open(self.program, "w", encoding="ascii") as f:
            f.write(PROGRAM.format(box=self.box))
        os.chmod(self.program, 0o755)

    def mails(self):
        found = []
        for name in sorted(os.listdir(self.box)):
            if name.startswith("mail."):
                with open(os.path.join(self.box, name), "rb") as f:
                    found.append(email.message_from_binary_file(f, policy=email.policy.default))
        return found

    def to(self, address):
        return [m for m in self.mails()
                if address in [a.addr_spec for a in m["To"].addresses]]

    def once(self, address, about=""):
        """To that recipient, with that word in the Subject. One that is sent again by who was
        killed while he sent it is the same: as mailboxes have it, by its Message-ID."""
        found = {m["Message-ID"]: m for m in self.to(address) if about in m["Subject"]}
        return list(found.values())
