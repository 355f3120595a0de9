"""Long drills, run by ``make drill``; each has a quick version among the tests."""
