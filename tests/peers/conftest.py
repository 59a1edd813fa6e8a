"""Real peers on loopback: DCMTK's worklist server, and an Orthanc."""

import contextlib
import json
import socket
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, generate_uid
from pynetdicom import AE

from qa_daemon.peers.association import Peer
from tests.programs import system_program

WORKLIST_CLASS = UID("1.2.840.10008.5.1.4.31")
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
DEADLINE_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def answers_echo(peer: Peer, running: "subprocess.Popen[bytes]") -> None:
    """Wait until the peer takes associations."""
    entity = AE()
    entity.add_requested_context("1.2.840.10008.1.1")
    entity.connection_timeout = 1.0
    for _ in range(300):
        assert running.poll() is None, "the peer has ended"
        with contextlib.suppress(OSError), socket.create_connection((peer.host, peer.port), 1.0):
            break
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(0.1)
    for _ in range(100):
        association = entity.associate(peer.host, peer.port, ae_title=peer.ae_title)
        if association.is_established:
            association.release()
            return
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(0.1)
    raise AssertionError("the peer does not answer")


def entry(accession: str, patient: str, procedure: str, **more: str) -> Dataset:
    """Return a worklist entry of 1 March 2026."""
    step = Dataset()
    step.Modality = more.get("modality", "DX")
    step.ScheduledStationAETitle = "DX1"
    step.ScheduledProcedureStepStartDate = more.get("date", "20260301")
    step.ScheduledProcedureStepStartTime = "080000"
    step.ScheduledPerformingPhysicianName = ""
    step.ScheduledProcedureStepDescription = procedure
    step.ScheduledProcedureStepID = more.get("step", f"S{accession}")
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.PatientName, made.PatientID = "Doe^Jane", patient
    made.IssuerOfPatientID = more.get("issuer", "")
    made.PatientBirthDate, made.PatientSex = "19700101", "F"
    made.AccessionNumber = accession
    made.RequestedProcedureID = more.get("procedure_id", f"R{accession}")
    made.RequestedProcedureDescription = procedure
    made.StudyInstanceUID = more.get("study", f"1.2.3.{accession.strip('AB')}")
    made.AdmissionID = "V1"
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = "X1", "99RIS", procedure
    made.RequestedProcedureCodeSequence = [code]
    issuer = Dataset()
    issuer.LocalNamespaceEntityID = "RIS"
    made.IssuerOfAccessionNumberSequence = [issuer]
    made.ScheduledProcedureStepSequence = [step]
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    made.file_meta.MediaStorageSOPClassUID = WORKLIST_CLASS
    made.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return made


ENTRIES = {
    "knee": entry("A1", "P1", "Knie re. 2 Eb."),
    "ankle": entry("A2", "P1", "OSG re. 2 Eb."),
    "ankle-2": entry("A2", "P1", "OSG re. gehalten", step="SA2b"),
    "tomorrow": entry("A3", "P1", "Hand re.", date="20260302"),
    "other": entry("A4", "P2", "Thorax"),
    "twin": entry("B7", "P3", "Thorax", issuer="HOME"),
    "twice-1": entry("B9", "P4", "Schulter li.", study="1.2.9.1"),
    "twice-2": entry("B9", "P5", "Schulter re.", study="1.2.9.2"),
}


@pytest.fixture(scope="session")
def worklist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """DCMTK's `wlmscpfs`, which serves the entries from files."""
    folder = tmp_path_factory.mktemp("worklist")
    own = folder / "RIS"
    own.mkdir()
    (own / "lockfile").touch()
    for name, each in ENTRIES.items():
        each.save_as(own / f"{name}.wl", enforce_file_format=True)
    port = free_port()
    command = [system_program("wlmscpfs"), "-dfp", str(folder), str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(  # noqa: S603  a system program
        command, stdout=log, stderr=log
    ) as running:  # fmt: skip
        peer = Peer(ae_title="RIS", host="127.0.0.1", port=port)
        try:
            answers_echo(peer, running)
            yield peer
        finally:
            running.kill()


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peer]:
    """An Orthanc that keeps nothing."""
    folder = tmp_path_factory.mktemp("orthanc")
    port, http = free_port(), free_port()
    settings: dict[str, Any] = {
        "Name": "ARCHIVE", "DicomAet": "ARCHIVE", "DicomPort": port, "HttpPort": http,
        "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "index"),
        "RemoteAccessAllowed": False, "AuthenticationEnabled": False, "Plugins": [],
        "DicomAlwaysAllowFind": True, "DicomAlwaysAllowStore": True, "HttpServerEnabled": False,
        "DicomAlwaysAllowEcho": True,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log, subprocess.Popen(  # noqa: S603  a system program
        [system_program("Orthanc"), str(folder / "orthanc.json")], stdout=log, stderr=log
    ) as running:  # fmt: skip
        peer = Peer(ae_title="ARCHIVE", host="127.0.0.1", port=port)
        try:
            answers_echo(peer, running)
            yield peer
        finally:
            running.kill()


@pytest.fixture(scope="session")
def stored(archive: Peer) -> Callable[..., None]:
    """Store a picture of a study in the archive."""

    def store(patient: str, accession: str, description: str, date: str = "20260301") -> None:
        made = Dataset()
        made.SOPClassUID, made.SOPInstanceUID = SECONDARY_CAPTURE, generate_uid()
        made.StudyInstanceUID, made.SeriesInstanceUID = generate_uid(), generate_uid()
        made.PatientID, made.PatientName = patient, "Doe^Jane"
        made.AccessionNumber, made.StudyDescription = accession, description
        made.StudyDate, made.StudyTime, made.StudyID = date, "080000", f"S{accession}"
        made.Modality = "DX"
        made.file_meta = FileMetaDataset()
        made.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        entity = AE()
        entity.add_requested_context(SECONDARY_CAPTURE, ExplicitVRLittleEndian)
        association = entity.associate(archive.host, archive.port, ae_title=archive.ae_title)
        assert association.is_established
        assert association.send_c_store(made).Status == 0
        association.release()

    return store


@pytest.fixture
def silent() -> Iterator[Peer]:
    """A port that takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Peer(ae_title="DEAF", host="127.0.0.1", port=server.getsockname()[1], deadline_s=1.5)
