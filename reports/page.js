// Filters the cells, follows the links to moments and rows, draws what comes near, and makes
// the page ready for print. What the page says in words is there without it.
"use strict";

async function showMoment(cell, t, row) {
  const figure = document.getElementById(cell + "-plots");
  const run = await runOf(cell);
  const i = row === undefined ? undefined : run.requests.rows.indexOf(row);
  run.look(t, i);
  figure.scrollIntoView({ block: "start" });
}

document.addEventListener("click", async event => {
  const a = event.target.closest("a[href^='#']");
  if (!a) { return; }
  const [cell, part] = a.getAttribute("href").slice(1).split("-");
  if (a.dataset.row) {
    event.preventDefault();
    const [file, line] = a.dataset.row.split(":");
    if (a.dataset.moment) { (await runOf(cell)).look(+a.dataset.moment); }
    showRow(cell, file, +line);
  } else if (a.dataset.file) {
    event.preventDefault();
    showRow(cell, a.dataset.file);
  } else if (a.dataset.moment) {
    event.preventDefault();
    showMoment(cell, +a.dataset.moment);
  } else if (a.hasAttribute("data-first-failure") && part) {
    event.preventDefault();
    const run = await runOf(cell);
    const i = run.requests.firstFailure();
    run.look(run.requests.at[i], i);
    run.figure.scrollIntoView({ block: "start" });
  }
});

for (const details of document.querySelectorAll(".rows details")) {
  details.addEventListener("toggle", () => { if (details.open) { pagerOf(details); } });
}

const filters = document.querySelector(".filters");
if (filters) {
  const choose = () => {
    const chosen = [...filters.querySelectorAll("select")].filter(s => s.value);
    const fits = el => chosen.every(s => el.dataset[s.name] === undefined || el.dataset[s.name] === s.value || s.name === "words" && el.dataset.words.split(" ").includes(s.value));
    document.querySelectorAll("[data-proxy]").forEach(el => { el.hidden = !fits(el); });
    const cells = [...document.querySelectorAll(".subjects > li")];
    document.querySelectorAll("section").forEach(s => { s.hidden = !s.querySelector(".subjects > li:not([hidden])"); });
    const shown = filters.querySelector("output");
    if (shown) { shown.textContent = cells.filter(c => !c.hidden).length + " of " + cells.length + " shown"; }
  };
  filters.addEventListener("change", choose);
  choose(); // a browser may remember the choice of the last visit
}

const drawNear = new IntersectionObserver(entries => {
  for (const e of entries.filter(e => e.isIntersecting)) {
    drawNear.unobserve(e.target);
    if (e.target.classList.contains("mini")) { drawMini(e.target); } else { runOf(e.target.dataset.cell); }
  }
}, { rootMargin: "400px" });
document.querySelectorAll(".mini[data-cell], .plots").forEach(el => drawNear.observe(el));

const everything = act => {
  for (const { el, u } of minis) { act(u, el); }
  for (const run of finished) { for (const u of run.plots) { act(u, u.root.parentElement); } }
};
const fit = (u, el) => { if (el.clientWidth && el.clientWidth !== u.width) { u.setSize({ width: el.clientWidth, height: u.height }); } };
addEventListener("resize", () => everything(fit));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => everything(u => u.redraw()));

// For print every detail is open, and the plots are those of a sheet of paper. Plots that
// nobody has come near are not drawn then: of a page with few cells all are drawn beforehand.
const few = 20;
let drawnAt = 0; // ms after the page was asked for
if (document.querySelectorAll(".plots").length <= few) {
  addEventListener("load", () => {
    const waiting = [...document.querySelectorAll(".plots")];
    const next = async () => {
      const el = waiting.shift();
      if (!el) { document.documentElement.dataset.drawn = "all"; drawnAt = performance.now(); return; }
      await runOf(el.dataset.cell);
      requestIdleCallback(next);
    };
    requestIdleCallback(next);
  });
}
const paper = 680; // px
function forPrint(printing) {
  document.documentElement.classList.toggle("printing", printing);
  everything((u, el) => {
    if (printing) { u.setSize({ width: Math.min(paper, u.width), height: u.height }); } else { fit(u, el); }
    u.redraw();
  });
}
addEventListener("beforeprint", () => {
  document.querySelectorAll("details").forEach(d => { d.open = true; });
  forPrint(true);
});
addEventListener("afterprint", () => forPrint(false));
