// What this adds: reading values out with pointer or keys, zooming into a range, hiding engines, the other scale, sorting,
// copying. Everything it
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
  const looks = new Map(all("[data-look]").map((e) => [e.dataset.look, e.firstElementChild]));
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

  // --- charts: zoom into a range ----------------------------------------------------------------------------------

  // zoomer returns a function that shows the columns from one to another in the width of the whole axis. It moves what was
  // drawn; heights and their scale stay, so that what is seen before and after can be compared.
  const zoomer = (svg, columns, names) => {
    const NS = "http://www.w3.org/2000/svg";
    const [top, bottom, left, right] = ["top", "bottom", "left", "right"].map((side) => Number(svg.dataset[side]));
    const x = (e) => Number(e.getAttribute("x")), y = (e) => Number(e.getAttribute("y"));
    let moved; // what is within the axes, and how it moves
    let ticks; // what the axis says while the whole is shown
    const prepare = () => {
      const clip = document.createElementNS(NS, "clipPath");
      const box = document.createElementNS(NS, "rect");
      clip.id = "clip-" + document.querySelectorAll("clipPath").length;
      for (const [name, value] of [["x", left - 4], ["y", 0], ["width", right - left + 8], ["height", bottom + 4]]) box.setAttribute(name, value);
      clip.append(box);
      svg.append(clip);
      const paths = all(":scope > g[data-series]:not(.label) path, :scope > path.f-grid", svg);
      for (const e of all(":scope > g[data-series]:not(.label), :scope > path.f-grid", svg)) e.setAttribute("clip-path", `url(#${clip.id})`);
      moved = paths.map((path) => {
        const d = path.getAttribute("d"), { x: from, width } = path.getBBox();
        if (width < 14) { // a marker moves as a whole; anything else is stretched
          return (to) => path.setAttribute("transform", `translate(${to(from + width / 2) - from - width / 2} 0)`);
        }
        return (to) => path.setAttribute("d", d.replace(/([ML])(-?[\d.]+)/g, (_, op, at) => op + to(Number(at)).toFixed(1)));
      });
      for (const text of all(":scope > text", svg).filter((t) => y(t) > top && y(t) < bottom && x(t) > left)) {
        const at = x(text);
        moved.push((to) => { text.setAttribute("x", to(at)); text.toggleAttribute("data-out", to(at) < left || to(at) > right); });
      }
      const low = (e) => { const b = e.getBBox(); return b.width < 1 && b.y > bottom - 1; };
      ticks = [...all(":scope > text", svg).filter((t) => y(t) > bottom && y(t) < bottom + 20), ...all(":scope > path", svg).filter(low)];
    };
    return (from, to) => {
      if (!moved) prepare();
      const whole = from === 0 && to === columns.length - 1;
      const span = columns[to] - columns[from] || 1, air = 0.03 * (right - left);
      const map = whole ? (at) => at : (at) => left + air + ((at - columns[from]) * (right - left - 2 * air)) / span;
      for (const move of moved) move(map);
      svg.classList.toggle("zoomed", !whole);
      for (const tick of ticks) tick.toggleAttribute("data-out", !whole);
      for (const e of all(".zoom-tick", svg)) e.remove();
      let end = -Infinity;
      for (let i = from; i <= to && !whole; i++) {
        const text = document.createElementNS(NS, "text");
        for (const [name, value] of [["class", "f-muted zoom-tick"], ["x", map(columns[i])], ["y", bottom + 16], ["font-size", 12], ["text-anchor", "middle"]]) text.setAttribute(name, value);
        text.textContent = names[i];
        svg.append(text);
        const b = text.getBBox();
        if (b.x < end + 4) text.remove(); else end = b.x + b.width;
      }
      return map;
    };
  };

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
    let view = [0, columns.length - 1], place = (x) => x;
    const zoom = zoomer(svg, columns, [...table.tBodies[0].rows].map((row) => row.cells[0].textContent));
    const reset = make("button", { type: "button", class: "scale whole", hidden: "" }, "whole range");
    const show = (from, to) => {
      from = Math.max(0, from);
      to = Math.min(columns.length - 1, to);
      if (to - from < 1) return;
      view = [from, to];
      place = zoom(from, to);
      reset.hidden = from === 0 && to === columns.length - 1;
      if (at >= 0) at = Math.min(to, Math.max(from, at));
      render();
    };
    reset.addEventListener("click", () => { show(0, columns.length - 1); slider.focus(); });
    figure.querySelector(".under").append(reset);

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
      const x = place(columns[at]) * scale;
      hair.style.left = `${x}px`;
      hair.style.top = `${top * scale}px`;
      hair.style.height = `${(bottom - top) * scale}px`;
      const rows = values().map((v) => {
        const icon = (looks.get(v.name) ?? looks.get(v.key))?.cloneNode(true) ?? "";
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
    const where = (event) => ((event.clientX - svg.getBoundingClientRect().left) * svg.viewBox.baseVal.width) / svg.clientWidth;
    const closest = (x) => {
      let best = view[0];
      for (let i = view[0]; i <= view[1]; i++) if (Math.abs(place(columns[i]) - x) < Math.abs(place(columns[best]) - x)) best = i;
      return best;
    };
    const nearest = (event) => {
      const column = closest(where(event));
      if (column !== at || box.hidden) { at = column; render(); }
    };
    // A mouse that is dragged marks a range. A finger reads values and scrolls, so it does not.
    let start = null;
    const mark = make("div", { class: "mark", hidden: "" });
    slider.addEventListener("pointerdown", (event) => {
      nearest(event);
      if (event.pointerType !== "touch" && event.button === 0) start = where(event);
    });
    slider.addEventListener("pointermove", (event) => {
      nearest(event);
      if (start === null) return;
      const scale = svg.clientWidth / svg.viewBox.baseVal.width, [a, b] = [start, where(event)].sort((p, q) => p - q);
      mark.hidden = b - a < 8;
      for (const [side, length] of [["left", a], ["width", b - a], ["top", top], ["height", bottom - top]]) mark.style[side] = `${length * scale}px`;
    });
    const drop = (event) => {
      if (start !== null && !mark.hidden && event.type === "pointerup") show(...[closest(start), closest(where(event))].sort((p, q) => p - q));
      start = null;
      mark.hidden = true;
    };
    slider.addEventListener("pointerup", drop);
    slider.addEventListener("pointerleave", drop);
    slider.addEventListener("dblclick", () => show(0, columns.length - 1));
    slider.addEventListener("pointerleave", () => { if (document.activeElement !== slider) clear(); });
    slider.addEventListener("focus", () => { if (at < 0) { at = 0; render(); } });
    slider.addEventListener("blur", clear);
    slider.addEventListener("keydown", (event) => {
      const [first, last] = view, step = Math.ceil((last - first) / 5);
      const to = {
        ArrowRight: at + 1, ArrowUp: at + 1, ArrowLeft: at - 1, ArrowDown: at - 1, Home: first, End: last,
        PageUp: at + step, PageDown: at - step,
      }[event.key];
      const around = (width) => {
        const from = Math.max(0, Math.min(columns.length - 1 - width, Math.round(at - width / 2)));
        show(from, from + width);
      };
      if (event.key === "+" || event.key === "=") return around(Math.max(1, Math.floor((last - first) / 2)));
      if (event.key === "-") return around(2 * (last - first));
      if (event.key === "Escape" && !reset.hidden) return show(0, columns.length - 1);
      if (event.key === "Escape") return slider.blur();
      if (to === undefined) return;
      event.preventDefault();
      at = Math.min(last, Math.max(first, to));
      render();
    });
    listeners.push(render);
    plot.append(hair, mark, box, slider);
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

  // --- what scrolls can be reached by keys ------------------------------------------------------------------------

  const scrolls = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      if (target.scrollWidth > target.clientWidth) target.setAttribute("tabindex", "0"); else target.removeAttribute("tabindex");
    }
  });
  for (const e of all(".scroll, .columns")) scrolls.observe(e);

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
