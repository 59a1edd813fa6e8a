"""The configuration as one frozen value; service.yaml documents every key for the site.

Every duration is in seconds, every size in bytes. Rooms get the part they need as an argument.
"""

from enum import StrEnum
from pathlib import Path
from typing import Final

from attrs import field, frozen

from qa_daemon.config import accepted
from qa_daemon.config.export import DecisionSettings, ExportSettings
from qa_daemon.config.sections.viewing import TrendSettings, ViewerSettings
from qa_daemon.limits import GIB, MIB, Limits
from qa_daemon.records.prediction import TARGETS

# Marks what `config show` hides and no message quotes.
SECRET: Final = {"secret": True}
# What people may be, the least first (queue.accounts.permissions gives them their meaning).
ROLES: Final = ("viewer", "technician", "approver", "admin")
# Marks what has to be written in its section: there is no default that could be right.
REQUIRED: Final = {"required": True}
# Marks what the loader fills in and no file says.
INTERNAL: Final = {"internal": True}


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
    """TLS of one listener: both files are needed to switch it on."""

    certificate: Path | None = None  # PEM, with its chain
    private_key: Path | None = None  # PEM
    client_authorities: Path | None = None  # PEM; set = client certificates are demanded


@frozen(kw_only=True)
class ReceiverSettings:
    """Who may send, and where the service listens."""

    ae_title: str = field(default="QADAEMON", validator=accepted.ae_title)
    host: str = field(default="127.0.0.1", validator=accepted.host)
    # 0 = any free port
    port: int = field(default=11112, validator=accepted.between(0, 65535))
    # Empty lists admit everybody; an address other than loopback then needs `open_to_all`.
    calling_ae_titles: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.ae_title)
    )
    # addresses or networks, 10.1.2.0/24
    calling_addresses: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.network)
    )
    open_to_all: bool = False
    check_called_ae_title: bool = False
    private_sop_classes: bool = False  # storage classes that the standard does not list
    retired_sop_classes: bool = True
    # answered 0124
    denied_sop_classes: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.uid))
    strict: bool = False  # A900 and 0117 instead of a finding
    acknowledge: Acknowledge = Acknowledge.SPOOL
    associations_max: int = field(default=50, validator=accepted.between(1, 1000))
    associations_per_address_max: int = field(default=20, validator=accepted.between(1, 1000))
    # from connect to the whole A-ASSOCIATE-RQ (ARTIM)
    request_timeout_s: float = field(default=10.0, validator=accepted.duration)
    # from the first to the last byte of one PDU
    pdu_timeout_s: float = field(default=30.0, validator=accepted.duration)
    # between two PDUs
    idle_timeout_s: float = field(default=60.0, validator=accepted.duration)
    # announced and enforced
    pdu_length_max: int = field(default=128 << 10, validator=accepted.between(4096, 16 << 20))
    # rows may follow answers by this much; beyond it A700
    index_lag_s: float = field(default=30.0, validator=accepted.duration)
    tls: Tls = field(factory=Tls)


@frozen(kw_only=True)
class FolderSettings:
    """The watched folder."""

    enabled: bool = True
    path: Path | None = None  # default: STATE/incoming
    # size and time of change must rest this long
    quiet_s: float = field(default=2.0, validator=accepted.duration_or_none)
    # beside the notifications, which can be lost
    rescan_s: float = field(default=30.0, validator=accepted.duration)
    polling: bool = False  # for network shares, where notifications do not travel
    after: AfterIntake = AfterIntake.MOVE
    # archives within archives
    archive_depth_max: int = field(default=2, validator=accepted.between(0, 10))
    archive_members_max: int = field(default=20_000, validator=accepted.positive)
    # all members together, unpacked
    archive_bytes_max: int = field(default=8 * GIB, validator=accepted.positive)
    # unpacked / packed of one member
    archive_ratio_max: float = field(default=200.0, validator=accepted.from_(1))


@frozen(kw_only=True)
class AssemblySettings:
    """When a series counts as complete."""

    # after the last instance
    quiet_s: float = field(default=20.0, validator=accepted.duration_or_none)
    # calling AE title -> seconds
    quiet_s_by_ae: dict[str, float] = field(
        factory=dict,
        validator=accepted.each_value(accepted.ae_title, accepted.duration_or_none),
    )
    # a slice gap delays the early close up to this
    gap_wait_max_s: float = field(default=120.0, validator=accepted.duration_or_none)


@frozen(kw_only=True)
class StoreSettings:
    """The database: SQLite in the state folder, or a PostgreSQL URL."""

    # "" = sqlite in STATE; else postgresql+psycopg://...; env QA_DAEMON_STORE_URL
    url: str = field(default="", validator=accepted.database_url, metadata=SECRET)
    lock_timeout_s: float = field(default=5.0, validator=accepted.duration)


@frozen(kw_only=True)
class SpoolSettings:
    """Where received bytes lie."""

    path: Path | None = None  # default: STATE/spool
    # below it C-STORE answers A700
    free_bytes_min: int = field(default=2 * GIB, validator=accepted.from_(0))
    # 0 = no quota
    quota_bytes: int = field(default=0, validator=accepted.from_(0))


@frozen(kw_only=True)
class RuleChange:
    """What a site makes otherwise in one rule, and who answers for it until when."""

    reason: str = field(default="", metadata=REQUIRED)
    owner: str = field(default="", metadata=REQUIRED)
    # the last day on which it counts, 2026-12-31
    until: str = field(default="", validator=accepted.day, metadata=REQUIRED)
    enabled: bool | None = None
    # info, minor, major, critical; "" = as the rule says
    severity: str = field(default="", validator=accepted.severity)
    # target -> the least probability that counts
    thresholds: dict[str, float] = field(
        factory=dict,
        validator=accepted.each_value(accepted.one_of(TARGETS), accepted.between(0, 1)),
    )
    # options that the rule names
    options: dict[str, object] = field(factory=dict)


@frozen(kw_only=True)
class RuleException:
    """Where rules do not apply: all that is listed must fit, case aside; `*` is any text."""

    reason: str = field(default="", metadata=REQUIRED)
    owner: str = field(default="", metadata=REQUIRED)
    until: str = field(default="", validator=accepted.day, metadata=REQUIRED)
    # ids, or ["*"] for all of them
    rules: tuple[str, ...] = field(
        default=(), validator=accepted.each(accepted.rule_id_or_all), metadata=REQUIRED
    )
    ae_title: tuple[str, ...] = ()  # of the sender
    station: tuple[str, ...] = ()  # Station Name
    modality: tuple[str, ...] = ()
    protocol: tuple[str, ...] = ()  # Protocol Name
    patient_id: tuple[str, ...] = ()  # test patients
    patient_name: tuple[str, ...] = ()  # phantoms


@frozen(kw_only=True)
class RuleSettings:
    """Rule folders; later ones override earlier ones by rule id."""

    shipped: bool = True  # the rules that come with this release, before those of `folders`
    folders: tuple[Path, ...] = ()
    disabled: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.rule_id))
    # rule id -> what is otherwise here
    changes: dict[str, RuleChange] = field(factory=dict)
    exceptions: tuple[RuleException, ...] = ()
    # `changes REGION-001` -> where it stands, as service.yaml:12; for messages only
    places: dict[str, str] = field(factory=dict, eq=False, metadata=INTERNAL)


@frozen(kw_only=True)
class ModelSettings:
    """Model packages."""

    folder: Path | None = None  # None = the shipped ones
    # all, or open = only those fitted on data that anybody may use for anything
    licences: str = field(default="all", validator=accepted.one_of(("all", "open")))
    # predicted beside what rules need, such as chest_opacity
    predict: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.one_of(TARGETS)))
    # id@version of models that run beside those in force; no rule sees what they say
    shadows: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.model_name))


@frozen(kw_only=True)
class LearningSettings:
    """What people's decisions are gathered for."""

    # share of series without a finding that a person is asked to look at, 0 to 1
    audit_share: float = field(default=0.005, validator=accepted.between(0, 1))


@frozen(kw_only=True)
class WorkerSettings:
    """The pipeline."""

    lease_s: float = field(default=60.0, validator=accepted.duration)
    # per step, then the series is quarantined
    attempts_max: int = field(default=3, validator=accepted.between(1, 100))
    poll_s: float = field(default=0.5, validator=accepted.duration)
    # sampled per series for predictions
    slices_max: int = field(default=10, validator=accepted.between(1, 1000))
    # per object
    decode_deadline_s: float = field(default=4.0, validator=accepted.duration)
    # on top of what the child needs at start
    child_memory_bytes: int = field(default=GIB * 3 // 4, validator=accepted.from_(64 * MIB))


@frozen(kw_only=True)
class PreviewSettings:
    """Pictures for the review page."""

    # of a series with findings: those that voted first, the others evenly from its stack
    pictures_max: int = field(default=48, validator=accepted.between(1, 1000))
    # of all series together; the pictures drawn the longest ago give way
    bytes_max: int = field(default=4 * GIB, validator=accepted.from_(MIB))


@frozen(kw_only=True)
class ReportSettings:
    """Suggestion files."""

    folder: Path | None = None  # default: STATE/reports


@frozen(kw_only=True)
class QuerySettings:
    """A peer that is asked by C-FIND; without a host nobody is."""

    host: str = field(default="", validator=accepted.host_or_none)
    port: int = field(default=104, validator=accepted.between(1, 65535))
    ae_title: str = field(default="ANY-SCP", validator=accepted.ae_title)
    # for one visit, all queries together
    deadline_s: float = field(default=15.0, validator=accepted.duration)
    answers_max: int = field(default=200, validator=accepted.between(1, 10_000))


@frozen(kw_only=True)
class Hl7Settings:
    """Order messages over MLLP."""

    enabled: bool = False
    host: str = field(default="127.0.0.1", validator=accepted.host)
    # 0 = any free port
    port: int = field(default=2575, validator=accepted.between(0, 65535))
    # who may send: addresses or networks; empty = everybody, on loopback only
    addresses: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.network))
    connections_max: int = field(default=20, validator=accepted.between(1, 1000))
    connections_per_address_max: int = field(default=5, validator=accepted.between(1, 1000))
    idle_timeout_s: float = field(default=300.0, validator=accepted.duration)


@frozen(kw_only=True)
class OrderSettings:
    """Where orders are known from, beside what the images say."""

    worklist: QuerySettings = field(factory=QuerySettings)
    archive: QuerySettings = field(factory=QuerySettings)
    hl7: Hl7Settings = field(factory=Hl7Settings)
    # a visit is asked about when its images come, and again so much later
    refresh_s: float = field(default=900.0, validator=accepted.duration)
    # VALUE^SCHEME of a code in orders -> what it means, in words of the lexicon
    codes: dict[str, str] = field(factory=dict)
    # visits whose last image is older are asked about no more
    visit_s: float = field(default=86_400.0, validator=accepted.duration)
    # orders that nobody has spoken of for so many days are forgotten
    keep_days: int = field(default=30, validator=accepted.between(1, 3650))


@frozen(kw_only=True)
class SyslogSettings:
    """Where the audit goes, over TLS; without a host it stays here."""

    host: str = field(default="", validator=accepted.host_or_none)
    port: int = field(default=6514, validator=accepted.between(1, 65535))
    authorities: Path | None = None  # PEM; None = those of the system
    certificate: Path | None = None  # PEM, ours, if the receiver wants one
    private_key: Path | None = None  # PEM
    # entries that wait before an error is logged; none is ever dropped
    backlog_max: int = field(default=10_000, validator=accepted.positive)


@frozen(kw_only=True)
class AuditSettings:
    """The record of what people did."""

    # what the audit calls this hospital (Audit Enterprise Site ID)
    site: str = ""
    syslog: SyslogSettings = field(factory=SyslogSettings)


@frozen(kw_only=True)
class OidcSettings:
    """An OpenID Connect provider that vouches for people; without an issuer there is none."""

    # https://idp.hospital.example/realms/radiology
    issuer: str = field(default="", validator=accepted.issuer_or_none)
    client_id: str = ""
    # env QA_DAEMON_OIDC_SECRET
    client_secret: str = field(default="", metadata=SECRET)
    # what the button says
    label: str = "hospital account"
    scope: str = "openid profile"
    name_claim: str = "preferred_username"
    # with dots for claims in claims: realm_access.roles
    role_claim: str = "roles"
    # value of the role claim -> viewer, technician, approver, admin; the highest counts
    roles: dict[str, str] = field(
        factory=dict, validator=accepted.each_value(accepted.text, accepted.one_of(ROLES))
    )
    # of people without any of these; "" = they are not let in
    default_role: str = field(default="", validator=accepted.one_of(("", *ROLES)))


@frozen(kw_only=True)
class WebSettings:
    """The pages on which people decide, the API, and health."""

    host: str = field(default="127.0.0.1", validator=accepted.host)
    port: int = field(default=11180, validator=accepted.between(0, 65535))
    # what people type: https://qa.hospital.example; "" = http(s)://host:port
    public_url: str = field(default="", validator=accepted.web_address_or_none)
    # who may connect: addresses or networks; empty = everybody, which is then to be said outright
    addresses: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.network))
    open_to_all: bool = False
    # passwords and patients' names in clear on the network
    without_tls: bool = False
    tls: Tls = field(factory=Tls)
    # proxies whose X-Forwarded-For and -Proto are believed
    trusted_proxies: tuple[str, ...] = field(default=(), validator=accepted.each(accepted.network))
    connections_max: int = field(default=200, validator=accepted.between(4, 10_000))
    # from the first to the last byte of one request
    request_timeout_s: float = field(default=10.0, validator=accepted.duration)
    body_bytes_max: int = field(default=MIB, validator=accepted.between(4096, 64 * MIB))
    # a session ends so long after its user last did something, and so long after it began
    session_idle_s: float = field(default=1800.0, validator=accepted.between(180, 86_400))
    session_s: float = field(default=43_200.0, validator=accepted.between(180, 86_400))
    oidc: OidcSettings = field(factory=OidcSettings)
    # the least role that is shown who patients are; others see pseudonyms
    names_from: str = field(default="technician", validator=accepted.one_of(ROLES))


@frozen(kw_only=True)
class LogSettings:
    """The log: JSON unless standard error is a terminal."""

    level: str = field(
        default="info", validator=accepted.one_of(("debug", "info", "warning", "error"))
    )
    # auto, json, console
    format: str = field(default="auto", validator=accepted.one_of(("auto", "json", "console")))


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
    learning: LearningSettings = field(factory=LearningSettings)
    worker: WorkerSettings = field(factory=WorkerSettings)
    previews: PreviewSettings = field(factory=PreviewSettings)
    reports: ReportSettings = field(factory=ReportSettings)
    orders: OrderSettings = field(factory=OrderSettings)
    decisions: DecisionSettings = field(factory=DecisionSettings)
    export: ExportSettings = field(factory=ExportSettings)
    viewer: ViewerSettings = field(factory=ViewerSettings)
    trends: TrendSettings = field(factory=TrendSettings)
    web: WebSettings = field(factory=WebSettings)
    audit: AuditSettings = field(factory=AuditSettings)
    log: LogSettings = field(factory=LogSettings)
    # SIGTERM drains and ends within this
    stop_timeout_s: float = field(default=20.0, validator=accepted.duration)
    limits: Limits = field(factory=Limits)

    @property
    def web_key_file(self) -> Path:
        """The key that signs cookies and keys pseudonyms of patients."""
        return self.state / "web.key"

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
    def preview_folder(self) -> Path:
        """Where the pictures of the review page lie."""
        return self.state / "previews"

    @property
    def export_folder(self) -> Path:
        """Where change sets are written."""
        return self.export.folder.path or self.state / "exports"

    @property
    def site_models_folder(self) -> Path:
        """Model packages of the site; one of them counts once it is promoted."""
        return self.state / "models"

    @property
    def store_url(self) -> str:
        """The SQLAlchemy URL of the database."""
        return self.store.url or f"sqlite:///{self.state / 'qa-daemon.sqlite'}"
