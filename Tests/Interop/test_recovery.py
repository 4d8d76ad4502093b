"""What was destroyed and comes back; what is made anew from what is there."""

from collections.abc import Callable
from typing import Any

import pytest
from cs import CloudStack, CloudStackApiException

from cloud import Cloud, fresh, one
from service import eventually
from test_more import machine


def test_a_destroyed_machine_comes_back(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    name = fresh("back")
    disk = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    made = machine(client, name, diskofferingid=disk, startvm=False)
    volumes = {v["type"]: v["id"] for v in client.listVolumes(virtualmachineid=made["id"])["volume"]}
    cleaner(client.deleteVolume, id=volumes["DATADISK"])
    gone = client.destroyVirtualMachine(id=made["id"], fetch_result=True)["virtualmachine"]
    assert (gone["id"], gone["state"]) == (made["id"], "Destroyed")
    assert one(client.listVirtualMachines(id=made["id"]), "virtualmachine")["state"] == "Destroyed"
    assert client.listVirtualMachines(state="Destroyed")["virtualmachine"][0]["id"] == made["id"]
    assert one(client.listVolumes(id=volumes["ROOT"]), "volume")["state"] == "Destroy"
    assert "virtualmachineid" not in one(client.listVolumes(id=volumes["DATADISK"]), "volume")
    # Not among those of the other faces, unless they are asked for it.
    assert name not in [row["name"] for row in cloud.service.json("instance", "list")]
    assert name in [row["name"] for row in cloud.service.json("instance", "list", "--deleted")]
    for command in ("startVirtualMachine", "destroyVirtualMachine"):
        with pytest.raises(CloudStackApiException, match="destroyed"):
            getattr(client, command)(id=made["id"], fetch_result=True)

    # Its name is free meanwhile, and it comes back when it is free again.
    second = machine(client, name, startvm=False)
    with pytest.raises(CloudStackApiException, match="by now"):
        client.recoverVirtualMachine(id=made["id"])
    client.destroyVirtualMachine(id=second["id"], expunge=True, fetch_result=True)
    assert client.listVirtualMachines(id=second["id"]) == {}
    back = client.recoverVirtualMachine(id=made["id"])["virtualmachine"]
    assert (back["id"], back["state"]) == (made["id"], "Stopped")
    assert client.listEvents(resourceid=made["id"], type="VM.RECOVER")["count"] == 1
    client.destroyVirtualMachine(id=made["id"], fetch_result=True)
    expunged = client.destroyVirtualMachine(id=made["id"], expunge=True, fetch_result=True)["virtualmachine"]
    assert expunged["state"] == "Expunging"
    assert client.listVirtualMachines(id=made["id"]) == {} == client.listVolumes(id=volumes["ROOT"])


def test_a_destroyed_volume_comes_back(client: CloudStack) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = client.createVolume(name=fresh("back"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
    gone = client.destroyVolume(id=volume, fetch_result=True)["volume"]
    assert (gone["id"], gone["state"], gone["destroyed"]) == (volume, "Destroy", True)
    back = client.recoverVolume(id=volume)["volume"]
    assert (back["state"], back["destroyed"]) == ("Ready", False)
    client.destroyVolume(id=volume, fetch_result=True)
    assert client.destroyVolume(id=volume, expunge=True, fetch_result=True)["volume"]["state"] == "Expunged"
    assert client.listVolumes(id=volume) == {}


def test_a_machine_goes_back_to_its_template(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    name = fresh("anew")
    made = machine(client, name)
    cleaner(client.destroyVirtualMachine, id=made["id"], expunge=True)
    eventually("it has counted far", lambda: (cloud.service.counter(name) or 0) > 60)
    client.stopVirtualMachine(id=made["id"], forced=True, fetch_result=True)
    restored = client.restoreVirtualMachine(virtualmachineid=made["id"], fetch_result=True)["virtualmachine"]
    assert (restored["id"], restored["state"]) == (made["id"], "Stopped")
    client.startVirtualMachine(id=made["id"], fetch_result=True)
    eventually("it counts from the start", lambda: 0 < (cloud.service.counter(name) or 0) < 60)
    assert client.listEvents(resourceid=made["id"], type="VM.RESTORE", state="Completed")["count"] == 1


def test_from_a_volume_as_it_is(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    root = client.listVolumes(name="ROOT-web01")["volume"][0]["id"]
    before = client.listSnapshots(volumeid=root).get("count", 0)
    template = client.createTemplate(name=fresh("from"), displaytext="x", volumeid=root, fetch_result=True)["template"]
    cleaner(client.deleteTemplate, id=template["id"])
    assert template["isready"] is True
    name = fresh("copy")
    copy = client.deployVirtualMachine(
        name=name, zoneid=client.listZones()["zone"][0]["id"], volumeid=root, startvm=False,
        serviceofferingid=client.listServiceOfferings(name="1 vCPU, 256 MiB")["serviceoffering"][0]["id"],
        fetch_result=True)["virtualmachine"]
    cleaner(client.destroyVirtualMachine, id=copy["id"], expunge=True)
    assert copy["state"] == "Stopped"
    # What they were made by is gone again.
    eventually("the snapshots are gone", lambda: client.listSnapshots(volumeid=root).get("count", 0) == before)
    client.updateTemplatePermissions(id=template["id"], ispublic=True)
    assert one(client.listTemplates(templatefilter="all", id=template["id"]), "template")["ispublic"] is True
    client.updateTemplatePermissions(id=template["id"], ispublic=False)


def test_offerings(cloud: Cloud, client: CloudStack, cleaner: Callable[..., Any]) -> None:
    name = fresh("size")
    offering = client.createServiceOffering(name=name, displaytext="Ours", cpunumber=1, memory=128)["serviceoffering"]
    assert (offering["cpunumber"], offering["memory"], offering["iscustomized"]) == (1, 128, False)
    assert one(client.listServiceOfferings(id=offering["id"]), "serviceoffering")["displaytext"] == "Ours"
    disk = client.createDiskOffering(name=name, displaytext="Ours", disksize=3)["diskoffering"]
    assert (disk["disksize"], disk["iscustomized"]) == (3, False)
    for wrong in ({"disksize": 3, "customized": True}, {}, {"disksize": 0}):
        with pytest.raises(CloudStackApiException, match="431"):
            client.createDiskOffering(name=fresh("size"), displaytext="x", **wrong)
    with pytest.raises(CloudStackApiException, match="431"):
        client.createServiceOffering(name=fresh("size"), displaytext="x", cpunumber=1)

    made = client.deployVirtualMachine(
        name=fresh("sized"), zoneid=client.listZones()["zone"][0]["id"], serviceofferingid=offering["id"], startvm=False,
        templateid=client.listTemplates(templatefilter="executable")["template"][0]["id"], diskofferingid=disk["id"],
        fetch_result=True)["virtualmachine"]
    data = one(client.listVolumes(virtualmachineid=made["id"], type="DATADISK"), "volume")
    cleaner(client.destroyVolume, id=data["id"], expunge=True)
    cleaner(client.destroyVirtualMachine, id=made["id"], expunge=True)
    assert (made["memory"], made["serviceofferingname"], data["size"]) == (128, name, 3 << 30)

    # Withdrawn, it keeps its name where it was used, and nothing new is made of it.
    assert client.deleteServiceOffering(id=offering["id"])["success"] is True
    assert client.deleteDiskOffering(id=disk["id"])["success"] is True
    assert client.listServiceOfferings(id=offering["id"]) == {} == client.listDiskOfferings(name=name)
    assert one(client.listVirtualMachines(id=made["id"]), "virtualmachine")["serviceofferingname"] == name
    with pytest.raises(CloudStackApiException, match="no longer be chosen"):
        client.createVolume(name=fresh("v"), diskofferingid=disk["id"], fetch_result=True)


def test_what_stands_behind_the_zone(cloud: Cloud, client: CloudStack) -> None:
    host = one(client.listHosts(type="Routing"), "host")
    assert host["state"] == "Up" and client.listHosts(type="SecondaryStorageVM") == {}
    assert one(client.listPods(), "pod")["id"] == host["podid"]
    assert one(client.listClusters(), "cluster")["id"] == host["clusterid"]
    pool = client.listStoragePools()["storagepool"][0]
    assert pool["state"] == "Up" and 0 < pool["disksizeused"] < pool["disksizetotal"]
    assert client.listVolumes(storageid=pool["id"])["count"] > 0
    assert client.listVolumes(storageid=host["id"]) == {}
    assert one(client.listConfigurations(name="expunge.delay"), "configuration")["value"] == "86400"
    for command in ("archiveSnapshot", "copySnapshot", "createDomain", "updateConfiguration"):
        reply = cloud.ask(command)
        assert reply.status == 432 and "not served" in reply.error
        assert client.listApis(name=command) == {}


def test_events_of_a_job(client: CloudStack) -> None:
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    volume = client.createVolume(name=fresh("events"), diskofferingid=offering, fetch_result=True)["volume"]["id"]
    events = client.listEvents(resourceid=volume, type="VOLUME.CREATE")["event"]
    assert [event["state"] for event in events] == ["Completed", "Started", "Scheduled"]
    completed, started, scheduled = events
    assert completed["parentid"] == started["parentid"] == scheduled["id"] and "parentid" not in scheduled
    assert client.listEvents(startid=scheduled["id"])["count"] == 3
    assert one(client.listEvents(id=started["id"]), "event")["state"] == "Started"
    # What fails is a Completed of level ERROR.
    root = client.listVolumes(type="ROOT")["volume"][0]["id"]
    paged = client.listEvents(page=1, pagesize=2)
    rest = client.listEvents(page=2, pagesize=2)
    assert paged["count"] == rest["count"] and not {e["id"] for e in paged["event"]} & {e["id"] for e in rest["event"]}
    assert root and client.listEvents(resourceid=volume, resourcetype="Volume", state="Started")["count"] == 1
    client.deleteVolume(id=volume)


def test_keys_from_the_other_faces(cloud: Cloud, client: CloudStack) -> None:
    import json
    import urllib.request

    def rest(path: str) -> Any:
        request = urllib.request.Request(
            f"{cloud.service.url}/api/v2{path}", headers={"MC-Api-Key": cloud.credentials["mcApiKey"]})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    connection = rest("/services/connections")[0]["id"]
    place = client.listProjects(name="demo")["project"][0]["id"]
    fields = {f["key"]: f["value"] for f in rest(f"/services/connections/{connection}/apiInfo?environmentId={place}")["fields"]}
    other = CloudStack(endpoint=fields["endpoint"], key=fields["api_key"], secret=fields["secret_key"])
    assert fields["project_id"] == place
    assert other.listVirtualMachines()["count"] > 0
    # The same when asked again.
    again = {f["key"]: f["value"] for f in rest(f"/services/connections/{connection}/apiInfo?environmentId={place}")["fields"]}
    assert again == fields
    made = cloud.service.json("key", "create", "--kind", "query", "--label", fresh("cli"))
    assert cloud.client(key=made["key"], secret=made["secret"]).listZones()["count"] == 1
