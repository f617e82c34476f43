// The page: asks the admin port each second and shows what it says. Text from outside goes in as text, never as markup.

import { showBatches } from "./batches.js";
import { distribution } from "./charts.js";
import { ESTIMATED, count, money, percent, seconds, times } from "./format.js";
import { $, make } from "./page.js";
import { showReuseByMeaning } from "./reuse.js";

const EVERY = 1000;
const ROWS = 25;
const EVIDENCE_EVERY = 5;
const HITS = {
  identical: "same question",
  paraphrase: "same question, other words",
  label: "a class that its neighbours agree on",
  template: "a document of a known layout",
  flight: "shared a running call",
  stale: "served while renewing",
};
const REST = { miss: "answered by a backend", bypass: "cache not allowed", none: "route without a cache" };

let newest = null;

async function ask(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(5000) });
  if (!answer.ok) throw new Error(`${path} answered ${answer.status}`);
  return answer.json();
}

function bar(label, style, amount, share) {
  const fill = make("i");
  fill.style.width = `${Math.max(0, Math.min(1, share)) * 100}%`;
  return make("div", { style }, make("dt", { text: label }), make("dd", { text: amount }), make("div", { style: "bar" }, fill));
}

function showCost(savings) {
  const currencies = Object.entries(savings.money).sort((a, b) => Number(b[1].without) - Number(a[1].without));
  const [currency, sums] = currencies[0] ?? [null, null];
  const headline = $("saved-share").parentElement;
  if (!sums) {
    $("saved-share").textContent = "–";
    $("saved-words").textContent = "no backend has a price";
    $("saved-amount").textContent = "Give the route's backends prices to see what Sluice saves.";
    $("cost-bars").replaceChildren();
    $("other-money").replaceChildren();
    return;
  }
  const cost = Number(sums.cost), without = Number(sums.without), saved = Number(sums.saved);
  headline.classList.toggle("loss", saved < 0);
  $("saved-share").textContent = sums.share === null ? money(sums.cost, currency) : percent(Math.abs(sums.share));
  $("saved-words").textContent = sums.share === null ? "spent" : saved < 0 ? "more spent" : "saved";
  $("saved-amount").textContent =
    saved < 0 ? `${money(-saved, currency)} more than without Sluice` : `${money(sums.saved, currency)} not spent`;
  const most = Math.max(cost, without) || 1;
  $("cost-bars").replaceChildren(
    bar("without Sluice (estimated)", "without", ESTIMATED + money(sums.without, currency), without / most),
    bar("with Sluice", "with", money(sums.cost, currency), cost / most),
  );
  $("other-money").replaceChildren(
    ...currencies.slice(1).map(([other, sum]) =>
      make("p", { text: `${other}: ${money(sum.cost, other)} instead of ${ESTIMATED}${money(sum.without, other)}` })),
  );
}

function showLatency({ compared, unknown, now, without, distribution: spread }) {
  for (const [side, stats] of [["now", now], ["without", without]]) {
    for (const name of ["mean", "p50", "p95"]) {
      const cell = $(`${side}-${name}`);
      cell.textContent = stats ? seconds(stats[name]) : "–";
    }
  }
  const headline = $("faster").parentElement;
  headline.classList.remove("loss");
  if (!now) {
    $("faster").textContent = "–";
    $("faster-words").textContent = "nothing to compare with yet";
    $("latency-note").textContent = unknown ? "The reference backend has not been called since its data began." : "";
    $("chart").replaceChildren(make("p", { style: "quiet", text: "Appears with the first compared request." }));
    return;
  }
  $("without-mean").append(make("small", { text: `${seconds(without.low)} to ${seconds(without.high)}`, title: "90 % interval" }));
  const ratio = without.mean / now.mean;
  headline.classList.toggle("loss", ratio < 0.95);
  $("faster").textContent = times(ratio >= 1 ? ratio : 1 / ratio);
  $("faster-words").textContent = ratio >= 1 ? "faster on average" : "slower on average";
  $("latency-note").textContent = `${count(compared)} requests compared` +
    (unknown ? `, ${count(unknown)} more whose time without Sluice is not known yet` : "");
  distribution($("chart"), { now, without, distribution: spread });
}

function showReuse(savings) {
  $("hit-rate").textContent = percent(savings.hit_rate.total, 1);
  $("requests").textContent = count(savings.requests);
  $("errors").textContent = savings.errors ? `, ${count(savings.errors)} failed` : "";
  const kinds = [...Object.entries(HITS), ...Object.entries(REST)].filter(([kind]) => savings.cache[kind]);
  $("strategies").replaceChildren(...kinds.map(([kind, meaning]) => {
    const part = make("i", { style: kind, title: `${kind}: ${meaning}` });
    part.style.width = `${(savings.cache[kind] / savings.requests) * 100}%`;
    return part;
  }));
  $("strategies").setAttribute("aria-label", kinds.map(([kind]) => `${kind} ${savings.cache[kind]}`).join(", "));
  $("legend").replaceChildren(...kinds.map(([kind, meaning]) => make(
    "li", { title: meaning },
    make("i", { style: kind }), document.createTextNode(kind),
    make("b", { text: percent(savings.cache[kind] / savings.requests, 1) }),
  )));
  const { answered, bought } = savings.tokens;
  $("tokens").textContent =
    `${count(answered.prompt + answered.completion)} tokens answered, ${count(bought.prompt + bought.completion)} bought from backends`;
}

function row(one, fresh) {
  const failed = one.error !== null || one.status >= 400;
  const saved = Number(one.saved);
  const reference = one.reference;
  const cells = [
    make("td", { style: "soft", text: new Date(one.at * 1000).toLocaleTimeString("en-GB") }),
    make("td", { text: one.route || "–", title: `${one.model} · ${one.dialect} · ${one.tenant} · ${one.id}` }),
    make("td", {}, failed
      ? make("span", { style: "failed", text: `${one.status}${one.error ? ` ${one.error}` : ""}` })
      : make("span", { style: `chip ${Object.hasOwn(HITS, one.cache) || Object.hasOwn(REST, one.cache) ? one.cache : "none"}`, text: one.cache })),
    make("td", { text: one.backend || "–", title: path(one) }),
    make("td", { style: "n soft", text: one.similarity === null ? "" : one.similarity.toFixed(3) }),
    make("td", { style: "n", text: seconds(one.latency), title: one.first_token === null ? "" : `first byte ${seconds(one.first_token)}` }),
    make("td", { style: "n soft", text: without(reference), title: reference ? why(reference) : "" }),
    make("td", { style: "n", text: `${one.estimated ? ESTIMATED : ""}${count(one.prompt_tokens)} → ${count(one.completion_tokens)}` }),
    make("td", { style: "n", text: one.currency ? money(one.cost, one.currency) : "–" }),
    make("td", { style: `n ${saved > 0 ? "gain" : saved < 0 ? "loss" : "soft"}`, text: one.currency ? money(one.saved, one.currency) : "–" }),
  ];
  return make("tr", { style: fresh ? "new" : "" }, ...cells);
}

function path(one) {
  return one.attempts.map((a) => `${a.backend} ${a.outcome} ${seconds(a.seconds)}${a.verdict ? ` (${a.verdict})` : ""}`).join(" → ");
}

function without(reference) {
  if (!reference || reference.latency === null) return "unknown";
  return (reference.basis === "estimate" ? ESTIMATED : "") + seconds(reference.latency);
}

function why({ backend, basis, low, high }) {
  const reasons = {
    measured: `measured: ${backend} answered this request`,
    original: "what the original call of this answer took",
    estimate: `estimated from other calls to ${backend}`,
    unknown: `${backend} has not been called yet`,
  };
  return reasons[basis] + (low === null || basis === "measured" ? "" : `, 90 % between ${seconds(low)} and ${seconds(high)}`);
}

function showRecent({ decisions }) {
  const id = decisions[0]?.id ?? null;
  if (id === newest) return;
  const known = newest === null ? 0 : decisions.findIndex((one) => one.id === newest);
  const fresh = known < 0 ? decisions.length : known;
  newest = id;
  $("recent").replaceChildren(...decisions.map((one, i) => row(one, i < fresh)));
}

function showBasis(savings) {
  const said = [
    "Cost is what the prices in your routes say for the tokens that backends reported; a cache hit costs nothing, every call of an escalation is paid.",
    "Without Sluice: every request goes to its route's reference backend, priced for the same tokens.",
  ];
  for (const [route, reference] of Object.entries(savings.references)) {
    said.push(reference.calls
      ? `Route ${route}: its reference ${reference.backend} takes ${ESTIMATED}${seconds(reference.seconds)} plus ` +
        `${seconds(reference.seconds_per_answer_token)} an answer token, from the last ${count(reference.calls)} calls to it.`
      : `Route ${route}: its reference ${reference.backend} has not been called yet, so its time is known only from cached answers.`);
  }
  if (savings.estimated) said.push(`${count(savings.estimated)} requests had no usage from upstream: their tokens are estimated at four characters each.`);
  if (savings.unpriced) said.push(`${count(savings.unpriced)} requests belong to routes whose reference has no price: they count as free on both sides.`);
  if (savings.errors) said.push("Failed requests claim no saving.");
  said.push(savings.persistent ? "Totals are kept on disk, over restarts." : "Totals are in memory only and end with the process.");
  $("basis").replaceChildren(...said.map((text) => make("li", { text })));
}

function showConfig(config) {
  const pill = $("ready");
  const refused = Object.entries(config.refused);
  pill.className = `pill ${config.ready && !refused.length ? "good" : "bad"}`;
  pill.textContent = config.ready ? (refused.length ? "ready, in part" : "ready") : "not ready";
  const served = Object.entries(config.routes).filter(([, route]) => route.served);
  $("routes").textContent = `${served.length} ${served.length === 1 ? "route" : "routes"}`;
  $("routes").title = served.map(([name, route]) => `${name}: ${route.models.join(", ")}`).join("\n");
  $("digest").textContent = config.digest ? config.digest.replace("sha256:", "").slice(0, 12) : "none";
  $("digest").title = config.digest ?? "";
  const reasons = [...config.reasons, ...refused.map(([name, reason]) => `${name} is not served: ${reason}`)];
  notice(reasons.join(" · "));
}

function notice(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

let rounds = 0;

// The history is long and changes each minute, so it is asked for less often.
async function refreshEvidence(config) {
  if (rounds++ % EVIDENCE_EVERY) return;
  const [{ policies }, { hits }] = await Promise.all([ask("-/evidence"), ask(`-/hits?limit=${ROWS}`)]);
  showReuseByMeaning(config, policies, hits);
}

async function refresh() {
  const [savings, decisions, config, batches] = await Promise.all([
    ask("-/savings"), ask(`-/decisions?limit=${ROWS}`), ask("-/config"), ask("-/batches"),
  ]);
  showConfig(config);
  showBatches(batches);
  $("empty").hidden = savings.requests > 0;
  $("filled").hidden = savings.requests === 0;
  if (savings.requests === 0) return;
  showCost(savings);
  showLatency(savings.latency);
  showReuse(savings);
  showRecent(decisions);
  showBasis(savings);
  await refreshEvidence(config);
}

async function always() {
  if (!document.hidden) {
    try {
      await refresh();
    } catch (error) {
      $("ready").className = "pill bad";
      $("ready").textContent = "no connection";
      notice(`The admin port does not answer (${error.message}); trying again.`);
    }
  }
  setTimeout(always, EVERY);
}

always();
