"""A film as a text: a TOML file that names shots, and what is wrong with it in sentences.

    version = 1
    look = "classroom"
    when_missing = "drop"          # a shot whose runner is not there: "drop" or "refuse"

    [[shot]]
    name = "knee in"
    runners = ["neutral", "valgus"]
    camera = "legs"
    seconds = 6
    speed = 0.1
    start = "contact"
    stop = "mid_stance"
    overlays = ["lines", "ground"]
    caption = ["knee_in_moves", "knee_angle"]

Everything is checked before the first picture: every mistake of a file is one sentence
that says where, what was expected, what was found and what there is. No Blender here.
"""

import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from . import captions as caption_table
from . import scene_file, texts, timing

OVERLAYS = ("lines", "ground", "scale", "names")
CAMERAS = (
    "frontal", "legs", "steps", "sagittal", "posterior", "plateau", "three_knees", "orbit",
)  # fmt: skip
LOOKS = ("clinic", "classroom", "dark", "print", "patient")
MOMENTS = ("contact", "mid_stance", "toe_off", "end")
"""Names of moments of a stride, beside a number of percent."""
MOST_SECONDS = 600.0
MOST_TOLD = 5
"""Mistakes that a message tells."""
LESSON = Path(__file__).with_name("lesson.toml")


@dataclass(frozen=True)
class Mistake:
    """One thing that is wrong."""

    where: str
    expected: str
    found: str
    available: tuple = ()

    def __str__(self):
        """One sentence."""
        words = f"{self.where}: expected {self.expected}, found {self.found}"
        words += f" (available: {', '.join(self.available)})." if self.available else "."
        return scene_file.plain(words)


class StoryboardError(ValueError):
    """A storyboard that cannot be filmed; `mistakes` has one entry a mistake."""

    def __init__(self, mistakes):
        self.mistakes = tuple(mistakes)
        more = len(self.mistakes) - MOST_TOLD
        told = " ".join(str(m) for m in self.mistakes[:MOST_TOLD])
        super().__init__(told + (f" And {more} more mistakes." if more > 0 else ""))


@dataclass(frozen=True)
class Shot:
    """One shot.

    `runners`: names in the scene file, empty for all; `at_least`: how many of them have to
    be there; `caption`: names of `captions.CAPTIONS`; `text` and `heading`: words of the
    author's, or of the text table, language -> words; `numbers`: of `captions.FIGURES`;
    `start`, `stop`: percent of the stride or one of `MOMENTS`; `repeat`: begin again at
    `start` instead of standing still at `stop`.
    """

    name: str
    seconds: float
    runners: tuple = ()
    at_least: int = 0
    camera: str = "legs"
    channel: str = ""
    speed: float = 0.25
    start: object = 0.0
    stop: object = 100.0
    repeat: bool = True
    overlays: tuple = ()
    caption: tuple = ()
    text: dict = field(default_factory=dict)
    heading: dict = field(default_factory=dict)
    numbers: tuple = ()
    side: str = ""


@dataclass(frozen=True)
class Storyboard:
    """A film: its shots in order, look and leg."""

    shots: tuple
    look: str = "classroom"
    side: str = "r"
    when_missing: str = "refuse"


def read(path=LESSON):
    """Read a storyboard file.

    Raises
    ------
    StoryboardError
        With every mistake that can be told without the scene.
    """
    path = Path(path)
    try:
        try:
            table = tomllib.loads(path.read_text(encoding="utf-8"))
        except RecursionError:
            raise ValueError("it is nested too deeply") from None
    except OSError:
        raise StoryboardError(
            [Mistake("Storyboard", "a file that can be read", f"none called '{path.name}'")]
        ) from None
    except ValueError as error:
        where = f"Storyboard '{path.name}'"
        raise StoryboardError([Mistake(where, "a TOML file", str(error))]) from None
    return from_table(table)


def from_table(table):
    """Return the Storyboard of a parsed file, or raise `StoryboardError`."""
    check = _Check("Storyboard", table)
    check.known(("version", "look", "side", "when_missing", "shot"))
    check.one_of("version", (1,), required=True)
    look = check.one_of("look", LOOKS, "classroom")
    side = check.one_of("side", ("r", "l"), "r")
    missing = check.one_of("when_missing", ("drop", "refuse"), "refuse")
    rows = table.get("shot", [])
    if not isinstance(rows, list) or not rows or not all(isinstance(r, dict) for r in rows):
        check.wrong("at least one [[shot]]", "none")
        rows = []
    shots = []
    for number, row in enumerate(rows, 1):
        shots.append(_shot(number, row, check.mistakes))
    total = sum(s.seconds for s in shots if s is not None)
    if total > MOST_SECONDS:
        check.wrong(f"shots of together at most {MOST_SECONDS:g} seconds", f"{total:g}")
    if check.mistakes:
        raise StoryboardError(check.mistakes)
    return Storyboard(tuple(shots), look, side, missing)


def _shot(number, row, mistakes):
    name = row.get("name", f"{number}")
    check = _Check(f"Shot {number} ('{name}')", row, mistakes)
    before = len(mistakes)
    check.known(tuple(Shot.__dataclass_fields__))
    seconds = check.number("seconds", 0.1, MOST_SECONDS, required=True)
    made = {
        "name": check.words("name", str(number)),
        "runners": check.list_of("runners"),
        "at_least": check.whole("at_least", 0, 12),
        "camera": check.one_of("camera", CAMERAS, "legs"),
        "channel": check.words("channel", ""),
        "speed": check.number("speed", 0.01, 4.0, 0.25),
        "start": check.moment("start", 0.0),
        "stop": check.moment("stop", 100.0),
        "repeat": check.flag("repeat", "stop" not in row),
        "overlays": check.list_of("overlays", OVERLAYS),
        "caption": check.list_of("caption", tuple(caption_table.CAPTIONS)),
        "text": check.said("text"),
        "heading": check.said("heading"),
        "numbers": check.list_of("numbers", tuple(caption_table.FIGURES)),
        "side": check.one_of("side", ("r", "l", ""), ""),
    }
    if len(mistakes) > before:
        return None
    start, stop = made["start"], made["stop"]
    if isinstance(start, float) and isinstance(stop, float) and start >= stop:
        check.wrong("'start' before 'stop'", f"{start:g} and {stop:g} %")
        return None
    return Shot(seconds=seconds, **made)


class _Check:
    """Reads one table; every mistake goes to one list."""

    def __init__(self, where, table, mistakes=None):
        self.where, self.table = where, table
        self.mistakes = [] if mistakes is None else mistakes

    def wrong(self, expected, found, available=()):
        self.mistakes.append(
            Mistake(self.where, expected, found, tuple(str(a) for a in available))
        )

    def known(self, names):
        for name in self.table:
            if name not in names:
                self.wrong("a known entry", f"'{name}'", names)

    def one_of(self, name, choices, default=None, required=False):
        if name not in self.table:
            if required:
                self.wrong(f"an entry '{name}'", "none", choices)
            return default
        value = self.table[name]
        if isinstance(value, bool) or value not in choices:
            self.wrong(f"a known '{name}'", f"{value!r}", choices)
            return default
        return value

    def number(self, name, low, high, default=None, required=False):
        if name not in self.table:
            if required:
                self.wrong(f"an entry '{name}'", "none")
            return default
        value = self.table[name]
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if not right or not low <= value <= high:
            self.wrong(f"'{name}' from {low:g} to {high:g}", f"{value!r}")
            return default
        return float(value)

    def whole(self, name, low, high):
        value = self.table.get(name, low)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.wrong(f"a whole number '{name}' from {low} to {high}", f"{value!r}")
            return low
        return value

    def flag(self, name, default):
        value = self.table.get(name, default)
        if not isinstance(value, bool):
            self.wrong(f"'{name}' to be true or false", f"{value!r}")
            return default
        return value

    def words(self, name, default):
        value = self.table.get(name, default)
        if not isinstance(value, str):
            self.wrong(f"'{name}' to be words in quotes", f"{value!r}")
            return default
        return value

    def list_of(self, name, choices=None):
        value = self.table.get(name, [])
        if isinstance(value, str) or not isinstance(value, list):
            self.wrong(f"'{name}' to be a list in square brackets", f"{value!r}")
            return ()
        for one in value:
            if not isinstance(one, str) or (choices is not None and one not in choices):
                self.wrong(f"a known entry of '{name}'", f"{one!r}", choices or ())
        return tuple(str(v) for v in value)

    def moment(self, name, default):
        value = self.table.get(name, default)
        if isinstance(value, str) and value in MOMENTS:
            return value
        right = isinstance(value, int | float) and not isinstance(value, bool)
        if right and 0 <= value <= 100:
            return float(value)
        self.wrong(f"'{name}' in percent of the stride, or a moment", f"{value!r}", MOMENTS)
        return default

    def said(self, name):
        """Words: a key of the text table, the author's own, or one for each language."""
        value = self.table.get(name, {})
        if isinstance(value, str):
            if texts.has(value):
                return {lang: texts.text(value, lang) for lang in texts.LANGUAGES}
            return {"en": value}
        right = isinstance(value, dict) and all(
            isinstance(v, str) and k in texts.LANGUAGES for k, v in value.items()
        )
        if not right:
            self.wrong(f"'{name}' to be words, for all or each language", f"{value!r}",
                       texts.LANGUAGES)  # fmt: skip
            return {}
        return dict(value)


def words_in(said, language):
    """Return an author's words in a language, else in any."""
    return said.get(language) or next(iter(said.values()), "")


# --- a storyboard and a scene ---------------------------------------------------------------


@dataclass(frozen=True)
class Plan:
    """What is filmed: shots whose runners are all there, and what was left out and why."""

    shots: tuple
    notes: tuple


def plan(board, scene_data):
    """Fit a storyboard to a scene.

    Parameters
    ----------
    board : Storyboard
    scene_data : from `scene_file.read_scene`

    Returns
    -------
    Plan, its shots with a side and with runners and channels that the scene has

    Raises
    ------
    StoryboardError
        An unknown channel; a runner that is not there, unless the shot may be dropped;
        nothing left to film.
    """
    labels = tuple(r.label for r in scene_data.runners)
    known = {*labels, *(r.name for r in scene_data.runners)}
    displays = tuple(d.name for d in scene_data.displays)
    shots, notes, mistakes = [], [], []
    for number, shot in enumerate(board.shots, 1):
        where = f"Shot {number} ('{shot.name}')"
        if shot.channel and shot.channel not in displays:
            mistakes.append(
                Mistake(where, "a load of the scene", f"'{shot.channel}'", displays)
            )
        present = tuple(r for r in shot.runners if r in known)
        enough = len(present) >= (shot.at_least or len(shot.runners))
        if not enough:
            lacking = ", ".join(f"'{r}'" for r in shot.runners if r not in known)
            mistake = Mistake(where, "runners of the scene", lacking, labels)
            (notes if board.when_missing == "drop" else mistakes).append(mistake)
            continue
        side = shot.side or board.side
        shots.append(replace(shot, runners=present or shot.runners, side=side))
    if not shots and not mistakes:
        mistakes.append(
            Mistake("Storyboard", "a shot whose runners are there", "none left", labels)
        )
    if mistakes:
        raise StoryboardError(mistakes)
    return Plan(tuple(shots), tuple(f"Left out. {n}" for n in notes))


def percent_of(moment, runner, side):
    """Return a moment of a runner's shown stride in percent of it."""
    if not isinstance(moment, str):
        return float(moment)
    if moment in ("contact", "end"):
        return 0.0 if moment == "contact" else 100.0
    start, end = timing.representative_stride(runner, side)
    row = caption_table.stride_row(runner, side)
    if moment == "mid_stance" and "mid_s" in row:
        return 100.0 * (float(row["mid_s"]) - start) / (end - start)
    contact = 100.0 * float(row.get("contact_s", 0.36 * (end - start))) / (end - start)
    return contact if moment == "toe_off" else contact / 2


def phases(shot, runner, seconds_of_stride, fps):
    """Return the percent of the stride that each picture of a shot shows.

    Parameters
    ----------
    shot : Shot of a `Plan`
    runner : the first one in the picture, whose moments count
    seconds_of_stride : s
    fps : pictures a second
    """
    first = percent_of(shot.start, runner, shot.side)
    last = percent_of(shot.stop, runner, shot.side)
    step = 100.0 * shot.speed / (fps * seconds_of_stride)
    span = max(last - first, 1e-6)
    out = []
    for picture in range(max(round(shot.seconds * fps), 1)):
        gone = picture * step
        out.append(first + (gone % span if shot.repeat else min(gone, span)))
    return out
