"""Names of facts are read strictly."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qa_daemon.rules.looks.names import FactName, Kind, Step, UnknownFactError, fact_name


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("tag.Modality", FactName(Kind.TAG, (Step("Modality"),))),
        ("tag.ImageType[3]", FactName(Kind.TAG, (Step("ImageType", 3),))),
        (
            "tag.RequestAttributesSequence[*].AccessionNumber",
            FactName(Kind.TAG, (Step("RequestAttributesSequence"), Step("AccessionNumber"))),
        ),
        (
            "tag.ProcedureCodeSequence[2].CodeValue",
            FactName(Kind.TAG, (Step("ProcedureCodeSequence", 2), Step("CodeValue"))),
        ),
        ("tag.00080060", FactName(Kind.TAG, (Step("Modality"),))),
        ("tag.60000010", FactName(Kind.TAG, (Step("60000010"),))),
        ("frame.PixelSpacing", FactName(Kind.FRAME, (Step("PixelSpacing"),))),
        (
            "private.GEMS_IDEN_01.0009xx27",
            FactName(Kind.PRIVATE, (Step("private.GEMS_IDEN_01.0009xx27"),)),
        ),
        (
            "private.SIEMENS CSA HEADER.0029xx1a",
            FactName(Kind.PRIVATE, (Step("private.SIEMENS CSA HEADER.0029xx1A"),)),
        ),
        ("prediction.view", FactName(Kind.PREDICTION, word="view", part="label")),
        ("prediction.view.probability", FactName(Kind.PREDICTION, (), "view", "probability")),
        ("transfer_syntax", FactName(Kind.INSTANCE, word="transfer_syntax")),
        ("series.gaps", FactName(Kind.SERIES, word="gaps")),
        ("order.accession", FactName(Kind.ORDER, word="accession")),
        ("side", FactName(Kind.SIDE, word="any")),
        ("received", FactName(Kind.RECEIVED)),
    ],
)
def test_a_name_is_read(text: str, read: FactName) -> None:
    assert fact_name(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "Modality", "tag", "tag.", "tag.Modality.", "tag.Modality[0]", "tag.Modality[-1]",
        "tag.Modality.CodeValue", "tag.PixelData", "tag.00091010", "private.A.0008xx01",
        "private.A.0009xx1", "series.x", "study", "received.x", "side.x", "prediction",
        "irregularities", "tag.A B",
        "tag." + ".".join(["ProcedureCodeSequence"] * 9),
    ],
)  # fmt: skip
def test_what_names_nothing_is_refused(text: str) -> None:
    with pytest.raises(UnknownFactError):
        fact_name(text)


@given(st.text(max_size=30) | st.text("tag.Modalityprv[]*019x", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(UnknownFactError):
        assert fact_name(text).kind in set(Kind)
