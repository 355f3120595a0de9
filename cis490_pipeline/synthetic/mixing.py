"""Each channel's weights on the loads.

Not here: the loads (``loads``), values in time (``signals``). Made up after the recorded corpus.
"""

from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cis490_pipeline.schema.channels import Source, channels_of
from cis490_pipeline.synthetic.loads import Loads


class Unit(Enum):
    """What a channel's weights are counted in."""

    PLAIN = auto()  # as written, times the host's own scale of the channel
    RAM_BYTES = auto()  # shares of the guest's memory
    RAM_KB = auto()
    EXACT = auto()  # as written on every host


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """One channel: per second for counters and deltas, the level itself for gauges.

    ``noise`` is the standard deviation of the logarithm.
    """

    weights: Loads
    unit: Unit = Unit.PLAIN
    noise: float = 0.35


def _plain(noise: float = 0.35, **weights: float) -> Mix:
    return Mix(weights=Loads(**weights), noise=noise)


MIXES: Final[dict[str, Mix]] = {
    "proc_utime_ticks": _plain(one=2, cpu=95, dial=0.15),
    "proc_stime_ticks": _plain(one=1, cpu=5, read=2, write=3, rx=0.02, tx=0.03, dial=0.1),
    "proc_rss_bytes": Mix(
        weights=Loads(one=0.42, mem=0.55, drift=0.05), unit=Unit.RAM_BYTES, noise=0.0008
    ),
    "proc_vsz_bytes": Mix(weights=Loads(one=7.0, read=0.02), unit=Unit.RAM_BYTES, noise=0.0),
    "proc_num_threads": _plain(noise=0.03, one=5, read=0.35, write=0.4),
    "proc_minflt": _plain(one=8, cpu=25, fork=40, mem=220),
    "proc_majflt": _plain(one=0.002),
    "proc_read_bytes": _plain(one=4e3, read=9e5),
    "proc_write_bytes": _plain(one=9e3, write=1.05e6, fork=2e3),
    "proc_syscr": _plain(one=60, read=240, rx=2.5, cpu=40),
    "proc_syscw": _plain(one=160, write=260, tx=3, dial=6, cpu=60),
    "proc_voluntary_ctxt_switches": _plain(one=45, read=60, write=80, rx=1.5, tx=2, dial=4),
    "proc_nonvoluntary_ctxt_switches": _plain(one=4, cpu=55),
    "guest_cpu_user_ticks": _plain(one=1.5, cpu=84, fork=0.5),
    "guest_cpu_system_ticks": _plain(one=1.5, cpu=12, read=3, write=4, dial=0.25, fork=1.2),
    "guest_cpu_idle_ticks": Mix(
        weights=Loads(one=100, cpu=-96, read=-3, write=-4, dial=-0.2), unit=Unit.EXACT, noise=0.04
    ),
    "guest_cpu_iowait_ticks": _plain(one=0.2, read=3.5, write=5),
    "guest_load1": Mix(weights=Loads(load=100), noise=0.02),  # hundredths
    "guest_procs_running": _plain(noise=0.15, one=1.5, cpu=1.6, fork=0.05),
    "guest_procs_total": _plain(noise=0.01, one=54, fork=0.6, dial=0.02, cpu=1),
    "guest_mem_available_kb": Mix(
        weights=Loads(one=0.72, mem=-0.85, drift=-0.02), unit=Unit.RAM_KB, noise=0.0015
    ),
    "guest_mem_cached_kb": Mix(
        weights=Loads(one=0.05, read=0.0008, write=0.001, drift=0.05), unit=Unit.RAM_KB, noise=0.002
    ),
    "guest_mem_dirty_kb": _plain(noise=0.5, one=60, write=900),
    "guest_ctxt": _plain(one=75, cpu=60, read=90, write=110, rx=2, tx=2, dial=6, fork=12),
    "guest_forks": _plain(noise=0.6, one=0.25, fork=1),
    "guest_net_rx_bytes": _plain(one=250, rx=1000, dial=180),
    "guest_net_tx_bytes": _plain(one=200, tx=1000, dial=220),
    "qmp_blk_rd_bytes": _plain(one=3e3, read=8e5),
    "qmp_blk_wr_bytes": _plain(one=8e3, write=1e6),
    "qmp_blk_rd_operations": _plain(one=0.1, read=26),
    "qmp_blk_wr_operations": _plain(one=0.6, write=34),
    "qmp_blk_flush_operations": _plain(one=0.15, write=1.3),
    "qmp_blk_rd_total_time_ns": _plain(noise=0.5, one=1e4, read=2.4e6),
    "qmp_blk_wr_total_time_ns": _plain(noise=0.5, one=2e5, write=1.3e7),
    "qmp_balloon_actual_bytes": Mix(weights=Loads(one=1), unit=Unit.RAM_BYTES, noise=0.0),
    "netflow_packets_in": _plain(one=0.8, rx=1.1, tx=0.4, dial=1.1),
    "netflow_packets_out": _plain(one=0.8, rx=0.5, tx=1.2, dial=2.2),
    "netflow_bytes_in": _plain(one=90, rx=1060, tx=25, dial=75),
    "netflow_bytes_out": _plain(one=90, rx=30, tx=1080, dial=140),
    "netflow_flows_active": _plain(noise=0.2, one=1, rx=0.03, dial=1.3),
    "netflow_flows_new": _plain(one=0.15, dial=1),
    "netflow_unique_dst_ips": _plain(noise=0.2, one=0.9, rx=0.02, dial=0.8),
    "netflow_unique_dst_ports": _plain(noise=0.2, one=0.8, rx=0.01, dial=0.25),
    "netflow_tcp_syn": _plain(one=0.05, dial=1.1),
    "netflow_tcp_rst": _plain(one=0.01, dial=0.4),
    "netflow_udp_packets": _plain(one=0.4, rx=0.05, dial=0.1),
}
"""By ``Channel.column``; all 46."""


@cache
def mixes_of(source: Source) -> tuple[Mix, ...]:
    """Return a source's mixes, in channel order."""
    return tuple(MIXES[channel.column] for channel in channels_of(source))


@cache
def channel_weights(source: Source) -> NDArray[np.float64]:
    """Return the weights ``[n_loads, n_channels of the source]``; not to be written to."""
    weights = np.stack([mix.weights.vector() for mix in mixes_of(source)], axis=1)
    weights.flags.writeable = False
    return weights


@cache
def noise_factors(source: Source) -> NDArray[np.float64]:
    """Return factors of noise ``[n_channels, 256]``, all equally likely; not to be written to."""
    normal = NormalDist()
    z_N = np.array([normal.inv_cdf((i + 0.5) / 256) for i in range(256)])
    noise = np.exp(np.outer([mix.noise for mix in mixes_of(source)], z_N))
    noise.flags.writeable = False
    return noise


_GRANULE_BYTES: Final = {
    "proc_rss_bytes": 4096,
    "proc_read_bytes": 4096,
    "proc_write_bytes": 4096,
    "qmp_blk_rd_bytes": 512,
    "qmp_blk_wr_bytes": 512,
}


@cache
def granule_masks(source: Source) -> NDArray[np.int64]:
    """Return what rounds each channel down to its pages or sectors by a bitwise *and*."""
    granules = [_GRANULE_BYTES.get(channel.column, 1) for channel in channels_of(source)]
    masks = -np.array(granules, np.int64)
    masks.flags.writeable = False
    return masks
