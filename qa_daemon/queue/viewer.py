"""The link that opens a study in the site's own viewer (OHIF, Weasis and others)."""

from typing import Final
from urllib.parse import quote

from attrs import frozen

from qa_daemon.config.sections.viewing import ViewerSettings, scheme_of


@frozen
class Subject:
    """What is to be opened; what is unknown stays empty."""

    study_instance_uid: str
    series_instance_uid: str = ""
    accession_number: str = ""
    patient_id: str = ""


#: Longer links are cut by browsers and proxies.
LINK_LENGTH_MAX: Final = 2000


def viewer_link(settings: ViewerSettings, subject: Subject) -> str:
    """Return the link, "" where the site has none or a value that it needs is unknown.

    Every value is percent-encoded whole, so that none adds a parameter, a host or a scheme.
    """
    link = settings.link
    if scheme_of(link) not in settings.schemes:
        return ""
    for name in ("study_instance_uid", "series_instance_uid", "accession_number", "patient_id"):
        place = f"{{{name}}}"
        if place in link:
            value = getattr(subject, name)
            if not value:
                return ""
            link = link.replace(place, quote(value.encode("utf-8", "replace"), safe=""))
    return link if len(link) <= LINK_LENGTH_MAX else ""
