// Deferred requests: their windows on a line of time with the queue that waits for each, and batches under way.

import { SVG, draw } from "./charts.js";
import { count } from "./format.js";
import { $, make } from "./page.js";

const WIDTH = 1100, LEFT = 4, RIGHT = 1096, TOP = 22, ROW = 50, BAR = 14;
const TICK = 6 * 3600;

export function showBatches({ now, horizon, windows, batches }) {
  const shown = windows.filter((window) => window.name || window.queued || window.running);
  $("queue").hidden = !shown.length && !batches.length;
  if ($("queue").hidden) return;
  const queued = shown.reduce((sum, window) => sum + window.queued, 0);
  const running = shown.reduce((sum, window) => sum + window.running, 0);
  $("queued").textContent = count(queued);
  $("queued-words").textContent = `queued, ${count(running)} running`;
  timeline($("windows"), shown, now, horizon);
  $("batches-table").hidden = !batches.length;
  $("batches").replaceChildren(...batches.map(row));
}

function timeline(parent, windows, now, horizon) {
  const x = (at) => LEFT + (Math.min(Math.max(at - now, 0), horizon) / horizon) * (RIGHT - LEFT);
  const bottom = TOP + windows.length * ROW;
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${bottom + 6}`);
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", windows.map(words).join("; "));
  for (const at of ticks(now, horizon)) {
    draw(svg, "line", { class: "grid", x1: x(at), x2: x(at), y1: TOP - 4, y2: bottom });
    draw(svg, "text", { x: x(at), y: 13, "text-anchor": x(at) > WIDTH - 30 ? "end" : "middle" }, clock(at));
  }
  windows.forEach((window, at) => {
    const y = TOP + at * ROW;
    const row = draw(svg, "g", { class: "window" });
    draw(row, "title", {}, words(window));
    draw(row, "text", { class: "name", x: LEFT + 6, y: y + 18 }, window.name ?? "routes without a window");
    draw(row, "text", { x: RIGHT, y: y + 18, "text-anchor": "end" }, waiting(window));
    draw(row, "rect", { class: "closed", x: LEFT, y: y + 25, width: RIGHT - LEFT, height: BAR, rx: 4 });
    const openings = window.name ? window.openings : [{ start: now, end: null }];
    for (const { start, end } of openings) {
      const from = x(start), to = end === null ? RIGHT : x(end);
      draw(row, "rect", { class: "opening", x: from, y: y + 25, width: Math.max(to - from, 2), height: BAR, rx: 4 });
    }
    if (window.done_in_seconds !== null) {
      const end = x(now + window.done_in_seconds);
      draw(row, "line", { class: "until", x1: end, x2: end, y1: y + 22, y2: y + 28 + BAR });
    }
  });
  draw(svg, "line", { class: "now", x1: LEFT, x2: LEFT, y1: TOP - 4, y2: bottom });
  parent.replaceChildren(svg);
}

// Every six hours of the browser's own clock.
function ticks(now, horizon) {
  const first = new Date(now * 1000);
  first.setHours(Math.ceil((first.getHours() + 1) / 6) * 6, 0, 0, 0);
  const found = [];
  for (let at = first.getTime() / 1000; at < now + horizon; at += TICK) found.push(at);
  return found;
}

function clock(at) {
  const time = new Date(at * 1000);
  const hours = time.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
  return time.getHours() < 6 ? `${time.toLocaleDateString("en-GB", { weekday: "short" })} ${hours}` : hours;
}

function waiting(window) {
  const parts = [`${count(window.queued)} queued`];
  if (window.running) parts.push(`${count(window.running)} running`);
  if (window.done_in_seconds !== null) parts.push(`done in about ${duration(window.done_in_seconds)}`);
  return parts.join(", ");
}

function words(window) {
  const name = window.name ?? "routes without a window";
  const routes = window.routes.length ? ` (${window.routes.join(", ")})` : "";
  return `${name}${routes}: ${window.open ? "open" : "closed"} now, ${waiting(window)}`;
}

function duration(seconds) {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

function row(batch) {
  const done = batch.completed + batch.failed;
  const fill = make("i");
  fill.style.width = `${batch.total ? (done / batch.total) * 100 : 0}%`;
  return make(
    "tr", {},
    make("td", { style: "soft", text: new Date(batch.created * 1000).toLocaleTimeString("en-GB") }),
    make("td", { text: batch.id, title: batch.id }),
    make("td", { text: batch.tenant }),
    make("td", { text: batch.status.replaceAll("_", " ") }),
    make("td", { style: "with" }, make("div", { style: "bar" }, fill)),
    make("td", { style: "n", text: count(batch.completed) }),
    make("td", { style: `n ${batch.failed ? "loss" : "soft"}`, text: count(batch.failed) }),
    make("td", { style: "n", text: count(batch.total) }),
  );
}
