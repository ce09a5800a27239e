"use strict";

// Sorting, filtering and the answers. All text from results goes through textContent: it is never read as HTML.

const PAGE = 20;
const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, "%": 1 };
const byId = (id) => document.getElementById(id);

function make(name, text, attributes = {}) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// ---------------------------------------------------------------- theme

const themeButton = byId("theme");
const preferred = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (preferred.matches ? "dark" : "light")) === "dark";
const nameTheme = () => { themeButton.textContent = isDark() ? "Light theme" : "Dark theme"; };
themeButton.hidden = false;
themeButton.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
});
preferred.addEventListener("change", nameTheme);
nameTheme();

// ---------------------------------------------------------------- tables

const DATE = /^\d{4}-\d\d-\d\d/;
const BEYOND = 1e-6; // that ">19" lies above 19

// "8.66 MB ±…" as 8660000; what begins with no number sorts last, in both directions.
function numberOf(text) {
  const match = /^\s*(>?)\s*([+-]?[\d.]+(?:e[+-]?\d+)?)\s*([kMG]?B|%)?/i.exec(text);
  if (!match) return NaN;
  return parseFloat(match[2]) * (UNITS[match[3]] || 1) + (match[1] ? BEYOND : 0);
}

function compare(a, b, up) {
  if (DATE.test(a) && DATE.test(b)) return up ? a.localeCompare(b) : b.localeCompare(a);
  const x = numberOf(a), y = numberOf(b);
  if (isNaN(x) || isNaN(y)) {
    if (!isNaN(x) || !isNaN(y)) return isNaN(x) ? 1 : -1;
    return up ? a.localeCompare(b) : b.localeCompare(a);
  }
  return up ? x - y : y - x;
}

function sortBy(table, column, head) {
  const up = head.getAttribute("aria-sort") === "descending" || (column === 0 && head.getAttribute("aria-sort") === "none");
  for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
  head.setAttribute("aria-sort", up ? "ascending" : "descending");
  const text = (row) => row.cells[column].textContent.trim();
  const byText = (a, b) => (up ? 1 : -1) * text(a).localeCompare(text(b));
  const rows = [...table.tBodies[0].rows];
  rows.sort(column === 0 ? byText : (a, b) => compare(text(a), text(b), up));
  table.tBodies[0].append(...rows);
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    const button = make("button", head.textContent, { type: "button" });
    for (const name of ["title", "aria-describedby"]) {
      if (head.hasAttribute(name)) button.setAttribute(name, head.getAttribute(name));
      head.removeAttribute(name);
    }
    head.replaceChildren(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => sortBy(table, column, head));
  });
}

// ---------------------------------------------------------------- filters

const filters = byId("filters");
filters.hidden = false;
const boards = [...document.querySelectorAll(".board")];
const folded = (text) => text.toLowerCase();

function filterBoards() {
  const wanted = folded(byId("filter-method").value.trim());
  let rows = 0, shown = 0;
  for (const board of boards) {
    board.hidden = ["task", "data", "model"].some((name) => {
      const value = byId(`filter-${name}`).value;
      return value && value !== board.dataset[name];
    });
    shown += !board.hidden;
    const names = new Set();
    for (const row of board.querySelectorAll("table.sortable tbody tr")) {
      row.hidden = !folded(row.cells[0].textContent).includes(wanted);
      if (!row.hidden) names.add(row.cells[0].textContent);
    }
    if (!board.hidden) rows += names.size;
  }
  byId("filter-count").textContent = `${shown} of ${boards.length} tables, ${rows} rows`;
}

for (const name of ["task", "data", "model"]) {
  const select = byId(`filter-${name}`);
  for (const value of new Set(boards.map((board) => board.dataset[name]))) select.append(make("option", value));
}
filters.addEventListener("input", filterBoards);
filters.addEventListener("submit", (event) => event.preventDefault());
filterBoards();

// ---------------------------------------------------------------- answers

const { strings, tables } = JSON.parse(byId("answer-data").textContent);
const form = byId("answer-filters");
const list = byId("answer-list");
const [tableSelect, methodSelect] = [byId("answer-table"), byId("answer-method")];
const [outcomeSelect, heldSelect, search] = [byId("answer-outcome"), byId("answer-held"), byId("answer-search")];
let first = 0;

const isRight = (answer) => answer[2] !== null && answer[2] >= 1;
const fits = {
  any: () => true,
  right: isRight,
  wrong: (answer) => !isRight(answer),
};

function chosen(question) {
  const [, , , answers] = question;
  const row = methodSelect.value === "" ? null : Number(methodSelect.value);
  return answers.filter((answer) =>
    (row === null || answer[0] === row)
    && fits[outcomeSelect.value](answer)
    && (heldSelect.value === "" || String(answer[5]) === heldSelect.value));
}

function mentions(question, answers, words) {
  const [context, text, gold] = question;
  const whole = folded([context, text, ...gold, ...answers.map((answer) => answer[1])].map((k) => strings[k]).join("\n"));
  return words.every((word) => whole.includes(word));
}

function stateOf([, , , from, to, held], sequence) {
  const writes = from === to ? `${from}` : `${from}–${to}`;
  const when = sequence ? (to === 0 ? ", before any write" : `, after write ${writes}`) : "";
  return (held ? "written" : "not written") + when;
}

function card(question, answers, table, sequence) {
  const [context, text, gold] = question;
  const item = make("li");
  item.append(make("p", strings[text], { class: "asked", dir: "auto" }));
  const facts = make("p", undefined, { class: "note" });
  facts.append("accepted: ", make("strong", gold.map((k) => strings[k]).join(" / "), { dir: "auto" }));
  facts.append(` · context ${strings[context]}`);
  const grid = make("table");
  const head = make("tr");
  for (const name of ["method", "answer", table.score, "context"]) head.append(make("th", name, { scope: "col" }));
  grid.append(make("thead"), make("tbody"));
  grid.tHead.append(head);
  for (const answer of answers) {
    const row = make("tr", undefined, { class: isRight(answer) ? "right" : "wrong" });
    const score = answer[2] === null ? "–" : answer[2] >= 1 ? "✓ 1" : answer[2] > 0 ? answer[2].toFixed(2) : "✗ 0";
    row.append(
      make("th", table.rows[answer[0]], { scope: "row" }),
      make("td", strings[answer[1]] || "(empty)", { class: "answer", dir: "auto" }),
      make("td", score),
      make("td", stateOf(answer, sequence)),
    );
    grid.tBodies[0].append(row);
  }
  const scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": strings[text] });
  scroll.append(grid);
  item.append(facts, scroll);
  return item;
}

function showAnswers() {
  const table = tables[tableSelect.value];
  const words = folded(search.value).split(/\s+/).filter(Boolean);
  const found = [];
  for (const question of table.questions) {
    const answers = chosen(question);
    if (answers.length && mentions(question, answers, words)) found.push([question, answers]);
  }
  first = Math.min(first, Math.max(0, Math.floor((found.length - 1) / PAGE) * PAGE));
  const times = new Set(table.questions.flatMap((question) => question[3].map((answer) => answer[3])));
  const shown = found.slice(first, first + PAGE);
  list.replaceChildren(...shown.map(([question, answers]) => card(question, answers, table, times.size > 2)));
  byId("answer-count").textContent = found.length
    ? `questions ${first + 1} to ${first + shown.length} of ${found.length}`
    : "no question matches";
  byId("answer-back").disabled = first === 0;
  byId("answer-next").disabled = first + PAGE >= found.length;
}

function chooseTable() {
  const rows = tables[tableSelect.value].rows.map((label, row) => make("option", label, { value: String(row) }));
  methodSelect.replaceChildren(make("option", "all", { value: "" }), ...rows);
}

function turn(pages) {
  first = Math.max(0, first + pages * PAGE);
  showAnswers();
  byId("answers").scrollIntoView();
}

tables.forEach((table, k) => tableSelect.append(make("option", table.title, { value: String(k) })));
tableSelect.addEventListener("input", chooseTable);
form.addEventListener("input", () => { first = 0; showAnswers(); });
form.addEventListener("submit", (event) => event.preventDefault());
byId("answer-back").addEventListener("click", () => turn(-1));
byId("answer-next").addEventListener("click", () => turn(1));
form.hidden = false;
chooseTable();

// The answers are built when they come near the window, so that a long page opens at once.
new IntersectionObserver((seen, observer) => {
  if (seen.some((entry) => entry.isIntersecting)) {
    observer.disconnect();
    showAnswers();
  }
}, { rootMargin: "600px" }).observe(byId("answers"));
