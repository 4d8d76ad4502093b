"""Every page: axe, in light and dark, wide and narrow; no sideways scrolling; and its weight."""

from collections.abc import Callable

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

import routes
from visitor import Visitor
from words import ENGLISH, SPANISH

LARGEST = 100 << 10
# Answers that are no pages.
FILES = (".txt", ".png", "/events", "/download")
PAGES = [
    route.pattern for route in routes.ALL
    if route.is_console and route.method == "GET" and not route.pattern.endswith(FILES)
    # Only leads on, has a test of its own, or asks of what goes on.
    and route.pattern not in ("/environments/:environment", "/sign-in", "/environments/:environment/tasks/:id/cancel")
    # The operator's own keys are at one place only.
    and not route.pattern.startswith("/users/:user/keys/:key")
]

RUN_AXE = """async ({ tags, rules }) => {
    const only = rules ? { type: "rule", values: rules } : { type: "tag", values: tags };
    const { violations } = await axe.run(document, { runOnly: only, resultTypes: ["violations"] });
    return violations.flatMap(({ id, impact, help, nodes }) =>
        nodes.map(({ html, failureSummary }) => `${impact}: ${id}: ${help}\\n    ${html}\\n    ${failureSummary}`));
}"""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def findings(page: Page) -> list[str]:
    """What axe finds, in light and dark: colours are all that differs."""
    page.evaluate(AXE_SCRIPT)
    found = page.evaluate(RUN_AXE, {"tags": TAGS})
    page.emulate_media(color_scheme="dark")
    found += [f"dark: {line}" for line in page.evaluate(RUN_AXE, {"rules": ["color-contrast"]})]
    page.emulate_media(color_scheme="light")
    return found


def check(visitor: Visitor) -> None:
    page = visitor.page
    found = []
    for width in (1280, 320):
        page.set_viewport_size({"width": width, "height": 900})
        found += [f"{width}: {line}" for line in findings(page)]
        excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        if excess > 0:
            wide = page.evaluate("""() => [...document.querySelectorAll("body *")]
                .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest(".tabs"))
                .slice(-3).map((each) => each.outerHTML.slice(0, 200))""")
            found.append(f"{width}: scrolls sideways by {excess} pixels:\n    " + "\n    ".join(wide))
    assert not found, f"{page.url}\n" + "\n".join(found)


@pytest.mark.parametrize("pattern", PAGES)
def test_page(visit: Callable[..., Visitor], furniture: routes.Furniture, pattern: str) -> None:
    visitor = visit()
    weights: dict[str, int] = {}
    visitor.page.on("response", lambda answer: weights.update({answer.url: len(answer.body())})
                    if answer.ok and not answer.url.endswith(("/events", ".png")) else None)
    answer = visitor.page.goto(furniture.address(pattern))
    assert answer.status == 200
    check(visitor)
    weight = sum(weights.values())
    assert weight <= LARGEST, f"{weight} bytes: {weights}"


def test_the_check_itself(visit: Callable[..., Visitor]) -> None:
    """What it must find, it finds."""
    visitor = visit()
    visitor.page.goto("/")
    visitor.page.evaluate("""() => document.querySelector("main").insertAdjacentHTML("beforeend",
        "<button></button><pre>" + "wide".repeat(99) + "</pre>")""")
    with pytest.raises(AssertionError, match=r"(?s)critical: button-name.*scrolls sideways"):
        check(visitor)


def test_sign_in(visit: Callable[..., Visitor]) -> None:
    visitor = visit(session=None)
    visitor.page.goto("/sign-in")
    check(visitor)
    # The refusal of a wrong password is a page with a fault by intention.
    visitor.refused.add(f"{visitor.service.url}/sign-in")
    visitor.sign_in(password="wrong")
    check(visitor)


@pytest.mark.parametrize(
    "address", ["/nowhere", "/environments/nowhere/volumes", "/environments/demo/snapshots/nothing"])
def test_failure(visit: Callable[..., Visitor], address: str) -> None:
    visitor = visit()
    assert visitor.refusal(address) == 404
    check(visitor)


@pytest.mark.parametrize("tab", ["instances", "volumes", "snapshots", "templates"])
def test_empty_list(visit: Callable[..., Visitor], tab: str) -> None:
    visitor = visit(ENGLISH)
    visitor.page.goto(f"/environments/lab/{tab}?text=nothing-is-called-so")
    check(visitor)


def test_open_menu_and_dialog(visit: Callable[..., Visitor], furniture: routes.Furniture) -> None:
    visitor = visit()
    visitor.page.goto("/environments/demo/snapshots")
    row = visitor.row("before-upgrade")
    row.get_by_text(SPANISH.action).first.click()
    check(visitor)
    row.get_by_role("link", name=SPANISH.delete_snapshot).click()
    visitor.question.wait_for()
    check(visitor)
