"""The timelines of `bench.json` as an SVG: one bar for each, from the first interruption until the app serves again."""

from html import escape
from typing import Any

COLOURS = {
    "dyno stop": "#79589f",
    "unfollow": "#4f7cac",
    "attach": "#3a9188",
    "dyno boot": "#9bb55a",
    "Heroku's upgrade": "#c28e4a",
    "between": "#d8d8d8",
}
LEFT, WIDTH, BAR, GAP = 190, 660, 26, 18


def chart(timelines: dict[str, Any]) -> str:
    """The SVG text; `timelines` by the name to show."""
    scale = WIDTH / max(t["seconds"] for t in timelines.values())
    rows = [_row(number, name, t, scale) for number, (name, t) in enumerate(timelines.items())]
    height = 30 + len(rows) * (BAR + GAP) + 40
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {LEFT + WIDTH + 70} {height}" '
                'font-family="sans-serif" font-size="13">'
            ),
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *rows,
            _legend(height - 22),
            "</svg>\n",
        ]
    )


def _row(number: int, name: str, timeline: dict[str, Any], scale: float) -> str:
    y, whole = 20 + number * (BAR + GAP), timeline["seconds"]
    parts = [f'<rect x="{LEFT}" y="{y}" width="{whole * scale:.1f}" height="{BAR}" fill="{COLOURS["between"]}"/>']
    parts += [
        f'<rect x="{LEFT + begin * scale:.1f}" y="{y}" width="{max((end - begin) * scale, 1):.1f}" height="{BAR}" '
        f'fill="{COLOURS[part]}"><title>{escape(part)}: {end - begin:.2f} s</title></rect>'
        for part, begin, end in timeline["parts"]
    ]
    label = f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end" fill="#222">{escape(name)}</text>'
    seconds = f'<text x="{LEFT + whole * scale + 8:.1f}" y="{y + 18}" fill="#222">{whole:.1f} s</text>'
    return "".join([label, *parts, seconds])


def _legend(y: int) -> str:
    words = []
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + number * 140
        words.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        words.append(f'<text x="{x + 18}" y="{y + 11}" fill="#222">{escape(name)}</text>')
    return "".join(words)
