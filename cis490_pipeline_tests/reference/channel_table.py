"""The reference's own copy of the channel table and the constants of the format."""

from typing import Final

_C, _G, _D = "counter", "gauge", "delta"

SOURCES: Final[dict[str, list[tuple[str, str]]]] = {
    "proc": [
        ("utime_ticks", _C),
        ("stime_ticks", _C),
        ("rss_bytes", _G),
        ("vsz_bytes", _G),
        ("num_threads", _G),
        ("minflt", _C),
        ("majflt", _C),
        ("read_bytes", _C),
        ("write_bytes", _C),
        ("syscr", _C),
        ("syscw", _C),
        ("voluntary_ctxt_switches", _C),
        ("nonvoluntary_ctxt_switches", _C),
    ],
    "guest": [
        ("cpu_user_ticks", _C),
        ("cpu_system_ticks", _C),
        ("cpu_idle_ticks", _C),
        ("cpu_iowait_ticks", _C),
        ("load1", _G),
        ("procs_running", _G),
        ("procs_total", _G),
        ("mem_available_kb", _G),
        ("mem_cached_kb", _G),
        ("mem_dirty_kb", _G),
        ("ctxt", _C),
        ("forks", _C),
        ("net_rx_bytes", _C),
        ("net_tx_bytes", _C),
    ],
    "qmp": [
        ("blk_rd_bytes", _C),
        ("blk_wr_bytes", _C),
        ("blk_rd_operations", _C),
        ("blk_wr_operations", _C),
        ("blk_flush_operations", _C),
        ("blk_rd_total_time_ns", _C),
        ("blk_wr_total_time_ns", _C),
        ("balloon_actual_bytes", _G),
    ],
    "netflow": [
        ("packets_in", _D),
        ("packets_out", _D),
        ("bytes_in", _D),
        ("bytes_out", _D),
        ("flows_active", _G),
        ("flows_new", _D),
        ("unique_dst_ips", _G),
        ("unique_dst_ports", _G),
        ("tcp_syn", _D),
        ("tcp_rst", _D),
        ("udp_packets", _D),
    ],
}
FILES: Final = {
    "proc": "telemetry-proc.jsonl",
    "guest": "telemetry-guest.jsonl",
    "qmp": "telemetry-qmp.jsonl",
    "netflow": "netflow.jsonl",
}
EXPECTED: Final = (
    "meta.json",
    "labels.jsonl",
    "events.jsonl",
    *FILES.values(),
    "done.marker",
)
PHASES: Final = ("clean", "armed", "infecting", "infected_running", "dormant")
PERIOD_NS: Final = {
    "proc": 100_000_000,
    "guest": 500_000_000,
    "qmp": 500_000_000,
    "netflow": 1_000_000_000,
}
STALE_NS: Final = {
    "proc": 1_000_000_000,
    "guest": 2_500_000_000,
    "qmp": 2_500_000_000,
    "netflow": 2_500_000_000,
}
TICK_NS: Final = 100_000_000
WIN: Final = 100
STRIDE: Final = 50
N_CHANNELS: Final = sum(len(channels) for channels in SOURCES.values())
OFFSETS: Final = {
    source: sum(len(SOURCES[before]) for before in list(SOURCES)[:position])
    for position, source in enumerate(SOURCES)
}
