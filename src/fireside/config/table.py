"""The table of settings: the name, type, default and help of each."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

MOST_DAYS = 36500
"""A hundred years: more than anybody means, and still a span that can be taken from a date."""
MOST_QUOTA = 1 << 52
"""More than can be used: what is counted in microseconds stays a number that databases hold."""
Positive = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Texts = tuple[str, ...]
NamedFolder = Annotated[str, Meta(pattern=r"^[^=/\\\s]+=.+$")]
RateText = Annotated[
    str,
    Meta(pattern=r"^([1-9][0-9]{0,8}/(second|minute|hour|day)(;[1-9][0-9]{0,8}/(second|minute|hour|day))*)?$"),
]
LocalPort = Annotated[str, Meta(pattern=r"^[^=\s]+=[0-9]{1,5}$")]


def _help(text: str, *, secret: bool = False, has_flag: bool | None = None) -> Meta:
    return Meta(description=text, extra={"secret": secret, "has_flag": not secret if has_flag is None else has_flag})


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All settings, with their defaults."""

    host: Annotated[str, _help("Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535), _help("Port to listen on; 0 takes a free one.")] = 8787
    local_ports: Annotated[
        tuple[LocalPort, ...],
        _help(
            "USER=PORT: ports on 127.0.0.1 where programs that know no keys are that user, as they are with a ComfyUI;"
            " everybody on this machine can reach them. 0 takes a free port."
        ),
    ] = ()
    data_dir: Annotated[str, _help("Folder that holds everything Fireside remembers.")] = "fireside-data"
    database_url: Annotated[
        str,
        _help(
            "postgresql:// URL of the database, which servers may share; empty: SQLite in the data folder. On a command"
            " line, other users of the machine can read a password in it: leave it out there, and set PGPASSWORD.",
            secret=True,
            has_flag=True,
        ),
    ] = ""
    blobs_url: Annotated[
        str,
        _help(
            "Where files are kept: s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX or file:///FOLDER,"
            " which servers may share; empty: the data folder. Credentials come from the environment, by the names"
            " that the clouds' own tools know."
        ),
    ] = ""
    blobs_endpoint: Annotated[
        str, _help("URL of a server that speaks the protocol of `blobs_url`; empty: the cloud's own.")
    ] = ""
    blobs_direct: Annotated[
        bool,
        _help(
            "Send programs and workers to an s3:// bucket itself, by links that are signed with the key in"
            " AWS_ACCESS_KEY_ID; otherwise all bytes pass this server."
        ),
    ] = True
    blobs_public_endpoint: Annotated[
        str,
        _help("URL by which programs and workers reach the bucket, where it is another one than this server uses."),
    ] = ""
    blobs_link_seconds: Annotated[Positive, _help("How long a signed link to a file in the bucket works.")] = 300
    public_url: Annotated[
        str, _help("The URL people reach this server by, for absolute links; empty: built from host and port.")
    ] = ""
    workers: Annotated[
        int,
        Meta(ge=0),
        _help("Workers that `fireside up` starts here: per ComfyUI folder, and per GPU where `gpus` names some."),
    ] = 1
    comfyui_dir: Annotated[
        Texts, _help("ComfyUI folders to start workers from; none, and no `comfyui_url`: the builtin runtime.")
    ] = ()
    comfyui_url: Annotated[Texts, _help("ComfyUI servers that run already, a worker for each.")] = ()
    comfyui_python: Annotated[
        str, _help("Python that runs ComfyUI; empty: that of the folder's or its parent's venv or .venv, else our own.")
    ] = ""
    comfyui_arguments: Annotated[str, _help("More arguments for ComfyUI, as a shell takes them.")] = ""
    comfyui_model_paths: Annotated[Texts, _help("More files in the form of extra_model_paths.yaml for ComfyUI.")] = ()
    comfyui_preview_method: Annotated[
        Literal["auto", "latent2rgb", "taesd", "none"], _help("How ComfyUI makes previews while it samples.")
    ] = "auto"
    gpus: Annotated[
        Texts,
        _help(
            "GPUs, by number or UUID, to start ComfyUI workers on; `cpu`: on none; `any`: ComfyUI chooses; empty: `any`"
            " where there is a GPU, else `cpu`."
        ),
    ] = ()
    label: Annotated[Texts, _help("Labels of this machine's workers, key=value, for jobs that ask for them.")] = ()
    pools: Annotated[
        Texts,
        _help(
            "NAME=MIN..MAX: pools of workers that a launcher fills by how much there is to do, the one to be filled"
            " first before others; with the labels of its workers behind it, key=value, or else pool=NAME."
        ),
    ] = ()
    start_seconds: Annotated[Seconds, _help("Seconds in which workers must become ready when the server starts.")] = (
        180.0
    )
    interrupt_seconds: Annotated[
        Seconds, _help("Seconds after which a run that does not stop when told to has its runtime ended.")
    ] = 10.0
    stage_cache_bytes: Annotated[
        int, Meta(ge=0), _help("How much of this machine's disk workers use to keep input files for later jobs.")
    ] = 8 * 1024**3
    model_cache_bytes: Annotated[
        int,
        Meta(ge=0),
        _help("How much of this machine's disk workers use for models that they fetch from the registry; 0: none is."),
    ] = 200 * 1024**3
    model_cache_dir: Annotated[
        str,
        _help("Folder for these models, which workers of one machine may share; empty: one in the data folder."),
    ] = ""
    nats_url: Annotated[str, _help("NATS servers to use, comma-separated; empty: start one on loopback.")] = ""
    nats_worker_url: Annotated[
        str,
        _help(
            "NATS servers that workers on other machines reach by themselves, comma-separated; who reaches none, and"
            " everybody where this is empty, comes by this server's own port."
        ),
    ] = ""
    nats_account_seed: Annotated[
        str, _help("Account seed that the NATS cluster of `nats_url` trusts.", secret=True)
    ] = ""
    nats_account: Annotated[
        str,
        _help("Public key (A…) of the account, where `nats_account_seed` is that of one of its signing keys."),
    ] = ""
    nats_ca: Annotated[
        str, _help("File of the authority that has signed the certificates of `nats_url`; empty: the machine's own.")
    ] = ""
    nats_certificate: Annotated[
        str, _help("Certificate file to show to the servers of `nats_url` that ask for one; workers come by our port.")
    ] = ""
    nats_key: Annotated[str, _help("Private key file of that certificate; empty: it is in the same file.")] = ""
    nats_server: Annotated[str, _help("Path of the nats-server program; empty: the one that was installed.")] = ""
    secret_key: Annotated[
        str, _help("64 hexadecimal digits that sign and seal; empty: a file in the data folder.", secret=True)
    ] = ""
    editor_dir: Annotated[
        str,
        _help("Folder with the files of the official editor; empty: those of its Python package, if it is installed."),
    ] = ""
    editor_templates: Annotated[
        Texts, _help("Folders of example workflows for the editor, beside those of its Python packages.")
    ] = ()
    editor_extensions: Annotated[
        tuple[NamedFolder, ...],
        _help(
            "NAME=FOLDER: node packs whose scripts the editor loads in everybody's browser, and the folder on this"
            " machine that each pack's are in; none unless named here."
        ),
    ] = ()
    v1_time_unit: Annotated[
        Literal["auto", "seconds", "milliseconds"],
        _help("Unit of create_time in `/api/jobs`; auto: by what the caller is known to read."),
    ] = "auto"
    v1_strict_status: Annotated[
        bool, _help("Answer `completed` in /api/job/{id}/status, as published, not `success`, as clients wait for.")
    ] = False
    v1_public_models: Annotated[
        bool, _help("Show names and pictures of the fleet's models, and its node packs' blueprints, to whoever asks.")
    ] = False
    max_body_bytes: Annotated[Positive, _help("Largest JSON body that is read.")] = 32 * 1024 * 1024
    max_upload_bytes: Annotated[Positive, _help("Largest file that is taken.")] = 16 * 1024**3
    max_picture_bytes: Annotated[Positive, _help("Largest picture that is taken.")] = 50 * 1024 * 1024
    max_picture_edge: Annotated[Positive, _help("Longest edge of a picture, in pixels.")] = 16384
    max_picture_pixels: Annotated[Positive, _help("Most pixels of a picture.")] = 67_108_864
    max_graph_nodes: Annotated[Positive, _help("Most nodes of a workflow.")] = 20_000
    max_graph_depth: Annotated[Positive, _help("Deepest nesting of a workflow's JSON.")] = 64
    reuse: Annotated[
        bool, _help("Answer a job with what an equal one of the same user has made, unless user or submit say no.")
    ] = True
    reuse_across_users: Annotated[bool, _help("Answer a job also with what an equal one of another user has made.")] = (
        False
    )
    reuse_classes: Annotated[
        Texts, _help("More classes of nodes that make the same of the same inputs, whenever and wherever they run.")
    ] = ()
    validator_seconds: Annotated[
        Seconds, _help("How long a submit waits for nodes' own validators on a worker before it is queued without.")
    ] = 5.0
    max_queued: Annotated[Positive, _help("Most jobs a user may have waiting, unless the user has a limit.")] = 10_000
    max_queued_in_all: Annotated[Positive, _help("Most jobs of all users together that wait.")] = 100_000
    max_running: Annotated[
        int, Meta(ge=0), _help("Most jobs of a user that workers hold at once; 0: no limit, unless the user has one.")
    ] = 0
    quota_gpu_seconds: Annotated[
        float,
        Meta(ge=0, le=MOST_QUOTA),
        _help("GPU-seconds that a user may use in a month, in UTC; 0: no limit, unless the user has one."),
    ] = 0.0
    quota_jobs: Annotated[
        int, Meta(ge=0, le=MOST_QUOTA), _help("Jobs of a user in a month; 0: no limit, unless the user has one.")
    ] = 0
    quota_bytes: Annotated[
        int,
        Meta(ge=0, le=MOST_QUOTA),
        _help("Bytes of files that a user may have before submits are refused; 0: no limit, unless the user has one."),
    ] = 0
    keep_jobs: Annotated[
        int,
        Meta(ge=0),
        _help("Ended jobs kept of each user, the ones that ended last; 0: all, unless the user has a limit."),
    ] = 0
    keep_days: Annotated[
        int,
        Meta(ge=0, le=MOST_DAYS),
        _help("Days that ended jobs and their outputs are kept; 0: for ever, unless the user has a limit."),
    ] = 0
    hsts_seconds: Annotated[
        int,
        Meta(ge=0),
        _help(
            "How long browsers come by https only, to every port of this name, where `public_url` is https or TLS is"
            " served; 0: not said."
        ),
    ] = 15552000
    rate_limit_user: Annotated[
        RateText,
        _help(
            "Requests that are taken of one user, such as 600/minute, or 20/second;600/minute; on all servers together,"
            " give or take what comes within a second. Empty: no limit."
        ),
    ] = ""
    rate_limit_changes: Annotated[
        RateText, _help("The same, of those requests that change something, such as submits and uploads.")
    ] = ""
    rate_limit_address: Annotated[
        RateText,
        _help(
            "The same, of all requests from one address, or one /64 of IPv6, before it is looked who asks; set"
            " `trusted_proxies` behind a proxy."
        ),
    ] = ""
    maintenance_retry_seconds: Annotated[
        Positive, _help("What `Retry-After` says to who is refused in maintenance.")
    ] = 60
    audit_days: Annotated[
        int,
        Meta(ge=0, le=MOST_DAYS),
        _help("Days that it is kept what admins have done, which `fireside audit` lists; 0: for ever."),
    ] = 365
    blob_grace_hours: Annotated[
        Positive,
        _help("How long bytes that nothing refers to are left alone, and then set aside, before they are removed."),
    ] = 24
    max_userdata_file_bytes: Annotated[
        Positive, _help("Largest file that the editor may keep for its user, such as a saved workflow.")
    ] = 64 * 1024 * 1024
    max_userdata_files: Annotated[Positive, _help("Most files that the editor may keep for a user.")] = 100_000
    max_userdata_bytes: Annotated[Positive, _help("Most bytes of files that the editor may keep for a user.")] = (
        4 * 1024**3
    )
    max_userdata_depth: Annotated[Positive, _help("Most folders that a file of the editor may lie in.")] = 16
    max_settings: Annotated[Positive, _help("Most settings of the editor that are kept for a user.")] = 5000
    max_settings_bytes: Annotated[Positive, _help("Most bytes of settings that are kept for a user.")] = 8 * 1024 * 1024
    max_sockets_per_user: Annotated[Positive, _help("Most websockets a user may have open.")] = 100
    max_streams_per_user: Annotated[Positive, _help("Most event streams of the API v2 a user may have open.")] = 32
    stream_updates_per_second: Annotated[
        Seconds, _help("Most progress events, and most previews, that an event stream of the API v2 is sent a second.")
    ] = 2.0
    workers_remembered_days: Annotated[
        Positive,
        _help("How long what a worker can run is remembered after it was seen last; the last one always is."),
    ] = 30
    transient_worker_minutes: Annotated[
        int,
        Meta(ge=2),
        _help("How long a worker that was started with `--transient` may be silent before it counts as gone for good."),
    ] = 60
    fleet_history_days: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DAYS)],
        _help("Days that are remembered of how many workers there were, were busy, and how many jobs waited."),
    ] = 31
    join_token_hours: Annotated[
        float, Meta(gt=0), _help("How long a token to join with works, unless whoever makes it says otherwise.")
    ] = 24.0
    worker_bus_hours: Annotated[
        float,
        Meta(gt=0),
        _help(
            "How long a worker of another machine is let in on the bus by the key that it gets when it starts. It gets"
            " another when about half of that is over."
        ),
    ] = 24.0
    max_join_failures: Annotated[
        Positive, _help("Wrong tokens to join with, from one address in a minute, before that has to wait.")
    ] = 10
    worker_lost_after: Annotated[Seconds, _help("Seconds of silence after which a worker counts as lost.")] = 3.5
    max_losses: Annotated[Positive, _help("Workers a job may lose while it runs before it is failed.")] = 3
    max_run_seconds: Annotated[
        float,
        Meta(ge=0),
        _help("Seconds a job may run before it is stopped and failed; 0: no limit, unless the user has one."),
    ] = 0.0
    prefetch: Annotated[bool, _help("Whether a busy worker makes its next job ready while it computes another.")] = True
    max_attempts: Annotated[Positive, _help("Times a job is handed out at most.")] = 10
    import_hosts: Annotated[
        Texts,
        _help(
            "Hosts that files may be fetched from by URL: names, `*.domain` or `*`, with `:port` for others than 80 and"
            " 443; empty: none."
        ),
    ] = ()
    import_seconds: Annotated[Seconds, _help("Seconds in which a file that is fetched by URL must be here.")] = 21_600.0
    max_imports_at_once: Annotated[
        Positive, _help("Most files of a user that are fetched in the background at the same time.")
    ] = 2
    max_imports_awaited: Annotated[
        Positive, _help("Most files of a user that are fetched, or looked at, while the request for each waits.")
    ] = 4
    max_imports_waiting: Annotated[
        Positive, _help("Most files of a user that are fetched or wait for it, in the background.")
    ] = 100
    task_days: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DAYS)], _help("Days that tasks are remembered after their end.")
    ] = 30
    model_hosts: Annotated[
        Texts,
        _help("Hosts that workers may fetch models of the registry from, in the form of `import_hosts`; empty: none."),
    ] = ()
    max_model_bytes: Annotated[Positive, _help("Largest model that the registry takes.")] = 200 * 1024**3
    model_formats: Annotated[
        Texts,
        _help(
            "Endings of model files that the registry takes beside .safetensors and .sft, such as `.ckpt`. Who loads"
            " such a file may run whatever its maker has put into it."
        ),
    ] = ()
    webhook_hosts: Annotated[
        Texts,
        _help("Hosts that webhooks may be on, in the form of `import_hosts`; empty: there are no webhooks."),
    ] = ()
    webhook_seconds: Annotated[Seconds, _help("Seconds in which a webhook's receiver must have answered.")] = 15.0
    max_webhooks: Annotated[Positive, _help("Most webhooks a user may have, beside those that submits name.")] = 10
    max_webhooks_at_once: Annotated[
        Positive, _help("Most receivers of a user that messages are under way to at the same time.")
    ] = 4
    webhook_overlap_hours: Annotated[
        Positive, _help("How long the former secret of a webhook signs as well after a change.")
    ] = 24
    webhook_log_days: Annotated[
        Annotated[int, Meta(ge=1, le=MOST_DAYS)],
        _help("Days that messages for webhooks are kept after they have arrived or were given up."),
    ] = 7
    outbound_private_hosts: Annotated[
        Texts,
        _help(
            "Hosts and networks (10.1.0.0/16) that may be reached although their addresses are not public; other lists"
            " must allow them too."
        ),
    ] = ()
    outbound_connect_seconds: Annotated[
        Seconds, _help("Seconds that are waited for a host somebody named by URL to be reached.")
    ] = 10.0
    outbound_read_seconds: Annotated[Seconds, _help("Seconds that are waited for the next bytes of such a host.")] = (
        30.0
    )
    signed_url_seconds: Annotated[Positive, _help("How long a signed download link works.")] = 3600
    session_days: Annotated[Positive, _help("How long a browser stays signed in.")] = 30
    session_idle_days: Annotated[
        Positive, _help("How long a browser stays signed in while nobody uses it, noted by the hour.")
    ] = 14
    invitation_days: Annotated[Positive, _help("How long an invitation works, and a link to choose a password.")] = 7
    login_link_minutes: Annotated[Positive, _help("How long a one-time login link works.")] = 15
    oidc_issuer: Annotated[
        str,
        _help("Issuer of the OpenID provider that people may sign in with, an https:// URL; empty: there is none."),
    ] = ""
    oidc_client_id: Annotated[str, _help("What the OpenID provider knows this server by.")] = ""
    oidc_client_secret: Annotated[str, _help("Secret of that client; empty for one that has none.", secret=True)] = ""
    oidc_scopes: Annotated[Texts, _help("Scopes that the provider is asked for; `openid` always is.")] = (
        "profile",
        "email",
    )
    oidc_name: Annotated[str, _help("The provider's name, as people read it on the button.")] = "single sign-on"
    oidc_hosts: Annotated[
        Texts, _help("Hosts beside the issuer's own that its tokens and keys may be fetched from, with `:port` if any.")
    ] = ()
    oidc_email_domains: Annotated[
        Texts, _help("Domains one of which a person's verified address must have; `*`: any; empty: not looked at.")
    ] = ()
    oidc_groups: Annotated[
        Texts, _help("Groups of which a person must be in one, as the provider names them; empty: not looked at.")
    ] = ()
    oidc_groups_claim: Annotated[str, _help("Claim of the id token that holds a person's groups.")] = "groups"
    oidc_new_users: Annotated[
        bool,
        _help(
            "Let whom the provider knows become users by themselves, where `oidc_email_domains` or `oidc_groups` says"
            " who; otherwise they need an invitation, or connect an account that they have."
        ),
    ] = False
    drain_seconds: Annotated[
        NotNegative,
        _help(
            "Seconds between `/readyz` answering 503 and the end of taking requests when a server stops, in which a"
            " proxy before several servers notices; 0: none, for one server alone."
        ),
    ] = 0.0
    stop_seconds: Annotated[
        Seconds, _help("Seconds that requests under way have to be answered in when a server stops.")
    ] = 20.0
    trusted_proxies: Annotated[
        str, _help("Addresses of reverse proxies whose X-Forwarded headers are believed, comma-separated.")
    ] = ""
    accel_prefix: Annotated[
        str, _help("Internal location of the proxy for X-Accel-Redirect downloads; empty: bytes are sent by us.")
    ] = ""
    tls_certificate: Annotated[str, _help("Certificate file, to serve https.")] = ""
    tls_key: Annotated[str, _help("Private key file of the certificate.")] = ""
    metrics_token: Annotated[
        str,
        _help(
            "Token with which Prometheus may read `/metrics`, as `Authorization: Bearer`; empty: admins only.",
            secret=True,
        ),
    ] = ""
    otlp_endpoint: Annotated[
        Annotated[str, Meta(pattern=r"^(https?://[^@\s]+)?$")],
        _help(
            "URL of a collector of OpenTelemetry that takes OTLP over HTTP, such as http://localhost:4318, for the"
            " traces of jobs; empty: the one that `OTEL_EXPORTER_OTLP_ENDPOINT` names, or none."
        ),
    ] = ""
    otlp_headers: Annotated[
        Texts, _help("Headers that are shown to the collector, name=value, such as its key.", secret=True)
    ] = ()
    otlp_max_spans: Annotated[
        Positive, _help("Most spans of traces that wait for the collector; what finds no room is lost and counted.")
    ] = 10_000
    log_format: Annotated[Literal["console", "json"], _help("How log lines look.")] = "console"
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _help("Least severe lines to log.")] = "info"
