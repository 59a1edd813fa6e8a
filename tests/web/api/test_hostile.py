"""Whatever is sent to the API, nothing breaks: no 500, and no answer that is not documented."""

from time import monotonic
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.core.result import Ok

from qa_daemon.web.api.document import document
from qa_daemon.web.api.operations import PREFIX
from qa_daemon.web.api.parts import OPERATIONS
from tests.web.conftest import Session, Site

#: For all operations together; what is not tried this time is tried another time.
BUDGET_S: Final = 40.0
EXAMPLES: Final = 8
_SCHEMA: Final = schemathesis.openapi.from_dict(document(OPERATIONS))
_OPERATIONS: Final = {
    result.ok().definition.raw["operationId"]: result.ok()
    for result in _SCHEMA.get_all_operations()
    if isinstance(result, Ok)  # of a schema that is right all are
}
DOCUMENTED: Final = {
    name: {int(status) for status in operation.definition.raw["responses"]}
    for name, operation in _OPERATIONS.items()
}


@pytest.fixture(scope="module")
def until() -> float:
    return monotonic() + BUDGET_S


@pytest.fixture(scope="module")
def admin(site: Site) -> Session:
    return site.signed_in("admin")


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("name", sorted(_OPERATIONS))
def test_no_request_breaks_an_operation(
    name: str, mode: GenerationMode, site: Site, admin: Session, until: float
) -> None:
    headers = {"X-CSRF-Token": admin.csrf, "Host": site.url.removeprefix("http://")}
    cookies = dict(admin.client.cookies)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(case=_OPERATIONS[name].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if monotonic() > until:
            return
        answer = case.call(base_url=site.url + PREFIX, headers=headers, cookies=cookies)
        assert answer.status_code < 500, answer.text
        assert answer.status_code in {*DOCUMENTED[name], 405}, answer.text

    ask()


HOSTILE: Final = st.one_of(
    st.text(min_size=1, max_size=80),
    st.sampled_from(
        ["..", "%2e%2e%2f", "%00", "a\x00b", "' OR 1=1 --", "\u202e", "2.25." + "9" * 60]
    ),
)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(part=HOSTILE, more=HOSTILE)
def test_no_path_or_key_breaks_the_worklist(part: str, more: str, admin: Session) -> None:
    named = {"workitem": part, "key": more}
    for path in ("/dicom-web/workitems/{workitem}", "/api/v1/findings/{workitem}"):
        url = path.format(workitem=_quoted(named["workitem"]))
        assert admin.get(url).status_code in {400, 404, 405}, url
    asked = admin.client.get("/dicom-web/workitems", params={named["key"]: part})
    assert asked.status_code in {200, 204, 206, 400}, asked.text
    told = {
        "X-CSRF-Token": admin.csrf,
        "Content-Type": "application/dicom+json",
    }
    body = (part + more).encode("utf-8", "replace")
    sent = admin.client.put("/dicom-web/workitems/2.25.1/state", content=body, headers=told)
    assert sent.status_code in {400, 404}, sent.text


def _quoted(text: str) -> str:
    from urllib.parse import quote  # noqa: PLC0415  of this test only

    return quote(text.encode("utf-8", "replace"), safe="%")


@pytest.mark.parametrize(
    "body",
    ["[" * 5000, '{"00741000": ' + '{"a": ' * 3000, "NaN", '{"x": NaN}', '"\\ud800"', "\x00", ""],
    ids=["arrays", "objects", "not a number", "NaN inside", "lone surrogate", "NUL", "empty"],
)
def test_no_body_breaks_a_reader(admin: Session, body: str) -> None:
    headers = {"X-CSRF-Token": admin.csrf, "Idempotency-Key": "x", "Content-Type": "text/plain"}
    content = body.encode("utf-8", "surrogatepass")
    answer = admin.client.post("/api/v1/decisions", content=content, headers=headers)
    assert answer.status_code == 400
