"use strict";
const all = (query, root = document) => [...root.querySelectorAll(query)];
const make = (tag, text, parent, name) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  if (parent) parent.append(made);
  return made;
};
const grouped = digits => digits.replace(/\B(?=(\d{3})+$)/g, ",");

/* Tables: sort, filter, digits, one chosen row. Figures stay text; they are compared as whole numbers of any size. */
const keyOf = cell => {
  const text = cell.dataset.v ?? cell.textContent.trim();
  const plain = text.replace(/,/g, "").replace("−", "-").replace(/^[^\d-]+(?=\d)/, "");
  if (/^-?\d+$/.test(plain)) return [0, BigInt(plain)];
  if (text === "" || text === "?") return [2, ""];
  const number = Number.parseFloat(plain);
  return Number.isNaN(number) ? [1, text] : [0, number];
};
const compare = (a, b) => a[0] === 1 && b[0] === 1 ? a[1].localeCompare(b[1], "en", { numeric: true })
  : a[1] < b[1] ? -1 : a[1] > b[1] ? 1 : 0;

const sort = (table, head, rows) => {
  const now = head.getAttribute("aria-sort"), first = head.classList.contains("n") ? "descending" : "ascending";
  const second = first === "descending" ? "ascending" : "descending";
  const order = now === null ? first : now === first ? second : null;
  all("th[aria-sort]", table).forEach(other => other.removeAttribute("aria-sort"));
  let sorted = rows;
  if (order) {
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    sorted = rows.map(row => [keyOf(row.cells[head.cellIndex]), row])
      .sort(([a], [b]) => a[0] - b[0] || sign * compare(a, b)).map(pair => pair[1]);
  }
  table.tBodies[0].append(...sorted);
};

const tools = (table, rows) => {
  const bar = document.createElement("div");
  bar.className = "tools";
  const input = make("input", undefined, bar);
  Object.assign(input, { type: "search", placeholder: "Filter rows" });
  input.setAttribute("aria-label", "Filter rows by words");
  const exact = make("button", "All digits", bar), state = make("span", "", bar, "dim");
  exact.setAttribute("aria-pressed", "false");
  state.setAttribute("role", "status");
  const texts = new Map();
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      if (!texts.has(row)) texts.set(row, [...row.cells].map(cell => cell.textContent).join(" ").toLowerCase());
      row.hidden = !words.every(word => texts.get(row).includes(word));
      shown += !row.hidden;
    }
    state.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
  exact.addEventListener("click", () => {
    const on = exact.getAttribute("aria-pressed") !== "true";
    exact.setAttribute("aria-pressed", String(on));
    const units = all("th", table).map(head => head.dataset.u ? " " + head.dataset.u : "");
    for (const cell of all("td[data-v]", table)) {
      cell.dataset.t ??= cell.textContent;
      cell.textContent = on ? grouped(cell.dataset.v) + units[cell.cellIndex] : cell.dataset.t;
    }
    texts.clear();
  });
  if (!table.querySelector("td[data-v]")) exact.hidden = true;
  table.closest(".frame").before(bar);
};

for (const table of all("table")) {
  const rows = [...table.tBodies[0].rows], body = table.tBodies[0];
  all("th button", table).forEach(button => button.addEventListener("click", () => sort(table, button.closest("th"), rows)));
  if (rows.length > 7) tools(table, rows);
  if (!table.id) continue;
  body.tabIndex = 0;
  body.addEventListener("click", event => choose(table, event.target.closest("tr")));
  body.addEventListener("keydown", event => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const shown = [...body.rows].filter(row => !row.hidden), at = shown.findIndex(row => row.classList.contains("on"));
    choose(table, shown[Math.min(Math.max(at + step, 0), shown.length - 1)], true);
  });
}

/* Charts: marks stand for rows, in the order of data-rows. */
const charts = all("figure[data-of]").map(figure => {
  const marks = [...(figure.querySelector("g.rows")?.children ?? [])];
  const rows = figure.dataset.rows.split(" ");
  const byRow = new Map(marks.map((mark, i) => [rows[i], mark]));
  const table = document.getElementById(figure.dataset.of);
  const found = new Map([...table.tBodies[0].rows].map(row => [row.cells[0].textContent, row]));
  return { figure, marks, rows, byRow, table, found };
});

function choose(table, row, keep) {
  if (!row) return;
  const on = keep || !row.classList.contains("on");
  all("tr.on", table).forEach(other => other.classList.remove("on"));
  row.classList.toggle("on", on);
  row.scrollIntoView({ block: "nearest", inline: "nearest" });
  for (const chart of charts) {
    if (chart.table !== table) continue;
    chart.marks.forEach(mark => mark.classList.remove("on"));
    const mark = chart.byRow.get(row.cells[0].textContent);
    if (mark && on) {
      mark.classList.add("on");
      if (!chart.figure.dataset.areas) mark.parentNode.append(mark);
    }
  }
}

const tip = make("div", undefined, document.body);
tip.id = "tip";
tip.hidden = true;
const show = (chart, row, event) => {
  tip.replaceChildren();
  const heads = [...chart.table.tHead.rows[0].cells];
  make("b", row.cells[chart.table.dataset.name].textContent, tip);
  const list = make("dl", undefined, tip);
  heads.forEach((head, i) => {
    const text = row.cells[i].textContent;
    if (i === 0 || i === Number(chart.table.dataset.name) || !head.textContent || !text) return;
    make("dt", head.textContent, list);
    make("dd", text, list);
  });
  tip.hidden = false;
  const x = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const below = event.clientY + 16, above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(x, 8)}px`;
  tip.style.top = `${below + tip.offsetHeight < innerHeight ? below : Math.max(above, 8)}px`;
};
for (const chart of charts) {
  const group = chart.figure.querySelector("g.rows"), rowOf = new Map(chart.marks.map((mark, i) => [mark, chart.found.get(chart.rows[i])]));
  chart.rowOf = rowOf;
  group?.addEventListener("pointermove", event => {
    const row = rowOf.get(event.target);
    if (row) show(chart, row, event); else tip.hidden = true;
  });
  group?.addEventListener("pointerleave", () => { tip.hidden = true; });
  if (chart.figure.dataset.areas) treemap(chart);
  else group?.addEventListener("click", event => choose(chart.table, rowOf.get(event.target)));
}

/* Treemap: a click goes one scope deeper, then chooses the layer; narrow screens get their own proportions. */
function treemap(chart) {
  const areas = JSON.parse(chart.figure.dataset.areas), svg = chart.figure.querySelector("svg");
  const boxes = chart.marks.map(mark => mark.getAttribute("d").match(/-?[\d.]+/g).slice(0, 4).map(Number));
  const drawn = chart.marks.map(mark => mark.getAttribute("d")), size = svg.viewBox.baseVal, full = [size.width, size.height];
  const names = all("g.cell_names, g.area_names", svg), group = chart.marks[0]?.parentNode;
  const path = make("div", undefined, undefined, "path"), labels = document.createElementNS(svg.namespaceURI, "g");
  if (areas.length > 1) make("span", " · a click goes deeper", chart.figure.querySelector("figcaption"));
  svg.before(path);
  group?.after(labels);
  let here = 0;
  const inside = i => { let at = i; while (at > 0 && areas[at][1] !== here) at = areas[at][1]; return at; };
  const scopes = name => name.split(name.replace(/^\/|\/$/g, "").includes("/") ? "/" : ".").filter(Boolean);
  const depth = () => {
    let deep = 0;
    for (let at = here; at > 0; at = areas[at][1]) deep += areas[at][0].split("/").length;
    return deep;
  };
  const layout = () => {
    const narrow = svg.clientWidth > 0 && svg.clientWidth < 700, plain = here === 0 && !narrow;
    const [width, height] = narrow ? [svg.clientWidth, 380] : [full[0] - 8, full[1] - 8];
    svg.setAttribute("viewBox", narrow ? `0 0 ${width + 8} ${height + 8}` : `0 0 ${full[0]} ${full[1]}`);
    Object.entries({ width: width + 8, height: height + 8 }).forEach(([name, value]) => svg.setAttribute(name, value));
    names.forEach(one => { one.style.display = plain ? "" : "none"; });
    labels.replaceChildren();
    const [, , first, end] = areas[here], shown = boxes.slice(first, end);
    const left = Math.min(...shown.map(b => b[0])), top = Math.min(...shown.map(b => b[1]));
    const wide = Math.max(...shown.map(b => b[0] + b[2])) - left, tall = Math.max(...shown.map(b => b[1] + b[3])) - top;
    chart.marks.forEach((mark, i) => {
      const is = i >= first && i < end;
      mark.style.display = is ? "" : "none";
      if (plain) { mark.setAttribute("d", drawn[i]); return; }
      if (!is) return;
      const [x, y, w, h] = [(boxes[i][0] - left) / wide * width, (boxes[i][1] - top) / tall * height, boxes[i][2] / wide * width, boxes[i][3] / tall * height];
      mark.setAttribute("d", `M${x},${y}h${w}v${h}h${-w}Z`);
      const row = chart.rowOf.get(mark), room = Math.floor((w - 8) / 6.4);
      if (!row || h < 17 || room < 4) return;
      const parts = scopes(row.cells[chart.table.dataset.name].textContent), below = parts.slice(depth()).join("/");
      const text = below.length > room ? parts.at(-1) : below, label = document.createElementNS(svg.namespaceURI, "text");
      label.textContent = text.length > room ? text.slice(0, room - 1) + "…" : text;
      Object.entries({ x: x + 5, y: y + 14, fill: "var(--ink)", "font-size": 11, "font-weight": 600 }).forEach(([k, v]) => label.setAttribute(k, v));
      labels.append(label);
    });
    path.replaceChildren();
    for (let at = here; at > 0 || at === 0; at = areas[at][1]) {
      const button = make("button", at === 0 ? "whole model" : areas[at][0]);
      button.disabled = at === here;
      button.addEventListener("click", () => { here = at; layout(); });
      path.prepend(button);
    }
    path.hidden = here === 0;
  };
  group?.addEventListener("click", event => {
    const i = chart.marks.indexOf(event.target);
    if (i < 0) return;
    let area = areas.length - 1;
    while (area > 0 && !(areas[area][2] <= i && i < areas[area][3])) area -= 1;
    const next = area === here ? here : inside(area);
    if (next !== here && areas[next][3] - areas[next][2] > 1) { here = next; tip.hidden = true; layout(); }
    else choose(chart.table, chart.rowOf.get(event.target));
  });
  layout();
  addEventListener("resize", layout);
}

/* The page: light or dark, and the report as a file. */
const theme = document.getElementById("theme"), save = document.getElementById("save"), root = document.documentElement;
const dark = matchMedia("(prefers-color-scheme: dark)");
const label = () => {
  const now = root.dataset.theme ?? (dark.matches ? "dark" : "light");
  theme.textContent = now === "dark" ? "Light" : "Dark";
  return now;
};
theme.addEventListener("click", () => { root.dataset.theme = label() === "dark" ? "light" : "dark"; label(); });
dark.addEventListener("change", label);
label();
save.addEventListener("click", async () => {
  const held = document.getElementById("report"), text = held.textContent.trim();
  let data = new Blob([text + "\n"], { type: "application/json" });
  if (held.type !== "application/json") {
    const bytes = Uint8Array.from(atob(text), c => c.charCodeAt(0));
    const plain = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
    data = new Blob([plain + "\n"], { type: "application/json" });
  }
  const link = make("a");
  link.download = "convcost.json";
  link.href = URL.createObjectURL(data);
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
});
theme.hidden = save.hidden = false;
