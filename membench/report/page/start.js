// ---------------------------------------------------------------- tabs, the view, and what follows from a choice

const tabs = all('[role="tab"]');
const panels = all(".panel");
const DRAWN = { overview: drawScatter, time: drawTime, risks: () => {}, costs: drawCosts, answers: showAnswers, provenance: () => {} };

function drawPart() {
  DRAWN[state.tab]();
}

function showTab(id) {
  state.tab = id in DRAWN ? id : "overview";
  for (const panel of panels) panel.hidden = panel.id !== state.tab;
  for (const tab of tabs) {
    const on = tab.getAttribute("aria-controls") === state.tab;
    tab.setAttribute("aria-selected", String(on));
    tab.tabIndex = on ? 0 : -1;
  }
  drawPart();
}

function showView() {
  for (const part of all(".view")) part.hidden = Number(part.dataset.view) !== viewPlace();
  offerScores();
  usual("scatter-cost", "write");
  offerTime();
  offerCosts();
  offerAnswers();
  offerColumns();
  addColumns();
  filterRows();
}

// An element of the page that the address names: its tab and its data come to the fore.
function showPlace(id) {
  const place = byId(id);
  if (!place) return;
  const at = place.closest(".view")?.dataset.view ?? views.findIndex(({ title }) => place.dataset.at?.split("\n").includes(title));
  if (views[at] && Number(at) !== viewPlace()) {
    byId("view").value = views[at].title;
    showView();
  }
  const panel = place.closest(".panel");
  if (panel) showTab(panel.id);
  for (let part = place; part; part = part.parentElement) if (part.tagName === "DETAILS") part.open = true;
  place.scrollIntoView();
}

function followAddress() {
  const place = readAddress();
  usual("view", views[0].title);
  if (!views.some(({ title }) => title === byId("view").value)) byId("view").value = views[0].title;
  usual("search", "");
  showView();
  showTab(state.tab);
  asked = new URLSearchParams();
  if (place) showPlace(place);
}

function chose({ target }) {
  if (target.closest("#choices")) {
    state.columns = all("#choices input:checked").map((box) => box.value);
    addColumns();
    filterRows();
  }
  if (target.id === "view") {
    state.columns = [];
    state.sort = "";
    showView();
  }
  if (target.id === "search") filterRows();
  if (target.id === "time-board") offerCurves();
  if (target.id === "answer-table") offerMethods();
  first = 0;
  writeAddress();
  drawPart();
}

function pressed(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1, Home: -tabs.length, End: tabs.length }[event.key];
  if (!step) return;
  event.preventDefault();
  const now = tabs.indexOf(event.target);
  const next = event.key.startsWith("Arrow") ? (now + step + tabs.length) % tabs.length : step < 0 ? 0 : tabs.length - 1;
  tabs[next].focus();
  tabs[next].click();
}

for (const table of all("table.sortable")) for (const head of [...table.tHead.rows[0].cells]) sortable(table, head);
for (const hidden of all(".tools[hidden], .tabs[hidden], #theme")) hidden.hidden = false;
for (const tab of tabs) {
  tab.addEventListener("click", () => {
    showTab(tab.getAttribute("aria-controls"));
    writeAddress();
  });
  tab.addEventListener("keydown", pressed);
}
for (const form of all("form")) form.addEventListener("submit", (event) => event.preventDefault());
for (const button of all("[data-export]")) button.addEventListener("click", exported);
document.addEventListener("input", chose);
byId("csv").addEventListener("click", downloadTable);
byId("answer-back").addEventListener("click", () => turn(-1));
byId("answer-next").addEventListener("click", () => turn(1));
themeButton.addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  nameTheme();
  drawPart();
});
preferred.addEventListener("change", () => {
  nameTheme();
  drawPart();
});
window.addEventListener("hashchange", followAddress);
let width = window.innerWidth;
window.addEventListener("resize", () => {
  if (window.innerWidth === width) return;
  width = window.innerWidth;
  drawPart();
});
nameTheme();
followAddress();
