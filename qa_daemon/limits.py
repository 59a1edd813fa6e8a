"""Every bound of the product, with its unit and its reason.

One frozen value, so that a site can change each bound under `limits:` in service.yaml and a test
can reach each bound cheaply. Rooms get it as an argument; nothing reads it as a global.
"""

from typing import Final

from attrs import field, frozen, validators

KIB: Final = 1 << 10
MIB: Final = 1 << 20
GIB: Final = 1 << 30


def _positive(default: int) -> int:
    return field(default=default, validator=validators.gt(0))


@frozen(kw_only=True)
class Limits:
    """The bounds in force. The defaults suit one machine with 2 cores and 4 GiB."""

    # --- objects -------------------------------------------------------------------------------
    # A breast tomosynthesis object reaches several hundred MiB; beyond 1 GiB C-STORE answers C001.
    object_bytes_max: int = _positive(GIB)
    # Kept of an object that is refused, so that a person can see what it was (contract: 1 MiB).
    quarantine_bytes_max: int = _positive(MIB)
    # Copies of refused objects; a sender that is refused all night fills no more than 1 GiB.
    quarantine_objects_max: int = _positive(1000)

    # --- the pre-scan of raw bytes (dicom.scan) --------------------------------------------------
    # Real objects nest 5 deep; pydicom fails at about 197, gdcm and dcmdump die of their stack.
    nesting_max: int = _positive(64)
    # From here on deep nesting is worth a finding.
    nesting_usual_max: int = _positive(32)
    # An enhanced MR of 1,000 frames has some 60,000 elements; 100,000 items cost pydicom 1.7 s.
    elements_max: int = _positive(1_000_000)
    items_max: int = _positive(200_000)
    # From here on one sequence is worth a finding; real objects have one item per frame.
    items_usual_max: int = _positive(50_000)
    # Repeated, misplaced or banned elements: each costs more than a plain one.
    odd_elements_max: int = _positive(50_000)
    # Values of header elements that are kept and compared; longer ones are noted, not kept.
    value_bytes_max: int = _positive(64 * KIB)
    # Unusual text that is decoded and searched, per object; 1 MiB takes some 60 ms.
    text_bytes_max: int = _positive(32 * MIB)
    # A deflated data set may grow to this and no further (a 1.3 MB bomb inflates to 2.6 GB).
    inflated_bytes_max: int = _positive(256 * MIB)
    # A DICOMDIR of 60,000 images has some 30 MB.
    media_directory_bytes_max: int = _positive(64 * MIB)
    # Irregularities kept per instance; the rest are counted.
    irregularities_max: int = _positive(100)

    # --- pixels (pixels.image, predict.child) ---------------------------------------------------
    # The largest real frames are mammograms and films of 40 MiB; some codecs take it five times.
    frame_bytes_max: int = _positive(128 * MIB)
    # Objects are handed to the inference child whole; its memory must hold one and a frame of it.
    inference_object_bytes_max: int = _positive(256 * MIB)
    # Frames of a series that `--per-instance` predicts; the largest CT series have some 5,000.
    frames_predicted_max: int = _positive(10_000)
    # Entries of a lookup table; 16 bits are the most that a descriptor can name (C.11.1.1.1).
    lookup_entries_max: int = _positive(1 << 16)

    # --- the front of the receiver (intake.upper_layer) ------------------------------------------
    # 128 presentation contexts with 20 transfer syntaxes each are some 90 KiB.
    association_request_bytes_max: int = _positive(256 * KIB)
    # Connections whose request has not come yet; each costs a descriptor and its bytes so far.
    connections_pending_max: int = _positive(256)
    # A modality opens a handful at once; the oldest silent one gives way beyond this.
    connections_pending_per_address_max: int = _positive(64)
    # A C-STORE command set has some 300 bytes (PS3.7 9.3.1.1).
    command_set_bytes_max: int = _positive(64 * KIB)
