// ---------------------------------------------------------------- sorting

const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, "%": 1 };
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

function sortRows(table, column, up) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, k) => head.setAttribute("aria-sort", k !== column ? "none" : up ? "ascending" : "descending"));
  const text = (row) => row.cells[column].textContent.trim();
  const byText = (a, b) => (up ? 1 : -1) * text(a).localeCompare(text(b));
  const rows = [...table.tBodies[0].rows];
  rows.sort(column === 0 ? byText : (a, b) => compare(text(a), text(b), up));
  table.tBodies[0].append(...rows);
}

// Names go up at the first click, numbers down.
function clicked(table, head) {
  const column = head.cellIndex;
  const before = head.getAttribute("aria-sort");
  const up = before === "none" ? column === 0 : before === "descending";
  sortRows(table, column, up);
  if (table.classList.contains("short")) {
    state.sort = `${head.textContent.trim()}${up ? " up" : ""}`;
    writeAddress();
  }
}

function sortable(table, head) {
  const button = make("button", head.textContent, { type: "button" });
  for (const name of ["title", "aria-describedby"]) {
    if (head.hasAttribute(name)) button.setAttribute(name, head.getAttribute(name));
    head.removeAttribute(name);
  }
  head.replaceChildren(button);
  head.setAttribute("aria-sort", "none");
  button.addEventListener("click", () => clicked(table, head));
}

// ---------------------------------------------------------------- the short table

const shortTable = () => document.querySelector(`#overview .view[data-view="${viewPlace()}"] table.short`);

// Every column of the tables below that the short one may take: [key, table, its grid, place].
function columnsToChoose() {
  const found = [];
  for (const grid of all(`.view[data-view="${viewPlace()}"] table[data-board]`)) {
    const heads = [...grid.tHead.rows[0].cells].slice(1);
    heads.forEach((head, k) => found.push({
      key: `${grid.dataset.board} ${head.textContent.trim()}`, board: grid.dataset.board, grid, place: k + 1,
      head: head.textContent.trim(),
    }));
  }
  return found;
}

function offerColumns() {
  const groups = new Map();
  for (const column of columnsToChoose()) {
    if (!groups.has(column.board)) {
      const group = make("fieldset");
      group.append(make("legend", titles.get(column.board)));
      groups.set(column.board, group);
    }
    const label = make("label");
    const box = make("input", undefined, { type: "checkbox", value: column.key });
    box.checked = state.columns.includes(column.key);
    label.append(box, ` ${column.head}`);
    groups.get(column.board).append(label);
  }
  byId("choices").replaceChildren(...groups.values());
}

// The short table with the chosen columns behind its own; their texts are those of the tables below.
function addColumns() {
  const table = shortTable();
  for (const cell of all(".added", table)) cell.remove();
  for (const { key, board, grid, place, head } of columnsToChoose()) {
    if (!state.columns.includes(key)) continue;
    const top = make("th", `${taskOf(board)} ${head}`, { scope: "col", role: "columnheader", class: "added" });
    table.tHead.rows[0].append(top);
    sortable(table, top);
    for (const row of table.tBodies[0].rows) {
      const own = JSON.parse(row.dataset.places)[board];
      const source = own === undefined ? null : grid.querySelector(`tr[data-place="${own}"]`);
      const text = source ? source.cells[place].textContent : "–";
      row.append(make("td", text, { role: "cell", class: "added", "data-head": top.textContent }));
    }
  }
  const [, name, up] = /^(.*?)( up)?$/.exec(state.sort);
  const head = [...table.tHead.rows[0].cells].find((cell) => cell.textContent.trim() === name);
  if (state.sort && head) sortRows(table, head.cellIndex, Boolean(up));
}

// A cell of a spreadsheet that begins with one of these would be read as a formula.
const guarded = (text) => (/^[=+\-@\t\r]/.test(text) && isNaN(numberOf(text)) ? `'${text}` : text);
const quoted = (text) => `"${guarded(text.trim()).replaceAll('"', '""')}"`;

function csvOf(table) {
  const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
  return `${rows.map((row) => [...row.cells].map((cell) => quoted(cell.textContent)).join(",")).join("\n")}\n`;
}

function download(name, address) {
  const link = make("a", undefined, { href: address, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

function downloadTable() {
  const address = URL.createObjectURL(new Blob([csvOf(shortTable())], { type: "text/csv" }));
  download("membench.csv", address);
  setTimeout(() => URL.revokeObjectURL(address), 1000);
}

// ---------------------------------------------------------------- the filter

const wanted = () => folded(byId("search").value.trim());
const fits = (label) => folded(label).includes(wanted());

// Hides the rows of other methods and cells of other data, and what is then empty.
function filterRows() {
  const at = byId("view").value;
  for (const row of all("[data-label]")) {
    row.hidden = !fits(row.dataset.label) || ("at" in row.dataset && !row.dataset.at.split("\n").includes(at));
  }
  for (const grid of all(".panel .scroll:has(> table)")) {
    const rows = all("tbody tr", grid);
    grid.hidden = rows.length > 0 && rows.every((row) => row.hidden);
    if (/^H[34]$/.test(grid.previousElementSibling?.tagName)) grid.previousElementSibling.hidden = grid.hidden;
  }
  for (const board of all(".board")) board.hidden = all(".scroll", board).every((grid) => grid.hidden);
  const rows = [...shortTable().tBodies[0].rows];
  byId("count").textContent = `${rows.filter((row) => !row.hidden).length} of ${rows.length} methods`;
}
