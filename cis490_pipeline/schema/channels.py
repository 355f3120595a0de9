"""The 46 channels as one frozen table, and the four sources that carry them.

Not here: how rows become rates and a grid (``telemetry``).
Source: episode format, sections *The 46 channels* and *From rows to windows*.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Source(StrEnum):
    """A telemetry file's origin; the order is the channel order."""

    PROC = "proc"
    GUEST = "guest"
    QMP = "qmp"
    NETFLOW = "netflow"


class Kind(StrEnum):
    """How a channel's number becomes a grid value."""

    GAUGE = "gauge"  # used as it is
    COUNTER = "counter"  # cumulative: becomes a per-second rate, a decrease is a reset
    DELTA = "delta"  # a count for its interval: divided by the interval's seconds


class Mode(StrEnum):
    """Which channels a model sees.

    Elsewhere *oracle* means model selection on the test domain; here it is the channel mode that
    includes the hypervisor's view, which no deployed detector has.
    """

    REALISTIC = "realistic"  # the 25 channels that a device in the field can have
    ORACLE = "oracle"  # all 46
    ANY = "any"  # none at all: for baselines that look at no channel


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFacts:
    """What the format says about one telemetry file.

    ``period_ns`` is the nominal sampling period, ``staleness_ns`` the oldest age at which a row
    still speaks for a tick.
    """

    file_name: str
    period_ns: int
    staleness_ns: int


SOURCE_FACTS: Final[dict[Source, SourceFacts]] = {
    Source.PROC: SourceFacts(
        file_name="telemetry-proc.jsonl", period_ns=100_000_000, staleness_ns=1_000_000_000
    ),
    Source.GUEST: SourceFacts(
        file_name="telemetry-guest.jsonl", period_ns=500_000_000, staleness_ns=2_500_000_000
    ),
    Source.QMP: SourceFacts(
        file_name="telemetry-qmp.jsonl", period_ns=500_000_000, staleness_ns=2_500_000_000
    ),
    Source.NETFLOW: SourceFacts(
        file_name="netflow.jsonl", period_ns=1_000_000_000, staleness_ns=2_500_000_000
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One column of the grid.

    ``realistic`` says whether a detector in the field would have it.
    """

    source: Source
    name: str
    kind: Kind
    realistic: bool

    @property
    def column(self) -> str:
        """Prefix of the channel's feature columns, e.g. ``guest_load1``."""
        return f"{self.source.value}_{self.name}"


def _block(source: Source, kinds: str, *, realistic: bool) -> tuple[Channel, ...]:
    """Read ``name:kind`` words, kind being the first letter of gauge, counter or delta."""
    by_letter = {kind.value[0]: kind for kind in Kind}
    pairs = [word.split(":") for word in kinds.split()]
    return tuple(
        Channel(source=source, name=name, kind=by_letter[letter], realistic=realistic)
        for name, letter in pairs
    )


CHANNELS: Final[tuple[Channel, ...]] = (
    *_block(
        Source.PROC,
        "utime_ticks:c stime_ticks:c rss_bytes:g vsz_bytes:g num_threads:g minflt:c majflt:c "
        "read_bytes:c write_bytes:c syscr:c syscw:c voluntary_ctxt_switches:c "
        "nonvoluntary_ctxt_switches:c",
        realistic=False,
    ),
    *_block(
        Source.GUEST,
        "cpu_user_ticks:c cpu_system_ticks:c cpu_idle_ticks:c cpu_iowait_ticks:c load1:g "
        "procs_running:g procs_total:g mem_available_kb:g mem_cached_kb:g mem_dirty_kb:g "
        "ctxt:c forks:c net_rx_bytes:c net_tx_bytes:c",
        realistic=True,
    ),
    *_block(
        Source.QMP,
        "blk_rd_bytes:c blk_wr_bytes:c blk_rd_operations:c blk_wr_operations:c "
        "blk_flush_operations:c blk_rd_total_time_ns:c blk_wr_total_time_ns:c "
        "balloon_actual_bytes:g",
        realistic=False,
    ),
    *_block(
        Source.NETFLOW,
        "packets_in:d packets_out:d bytes_in:d bytes_out:d flows_active:g flows_new:d "
        "unique_dst_ips:g unique_dst_ports:g tcp_syn:d tcp_rst:d udp_packets:d",
        realistic=True,
    ),
)
N_CHANNELS: Final = len(CHANNELS)


def channels_of(source: Source) -> tuple[Channel, ...]:
    """Return the channels of one source, in grid order."""
    return tuple(channel for channel in CHANNELS if channel.source is source)


def channel_slice(source: Source) -> slice:
    """Return the grid columns of one source (they are contiguous).

    >>> channel_slice(Source.GUEST)
    slice(13, 27, None)
    """
    columns = [i for i, channel in enumerate(CHANNELS) if channel.source is source]
    return slice(columns[0], columns[-1] + 1)


def visible_channels(mode: Mode) -> tuple[int, ...]:
    """Return the grid columns that a mode may read.

    >>> [len(visible_channels(mode)) for mode in Mode]
    [25, 46, 0]
    """
    if mode is Mode.ANY:
        return ()
    return tuple(i for i, c in enumerate(CHANNELS) if mode is Mode.ORACLE or c.realistic)
