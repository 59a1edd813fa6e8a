"""Character sets, against the decoder of another library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.charset import convert_encodings, decode_bytes

from qa_daemon.dicom.encoding.text import Charset, charset_of


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        (("ISO_IR 100",), b"M\xfcller", "Müller"),
        (("ISO_IR 144",), "Дюкл".encode("iso8859_5"), "Дюкл"),
        (("ISO_IR 192",), "王^小東".encode(), "王^小東"),
        (("GB18030",), "王^小东".encode("gb18030"), "王^小东"),
        (
            ("", "ISO 2022 IR 87"),
            b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B",
            "Yamada^Tarou=山田^太郎",
        ),
        (("ISO 2022 IR 13", "ISO 2022 IR 87"), b"\xd4\xcf\xc0\xde=\x1b$B;3ED\x1b(J", "ﾔﾏﾀﾞ=山田"),
        (("", "ISO 2022 IR 149"), b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7", "Hong=洪^吉洞"),
        (("ISO 2022 IR 6", "ISO 2022 IR 58"), b"Wang=\x1b$)A\xcd\xf5", "Wang=王"),
        (("ISO_IR 100", "ISO 2022 IR 144"), b"\xfc \x1b-L\xbb", "ü Л"),
    ],
)
def test_the_sets_of_the_standard_are_read(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    assert charset_of(terms).decode(raw) == (text, None)


@pytest.mark.parametrize(
    ("terms", "raw", "kind"),
    [
        ((), b"M\xfcller", "charset-undeclared"),
        (("ISO_IR 6",), b"M\xfcller", "charset-undeclared"),
        ((), b"\x1b$B;3ED\x1b(B", "charset-undeclared"),
        (("ISO_IR 192",), b"\xff", "charset-decode"),
        (("ISO_IR 100",), b"\x1b$B;3ED\x1b(B", "charset-decode"),
        (("", "ISO 2022 IR 87"), b"\x1b$B;3E", "charset-decode"),
        (("", "ISO 2022 IR 87"), b"\x1b$B;3ED", "charset-decode"),
        (("", "ISO 2022 IR 87"), b"\x1b-Lx", "charset-decode"),
        (("", "ISO 2022 IR 87"), b"\x1b%G\xe2", "charset-decode"),
    ],
)
def test_what_does_not_fit_is_named_and_still_read(
    terms: tuple[str, ...], raw: bytes, kind: str
) -> None:
    decoded = charset_of(terms).decode(raw)
    assert decoded.kind == kind
    assert decoded.text


@pytest.mark.parametrize(
    "terms",
    [
        ("ISO_IR 999",),
        ("utf_8",),
        ("", "nonsense"),
        ("ISO_IR 192", "ISO 2022 IR 87"),
        ("",) + ("ISO 2022 IR 87",) * 30,
    ],
)
def test_terms_of_no_standard_are_known_as_such(terms: tuple[str, ...]) -> None:
    charset = charset_of(terms)
    assert not charset.is_known
    assert charset.decode("Müller".encode()).text == "Müller"


@given(
    st.binary(max_size=60), st.sampled_from(["ISO_IR 100", "ISO_IR 192", "ISO_IR 166", "GBK", ""])
)
def test_any_bytes_become_text(raw: bytes, term: str) -> None:
    text, kind = charset_of((term,)).decode(raw)
    assert isinstance(text, str)
    assert kind is not None or "\ufffd" not in text or "\ufffd".encode() in raw


@given(st.text(alphabet="aäöüßéñ^= ", max_size=30))
def test_another_library_reads_the_same(text: str) -> None:
    raw = text.encode("latin-1")
    other = decode_bytes(raw, convert_encodings(["ISO_IR 100"]), {10, 12, 13})
    assert Charset("latin_1").decode(raw).text == other
