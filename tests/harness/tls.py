# SPDX-License-Identifier: BSD-2-Clause
"""A certificate authority of a suite's own, by openssl(1)."""
import subprocess


def run(*command, timeout=180, **kw):
    return subprocess.run(command, check=True, capture_output=True, timeout=timeout, **kw)


def make_ca(root, name="ca"):
    run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", f"{root}/{name}.key",
        "-out", f"{root}/{name}.pem")
    return f"{root}/{name}.pem"


def make_cert(root, name, ca="ca", san="IP:127.0.0.1,DNS:localhost", cn=None):
    base = f"{root}/{name}"
    with open(f"{base}.ext", "w", encoding="utf-8") as f:
        f.write(f"subjectAltName={san}\n")
    run("openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
        "-subj", cn or f"/CN={name}", "-keyout", f"{base}.key", "-out", f"{base}.csr")
    run("openssl", "x509", "-req", "-in", f"{base}.csr", "-CA", f"{root}/{ca}.pem", "-CAkey",
        f"{root}/{ca}.key", "-CAcreateserial", "-days", "2", "-extfile", f"{base}.ext",
        "-out", f"{base}.pem")
    return f"{base}.pem", f"{base}.key"
