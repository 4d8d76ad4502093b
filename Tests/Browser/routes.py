"""The table of routes, and real things to fill the places in their patterns."""

import pathlib
from dataclasses import dataclass

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

    def __init__(self, service: Service) -> None:
        run, json = service.run, service.json
        run("snapshot", "create", "--volume", "ROOT-web01", "--name", "before-upgrade", "--description", "Before 2.0.")
        run("snapshot", "verify", "before-upgrade")
        run("snapshot", "create", "--instance", "web01", "--name", "both-disks")
        run("volume", "create", "archive", "--size", "1G")
        run("snapshot", "create", "--volume", "archive", "--name", "archive-empty")
        run("snapshot", "revert", "archive-empty")
        run("template", "create", "--from-snapshot", "before-upgrade", "--name", "golden")

        def id_of(kind: str, name: str) -> str:
            return json(kind, "show", name)["id"]

        self.instance = id_of("instance", "web01")
        self.root_volume, self.data_volume = id_of("volume", "ROOT-web01"), id_of("volume", "web01_data")
        self.free_volume = id_of("volume", "archive")
        self.snapshot = id_of("snapshot", "before-upgrade")
        self.template = id_of("template", "golden")

    def address(self, pattern: str, environment: str = "demo") -> str:
        """A real address of a page: one that has something to ask or to show."""
        parts = pattern.replace(":environment", environment).split("/")
        if ":id" in parts:
            kind, page = parts[parts.index(":id") - 1], parts[-1]
            id = {"instances": self.instance, "snapshots": self.snapshot, "templates": self.template,
                  "volumes": self.root_volume}[kind]
            if kind == "volumes":
                id = {"attach": self.free_volume, "delete": self.free_volume, "undo": self.free_volume,
                      "detach": self.data_volume}.get(page, id)
            parts[parts.index(":id")] = id
        return "/".join(parts) + (f"?id={self.snapshot}" if pattern.endswith("/snapshots/delete") else "")
