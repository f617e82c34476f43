"""How reports look that are one HTML file: in light and dark, without a script, a font or an address."""

STYLE = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #667; --paper: #fff; --rule: #d8dbe0;
  --c0: #0b66c3; --c1: #b4540a; --c2: #26794a; --c3: #7b7f87; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8eaed; --soft: #a0a6b0; --paper: #15181c; --rule: #363b42;
  --c0: #6db3ff; --c1: #f0a05a; --c2: #6fcf97; --c3: #9aa0a8; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 54rem;
  margin: 2rem auto; padding: 0 1rem; }
h1, h2 { line-height: 1.2; } table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .25rem .8rem .25rem 0; text-align: right; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; } .wide { overflow-x: auto; }
figure { margin: 1.5rem 0; } figcaption { font-weight: 600; } figure p { margin: 0; font-size: .9rem; }
svg { width: 100%; height: auto; } .grid { stroke: var(--rule); } .mark { stroke: var(--ink); stroke-dasharray: 4 3; }
.tick { font-size: 11px; fill: var(--soft); } .name { font-size: 12px; fill: var(--ink); }
.s0 { --c: var(--c0); } .s1 { --c: var(--c1); } .s2 { --c: var(--c2); } .s3 { --c: var(--c3); }
.line { fill: none; stroke: var(--c); stroke-width: 2; } .dot { fill: var(--c); }
.band { fill: var(--c); opacity: .15; } .key { margin-right: 1.2rem; }
.key::before { content: ""; display: inline-block; width: .9em; height: .2em; margin-right: .4em;
  vertical-align: middle; background: var(--c); }
pre { background: color-mix(in srgb, var(--ink) 7%, transparent); padding: .8rem; overflow-x: auto; }
"""
"""The style sheet; s0 to s3 pick a colour."""
