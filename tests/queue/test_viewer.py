"""The link to the site's viewer, and what of a configuration can be none."""

from urllib.parse import parse_qs, urlsplit

import pytest

from qa_daemon.config.sections.viewing import ViewerSettings
from qa_daemon.queue.viewer import LINK_LENGTH_MAX, Subject, viewer_link

OHIF = ViewerSettings(link="https://ohif.example/viewer?StudyInstanceUIDs={study_instance_uid}")


def test_a_study_is_opened_by_its_uid() -> None:
    link = viewer_link(OHIF, Subject("1.2.3"))
    assert link == "https://ohif.example/viewer?StudyInstanceUIDs=1.2.3"


def test_without_a_link_there_is_none() -> None:
    assert viewer_link(ViewerSettings(), Subject("1.2.3")) == ""


@pytest.mark.parametrize(
    "hostile", ["1&admin=1", "//evil.example", "javascript:alert(1)", "ä\udcff"]
)
def test_no_value_adds_a_parameter_or_a_host(hostile: str) -> None:
    link = urlsplit(viewer_link(OHIF, Subject(hostile)))
    assert (link.scheme, link.netloc) == ("https", "ohif.example")
    assert list(parse_qs(link.query)) == ["StudyInstanceUIDs"]


def test_a_link_that_needs_what_is_not_known_is_not_shown() -> None:
    settings = ViewerSettings(link="weasis://?patient={patient_id}")
    assert viewer_link(settings, Subject("1.2.3")) == ""
    assert viewer_link(settings, Subject("1.2.3", patient_id="P 1")) == "weasis://?patient=P%201"


def test_a_scheme_that_the_site_does_not_allow_is_not_shown() -> None:
    settings = ViewerSettings(schemes=("https",), link="weasis://{study_instance_uid}")
    assert viewer_link(settings, Subject("1.2.3")) == ""


def test_a_link_longer_than_browsers_take_is_not_shown() -> None:
    assert viewer_link(OHIF, Subject("1" * LINK_LENGTH_MAX)) == ""


@pytest.mark.parametrize(
    "link", ["javascript:alert({study_instance_uid})", "data:text/html,x", "/viewer", "no link",
             "https://ohif.example/{patient_name}"],
)  # fmt: skip
def test_a_setting_that_is_no_safe_link_is_refused(link: str) -> None:
    with pytest.raises(ValueError, match=r"write a link|unknown"):
        ViewerSettings(link=link)


@pytest.mark.parametrize("scheme", ["javascript", "data", "file", "", "HTTPS", "a b"])
def test_no_site_can_allow_a_scheme_that_runs_or_reads(scheme: str) -> None:
    with pytest.raises(ValueError, match="scheme"):
        ViewerSettings(schemes=(scheme,))
