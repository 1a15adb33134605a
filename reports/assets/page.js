// What this adds: reading values out with pointer or keys, hiding engines, the other scale, sorting, copying. Everything it
// works on is in the page already; without it nothing is lost. Texts come from the tables, so there is one source of them.
"use strict";
{
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const make = (tag, attributes = {}, ...children) => {
    const e = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) e.setAttribute(name, value);
    e.append(...children);
    return e;
  };
  const hidden = new Set();
  const listeners = [];

  // --- engines: show and hide -------------------------------------------------------------------------------------

  const engines = all("[data-engine]").map((e) => ({ key: e.dataset.engine, icon: e.querySelector("svg") }));
  const bar = make("div", { class: "bar", role: "group", "aria-label": "Engines to show" });
  for (const { key, icon } of engines) {
    const button = make("button", { type: "button", "aria-pressed": "true" }, icon.cloneNode(true), key);
    button.addEventListener("click", () => {
      hidden.has(key) ? hidden.delete(key) : hidden.add(key);
      button.setAttribute("aria-pressed", String(!hidden.has(key)));
      for (const e of all("[data-key]")) e.toggleAttribute("data-hidden", hidden.has(e.dataset.key));
      for (const f of listeners) f();
    });
    bar.append(button);
  }
  if (engines.length > 1) document.getElementById("results").before(bar);

  // --- charts: read values out ------------------------------------------------------------------------------------

  // reader adds a slider over a drawing: each column is a step. Screen readers hear the values as its text.
  const reader = (figure, plot, svg) => {
    const columns = svg.dataset.columns.split(" ").map(Number);
    const { top, bottom } = svg.dataset;
    const table = figure.querySelector("details table");
    const heads = [...table.tHead.rows[0].cells].slice(1);
    const title = table.tHead.rows[0].cells[0].textContent;
    const hair = make("div", { class: "hair", hidden: "" });
    const box = make("div", { class: "readout", hidden: "", "aria-hidden": "true" });
    const slider = make("div", {
      class: "reader", role: "slider", tabindex: "0", "aria-valuemin": "0", "aria-valuemax": String(columns.length - 1),
      "aria-valuenow": "0", "aria-label": "Read values: " + figure.dataset.title,
    });
    let at = -1;

    const values = () => {
      const cells = [...table.tBodies[0].rows[at].cells].slice(1);
      return cells
        .map((cell, i) => ({
          key: heads[i].dataset.key, name: heads[i].textContent, sort: Number(cell.dataset.sort),
          text: cell.firstChild.textContent.trim(), small: cell.querySelector("small")?.textContent ?? "",
        }))
        .filter((v) => !hidden.has(v.key))
        .sort((a, b) => (b.sort || -Infinity) - (a.sort || -Infinity));
    };
    const heading = () => {
      const text = table.tBodies[0].rows[at].cells[0].textContent;
      return title === "connections" ? `${text} connections` : `${title} ${text}`;
    };
    const render = () => {
      if (at < 0) return;
      const scale = svg.clientWidth / svg.viewBox.baseVal.width;
      const x = columns[at] * scale;
      hair.style.left = `${x}px`;
      hair.style.top = `${top * scale}px`;
      hair.style.height = `${(bottom - top) * scale}px`;
      const rows = values().map((v) => {
        const icon = engines.find((e) => e.key === v.key)?.icon.cloneNode(true) ?? "";
        return make("tr", {}, make("th", {}, icon, v.name), make("td", {}, v.text), make("td", { class: "small" }, v.small));
      });
      box.replaceChildren(make("p", {}, heading()), make("table", {}, make("tbody", {}, ...rows)));
      hair.hidden = box.hidden = false;
      const room = plot.clientWidth, width = box.offsetWidth;
      box.style.left = `${Math.max(4, x + 12 + width < room ? x + 12 : Math.min(x - 12 - width, room - width - 4))}px`;
      box.style.top = `${top * scale}px`;
      slider.setAttribute("aria-valuenow", String(at));
      slider.setAttribute("aria-valuetext", heading() + ": " + values().map((v) => `${v.name} ${v.text}`).join(", "));
    };
    const clear = () => {
      at = -1;
      hair.hidden = box.hidden = true;
    };
    const nearest = (event) => {
      const x = ((event.clientX - svg.getBoundingClientRect().left) * svg.viewBox.baseVal.width) / svg.clientWidth;
      let best = 0;
      columns.forEach((c, i) => { if (Math.abs(c - x) < Math.abs(columns[best] - x)) best = i; });
      at = best;
      render();
    };
    slider.addEventListener("pointermove", nearest);
    slider.addEventListener("pointerdown", nearest);
    slider.addEventListener("pointerleave", () => { if (document.activeElement !== slider) clear(); });
    slider.addEventListener("focus", () => { if (at < 0) { at = 0; render(); } });
    slider.addEventListener("blur", clear);
    slider.addEventListener("keydown", (event) => {
      const last = columns.length - 1;
      const to = {
        ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: 0, End: last,
        PageUp: at + Math.ceil(last / 5), PageDown: at - Math.ceil(last / 5),
      }[event.key];
      if (event.key === "Escape") return slider.blur();
      if (to === undefined) return;
      event.preventDefault();
      at = Math.min(last, Math.max(0, to));
      render();
    });
    listeners.push(render);
    plot.append(hair, box, slider);
  };

  for (const figure of all("figure[id]")) {
    for (const plot of all(".plot", figure)) {
      const svg = plot.querySelector("svg");
      if (svg.dataset.columns) reader(figure, plot, svg);
    }
    const enlarge = make("button", { type: "button", class: "enlarge", "aria-pressed": "false" }, "enlarge");
    enlarge.addEventListener("click", () => {
      enlarge.setAttribute("aria-pressed", String(figure.classList.toggle("large")));
      for (const f of listeners) f();
    });
    figure.querySelector(".under").append(enlarge);
    const [drawn, other] = all(".plot", figure);
    if (other) {
      const names = [other.dataset.scale, drawn.dataset.scale];
      const button = make("button", { type: "button", class: "scale" }, names[0] + " scale");
      button.addEventListener("click", () => {
        other.hidden = !other.hidden;
        drawn.hidden = !other.hidden;
        button.textContent = names[other.hidden ? 0 : 1] + " scale";
      });
      figure.querySelector(".under").append(button);
    }
  }

  // --- tables: sort -----------------------------------------------------------------------------------------------

  for (const table of all("table.sortable")) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const button = make("button", { type: "button" }, head.textContent);
      head.replaceChildren(button);
      button.addEventListener("click", () => {
        const down = head.getAttribute("aria-sort") === "ascending";
        heads.forEach((h) => h.removeAttribute("aria-sort"));
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const value = (row) => {
          const { sort } = row.cells[column].dataset;
          return sort === undefined ? row.cells[column].textContent.trim() : Number(sort);
        };
        const order = (a, b) => {
          if (typeof a === "string") return a.localeCompare(b, "en", { numeric: true });
          if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) - Number.isNaN(b);
          return a - b;
        };
        // What was not measured stays last in both directions.
        const rows = [...table.tBodies[0].rows].map((row) => [value(row), row]);
        rows.sort(([a], [b]) => order(a, b) * (down && !Number.isNaN(a) && !Number.isNaN(b) ? -1 : 1));
        table.tBodies[0].append(...rows.map(([, row]) => row));
      });
    });
  }

  // --- command: copy ----------------------------------------------------------------------------------------------

  for (const pre of all("pre.command")) {
    const button = make("button", { type: "button", class: "copy" }, "Copy");
    const copied = (done) => {
      button.textContent = done ? "Copied" : "Press Ctrl+C";
      setTimeout(() => { button.textContent = "Copy"; }, 2000);
    };
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(pre.querySelector("code").textContent);
        copied(true);
      } catch {
        // A page opened from a file may not write to the clipboard; then the text is selected for the reader to copy.
        getSelection().selectAllChildren(pre.querySelector("code"));
        copied(document.execCommand("copy"));
      }
    });
    pre.append(button);
  }

  // --- links: open what they point into ---------------------------------------------------------------------------

  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let e = target; e; e = e.parentElement) if (e.tagName === "DETAILS") e.open = true;
    if (target) target.scrollIntoView();
  };
  addEventListener("hashchange", reveal);
  if (location.hash) reveal();
}
