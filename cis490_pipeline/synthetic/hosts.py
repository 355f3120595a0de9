"""What tells one host's episodes from another's: hardware, load, and how its recorder writes.

Not here: what the samples do (``loads``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline.synthetic.loads import PROFILES
from cis490_pipeline.synthetic.mixing import Unit, mixes_of
from cis490_pipeline.synthetic.random_streams import Stream, generator

_NETFLOW_MISSING: Final = 0.3
_RAM_BYTES: Final = (256 << 20, 512 << 20, 1 << 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileStyle:
    """How the host's recorder writes its files; none of it carries information.

    Attributes
    ----------
    spaced
        JSON with ``", "`` and ``": "``, else compact.
    content_size, checksum
        What the zstd frame header says.
    directory_prefix
        Members are ``<episode id>/<name>``, else ``<name>``.
    pax
        A PAX header with an exact mtime before each member.
    iso_times
        ``received_at_wall`` as ISO 8601, else as Unix seconds.
    zstd_level
        Of the host's shipper.
    """

    spaced: bool
    content_size: bool
    checksum: bool
    directory_prefix: bool
    pax: bool
    iso_times: bool
    zstd_level: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HostStyle:
    """One host.

    Attributes
    ----------
    scale_C
        Per source, what each channel's mixed value is multiplied with.
    ram_bytes
        Memory of its guests.
    benign_level
        How busy its guests are without a sample.
    benign_kinds
        Probability that a benign burst is of each kind of load.
    gap_share
        Share of rows in which a key is null or missing.
    netflow_missing, pcap_share
        Shares of its episodes without ``netflow.jsonl``, with ``network.pcap``.
    balloon_moves
        Whether the balloon's target changes now and then.
    profiles
        The malicious profiles that it runs.
    commit
        Of its recorder.
    """

    name: str
    files: FileStyle
    scale_C: dict[Source, NDArray[np.float64]]
    ram_bytes: int
    benign_level: float
    benign_kinds: NDArray[np.float64]
    gap_share: float
    netflow_missing: float
    pcap_share: float
    balloon_moves: bool
    profiles: tuple[str, ...]
    commit: str


def host_styles(seed: int, hosts: Sequence[str]) -> dict[str, HostStyle]:
    """Draw the hosts.

    Notes
    -----
    Hardware and file styles alternate, so that two hosts differ in both; the last host is the one
    that ships a part of its episodes without ``netflow.jsonl``; every host but the first has never
    run one of the profiles.
    """
    return {
        host: _host_style(seed, host, position, is_last=position == len(hosts) - 1)
        for position, host in enumerate(hosts)
    }


def _host_style(seed: int, host: str, position: int, *, is_last: bool) -> HostStyle:
    rng = generator(seed, Stream.HOST, host)
    ram_bytes = _RAM_BYTES[position % len(_RAM_BYTES)]
    names = list(PROFILES)
    if position:
        names.pop((position + 1) % len(names))
    return HostStyle(
        name=host,
        files=_file_style(position),
        scale_C={source: _scales(rng, source, ram_bytes) for source in Source},
        ram_bytes=ram_bytes,
        benign_level=float(np.exp(rng.normal(0.0, 0.3))),
        benign_kinds=rng.dirichlet(np.full(8, 4.0)),
        gap_share=float(rng.uniform(0.004, 0.01)),
        netflow_missing=_NETFLOW_MISSING if is_last else 0.0,
        pcap_share=float(rng.uniform(0.05, 0.1)),
        balloon_moves=bool(position % 2),
        profiles=tuple(names),
        commit=rng.bytes(20).hex(),
    )


def _file_style(position: int) -> FileStyle:
    plain = position % 2 == 0
    return FileStyle(
        spaced=plain,
        content_size=plain,
        checksum=position % 4 == 1,
        directory_prefix=not plain,
        pax=not plain,
        iso_times=plain,
        zstd_level=-1,  # fastest, and with it the size of the field's tarballs (225 kB at 255 s),
    )


def _scales(rng: np.random.Generator, source: Source, ram_bytes: int) -> NDArray[np.float64]:
    own_C = np.exp(rng.normal(0.0, 0.25, len(channels_of(source))))
    units: dict[Unit, float] = {
        Unit.RAM_BYTES: float(ram_bytes),
        Unit.RAM_KB: ram_bytes / 1024,
        Unit.EXACT: 1.0,
    }
    return np.array(
        [units.get(mix.unit, own) for mix, own in zip(mixes_of(source), own_C, strict=True)]
    )
