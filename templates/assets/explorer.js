"use strict";
(() => {
  const typing = (element) => element.matches("input, select, textarea");

  /** Arrows on a unit's page lead to its neighbours and up. */
  const setUpUnit = () => {
    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || typing(event.target)) return;
      const relation = { ArrowLeft: "prev", ArrowRight: "next", ArrowUp: "up" }[event.key];
      if (relation === "up" && scrollY > 0) return;
      const link = relation && document.querySelector(`a[rel="${relation}"]`);
      if (!link) return;
      event.preventDefault();
      link.click();
    });
  };

  const setUpExplorer = (explorer) => {
    const controls = explorer.querySelector(".controls");
    const search = explorer.querySelector("#search");
    const order = explorer.querySelector("#order");
    const reverse = explorer.querySelector("#reverse");
    const converged = explorer.querySelector("#converged");
    const found = explorer.querySelector(".found");
    const nothing = explorer.querySelector(".nothing");
    const sheets = [...explorer.querySelectorAll(".sheet")].map((section) => ({
      section, list: section.querySelector("ul"), layer: section.dataset.layer.toLowerCase(),
      items: [...section.querySelectorAll("li")].map((item) => ({ item, link: item.firstElementChild })),
    }));
    const all = sheets.flatMap((sheet) => sheet.items);
    const number = (link, name) => link.dataset[name] ? Number(link.dataset[name]) : NaN;
    const ranges = [...controls.querySelectorAll("[data-filter]")].map((input) => {
      const name = input.dataset.filter;
      const above = input.dataset.keep === "above";
      const values = all.map(({ link }) => number(link, name)).filter((value) => !Number.isNaN(value));
      const step = name === "firing" ? 1 : name === "strength" ? 0.5 : 0.05;
      input.min = Math.min(0, Math.floor(Math.min(...values) / step) * step);
      input.max = Math.max(step, Math.ceil(Math.max(...values) / step) * step);
      input.step = step;
      const idle = above ? input.min : input.max;
      input.value = idle;
      return { input, name, above, idle, output: input.previousElementSibling };
    });

    const wanted = () => {
      const words = search.value.toLowerCase().split(/[\s:]+/).filter(Boolean);
      const unit = /^\d+$/.test(words.at(-1) ?? "") ? words.pop() : null;
      const active = ranges.filter(({ input, idle }) => input.value !== idle);
      return {
        layer: (layer) => words.every((word) => layer.includes(word)),
        unit: (link) => (unit === null || link.dataset.unit === unit)
          && (!converged.checked || "converged" in link.dataset)
          && active.every(({ input, name, above }) => {
            const value = number(link, name);
            return above ? value >= Number(input.value) : value <= Number(input.value);
          }),
      };
    };

    const show = () => {
      const { layer, unit } = wanted();
      let count = 0;
      for (const sheet of sheets) {
        const open = layer(sheet.layer);
        let own = 0;
        for (const { item, link } of sheet.items) {
          item.hidden = !(open && unit(link));
          own += !item.hidden;
        }
        sheet.section.hidden = own === 0;
        count += own;
      }
      for (const { input, idle, output } of ranges) {
        output.textContent = input.value === idle ? "any" : input.value + (input.dataset.unit ?? "");
      }
      found.textContent = `${count} of ${all.length} units`;
      nothing.hidden = count > 0;
    };

    const sort = () => {
      const name = order.value;
      const up = reverse?.checked ?? false;
      const last = up ? Infinity : -Infinity;
      const value = ({ link }) => { const own = number(link, name); return Number.isNaN(own) ? last : own; };
      const byUnit = (one, other) => number(one.link, "unit") - number(other.link, "unit");
      for (const { list, items } of sheets) {
        items.sort((one, other) => name === "unit"
          ? byUnit(one, other)
          : (up ? value(one) - value(other) : value(other) - value(one)) || byUnit(one, other));
        list.append(...items.map(({ item }) => item));
      }
    };

    const reset = () => {
      search.value = "";
      converged.checked = false;
      for (const { input, idle } of ranges) input.value = idle;
      show();
    };

    /** The nearest tile one row up or down. */
    const acrossRows = (links, from, down) => {
      const here = from.getBoundingClientRect();
      const middle = here.left + here.width / 2;
      let best = null;
      for (const link of links) {
        const there = link.getBoundingClientRect();
        const rows = down ? there.top - here.top : here.top - there.top;
        if (rows < here.height / 2) continue;
        const distance = rows * 1000 + Math.abs(there.left + there.width / 2 - middle);
        if (!best || distance < best.distance) best = { link, distance };
      }
      return best?.link;
    };

    const move = (event) => {
      const links = sheets.flatMap(({ items }) => items).filter(({ item }) => !item.hidden).map(({ link }) => link);
      const from = links.indexOf(document.activeElement);
      const to = {
        ArrowRight: () => links[from + 1],
        ArrowLeft: () => links[from - 1],
        ArrowDown: () => from < 0 ? links[0] : acrossRows(links, links[from], true),
        ArrowUp: () => from < 0 ? null : acrossRows(links, links[from], false),
        Home: () => from < 0 ? null : links[0],
        End: () => from < 0 ? null : links.at(-1),
      }[event.key];
      if (!to || (from < 0 && event.key !== "ArrowDown")) return;
      const target = to();
      if (!target) return;
      event.preventDefault();
      target.focus();
    };

    addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (event.key === "Escape") { reset(); return; }
      if (event.target === search && event.key === "ArrowDown") { search.blur(); move(event); return; }
      if (event.target === search && event.key === "Enter") {
        explorer.querySelector(".sheet:not([hidden]) li:not([hidden]) a")?.click();
        return;
      }
      if (typing(event.target)) return;
      if (event.key === "/") { event.preventDefault(); search.focus(); search.select(); return; }
      move(event);
    });
    controls.addEventListener("input", show);
    order.addEventListener("change", sort);
    reverse?.addEventListener("change", sort);
    explorer.querySelector("#all").addEventListener("click", reset);
    controls.hidden = false;
    sort();
    show();
  };

  addEventListener("DOMContentLoaded", () => {
    const explorer = document.querySelector(".explorer");
    if (explorer) setUpExplorer(explorer); else setUpUnit();
  });
})();
