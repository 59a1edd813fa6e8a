"""A change set as one JSON document.

`suggestion` is in the form of the contract, section 2; `data_sets` are the instances that would
change in the DICOM JSON model (PS3.18 Annex F), with the proposed values.
"""

from qa_daemon import INTENDED_USE
from qa_daemon.export.package import Package
from qa_daemon.report.as_json import Json, as_text, data_sets_after, suggestion_as_json


def change_set_as_json(package: Package) -> str:
    """Return the document; the same package always gives the same bytes."""
    return as_text(document(package))


def document(package: Package) -> Json:
    """Return the document as a value."""
    said = package.change_set
    return {
        "intended_use": INTENDED_USE,
        "product": f"qa-daemon {package.version}",
        "uid": said.uid,
        "kind": said.kind.value,
        "reverses": said.reverses or None,
        "finding": said.finding_id,
        "rule": said.rule,
        "topic": said.topic,
        "message": said.message,
        "study_instance_uid": said.study_instance_uid,
        "series_instance_uid": said.series_instance_uid or None,
        "modality": said.modality,
        "revision": said.revision,
        "decided_by": said.decided_by,
        "first_by": said.first_by or None,
        "decided_at": said.decided_at.isoformat(),
        "words": said.words,
        "suggestion": suggestion_as_json(said.suggestion),
        "data_sets": data_sets_after(package.instances, said.suggestion.changes),
    }
