"""Machine snapshots, tags, events, and other people's accounts."""

from collections.abc import Callable
from typing import Any

import pytest
from cs import CloudStack, CloudStackApiException

from cloud import Cloud, fresh, one
from service import eventually


def machine(client: CloudStack, name: str, **more: Any) -> dict:
    return client.deployVirtualMachine(
        name=name, zoneid=client.listZones()["zone"][0]["id"],
        serviceofferingid=client.listServiceOfferings(name="1 vCPU, 256 MiB")["serviceoffering"][0]["id"],
        templateid=client.listTemplates(templatefilter="executable")["template"][0]["id"], fetch_result=True, **more,
    )["virtualmachine"]


def test_machine_snapshots(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    name = fresh("whole")
    disk = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    made = machine(client, name, diskofferingid=disk)
    cleaner(client.destroyVirtualMachine, id=made["id"], expunge=True)
    before = eventually("it counts", lambda: cloud.service.counter(name))

    first = client.createVMSnapshot(
        virtualmachineid=made["id"], name=f"{name} first", description="davor", fetch_result=True)["vmsnapshot"]
    assert (first["displayname"], first["type"], first["state"]) == (f"{name} first", "Disk", "Ready")
    listed = one(client.listVMSnapshot(virtualmachineid=made["id"]), "vmSnapshot")
    assert (listed["id"], listed["current"], listed["description"]) == (first["id"], True, "davor")
    assert len(listed["snapshotids"]) == 2 and listed["tags"] == [] and "parent" not in listed
    second = client.createVMSnapshot(virtualmachineid=made["id"], name=f"{name} second", fetch_result=True)["vmsnapshot"]
    assert (second["parent"], second["parentName"]) == (first["id"], f"{name} first")
    assert [s["current"] for s in client.listVMSnapshot(virtualmachineid=made["id"])["vmSnapshot"]] == [True, False]
    assert client.listVMSnapshot(name=f"{name} first")["count"] == 1

    # A member is not deleted alone, and volume snapshots live beside.
    member = listed["snapshotids"][0]
    assert one(client.listSnapshots(id=member), "snapshot")["snapshottype"] == "GROUP"
    with pytest.raises(CloudStackApiException, match="deleteVMSnapshot"):
        client.deleteSnapshot(id=member, fetch_result=True)
    volume = one(client.listSnapshots(id=member), "snapshot")["volumeid"]
    alone = client.createSnapshot(volumeid=volume, fetch_result=True)["snapshot"]
    cleaner(client.deleteSnapshot, id=alone["id"])
    assert client.listSnapshots(volumeid=volume, snapshottype="MANUAL")["count"] == 1

    # Some clients tag them as snapshots.
    tag = {"tags[0].key": "a", "tags[0].value": "b"}
    client.createTags(resourceids=first["id"], resourcetype="Snapshot", **tag, fetch_result=True)
    assert one(client.listVMSnapshot(**tag), "vmSnapshot")["id"] == first["id"]

    with pytest.raises(CloudStackApiException, match="must be stopped"):
        client.revertToVMSnapshot(vmsnapshotid=first["id"], fetch_result=True)
    eventually("it counts on", lambda: (cloud.service.counter(name) or 0) > before + 25)
    client.stopVirtualMachine(id=made["id"], forced=True, fetch_result=True)
    far = cloud.service.counter(name)
    assert client.revertToVMSnapshot(vmsnapshotid=first["id"], fetch_result=True)["virtualmachine"]["id"] == made["id"]
    client.startVirtualMachine(id=made["id"], fetch_result=True)
    eventually("it counts from where it was", lambda: before <= (cloud.service.counter(name) or 0) < far)
    for snapshot in (first, second):
        assert client.deleteVMSnapshot(vmsnapshotid=snapshot["id"], fetch_result=True)["success"] is True
        assert client.listVMSnapshot(vmsnapshotid=snapshot["id"]) == {}


def test_machine_snapshot_with_memory(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    name = fresh("alive")
    made = machine(client, name)
    cleaner(client.destroyVirtualMachine, id=made["id"], expunge=True)
    eventually("it counts", lambda: cloud.service.counter(name))
    snapshot = client.createVMSnapshot(
        virtualmachineid=made["id"], name=f"{name} memory", snapshotmemory=True, fetch_result=True)["vmsnapshot"]
    assert (snapshot["type"], snapshot["state"], snapshot["current"]) == ("DiskAndMemory", "Ready", True)
    saved = cloud.service.counter(name) or 0
    eventually("it counts on", lambda: (cloud.service.counter(name) or 0) > saved + 25)
    far = cloud.service.counter(name) or 0
    # It runs before and after, and goes on with its number where it was.
    back = client.revertToVMSnapshot(vmsnapshotid=snapshot["id"], fetch_result=True)["virtualmachine"]
    assert (back["id"], back["state"]) == (made["id"], "Running")
    eventually("it counts from where it was", lambda: 0 < (cloud.service.counter(name) or 0) < far)
    client.stopVirtualMachine(id=made["id"], forced=True, fetch_result=True)
    with pytest.raises(CloudStackApiException, match="start the machine first"):
        client.revertToVMSnapshot(vmsnapshotid=snapshot["id"], fetch_result=True)
    with pytest.raises(CloudStackApiException, match="off"):
        client.createVMSnapshot(virtualmachineid=made["id"], snapshotmemory=True, fetch_result=True)
    assert client.deleteVMSnapshot(vmsnapshotid=snapshot["id"], fetch_result=True)["success"] is True


def test_tags(client: CloudStack, cleaner: Callable[..., Any]) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    ids = [
        client.createVolume(name=fresh("tagged"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
        for _ in range(2)]
    word = fresh("key")
    tags = {"tags[0].key": word, "tags[0].value": "ä & ö", "tags[1].key": "zwei", "tags[1].value": "2"}
    done = client.createTags(resourceids=",".join(ids), resourcetype="VOLUME", **tags, fetch_result=True)
    assert done["success"] is True
    listed = client.listTags(key=word)
    assert listed["count"] == 2 and {tag["resourceid"] for tag in listed["tag"]} == set(ids)
    assert {tag["resourcetype"] for tag in listed["tag"]} == {"Volume"}
    # A key is on a resource once.
    with pytest.raises(CloudStackApiException, match="already"):
        client.createTags(resourceids=ids[0], resourcetype="Volume", **tags, fetch_result=True)
    # Several tags are alternatives.
    either = {"tags[0].key": word, "tags[0].value": "nothing", "tags[1].key": "zwei", "tags[1].value": "2"}
    assert client.listVolumes(**either)["count"] == 2
    client.deleteTags(resourceids=ids[0], resourcetype="Volume", fetch_result=True)
    assert client.listTags(resourceid=ids[0]) == {}
    for volume in ids:
        client.deleteVolume(id=volume)
    assert client.listTags(key=word) == {}
    with pytest.raises(CloudStackApiException, match="entity does not exist"):
        client.createTags(
            resourceids="12345678-1234-4123-8123-123456789abc", resourcetype="Volume", **tags, fetch_result=True)


def test_events(client: CloudStack) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = client.createVolume(name=fresh("event"), diskofferingid=offering, fetch_result=True)["volume"]
    client.deleteVolume(id=volume["id"])
    events = client.listEvents(resourceid=volume["id"])
    assert [event["type"] for event in events["event"]] == ["VOLUME.DELETE"] * 3 + ["VOLUME.CREATE"] * 3
    event = one(client.listEvents(resourceid=volume["id"], type="volume.create", state="Completed"), "event")
    assert (event["level"], event["state"], event["username"]) == ("INFO", "Completed", "admin")
    assert client.listEvents(resourceid=volume["id"], level="ERROR") == {}
    assert client.listEvents(startdate="2130-01-01") == {}
    assert "SNAPSHOT.CREATE" in [kind["name"] for kind in client.listEventTypes(pagesize=500, page=1)["eventtype"]]


def test_somebody_elses_account(cloud: Cloud, client: CloudStack) -> None:
    name = fresh("eva")
    account = client.createAccount(
        username=name, password="a long enough password", email="eva@example.com", firstname="Eva", lastname="E",
        accounttype=0)["account"]
    assert account["name"] == name and account["accounttype"] == 0 and account["user"][0]["username"] == name
    keys = client.registerUserKeys(id=account["user"][0]["id"])["userkeys"]
    other = cloud.client(key=keys["apikey"], secret=keys["secretkey"])

    # Their own environment, made with the account, and nothing of anybody else's.
    assert [project["name"] for project in other.listProjects()["project"]] == [name]
    assert other.listVirtualMachines() == {} == other.listSnapshots()
    assert [user["username"] for user in other.listUsers()["user"]] == [name]
    offering = other.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = other.createVolume(name="data", diskofferingid=offering, fetch_result=True)["volume"]
    assert volume["account"] == name and "projectid" not in volume
    theirs = client.listVirtualMachines()["virtualmachine"][0]["id"]
    for command, parameters in (
            ("listVirtualMachines", {"id": theirs}), ("stopVirtualMachine", {"id": theirs}),
            ("listVolumes", {"projectid": client.listProjects(name="demo")["project"][0]["id"]})):
        with pytest.raises(CloudStackApiException, match="entity does not exist"):
            getattr(other, command)(**parameters)
    for command in ("createAccount", "deleteAccount"):
        with pytest.raises(CloudStackApiException) as raised:
            getattr(other, command)(username="x", password="a long enough password", id=account["id"])
        assert raised.value.error["errorcode"] == 401

    # The operator sees it as a project.
    seen = one(client.listVolumes(projectid=client.listProjects(name=name)["project"][0]["id"]), "volume")
    assert seen["id"] == volume["id"] and seen["project"] == name and "account" not in seen
    assert volume["id"] in [v["id"] for v in client.listVolumes(projectid="-1")["volume"]]
    assert volume["id"] not in [v["id"] for v in client.listVolumes()["volume"]]
    # And acts on it by its id alone.
    client.resizeVolume(id=volume["id"], diskofferingid=client.listDiskOfferings(name="10 GiB")["diskoffering"][0]["id"],
                        fetch_result=True)
    assert client.deleteAccount(id=account["id"], fetch_result=True)["success"] is True
    with pytest.raises(CloudStackApiException, match="unable to verify"):
        other.listZones()


def test_policies(client: CloudStack) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = client.createVolume(name=fresh("policy"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
    terms = {"volumeid": volume, "intervaltype": "daily", "schedule": "05:03", "timezone": "Europe/Zurich", "maxsnaps": 7}
    policy = client.createSnapshotPolicy(**terms)["snapshotpolicy"]
    assert (policy["intervaltype"], policy["schedule"], policy["maxsnaps"]) == (1, "05:03", 7)
    # Set again, it is changed and keeps its id.
    assert client.createSnapshotPolicy(**{**terms, "schedule": "6:4:ignored"})["snapshotpolicy"]["schedule"] == "06:04"
    listed = one(client.listSnapshotPolicies(volumeid=volume), "snapshotpolicy")
    assert listed["id"] == policy["id"] and listed["timezone"] == "Europe/Zurich" and listed["tags"] == []
    changed = client.updateSnapshotPolicy(id=policy["id"], fordisplay=False, maxsnaps=3, fetch_result=True)["snapshotpolicy"]
    assert (changed["fordisplay"], changed["maxsnaps"]) == (False, 3)
    for wrong in (
            {"maxsnaps": 9}, {"maxsnaps": 0}, {"schedule": "61:03"}, {"schedule": "5"}, {"intervaltype": "yearly"},
            {"intervaltype": "monthly", "schedule": "0:0:29"}, {"intervaltype": "weekly", "schedule": "0:0:8"}):
        with pytest.raises(CloudStackApiException) as raised:
            client.createSnapshotPolicy(**{**terms, **wrong})
        assert raised.value.error["errorcode"] == 431, wrong
    with pytest.raises(CloudStackApiException, match="431"):
        client.deleteSnapshotPolicies(ids=f"{policy['id']},12345678-1234-4123-8123-123456789abc")
    assert client.listSnapshotPolicies(id=policy["id"])["count"] == 1
    assert client.deleteSnapshotPolicies(id=policy["id"])["success"] is True
    assert client.listSnapshotPolicies(volumeid=volume) == {}
    client.deleteVolume(id=volume)
