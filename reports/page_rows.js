// Shows the rows of a recording, some at a time, and goes to the one that somebody asks for.
"use strict";

const perPage = 50;
const running = steps => { let last = 0; return steps.map(s => last += s); };

// tablesOf are the tables of a cell, by the name of their file.
async function tablesOf(cell) {
  const all = new Map();
  for (const t of await unpack(cell + "-packed-rows")) {
    if (!t.ready) {
      t.lines = running(t.lines);
      for (const c of t.columns) { if (c.steps) { c.numbers = running(c.steps); } }
      t.ready = true;
    }
    all.set(t.file, t);
  }
  return all;
}

const thousands = n => n.toLocaleString("en-US");

function words(column, row) {
  if (column.words) { return column.words[column.index[row]] || "-"; }
  const n = column.numbers[row];
  switch (column.unit) {
    case "s": return (n / 1e4).toFixed(3) + " s";
    case "ms": return (n / 10).toLocaleString("en-US", { minimumFractionDigits: 1 }) + " ms";
    default: return String(n);
  }
}

// table makes one of text; on a narrow screen each cell says what it is.
function table(head, rows) {
  const t = document.createElement("table");
  t.className = "stack";
  const top = t.createTHead().insertRow();
  for (const name of head) {
    const th = document.createElement("th");
    th.scope = "col";
    th.textContent = name;
    top.append(th);
  }
  const body = t.createTBody();
  for (const row of rows) {
    const tr = body.insertRow();
    row.forEach((cell, i) => {
      const td = tr.insertCell();
      td.dataset.label = head[i];
      if (cell instanceof Node) { td.append(cell); } else { td.textContent = cell; }
    });
  }
  return t;
}

function control(name, text, act) {
  const b = document.createElement("button");
  b.type = "button";
  b.textContent = text;
  b.setAttribute("aria-label", name);
  b.addEventListener("click", act);
  return b;
}

// pager shows a table in its element, and can go to a line.
function pager(el, cell, t) {
  const box = document.createElement("div"), bar = document.createElement("div");
  bar.className = "controls";
  el.append(bar, box);
  const every = t.lines.map((_, i) => i);
  let rows = every, from = 0;
  const where = document.createElement("output");
  where.setAttribute("aria-label", "Rows shown of " + t.title);
  const show = to => {
    from = Math.max(0, Math.min(to, rows.length - 1));
    from -= from % perPage;
    const part = rows.slice(from, from + perPage);
    where.textContent = rows.length ? thousands(from + 1) + " to " + thousands(from + part.length) + " of " + thousands(rows.length) : "none";
    box.replaceChildren(table(["line", ...t.columns.map(c => c.name)], part.map(row => {
      const at = t.columns[t.at].numbers[row] / 1e4;
      const look = control("Show line " + t.lines[row] + " of " + t.file + " in the plot", String(t.lines[row]), () => showMoment(cell, at, t.file === "requests.jsonl" ? row : undefined));
      return [look, ...t.columns.map(c => words(c, row))];
    })));
    box.querySelectorAll("tbody tr").forEach((tr, i) => { tr.dataset.line = t.lines[part[i]]; });
  };
  const name = t.title + ": ";
  bar.append(
    control(name + "first rows", "First", () => show(0)), control(name + "rows before", "Before", () => show(from - perPage)),
    control(name + "rows after", "After", () => show(from + perPage)), control(name + "last rows", "Last", () => show(rows.length - 1)),
  );
  if (t.kind) {
    const kind = t.columns[t.kind], choice = document.createElement("select"), label = document.createElement("label");
    const failed = kind.words.filter(w => w !== "ok");
    choice.append(new Option("all", ""), ...(failed.length ? [new Option("failed", "failed")] : []), ...kind.words.map(w => new Option(w, "=" + w)));
    choice.addEventListener("change", () => {
      rows = every.filter(i => {
        const word = kind.words[kind.index[i]];
        return choice.value === "" || choice.value === "failed" && word !== "ok" || choice.value === "=" + word;
      });
      show(0);
    });
    label.append("Outcome ", choice);
    bar.append(label);
  }
  const line = document.createElement("input"), label = document.createElement("label");
  line.type = "number";
  line.min = 1;
  line.max = t.of;
  line.addEventListener("change", () => go(+line.value));
  label.append("Go to line ", line);
  bar.append(label, where);
  const go = wanted => {
    rows = every;
    bar.querySelectorAll("select").forEach(s => { s.value = ""; });
    const i = t.lines.findIndex(n => n >= wanted);
    show(i < 0 ? rows.length - 1 : i);
    const tr = box.querySelector('tr[data-line="' + t.lines[i < 0 ? rows.length - 1 : i] + '"]');
    box.querySelectorAll("tr.here").forEach(r => r.classList.remove("here"));
    tr?.classList.add("here");
    return tr;
  };
  show(0);
  return go;
}

const pagers = new Map(); // promises of functions that go to a line, by element
function pagerOf(details) {
  if (!pagers.has(details)) {
    const cell = details.parentElement.dataset.cell;
    pagers.set(details, tablesOf(cell).then(all => pager(details, cell, all.get(details.dataset.file))));
  }
  return pagers.get(details);
}

const fileOf = (cell, file) => document.querySelector("#" + cell + "-rows details[data-file='" + file + "']");

// showRow opens the table of a file and goes to one of its lines.
async function showRow(cell, file, line) {
  const details = fileOf(cell, file);
  if (!details) { return; }
  details.open = true;
  const go = await pagerOf(details);
  const row = line ? go(line) : details;
  row?.scrollIntoView({ block: "center" });
  (row?.querySelector("button, summary") || details).focus({ preventScroll: true });
}
