// Draws the plots of a cell with uPlot, when somebody comes near them, from the data that the
// page carries packed.
"use strict";

const unpacked = new Map(); // promises, by the id of the element
function unpack(id) {
  if (!unpacked.has(id)) {
    unpacked.set(id, (async () => {
      const text = atob(document.getElementById(id).textContent.trim());
      const bytes = new Uint8Array(text.length);
      for (let i = 0; i < text.length; i++) { bytes[i] = text.charCodeAt(i); }
      return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
    })());
  }
  return unpacked.get(id);
}

const colour = name => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();
const font = "11px system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
const gutter = 112; // for what stands left of a plot, so that all of a cell are in line
const heights = { mini: 34, outcomes: 100, latency: 170, lane: 30, query: 22, axis: 24 };

// axes are those of time, with its seconds or with its grid alone, and the one on the left.
function axes(shown, y) {
  const soft = () => colour("soft"), grid = { stroke: () => colour("rule"), width: 1 };
  return [
    { stroke: soft, grid, font, size: shown ? heights.axis : 0, ticks: { show: shown, stroke: soft, size: 4, width: 1 },
      values: (u, at) => at.map(v => shown ? +v.toFixed(3) + " s" : "") },
    Object.assign({ stroke: soft, grid, font, size: gutter, ticks: { show: false } }, y),
  ];
}

// faults shades how long what a fault did was true, and marks when each began.
function faults(p) {
  return {
    drawClear: u => {
      const { ctx, bbox } = u;
      for (const w of p.windows) {
        const from = Math.max(u.valToPos(w.from, "x", true), bbox.left);
        const to = Math.min(u.valToPos(w.to, "x", true), bbox.left + bbox.width);
        if (to <= from) { continue; }
        ctx.save();
        ctx.globalAlpha = +colour("shade");
        ctx.fillStyle = colour(w.class);
        ctx.fillRect(from, bbox.top, to - from, bbox.height);
        ctx.restore();
      }
    },
    draw: u => {
      const { ctx, bbox } = u;
      const line = (t, stroke, dash) => {
        const x = u.valToPos(t, "x", true);
        if (x < bbox.left || x > bbox.left + bbox.width) { return; }
        ctx.save();
        ctx.lineWidth = 1.5 * devicePixelRatio;
        ctx.strokeStyle = stroke;
        ctx.setLineDash(dash.map(d => d * devicePixelRatio));
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
        ctx.restore();
      };
      for (const w of p.windows) { line(w.from, colour(w.class), w.class === "heals" ? [2, 2] : []); }
      for (const end of p.ends) { line(end, colour("soft"), [4, 3]); }
    },
  };
}

const steps = uPlot.paths.stepped({ align: 1 });
const bins = p => Math.ceil(p.end / p.bin - 1e-9);
const edges = p => Array.from({ length: bins(p) + 1 }, (_, i) => Math.min(i * p.bin, p.end));
const held = values => values.concat(values[values.length - 1]); // a step lasts to the end of its bin
const area = (name, values, to) => ({ values: held(values), series: { label: name, fill: () => colour(name), width: 0, paths: steps, points: { show: false }, fillTo: to } });

// stack adds layers up; the tallest sum is drawn first, and what is below it over it.
function stack(layers, base, scale) {
  const drawn = [];
  let sum = null;
  for (const layer of layers) {
    const below = sum;
    sum = layer.counts.map((n, i) => (below ? below[i] : 0) + n);
    drawn.unshift(area(layer.class, sum.map(n => n ? base + n * scale : null), () => base));
  }
  return drawn;
}

const tallest = layers => layers.length ? layers[0].counts.reduce((most, _, i) => Math.max(most, layers.reduce((n, l) => n + l.counts[i], 0)), 1) : 1;

function outcomes(p) {
  const most = tallest(p.outcomes);
  return {
    x: edges(p), drawn: stack(p.outcomes, 0, 1), height: heights.outcomes, axis: false,
    y: { range: [0, most * 1.08] }, side: { splits: () => [0, most], values: (u, at) => at.map(String), grid: { show: false } },
  };
}

function nodes(p, upstream) {
  const lanes = upstream.lanes, most = Math.max(...lanes.map(l => tallest(l.layers)));
  const x = edges(p), drawn = [];
  lanes.forEach((lane, i) => {
    const base = lanes.length - 1 - i;
    for (const name of new Set(lane.spells.map(s => s.class))) {
      const inside = x.slice(0, -1).map(t => lane.spells.some(s => s.class === name && t + p.bin / 2 >= s.from && t + p.bin / 2 < s.to));
      drawn.push(area(name, inside.map(is => is ? base + 0.12 : null), () => base + 0.02));
    }
    drawn.push(...stack(lane.layers, base + 0.14, 0.7 / most));
    if (lane.connects.some(n => n)) {
      drawn.push({ values: held(lane.connects).map(n => n ? base + 0.92 : null), series: dots("connect", 3) });
    }
  });
  return {
    x, drawn, height: heights.axis + heights.lane * lanes.length, axis: true, y: { range: [0, lanes.length] },
    side: { splits: () => lanes.map((_, i) => i + 0.5), values: () => lanes.map(l => l.name).reverse(), grid: { show: false } },
  };
}

const dots = (name, size) => ({ label: name, paths: () => null, points: { show: true, size, width: 0, fill: () => colour(name), stroke: () => colour(name) } });

function queries(p) {
  const q = p.queries, order = q.at.map((_, i) => i).sort((a, b) => q.at[a] - q.at[b]);
  const x = order.length ? order.map(i => q.at[i]) : [0, p.end];
  const drawn = q.names.map((_, lane) => ({
    values: order.length ? order.map(i => q.lane[i] === lane ? q.names.length - 0.5 - lane : null) : [null, null], series: dots(q.class[lane], 6),
  }));
  return {
    x, drawn, height: heights.axis + heights.query * q.names.length, axis: true, y: { range: [0, q.names.length] },
    side: { splits: () => q.names.map((_, i) => i + 0.5), values: () => [...q.names].reverse(), grid: { show: false } },
  };
}

const kindOrder = ["k-ok"]; // is drawn first, so that failures lie on top
const floor = 0.1, top10 = 10000; // ms; latencies outside are drawn at the edge
const powers = new Set([0.1, 1, 10, 100, 1000, 10000]); // of ten, which alone have a line
const clamp = ms => Math.min(Math.max(ms, floor), top10);

// visible are the requests from one time to another; if there are very many, one for each
// place and outcome.
const maxDots = 8000;
function visible(r, from, to, width) {
  const inside = [];
  for (let i = r.find(from); i < r.at.length && r.at[i] <= to; i++) { inside.push(i); }
  for (let grid = 1; ; grid *= 1.5) {
    const seen = new Set();
    const kept = inside.length <= maxDots ? inside : inside.filter(i => {
      const place = r.kind[i] + "/" + Math.floor((r.at[i] - from) / (to - from) * width / grid) + "/" + Math.floor(Math.log10(clamp(r.latency[i])) * 30 / grid);
      return !seen.has(place) && seen.add(place);
    });
    if (kept.length <= maxDots) { return kept; }
  }
}

function latency(p, r) {
  const kinds = [...new Set(r.classes)].sort((a, b) => kindOrder.includes(b) - kindOrder.includes(a));
  const rows = (from, to, width) => {
    const shown = visible(r, from, to, width);
    const x = shown.map(i => r.at[i]);
    const data = kinds.map(kind => shown.map(i => r.classes[r.kind[i]] === kind ? clamp(r.latency[i]) : null));
    return [[0, ...x, p.end], ...data.map(d => [null, ...d, null]), [p.timeout * 1000 || null, ...x.map(() => null), p.timeout * 1000 || null]];
  };
  const limit = { label: "clients give up", stroke: () => colour("soft"), width: 1, dash: [4, 3], spanGaps: true, points: { show: false } };
  return {
    rows, drawn: kinds.map(kind => ({ series: dots(kind, 4) })).concat({ series: limit }), height: heights.latency, axis: true,
    y: { distr: 3, range: [floor, top10] },
    side: {
      values: (u, at) => at.map(v => v === null ? "" : v >= 1000 ? v / 1000 + " s" : v + " ms"),
      grid: { stroke: () => colour("rule"), width: 1, filter: (u, at) => at.map(v => powers.has(v) ? v : null) },
    },
  };
}

// Requests are those of the page in the order of time.
async function requestsOf(cell) {
  const table = (await tablesOf(cell)).get("requests.jsonl");
  if (!table) { return null; }
  const [number, sent, outcome, took, failure, nodes] = table.columns;
  const order = sent.numbers.map((_, i) => i).sort((a, b) => sent.numbers[a] - sent.numbers[b]);
  const at = order.map(i => sent.numbers[i] / 1e4);
  return {
    rows: order, at, latency: order.map(i => took.numbers[i] / 10),
    kind: order.map(i => outcome.index[i]), classes: outcome.classes,
    find: t => { let a = 0, b = order.length; while (a < b) { const m = (a + b) >> 1; if (at[m] < t) { a = m + 1; } else { b = m; } } return a; },
    firstFailure: () => order.findIndex(i => outcome.words[outcome.index[i]] !== "ok"),
    words: i => {
      const row = order[i];
      const said = [failure.words[failure.index[row]], nodes.words[nodes.index[row]]].filter(Boolean).join("; ");
      return "request " + number.numbers[row] + ", sent at " + words(sent, row) + ": " + outcome.words[outcome.index[row]] +
        " after " + words(took, row) + (said && " (" + said + ")");
    },
  };
}

const runs = new Map(); // promises of the drawn cells, by anchor
const finished = []; // the drawn cells
function runOf(cell) {
  if (!runs.has(cell)) { runs.set(cell, drawRun(cell)); }
  return runs.get(cell);
}

async function drawRun(cell) {
  const figure = document.getElementById(cell + "-plots");
  const [p, requests] = await Promise.all([unpack(cell + "-packed-plots"), requestsOf(cell)]);
  const run = { figure, p, requests, plots: [], from: 0, to: p.end };
  const readout = figure.querySelector(".readout"), slider = figure.querySelector("input");
  const here = document.createElement("i");
  here.className = "here";
  const asked = figure.querySelector("[data-queries]");
  asked.textContent = p.queries.at.length ? p.queries.before + " more before the load" : "no DNS query during the load, " + p.queries.before + " before it";

  const bin = t => Math.min(Math.max(Math.floor(t / p.bin + 1e-9), 0), bins(p) - 1);
  const counted = (layers, i) => layers.filter(l => l.counts[i]).map(l => l.name + " " + l.counts[i]).join(", ");
  run.moment = t => {
    const i = bin(t);
    const lanes = p.upstreams.flatMap(u => u.lanes).map(l => [l.name, counted(l.layers, i)]).filter(l => l[1]).map(l => l.join(": "));
    return (i * p.bin).toFixed(1) + " to " + Math.min((i + 1) * p.bin, p.end).toFixed(1) + " s of the load: " + (counted(p.outcomes, i) || "no request sent") +
      "; at the nodes: " + (lanes.join("; ") || "nothing");
  };
  run.say = (t, i) => {
    const one = i >= 0 && requests ? requests.words(i) : "";
    readout.textContent = run.moment(t) + (one && ". " + one[0].toUpperCase() + one.slice(1) + ".");
    const chart = run.latency;
    here.hidden = !one || !chart;
    if (one && chart) {
      here.style.left = chart.valToPos(requests.at[i], "x") + "px";
      here.style.top = chart.valToPos(clamp(requests.latency[i]), "y") + "px";
      here.hidden = requests.at[i] < run.from || requests.at[i] > run.to;
    }
    if (one) {
      slider.value = i;
      slider.setAttribute("aria-valuetext", requests.words(i));
    }
  };
  // point moves the cursor of all plots to a time, and says what happened then.
  run.point = (t, i) => {
    for (const u of run.plots) { u.setCursor({ left: u.valToPos(t, "x"), top: 1 }, false); }
    run.say(t, i);
  };
  run.zoom = (from, to) => {
    run.from = Math.max(from, 0);
    run.to = Math.min(to, p.end);
    if (run.latency) { run.latency.setData(run.rows(run.from, run.to, run.latency.width), false); }
    for (const u of run.plots) { u.setScale("x", { min: run.from, max: run.to }); }
  };
  run.closer = by => {
    const middle = slider.matches(":focus") || run.last === undefined ? (run.from + run.to) / 2 : run.last;
    const half = Math.max((run.to - run.from) * by / 2, 0.05);
    run.zoom(middle - half, middle + half);
  };
  run.look = (t, i) => {
    const half = Math.max(p.end / 20, 1);
    run.last = t;
    run.zoom(t - half, t + half);
    run.point(t, i === undefined ? run.at(t) : i);
  };
  run.at = t => {
    if (!requests || !requests.at.length) { return -1; }
    const i = requests.find(t);
    return Math.min(i, requests.at.length - 1);
  };
  // nearest is the request whose dot is closest to a place in the plot of latencies.
  const nearest = (u, left, top) => {
    const middle = requests.find(u.posToVal(left, "x"));
    let best = -1, least = 30 * 30;
    for (const step of [-1, 1]) {
      for (let i = step < 0 ? middle - 1 : middle; i >= 0 && i < requests.at.length; i += step) {
        const dx = u.valToPos(requests.at[i], "x") - left;
        if (dx * dx > least) { break; }
        const dy = u.valToPos(clamp(requests.latency[i]), "y") - top;
        if (dx * dx + dy * dy < least) { best = i; least = dx * dx + dy * dy; }
      }
    }
    return best;
  };

  for (const el of figure.querySelectorAll(".plot")) {
    const what = el.dataset.plot;
    if (what === "latency" && !requests) { continue; }
    const plot = { outcomes, latency, queries, nodes: () => nodes(p, p.upstreams[el.dataset.upstream]) }[what](p, requests);
    const u = new uPlot({
      width: el.clientWidth, height: plot.height, padding: [7, 18, plot.axis ? 0 : 7, 0], legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: true, y: false }, sync: { key: cell },
        bind: { dblclick: () => () => { run.zoom(0, p.end); return null; } } },
      scales: { x: { time: false, auto: false, min: 0, max: p.end }, y: Object.assign({ auto: false }, plot.y) },
      axes: axes(plot.axis, plot.side),
      series: [{}, ...plot.drawn.map(d => d.series)],
      hooks: {
        drawClear: [faults(p).drawClear], draw: [faults(p).draw],
        setScale: [(chart, key) => {
          const { min, max } = chart.scales.x;
          if (key === "x" && run.latency && (min !== run.from || max !== run.to)) { queueMicrotask(() => run.zoom(min, max)); }
        }],
      },
    }, plot.rows ? plot.rows(0, p.end, el.clientWidth) : [plot.x, ...plot.drawn.map(d => d.values)], el);
    u.over.addEventListener("pointermove", event => {
      const t = u.posToVal(event.offsetX, "x");
      run.last = t;
      run.say(t, what === "latency" ? nearest(u, event.offsetX, event.offsetY) : -1);
    });
    if (what === "latency") {
      run.latency = u;
      run.rows = plot.rows;
      u.over.append(here);
      here.hidden = true;
    }
    run.plots.push(u);
  }

  slider.max = requests ? Math.max(requests.at.length - 1, 0) : 0;
  slider.addEventListener("input", () => {
    const i = +slider.value, t = requests.at[i];
    if (t < run.from || t > run.to) { const half = (run.to - run.from) / 2; run.zoom(t - half, t + half); }
    run.last = t;
    run.point(t, i);
  });
  figure.querySelector(".controls").addEventListener("click", event => {
    ({
      first: () => { const i = requests.firstFailure(); run.look(requests.at[i], i); },
      closer: () => run.closer(0.5), wider: () => run.closer(2), whole: () => run.zoom(0, p.end),
    })[event.target.dataset.do]?.();
  });
  for (const details of figure.querySelectorAll("details.behind")) {
    details.addEventListener("toggle", () => {
      if (!details.open || details.querySelector("table")) { return; }
      const rows = details.dataset.table === "outcomes"
        ? p.outcomes.map(l => [l.name, l.counts])
        : p.upstreams[details.dataset.upstream].lanes.flatMap(lane => lane.layers.map(l => [lane.name + ", " + l.name, l.counts])
          .concat([[lane.name + ", connection attempts in vain", lane.connects]])).filter(r => r[1].some(n => n));
      details.append(table(["from", ...rows.map(r => r[0])],
        edges(p).slice(0, -1).map((t, i) => [t.toFixed(1) + " s", ...rows.map(r => String(r[1][i]))]).filter(r => r.slice(1).some(n => n !== "0"))));
    });
  }
  finished.push(run);
  return run;
}

// drawMini draws the outcomes of a cell without words, on the time axis of its scenario. What
// the plan has for one bin has the same height in all; a burst is cut off.
async function drawMini(el) {
  const p = await unpack(el.dataset.cell + "-packed-plots");
  const plot = outcomes(p);
  const u = new uPlot({
    width: el.clientWidth, height: heights.mini, padding: [2, 0, 2, 0], legend: { show: false }, cursor: { show: false }, select: { show: false },
    scales: { x: { time: false, auto: false, min: 0, max: +el.dataset.end }, y: { auto: false, range: [0, p.full * 1.3] } },
    axes: [{ show: false }, { show: false }], series: [{}, ...plot.drawn.map(d => d.series)],
    hooks: { drawClear: [faults(p).drawClear], draw: [faults(p).draw] },
  }, [plot.x, ...plot.drawn.map(d => d.values)], el);
  minis.push({ el, u });
}
const minis = [];
