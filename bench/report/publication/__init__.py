"""What of a run stands beside the code, for readers who run nothing? A page, pictures, every figure by its name, and
the short answer at the top of README.md: all of it text that follows from the run, so that nothing is typed by hand.
"""

from bench.report.publication.answer import BEGIN, END, answer, with_answer
from bench.report.publication.figures import figures
from bench.report.publication.results import FIGURES, files

__all__ = ["BEGIN", "END", "FIGURES", "answer", "figures", "files", "with_answer"]
