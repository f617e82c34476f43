// The figures that are drawn, as SVG: the latency distributions (two rows over one logarithmic axis of time), and how a
// strategy's bound went.

import { percent, seconds } from "./format.js";

export const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1100, LEFT = 4, RIGHT = 1096, ROW = 88, GAP = 56, TOP = 40;
const BINS = 56;

export function draw(parent, name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

// Joins neighbouring buckets until few enough are left to read.
function joined(edges, counts) {
  const step = Math.max(1, Math.ceil(counts.length / BINS));
  const bins = [];
  for (let i = 0; i < counts.length; i += step) {
    const end = Math.min(i + step, counts.length);
    bins.push({ from: edges[i], to: edges[end], count: counts.slice(i, end).reduce((a, b) => a + b, 0) });
  }
  return bins;
}

function outline(bins, peak, x, base) {
  let path = `M${x(bins[0].from)},${base}`;
  for (const bin of bins) {
    const y = base - (bin.count / peak) * ROW;
    path += `L${x(bin.from).toFixed(1)},${y.toFixed(1)}L${x(bin.to).toFixed(1)},${y.toFixed(1)}`;
  }
  return `${path}L${x(bins.at(-1).to)},${base}Z`;
}

export function distribution(parent, latency) {
  const { edges } = latency.distribution;
  // A little air on both sides, and never less than one decade.
  const middle = Math.sqrt(edges[0] * edges.at(-1));
  const low = Math.min(edges[0] / 1.5, middle / 3.2), high = Math.max(edges.at(-1) * 1.5, middle * 3.2);
  const x = (value) => LEFT + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (RIGHT - LEFT);
  const rows = [
    { kind: "without", name: "without Sluice (estimated)", stats: latency.without },
    { kind: "now", name: "with Sluice", stats: latency.now },
  ];
  const bottom = TOP + rows.length * (ROW + GAP) - GAP;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${bottom + 26}`);
  svg.setAttribute("role", "img");
  svg.setAttribute(
    "aria-label",
    `Median ${seconds(latency.without.p50)} without Sluice, ${seconds(latency.now.p50)} with it`,
  );
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power += 1) {
    const at = x(10 ** power);
    draw(svg, "line", { class: "grid", x1: at, x2: at, y1: TOP - 4, y2: bottom });
    const anchor = at < 30 ? "start" : at > WIDTH - 30 ? "end" : "middle";
    draw(svg, "text", { x: at, y: bottom + 18, "text-anchor": anchor }, tick(power));
  }
  rows.forEach((row, i) => {
    const base = TOP + ROW + i * (ROW + GAP);
    const style = row.kind === "now" ? "with" : "without";
    const bins = joined(edges, latency.distribution[row.kind]);
    const peak = Math.max(...bins.map((bin) => bin.count));
    const total = bins.reduce((sum, bin) => sum + bin.count, 0);
    const area = draw(svg, "path", { class: `area ${style}`, d: outline(bins, peak, x, base) });
    draw(area, "title", {}, `${row.name}: at most ${percent(peak / total)} in one column`);
    draw(svg, "line", { class: "base", x1: LEFT, x2: RIGHT, y1: base, y2: base });
    for (const [name, value] of [["P50", row.stats.p50], ["P95", row.stats.p95]]) {
      const at = x(value);
      draw(svg, "line", { class: `mark ${style}`, x1: at, x2: at, y1: base - ROW - 4, y2: base });
    }
    marks(svg, row.stats, style, x, base - ROW - 8);
    draw(svg, "text", { class: "name", x: LEFT, y: base - ROW - 26 }, row.name);
  });
  parent.replaceChildren(svg);
}

// The two labels of a row, kept apart and inside.
function marks(svg, stats, style, x, y) {
  const middle = x(stats.p50), tail = x(stats.p95);
  const close = tail - middle < 110;
  const labels = [
    ["P50", stats.p50, middle, close || middle > WIDTH - 60 ? "end" : "middle"],
    ["P95", stats.p95, tail, close || tail < 60 ? "start" : "middle"],
  ];
  for (const [name, value, at, anchor] of labels) {
    const shift = anchor === "end" ? 2 : anchor === "start" ? -2 : 0;
    const inside = Math.min(WIDTH - (anchor === "start" ? 90 : 45), Math.max(anchor === "end" ? 90 : 45, at + shift));
    draw(svg, "text", { class: `label ${style}`, x: inside, y, "text-anchor": anchor }, `${name} ${seconds(value)}`);
  }
}

function tick(power) {
  if (power >= 0) return `${10 ** power} s`;
  return power >= -3 ? `${10 ** (power + 3)} ms` : `${10 ** (power + 6)} µs`;
}

const PLOT = { width: 520, height: 150, left: 54, right: 512, top: 12, bottom: 126 };

// A bound over time beside the promised one. It is 1 while closed: such stretches are gaps in the line.
export function boundOverTime(parent, history, promised) {
  const { width, height, left, right, top, bottom } = PLOT;
  const from = history[0].at, span = Math.max(history.at(-1).at - from, 60);
  const most = Math.max(promised * 1.5, ...history.filter((one) => one.open).map((one) => one.bound * 1.1));
  const x = (at) => left + ((at - from) / span) * (right - left);
  const y = (bound) => bottom - (Math.min(bound, most) / most) * (bottom - top);
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
  svg.setAttribute("role", "img");
  const now = history.at(-1);
  svg.setAttribute("aria-label", now.open
    ? `Bound ${percent(now.bound, 2)}, promised ${percent(promised, 2)}`
    : `Closed, promised ${percent(promised, 2)}`);
  for (const { start, end } of closures(history)) {
    const from = x(start), to = end === null ? right : x(end);
    draw(svg, "rect", { class: "closed", x: from, y: top, width: Math.max(to - from, 1), height: bottom - top });
    if (to - from > 60) draw(svg, "text", { x: (from + to) / 2, y: bottom - 8, "text-anchor": "middle" }, "closed");
  }
  for (const [value, style] of [[0, "base"], [promised, "promised"]]) {
    draw(svg, "line", { class: style, x1: left, x2: right, y1: y(value), y2: y(value) });
    draw(svg, "text", { x: left - 6, y: y(value) + 4, "text-anchor": "end" }, percent(value, value ? 2 : 0));
  }
  draw(svg, "text", { class: "limit", x: right, y: y(promised) - 5, "text-anchor": "end" }, "promised");
  let path = "";
  history.forEach((one, i) => {
    if (!one.open) return;
    path += `${history[i - 1]?.open ? "L" : "M"}${x(one.at).toFixed(1)},${y(one.bound).toFixed(1)}`;
    // It held until it closed; and a path of one point would show nothing.
    if (!history[i + 1]?.open) path += `H${(i + 1 < history.length ? x(history[i + 1].at) : x(one.at) + 2).toFixed(1)}`;
  });
  if (path) draw(svg, "path", { class: "bound", d: path });
  for (const [at, anchor] of [[from, "start"], [from + span, "end"]]) {
    draw(svg, "text", { x: x(at), y: height - 6, "text-anchor": anchor }, clock(at));
  }
  parent.replaceChildren(svg);
}

// The stretches in which it was closed; one that lasts has no end.
function closures(history) {
  const found = [];
  history.forEach((one, i) => {
    if (one.open) return;
    if (i === 0 || history[i - 1].open) found.push({ start: one.at, end: null });
    found.at(-1).end = history[i + 1]?.at ?? null;
  });
  return found;
}

function clock(at) {
  return new Date(at * 1000).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
}
