# SPDX-License-Identifier: BSD-2-Clause
"""ServiceNow's Table, Attachment and Import Set API and its token endpoint, strictly.

Also in what is easily overlooked: a part of a query that names no column is ignored, so that
rows come back that have nothing to do with it.
"""
import hashlib
import time
import urllib.parse

from harness.vendor import Refuse, Vendor

INCIDENT = {"sys_id", "number", "short_description", "description", "caller_id",
            "assignment_group", "assigned_to", "category", "subcategory", "contact_type",
            "impact", "urgency", "priority", "state", "hold_reason", "close_code",
            "close_notes", "comments", "work_notes", "correlation_id", "correlation_display",
            "u_site", "sys_updated_on", "sys_created_on"}
COLUMNS = {"incident": INCIDENT, "sc_request": INCIDENT - {"caller_id", "hold_reason", "close_code"} |
           {"requested_for"},
           "sys_user": {"sys_id", "name", "email", "user_name", "active", "first_name",
                        "last_name"},
           "sys_user_group": {"sys_id", "name", "email", "active"},
           "sys_journal_field": {"sys_id", "element_id", "element", "value", "sys_created_on",
                                 "sys_created_by"}}
REFERENCES = {"caller_id": "sys_user", "requested_for": "sys_user", "assigned_to": "sys_user",
              "assignment_group": "sys_user_group"}
LENGTHS = {"short_description": 160, "description": 4000, "correlation_id": 100,
           "correlation_display": 100}
MATRIX = {"11": "1", "12": "2", "13": "3", "21": "2", "22": "3", "23": "4", "31": "3",
          "32": "4", "33": "5"}


def error(status, message, detail="x"):
    return Refuse(status, {"error": {"message": message, "detail": detail},
                           "status": "failure"})


class ServiceNow(Vendor):
    def __init__(self):
        super().__init__()
        self.user, self.password = "us", "s3cret-word"
        self.client, self.life_s, self.tokens, self.fetches = "cl", 1800, {}, []
        self.tables = {name: {} for name in COLUMNS}
        self.files = {}
        self.import_status = "inserted"
        self.item = "0123456789abcdef0123456789abcdef"
        self.variables = {"site"}  # of the catalog item; all are mandatory
        self.orders = []
        self.may_make_users = False
        self.count = 10001
        self.add("sys_user", name="Ann Lee", email="Ann@Example.org", user_name="ann",
                 active="true")
        self.net = self.add("sys_user_group", name="Network Team", email="", active="true")

    def add(self, table, **row):
        row["sys_id"] = hashlib.md5(f"{table}{self.count}".encode()).hexdigest()
        self.count += 1
        self.tables[table][row["sys_id"]] = row
        return row["sys_id"]

    # -- who asks
    def authorise(self, r):
        if r.basic() == f"{self.user}:{self.password}":
            return
        if r.headers.get("x-sn-apikey") == self.password:
            return
        if self.tokens.get(r.bearer(), 0) > time.monotonic():
            return
        raise error(401, "User Not Authenticated", "Required to provide Auth information")

    def token(self, r):
        if r.type() != "application/x-www-form-urlencoded":
            raise Refuse(401, {"error": "invalid_request"})
        form = dict(urllib.parse.parse_qsl(r.body.decode(), strict_parsing=True))
        self.fetches.append(form["grant_type"])
        if form["client_id"] != self.client or form["client_secret"] != "cl1ent-word":
            raise Refuse(401, {"error": "invalid_client"})
        if form["grant_type"] == "password" and \
                (form["username"], form["password"]) != (self.user, self.password):
            raise Refuse(401, {"error": "server_error", "error_description": "access_denied"})
        assert form["grant_type"] in ("password", "client_credentials")
        token = f"tok-{len(self.fetches)}"
        self.tokens[token] = time.monotonic() + self.life_s
        return 200, {"access_token": token, "token_type": "Bearer", "expires_in": self.life_s,
                     "scope": "useraccount"}, ()

    # -- tables
    def matching(self, table, query):
        rows = list(self.tables[table].values())
        for part in query.split("^"):
            if part.startswith("ORDERBY") or not part:
                continue
            for operator in ("IN", "="):
                name, found, wanted = part.partition(operator)
                if found and name in COLUMNS[table]:
                    allowed = wanted.split(",") if operator == "IN" else [wanted]
                    low = [a.lower() for a in allowed]
                    rows = [x for x in rows if x.get(name, "").lower() in low]
                    break
        return rows

    def shape(self, row, r):
        names = r.query.get("sysparm_fields")
        picked = {k: row.get(k, "") for k in
                  (names.split(",") if names else row) if k in row or k in INCIDENT}
        if r.query.get("sysparm_display_value") != "all":
            return picked
        return {k: {"value": v, "display_value": self.tables[REFERENCES[k]][v]["name"]
                    if k in REFERENCES and v else v} for k, v in picked.items()}

    def write(self, table, row, given):
        for name, value in given.items():
            if name not in COLUMNS[table]:
                raise ValueError(f"{table} has no column {name}")
            if not isinstance(value, str) or len(value) > LENGTHS.get(name, 1 << 20):
                raise ValueError(f"{name}: {value!r}")
            if name in REFERENCES and value not in self.tables[REFERENCES[name]]:
                raise ValueError(f"{name} is dangling")
        state = given.get("state")
        if table == "incident" and state in ("6", "7") and not (given.get("close_code") and given.get("close_notes")):
            raise error(403, "Operation Failed", "Data Policy Exception: Resolution code")
        if table == "incident" and state == "3" and not given.get("comments"):
            raise error(403, "Operation Failed", "Data Policy Exception: comments")
        for element in ("comments", "work_notes"):
            text = given.pop(element, None)
            if text is not None:
                self.add("sys_journal_field", element_id=row["sys_id"], element=element,
                         value=text, sys_created_by="us",
                         sys_created_on="2026-11-22 10:00:00")
        row.update(given)
        row["priority"] = MATRIX.get(row.get("impact", "3") + row.get("urgency", "3"))
        row["sys_updated_on"] = "2026-11-22 10:00:00"

    def insert(self, table, given):
        if table == "sys_user":
            if not self.may_make_users:
                raise error(403, "Operation Failed", "ACL Exception Insert Failed")
            return self.tables[table][self.add(table, active="true", name=given["last_name"],
                                               user_name="", **given)]
        row = {"sys_id": "", "number": f"INC00{self.count}", "state": "1"}
        row["sys_id"] = hashlib.md5(row["number"].encode()).hexdigest()
        self.count += 1
        self.write(table, row, given)
        self.tables[table][row["sys_id"]] = row
        return row

    def table(self, r, table, rest):
        if table not in COLUMNS:
            raise error(400, f"Invalid table {table}")
        if r.method == "GET" and not rest:
            rows = self.matching(table, r.query.get("sysparm_query", ""))
            rows = rows[:int(r.query["sysparm_limit"])]
            return 200, {"result": [self.shape(x, r) for x in rows]}, ()
        if r.method == "POST" and not rest:
            row = self.insert(table, r.json())
            return 201, {"result": self.shape(row, r)}, [
                ("Location", f"{self.url}/api/now/table/{table}/{row['sys_id']}")]
        row = self.tables[table].get(rest)
        if row is None:
            raise error(404, "No Record found",
                        "Record doesn't exist or ACL restricts the record retrieval")
        if r.method == "PATCH":
            self.write(table, row, r.json())
        return 200, {"result": self.shape(row, r)}, ()

    # -- files, imports
    def attachment(self, r, rest):
        if r.method == "GET" and not rest:
            wanted = r.query["sysparm_query"].removeprefix("table_sys_id=")
            return 200, {"result": [f for f in self.files.values()
                                    if f["table_sys_id"] == wanted]}, ()
        if r.method != "POST" or rest != "file":
            self.not_found(r)
        names = ("table_name", "table_sys_id", "file_name")
        if any(not r.query.get(n) for n in names) or not r.type():
            raise error(400, "missing parameter")
        if r.query["table_sys_id"] not in self.tables[r.query["table_name"]]:
            raise error(404, "No Record found")
        entry = {"sys_id": hashlib.md5(str(len(self.files)).encode()).hexdigest(),
                 "size_bytes": str(len(r.body)), "hash": hashlib.sha256(r.body).hexdigest(),
                 "content_type": r.type(), **{n: r.query[n] for n in names}}
        self.files[entry["sys_id"]] = entry
        return 201, {"result": entry}, ()

    def imported(self, r, staging):
        given = r.json()
        assert all(isinstance(v, str) for v in given.values())
        result = {"transform_map": "m", "table": "incident", "status": self.import_status}
        if self.import_status == "error":
            result["error_message"] = "No transform entry"
        else:
            key = given["u_correlation_id"]
            rows = self.matching("incident", f"correlation_id={key}")
            row = rows[0] if rows else self.insert("incident", {
                "correlation_id": key, "short_description": given["u_short_description"]})
            result.update(display_name="number", display_value=row["number"],
                          sys_id=row["sys_id"], status="updated" if rows else "inserted",
                          record_link=f"{self.url}/api/now/table/incident/{row['sys_id']}")
        return 201, {"import_set": "ISET1", "staging_table": staging, "result": [result]}, ()

    # -- the catalog
    def order(self, r, item):
        given = r.json()
        if item != self.item:
            raise error(404, "Record not found", "Item does not exist")
        if set(given) - {"sysparm_quantity", "sysparm_requested_for", "variables"}:
            raise error(400, "Invalid parameter")
        if not str(given.get("sysparm_quantity", "")).isdigit():
            raise error(400, "Invalid Quantity Value")
        person = given.get("sysparm_requested_for")
        if person is not None and person not in self.tables["sys_user"]:
            raise error(400, "Invalid user")
        if set(given.get("variables", {})) != self.variables:
            raise error(400, "Mandatory Variables are required")
        row = self.insert("sc_request", {"requested_for": person} if person else {})
        row["number"] = row["number"].replace("INC", "REQ")
        self.orders.append(given)
        return 200, {"result": {"sys_id": row["sys_id"], "number": row["number"],
                                "request_number": row["number"], "table": "sc_request",
                                "request_id": row["sys_id"]}}, ()

    def answer(self, request):
        r = request
        if (r.method, r.path) == ("POST", "/oauth_token.do"):
            return self.token(r)
        self.authorise(r)
        if r.headers.get("Accept") != "application/json":
            raise error(400, "Accept")
        if r.method != "GET" and not r.path.startswith("/api/now/attachment") and \
                r.type() != "application/json":
            raise error(400, "Content-Type")
        parts = r.path.strip("/").split("/")
        if parts[:4] == ["api", "now", "v2", "table"] and len(parts) in (5, 6):
            return self.table(r, parts[4], parts[5] if len(parts) == 6 else "")
        if parts[:5] == ["api", "sn_sc", "v1", "servicecatalog", "items"] and \
                len(parts) == 7 and parts[6] == "order_now" and r.method == "POST":
            return self.order(r, parts[5])
        if parts[:3] == ["api", "now", "attachment"]:
            return self.attachment(r, "/".join(parts[3:]))
        if parts[:3] == ["api", "now", "import"] and r.method == "POST":
            return self.imported(r, parts[3])
        return self.not_found(r)
