"""Find what travels with the product, `rules/`, `models/` and service.yaml, and read rule files.

Installed from a wheel they lie in `qa_daemon/shipped`; in a checkout at its top.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import qa_daemon
from qa_daemon.config.given import Fault, FaultyConfigurationError
from qa_daemon.config.settings import Settings

# A rule with all its cases has some 5 KiB, a site's pack some 100 rules.
RULE_BYTES_MAX: Final = 1 << 20
RULE_FILES_MAX: Final = 5_000


def shipped(name: str) -> Path:
    """Return where the shipped `rules`, `models` or `service.yaml` lie."""
    package = Path(qa_daemon.__file__).parent
    installed = package / "shipped" / name
    return installed if installed.exists() else package.parent / name


def models_folder(settings: Settings) -> Path:
    """Return the folder of the model packages in force."""
    return settings.models.folder or shipped("models")


def rule_texts(settings: Settings) -> Mapping[str, str]:
    """Return the text of every rule file by its path, in the order in which later ones override.

    The shipped rules come first, named `rules/...`; then the folders of the site as configured,
    each in the order of its paths. Hidden files are left out.

    Raises
    ------
    FaultyConfigurationError
        Naming every folder and file that cannot be read.
    """
    texts: dict[str, str] = {}
    faults: list[Fault] = []
    folders = [(folder, str(folder)) for folder in settings.rules.folders]
    if settings.rules.shipped:
        folders.insert(0, (shipped("rules"), "rules"))
    for folder, name in folders:
        if not folder.is_dir():
            faults.append(Fault(name, "", "is no folder; mend rules.folders in service.yaml"))
            continue
        for path in _rule_files(folder):
            where = f"{name}/{path.relative_to(folder).as_posix()}"
            try:
                texts[where] = _text_of(path)
            except (OSError, ValueError) as error:
                faults.append(Fault(where, "", _reason(error)))
    if len(texts) > RULE_FILES_MAX:
        faults.append(Fault("rules.folders", "", f"more than {RULE_FILES_MAX} rule files"))
    if faults:
        raise FaultyConfigurationError(tuple(faults))
    return texts


def _rule_files(folder: Path) -> Iterator[Path]:
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        if not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _text_of(path: Path) -> str:
    with path.open("rb") as file:
        raw = file.read(RULE_BYTES_MAX + 1)
    if len(raw) > RULE_BYTES_MAX:
        raise ValueError(f"is larger than {RULE_BYTES_MAX} bytes")
    return raw.decode("utf-8-sig")


def _reason(error: OSError | ValueError) -> str:
    if isinstance(error, UnicodeDecodeError):
        return "is not UTF-8"
    return f"cannot be read: {error.strerror}" if isinstance(error, OSError) else str(error)
