"""The timelines as an SVG: one bar for each contender, from maintenance mode until requests are answered again."""

from bench.timeline import Window

COLOURS = {
    "dyno stop": "#79589f",
    "unfollow": "#4f7cac",
    "attach": "#3a9188",
    "dyno boot": "#9bb55a",
    "between": "#d8d8d8",
}
LEFT, WIDTH, BAR, GAP = 150, 640, 26, 18


def chart(windows: dict[str, Window]) -> str:
    """The SVG text; `windows` by the name to show."""
    longest = max(w.served - w.maintenance_on for w in windows.values())
    scale = WIDTH / longest
    rows = [_row(number, name, w, scale) for number, (name, w) in enumerate(windows.items())]
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


def parts_of(w: Window) -> list[tuple[str, float, float]]:
    """Name, begin and end of every part, in seconds since maintenance mode."""
    spans = [
        ("dyno stop", w.scaled_down, w.dynos_ended),
        ("unfollow", w.unfollow_asked, w.unfollowed),
        ("attach", w.attached - w.attach, w.attached),
        ("dyno boot", w.dyno_started, w.dyno_up),
    ]
    return [(name, begin - w.maintenance_on, end - w.maintenance_on) for name, begin, end in spans]


def _row(number: int, name: str, w: Window, scale: float) -> str:
    y, whole = 20 + number * (BAR + GAP), w.served - w.maintenance_on
    parts = [f'<rect x="{LEFT}" y="{y}" width="{whole * scale:.1f}" height="{BAR}" fill="{COLOURS["between"]}"/>']
    parts += [
        f'<rect x="{LEFT + begin * scale:.1f}" y="{y}" width="{max((end - begin) * scale, 1):.1f}" height="{BAR}" '
        f'fill="{COLOURS[part]}"><title>{part}: {end - begin:.2f} s</title></rect>'
        for part, begin, end in parts_of(w)
    ]
    label = f'<text x="{LEFT - 10}" y="{y + 18}" text-anchor="end" fill="#222">{name}</text>'
    seconds = f'<text x="{LEFT + whole * scale + 8:.1f}" y="{y + 18}" fill="#222">{whole:.1f} s</text>'
    return "".join([label, *parts, seconds])


def _legend(y: int) -> str:
    words = []
    for number, (name, colour) in enumerate(COLOURS.items()):
        x = LEFT + number * 125
        words.append(f'<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>')
        words.append(f'<text x="{x + 18}" y="{y + 11}" fill="#222">{name}</text>')
    return "".join(words)
