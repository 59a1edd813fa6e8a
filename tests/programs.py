"""Programs of other makers that tests talk to."""

import os
import shutil
import sys
from pathlib import Path


def system_program(name: str) -> str:
    """Return where a program of the system lies.

    pynetdicom puts programs of the same names beside the interpreter; those are not meant.
    """
    ours = Path(sys.executable).parent
    folders = [each for each in os.get_exec_path() if Path(each).absolute() != ours]
    found = shutil.which(name, path=os.pathsep.join(folders))
    assert found, f"these tests need {name}: apt install dcmtk openssl"
    return found
