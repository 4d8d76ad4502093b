"""Every class of error, as a client sees it."""

import pytest
from cs import CloudStack, CloudStackApiException

from cloud import Cloud, fresh


def refused(client: CloudStack, command: str, code: int, **parameters: str) -> str:
    with pytest.raises(CloudStackApiException) as raised:
        getattr(client, command)(**parameters)
    error = raised.value.error
    assert error["errorcode"] == code == raised.value.response.status_code
    assert raised.value.response.headers["X-Description"]
    return error["errortext"]


UNKNOWN = "12345678-1234-4123-8123-123456789abc"


def test_credentials(cloud: Cloud) -> None:
    words = {
        refused(client, "listZones", 401) for client in [
            cloud.client(secret="wrong"), cloud.client(key="nobody"), cloud.client(method="post", secret="wrong")]}
    # The same words for all: nothing is to be learned from them.
    assert words == {"unable to verify user credentials and/or request signature"}
    for end in ("2020-01-01T00:00:00+0000", "2020-01-01T00:00:00Z", "soon"):
        assert cloud.ask("listZones", signatureVersion="3", expires=end).error in words
        assert cloud.ask("listZones", expires=end).status == 200
    assert cloud.ask("listZones", signatureVersion="3").error in words
    for end in ("2130-01-01T00:00:00+0000", "2130-01-01T00:00:00+00:00", "2130-01-01T00:00:00Z"):
        assert cloud.ask("listZones", signatureVersion="3", expires=end).status == 200
    for query in ("", "command=listZones", f"command=listZones&apiKey={cloud.key}", f"apiKey={cloud.key}&signature=x"):
        reply = cloud.send(query)
        assert (reply.status, reply.error) == (401, *words)


def test_parameters(client: CloudStack, cloud: Cloud) -> None:
    text = refused(client, "deleteSnapshot", 431, id=UNKNOWN)
    assert text == (
        f"Unable to execute API command deletesnapshot due to invalid value. Invalid parameter id value={UNKNOWN} due to "
        "incorrect long value format, or entity does not exist or due to incorrect parameter annotation for the field in "
        "api cmd class.")
    assert "entity does not exist" in refused(client, "listVolumes", 431, virtualmachineid=UNKNOWN)
    assert "entity does not exist" in refused(client, "listVolumes", 431, id="no id at all")
    assert refused(client, "createSnapshot", 431) == (
        "Unable to execute API command createsnapshot due to missing parameter volumeid")
    assert "pagesize" in cloud.ask("listVolumes", page="1").error
    assert "page" in cloud.ask("listVolumes", pagesize="1").error
    assert "page size" in refused(client, "listVolumes", 431, page="1", pagesize="501").lower()
    assert "id and ids" in refused(client, "listVolumes", 431, id=a_volume(client), ids=a_volume(client))
    assert "control" in refused(client, "listVolumes", 431, keyword="a\x01")
    assert "boolean" in refused(client, "deployVirtualMachine", 431, startvm="maybe", zoneid="z", serviceofferingid="s")
    assert "exist" in refused(client, "queryAsyncJobResult", 431, jobid=UNKNOWN)


def test_state(client: CloudStack) -> None:
    volume = a_volume(client)
    assert "root volume" in refused(client, "deleteVolume", 431, id=volume)
    assert "root volume" in refused(client, "detachVolume", 431, id=volume)
    offering = client.listDiskOfferings(name="1 GiB")["diskoffering"][0]["id"]
    custom = client.listDiskOfferings(name="Custom size")["diskoffering"][0]["id"]
    assert "has a size" in refused(client, "createVolume", 431, name=fresh("v"), diskofferingid=offering, size="2")
    assert "needs the parameter size" in refused(client, "createVolume", 431, name=fresh("v"), diskofferingid=custom)


def test_commands(cloud: Cloud, client: CloudStack) -> None:
    reply = cloud.ask("noSuchCommand")
    assert (reply.status, reply.key) == (432, "errorresponse")
    assert "noSuchCommand" in reply.error
    # Names are exact.
    assert cloud.ask("listzones").status == 432


def test_generosity(cloud: Cloud) -> None:
    assert cloud.ask("listZones", aParameterThatNobodyKnows="x").status == 200
    assert cloud.ask("listVirtualMachines", LISTALL="True", isRecursive="True").status == 200
    # Everything in the query, and an empty form.
    assert cloud.ask("listZones", body=b"").status == 200
    assert cloud.ask("listZones", id="").body["count"] == 1


def test_what_is_no_command(cloud: Cloud) -> None:
    reply = cloud.send("command=listZones", method="PUT", body=b"")
    assert (reply.status, reply.key) == (405, "listzonesresponse")
    reply = cloud.send("command=listZones", body=b"x" * (2 << 20))
    assert (reply.status, reply.key) == (413, "listzonesresponse")


def a_volume(client: CloudStack) -> str:
    return client.listVolumes(type="ROOT")["volume"][0]["id"]
