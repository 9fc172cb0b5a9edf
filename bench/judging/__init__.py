"""What may be concluded from a run: statistics, validity, standings, differences, the verdict. Pure, and the one place
for every rule: reports render what `judge(run)` says."""

from bench.judging.cells import JudgedCell
from bench.judging.judged import Judged, judge
from bench.judging.verdict import Verdict
from bench.judging.workload import JudgedScenario, JudgedWorkload

__all__ = ["Judged", "JudgedCell", "JudgedScenario", "JudgedWorkload", "Verdict", "judge"]
