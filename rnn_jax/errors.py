"""The exceptions that speak to the person at the keyboard: their message is one line that says all."""


class UserError(Exception):
    """Something the user can mend: bad input, a missing file, settings that do not fit together.

    The message names what is wrong and what to do. The scripts print it on standard error and exit with code
    2; nothing has been written or lost when it is raised.
    """


class RunError(Exception):
    """A run that cannot go on, by no fault of its command.

    The message names what happened and what is left. The scripts print it on standard error and exit with
    code 1.
    """
