"""Tables of the standard."""

import pytest

from qa_daemon.dicom import terms


@pytest.mark.parametrize("term", ["CT", "MR", "PT", "OT", "DX", "OPR"])
def test_terms_in_force_and_retired_ones_are_modalities(term: str) -> None:
    assert terms.is_modality(term)


@pytest.mark.parametrize("term", ["", "ct", "MRI", "CAT"])
def test_other_words_are_no_modalities(term: str) -> None:
    assert not terms.is_modality(term)
