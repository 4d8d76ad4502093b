"""The table of routes, and real things to fill the places in their patterns."""

import json
import pathlib
import re
import urllib.request
from dataclasses import dataclass

from people import People
from service import Service

# From the least to the most.
ROLES = ("anyone", "user", "viewer", "editor", "owner", "operator")


@dataclass(frozen=True)
class Route:
    least: str
    method: str
    pattern: str
    # What the API's calls to one address differ by.
    operation: str | None = None

    @property
    def is_console(self) -> bool:
        return not self.pattern.startswith("/api/")

    def allows(self, role: str) -> bool:
        return ROLES.index(role) >= ROLES.index(self.least)

    def __str__(self) -> str:
        return f"{self.method} {self.pattern}" + (f"?operation={self.operation}" if self.operation else "")


def read() -> list[Route]:
    text = pathlib.Path(__file__).with_name("routes.txt").read_text()
    words = (line.split() for line in text.splitlines() if line and not line.startswith("#"))
    return [Route(*word) for word in words]


ALL = read()


class Furniture:
    """Things of every kind in an environment, so that every page has something to show."""

    def __init__(self, service: Service, people: People) -> None:
        run, json_of = service.run, service.json
        run("snapshot", "create", "--volume", "ROOT-web01", "--name", "before-upgrade", "--description", "Before 2.0.")
        run("snapshot", "verify", "before-upgrade")
        run("snapshot", "create", "--instance", "web01", "--name", "both-disks")
        run("volume", "create", "archive", "--size", "1G")
        run("snapshot", "create", "--volume", "archive", "--name", "archive-empty")
        run("snapshot", "revert", "archive-empty")
        run("template", "create", "--from-snapshot", "before-upgrade", "--name", "golden")

        def id_of(kind: str, name: str) -> str:
            return json_of(kind, "show", name)["id"]

        def first_of(path: str) -> str:
            credentials = json.loads((service.data / "credentials.json").read_text())
            request = urllib.request.Request(
                f"{service.url}/api/v2{path}", headers={"MC-Api-Key": credentials["mcApiKey"]})
            with urllib.request.urlopen(request) as answer:
                return json.load(answer)["data"][0]["id"]

        self.instance = id_of("instance", "web01")
        self.root_volume, self.data_volume = id_of("volume", "ROOT-web01"), id_of("volume", "web01_data")
        self.free_volume = id_of("volume", "archive")
        self.snapshot = id_of("snapshot", "before-upgrade")
        self.group = json_of("snapshot", "show", "both-disks_ROOT-web01")["groupId"]
        self.template = id_of("template", "golden")
        # For pages about a person, and about the keys of whoever looks.
        self.user = people.colleague.id
        operator = people.operator()
        keys = operator.ask("GET", "/profile").text
        self.key = next(iter(re.findall(r"/profile/keys/([^/]+)/delete", keys)), "none")
        self.owner_of_key = re.search(rf'/users/([^/"]+)">{operator.name}<', operator.ask("GET", "/users").text)[1]
        in_demo = "/services/compute/demo"
        self.ids = {
            "members": self.user, "users": self.user,
            "instances": self.instance, "snapshots": self.snapshot, "templates": self.template,
            "volumes": self.root_volume, "tasks": first_of(f"{in_demo}/tasks"),
            "connections": first_of("/services/connections"), "organizations": first_of("/organizations"),
            "environments": next(row["id"] for row in json_of("environment", "list") if row["name"] == "demo"),
            "pools": "local", "zones": first_of(f"{in_demo}/zones"),
            "computeofferings": first_of(f"{in_demo}/computeofferings"),
            "diskofferings": first_of(f"{in_demo}/diskofferings"),
        }

    def address(self, pattern: str, environment: str = "demo") -> str:
        """A real address of a page: one that has something to ask or to show."""
        places = {":environment": environment, ":service": "compute", ":user": self.user, ":key": self.key}
        parts = [places.get(part, part) for part in pattern.split("/")]
        if ":id" in parts:
            kind, page = parts[parts.index(":id") - 1], parts[-1]
            id = self.ids[kind]
            if ":key" in pattern:
                id = self.owner_of_key
            if kind == "volumes":
                id = {"attach": self.free_volume, "delete": self.free_volume, "undo": self.free_volume,
                      "detach": self.data_volume}.get(page, id)
            parts[parts.index(":id")] = id
        query = {"/snapshots/delete": f"?id={self.snapshot}", "/snapshots/deletionPlan": f"?ids={self.snapshot}",
                 "/instances/:id/revert": f"?group={self.group}", "/apiInfo": "?environmentId=" + environment,
                 "/activity_log": "?environmentId=" + environment, "/summary": "?environmentId=" + environment}
        return "/".join(parts) + next((text for end, text in query.items() if pattern.endswith(end)), "")

    def body(self, route: Route) -> dict[str, object]:
        """What the API would accept for a call, of somebody who may make it."""
        name, pattern = {"name": "of-no-consequence"}, route.pattern
        role = {"role": {"id": "viewer"}}
        if "/members" in pattern:
            return role | {"user": {"id": self.user}}
        if route.method == "PUT" or pattern == "/api/v2/environments":
            return name
        template, by_operation = {"templateId": self.template}, {
            "revert": {"groupId": self.group}, "attachToInstance": {"instanceId": self.instance},
            "resize": {"sizeInGb": 2}, "move": {"poolId": "local"}, "createVolume": name, "createTemplate": name,
            "createInstance": name}
        by_list = {
            "instances": name | template, "volumes": name | {"sizeInGb": 1},
            "users": {"userName": "nobody-new"}, "snapshots": {"volumeId": self.root_volume},
            "templates": name | {"url": "https://example.com/a.qcow2"}}
        return by_operation.get(route.operation or "", by_list.get(pattern.split("/")[-1], {}))
