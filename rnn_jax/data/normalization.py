"""One form for texts that look alike, before they become words: for training and prediction alike.

In this order: canonical composition (Unicode NFC), HTML entities decoded, lower case, invisible characters
dropped, apostrophes as `'`, HTML tags as spaces. The standard library knows the characters and the entities.

No encoded review of IMDb's train and test splits depends on more of it than on lower case, `’` and `<br>`, so
that recorded results hold. What this leaves out for their sake says so.
"""

import html
import html.entities
import re
import unicodedata

# What Unicode calls default ignorable (DerivedCoreProperties.txt): soft hyphens, zero-width spaces and
# joiners, marks of direction, the byte-order mark; of the category Cf, all but signs that are seen.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)

# The last is what Windows calls ’, read as Latin-1. Some write ´ and `, but so do 240 reviews of IMDb.
_APOSTROPHE = re.compile("[\u2018\u2019\u201b\u2032\u02bb-\u02bd\ua78c\uff07\x92]")

# With its semicolon alone, so that "sweet&sour" and "A&E" stay. Numbers up to 255: 7 reviews of IMDb hold
# larger ones.
_ENTITY = re.compile(
    r"&(#(?:1?[0-9]{1,2}|2[0-4][0-9]|25[0-5])|#[xX][0-9a-fA-F]{1,2}|[a-zA-Z][a-zA-Z0-9]{1,31});"
)
_LEVELS = 3  # how often a text may have been escaped: "&amp;#39;" is twice

# By their names, so that "I <3 it", "a < b and b > c" and "<sigh>" stay. So do <i>, <em>, <hr> and <p>
# without attributes: 4 reviews of IMDb hold them.
_ELEMENTS = (
    "a abbr acronym address article aside audio b bdi bdo big blockquote body br button caption center "
    "cite code col colgroup dd del details dfn dir div dl dt em fieldset figcaption figure font footer "
    "form frame frameset h1 h2 h3 h4 h5 h6 head header hr html i iframe img input ins kbd label legend li "
    "link main mark menu meta nav noscript object ol optgroup option p param picture pre q s samp script "
    "section select small source span strike strong style sub summary sup svg table tbody td textarea "
    "tfoot th thead title tr tt u ul var video wbr"
)
_TAG = re.compile(
    r"(?!</?(?:em|hr|i|p)>)"
    rf"</?(?:{'|'.join(_ELEMENTS.split())})"
    r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=`]+))*\s*/?>"""
)


def normalize(text: str) -> str:
    """The form that all texts of the same words have.

    Lower case is not the wider case folding, which would make "ß" two letters: "İ" alone would become two
    characters, and is a plain "i" instead.
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    for _ in range(_LEVELS if "&" in text else 0):
        text = _ENTITY.sub(_decode, text)
    text = text.lower()
    if not text.isascii():
        text = _APOSTROPHE.sub("'", _INVISIBLE.sub("", text))
    text = text.replace("<br />", " ")  # the only tag in most reviews
    if "<" in text:
        text = _TAG.sub(" ", text)
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.replace("i\u0307", "i"))
    return text


def _decode(entity: re.Match[str]) -> str:
    known = entity[1].startswith("#") or f"{entity[1]};" in html.entities.html5
    return html.unescape(entity[0]) if known else entity[0]
