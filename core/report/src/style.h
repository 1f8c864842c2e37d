// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nbs::report {

/// The style sheet of all pages: colors as variables, once for light and once for dark; a single column on a phone.
inline constexpr const char* kStyle = R"css(:root {
  --paper: #fbfbfa; --card: #ffffff; --ink: #1d2126; --soft: #5d6670; --line: #dfe3e6; --grid: #e9ecee;
  --c0: #1f6feb; --c1: #d9480f; --c2: #2b8a3e; --c3: #8250df; --good: #2b8a3e; --bad: #c92a2a; --wait: #9a6700;
}
@media (prefers-color-scheme: dark) { :root {
  --paper: #14171a; --card: #1c2024; --ink: #e6e9ec; --soft: #9aa4ae; --line: #31373d; --grid: #272c31;
  --c0: #6cb0ff; --c1: #ff9a62; --c2: #63d17e; --c3: #c3a1ff; --good: #63d17e; --bad: #ff8080; --wait: #e3b341;
} }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.4rem 0 .7rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { margin: .4rem 0; max-width: 60rem; }
a { color: var(--c0); }
.soft, figcaption { color: var(--soft); font-size: .9rem; }
.state { display: inline-block; padding: 0 .6rem; border-radius: 1rem; border: 1px solid currentColor; font-size: .85rem;
  font-weight: 600; vertical-align: middle; }
.finished { color: var(--good); } .diverged, .unreadable { color: var(--bad); }
.unfinished, .interrupted { color: var(--wait); }
.remark { border-left: 4px solid var(--wait); padding: .2rem .8rem; background: var(--card); overflow-wrap: anywhere; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(8.5rem, 1fr)); gap: .7rem; margin: 1rem 0; padding: 0; }
.cards div { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .8rem; }
.cards dt { color: var(--soft); font-size: .85rem; }
.cards dd { margin: 0; font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.cards .main { border-color: var(--c0); }
.cards .oracle { border: 1px dashed var(--soft); }
.scroll { overflow-x: auto; margin: .6rem 0; }
table { border-collapse: collapse; font-size: .9rem; background: var(--card); }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--soft); font-weight: 600; white-space: nowrap; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.s { font-weight: 700; }
tbody tr:last-child td { border-bottom: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(22rem, 100%), 1fr)); gap: .8rem; }
.plot { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .6rem .7rem; }
.wide { min-width: 13rem; }
td:first-child { min-width: 9rem; }
.scroll th:first-child, .scroll td:first-child { position: sticky; left: 0; background: var(--card); }
.key { white-space: nowrap; }
.dots { max-width: 36rem; } .dots div { font-size: .85rem; overflow-wrap: anywhere; }
.plot b { color: var(--ink); }
.plot svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 11px; font-family: inherit; }
svg .grid { stroke: var(--grid); } svg .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
svg .tick { stroke: var(--line); stroke-dasharray: 1 3; }
svg .curve { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
svg .faint { stroke-width: 1; opacity: .4; }
svg .c0 { stroke: var(--c0); } svg .c1 { stroke: var(--c1); } svg .c2 { stroke: var(--c2); } svg .c3 { stroke: var(--c3); }
svg .d0 { fill: var(--c0); } svg .d1 { fill: var(--c1); } svg .bar { fill: var(--c0); } svg .name { fill: var(--ink); }
.key::before { content: ""; display: inline-block; width: .9em; height: .25em; margin: 0 .35em .2em .8em; background: currentColor; }
.k0::before { color: var(--c0); } .k1::before { color: var(--c1); } .k2::before { color: var(--c2); } .k3::before { color: var(--c3); }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: .8rem; }
.gallery figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; }
.gallery img { display: block; width: 100%; height: auto; image-rendering: auto; }
.gallery figcaption { padding: .35rem .6rem .5rem; overflow-wrap: anywhere; }
.gallery figcaption b { color: var(--ink); float: right; margin-left: .5em; font-variant-numeric: tabular-nums; }
details { margin: .6rem 0; } summary { cursor: pointer; }
pre { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem; font-size: .85rem; }
code { font-size: .9em; overflow-wrap: anywhere; }
@media print { body { background: none; } .plot, .gallery figure { break-inside: avoid; } }
)css";

}  // namespace nbs::report
