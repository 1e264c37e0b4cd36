"""The one exception that speaks to the person at the keyboard."""


class UserError(Exception):
    """Something the user can mend: bad input, a missing file, settings that do not fit together.

    The message is one line that names what is wrong and what to do. The scripts print it on standard
    error and exit with code 2; nothing has been written or lost when it is raised.
    """
