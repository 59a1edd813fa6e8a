"""qa-daemon finds wrong DICOM metadata by looking at the pixels."""

import sys

# pydicom loads gdcm wherever it is installed, and gdcm aborts the process on malformed files: with
# None in its place every import of it fails as if it were not there. Before anything else is.
sys.modules.setdefault("gdcm", None)  # type: ignore[arg-type]  # None is how an import is refused

#: Stands on whatever leaves the house, and in every `--help`.
INTENDED_USE = "Quality assurance of DICOM metadata. Not a medical device."
