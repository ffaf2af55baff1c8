"use strict";
(() => {
  const setUpSurvey = (survey) => {
    const list = survey.querySelector(".sheet ul");
    const panel = survey.querySelector(".chosen");
    const order = survey.querySelector("#order");
    const links = new Map([...list.querySelectorAll("a")].map((link) => [link.dataset.unit, link]));
    const row = (unit) => document.getElementById(`unit-${unit}`);
    const names = [...survey.querySelectorAll(".figures thead th")].map((head) => head.dataset.name);
    const cell = (unit, name) => row(unit).children[names.indexOf(name)];
    const part = (selector) => panel.querySelector(selector);
    const besides = panel?.parentElement;
    const narrow = matchMedia("(max-width: 940px)");
    const inline = document.createElement("li");
    inline.className = "inline";

    /** In a narrow window the panel stands below the row of its unit, elsewhere beside the sheet. */
    const place = () => {
      inline.remove();
      if (!narrow.matches) { besides.append(panel); return; }
      const item = links.get(panel.dataset.unit).parentElement;
      if (item.hidden) { besides.append(panel); return; }
      let last = item;
      for (let next = item; next && (next.hidden || next.offsetTop === item.offsetTop); next = next.nextElementSibling) {
        if (!next.hidden) last = next;
      }
      inline.append(panel);
      last.after(inline);
    };

    const standing = (group, unit) => {
      const { name } = group.dataset;
      const from = cell(unit, name);
      const [value, chance] = [from.querySelector("span"), from.querySelector("small")];
      const figure = group.querySelector("dd");
      figure.replaceChildren(...[...value.childNodes].map((node) => node.cloneNode(true)));
      const strip = group.querySelector(".strip");
      const { low, high } = strip.dataset;
      // Where all units have the same figure, the axis has no length.
      const at = (number) => Number(high) > Number(low) ? 100 * (number - low) / (high - low) : 0;
      const mark = (line, number) => {
        line.setAttribute("visibility", number === undefined ? "hidden" : "visible");
        if (number !== undefined) line.setAttribute("d", `M${at(number)} 0v12`);
      };
      mark(strip.querySelector(".here"), links.get(unit).dataset[name]);
      if (!group.dataset.common) mark(strip.querySelector(".control"), chance?.dataset.value);
      const control = group.dataset.common ?? chance?.textContent;
      if (control) {
        const small = document.createElement("small");
        small.textContent = ` / ${control}`;
        figure.append(small);
      }
    };

    const like = (unit) => [...row(unit).querySelectorAll(".nearest a")].map((each) => {
      const item = document.createElement("li");
      const link = each.cloneNode();
      const picture = new Image();
      picture.src = links.get(each.textContent).querySelector("img").getAttribute("src");
      picture.className = "tile";
      picture.alt = "unit";
      link.append(picture, each.textContent);
      const words = document.createElement("span");
      words.className = "small";
      words.textContent = `r ${each.nextElementSibling.textContent}`;
      item.append(link, " ", words);
      return item;
    });

    const choose = (unit) => {
      const link = links.get(unit);
      const picture = link.querySelector("img");
      if (!picture) return;
      survey.querySelector(".sheet a[aria-current]")?.removeAttribute("aria-current");
      link.setAttribute("aria-current", "true");
      panel.dataset.unit = unit;
      const own = row(unit);
      part(".number").textContent = unit;
      part(".chosen-head .tile").src = picture.getAttribute("src");
      part(".chosen-head .tile").alt = `Synthetic image that excites unit ${unit}`;
      part(".verdict").replaceChildren(own.querySelector(".badge").cloneNode(true));
      part(".reached").textContent = own.dataset.reached;
      part(".photo-best").textContent = own.dataset.photoBest;
      part(".seen").src = `examples/${unit}.webp`;
      part(".seen").alt = own.dataset.seen;
      part(".grouped").hidden = own.dataset.groups === "1";
      part(".grouped b").textContent = own.dataset.groups;
      const page = own.querySelector("th a");
      part(".its-page").hidden = !page;
      if (page) part(".its-page a").href = page.getAttribute("href");
      for (const group of panel.querySelectorAll(".standing > div")) standing(group, unit);
      part(".like").replaceChildren(...like(unit));
      const lines = part("code[data-lines]");
      lines.textContent = lines.dataset.lines.replaceAll("{unit}", unit);
      part("[role=status]").textContent = "";
      place();
    };

    const copy = async () => {
      const lines = part("code[data-lines]");
      let said = "Copied";
      try {
        await navigator.clipboard.writeText(lines.textContent);
      } catch {
        getSelection().selectAllChildren(lines);
        said = "Selected; copy with Ctrl-C or ⌘C";
      }
      part("[role=status]").textContent = said;
    };

    /** Under each picture the figure by which they are ordered. */
    const showOrder = () => {
      for (const [unit, link] of links) {
        const figure = order.value === "unit" ? null : cell(unit, order.value)?.querySelector("span");
        link.querySelector(".value").textContent = figure ? figure.textContent : "";
      }
      place();
    };

    const setUpTable = (table) => {
      const body = table.tBodies[0];
      const rows = [...body.rows];
      const value = (line, name) => {
        const text = links.get(line.id.slice("unit-".length)).dataset[name];
        return text === undefined ? NaN : Number(text);
      };
      for (const head of table.tHead.rows[0].cells) {
        const { name } = head.dataset;
        if (!name) continue;
        const button = document.createElement("button");
        button.type = "button";
        button.append(...head.childNodes);
        head.append(button);
        button.addEventListener("click", () => {
          const before = head.getAttribute("aria-sort");
          const down = before ? before === "ascending" : name !== "unit";
          for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
          head.setAttribute("aria-sort", down ? "descending" : "ascending");
          rows.sort((one, other) => {
            const [first, second] = [value(one, name), value(other, name)];
            if (Number.isNaN(first) || Number.isNaN(second)) return Number.isNaN(first) - Number.isNaN(second);
            return down ? second - first : first - second;
          });
          body.append(...rows);
        });
      }
    };

    setUpTable(survey.querySelector(".figures"));
    if (!panel) return;
    list.addEventListener("focusin", ({ target }) => { if (target.dataset.unit && target.matches("a")) choose(target.dataset.unit); });
    list.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-unit]");
      if (!link) return;
      event.preventDefault();
      choose(link.dataset.unit);
      history.replaceState(null, "", link.getAttribute("href"));
      // A click by a key.
      if (event.detail === 0) part("h2").focus();
    });
    panel.addEventListener("click", (event) => {
      const link = event.target.closest(".like a");
      if (link) {
        event.preventDefault();
        links.get(link.getAttribute("href").slice("#unit-".length)).focus();
      }
      if (event.target.closest(".copy")) copy();
    });
    panel.addEventListener("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      links.get(panel.dataset.unit).focus();
    });
    addEventListener("keydown", (event) => {
      if (event.key.toLowerCase() !== "c" || event.ctrlKey || event.metaKey || event.altKey) return;
      if (!event.target.matches("input, select, textarea")) copy();
    });
    survey.querySelector(".controls").addEventListener("input", place);
    order.addEventListener("change", showOrder);
    survey.querySelector("#reverse").addEventListener("change", place);
    narrow.addEventListener("change", place);
    addEventListener("resize", () => { if (narrow.matches) place(); });
    part(".copy").hidden = false;
    survey.querySelector(".keys").hidden = false;
    const named = links.get(/^#unit-(\d+)$/.exec(location.hash)?.[1]);
    choose(named?.querySelector("img") ? named.dataset.unit : panel.dataset.unit);
    showOrder();
  };

  addEventListener("DOMContentLoaded", () => {
    const survey = document.querySelector(".survey");
    if (survey) setUpSurvey(survey);
  });
})();
