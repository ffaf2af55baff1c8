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

  /** The inputs by another rank: the first of them stay in sight, the others in the fold. */
  const setUpOrder = (group) => {
    const lists = [...document.querySelectorAll(".inputs")];
    const shown = lists[0].children.length;
    group.hidden = false;
    group.addEventListener("click", (event) => {
      const chosen = event.target.closest("button");
      if (!chosen) return;
      for (const each of group.querySelectorAll("button")) each.setAttribute("aria-pressed", each === chosen);
      const place = (row) => Number(row.dataset[chosen.dataset.order]);
      const rows = lists.flatMap((list) => [...list.children]).sort((one, other) => place(one) - place(other));
      for (const row of rows) row.querySelector(".rank").textContent = place(row);
      lists[0].append(...rows.slice(0, shown));
      lists[1]?.append(...rows.slice(shown));
    });
  };

  /** Of the sums that are worked out, each list shows that of one example, the same in all. */
  const setUpSums = (lists) => {
    const groups = lists.map((list) => [...list.children].map((sum, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.setAttribute("aria-label", `Example ${place + 1}`);
      button.append(sum.querySelector(".sum-example svg"));
      for (const kind of ["pointerenter", "focus", "click"]) button.addEventListener(kind, () => show(place));
      return button;
    }));
    const show = (chosen) => groups.forEach((buttons, group) => buttons.forEach((button, place) => {
      button.setAttribute("aria-pressed", place === chosen);
      lists[group].children[place].hidden = place !== chosen;
    }));
    lists.forEach((list, group) => {
      const choices = document.createElement("div");
      choices.className = "choices";
      choices.setAttribute("role", "group");
      choices.setAttribute("aria-label", "Top example");
      choices.append(...groups[group]);
      list.before(choices);
      list.classList.add("one");
    });
    show(0);
  };

  /** A link into something folded unfolds it, and one to an input opens its panel. */
  const unfoldTarget = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const values = target && target.querySelector(":scope > .values");
    if (values) values.open = true;
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
    document.querySelectorAll(".order").forEach(setUpOrder);
    setUpSums([...document.querySelectorAll(".sums")]);
    setUpPrint();
    setUpFrame();
    unfoldTarget();
    showPanel();
    addEventListener("hashchange", () => { unfoldTarget(); showPanel(); });
  });
})();
