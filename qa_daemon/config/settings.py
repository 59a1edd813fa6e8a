"""The configuration as one frozen value. Comments are the reference; README repeats them.

Every duration is in seconds, every size in bytes. Rooms get the part they need as an argument.
"""

from enum import StrEnum
from pathlib import Path

from attrs import field, frozen

from qa_daemon.limits import GIB, Limits


class Acknowledge(StrEnum):
    """When a C-STORE is answered 0000 (contract, section 1)."""

    SPOOL = "spool"  # bytes flushed in the spool; the row follows
    DATABASE = "database"  # the row is committed too


class AfterIntake(StrEnum):
    """What becomes of a watched file once its commit is done."""

    MOVE = "move"  # to `done/`
    DELETE = "delete"


@frozen(kw_only=True)
class Tls:
    """TLS for associations: both files are needed to switch it on."""

    certificate: Path | None = None  # PEM, with its chain
    private_key: Path | None = None  # PEM
    client_authorities: Path | None = None  # PEM; set = client certificates are demanded


@frozen(kw_only=True)
class ReceiverSettings:
    """Who may send, and where the service listens."""

    ae_title: str = "QADAEMON"
    host: str = "127.0.0.1"
    port: int = 11112  # 0 = any free port
    # Empty lists admit everybody; an address other than loopback then needs `open_to_all`.
    calling_ae_titles: tuple[str, ...] = ()
    calling_addresses: tuple[str, ...] = ()  # addresses or networks, 10.1.2.0/24
    open_to_all: bool = False
    check_called_ae_title: bool = False
    private_sop_classes: bool = False  # storage classes that the standard does not list
    retired_sop_classes: bool = True
    denied_sop_classes: tuple[str, ...] = ()  # answered 0124
    strict: bool = False  # A900 and 0117 instead of a finding
    acknowledge: Acknowledge = Acknowledge.SPOOL
    associations_max: int = 50
    associations_per_address_max: int = 20
    request_timeout_s: float = 10.0  # from connect to the whole A-ASSOCIATE-RQ (ARTIM)
    pdu_timeout_s: float = 30.0  # from the first to the last byte of one PDU
    idle_timeout_s: float = 60.0  # between two PDUs
    pdu_length_max: int = 128 << 10  # announced and enforced
    index_lag_s: float = 30.0  # rows may follow answers by this much; beyond it A700
    tls: Tls = field(factory=Tls)


@frozen(kw_only=True)
class FolderSettings:
    """The watched folder."""

    enabled: bool = True
    path: Path | None = None  # default: STATE/incoming
    quiet_s: float = 2.0  # size and time of change must rest this long
    rescan_s: float = 30.0  # beside the notifications, which can be lost
    polling: bool = False  # for network shares, where notifications do not travel
    after: AfterIntake = AfterIntake.MOVE
    archive_depth_max: int = 2  # archives within archives
    archive_members_max: int = 20_000
    archive_bytes_max: int = 8 * GIB  # all members together, unpacked
    archive_ratio_max: float = 200.0  # unpacked / packed of one member


@frozen(kw_only=True)
class AssemblySettings:
    """When a series counts as complete."""

    quiet_s: float = 20.0  # after the last instance
    quiet_s_by_ae: dict[str, float] = field(factory=dict)  # calling AE title -> seconds
    gap_wait_max_s: float = 120.0  # a slice gap delays the early close up to this


@frozen(kw_only=True)
class StoreSettings:
    """The database: SQLite in the state folder, or a PostgreSQL URL."""

    url: str = ""  # "" = sqlite in STATE; else postgresql+psycopg://...; env QA_DAEMON_STORE_URL
    lock_timeout_s: float = 5.0


@frozen(kw_only=True)
class SpoolSettings:
    """Where received bytes lie."""

    path: Path | None = None  # default: STATE/spool
    free_bytes_min: int = 2 * GIB  # below it C-STORE answers A700
    quota_bytes: int = 0  # 0 = no quota


@frozen(kw_only=True)
class RuleSettings:
    """Rule folders; later ones override earlier ones by rule id."""

    folders: tuple[Path, ...] = ()  # () = the shipped ones
    disabled: tuple[str, ...] = ()  # rule ids


@frozen(kw_only=True)
class ModelSettings:
    """Model packages."""

    folder: Path | None = None  # None = the shipped ones


@frozen(kw_only=True)
class WorkerSettings:
    """The pipeline."""

    lease_s: float = 60.0
    attempts_max: int = 3  # per step, then the series is quarantined
    poll_s: float = 0.5
    slices_max: int = 10  # sampled per series for predictions
    decode_deadline_s: float = 4.0  # per object
    child_memory_bytes: int = GIB * 3 // 4  # on top of what the child needs at start


@frozen(kw_only=True)
class ReportSettings:
    """Suggestion files."""

    folder: Path | None = None  # default: STATE/reports


@frozen(kw_only=True)
class LogSettings:
    """The log: JSON unless standard error is a terminal."""

    level: str = "info"
    format: str = "auto"  # auto, json, console


@frozen(kw_only=True)
class Settings:
    """All of service.yaml."""

    state: Path = Path("/var/lib/qa-daemon")
    receiver: ReceiverSettings = field(factory=ReceiverSettings)
    folder: FolderSettings = field(factory=FolderSettings)
    assembly: AssemblySettings = field(factory=AssemblySettings)
    store: StoreSettings = field(factory=StoreSettings)
    spool: SpoolSettings = field(factory=SpoolSettings)
    rules: RuleSettings = field(factory=RuleSettings)
    models: ModelSettings = field(factory=ModelSettings)
    worker: WorkerSettings = field(factory=WorkerSettings)
    reports: ReportSettings = field(factory=ReportSettings)
    log: LogSettings = field(factory=LogSettings)
    stop_timeout_s: float = 20.0  # SIGTERM drains and ends within this
    limits: Limits = field(factory=Limits)

    @property
    def spool_folder(self) -> Path:
        """Where the spool lies."""
        return self.spool.path or self.state / "spool"

    @property
    def incoming_folder(self) -> Path:
        """The watched folder."""
        return self.folder.path or self.state / "incoming"

    @property
    def report_folder(self) -> Path:
        """Where suggestion files are written."""
        return self.reports.folder or self.state / "reports"

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.store.url or f"sqlite:///{self.state / 'qa-daemon.sqlite'}"
