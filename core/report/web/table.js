// SPDX-License-Identifier: Apache-2.0
// Tables that are sorted by a click on a column's head and filtered by words. The best of each column among the rows
// that match is marked. Of very many rows the first are shown until all are asked for.
"use strict";
(() => {
  // What a cell is sorted by: its own key, or the number that its text begins with, or its text. A dash comes last.
  function key(cell) {
    if (!cell) return null;
    if (cell.dataset.key !== undefined) return Number(cell.dataset.key);
    const text = cell.textContent.trim();
    if (text === "–" || text === "") return null;
    const number = parseFloat(text);
    return Number.isNaN(number) || !cell.classList.contains("n") ? text.toLowerCase() : number;
  }
  function order(a, b, down) {
    if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
    const sign = down ? -1 : 1;
    if (typeof a === "string" || typeof b === "string") return sign * String(a).localeCompare(String(b), "en", {numeric: true});
    return sign * (a - b);
  }

  function equip(table) {
    const heads = Array.from(table.tHead.rows[0].cells);
    const body = table.tBodies[0];
    const rows = Array.from(body.rows);
    const shownAtFirst = rows.filter(row => !row.hidden).length;
    let limit = shownAtFirst < rows.length ? shownAtFirst : Infinity;
    let matches = () => true;
    let status = null;
    const ranked = heads.map((head, i) => head.classList.contains("ranked") ? i : -1).filter(i => i >= 0);

    function markBest() {
      for (const i of ranked) {
        let best = -Infinity;
        for (const row of rows) {
          const value = !matches(row) || row.classList.contains("uncounted") ? null : key(row.cells[i]);
          if (typeof value === "number" && value > best) best = value;
        }
        for (const row of rows) {
          const is = matches(row) && !row.classList.contains("uncounted") && key(row.cells[i]) === best;
          row.cells[i].classList.toggle("top", is);
        }
      }
    }

    // Shows the first of the rows that match.
    function refresh() {
      let found = 0;
      for (const row of rows) row.hidden = !matches(row) || ++found > limit;
      if (!status) return;
      const shown = Math.min(found, limit);
      status.firstChild.data = shown < rows.length ? shown + " of " + (found < rows.length ? found + " that match, of " : "") +
        rows.length + " rows " : "";
      status.lastChild.hidden = found <= limit;
    }

    heads.forEach((head, i) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        // Numbers from the largest on, names from A on; the second click turns it round.
        const now = head.getAttribute("aria-sort");
        const down = now ? now === "ascending" : head.classList.contains("n");
        heads.forEach(other => other.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const keyed = rows.map(row => [key(row.cells[i]), row]);
        keyed.sort((a, b) => order(a[0], b[0], down));
        keyed.forEach((pair, k) => { rows[k] = pair[1]; });
        body.append(...rows);
        if (limit < rows.length) refresh();
      });
    });

    if (table.dataset.filter !== undefined) {
      const label = document.createElement("label");
      label.className = "filter";
      const field = document.createElement("input");
      field.type = "search";
      field.placeholder = "words, all of which a row must hold";
      status = document.createElement("span");
      status.className = "soft";
      status.setAttribute("role", "status");
      const all = document.createElement("button");
      all.type = "button";
      all.textContent = "Show all";
      all.addEventListener("click", () => {
        limit = Infinity;
        refresh();
      });
      status.append("", all);
      label.append("Filter ", field);
      const bar = document.createElement("p");
      bar.className = "filter-row";
      bar.append(label, " ", status);
      table.closest(".scroll").before(bar);
      let texts = null;
      field.addEventListener("input", () => {
        if (!texts) texts = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
        const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
        matches = row => words.every(word => texts.get(row).includes(word));
        refresh();
        markBest();
      });
      refresh();
    }
  }
  for (const table of document.querySelectorAll("table.sortable")) equip(table);
})();
