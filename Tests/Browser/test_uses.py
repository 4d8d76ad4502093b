"""What the guide says that a snapshot is good for, with machines that really go back and come up."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from service import Service, eventually
from visitor import Visitor
from words import SPANISH

Visit = Callable[..., Visitor]

REVERT, UNDO = "Revertir", "Deshacer la reversión"
CREATE_TEMPLATE, CREATE_INSTANCES, CREATE_INSTANCE = "Crear plantilla", "Crear instancias", "Crear instancia"
HOW_MANY, ENVIRONMENT, RUNNING, READY = "Cuántas", "Entorno", "En marcha", "Lista"


@pytest.fixture
def made(service: Service) -> Iterator[list[tuple[str, ...]]]:
    """What a test made, to be deleted after it: the words of the command that deletes it."""
    commands: list[tuple[str, ...]] = []
    yield commands
    for words in reversed(commands):
        service.run(*words, "--yes")


class Console:
    """The page *Consola* of an instance, which goes on by itself."""

    def __init__(self, visitor: Visitor, instance: str, environment: str = "demo") -> None:
        id = visitor.service.json("instance", "show", instance, "--environment", environment)["id"]
        visitor.page.goto(f"/environments/{environment}/instances/{id}/console")
        self.text = visitor.page.locator("[data-console]")

    def starts(self) -> list[list[int]]:
        """The counters after each start, as far as the page shows them."""
        parts = re.split(r"^instanta-guest ready.*$", self.text.inner_text(), flags=re.MULTILINE)[1:]
        return [[int(number) for number in re.findall(r"^heartbeat root=(\d+) ", part, re.MULTILINE)] for part in parts]

    def now(self, at_least: int = 0) -> int:
        return eventually(
            f"a counter of {at_least}",
            lambda: next((beats[-1] for beats in self.starts()[-1:] if beats and beats[-1] >= at_least), None))

    def first_after(self, starts: int) -> int:
        """The first counter after one more start than there were."""
        return eventually(
            "another start", lambda: next((beats[0] for beats in self.starts()[starts:] if beats), None))


def test_roll_back(visit: Visit, service: Service, made: list[tuple[str, ...]]) -> None:
    """After a revert the machine counts from where it was, and after its undoing from where it had been."""
    visitor, watcher = visit(), visit()
    console = Console(watcher, "web01")
    service.run("snapshot", "create", "--volume", "ROOT-web01", "--name", "good-state")
    made.append(("snapshot", "delete", "good-state"))
    then = console.now()
    later = console.now(at_least=then + 25)
    starts = len(console.starts())

    visitor.page.goto("/environments/demo/snapshots")
    visitor.choose(visitor.row("good-state"), REVERT)
    expect(visitor.question).to_contain_text("ROOT-web01")
    visitor.apply()
    expect(visitor.heading(SPANISH.volumes)).to_be_visible()
    bar = visitor.page.get_by_role("main").locator(".undo").filter(has_text="ROOT-web01")
    undo = bar.get_by_role("link", name=UNDO, exact=True)
    expect(undo).to_be_visible()
    expect(visitor.page.get_by_role("main")).to_contain_text("Se ha revertido ROOT-web01 a otro momento.")
    back = console.first_after(starts)
    assert back < later, f"the machine counts from {back} and was at {later}"

    # The bar stays until it is used.
    visitor.page.reload()
    undo.click()
    visitor.apply()
    expect(visitor.heading(SPANISH.volumes)).to_be_visible()
    again = console.first_after(starts + 1)
    assert again >= later, f"the machine counts from {again} and had been at {later}"
    expect(visitor.row("ROOT-web01")).to_contain_text(SPANISH.ready)


def test_golden_image(visit: Visit, service: Service, made: list[tuple[str, ...]]) -> None:
    """A snapshot becomes a template, and the template three machines that run."""
    visitor = visit()
    page = visitor.page
    service.run("snapshot", "create", "--volume", "ROOT-web01", "--name", "configured")
    made.append(("snapshot", "delete", "configured"))
    page.goto("/environments/demo/snapshots")
    visitor.choose(visitor.row("configured"), CREATE_TEMPLATE)
    visitor.question.get_by_label(SPANISH.name).fill("gold")
    visitor.apply()
    made.append(("template", "delete", "gold"))
    expect(visitor.heading(SPANISH.templates)).to_be_visible()
    row = visitor.row("gold")
    expect(row).to_contain_text(READY)

    visitor.choose(row, CREATE_INSTANCES)
    form = visitor.question
    form.get_by_label(SPANISH.name).fill("shop")
    form.get_by_label(HOW_MANY).fill("3")
    visitor.apply()
    expect(visitor.heading(SPANISH.instances)).to_be_visible()
    for number in (1, 2, 3):
        name = f"shop-{number}"
        made.append(("instance", "delete", "--purge", name))
        expect(visitor.row(name)).to_contain_text(RUNNING)
    for number in (1, 2, 3):
        assert eventually(f"shop-{number} counts", lambda name=f"shop-{number}": service.counter(name))


def test_troubleshooting(visit: Visit, service: Service, made: list[tuple[str, ...]]) -> None:
    """A snapshot of the whole machine becomes its like in another environment; the one in production runs on."""
    visitor = visit()
    page = visitor.page
    service.run("snapshot", "create", "--instance", "web01", "--name", "with-fault")
    names = [row["name"] for row in service.json("snapshot", "list") if row["name"].startswith("with-fault")]
    assert len(names) == 2
    made.extend(("snapshot", "delete", name) for name in names)
    before = service.machine("web01")
    page.goto("/environments/demo/snapshots?text=with-fault")
    visitor.choose(visitor.row(names[0]), CREATE_INSTANCE)
    form = visitor.question
    form.get_by_label(SPANISH.name).fill("patient")
    form.get_by_label(ENVIRONMENT).select_option(label="lab")
    visitor.apply()
    made.append(("instance", "delete", "--purge", "patient", "--environment", "lab"))
    expect(visitor.heading(SPANISH.instances)).to_be_visible()
    assert "/environments/lab/" in page.url
    expect(visitor.row("patient")).to_contain_text(RUNNING)
    console = Console(visitor, "patient", "lab")
    assert console.now()
    assert "data=" in console.text.inner_text()
    assert service.machine("web01") == before
