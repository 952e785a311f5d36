"""What a job is to its worker: the graph, links to the inputs, and the secrets opened for it alone."""

from datetime import timedelta

import msgspec

from fireside.blobs.signing import DownloadClaims
from fireside.blobs.sniff import OCTET_STREAM
from fireside.domain.accounts import User
from fireside.domain.jobs import Job
from fireside.jobs.desk import Desk
from fireside.jobs.time_limits import time_limit_of
from fireside.store.records import JobBody, StagedInput
from fireside.wire.fleet import InputFile, WorkBody

_STAGING = timedelta(hours=1)


def work_of(desk: Desk, job: Job, body: JobBody, user: User | None) -> WorkBody:
    """Put together what the holder of the user's job is to run."""
    return WorkBody(
        graph=msgspec.Raw(body.graph),
        extra_data=msgspec.Raw(body.extra_data),
        outputs=body.outputs,
        inputs=tuple(_input_file(desk, staged) for staged in body.inputs),
        secrets=_secrets(desk, job, body),
        time_limit=time_limit_of(desk.config, user, body),
    )


def _input_file(desk: Desk, staged: StagedInput) -> InputFile:
    claims = DownloadClaims(
        hash=staged.hash,
        filename="input",
        content_type=OCTET_STREAM,
        expires_at=desk.clock() + _STAGING,
    )
    return InputFile(
        value=staged.value,
        hash=staged.hash,
        size_bytes=staged.size_bytes,
        url=f"/files/{desk.signer.sign(claims)}",
    )


def _secrets(desk: Desk, job: Job, body: JobBody) -> dict[str, str]:
    if body.sealed_secrets is None:
        return {}
    return msgspec.json.decode(desk.sealer.open(body.sealed_secrets, context=str(job.id)), type=dict[str, str])
