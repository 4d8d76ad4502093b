"""Who may use which command, tried as everybody, by the one table of `commands.txt`."""

import json
import pathlib
import uuid
from dataclasses import dataclass

import pytest
from cs import CloudStack

from cloud import Cloud, Reply, fresh

# From the least to the most.
ROLES = ("user", "viewer", "editor", "owner", "operator")
NOTHING = str(uuid.UUID(int=4 << 76 | 8 << 60))

TABLE = {
    name: least for least, name in (
        line.split() for line in pathlib.Path(__file__).with_name("commands.txt").read_text().splitlines()
        if line and not line.startswith("#"))}


@dataclass
class Person:
    role: str
    key: str
    secret: str
    id: str = ""

    def may(self, command: str) -> bool:
        return ROLES.index(self.role) >= ROLES.index(TABLE[command])


@pytest.fixture(scope="module")
def people(cloud: Cloud) -> list[Person]:
    """One of each role in the environment `demo`, and a stranger who has an environment of their own."""
    client = cloud.client()
    demo = client.listProjects(name="demo")["project"][0]["id"]
    people = [Person("operator", cloud.key, cloud.secret)]
    for role in ROLES[:-1]:
        name = fresh(role)
        account = client.createAccount(
            username=name, password="a long enough password", email="x@example.com", firstname="X", lastname="X")["account"]
        place = {}
        if role != "user":
            cloud.service.run("member", "set", name, "--role", role, "--environment", "demo")
            place = {"projectid": demo}
        keys = client.registerUserKeys(id=account["id"], **place)["userkeys"]
        people.append(Person(role, keys["apikey"], keys["secretkey"], account["id"]))
    return people


@pytest.fixture(scope="module")
def things(cloud: Cloud) -> dict[str, str]:
    """One thing of every kind in `demo`, by the words in names of commands and parameters."""
    client = cloud.client()
    made = client.listVirtualMachines(name="web01")["virtualmachine"][0]
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = client.createVolume(name=fresh("roles"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
    snapshot = client.createSnapshot(volumeid=volume, fetch_result=True)["snapshot"]["id"]
    whole = client.createVMSnapshot(virtualmachineid=made["id"], name=fresh("roles"), fetch_result=True)["vmsnapshot"]["id"]
    policy = client.createSnapshotPolicy(
        volumeid=volume, intervaltype="hourly", schedule="5", timezone="UTC", maxsnaps=1)["snapshotpolicy"]["id"]
    return {
        "virtualmachine": made["id"], "volume": volume, "snapshot": snapshot, "vmsnapshot": whole, "policy": policy,
        "template": made["templateid"], "zone": client.listZones()["zone"][0]["id"], "diskoffering": offering,
        "serviceoffering": made["serviceofferingid"],
        "domain": client.listDomains()["domain"][0]["id"], "project": made.get("projectid", "demo"),
        "account": client.listAccounts()["account"][0]["id"], "job": NOTHING}


@pytest.fixture(scope="module")
def apis(cloud: Cloud) -> dict[str, list[dict]]:
    return {api["name"]: api["params"] for api in cloud.client().listApis()["api"]}


def parameters(command: str, apis: dict[str, list[dict]], things: dict[str, str]) -> dict[str, str]:
    """What the command needs, at things that are there."""
    texts = {
        "name": fresh("role"), "displaytext": "x", "username": fresh("x"), "password": "a long enough password",
        "url": "https://images.example.com/x.qcow2", "format": "QCOW2", "hypervisor": "KVM", "templatefilter": "all",
        "intervaltype": "daily", "schedule": "5:5", "timezone": "UTC", "maxsnaps": "1", "resourcetype": "Volume",
        "tags": "", "projectid": "demo"}
    lowered = command.lower()
    own = next((
        word for word in ("snapshotpolic", "vmsnapshot", "snapshot", "diskoffering", "serviceoffering", "template", "volume",
                          "virtualmachine", "account", "userkeys") if word in lowered), "")
    own = {"snapshotpolic": "policy", "userkeys": "account"}.get(own, own)
    sent = {}
    for parameter in apis[command]:
        name = parameter["name"]
        is_policy = name in ("id", "ids") and own == "policy" and not lowered.startswith("list")
        if name == "projectid":
            sent[name] = "demo"
        elif parameter["required"] or is_policy or (name in ("snapshotid",) and command == "createTemplate"):
            if name == "tags":
                sent["tags[0].key"], sent["tags[0].value"] = fresh("k"), "v"
            elif name in ("id", "ids"):
                if not (name == "ids" and "id" in sent):
                    sent[name] = things[own]
            elif name == "resourceids":
                sent[name] = things["volume"]
            elif name in texts:
                sent[name] = texts[name]
            else:
                sent[name] = things[name.removesuffix("id")]
    return sent


def ask(cloud: Cloud, person: Person, command: str, **sent: str) -> Reply:
    return cloud.ask(command, secret=person.secret, apiKey=person.key, **sent)


def state(cloud: Cloud) -> list:
    """All that somebody could have changed."""
    kinds = ["instance", "volume", "snapshot", "template"]
    rows = [[(row["id"], row["name"], row["state"]) for row in cloud.service.json(kind, "list")] for kind in kinds]
    client = cloud.client()
    return [
        rows, sorted(json.dumps(tag) for tag in client.listTags().get("tag", [])),
        [user["id"] for user in client.listUsers()["user"]],
        client.listDiskOfferings(), client.listServiceOfferings()]


def test_the_table_is_whole(apis: dict[str, list[dict]]) -> None:
    assert set(apis) == set(TABLE)


def test_who_may_not_cannot(cloud: Cloud, people: list[Person], things: dict[str, str], apis: dict[str, list[dict]]) -> None:
    """Each refusal is the right one, and leaves everything as it was."""
    before = state(cloud)
    wrong = []
    for person in people:
        for command in TABLE:
            if person.may(command):
                continue
            reply = ask(cloud, person, command, **parameters(command, apis, things))
            is_hidden = person.role == "user" and reply.status == 431 and "entity does not exist" in reply.error
            # What is shared by all has no environment that would be hidden.
            is_right = reply.status in (401, 531) and (person.role != "user" or TABLE[command] == "operator") or is_hidden
            if not is_right:
                wrong.append((person.role, command, reply.status, reply.body))
    assert not wrong
    assert state(cloud) == before


def test_who_may_can(cloud: Cloud, people: list[Person], things: dict[str, str], apis: dict[str, list[dict]]) -> None:
    """Nobody is refused what they may do: at things that are not there, so that nothing is changed."""
    wrong = []
    for person in people:
        for command in TABLE:
            if not person.may(command):
                continue
            sent = parameters(command, apis, things)
            for name, value in sent.items():
                if value in things.values() and name not in ("zoneid", "projectid"):
                    sent[name] = NOTHING
            if person.role == "user":
                sent.pop("projectid", None)
            if command in ("createAccount", "createServiceOffering", "createDiskOffering", "createVolume", "registerTemplate"):
                # What would make something is told that its name is none.
                sent["name"] = sent["username"] = "/"
                sent["url"] = "nothing"
            reply = ask(cloud, person, command, **sent)
            if reply.status in (401, 531, 530, 500):
                wrong.append((person.role, command, reply.status, reply.body))
    assert not wrong


def test_a_pair_is_worth_what_its_user_is(cloud: Cloud, people: list[Person]) -> None:
    """A pair of somebody who was shut out, or that has ended, says no more than one that never was."""
    words = cloud.ask("listZones", secret="wrong").error
    viewer = next(person for person in people if person.role == "viewer")
    assert ask(cloud, viewer, "listZones").status == 200
    ended = ask(cloud, viewer, "listZones", signatureVersion="3", expires="2020-01-01T00:00:00Z")
    assert (ended.status, ended.error) == (401, words)
    cloud.service.run("user", "disable", viewer.id, "--yes")
    assert ask(cloud, viewer, "listZones").error == words
    cloud.service.run("user", "enable", viewer.id)
    assert ask(cloud, viewer, "listZones").status == 200
    keys = cloud.client().getUserKeys(id=viewer.id)["userkeys"]
    assert (keys["apikey"], keys["secretkey"]) == (viewer.key, viewer.secret)
    # Nobody else is told them.
    editor = next(person for person in people if person.role == "editor")
    assert "entity does not exist" in ask(cloud, editor, "getUserKeys", id=viewer.id).error
    # A pair goes with the membership that it acted by.
    name = cloud.client().listUsers(id=viewer.id)["user"][0]["username"]
    cloud.service.run("member", "remove", name, "--environment", "demo", "--yes")
    assert ask(cloud, viewer, "listVolumes").error == words
    assert cloud.client().getUserKeys(id=viewer.id)["userkeys"] == {}
