"""Run a command under the system call filters of a unit file, as systemd would load them.

    python under_filters.py UNIT COMMAND [ARGUMENT...]

systemd 252 turns MemoryDenyWriteExecute= into rules of libseccomp, newer ones into PR_SET_MDWE:
both are applied. SystemCallFilter= sets are expanded by systemd-analyze, as on this machine.
"""

import ctypes
import errno
import os
import subprocess
import sys
from pathlib import Path

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
MASKED_EQUAL = 7
PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN = 65, 1
PROT_WRITE, PROT_EXEC, SHM_EXEC = 2, 4, 0o100000


class Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("mask", ctypes.c_uint64),
        ("value", ctypes.c_uint64),
    )


seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
seccomp.seccomp_init.restype = ctypes.c_void_p
seccomp.seccomp_init.argtypes = [ctypes.c_uint32]
seccomp.seccomp_rule_add_array.argtypes = [
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.POINTER(Comparison),
]
seccomp.seccomp_load.argtypes = [ctypes.c_void_p]
seccomp.seccomp_syscall_resolve_name.argtypes = [ctypes.c_char_p]


def settings(unit: Path, name: str) -> list[str]:
    prefix = f"{name}="
    return [
        line.removeprefix(prefix)
        for line in unit.read_text(encoding="utf-8").splitlines()
        if line.startswith(prefix)
    ]


def members(group: str) -> set[str]:
    """Return the system calls of `@group`, those of the groups within it included."""
    listing = subprocess.run(  # noqa: S603  the name is one of a unit file
        ["systemd-analyze", "--no-pager", "syscall-filter", group],  # noqa: S607
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    names: set[str] = set()
    for line in listing.splitlines()[1:]:
        word = line.strip()
        if word.startswith("@"):
            names |= members(word)
        elif word and not word.startswith("#"):
            names.add(word)
    return names


def allowed_calls(unit: Path) -> set[str]:
    allowed: set[str] = set()
    for line in settings(unit, "SystemCallFilter"):
        groups = line.removeprefix("~").split()
        calls = {call for group in groups for call in members(group)}
        allowed = allowed - calls if line.startswith("~") else allowed | calls
    return allowed


def load(default: int, action: int, rules: list[tuple[str, list[Comparison]]]) -> None:
    context = seccomp.seccomp_init(default)
    for call, comparisons in rules:
        number = seccomp.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            continue  # not of this processor
        array = (Comparison * len(comparisons))(*comparisons)
        status = seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), array)
        assert status == 0, (call, status)
    assert seccomp.seccomp_load(context) == 0


def deny_write_execute() -> None:
    both = PROT_WRITE | PROT_EXEC
    load(
        ALLOW,
        REFUSE,
        [
            ("mmap", [Comparison(2, MASKED_EQUAL, both, both)]),
            ("mprotect", [Comparison(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC)]),
            ("pkey_mprotect", [Comparison(2, MASKED_EQUAL, PROT_EXEC, PROT_EXEC)]),
            ("shmat", [Comparison(2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC)]),
        ],
    )
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_MDWE, MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) != 0:
        assert ctypes.get_errno() == errno.EINVAL, "a kernel before 6.3 does not know it"


def main() -> None:
    unit = Path(sys.argv[1])
    calls = allowed_calls(unit)
    assert settings(unit, "SystemCallErrorNumber") == ["EPERM"]
    if settings(unit, "MemoryDenyWriteExecute") == ["yes"]:
        deny_write_execute()
    load(REFUSE, ALLOW, [(call, []) for call in sorted(calls)])
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606  the command is the test's


if __name__ == "__main__":
    main()
