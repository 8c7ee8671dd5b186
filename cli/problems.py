"""Problems that a person can act on: one sentence naming what and where, and an exit code."""


class ReportedProblem(Exception):
    """End the command with one sentence and a non-zero exit."""

    exit_code = 2


class ResultWrong(ReportedProblem):
    """End the command because what it computed does not hold."""

    exit_code = 1


class Interrupted(ReportedProblem):
    """End the command because its user pressed Ctrl-C."""

    exit_code = 130
    """What shells give for it."""
