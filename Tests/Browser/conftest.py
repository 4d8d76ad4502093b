"""One service, one browser and one session for all tests of this folder."""

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from people import People
from routes import Furniture
from service import GUEST, PROGRAM, Service
from visitor import Visitor
from words import SPANISH, Words

CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="session")
def service() -> Iterator[Service]:
    for path in (PROGRAM, GUEST, CHROMIUM):
        if not os.path.exists(path):
            reason = f"there is no {path}: 'make test-console' makes what is missing"
            pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with Service.running() as service:
        yield service


def launch(playwright: Playwright) -> Browser:
    # Chromium's sandbox refuses to run as root, as everything does where the gate runs.
    return playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def session(service: Service, browser: Browser) -> dict:
    """The cookies of the first user, so that not every test has to sign in."""
    visitor = Visitor(browser, service)
    visitor.sign_in()
    state = visitor.context.storage_state()
    visitor.close()
    return state


@pytest.fixture
def visit(service: Service, browser: Browser, session: dict) -> Iterator[Callable[..., Visitor]]:
    """Opens windows for the first user, and at the end fails for what their pages did wrong."""
    visitors: list[Visitor] = []

    def open_window(words: Words = SPANISH, **options) -> Visitor:
        visitor = Visitor(browser, service, words, **{"session": session, **options})
        visitors.append(visitor)
        return visitor

    yield open_window
    faults = [fault for visitor in visitors for fault in visitor.faults]
    for visitor in visitors:
        visitor.close()
    assert not faults, "\n".join(faults)


@pytest.fixture(scope="session")
def people(service: Service) -> People:
    return People(service)


@pytest.fixture(scope="session")
def furniture(service: Service, people: People) -> Furniture:
    return Furniture(service, people)
