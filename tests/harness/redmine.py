# SPDX-License-Identifier: BSD-2-Clause
"""Redmine of the distribution on loopback, with SQLite, in a folder of its own.

Debian's package sets up a site of the system when it is installed; here only its files are
used: those of the installed package, or else unpacked from a downloaded one.
"""
import glob
import html
import json
import os
import pwd
import re
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from .util import free_port, stop, wait_for

INSTALLED = "/usr/share/redmine"
SETUP = r"""
Setting.rest_api_enabled = '1'
Setting.notified_events = []
Setting.issue_group_assignment = '1'
role = Role.create!(:name => 'Ticket milter', :issues_visibility => 'all',
                    :permissions => [:view_issues, :add_issues, :edit_issues, :add_issue_notes,
                                     :view_private_notes, :set_notes_private, :view_project,
                                     :add_issue_watchers], :assignable => true)
IssueStatus.all.each { |a| IssueStatus.all.each { |b| Tracker.all.each { |t|
  WorkflowTransition.create!(:tracker => t, :role => role, :old_status => a, :new_status => b) if a != b } } }
project = Project.create!(:name => 'Support', :identifier => 'support', :is_public => false)
project.trackers = Tracker.all
project.enabled_module_names = %w(issue_tracking)
project.save!
def person(login, admin)
  u = User.new(:firstname => login.capitalize, :lastname => 'Test', :mail => "#{login}@sender.test")
  u.login = login; u.admin = admin; u.password = u.password_confirmation = 'no-one-knows'
  u.save!; u
end
us = person('ticketmilter', true)
person('ann', false)
group = Group.create!(:lastname => 'Network')
Member.create!(:project => project, :principal => us, :roles => [role])
Member.create!(:project => project, :principal => group, :roles => [role])
%w(CorrelationId Site).each { |n|
  f = IssueCustomField.new(:name => n, :field_format => 'string', :is_filter => true,
                           :is_for_all => false, :visible => true)
  f.trackers = Tracker.all; f.projects = [project]; f.save! }
puts "key: #{us.api_key}"
"""


class Redmine:
    def __init__(self, root, build):
        self.root = f"{root}/redmine"
        self.app = f"{self.root}/app"
        self.home = f"{self.app}/instances/tests"
        self.build = build
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.key = None
        self.process = None
        self.browser = None
        self.env = {"PATH": "/usr/bin:/bin", "HOME": self.home, "LANG": "C.UTF-8",
                    "REDMINE_INSTANCE": "tests", "RAILS_ENV": "production",
                    "REDMINE_LANG": "en", "SCHEMA": f"{self.home}/schema.rb",
                    "BUNDLE_GEMFILE": f"{self.app}/Gemfile"}

    @staticmethod
    def _files(build):
        """Where the application's files are, or (None, why not)."""
        if os.path.exists(f"{INSTALLED}/config.ru"):
            return INSTALLED, None
        into = f"{build}/peers/redmine"
        if not os.path.exists(f"{into}{INSTALLED}/config.ru"):
            if shutil.which("apt-get") is None:
                return None, "no apt-get to fetch Redmine's package"
            os.makedirs(into, exist_ok=True)
            got = subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download",
                                  "redmine"], cwd=into, capture_output=True, text=True,
                                 check=False)
            if got.returncode != 0:
                return None, "cannot download Redmine: " + got.stderr.strip()[-200:]
            for deb in glob.glob(f"{into}/*.deb"):
                subprocess.run(["dpkg", "-x", deb, into], check=True)
        return f"{into}{INSTALLED}", None

    @staticmethod
    def missing(build):
        if os.geteuid() != 0:
            return "Redmine is set up by root"
        if shutil.which("puma") is None or shutil.which("ruby") is None:
            return "no puma or ruby: install puma ruby-sqlite3 and what redmine depends on"
        probe = subprocess.run(["ruby", "-e", "%w(rails sqlite3 rotp roadie-rails).each { |n| gem n }"],
                               capture_output=True, text=True, check=False)
        if probe.returncode != 0:
            return "gems of Redmine are missing: " + probe.stderr.strip()[-200:]
        return Redmine._files(build)[1]

    def _as_www(self, command, **more):
        return subprocess.run(["setpriv", "--reuid", "www-data", "--regid", "www-data",
                               "--init-groups", *command], cwd=self.app, env=self.env, **more)

    def _setup(self):
        os.makedirs(self.root)
        os.chmod(self.root, 0o755)
        shutil.copytree(self._files(self.build)[0], self.app, symlinks=True,
                        ignore=shutil.ignore_patterns("instances", "Gemfile.lock", "database.yml"))
        for folder in ("config", "log", "tmp/pdf", "tmp/cache", "files", "plugin_assets",
                       "public/plugin_assets"):
            os.makedirs(f"{self.home}/{folder}")
        with open(f"{self.app}/Gemfile.local", "w", encoding="ascii") as f:
            f.write('gem "sqlite3", "~> 1.4"\n')
        with open(f"{self.home}/config/database.yml", "w", encoding="ascii") as f:
            f.write(f"production:\n  adapter: sqlite3\n  database: {self.home}/redmine.db\n"
                    "  timeout: 20000\n")
        with open(f"{self.home}/config/configuration.yml", "w", encoding="ascii") as f:
            f.write("default:\n  email_delivery:\n    delivery_method: :test\n")
        with open(f"{self.home}/config/secret_key.txt", "w", encoding="ascii") as f:
            f.write("0123456789abcdef" * 4)
        user = pwd.getpwnam("www-data")
        os.chown(self.app, user.pw_uid, user.pw_gid)
        for path, folders, names in os.walk(self.home):
            os.chown(path, user.pw_uid, user.pw_gid)
            for name in names:
                os.chown(f"{path}/{name}", user.pw_uid, user.pw_gid)
        log = open(f"{self.root}/setup.log", "wb")
        quiet = {"stdout": log, "stderr": log, "stdin": subprocess.DEVNULL}
        for task in ("db:migrate", "redmine:load_default_data"): # one process would not do
            self._as_www(["rake", task], check=True, timeout=240, **quiet)
        done = self._as_www(["ruby", "bin/rails", "runner", "-"], input=SETUP, text=True,
                            capture_output=True, check=False, timeout=300)
        if "key: " not in done.stdout:
            raise RuntimeError("Redmine was not set up: " + done.stderr[:2000])
        self.key = done.stdout.split("key: ")[1].split()[0]

    def start(self):
        if self.key is None:
            self._setup()
        log = open(f"{self.root}/server.log", "ab")
        self.process = subprocess.Popen(
            ["setpriv", "--reuid", "www-data", "--regid", "www-data", "--init-groups", "puma",
             "-e", "production", "-t", "4:4", "-b", f"tcp://127.0.0.1:{self.port}", "config.ru"],
            env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd=self.app)
        wait_for("Redmine to answer", lambda: self.get("/issues.json") is not None, step=0.5)
        return self

    def stop(self):
        stop(self.process)
        self.process = None

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Redmine-API-Key": self.key or "", "Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            data = answer.read()
            return json.loads(data) if data else {}

    def get(self, path):
        try:
            return self.call("GET", path)
        except (urllib.error.URLError, OSError, ValueError):
            return None

    def issues(self):
        """All of them, oldest first."""
        return self.call("GET", "/issues.json?status_id=*&sort=id&limit=100")["issues"]

    def issue(self, number):
        return self.call("GET", f"/issues/{number}.json?include=journals,attachments,watchers")["issue"]

    def _page(self, path, form=None):
        """A page, as the agent's browser gets it; a form is sent with its token."""
        if self.browser is None:
            self.browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
            self._page("/login", {"username": "ticketmilter", "password": "no-one-knows"})
        with self.browser.open(self.url + path, timeout=60) as answer:
            text = answer.read().decode()
        if form is None:
            return text
        token = re.search(r'name="csrf-token" content="([^"]+)"', text)[1]
        data = urllib.parse.urlencode({"authenticity_token": html.unescape(token), **form})
        with self.browser.open(self.url + path.split("?")[0], data.encode(), timeout=60) as answer:
            return answer.read().decode()

    def page(self, number):
        return self._page(f"/issues/{number}")

    def set_markup(self, name):
        """textile, markdown, common_mark or "" (none): the administrator's setting."""
        self._page("/settings/edit?tab=general", {"settings[text_formatting]": name})

    def file(self, url):
        request = urllib.request.Request(url, headers={"X-Redmine-API-Key": self.key})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def log(self):
        try:
            with open(f"{self.root}/server.log", encoding="utf-8", errors="replace") as f:
                return f.read()[-3000:]
        except FileNotFoundError:
            return ""
