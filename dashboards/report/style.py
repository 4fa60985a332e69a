"""How a report looks as a page: on screens of any width, light or dark, and on paper."""

from __future__ import annotations

from dashboards.ink.drawing import DARK, LIGHT, Theme
from dashboards.pareto.style import BLUE, SKY

WIDE, NARROW = 860, 360
"""Widths of the pictures for wide screens and paper, at most, and for narrow screens, in pixels."""
BREAK = 700
"""Screens of fewer pixels are narrow."""


def style() -> str:
    """CSS that asks for nothing from anywhere."""
    return (
        _STYLE.replace("LIGHT", _colours(LIGHT, BLUE))
        .replace("DARK", _colours(DARK, SKY))
        .replace("BREAK", f"{BREAK}px")
    )


def _colours(theme: Theme, link: str) -> str:
    return "".join(f"--{name}:{colour};" for name, colour in {**theme, "link": link}.items())


_STYLE = """
:root { color-scheme: light dark; LIGHT }
@media (prefers-color-scheme: dark) { :root { DARK } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem 1.25rem 4rem; max-width: 66rem; font: 16px/1.5 system-ui, sans-serif;
       color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; margin: 3rem 0 .75rem; padding-top: .75rem; border-top: 1px solid var(--grid); }
h3 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p, ul { max-width: 46rem; margin: .5rem 0; }
ul { padding-left: 1.2rem; }
figcaption { font-size: .875rem; }
a { color: var(--link); }
a:focus-visible, [tabindex]:focus-visible, pre:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.verdict { font-size: 1.1rem; font-weight: 600; }
.moment, caption, th, figcaption { color: var(--faint); }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: .5rem; padding: .25rem .75rem; background: var(--paper); }
nav ol { list-style: none; display: flex; flex-wrap: wrap; gap: .25rem 1.1rem; padding: 0; font-size: .9rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: .75rem;
           margin: 1.25rem 0; }
.figures div { padding: .6rem .8rem; background: var(--band); border: 1px solid var(--grid); border-radius: .4rem; }
.figures dt { font-size: .85rem; color: var(--faint); }
.figures dd { margin: 0; }
.figures .value { font-size: 1.45rem; line-height: 1.3; font-variant-numeric: tabular-nums; }
.figures .note { font-size: .8rem; color: var(--faint); }
figure { margin: 1rem 0; }
figure svg { display: block; max-width: 100%; height: auto; }
.narrow { display: none; }
.scroll { overflow-x: auto; margin: 1rem 0; background:
  linear-gradient(to right, var(--paper) 40%, transparent) left / 2.5rem 100% no-repeat local,
  linear-gradient(to left, var(--paper) 40%, transparent) right / 2.5rem 100% no-repeat local,
  linear-gradient(to right, var(--grid), transparent) left / .8rem 100% no-repeat scroll,
  linear-gradient(to left, var(--grid), transparent) right / .8rem 100% no-repeat scroll; }
table { border-collapse: collapse; font-size: .875rem; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
caption { text-align: left; padding-bottom: .35rem; }
.fits { margin: 1rem 0; }
caption span { display: inline-block; position: sticky; left: 0; max-width: min(46rem, 100vw - 1.8rem); }
th, td { padding: .28rem 1.1rem .28rem 0; text-align: right; vertical-align: top; white-space: nowrap; }
th { font-weight: 400; }
th:first-child { text-align: left; }
.words { text-align: left; white-space: normal; }
.fits .words { overflow-wrap: anywhere; }
thead th { border-bottom: 1px solid var(--faint); vertical-align: bottom; }
tbody tr + tr > * { border-top: 1px solid var(--grid); }
tbody th { color: var(--ink); }
tfoot > tr > * { border-top: 1px solid var(--faint); color: var(--ink); }
.square th, .square td { padding: .2rem .65rem .2rem 0; min-width: 2rem; }
.square .own { font-weight: 700; }
code, pre { font: .85em/1.5 ui-monospace, monospace; }
pre { padding: .6rem .8rem; background: var(--band); border: 1px solid var(--grid); border-radius: .4rem;
      white-space: pre-wrap; }
@media (max-width: BREAK) {
  body { padding: 1rem .9rem 3rem; }
  .wide { display: none; }
  .narrow { display: block; }
  .figures { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .words { white-space: nowrap; } .words wbr { display: none; }
  .fits th, .fits .words { white-space: normal; }
  tbody th { position: sticky; left: 0; background: var(--paper); }
}
@media print {
  :root { color-scheme: light; LIGHT }
  .f-ink { fill: var(--ink) !important; } .s-ink { stroke: var(--ink) !important; }
  .f-faint { fill: var(--faint) !important; } .s-faint { stroke: var(--faint) !important; }
  .f-grid { fill: var(--grid) !important; } .s-grid { stroke: var(--grid) !important; }
  .f-band { fill: var(--band) !important; } .f-paper { fill: var(--paper) !important; }
  .s-paper { stroke: var(--paper) !important; }
  body { padding: 0; font-size: 10pt; }
  nav, .skip { display: none; }
  .wide { display: block; } .narrow { display: none; }
  .scroll { overflow: visible; background: none; }
  table { font-size: 8.5pt; }
  th, td { padding-right: .7rem; }
  figure, tr, .figures div { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
}
"""
