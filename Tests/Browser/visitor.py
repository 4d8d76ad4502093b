"""Somebody with a browser, who finds things by what the page says."""

import re

from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from service import Service
from words import SPANISH, Words

# Playwright's own limit for what a page comes to show. Machines are real and the host may be busy.
expect.set_options(timeout=30_000)


class Visitor:
    """One browser window.

    It notes what a page must never do: write errors to the browser's console, ask another host, break the policy.
    """

    def __init__(
            self, browser: Browser, service: Service, words: Words = SPANISH, *, scripts: bool = True,
            scheme: str = "light", width: int = 1280, height: int = 900, session: dict | None = None) -> None:
        self.service = service
        self.words = words
        self.has_scripts = scripts
        self.faults: list[str] = []
        self.context = browser.new_context(
            base_url=service.url, locale=words.locale, timezone_id="UTC", java_script_enabled=scripts,
            color_scheme=scheme, viewport={"width": width, "height": height}, storage_state=session,
            reduced_motion="reduce")
        self.context.set_default_timeout(30_000)
        self.page = self.watch(self.context.new_page())
        self.refused: set[str] = set()

    def watch(self, page: Page) -> Page:
        page.on("console", self.note_message)
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on("request", lambda request: request.url.startswith(self.service.url)
                or self.faults.append(f"{page.url} asks {request.url}"))
        return page

    def note_message(self, message: ConsoleMessage) -> None:
        where = message.location.get("url", "")
        if message.type in ("error", "warning") and where not in self.refused:
            self.faults.append(f"{where}: {message.text}")

    def close(self) -> None:
        self.context.close()

    # Going places

    def sign_in(self, user: str | None = None, password: str | None = None) -> None:
        page = self.page
        if "/sign-in" not in page.url:
            page.goto("/sign-in")
        page.get_by_label(self.words.user).fill(user or self.service.user)
        page.get_by_label(self.words.password).fill(password or self.service.password)
        page.get_by_role("button", name=self.words.sign_in).click()

    def enter(self, environment: str = "demo") -> None:
        """From the first page into an environment."""
        self.page.goto("/")
        self.page.get_by_role("main").get_by_role("link", name=environment).click()

    def open_tab(self, name: str) -> None:
        self.page.get_by_role("navigation", name=self.words.sections).get_by_role("link", name=name, exact=True).click()
        expect(self.heading(name)).to_be_visible()

    def refusal(self, address: str) -> int:
        """The status of a page that is not given."""
        self.refused.add(self.service.url + address)
        return self.page.goto(address).status

    # Finding things

    def heading(self, text: str) -> Locator:
        return self.page.get_by_role("heading", name=text, exact=True)

    def row(self, name: str | re.Pattern[str]) -> Locator:
        """The row of a list whose thing is called so."""
        header = self.page.locator("th[scope=row]").get_by_role("link", name=name, exact=isinstance(name, str))
        return self.page.get_by_role("row").filter(has=header)

    def choose(self, place: Locator, item: str) -> None:
        """Opens the menu *Action* of a row or a page's head, and takes one of its entries."""
        place.get_by_text(self.words.action, exact=False).first.click()
        place.get_by_role("link", name=item, exact=True).click()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label)

    @property
    def question(self) -> Locator:
        """What the page asks before it does something: a dialog, or the page itself where no scripts run."""
        return self.page.locator("[data-sheet]")

    def apply(self) -> None:
        self.question.get_by_role("button", name=self.words.apply, exact=True).click()

    def cell(self, row: Locator, label: str) -> Locator:
        return row.locator(f'td[data-label="{label}"]')
