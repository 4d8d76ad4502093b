"""People with every role, who speak HTTP without a browser."""

import hashlib
import http.client
import json
import re
import sqlite3
import uuid
from dataclasses import dataclass, field
from urllib.parse import urlencode

from service import PATIENCE, Service

FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    status: int
    location: str
    text: str

    @property
    def leads_to_entrance(self) -> bool:
        return self.status == 303 and self.location.startswith("/sign-in")


@dataclass
class Person:
    """Somebody who is signed in and has a key, or nobody."""

    service: Service
    # One of `routes.ROLES`.
    role: str
    name: str | None = None
    id: str = ""
    cookies: dict[str, str] = field(default_factory=dict)
    form_token: str = ""
    key: str = ""

    def ask(self, method: str, path: str, body: str | None = None, content: str = "application/json") -> Answer:
        connection = http.client.HTTPConnection(self.service.url.removeprefix("http://"), timeout=PATIENCE)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if self.name and path.startswith("/api/"):
            headers["MC-Api-Key"] = self.key
        if body is not None:
            headers["Content-Type"] = content
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        # Streams and files have no end worth waiting for.
        is_page = (answer.getheader("Content-Type") or "").startswith(("text/html", "application/json"))
        text = answer.read().decode() if is_page else ""
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, value = cookie.split(";")[0].split("=", 1)
            self.cookies[name] = value
        connection.close()
        return Answer(answer.status, answer.getheader("Location") or "", text)

    def send_form(self, path: str, fields: dict[str, str]) -> Answer:
        return self.ask("POST", path, urlencode({"token": self.form_token, **fields}), FORM)

    def send_file(self, path: str) -> Answer:
        part = 'content-disposition: form-data; name="{}"'
        lines = ["--edge", part.format("token"), "", self.form_token,
                 "--edge", part.format("name"), "", "of-no-consequence",
                 "--edge", part.format("file") + '; filename="a.qcow2"', "content-type: application/octet-stream", "",
                 "no image", "--edge--", ""]
        return self.ask("POST", path, "\r\n".join(lines), "multipart/form-data; boundary=edge")


class People:
    """Written into the catalog from outside, as nobody else could be asked to make them before there are members."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.nobody = Person(service, "anyone")
        self.stranger = self.add("nadia", "user", None)
        self.viewer = self.add("vera", "viewer", "viewer")
        self.editor = self.add("eduardo", "editor", "editor")
        self.owner = self.add("olga", "owner", "owner")
        # Somebody whom the others have to do with.
        self.colleague = self.add("marisol", "viewer", "viewer")
        self.all = [self.nobody, self.stranger, self.viewer, self.editor, self.owner, self.operator()]

    def operator(self) -> Person:
        credentials = json.loads((self.service.data / "credentials.json").read_text())
        person = Person(self.service, "operator", name=self.service.user, key=credentials["mcApiKey"])
        self.sign_in(person)
        return person

    def add(self, name: str, role: str, membership: str | None) -> Person:
        identity = uuid.uuid4()
        id = identity.bytes
        person = Person(self.service, role, name=name, id=str(identity), key=f"key-of-{name}")
        with sqlite3.connect(self.service.data / "catalog.sqlite", timeout=PATIENCE) as catalog:
            catalog.execute("PRAGMA foreign_keys = ON")
            # Like the first user, with the same password, but for what makes them others.
            copy_row(catalog, "users", "is_operator = 1", id=id, name=person.name, is_operator=0)
            copy_row(catalog, "api_keys", "kind = 'rest'", id=uuid.uuid4().bytes, user_id=id, environment_id=None,
                     digest=hashlib.sha256(person.key.encode()).digest())
            self.set_role(catalog, id, "editor")
        # Whoever may not change anything gets no form; so all have been editors for a moment.
        self.sign_in(person)
        with sqlite3.connect(self.service.data / "catalog.sqlite", timeout=PATIENCE) as catalog:
            self.set_role(catalog, id, membership)
        return person

    def sign_in(self, person: Person) -> None:
        person.ask("POST", "/sign-in", urlencode({"user": person.name, "password": self.service.password}), FORM)
        form = person.ask("GET", "/environments/demo/volumes/new").text
        person.form_token = re.search(r'name="token" value="([^"]+)"', form)[1]

    def set_role(self, catalog: sqlite3.Connection, user: bytes, role: str | None) -> None:
        catalog.execute("DELETE FROM memberships WHERE user_id = ?", (user,))
        if role:
            catalog.execute(
                "INSERT INTO memberships (user_id, environment_id, role) "
                "SELECT ?, id, ? FROM environments WHERE name = 'demo'", (user, role))


def copy_row(catalog: sqlite3.Connection, table: str, condition: str, **others: object) -> None:
    cursor = catalog.execute(f"SELECT * FROM {table} WHERE {condition} LIMIT 1")
    names = [column[0] for column in cursor.description]
    row = dict(zip(names, cursor.fetchone())) | {name: value for name, value in others.items() if name in names}
    catalog.execute(
        f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))
