"""The guide by keyboard only: Tab, arrows, Enter, Space and Escape, with focus that is seen and never lost."""

from collections.abc import Callable

from playwright.sync_api import expect

from visitor import Visitor
from words import SPANISH

FOCUS = """() => {
    const each = document.activeElement;
    if (!each || each === document.body) return null;
    const style = getComputedStyle(each);
    const seen = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1) || style.boxShadow !== "none";
    const box = each.getBoundingClientRect();
    return { text: (each.innerText || each.value || each.getAttribute("aria-label") || "").trim(), seen,
             inSight: box.bottom > 0 && box.top < innerHeight };
}"""


class Keyboard:
    """A visitor without a mouse."""

    def __init__(self, visitor: Visitor) -> None:
        self.page = visitor.page

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def focus(self) -> dict:
        focus = self.page.evaluate(FOCUS)
        assert focus, "nothing has the focus"
        assert focus["seen"], f"the focus cannot be seen on: {focus['text']}"
        assert focus["inSight"], f"the focus is out of sight on: {focus['text']}"
        return focus

    def go_to(self, target) -> None:
        """Presses Tab until the target has the focus, which is to be seen at each step."""
        for _ in range(80):
            self.press("Tab")
            self.focus()
            if target.evaluate("each => each === document.activeElement"):
                return
        raise AssertionError(f"Tab does not come to {target}")


def test_guide_by_keyboard(visit: Callable[..., Visitor]) -> None:
    visitor = visit(session=None)
    words, page, keyboard = SPANISH, visitor.page, Keyboard(visitor)

    # The first field has the focus.
    page.goto("/sign-in?next=/environments/demo/snapshots")
    page.keyboard.type(visitor.service.user)
    keyboard.press("Tab")
    page.keyboard.type(visitor.service.password)
    keyboard.press("Enter")
    expect(visitor.heading(words.snapshots)).to_be_visible()

    # The first stop leads past the navigation.
    keyboard.press("Tab")
    assert keyboard.focus()["text"] == "Saltar al contenido"
    keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"

    # To the volumes, and in a row's menu by arrows.
    tabs = page.get_by_role("navigation", name=words.sections)
    page.reload()
    keyboard.go_to(tabs.get_by_role("link", name=words.volumes))
    keyboard.press("Enter")
    expect(visitor.heading(words.volumes)).to_be_visible()
    row = visitor.row("web01_data")
    menu = row.locator("summary")
    keyboard.go_to(menu)
    keyboard.press("Enter")
    keyboard.press("ArrowDown")
    assert keyboard.focus()["text"] == words.take_snapshot
    keyboard.press("Escape")
    assert words.action in keyboard.focus()["text"]
    expect(row.get_by_role("link", name=words.take_snapshot)).to_be_hidden()
    keyboard.press("Enter")
    keyboard.press("ArrowDown")
    keyboard.press("Enter")

    # The form is sent from its field.
    expect(visitor.heading(words.take_snapshot)).to_be_visible()
    keyboard.go_to(visitor.question.get_by_label(words.name))
    page.keyboard.type("by-keyboard")
    keyboard.press("Enter")
    expect(visitor.heading(words.volumes)).to_be_visible()
    keyboard.go_to(tabs.get_by_role("link", name=words.snapshots))
    keyboard.press("Enter")
    row = visitor.row("by-keyboard")
    expect(row).to_contain_text(words.completed)

    # A dialog takes the focus, keeps it, and gives it back.
    menu = row.locator("summary")
    keyboard.go_to(menu)
    delete = row.get_by_role("link", name=words.delete_snapshot)

    def ask() -> None:
        keyboard.press("Enter")
        keyboard.press("ArrowUp")
        assert keyboard.focus()["text"] == words.delete_snapshot
        keyboard.press("Enter")
        expect(visitor.question).to_be_visible()

    ask()
    for _ in range(6):
        keyboard.press("Tab")
        assert page.evaluate("document.activeElement === document.body || !!document.activeElement.closest('dialog')")
    keyboard.press("Escape")
    expect(visitor.question).to_have_count(0)
    expect(menu).to_be_focused()
    keyboard.focus()
    ask()
    keyboard.go_to(visitor.question.get_by_role("button", name=words.apply))
    keyboard.press("Enter")
    expect(visitor.row("by-keyboard")).to_have_count(0)
    expect(delete).to_have_count(0)
