"""Rows that change by themselves: without loading the page, and without taking anything out of the reader's hands."""

import http.client
import re
from collections.abc import Callable

from playwright.sync_api import expect

from service import PATIENCE, Service
from visitor import Visitor
from words import SPANISH

Visit = Callable[..., Visitor]


def test_rows_come_and_go(visit: Visit, service: Service) -> None:
    """What others do appears, and is said to those who do not see."""
    visitor = visit()
    visitor.page.goto("/environments/demo/snapshots")
    visitor.page.evaluate("document.body.dataset.loaded = 'once'")
    service.run("snapshot", "create", "--volume", "ROOT-web01", "--name", "from-elsewhere")
    expect(visitor.row("from-elsewhere")).to_contain_text(SPANISH.completed)
    expect(visitor.page.locator("#announcer")).to_contain_text(re.compile("from-elsewhere: "))
    service.run("snapshot", "delete", "from-elsewhere", "--yes")
    expect(visitor.row("from-elsewhere")).to_have_count(0)
    assert visitor.page.evaluate("document.body.dataset.loaded") == "once"


def test_focus_ticks_and_menus_stay(visit: Visit, service: Service) -> None:
    visitor = visit()
    page = visitor.page
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "held-a")
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "held-b")
    page.goto("/environments/demo/snapshots")
    tick = visitor.row("held-a").get_by_role("checkbox")
    tick.check()
    page.get_by_role("searchbox").fill("half a wor")
    menu = visitor.row("held-b").locator("summary")
    menu.click()

    service.run("snapshot", "create", "--volume", "web01_data", "--name", "held-c")
    expect(visitor.row("held-c")).to_contain_text(SPANISH.completed)
    expect(tick).to_be_checked()
    expect(menu).to_be_focused()
    expect(visitor.row("held-b").get_by_role("link", name=SPANISH.delete_snapshot)).to_be_visible()
    expect(page.get_by_role("searchbox")).to_have_value("half a wor")

    # The row itself changes: the tick stays with it while the state is taken over.
    with service.busy("held-a"):
        service.run("snapshot", "delete", "held-a", "--yes", "--no-wait")
        expect(visitor.row("held-a")).to_contain_text(SPANISH.destroying)
    expect(visitor.row("held-a")).to_have_count(0)
    expect(menu).to_be_focused()


def test_the_row_that_has_the_focus_goes(visit: Visit, service: Service) -> None:
    """Focus goes on in the list instead of falling back to the top of the page."""
    visitor = visit()
    page = visitor.page
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "goes")
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "remains")
    page.goto("/environments/demo/snapshots")
    visitor.row("goes").locator("summary").focus()
    service.run("snapshot", "delete", "goes", "--yes")
    expect(visitor.row("goes")).to_have_count(0)
    assert page.evaluate("document.activeElement !== document.body"), "the focus is lost"


def test_several_at_once(visit: Visit, service: Service) -> None:
    """Ticked rows are deleted together, after one question."""
    visitor = visit()
    page = visitor.page
    for name in ("many-1", "many-2", "many-3"):
        service.run("snapshot", "create", "--volume", "web01_data", "--name", name)
    page.goto("/environments/demo/snapshots?text=many-")
    button = page.get_by_role("button", name="Eliminar las seleccionadas")
    expect(button).to_be_disabled()
    page.get_by_role("checkbox", name="Seleccionar todas las de esta página").check()
    button.click()
    expect(visitor.question).to_contain_text("3 copias instantáneas")
    visitor.apply()
    for name in ("many-1", "many-2", "many-3"):
        expect(visitor.row(name)).to_have_count(0)


def test_a_service_that_comes_back(visit: Visit, service: Service) -> None:
    """A page that lost the service finds it again, and catches up with what it missed."""
    visitor = visit()
    page = visitor.page
    page.goto("/environments/demo/snapshots")
    page.evaluate("document.body.dataset.loaded = 'once'")
    # While there is no service the browser says so; that is not the page's fault.
    for path in ("events", "snapshots"):
        visitor.refused.add(f"{service.url}/environments/demo/{path}")
    service.stop()
    service.start()
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "meanwhile")
    expect(visitor.row("meanwhile")).to_contain_text(SPANISH.completed)
    service.run("snapshot", "delete", "meanwhile", "--yes")
    expect(visitor.row("meanwhile")).to_have_count(0)
    assert page.evaluate("document.body.dataset.loaded") == "once"


def test_a_stream_resumes(service: Service, session: dict) -> None:
    """Whoever comes back with the id of the last event gets what came after it; with one of another run, all anew."""
    def connect(last: str | None = None) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(service.url.removeprefix("http://"), timeout=PATIENCE)
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in session["cookies"])
        headers = {"Cookie": cookies} | ({"Last-Event-ID": last} if last else {})
        connection.request("GET", "/environments/demo/events", headers=headers)
        return connection.getresponse()

    def next_line(stream: http.client.HTTPResponse, start: str) -> str:
        while not (line := stream.readline().decode()).startswith(start):
            assert line, "the stream ended"
        return line.removeprefix(start).strip()

    first = connect()
    assert first.getheader("Content-Type") == "text/event-stream"
    service.run("snapshot", "create", "--volume", "web01_data", "--name", "event-1")
    seen = next_line(first, "id: ")
    first.close()
    run, number = seen.split("-")

    service.run("snapshot", "delete", "event-1", "--yes")
    again = connect(seen)
    assert next_line(again, "id: ") == f"{run}-{int(number) + 1}"
    assert next_line(again, "event: ") == "change"
    again.close()

    stale = connect("another-1")
    assert next_line(stale, "event: ") == "reload"
    stale.close()
