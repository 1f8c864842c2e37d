// SPDX-License-Identifier: Apache-2.0
// Of a folder of runs: differences to a chosen baseline, and the learning curves of chosen runs in one chart.
"use strict";
(() => {
  const {make, draw} = nbsCharts;
  const data = id => {
    const element = document.getElementById(id);
    return element ? JSON.parse(element.textContent) : null;
  };
  const select = (label, names, change) => {
    const field = make("select");
    names.forEach((name, i) => {
      const option = make("option", "", name);
      option.value = String(i);
      field.append(option);
    });
    field.addEventListener("change", () => change(Number(field.value)));
    const box = make("label", "choice", label + " ");
    box.append(field);
    return box;
  };

  // Every baseline's table is in the page; one is shown.
  const tables = Array.from(document.querySelectorAll(".differences"));
  if (tables.length > 1) {
    const show = wanted => tables.forEach((table, i) => { table.hidden = i !== wanted; });
    for (const table of tables) table.querySelector("p").className = "print-only";  // the field says it
    tables[0].before(select("Baseline", tables.map(table => table.dataset.baseline), show));
    show(0);
  }

  const place = document.getElementById("learning");
  const runs = document.getElementById("runs");
  if (!place || !runs) return;
  const most = 8;  // colors
  let curves = null;
  let metric = 0;
  let stop = null;
  const remark = make("p", "soft");
  remark.setAttribute("role", "status");
  const box = make("div", "live");
  const chosen = new Set();

  // The rows of all x that one of the runs has a value at.
  function together(list) {
    const rows = new Map();
    list.forEach((run, i) => {
      const [xs, ys] = curves.runs[run].curves[metric];
      xs.forEach((x, k) => {
        if (!rows.has(x)) rows.set(x, [x].concat(list.map(() => null)));
        rows.get(x)[i + 1] = ys[k] === null ? NaN : ys[k];
      });
    });
    return Array.from(rows.values()).sort((a, b) => a[0] - b[0]);
  }

  function redraw() {
    if (stop) stop();
    stop = null;
    box.replaceChildren();
    if (!curves) curves = data("curves");
    const all = Array.from(chosen);
    const list = all.filter(run => curves.runs[run] && curves.runs[run].curves[metric]);
    const rows = together(list);
    remark.textContent = !all.length ? "Choose runs in the table of runs below." :
      all.length - list.length ? (all.length - list.length) + " of the chosen runs have no such curve." : "";
    if (!rows.length) return;
    const values = rows.flatMap(row => row.slice(1)).filter(value => value !== null && !Number.isNaN(value));
    const low = values.reduce((a, b) => Math.min(a, b), Infinity);
    const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
    stop = draw(box, {
      rows, curves: list.map((run, i) => ({name: curves.runs[run].name, color: i % most, dash: Math.floor(i / most) % 4})),
      logarithmic: curves.metrics[metric].logarithmic && low > 0 && high >= 50 * low
    }, curves.metrics[metric].title + " over the iterations");
  }

  const boxes = [];
  for (const row of runs.tBodies[0].rows) {
    if (row.dataset.curves === undefined) continue;
    const field = make("input");
    field.type = "checkbox";
    field.setAttribute("aria-label", "Show the curves of this run");
    const run = Number(row.dataset.curves);
    field.addEventListener("change", () => {
      if (field.checked) chosen.add(run); else chosen.delete(run);
      redraw();
    });
    row.cells[0].prepend(field, " ");
    boxes.push({field, run});
  }
  if (!boxes.length) return;
  const metrics = JSON.parse(place.dataset.metrics);
  place.append(select("Curve", metrics, wanted => { metric = wanted; redraw(); }));
  const none = make("button", "", "Choose none");
  none.type = "button";
  none.addEventListener("click", () => {
    chosen.clear();
    boxes.forEach(({field}) => { field.checked = false; });
    redraw();
  });
  place.append(" ", none, remark, box);
  for (const run of place.dataset.first.split(" ").filter(Boolean).map(Number)) chosen.add(run);
  boxes.forEach(({field, run}) => { field.checked = chosen.has(run); });
  new IntersectionObserver((entries, seen) => {
    if (!entries.some(entry => entry.isIntersecting)) return;
    seen.disconnect();
    redraw();
  }, {rootMargin: "300px"}).observe(place);
})();
