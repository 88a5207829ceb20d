"""A stand-in for the `cockroach` command, for machines that cannot have the CockroachDB image.

PostgreSQL stores the data: one node, the one that was told `cockroach init`, runs it, the others forward to it.
What CockroachDB is for (copies in several regions, surviving the loss of one) is NOT stood in for.
"""

TAG = "v26.2.5"
NOTICE = "stand-in for CockroachDB on PostgreSQL 15: one copy of the data, on the node that was initialized"
SQL_PORT = 26257
HTTP_PORT = 8080


class StandInError(Exception):
    """A request that is refused; the text says why, in the words of the real command where it has some."""
