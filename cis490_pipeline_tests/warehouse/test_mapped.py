"""Mapped files: what was read does not stay in memory, what was written stays in the file."""

import os
from pathlib import Path

import numpy as np
import pytest

from cis490_pipeline.errors import WarehouseError
from cis490_pipeline.warehouse import mapped
from cis490_pipeline.warehouse.mapped import PageBudget, scratch_matrix

MB = 2**20
PAGE_ROW = 1024
"""Columns of a row that fills a page."""


def resident_bytes(path: Path) -> int:
    """Return how much of a file this process has in memory."""
    lines, wanted, found = Path("/proc/self/smaps").read_text().splitlines(), False, 0
    for line in lines:
        if "-" in line.split(" ", 1)[0]:
            wanted = line.endswith(str(path))
        elif wanted and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


def a_file_of(path: Path, n_rows: int) -> np.memmap:
    path.write_bytes(os.urandom(PAGE_ROW * 4) * n_rows)
    return np.memmap(path, dtype=np.float32, mode="r", shape=(n_rows, PAGE_ROW))


def test_reading_a_whole_file_leaves_no_more_than_the_budget_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 4 * MB)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    path = tmp_path / "rows.f32"
    rows, pages = a_file_of(path, 16 * MB // 4096), PageBudget()
    for start in range(0, len(rows), 64):
        index = np.arange(start, start + 64)
        assert rows[index].shape == (64, PAGE_ROW)
        pages.spend(rows, index, 1)
    assert resident_bytes(path) <= 5 * MB


def test_rows_far_apart_count_with_what_the_system_maps_around_them(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 2 * MB)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    path = tmp_path / "rows.f32"
    rows, pages = a_file_of(path, 16 * MB // 4096), PageBudget()
    order = np.random.default_rng(0).permutation(len(rows))
    for turn, index in enumerate(order.reshape(-1, 8)):
        assert rows[index].shape == (8, PAGE_ROW)
        pages.spend(rows, index, 1)
        assert turn % 64 or resident_bytes(path) <= 4 * MB


def test_mappings_that_may_stay_whole_are_not_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 0)
    path = tmp_path / "rows.f32"
    rows, pages = a_file_of(path, 8 * MB // 4096), PageBudget()
    index = np.arange(len(rows))
    assert rows[index].size
    pages.spend(rows, index, 1)
    assert resident_bytes(path) >= 8 * MB


def test_without_a_budget_the_whole_file_stays_in_memory(tmp_path):
    """What the tests above would say if nothing were given back."""
    path = tmp_path / "rows.f32"
    rows = a_file_of(path, 8 * MB // 4096)
    assert rows[np.arange(len(rows))].size
    assert resident_bytes(path) >= 8 * MB


def test_what_was_written_is_still_there_after_the_pages_are_given_back(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGEST_IN_MEMORY", 0)
    matrix, pages = scratch_matrix(tmp_path, (1000, 300)), PageBudget()
    matrix[:] = np.arange(300_000).reshape(1000, 300)
    pages.spend(matrix, np.arange(1000), 1)
    pages.give_back()
    np.testing.assert_array_equal(matrix, np.arange(300_000).reshape(1000, 300))


def test_a_scratch_file_has_no_name_that_could_be_left_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "LARGEST_IN_MEMORY", 0)
    matrix = scratch_matrix(tmp_path / "work", (10, 10))
    matrix[:] = 1.0
    assert list((tmp_path / "work").iterdir()) == []


def test_a_small_matrix_needs_no_file(tmp_path):
    assert scratch_matrix(tmp_path / "work", (10, 10)).base is None
    assert not (tmp_path / "work").exists()


def test_a_full_disk_is_told_before_anything_is_written(tmp_path):
    with pytest.raises(WarehouseError, match="cannot write"):
        scratch_matrix(tmp_path, (2**30, 2**20))


def test_an_array_in_memory_costs_no_budget(monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 0)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    rows, pages = np.ones((100, PAGE_ROW), dtype=np.float32), PageBudget()
    pages.spend(rows, np.arange(100), 1)
    assert rows.sum() == 100 * PAGE_ROW


def test_stretches_that_may_stay_are_read_at_once_in_the_order_asked_for(tmp_path):
    rows, pages = a_file_of(tmp_path / "rows.f32", 64), PageBudget()
    assert pages.watch(rows)
    (only,) = pages.in_parts(np.array([30, 10, 20]), np.array([5, 5, 5]))
    assert only.tolist() == [0, 1, 2]


def test_stretches_are_read_in_parts_of_the_budget_and_each_once(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "MOST_MAPPED", 4 * MB)
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    path = tmp_path / "rows.f32"
    rows, pages = a_file_of(path, 16 * MB // 4096), PageBudget()
    pages.watch(rows)
    begin = rows.ctypes.data
    order = np.random.default_rng(0).permutation(len(rows))
    read = []
    for part in pages.in_parts(begin + (order + 1) * 4096, np.full(len(rows), 4096)):
        assert rows[order[part]].shape == (len(part), PAGE_ROW)
        read.extend(order[part].tolist())
        assert resident_bytes(path) <= 6 * MB
    assert read == list(range(len(rows))), "neighbours lie together, whatever the order"


def test_no_stretches_are_no_parts_of_a_large_file(tmp_path, monkeypatch):
    monkeypatch.setattr(mapped, "KEPT_WHOLE", 0)
    pages = PageBudget()
    pages.watch(a_file_of(tmp_path / "rows.f32", 1))
    assert list(pages.in_parts(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))) == []
