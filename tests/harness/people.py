# SPDX-License-Identifier: BSD-2-Clause
"""The same few people in every kind of directory: private servers, own ports, own CA."""
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import time

from .tls import make_ca, make_cert, run
from .util import as_user, free_port, port_open, socket_listens, stop, wait_for

PASSWORD = "Secret-{12}'345"
BASE = "dc=example,dc=test"

# address, name, department, title, location, manager, language, groups (nested ones too)
PEOPLE = [
    ("ann@example.test", "Änn Lee", "Sales", "Account manager", "Berlin",
     "bob@example.test", "de", ["sales-emea", "sales", "all-staff"]),
    ("bob@example.test", "Bob Ray", "Sales", "Head of sales", "Paris", "", "fr",
     ["sales", "all-staff"]),
    ("boss@example.test", "Carla Boss", "Management", "CEO", "Berlin", "", "en",
     ["board", "all-staff"]),
]
LOCALES = {"de": "de-DE, en;q=0.8", "fr": "fr", "en": "en-GB"}


def secret(root):
    path = f"{root}/password"
    with open(path, "w", encoding="utf-8") as f:
        f.write(PASSWORD)
    os.chmod(path, 0o600)
    return path


class Stage:
    """A directory that is there: section() gives its keys."""
    type = ""

    def __init__(self, root):
        self.root = root
        os.makedirs(root, exist_ok=True)

    @classmethod
    def missing(cls):
        """Why it cannot be had here, or None."""
        return None

    def start(self):
        return self

    def stop(self):
        pass

    def wrap(self, command):
        """The command where the server can be reached."""
        return command

    def section(self, **more):
        raise NotImplementedError

    @staticmethod
    def write(kind, **keys):
        lines = [f"    type = {kind}"]
        for key, value in keys.items():
            if isinstance(value, (list, tuple)):
                quoted = ", ".join('"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"'
                                   for v in value)
                lines.append(f"    {key} = {{{quoted}}}")
            elif isinstance(value, str):
                text = value.replace("\\", "\\\\").replace('"', '\\"')
                lines.append(f'    {key} = "{text}"')
            else:
                lines.append(f"    {key} = {value}")
        return 'directory "staff" {\n' + "\n".join(lines) + "\n}\n"


class FileStage(Stage):
    type = "file"

    def start(self):
        with open(f"{self.root}/people.csv", "w", encoding="utf-8") as f:
            f.write("address,name,department,title,location,manager,language,groups\n")
            for p in PEOPLE:
                f.write(",".join([*p[:6], LOCALES[p[6]].replace(",", ";"),
                                  '"' + ",".join(p[7]) + '"']) + "\n")
        return self

    def section(self, **more):
        return self.write("file", file=f"{self.root}/people.csv", **more)


SCHEMA = """
create table staff(mail text primary key, name text, dept text, job_title text, city text,
 boss text, locale text);
create table membership(mail text, grp text);
"""
QUERY = ("select name, dept, job_title as title, city as location, boss as manager,"
         " locale as language, grp as groups from staff left join membership"
         " on membership.mail = staff.mail where staff.mail = {address}")
MAP = ["department=dept"]


def rows():
    for p in PEOPLE:
        yield ("insert into staff values(?, ?, ?, ?, ?, ?, ?)", (*p[:6], LOCALES[p[6]]))
        for g in p[7]:
            yield ("insert into membership values(?, ?)", (p[0], g))


class SqliteStage(Stage):
    type = "sqlite"

    def start(self):
        with sqlite3.connect(f"{self.root}/hr.db") as db:
            db.executescript(SCHEMA)
            for sql, values in rows():
                db.execute(sql, values)
        db.close()
        return self

    def section(self, **more):
        keys = {"database": f"{self.root}/hr.db", "query": QUERY, "map": MAP, **more}
        return self.write("sqlite", **keys)


class OdbcStage(SqliteStage):
    type = "odbc"
    driver = "/usr/lib/x86_64-linux-gnu/odbc/libsqlite3odbc.so"

    @classmethod
    def missing(cls):
        return None if os.path.exists(cls.driver) else "no ODBC driver: libsqliteodbc"

    def section(self, **more):
        keys = {"database": f"Driver={self.driver};Database={self.root}/hr.db",
                "query": QUERY, "map": MAP, **more}
        return self.write("odbc", **keys)


class PostgresStage(Stage):
    type = "postgresql"

    def __init__(self, root):
        super().__init__(root)
        self.port = free_port()
        self.server = None

    @staticmethod
    def bin():
        path = shutil.which("initdb")
        if path:
            return os.path.dirname(os.path.realpath(path))
        versions = sorted(os.listdir("/usr/lib/postgresql")) if os.path.isdir(
            "/usr/lib/postgresql") else []
        return f"/usr/lib/postgresql/{versions[-1]}/bin" if versions else None

    @classmethod
    def missing(cls):
        return None if cls.bin() and shutil.which("psql") else "PostgreSQL is not installed"

    def as_postgres(self, *command):
        """initdb and the server refuse to run as root."""
        if os.geteuid() != 0:
            return list(command)
        import pwd
        who = pwd.getpwnam("postgres")
        return as_user(who.pw_uid, who.pw_gid, command)

    def start(self):
        data, words = f"{self.root}/pg", secret(self.root)
        shutil.copy(words, f"{self.root}/pgpass")
        os.makedirs(data, exist_ok=True)
        if os.geteuid() == 0:
            shutil.chown(data, "postgres")
            shutil.chown(f"{self.root}/pgpass", "postgres")
        run(*self.as_postgres(f"{self.bin()}/initdb", "-D", data, "-U", "hr", "-A",
                              "scram-sha-256", f"--pwfile={self.root}/pgpass", "-N",
                              "--locale=C", "-E", "UTF8"), cwd="/")
        self.launch()
        sql = SCHEMA + "".join(
            statement.replace("?", "%s") % tuple("'" + v.replace("'", "''") + "'"
                                                 for v in values) + ";\n"
            for statement, values in rows())
        run("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p",
            str(self.port), "-U", "hr", "postgres", input=sql.encode(),
            env={**os.environ, "PGPASSWORD": PASSWORD})
        return self

    def launch(self):
        self.server = subprocess.Popen(
            self.as_postgres(f"{self.bin()}/postgres", "-D", f"{self.root}/pg", "-p",
                             str(self.port), "-c", "listen_addresses=127.0.0.1", "-c",
                             "unix_socket_directories=", "-c", "fsync=off"),
            stdout=open(f"{self.root}/pg.log", "ab"), stderr=subprocess.STDOUT, cwd="/")
        wait_for("PostgreSQL", self.up)

    def up(self):
        if self.server.poll() is not None:
            raise RuntimeError("PostgreSQL ended:\n" + open(f"{self.root}/pg.log").read())
        return subprocess.run(["pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)],
                              check=False).returncode == 0

    def stop(self):
        stop(self.server, sig=signal.SIGINT)

    def section(self, **more):
        keys = {"database": f"host=127.0.0.1 port={self.port} user=hr dbname=postgres",
                "password": f"file:{self.root}/password", "query": QUERY, "map": MAP, **more}
        return self.write("postgresql", **keys)


LDAP_SCHEMA = """
attributetype ( 1.3.6.1.4.1.55555.1.1 NAME 'proxyAddresses' EQUALITY caseIgnoreMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.55555.1.2 NAME 'department' EQUALITY caseIgnoreMatch
 SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.55555.2.1 NAME 'staff' AUXILIARY
 MAY ( proxyAddresses $ department ) )
"""
LDAP_CONF = """
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
include {r}/staff.schema
pidfile {r}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
sizelimit size.soft=500 size.hard=500 size.pr=500 size.prtotal=unlimited
{tls}
authz-regexp "gidNumber=.*,cn=peercred,cn=external,cn=auth" "cn=admin,{base}"
authz-regexp "cn=ticketd" "cn=admin,{base}"
disallow bind_anon
require authc
database mdb
maxsize 100000000
suffix "{base}"
rootdn "cn=admin,{base}"
rootpw "{password}"
directory {r}/db
dbnosync
index objectClass,mail,member eq
overlay memberof
"""


def ldif_person(address, name, dept, title, city, boss, locale, with_classes):
    uid = address.split("@")[0]
    out = [f"dn: uid={uid},ou=people,{BASE}", *with_classes, f"uid: {uid}",
           f"cn:: {b64(name)}", f"displayName:: {b64(name)}", "sn: x",
           f"department: {dept}", f"title: {title}", f"l: {city}", f"mail: {address}",
           f"preferredLanguage: {locale}", f"proxyAddresses: SMTP:{address}",
           f"proxyAddresses: smtp:{uid}.alias@example.test"]
    if boss:
        out.append(f"manager: uid={boss.split('@')[0]},ou=people,{BASE}")
    return "\n".join(out) + "\n\n"


def b64(text):
    import base64
    return base64.b64encode(text.encode()).decode()


def ldif():
    classes = ["objectClass: inetOrgPerson", "objectClass: staff"]
    out = (f"dn: {BASE}\nobjectClass: domain\ndc: example\n\n"
           f"dn: ou=people,{BASE}\nobjectClass: organizationalUnit\nou: people\n\n"
           f"dn: ou=groups,{BASE}\nobjectClass: organizationalUnit\nou: groups\n\n")
    for p in sorted(PEOPLE, key=lambda p: p[5]):
        out += ldif_person(*p[:6], LOCALES[p[6]], classes)
    person = {p[0]: f"uid={p[0].split('@')[0]},ou=people,{BASE}" for p in PEOPLE}
    groups = {  # all-staff is within sales-emea too: a circle
        "sales-emea": [person["ann@example.test"]],
        "sales": [person["bob@example.test"], f"cn=sales-emea,ou=groups,{BASE}"],
        "board": [person["boss@example.test"]],
        "all-staff": [f"cn=sales,ou=groups,{BASE}", f"cn=board,ou=groups,{BASE}"]}
    for name, members in groups.items():
        out += (f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n"
                + "".join(f"member: {m}\n" for m in members) + "\n")
    return out


class LdapStage(Stage):
    type = "ldap"

    def __init__(self, root, tls=True):
        super().__init__(root)
        self.port, self.tls_port = free_port(), free_port()
        self.tls = tls
        self.server = None

    @classmethod
    def missing(cls):
        ok = (shutil.which("slapd") or os.path.exists("/usr/sbin/slapd")) and \
            shutil.which("ldapadd")
        return None if ok else "slapd and ldap-utils are not installed"

    def start(self):
        r = self.root
        make_ca(r)
        cert, key = make_cert(r, "server")
        tls = (f"TLSCACertificateFile {r}/ca.pem\nTLSCertificateFile {cert}\n"
               f"TLSCertificateKeyFile {key}\nTLSVerifyClient try\n") if self.tls else ""
        os.makedirs(f"{r}/db", exist_ok=True)
        secret(r)
        with open(f"{r}/staff.schema", "w", encoding="utf-8") as f:
            f.write(LDAP_SCHEMA)
        with open(f"{r}/slapd.conf", "w", encoding="utf-8") as f:
            f.write(LDAP_CONF.format(r=r, base=BASE, tls=tls, password=PASSWORD))
        self.launch()
        self.add(ldif())
        return self

    def launch(self):
        urls = f"ldap://127.0.0.1:{self.port} ldapi://{self.root.replace('/', '%2F')}%2Fldapi"
        if self.tls:
            urls += f" ldaps://127.0.0.1:{self.tls_port}"
        program = shutil.which("slapd") or "/usr/sbin/slapd"
        self.server = subprocess.Popen(
            [program, "-d", "0", "-h", urls, "-f", f"{self.root}/slapd.conf"],
            stdout=open(f"{self.root}/slapd.log", "ab"), stderr=subprocess.STDOUT)
        wait_for("slapd", self.up)

    def up(self):
        """On all of them: it begins to listen on one after the other."""
        if self.server.poll() is not None:
            with open(f"{self.root}/slapd.log", encoding="utf-8", errors="replace") as f:
                raise RuntimeError("slapd ended:\n" + f.read())
        return (port_open(self.port) and socket_listens(f"{self.root}/ldapi") and
                (not self.tls or port_open(self.tls_port)))

    def add(self, text):
        run("ldapadd", "-x", "-H", self.ldapi(), "-D", f"cn=admin,{BASE}", "-y",
            f"{self.root}/password", input=text.encode(), timeout=300)

    def ldapi(self):
        return f"ldapi://{self.root.replace('/', '%2F')}%2Fldapi"

    def stop(self):
        if self.server is not None and self.server.poll() is None:
            self.server.send_signal(signal.SIGCONT)
        stop(self.server, sig=signal.SIGINT)

    def keys(self, **more):
        return {"uris": [f"ldap://127.0.0.1:{self.port}"], "ca_file": f"{self.root}/ca.pem",
                "bind_dn": f"cn=admin,{BASE}", "password": f"file:{self.root}/password",
                "base": BASE, **more}

    def section(self, **more):
        return self.write("ldap", **self.keys(**more))


AD_BASE = "DC=hr,DC=example"


class AdStage(Stage):
    """A Samba domain controller in a network of its own (unshare -n)."""
    type = "ad"

    def __init__(self, root):
        super().__init__(root)
        self.server = None

    @classmethod
    def missing(cls):
        if os.geteuid() != 0:
            return "a domain controller needs root"
        for program in ("samba", "samba-tool", "unshare", "nsenter", "ip", "ldapadd"):
            if not (shutil.which(program) or os.path.exists(f"/usr/sbin/{program}")):
                return f"{program} is not installed"
        if subprocess.run(["unshare", "-n", "true"], check=False,
                          capture_output=True).returncode != 0:
            return "no network namespace may be made here"
        return None

    def start(self):
        r = self.root
        make_ca(r)
        cert, key = make_cert(r, "server", san="DNS:dc1.hr.example,IP:127.0.0.1")
        secret(r)
        run("samba-tool", "domain", "provision", f"--targetdir={r}/ad",
            "--realm=HR.EXAMPLE", "--domain=HR", f"--adminpass={PASSWORD}",
            "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1",
            "--host-ip=127.0.0.1", "--option=interfaces=lo",
            "--option=bind interfaces only=yes", timeout=300)
        conf = f"{r}/ad/etc/smb.conf"
        with open(conf, encoding="utf-8") as f:
            lines = [line for line in f.read().splitlines()
                     if "server services" not in line and "log file" not in line]
        at = lines.index("[global]") + 1
        # Its own place for all that is else one of the machine: another may run here too.
        lines[at:at] = ["server services = ldap", f"log file = {r}/log.%m",
                        f"pid directory = {r}/ad", f"ncalrpc dir = {r}/ad/ncalrpc",
                        f"winbindd socket directory = {r}/ad/winbindd",
                        "tls enabled = yes", f"tls certfile = {cert}",
                        f"tls keyfile = {key}", f"tls cafile = {r}/ca.pem"]
        with open(conf, "w", encoding="utf-8") as f:
            f.write("\n".join(lines) + "\n")
        os.chmod(key, 0o600)
        self.server = subprocess.Popen(
            ["unshare", "-n", "sh", "-c",
             f"ip link set lo up; exec samba -i -M single -s {conf} --debug-stdout"],
            stdout=open(f"{r}/samba.log", "ab"), stderr=subprocess.STDOUT)
        wait_for("the domain controller", self.up, step=0.2)
        run(*self.wrap(["ldapadd", "-x", "-H", "ldaps://127.0.0.1", "-D",
                        "administrator@hr.example", "-y", f"{r}/password"]),
            input=self.ldif().encode(), timeout=300,
            env={**os.environ, "LDAPTLS_CACERT": f"{r}/ca.pem"})
        return self

    def up(self):
        if self.server.poll() is not None:
            raise RuntimeError("samba ended:\n" + open(f"{self.root}/samba.log").read())
        return subprocess.run(
            self.wrap(["ldapsearch", "-x", "-H", "ldaps://127.0.0.1", "-s", "base", "-b", ""]),
            env={**os.environ, "LDAPTLS_CACERT": f"{self.root}/ca.pem"}, check=False,
            capture_output=True).returncode == 0

    @staticmethod
    def ldif():
        out = ""
        for p in sorted(PEOPLE, key=lambda p: p[5]):
            uid = p[0].split("@")[0]
            out += (f"dn: CN={uid},CN=Users,{AD_BASE}\nobjectClass: user\n"
                    f"sAMAccountName: {uid}\ndisplayName:: {b64(p[1])}\ndepartment: {p[2]}\n"
                    f"title: {p[3]}\nl: {p[4]}\nmail: {p[0]}\n"
                    f"preferredLanguage: {LOCALES[p[6]]}\n"
                    f"proxyAddresses: SMTP:{p[0]}\n"
                    f"proxyAddresses: smtp:{uid}.alias@example.test\n"
                    + (f"manager: CN={p[5].split('@')[0]},CN=Users,{AD_BASE}\n" if p[5] else "")
                    + "\n")
        dn = "CN=%s,CN=Users," + AD_BASE
        groups = [("sales-emea", ["ann"]), ("sales", ["bob", "sales-emea"]),
                  ("board", ["boss"]), ("all-staff", ["sales", "board"])]
        for name, members in groups:
            out += (f"dn: {dn % name}\nobjectClass: group\nsAMAccountName: {name}\n"
                    + "".join(f"member: {dn % m}\n" for m in members) + "\n")
        return out

    def wrap(self, command):
        return ["nsenter", "-t", str(self.server.pid), "-n", *command]

    def stop(self):
        stop(self.server)

    def section(self, **more):
        keys = {"uris": ["ldaps://127.0.0.1"], "ca_file": f"{self.root}/ca.pem",
                "bind_dn": "administrator@hr.example",
                "password": f"file:{self.root}/password", "base": AD_BASE,
                # its own groups (Users, Administrators ...) are not ours
                "group_filter": "(!(isCriticalSystemObject=TRUE))", **more}
        return self.write("ad", **keys)


STAGES = {s.type: s for s in (FileStage, SqliteStage, OdbcStage, PostgresStage, LdapStage,
                              AdStage)}


class Silent:
    """Accepts connections and says nothing."""

    def __init__(self):
        self.socket = socket.socket()
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen(50)
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def elapsed(start):
    return time.monotonic() - start
