"""Pieces of a genome in FASTA files: a line `>NAME`, then the bases, in one line or several."""


def read_pieces(text: str) -> list[tuple[str, str]]:
    r"""The name and the bases, in capitals, of each piece.

    Raises:
        ValueError: if the text does not begin with a piece.

    Example:
        >>> read_pieces(">first\\nacg\\nt\\n>second\\nGG\\n")
        [('first', 'ACGT'), ('second', 'GG')]
    """
    before, *parts = text.split(">")
    if before.strip() or not parts:
        raise ValueError("it does not begin with a line >NAME")
    pieces = (part.partition("\n") for part in parts)
    return [(name.strip(), "".join(bases.split()).upper()) for name, _, bases in pieces]
