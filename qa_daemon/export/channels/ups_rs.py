"""A work item by UPS-RS: Create Workitem (PS3.18 11.4)."""

from urllib.parse import quote

from qa_daemon.config.export import UpsRsSettings
from qa_daemon.export.channels.http import Place, post
from qa_daemon.export.package import Answer, Package
from qa_daemon.export.written.as_workitem import workitem
from qa_daemon.report.as_json import as_text

#: 409: the server has a work item of this UID already, which is this one (PS3.18 Table 11.4.3-1).
_HAS_IT = frozenset({409})


def send(settings: UpsRsSettings, package: Package) -> Answer:
    """Make the work item whose UID is that of the change set."""
    body = as_text([workitem(package)]).encode("utf-8")
    headers = {
        "Content-Type": "application/dicom+json",
        "Accept": "application/dicom+json, application/json;q=0.5, */*;q=0.1",
        "User-Agent": f"qa-daemon/{package.version}",
    }
    if settings.token:
        headers["Authorization"] = f"Bearer {settings.token}"
    place = Place(
        url=f"{settings.url.rstrip('/')}/workitems?{quote(package.change_set.uid)}",
        deadline_s=settings.deadline_s,
        authorities=settings.authorities,
        fine=_HAS_IT,
    )
    return post(place, body, headers)
