"""What each role sees and can do, over every route of console and API, by the one table of `routes.txt`."""

import html
import json
import re
import uuid
from collections.abc import Iterator

import routes
from people import Answer, People, Person
from routes import Furniture, Route
from service import Service

NOTHING = str(uuid.UUID(int=4 << 76 | 8 << 60))
ENTRANCE = [route for route in routes.ALL if route.least == "anyone"]


def state(service: Service) -> list[object]:
    """All that somebody could have changed."""
    kinds = ["instance", "volume", "snapshot", "template"]
    lists = [service.json(kind, "list", "--environment", place) for kind in kinds for place in ("demo", "lab")]
    return [[(row["id"], row["name"], row.get("state")) for row in rows] for rows in lists] + [
        sorted(row["name"] for row in service.json("environment", "list"))]


def is_of_environment(route: Route) -> bool:
    return route.pattern.endswith(("/:environment/edit", "/:environment/delete"))


def send(person: Person, route: Route, furniture: Furniture, *, to_nothing: bool = False) -> Answer:
    """Uses a route: at something that is there, or at something that is not."""
    address = furniture.address(route.pattern)
    if to_nothing:
        pattern = re.sub(":(id|user|key)", NOTHING, route.pattern)
        # What is done to a whole environment is done to none.
        address = furniture.address(pattern, "none" if is_of_environment(route) else "demo").split("?")[0]
    if route.operation:
        address += f"?operation={route.operation}"
    if route.method == "GET":
        return person.ask("GET", address)
    if route.is_console and address.endswith("/upload"):
        return person.send_file(address)
    if route.is_console:
        return person.send_form(address, {"id": NOTHING} if to_nothing else {})
    return person.ask(route.method, address, "{}" if to_nothing else json.dumps(furniture.body(route)))


def refusal(person: Person, route: Route, answer: Answer) -> str | None:
    """What is wrong about the answer to somebody who may not."""
    if person.role == "anyone":
        # Nobody reads what a stream would lead to.
        is_page = route.is_console and not route.pattern.endswith("/events")
        is_right = answer.leads_to_entrance if is_page else answer.status in (401, 403)
    elif person.role == "user" and route.least != "operator":
        is_right = answer.status == 404
    else:
        # Those who are no operators are not told who there is.
        is_hidden = ":user" in route.pattern and answer.status == 404
        is_right = answer.status == 403 or is_hidden
    return None if is_right else f"{person.role} may not {route}, and got {answer.status} {answer.location}"


def grant(person: Person, route: Route, answer: Answer, *, to_nothing: bool) -> str | None:
    """What is wrong about the answer to somebody who may."""
    refused = answer.status in (401, 403) or answer.status >= 500 or answer.leads_to_entrance
    if not refused and answer.status == 404:
        # That the thing is not there is found out only by who may look for it.
        is_nothing = re.search(":(id|user|key)", route.pattern) or route.pattern.endswith("/snapshots/delete")
        refused = not (to_nothing and (is_nothing or is_of_environment(route)))
    if not refused and route.method == "GET" and not to_nothing:
        refused = answer.status not in (200, 303)
    return f"{person.role} may {route}, and got {answer.status} {answer.location}" if refused else None


def test_who_may_not_cannot(people: People, furniture: Furniture, service: Service) -> None:
    """Each refusal is the right one, and leaves everything as it was."""
    before = state(service)
    wrong = [
        problem for person in people.all for route in routes.ALL if not route.allows(person.role)
        if (problem := refusal(person, route, send(person, route, furniture)))
    ]
    assert not wrong, "\n".join(wrong)
    assert state(service) == before


def test_who_may_can(people: People, furniture: Furniture) -> None:
    """Pages and lists are answered; what would change something is asked of a thing that is not there."""
    wrong = []
    for person in people.all[1:]:
        for route in routes.ALL:
            if not route.allows(person.role) or route in ENTRANCE:
                continue
            # Whose key it is, only they know; and nobody's task can be cancelled any more.
            to_nothing = route.method != "GET" or ":key" in route.pattern or "/tasks/" in route.pattern
            answer = send(person, route, furniture, to_nothing=to_nothing)
            wrong.append(grant(person, route, answer, to_nothing=to_nothing))
    assert not any(wrong), "\n".join(filter(None, wrong))


def leads(text: str) -> Iterator[tuple[str, str]]:
    """Where a page's links and forms lead, as method and path."""
    for tag, attributes in re.findall(r"<(a|form|button)\b([^>]*)>", text):
        address = re.search(r'\b(?:href|action|formaction)="(/[^"?#]*)', attributes)
        if address:
            is_post = tag == "form" and 'method="post"' in attributes
            yield "POST" if is_post else "GET", html.unescape(address[1])


def route_to(method: str, path: str) -> Route | None:
    # A word of its own, such as "new", comes before an id.
    for route in sorted(routes.ALL, key=lambda route: route.pattern.count(":")):
        if route.method == method and re.fullmatch(re.sub(r":\w+", "[^/]+", route.pattern), path):
            return route
    return None


def test_pages_lead_only_where_one_may_go(people: People, furniture: Furniture) -> None:
    """No page offers what would be refused, and every page can be found by somebody who may see it."""
    wrong = []
    for person in people.all[1:]:
        found: set[Route] = set()
        for route in routes.ALL:
            if route.method != "GET" or not route.is_console or not route.allows(person.role):
                continue
            for method, path in leads(send(person, route, furniture).text):
                target = route_to(method, path)
                if path.startswith("/assets/"):
                    continue
                if not target:
                    wrong.append(f"{method} {path} is no route, and something leads there")
                elif not target.allows(person.role):
                    wrong.append(f"{person.role}: {route} leads to {target}")
                else:
                    found.add(target)
        if person.role == "owner":
            # Machines that stand still can be started, tasks that go on cancelled, what was deleted recovered, and volumes
            # moved where there are several pools; files are no pages.
            files = (
                ".txt", "/start", "/cancel", "/recover", "/move", ".png", "/events", "/download", "/:environment", "/sign-in")
            wrong += [
                f"no page leads to {route}" for route in routes.ALL
                if route.is_console and route.method == "GET" and route.allows("owner") and route not in found
                and not route.pattern.endswith(files)
            ]
    assert not wrong, "\n".join(sorted(set(wrong)))
