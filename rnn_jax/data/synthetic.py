"""Synthetic film reviews: a stand-in for IMDb that needs no network, and that only order can solve.

Every review holds exactly one word of praise and one word of blame. One of them is the writer's own
verdict; the other is denied ("nobody can say that the acting was dull"), outweighed ("although the acting
was dull, ..."), conceded, an opinion that changed later, or somebody else's. The label is 1 where the
verdict is the praise and 0 where it is the blame. Around and between the decisive sentences stand neutral
ones: the plot, the cast, the evening at the cinema.

What a bag of words can reach: half. Exchange the two words in any review, and out comes a review that the
generator writes just as often, with the same words and the other label. So the counts of words say nothing
about the label, and a score away from 50 % is chance. Pairs of neighbouring words say hardly more: they
catch "never dull", but in most reviews neither word stands next to what makes it count or not. Taking the
last word of praise or blame for the verdict is right in about seven reviews of ten: enough of a slope for
learning to start, too little to stop there.

What a recurrent network must do: read each of the two words in the light of what was said before or after
it, in some reviews many sentences away ("here is what the critics wrote ..."), and carry the verdict past
everything that follows.
"""

import random
import re
from collections.abc import Sequence

import numpy as np

from rnn_jax.data.reviews import Reviews

_SEED_AND_SIZE = {"train": (1, 10_000), "test": (2, 2_000)}


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PRAISE = _words(
    """
    beautiful brilliant charming clever compelling delightful excellent gripping magnificent memorable moving
    splendid superb terrific touching wonderful
    """
)
BLAME = _words(
    """
    atrocious awful boring clumsy dismal dreadful dull feeble forgettable lifeless mediocre ridiculous tedious
    terrible tiresome unbearable
    """
)

# {own} is where the verdict goes and {other} is where the word goes that does not count; the other braces
# name a list in _PHRASES. Neutral sentences may come in at each bar. Many come in both orders, so that the
# place in the text does not give the verdict away.
CONSTRUCTIONS = {
    "negation": (
        "The {aspect} was never {other} {extent}. | The {aspect} was always {own} {extent}.",
        "The {aspect} was not exactly {other} {extent}, and the {aspect} was really {own} {extent}.",
        "I would not call the {aspect} {other} {extent}. | I would call the {aspect} {own} {extent}.",
        "I would call the {aspect} {own} {extent}. | I would not call the {aspect} {other} {extent}.",
        "Nobody can say that {other opinion}. | Everybody can see that {own opinion}.",
        "I do not think that {other opinion}. | I do think that {own opinion}.",
        "I do think that {own opinion}. | I do not think that {other opinion}.",
    ),
    "contrast": (
        "Although {other opinion}, {own opinion}.",
        "Even if {other opinion}, {own opinion}.",
        "{other opinion}, but {own opinion}.",
        "{other opinion}. | And yet {own opinion}.",
        "{own opinion}, although {other opinion}.",
        "{own opinion}, even if {other opinion}.",
    ),
    "concession": (
        "I admit that {other opinion}. | What counts for me is that {own opinion}.",
        "What counts for me is that {own opinion}. | I admit that {other opinion}.",
        "Granted, {other opinion}. | All the same, {own opinion}.",
        "It hardly matters that {other opinion}. | It matters a great deal that {own opinion}.",
    ),
    "change of mind": (
        "At first I thought that {other opinion}. | By the end I thought that {own opinion}.",
        "I expected something {other} after seeing the {source}. | What I got was something {own} instead.",
        "By the end I was sure that {own opinion}. | At first I had been sure that {other opinion}.",
        "For half an hour I believed that {other opinion}. | Then I saw that {own opinion}.",
    ),
    "hearsay": (
        "My {relative} told me that {other opinion}. | If you ask me, {own opinion}.",
        "If you ask me, {own opinion}. | My {relative} told me that {other opinion}.",
        "{other opinion}, or so the {public} say. | {own opinion}, as I see it.",
        "Here is what the {public} wrote. | {other opinion}. | Here is what I saw myself. | {own opinion}.",
        "Here is what I saw myself. | {own opinion}. | Here is what the {public} wrote. | {other opinion}.",
    ),
}

# The word of praise or blame stands inside, not at an end, so that its neighbours give nothing away.
_OPINIONS = (
    "the {aspect} was {word} {extent}",
    "the {aspect} felt {word} {extent}",
    "the {aspect} seemed {word} {extent}",
    "the {aspect} turned out to be {word} {extent}",
    "there was something {word} about the {aspect}",
    "the {aspect} came across as {word} {extent}",
)

# Words like "but", "not" and "at first" appear here too: alone they must mean nothing.
_NEUTRAL = (
    "{name} plays a {job} who returns to {place} after {number} years.",
    "{name} plays a {job}, and {name} plays the {job} next door.",
    "The story is set in {place} in {year}.",
    "The story begins in {place}, but most of it takes place in {place}.",
    "It was filmed in {place}, although the book is set in {place}.",
    "A {job} finds a {thing} in the {room} and has {number} days to bring it to {place}.",
    "A {job} and a {job} meet on the train to {place}.",
    "One evening a {job} hears a noise in the {room}, and the {thing} is gone.",
    "The {job} hides the {thing} in the {room}, where nobody looks for it.",
    "At first nobody knows who has the {thing}, and then a {job} turns up with a key.",
    "The {job} is not the {relative} of the {job}, as it turns out.",
    "By the end the {thing} is back in the {room}.",
    "In the second half everybody travels to {place}, where a {job} is waiting.",
    "The {thing} belongs to a {job} from {place}, but the papers say otherwise.",
    "There are {number} scenes in the {room}, and in each of them somebody mentions the {thing}.",
    "A letter arrives from {place}, and the {job} reads it aloud in the {room}.",
    "{name} directed it, and {name} wrote the script.",
    "{name} was first meant for the part of the {job}, which then went to {name}.",
    "The music is by {name}, who comes from {place}.",
    "The camera was in the hands of {name}.",
    "{name} has a short scene as a {job} near the beginning.",
    "This was the {ordinal} film that {name} made in {place}.",
    "The novel by {name} came out in {year}, and the film followed {number} years later.",
    "There is an earlier version from {year} with {name} as the {job}.",
    "It runs for about {number} minutes longer than the version from {year}.",
    "If I remember rightly, {name} played a {job} on television in {year}.",
    "According to the credits, the {thing} was lent by a museum in {place}.",
    "They shot the {room} in a studio and everything else in {place}.",
    "We saw it on a {day} evening in {place}.",
    "I watched it at home on a {day}, with my {relative}.",
    "My {relative} and I took the bus into town, since it was raining.",
    "It was raining, but we walked to the cinema all the same.",
    "There were about {number} people in the cinema that {day}.",
    "I had not been to the cinema since {year}.",
    "My {relative} could not come, so I went with my {relative}.",
    "The cinema is next to the station, and it has {number} screens.",
    "We sat in the {ordinal} row, not far from the door.",
    "Tickets were {number} dollars, and the film started at {hour}.",
    "I had read the book in {year}, although I do not remember much of it.",
    "My {relative} used to work as a {job} and explained a few things to me afterwards.",
    "Even if you have never been to {place}, you will recognize the bridge.",
    "Afterwards we had supper near the station and talked about the weather.",
    "I would not know where else to put this, so I mention it here.",
    "I am writing this on a {day} morning, before work.",
    "I think that it is also called by another name in {place}.",
    "They showed it again last {day} on one of the smaller channels.",
    "My copy came from a shop in {place}, and it has no subtitles.",
    "I admit that I had to look up where {place} is.",
)

_PHRASES = {
    "neutral": _NEUTRAL,
    "own opinion": tuple(opinion.replace("{word}", "{own}") for opinion in _OPINIONS),
    "other opinion": tuple(opinion.replace("{word}", "{other}") for opinion in _OPINIONS),
    "name": ("{first name} {last name}",),
    "aspect": _words(
        """
        acting atmosphere camerawork cast cinematography dialogue direction editing ending humour music
        narration opening pacing photography plot production scenery screenplay script soundtrack story
        """
    ),
    "extent": (
        "by any standard",
        "by the standards of {year}",
        "for a film of this kind",
        "for a film of this length",
        "for a film from {place}",
        "for something made in {year}",
        "in the scenes with {name}",
        "in the scenes set in {place}",
        "in the version that they showed",
        "on the big screen",
    ),
    "source": ("poster", "trailer", "title", "advertising", "interviews", "first few pictures"),
    "public": ("critics", "papers", "fans", "people at work", "people on the internet", "professionals"),
    "relative": _words(
        "aunt brother cousin daughter father grandmother husband mother nephew sister son uncle wife"
    ),
    "day": _words("Monday Tuesday Wednesday Thursday Friday Saturday Sunday"),
    "hour": ("half past six", "seven", "a quarter past seven", "eight", "half past eight", "nine"),
    "number": _words("three four five six seven eight nine ten eleven twelve fifteen twenty thirty"),
    "ordinal": _words("second third fourth fifth sixth seventh eighth ninth tenth"),
    "year": tuple(str(year) for year in range(1931, 2006)),
    "thing": _words(
        """
        bottle bracelet camera chessboard coin compass diary dictionary flute hat lamp letter map mirror
        necklace notebook painting parcel photograph piano portrait radio ring rope statue suitcase telegram
        telescope ticket trumpet typewriter umbrella vase violin watch
        """
    ),
    "room": _words(
        """
        attic bakery barn basement bathroom boathouse cellar chapel church corridor garage garden greenhouse
        hall hotel kitchen laboratory library lighthouse office pantry stable tower warehouse workshop
        """
    ),
    "job": _words(
        """
        baker banker barber butcher carpenter chemist clerk cook dancer dentist detective doctor driver farmer
        fisherman gardener journalist judge lawyer librarian locksmith mechanic miner musician nurse painter
        pharmacist photographer pianist pilot plumber policeman porter postman priest professor sailor
        schoolteacher sergeant singer soldier surgeon tailor translator waiter watchmaker
        """
    ),
    "place": _words(
        """
        Amsterdam Athens Barcelona Belfast Berlin Boston Bristol Brussels Budapest Cairo Calcutta Chicago
        Copenhagen Denver Detroit Dublin Edinburgh Florence Geneva Glasgow Hamburg Havana Helsinki Istanbul
        Kansas Krakow Lisbon Liverpool London Madrid Marseille Melbourne Memphis Montreal Munich Naples
        Oslo Ottawa Palermo Paris Philadelphia Prague Reykjavik Rome Seattle Seville Shanghai Stockholm Sydney
        Texas Tokyo Toronto Trieste Venice Vienna Warsaw Zurich
        """
    ),
    "first name": _words(
        """
        Albert Alice Anna Arthur Barbara Beatrice Bernard Carl Catherine Charles Clara Daniel David Dorothy
        Edith Edward Eleanor Elizabeth Emma Ernest Eva Frances Frank Frederick George Gloria Grace Hannah
        Harold Helen Henry Hugo Ingrid Irene Isabel Jack James Jane Joan John Joseph Julia Laura Leonard
        Lillian Louis Lucy Margaret Maria Martha Martin Michael Nora Oliver Oscar Patricia Paul Peter
        Philip Rachel Ralph Rita Robert Rosa Ruth Samuel Sarah Simon Stella Susan Theodore Thomas Vera Victor
        Virginia Walter William
        """
    ),
    "last name": _words(
        """
        Abbott Adler Andersen Archer Baines Barlow Becker Bellamy Bennett Brandt Calloway Carver Castellano
        Chandler Collins Cooper Crawford Dalton Delgado Dempsey Donovan Dubois Ellison Farrell Fischer
        Fitzgerald Forsyth Gallagher Garland Giordano Goodwin Halloran Hampton Harding Hartley Holloway Ivanov
        Jansen Jarvis Kaminski Keller Kendall Lambert Langley Larsen Lindgren Lockwood Lombardi Maddox
        Marchetti Mercer Moreau Nakamura Nielsen Norwood Novak Okafor Palmer Pemberton Prescott Quinn
        Radcliffe Ramirez Redfern Rossi Sanders Sheridan Sinclair Sorensen Stanwick Sullivan Tanaka
        Thornton Underwood Vargas Wainwright Webster Whitaker Winslow Yamamoto
        """
    ),
}

_BLANK = re.compile(r"\{([a-z ]+)\}")


class _Writer:
    """Fills blanks at random. No phrase comes twice in a review before all others of its list have come."""

    def __init__(self, rng: random.Random, own: str, other: str) -> None:
        self._rng = rng
        self._phrases = {**_PHRASES, "own": (own,), "other": (other,)}
        self._unused: dict[str, list[str]] = {}

    def fill(self, text: str) -> str:
        """Replaces every blank by a phrase of its list, and the blanks of that phrase in turn."""
        return _BLANK.sub(lambda blank: self.fill(self._draw(blank[1])), text)

    def sentence(self, text: str) -> str:
        """Fills the blanks and begins with a capital."""
        filled = self.fill(text)
        return filled[0].upper() + filled[1:]

    def _draw(self, name: str) -> str:
        unused = self._unused.get(name)
        if not unused:
            unused = self._unused[name] = list(self._phrases[name])
        return unused.pop(_below(self._rng, len(unused)))


def reviews(split: str) -> Reviews:
    """The built-in dataset: 10,000 reviews to train on and 2,000 to test with, always the same.

    Args:
        split: "train" or "test". No text of the test split occurs in the training split.

    Returns:
        The texts and their labels, half of them positive.

    Raises:
        ValueError: If there is no such split.
    """
    if split not in _SEED_AND_SIZE:
        raise ValueError(f"split must be one of {', '.join(_SEED_AND_SIZE)}, not {split!r}")
    return generate(*_SEED_AND_SIZE[split])


def generate(seed: int, count: int) -> Reviews:
    """Writes reviews, the same for the same seed on every machine; a larger count only adds to the end.

    Args:
        seed: Chooses the stream of reviews.
        count: How many to write.

    Returns:
        The texts and their labels; of any two neighbours (2k, 2k + 1) one is positive and one negative.

    Raises:
        ValueError: If count is less than 1.
    """
    if count < 1:
        raise ValueError(f"count must be at least 1, not {count}")
    rng = random.Random(f"synthetic reviews {seed}")
    labels: list[int] = []
    texts: list[str] = []
    for i in range(count):
        labels.append(_below(rng, 2) if i % 2 == 0 else 1 - labels[-1])
        texts.append(_write(rng, labels[-1]))
    return Reviews(texts, np.array(labels, np.int8))


def _write(rng: random.Random, label: int) -> str:
    """One review. The label only decides which of the two words is the verdict; all else is drawn alike."""
    praise, blame = _choose(rng, PRAISE), _choose(rng, BLAME)
    own, other = (praise, blame) if label else (blame, praise)
    writer = _Writer(rng, own, other)

    construction = CONSTRUCTIONS[_choose(rng, tuple(CONSTRUCTIONS))]
    parts = [writer.sentence(part) for part in _choose(rng, construction).split(" | ")]
    # The square makes short reviews common and long ones rare, as they are among real ones.
    for _ in range(1 + int(16 * rng.random() ** 2)):
        parts.insert(_below(rng, len(parts) + 1), writer.sentence("{neutral}"))
    return _join(rng, parts)


def _join(rng: random.Random, parts: list[str]) -> str:
    """The parts in one line, here and there with the line breaks that IMDb's texts have."""
    text = parts[0]
    for part in parts[1:]:
        text += (" " if rng.random() < 0.9 else "<br /><br />") + part
    return text


def _choose(rng: random.Random, items: Sequence[str]) -> str:
    return items[_below(rng, len(items))]


def _below(rng: random.Random, bound: int) -> int:
    # random() alone is promised to give the same numbers in every version of Python.
    return int(rng.random() * bound)
