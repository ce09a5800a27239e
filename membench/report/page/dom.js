"use strict";

// All text from results goes through textContent or `plain`: it is never read as HTML.

const byId = (id) => document.getElementById(id);
const all = (selector, below = document) => [...below.querySelectorAll(selector)];
const folded = (text) => text.toLowerCase();

function make(name, text, attributes = {}) {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

// ---------------------------------------------------------------- state in the address

// What a reader chose, by the ids of the controls; beside them `tab`, `columns` and `sort`.
const KEPT = ["view", "search", "scatter-score", "scatter-cost", "time-board", "curve", "matrix-method", "cost-board",
  "texts", "questions", "least", "answer-table", "answer-search", "answer-method", "answer-outcome", "answer-held"];
const state = { tab: "overview", columns: [], sort: "" };
let asked = new URLSearchParams(); // what the address asks for while controls are filled

function readAddress() {
  const text = location.hash.slice(1);
  asked = new URLSearchParams(text.includes("=") ? text : "");
  state.tab = asked.get("tab") || (text.includes("=") ? "overview" : state.tab);
  state.columns = asked.getAll("column");
  state.sort = asked.get("sort") || "";
  return text && !text.includes("=") ? decodeURIComponent(text) : "";
}

function writeAddress() {
  const found = new URLSearchParams();
  if (state.tab !== "overview") found.set("tab", state.tab);
  for (const id of KEPT) {
    const control = byId(id);
    if (control.value !== "" && control.value !== control.dataset.usual) found.set(id, control.value);
  }
  for (const column of state.columns) found.append("column", column);
  if (state.sort) found.set("sort", state.sort);
  history.replaceState(null, "", `#${found}`.replace(/^#$/, location.pathname));
}

// Puts options of [value, text] into a select; what the address asks for is chosen, else the first.
function fill(id, options) {
  const select = byId(id);
  select.replaceChildren(...options.map(([value, text]) => make("option", text, { value })));
  const values = options.map(([value]) => value);
  select.dataset.usual = values[0] ?? "";
  const wanted = asked.get(id);
  if (wanted !== null && values.includes(wanted)) select.value = wanted;
}

function usual(id, value) {
  const control = byId(id);
  control.dataset.usual = value;
  control.value = asked.get(id) ?? value;
}

// ---------------------------------------------------------------- theme

const themeButton = byId("theme");
const preferred = window.matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (preferred.matches ? "dark" : "light")) === "dark";
const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function nameTheme() {
  themeButton.textContent = isDark() ? "Light theme" : "Dark theme";
}

// ---------------------------------------------------------------- numbers as text

const grouped = (value) => Math.round(value).toLocaleString("en-US");

function brief(value) {
  if (value === null || value === undefined) return "–";
  if (value >= 1000) return grouped(Number(value.toPrecision(3)));
  return String(Number(value.toPrecision(value < 1 ? 2 : 3)));
}

function bytes(value) {
  if (value === null || value === undefined) return "–";
  let left = value;
  for (const unit of ["B", "kB", "MB"]) {
    if (Math.abs(left) < 999.5) return `${Number(left.toPrecision(3))} ${unit}`;
    left /= 1000;
  }
  return `${Number(left.toPrecision(3))} GB`;
}
