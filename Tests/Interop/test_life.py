"""The whole life cycle with the `cs` client, by GET and by POST, and a real machine."""

import pytest
from cs import CloudStack

from cloud import Cloud, fresh, one
from service import eventually


@pytest.mark.parametrize("method", ["get", "post"])
def test_life_of_a_machine(cloud: Cloud, method: str) -> None:
    client = cloud.client(method)
    zone = one(client.listZones(), "zone")
    offering = client.listServiceOfferings(name="1 vCPU, 256 MiB")["serviceoffering"][0]
    disk = client.listDiskOfferings(keyword="1 GiB")["diskoffering"][0]
    template = client.listTemplates(templatefilter="executable")["template"][0]
    name = fresh("life")

    # Deployed, and it runs for real: its console counts.
    machine = client.deployVirtualMachine(
        name=name, zoneid=zone["id"], serviceofferingid=offering["id"], templateid=template["id"], fetch_result=True
    )["virtualmachine"]
    assert (machine["name"], machine["state"]) == (name, "Running")
    assert machine["nic"][0]["ipaddress"] and machine["tags"] == [] and machine["templateid"] == template["id"]
    eventually("it counts", lambda: cloud.service.counter(name))
    root = one(client.listVolumes(virtualmachineid=machine["id"], type="ROOT"), "volume")
    assert (root["deviceid"], root["state"], root["vmstate"]) == (0, "Ready", "Running")

    # A data volume comes and goes while it runs.
    data = client.createVolume(
        name=fresh("data"), diskofferingid=disk["id"], zoneid=zone["id"], fetch_result=True)["volume"]
    assert data["type"] == "DATADISK" and "attached" not in data and "virtualmachineid" not in data
    attached = client.attachVolume(id=data["id"], virtualmachineid=machine["id"], fetch_result=True)["volume"]
    assert (attached["deviceid"], attached["virtualmachineid"], attached["vmname"]) == (1, machine["id"], name)
    assert "attached" in attached

    # A snapshot of the running machine's root volume.
    before = eventually("it counts", lambda: cloud.service.counter(name))
    answer = client.createSnapshot(
        volumeid=root["id"], name=fresh("before"), **{"tags[0].key": "Zweck", "tags[0].value": "vor dem Ändern & mehr"})
    snapshot = one(client.listSnapshots(id=answer["id"]), "snapshot")
    job = eventually("it is taken", lambda: ended(client, answer["jobid"]))
    assert job["jobstatus"] == 1 and job["jobresult"]["snapshot"]["id"] == answer["id"]
    snapshot = one(client.listSnapshots(**{"tags[0].key": "Zweck", "tags[0].value": "vor dem Ändern & mehr"}), "snapshot")
    assert (snapshot["state"], snapshot["snapshottype"], snapshot["volumeid"]) == ("BackedUp", "MANUAL", root["id"])
    assert snapshot["tags"][0]["key"] == "Zweck"
    # Without a name one is made.
    unnamed = client.createSnapshot(volumeid=root["id"], fetch_result=True)["snapshot"]
    assert unnamed["name"].startswith(f"{name}_ROOT-{name}_")

    # Back to it: refused while the machine runs, and then its counter is where it was.
    eventually("it counts on", lambda: (cloud.service.counter(name) or 0) > before + 25)
    with pytest.raises(Exception, match="must be stopped"):
        client.revertSnapshot(id=snapshot["id"], fetch_result=True)
    assert client.stopVirtualMachine(id=machine["id"], fetch_result=True)["virtualmachine"]["state"] == "Stopped"
    far = cloud.service.counter(name)
    assert client.revertSnapshot(id=snapshot["id"], fetch_result=True)["snapshot"]["id"] == snapshot["id"]
    assert client.startVirtualMachine(id=machine["id"], fetch_result=True)["virtualmachine"]["state"] == "Running"
    eventually("it counts from where it was", lambda: before <= (cloud.service.counter(name) or 0) < far)

    # A volume and a template from the snapshot live without it.
    copy = client.createVolume(name=fresh("copy"), snapshotid=snapshot["id"], fetch_result=True)["volume"]
    assert copy["type"] == "DATADISK" and copy["size"] == snapshot["virtualsize"]
    golden = client.createTemplate(
        name=fresh("golden"), displaytext="Ein Muster", snapshotid=snapshot["id"], ostypeid=template["ostypeid"],
        fetch_result=True)["template"]
    assert golden["isready"] is True and golden["ispublic"] is False
    assert client.deleteSnapshot(id=snapshot["id"], fetch_result=True)["success"] is True
    clone = client.deployVirtualMachine(
        name=fresh("clone"), zoneid=zone["id"], serviceofferingid=offering["id"], templateid=golden["id"], startvm=False,
        fetch_result=True)["virtualmachine"]
    assert clone["state"] == "Stopped"

    # What is deleted is known, and what never was is not.
    assert client.listSnapshots(id=snapshot["id"]) == {}
    with pytest.raises(Exception, match="entity does not exist"):
        client.listSnapshots(id="00000000-1111-4222-8333-444444444444")
    with pytest.raises(Exception, match="431"):
        client.deleteSnapshot(id=snapshot["id"], fetch_result=True)

    # Away with all of it.
    client.stopVirtualMachine(id=machine["id"], forced=True, fetch_result=True)
    detached = client.detachVolume(id=data["id"], fetch_result=True)["volume"]
    assert not {"attached", "deviceid", "virtualmachineid", "vmname", "vmstate"} & set(detached)
    grown = client.resizeVolume(id=data["id"], diskofferingid=offering_of(client, "10 GiB"), fetch_result=True)["volume"]
    assert grown["size"] == 10 << 30
    for volume in (data, copy):
        assert client.deleteVolume(id=volume["id"])["success"] is True
    client.deleteSnapshot(id=unnamed["id"], fetch_result=True)
    for gone in (clone, machine):
        client.destroyVirtualMachine(id=gone["id"], expunge=True, fetch_result=True)
        assert client.listVirtualMachines(id=gone["id"]) == {}
    assert client.deleteTemplate(id=golden["id"], fetch_result=True)["success"] is True


def ended(client: CloudStack, job: str) -> dict | None:
    answer = client.queryAsyncJobResult(jobid=job)
    return answer if answer["jobstatus"] else None


def offering_of(client: CloudStack, name: str) -> str:
    return client.listDiskOfferings(name=name)["diskoffering"][0]["id"]
