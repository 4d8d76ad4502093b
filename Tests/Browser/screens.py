"""screens.py FOLDER: takes the pictures of the console's main pages."""

import pathlib
import sys

from playwright.sync_api import sync_playwright

from conftest import launch
from people import People
from routes import Furniture
from service import Service
from visitor import Visitor
from words import ENGLISH, FRENCH, SPANISH, Words

ENVIRONMENT = "/environments/:environment"
# The main pages, by the names of their pictures.
MAIN = {
    "home": "/",
    "dashboard": f"{ENVIRONMENT}/dashboard",
    "instances": f"{ENVIRONMENT}/instances",
    "instance-volumes": f"{ENVIRONMENT}/instances/:id/volumes",
    "create-instance": f"{ENVIRONMENT}/instances/new",
    "volumes": f"{ENVIRONMENT}/volumes",
    "take-snapshot": f"{ENVIRONMENT}/volumes/:id/snapshot",
    "snapshots": f"{ENVIRONMENT}/snapshots",
    "snapshot": f"{ENVIRONMENT}/snapshots/:id",
    "revert": f"{ENVIRONMENT}/snapshots/:id/revert",
    "create-template": f"{ENVIRONMENT}/snapshots/:id/template",
    "templates": f"{ENVIRONMENT}/templates",
    "activity": f"{ENVIRONMENT}/activity",
    "members": f"{ENVIRONMENT}/members",
}
# Those that people look at most, also on a telephone and in the dark.
MOST = ("volumes", "take-snapshot", "snapshots", "snapshot")
# Those that are shown in other languages, too.
ELSEWHERE = ("volumes", "snapshots")


class Photographer:
    def __init__(self, browser, service: Service, furniture: Furniture, session: dict, folder: pathlib.Path) -> None:
        self.browser, self.service, self.furniture = browser, service, furniture
        self.session, self.folder = session, folder

    def take(self, names, words: Words = SPANISH, *, width: int = 1280, scheme: str = "light") -> None:
        visitor = Visitor(
            self.browser, self.service, words, width=width, height=800, scheme=scheme, session=self.session)
        for name in names:
            answer = visitor.page.goto(self.furniture.address(MAIN[name]))
            assert answer.ok, f"{answer.url}: {answer.status}"
            self.shoot(visitor, name, words, width, scheme)
        visitor.close()

    def take_question(self) -> None:
        """A dialog over its page."""
        visitor = Visitor(self.browser, self.service, session=self.session, height=800)
        visitor.page.goto("/environments/demo/snapshots")
        visitor.choose(visitor.row("before-upgrade"), SPANISH.delete_snapshot)
        visitor.question.wait_for()
        self.shoot(visitor, "delete-snapshot", SPANISH, 1280, "light", is_whole=False)
        visitor.close()

    def take_entrance(self) -> None:
        visitor = Visitor(self.browser, self.service, height=800)
        visitor.page.goto("/sign-in")
        self.shoot(visitor, "sign-in", SPANISH, 1280, "light")
        visitor.close()

    def shoot(
            self, visitor: Visitor, name: str, words: Words, width: int, scheme: str, is_whole: bool = True) -> None:
        marks = [name, words.locale[:2]] + (["360"] if width < 500 else []) + (["dark"] if scheme == "dark" else [])
        visitor.page.screenshot(path=self.folder / f"{'-'.join(marks)}.png", full_page=is_whole)
        print(f"{'-'.join(marks)}.png")


def main(folder: pathlib.Path) -> None:
    with Service.running() as service, sync_playwright() as playwright:
        browser = launch(playwright)
        entrance = Visitor(browser, service)
        entrance.sign_in()
        session = entrance.context.storage_state()
        entrance.close()
        photographer = Photographer(browser, service, Furniture(service, People(service)), session, folder)
        photographer.take_entrance()
        photographer.take(MAIN)
        photographer.take_question()
        photographer.take(MOST, scheme="dark")
        photographer.take(MOST, width=360)
        photographer.take(("snapshots",), width=360, scheme="dark")
        for words in (ENGLISH, FRENCH):
            photographer.take(ELSEWHERE, words)
        browser.close()


main(pathlib.Path(sys.argv[1]))
