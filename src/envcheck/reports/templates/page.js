"use strict";
(() => {
  const rows = [...document.querySelectorAll("[data-row]")].map((element) => ({
    element,
    text: element.textContent.toLowerCase(),
    severity: element.dataset.severity,
  }));
  const search = document.getElementById("search");
  const severity = document.getElementById("severity");
  const shown = document.getElementById("shown");
  const order = [...severity.options].map((option) => option.value);
  const form = document.getElementById("filter");

  const filter = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const least = order.indexOf(severity.value);
    let count = 0;
    for (const row of rows) {
      const fits = words.every((word) => row.text.includes(word));
      const severe = row.severity === undefined || order.indexOf(row.severity) >= least;
      row.element.hidden = !(fits && severe);
      count += !row.element.hidden;
    }
    shown.textContent = words.length || least > 0 ? `${count} of ${rows.length} shown` : "";
  };

  const sort = (table, column, header) => {
    const body = table.tBodies[0];
    const number = header.hasAttribute("data-number");
    const up = header.getAttribute("aria-sort") !== "ascending";
    const key = (row) => row.cells[column].textContent;
    const compare = number
      ? (a, b) => Number(key(a)) - Number(key(b))
      : (a, b) => key(a).localeCompare(key(b), "en", { numeric: true });
    const sorted = [...body.rows].sort((a, b) => (up ? compare(a, b) : compare(b, a)));
    for (const other of table.tHead.rows[0].cells) {
      other.removeAttribute("aria-sort");
    }
    header.setAttribute("aria-sort", up ? "ascending" : "descending");
    body.append(...sorted);
  };

  for (const table of document.querySelectorAll("table[data-sortable]")) {
    [...table.tHead.rows[0].cells].forEach((header, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = header.textContent;
      header.replaceChildren(button);
      button.addEventListener("click", () => sort(table, column, header));
    });
  }

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  search.addEventListener("input", filter);
  severity.addEventListener("change", filter);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      search.focus();
    }
  });
  const closed = [];
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details:not([open])")) {
      details.open = true;
      closed.push(details);
    }
  });
  addEventListener("afterprint", () => {
    for (const details of closed.splice(0)) {
      details.open = false;
    }
  });
})();
