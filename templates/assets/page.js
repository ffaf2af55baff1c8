"use strict";
(() => {
  const root = document.documentElement;
  const KEY = "vizengine-theme";

  /** Themes that are stored may be out of reach, from `file:` for example. */
  const remembered = () => {
    try { return localStorage.getItem(KEY); } catch { return null; }
  };
  const remember = (theme) => {
    try { localStorage.setItem(KEY, theme); } catch { /* The choice holds for this page. */ }
  };
  const known = remembered();
  if (known === "light" || known === "dark") root.dataset.theme = known;

  const setUpTheme = () => {
    const button = document.querySelector(".theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => (root.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
    const show = () => { button.textContent = isDark() ? "Light theme" : "Dark theme"; };
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      remember(root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    button.hidden = false;
    show();
  };

  const sortTable = (table, column, heading) => {
    const body = table.tBodies[0];
    const numeric = heading.dataset.sort === "number";
    const value = (row) => row.cells[column].dataset.value;
    const natural = new Intl.Collator("en", { numeric: true });
    const turned = { ascending: "descending", descending: "ascending" };
    const order = turned[heading.getAttribute("aria-sort")] ?? heading.dataset.first;
    const sign = order === "ascending" ? 1 : -1;
    const rows = [...body.rows].sort((one, other) =>
      sign * (numeric ? Number(value(one)) - Number(value(other)) : natural.compare(value(one), value(other))));
    for (const each of table.tHead.rows[0].cells) each.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", order);
    body.append(...rows);
  };

  const setUpTable = (table) => {
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (!heading.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sortTable(table, column, heading));
      heading.append(button);
    });
    table.tHead.rows[0].cells[1].setAttribute("aria-sort", "ascending");
  };

  /** A link into something folded unfolds it. */
  const unfoldTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  };

  const setUpPrint = () => {
    let opened = [];
    addEventListener("beforeprint", () => {
      for (const each of document.querySelectorAll("details:not([open])")) {
        each.open = true;
        opened.push(each);
      }
    });
    addEventListener("afterprint", () => {
      for (const each of opened) each.open = false;
      opened = [];
    });
  };

  addEventListener("DOMContentLoaded", () => {
    setUpTheme();
    document.querySelectorAll("table.sortable").forEach(setUpTable);
    setUpPrint();
    unfoldTarget();
    addEventListener("hashchange", unfoldTarget);
  });
})();
