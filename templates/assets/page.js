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

  /** The inputs by another rank; the first order is that of the page. */
  const setUpOrder = (group) => {
    const list = group.nextElementSibling;
    group.hidden = false;
    group.addEventListener("click", (event) => {
      const chosen = event.target.closest("button");
      if (!chosen) return;
      for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", each === chosen);
      const place = (item) => Number(item.dataset[chosen.dataset.order]);
      list.append(...[...list.children].sort((one, other) => place(one) - place(other)));
    });
  };

  /** A link into something folded unfolds it. */
  const unfoldTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = target; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
  };

  /** The heading, or the fold, and all that belongs to it: up to the next heading of its rank or above. */
  const panelOf = (start) => {
    const rank = Number(/^H([1-6])$/.exec(start.tagName)?.[1]);
    const nodes = [start];
    if (!rank) return nodes;
    for (let next = start.nextElementSibling; next; next = next.nextElementSibling) {
      if (Number(/^H([1-6])$/.exec(next.tagName)?.[1]) <= rank) break;
      nodes.push(next);
    }
    return nodes;
  };

  /** With `?panel=tuning` or `#panel=tuning` one panel stands alone, for a frame in another page. */
  const showPanel = () => {
    const whole = document.querySelector(".whole-page");
    if (!whole) return;
    const name = new URLSearchParams(location.search).get("panel")
      ?? new URLSearchParams(location.hash.slice(1)).get("panel");
    const start = name && document.querySelector(`article #${CSS.escape(name)}`);
    for (const each of document.querySelectorAll(".aside")) each.classList.remove("aside");
    root.classList.toggle("panel", Boolean(start));
    whole.hidden = !start;
    if (!start) return;
    const kept = panelOf(start);
    for (let level = kept; level[0] !== document.body; level = [level[0].parentElement]) {
      for (const each of level[0].parentElement.children) {
        if (!level.includes(each) && !each.classList.contains("foot")) each.classList.add("aside");
      }
      if (level[0].tagName === "DETAILS") level[0].open = true;
    }
    whole.href = location.pathname.split("/").pop() || "./";
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

  /** In a notebook the page is a frame's `srcdoc`: it has no address of its own, and no file lies beside it. */
  const setUpFrame = () => {
    if (location.protocol !== "about:") return;
    for (const link of document.querySelectorAll("a[href]")) {
      const address = link.getAttribute("href");
      if (address.startsWith("#")) {
        link.addEventListener("click", (event) => {
          event.preventDefault();
          location.hash = address;
          unfoldTarget();
          document.querySelector(address).scrollIntoView();
        });
      } else if (/^https?:/.test(address)) link.setAttribute("target", "_blank");
      else link.removeAttribute("href");
    }
  };

  addEventListener("DOMContentLoaded", () => {
    setUpTheme();
    document.querySelectorAll("table.sortable").forEach(setUpTable);
    document.querySelectorAll(".order").forEach(setUpOrder);
    setUpPrint();
    setUpFrame();
    unfoldTarget();
    showPanel();
    addEventListener("hashchange", () => { unfoldTarget(); showPanel(); });
  });
})();
