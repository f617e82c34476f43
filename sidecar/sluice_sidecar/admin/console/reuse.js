// Reuse by meaning: what is proven of each strategy, and the last hits beside the questions that filled them.

import { boundOverTime } from "./charts.js";
import { count, percent } from "./format.js";
import { $, make } from "./page.js";

const WHY = {
  evidence: "not enough evidence yet",
  drift: "its error changed, so it is proven anew",
};
const STRATEGIES = ["paraphrase", "label", "template"];
const COLUMNS = 6;

let opened = null;
let shown = "";

export function showReuseByMeaning(config, policies, hits) {
  const wanted = Object.entries(config.policies).flatMap(([name, policy]) =>
    // Without a bound nothing but paraphrases is reused.
    STRATEGIES.filter((strategy) => policy[strategy] && (policy.bound !== null || strategy === "paraphrase")).map((strategy) => [name, policy, strategy]));
  $("meaning").hidden = !wanted.length && !hits.length;
  $("strategies-proven").replaceChildren(...wanted.map(([name, policy, strategy]) =>
    proven(name, policy, strategy, policies[name]?.[strategy])));
  showHits(hits);
}

function proven(name, policy, strategy, report) {
  const pill = make("span", { style: `pill ${report?.open ? "good" : ""}`, text: report?.open ? "open" : "closed" });
  const card = make("section", { style: "strategy" }, make(
    "div", { style: "of" }, make("span", { style: `chip ${strategy}`, text: strategy }),
    make("span", { text: name }), pill,
  ));
  card.dataset.strategy = `${name}/${strategy}`;
  if (policy.bound === null) {
    pill.className = "pill";
    pill.textContent = "unbounded";
    card.append(why(`no bound is promised: it goes by similarity from ${policy.paraphrase?.similarity} and by every guard`));
    return card;
  }
  if (!report) {
    card.append(why("closed: nothing was proposed yet"));
    return card;
  }
  card.append(why(words(report)));
  if (report.history?.length) {
    const chart = make("div", { style: "chart" });
    boundOverTime(chart, report.history, report.promised ?? policy.bound);
    card.append(chart);
  }
  card.append(facts(report, policy.bound));
  return card;
}

function words(report) {
  if (report.open) return `open from score ${report.threshold.toFixed(3)}${report.suspected ? "; a change of its error is suspected" : ""}`;
  const reason = WHY[report.reason] ?? report.reason;
  const needed = Math.ceil(report.needed);
  return `closed: about ${count(needed)} more right answers needed (${reason})`;
}

function why(text) {
  return make("p", { style: "why", text });
}

function facts(report, promised) {
  const rows = [
    ["bound", report.open ? `${percent(report.bound, 2)} of ${percent(promised, 2)}` : `– of ${percent(promised, 2)}`],
    ["labels", count(Math.round(report.labels))],
    ["wrong", count(Math.round(report.errors * 10) / 10)],
    ["hits", count(report.served)],
    ["asked again", count(report.shadowed)],
    ["drift alarm", percent(report.drift)],
  ];
  if (report.closures) rows.push(["closed by drift", `${count(report.closures)}×`]);
  return make("dl", { style: "facts" }, ...rows.map(([name, value]) =>
    make("div", {}, make("dt", { text: name }), make("dd", { text: value }))));
}

function showHits(hits) {
  $("no-hits").textContent = hits.length ? "" : "No answer was reused by meaning yet.";
  $("hits-table").hidden = !hits.length;
  // An unchanged table is left alone: it may be read, scrolled or selected.
  const now = hits.map((hit) => hit.request).join();
  if (now === shown) return;
  shown = now;
  $("hits").replaceChildren(...hits.flatMap(rows));
}

function rows(hit) {
  const button = make("button", { text: hit.asked, title: "show it beside the question that filled the answer" });
  button.type = "button";
  const line = make(
    "tr", { style: "hit" },
    make("td", { style: "soft", text: new Date(hit.at * 1000).toLocaleTimeString("en-GB") }),
    make("td", { text: hit.policy, title: `${hit.tenant} · ${hit.request}` }),
    make("td", {}, make("span", { style: `chip ${STRATEGIES.includes(hit.strategy) ? hit.strategy : "none"}`, text: hit.strategy })),
    make("td", { style: "n", text: hit.score.toFixed(3) }),
    make("td", { style: "n soft", text: hit.similarity.toFixed(3) }),
    make("td", {}, button),
  );
  const cell = make("td", {}, beside(hit));
  cell.colSpan = COLUMNS;
  const detail = make("tr", { style: "beside" }, cell);
  const set = (open) => {
    detail.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
  };
  set(hit.request === opened);
  line.addEventListener("click", () => {
    const open = detail.hidden;
    opened = open ? hit.request : null;
    set(open);
  });
  return [line, detail];
}

function beside(hit) {
  const texts = [["asked", hit.asked], ["filled the answer", hit.filled]];
  return make("div", { style: "texts" }, ...texts.map(([name, text]) =>
    make("figure", {}, make("figcaption", { text: name }), make("blockquote", { text }))));
}
