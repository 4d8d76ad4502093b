"""The guide's page "Gestión de copias instantáneas", step by step, by the words that the reader sees."""

import re
from collections.abc import Callable, Sequence

import pytest
from playwright.sync_api import Locator, expect

from service import Service
from visitor import Visitor
from words import ENGLISH, FRENCH, SPANISH, Words

# `<instance>_<volume>_<yyyyMMddHHmmss>`
GENERATED = re.compile(r"^web01_ROOT-web01_\d{14}$")

Visit = Callable[..., Visitor]


def take_and_see(
        visitor: Visitor, volume: str, name: str | re.Pattern[str], others: Sequence[Visitor] = ()) -> Locator:
    """From *Aplicar* on the page *Take snapshot* to the completed snapshot; leaves the visitor on its list.

    The machine's process is stopped meanwhile, for a snapshot takes only milliseconds. Others look on.
    """
    words, page = visitor.words, visitor.page
    with visitor.service.held("web01"):
        visitor.apply()
        expect(visitor.heading(words.volumes)).to_be_visible()
        for each in (visitor, *others):
            if each is not visitor:
                each.page.goto("/environments/demo/volumes")
            expect(each.row(volume)).to_contain_text(each.words.snapshotting)
            each.open_tab(each.words.snapshots)
            expect(each.row(name)).to_contain_text(each.words.in_progress)
        if visitor.has_scripts:
            page.evaluate("document.body.dataset.loaded = 'once'")
    for each in (visitor, *others):
        expect(each.row(name)).to_contain_text(each.words.completed)
    if visitor.has_scripts:
        assert page.evaluate("document.body.dataset.loaded") == "once", "the page was loaded again"
    return visitor.row(name)


def delete_and_see(visitor: Visitor, name: str) -> None:
    """The guide's second part, from the list of snapshots.

    Something else reads the snapshot meanwhile, for its deletion takes only milliseconds.
    """
    words = visitor.words
    row = visitor.row(name)
    visitor.choose(row, words.delete_snapshot)
    expect(visitor.question).to_contain_text(name)
    with visitor.service.busy(name):
        visitor.apply()
        expect(visitor.heading(words.snapshots)).to_be_visible()
        expect(row).to_contain_text(words.destroying)
    expect(row).to_have_count(0)


def from_volumes(visitor: Visitor, volume: str) -> None:
    visitor.open_tab(visitor.words.volumes)
    visitor.choose(visitor.row(volume), visitor.words.take_snapshot)


def from_instance(visitor: Visitor, volume: str) -> None:
    words = visitor.words
    visitor.open_tab(words.instances)
    visitor.row("web01").get_by_role("link", name="web01", exact=True).click()
    visitor.page.get_by_role("navigation", name="web01").get_by_role("link", name=words.volumes).click()
    visitor.choose(visitor.row(volume), words.take_snapshot)


def from_snapshots(visitor: Visitor, volume: str) -> None:
    words = visitor.words
    visitor.open_tab(words.snapshots)
    visitor.page.get_by_role("main").get_by_role("link", name=words.create_snapshot).first.click()
    visitor.question.get_by_label(words.volume, exact=True).select_option(label=f"{volume} · web01")


def test_root_volume(visit: Visit) -> None:
    """A root volume, from the tab *Volúmenes*: from in the making to gone. In three languages at once."""
    visitor, others = visit(), [visit(ENGLISH), visit(FRENCH)]
    visitor.enter()
    visitor.open_tab(SPANISH.volumes)
    expect(visitor.row("ROOT-web01")).to_contain_text(SPANISH.root)
    from_volumes(visitor, "ROOT-web01")
    expect(visitor.heading(SPANISH.take_snapshot)).to_be_visible()
    visitor.question.get_by_label(SPANISH.name).fill("root-named")
    row = take_and_see(visitor, "ROOT-web01", "root-named", others)
    expect(row).to_contain_text("ROOT-web01")
    delete_and_see(visitor, "root-named")
    for each in others:
        expect(each.row("root-named")).to_have_count(0)


def test_data_volume(visit: Visit) -> None:
    """A data volume, from the element *Volúmenes* of its instance's page."""
    visitor = visit()
    visitor.enter()
    visitor.open_tab(SPANISH.volumes)
    expect(visitor.row("web01_data")).to_contain_text(SPANISH.data)
    from_instance(visitor, "web01_data")
    expect(visitor.heading(SPANISH.take_snapshot)).to_be_visible()
    visitor.question.get_by_label(SPANISH.name).fill("data-named")
    row = take_and_see(visitor, "web01_data", "data-named")
    expect(row).to_contain_text("web01_data")
    delete_and_see(visitor, "data-named")


@pytest.mark.parametrize(
    "words, begin, volume",
    [
        pytest.param(SPANISH, from_snapshots, "web01_data", id="es, from Copias instantáneas"),
        pytest.param(ENGLISH, from_volumes, "web01_data", id="en, from Volumes"),
        pytest.param(FRENCH, from_instance, "ROOT-web01", id="fr, from the instance"),
    ],
)
def test_every_language(visit: Visit, words: Words, begin: Callable[[Visitor, str], None], volume: str) -> None:
    """The same at its own pace, from the other entries and in the other languages."""
    visitor = visit(words)
    visitor.enter()
    begin(visitor, volume)
    expect(visitor.heading(words.take_snapshot)).to_be_visible()
    name = f"named-in-{words.locale}"
    visitor.question.get_by_label(words.name).fill(name)
    visitor.apply()
    expect(visitor.heading(words.volumes)).to_be_visible()
    expect(visitor.row(volume)).to_contain_text(words.ready)
    visitor.open_tab(words.snapshots)
    expect(visitor.row(name)).to_contain_text(words.completed)
    delete_and_see(visitor, name)


def test_unnamed(visit: Visit) -> None:
    """Without a name, one is generated, which the empty field shows beforehand."""
    visitor = visit()
    visitor.enter()
    from_volumes(visitor, "ROOT-web01")
    field = visitor.question.get_by_label(SPANISH.name)
    expect(field).to_have_attribute("placeholder", GENERATED)
    visitor.apply()
    expect(visitor.heading(SPANISH.volumes)).to_be_visible()
    expect(visitor.row("ROOT-web01")).to_contain_text(SPANISH.ready)
    visitor.open_tab(SPANISH.snapshots)
    row = visitor.row(GENERATED)
    expect(row).to_contain_text(SPANISH.completed)


def test_cancel(visit: Visit) -> None:
    """*Cancelar* changes nothing, neither on the page nor in the dialog."""
    visitor = visit()
    visitor.service.run("snapshot", "create", "--volume", "ROOT-web01", "--name", "stays")
    visitor.enter()
    from_volumes(visitor, "ROOT-web01")
    visitor.question.get_by_label(SPANISH.name).fill("never")
    visitor.question.get_by_role("link", name=SPANISH.cancel).click()
    expect(visitor.heading(SPANISH.volumes)).to_be_visible()
    visitor.open_tab(SPANISH.snapshots)
    visitor.choose(visitor.row("stays"), SPANISH.delete_snapshot)
    visitor.question.get_by_role("link", name=SPANISH.cancel).click()
    expect(visitor.question).to_have_count(0)
    expect(visitor.row("stays")).to_contain_text(SPANISH.completed)
    expect(visitor.row("never")).to_have_count(0)


def test_without_scripts(visit: Visit) -> None:
    """The same where no scripts run: plain forms, and pages that load themselves again while something is going on."""
    visitor = visit(scripts=False)
    visitor.enter()
    from_volumes(visitor, "ROOT-web01")
    visitor.question.get_by_label(SPANISH.name).fill("plain")
    take_and_see(visitor, "ROOT-web01", "plain")
    delete_and_see(visitor, "plain")
