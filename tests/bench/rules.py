"""How long rules take over a series of a thousand instances, headers read. Prints, never asserts.

    python tests/bench/rules.py [--rules DIR]

Three sets: those of the folder (default: the shipped ones), a hundred in conditions only, and one
that looks at values which differ in every instance. Each evaluation begins with a series that no
rule has seen; the least of several is what the engine takes, the first adds what is read once.
Processor time of one thread.
"""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from time import process_time
from typing import Final

import yaml

from qa_daemon.records.inference import Inference
from qa_daemon.records.series import Series
from qa_daemon.rules.evaluate import evaluate
from qa_daemon.rules.facts import SeriesFacts
from qa_daemon.rules.load import load_pack
from qa_daemon.rules.prove import case_prediction, case_series
from qa_daemon.rules.schema import CaseSeries, Operand, RulePack

RULES: Final = Path(__file__).resolve().parents[2] / "rules"
INSTANCES: Final = 1000
REPEATS: Final = 7
SHARED: Final[Mapping[str, Operand]] = {
    "Modality": "CT", "PatientID": "A1", "StudyDate": "20240501", "SeriesDate": "20240501",
    "StudyTime": "115900", "BodyPartExamined": "CHEST", "AccessionNumber": "RX123456",
    "ImageOrientationPatient": (1, 0, 0, 0, 1, 0), "PixelSpacing": (0.7, 0.7), "Rows": 512,
    "Columns": 512, "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11, "SliceThickness": 1,
    "StudyDescription": "CT THORAX", "ProtocolName": "Thorax nativ", "WindowWidth": 400,
    "RescaleSlope": 1, "RescaleIntercept": -1024, "ImageType": ("ORIGINAL", "PRIMARY", "AXIAL"),
    "RequestAttributesSequence": ({"AccessionNumber": "RX123456"},),
}  # fmt: skip
CONDITIONS: Final = (
    {"fact": "tag.Modality", "in": ["CT", "MR"]},
    {"fact": "tag.AccessionNumber", "matches": "[A-Z]{2}[0-9]{6}"},
    {"fact": "tag.HighBit", "equals": {"fact": "tag.BitsStored", "plus": -1}},
    {"fact": "tag.SeriesDate", "not_before": {"fact": "tag.StudyDate"}},
    {"fact": "tag.WindowCenter", "above": -1},
    {
        "some": "tag.RequestAttributesSequence",
        "is": {"fact": "item.AccessionNumber", "filled": True},
    },
    {"fact": "tag.BodyPartExamined", "overlaps_region": {"prediction": "body_region"}},
    {"every": "instances", "is": {"fact": "tag.WindowCenter", "filled": True}},
    {"fact": "frame.PixelSpacing", "above": 0},
    {"all": [{"fact": "tag.Rows", "at_least": 2}, {"not": {"fact": "tag.Columns", "below": 2}}]},
)  # fmt: skip
DIFFERING: Final = (
    {"fact": "tag.InstanceNumber", "above": 0},
    {"every": "instances", "is": {"fact": "tag.SliceLocation", "at_most": 1e4}},
    {"fact": "tag.ContentTime", "not_before": {"fact": "tag.StudyTime"}},
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", type=Path, default=RULES)
    folder = parser.parse_args().rules
    files = sorted(folder.rglob("*.yaml"))
    series = drawn()
    packs = {
        f"{folder.name}/": load_pack({str(file): file.read_text() for file in files}),
        "conditions": made([CONDITIONS[n % len(CONDITIONS)] for n in range(100)]),
        "differing": made([DIFFERING[n % len(DIFFERING)] for n in range(3)]),
    }
    line = "{:12} {:>5} {:>9} {:>9} {:>8}\n"
    sys.stdout.write(line.format("set", "rules", "first ms", "least ms", "per 100"))
    for name, pack in packs.items():
        times = [measured(pack, series) for _ in range(REPEATS)]
        rules = sum(rule.level.value in {"instance", "series"} for rule in pack.enabled)
        least = min(times)
        told = (f"{each:.1f}" for each in (times[0], least, least / rules * 100))
        sys.stdout.write(line.format(name, rules, *told))


def drawn() -> Series:
    """Return a series of slices that share most values, as series do."""
    rows: list[dict[str, Operand]] = [
        {
            "InstanceNumber": z + 1,
            "SOPInstanceUID": f"1.2.3.{z}",
            "ImagePositionPatient": (-179, -180, z),
            "SliceLocation": z,
            "WindowCenter": z % 3,
            "ContentTime": f"12{z // 60 % 60:02}{z % 60:02}",
        }
        for z in range(INSTANCES)
    ]
    return case_series(CaseSeries(SHARED, tuple(rows)))


def made(conditions: list[Mapping[str, object]]) -> RulePack:
    """Return rules of level instance with these checks."""
    texts = {}
    for number, check in enumerate(conditions):
        level = "series" if "every" in check else "instance"  # what is gone over is not alone
        rule = {
            "id": f"BENCH-{number:03}", "title": "A rule", "topic": "order", "severity": "minor",
            "status": "stable", "version": 1, "level": level, "rationale": "PS3.3", "check": check,
        }  # fmt: skip
        texts[f"bench/{number}.yaml"] = yaml.safe_dump(rule)
    return load_pack(texts)


def measured(pack: RulePack, series: Series) -> float:
    """Return the milliseconds of one evaluation by facts that nobody has looked at."""
    facts = SeriesFacts(series, Inference((case_prediction("body_region", {"CHEST": 0.99}),)))
    begin = process_time()
    verdict = evaluate(pack, facts)
    took = (process_time() - begin) * 1000
    assert not verdict.outcomes.fault
    return took


if __name__ == "__main__":
    main()
