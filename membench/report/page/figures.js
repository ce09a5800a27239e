// ---------------------------------------------------------------- what all figures share

const views = JSON.parse(byId("figure-data").textContent);
const viewPlace = () => Math.max(0, views.findIndex((view) => view.title === byId("view").value));
const view = () => views[viewPlace()];
const titles = new Map(all(".board").map((board) => [board.id, board.querySelector("h3").textContent]));
// Of a table of this view, what its title says beside data and model.
const inShort = (board) => titles.get(board).split(" · ").filter((_, k) => k !== 1 && k !== 2).join(" · ");
const taskOf = (board) => (titles.get(board) || "").split(" · ")[0];

// Plotly reads <b> and its like in texts; these stay what they are.
const plain = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
const bare = (name) => name.replace(/ \([^)]*\)$/, "");

const SYMBOLS = ["circle", "square", "diamond", "x", "triangle-up", "triangle-down", "cross"];
const DASHES = ["solid", "dash", "dashdot", "dot", "longdash"];
const COLOURS = ["s0", "s1", "s2", "s3", "s4", "s5"];
const order = new Map(); // of a method on the whole page, so that it looks the same in every figure
for (const { scores } of views) {
  for (const point of scores.flatMap((score) => score.points)) {
    if (!order.has(point.method)) order.set(point.method, order.size);
  }
}

// Never the colour alone; `variant` counts the settings of one method in a figure.
function looks(line, variant = 0) {
  const k = order.get(line.method) ?? 0;
  if (line.mark) return { colour: colour("soft"), symbol: "diamond-open", dash: "dot" };
  return { colour: colour(COLOURS[k % 6]), symbol: SYMBOLS[k % 7], dash: DASHES[variant % 5] };
}

// Each line with how it looks beside the others.
function dressed(lines) {
  const seen = new Map();
  return lines.map((line) => {
    const variant = seen.get(line.method) ?? 0;
    seen.set(line.method, variant + 1);
    return { line, ...looks(line, variant) };
  });
}

const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

function axis(title, more = {}) {
  return {
    title: { text: title, standoff: 8 }, gridcolor: colour("rule"), linecolor: colour("rule"), zeroline: false,
    tickfont: { color: colour("soft") }, fixedrange: true, ...more,
  };
}

function layout(more) {
  return {
    font: { family: FONT, size: 12, color: colour("ink") }, paper_bgcolor: colour("paper"),
    plot_bgcolor: colour("paper"), margin: { l: 56, r: 16, t: 8, b: 48 }, showlegend: false,
    hoverlabel: { bgcolor: colour("panel"), bordercolor: colour("rule"), font: { color: colour("ink"), family: FONT } },
    hovermode: "closest", dragmode: false, ...more,
  };
}

function draw(id, data, more, caption) {
  const figure = byId(id);
  const drawing = figure.querySelector(".drawing");
  figure.querySelector("figcaption").textContent = caption;
  return Plotly.react(drawing, data, layout(more), { displayModeBar: false, responsive: true });
}

function exported(event) {
  const figure = event.target.closest("figure");
  const drawing = figure.querySelector(".drawing");
  const { width, height } = drawing.getBoundingClientRect();
  const options = { format: event.target.dataset.export, width, height, scale: 2 };
  Plotly.toImage(drawing, options).then((address) => download(`membench-${figure.id}.${options.format}`, address));
}

// Where a cost stands along an axis: decades above `least`, what is below it at its left end.
function costScale(values, least) {
  const most = Math.max(least * 10, ...values);
  const place = (value) => Math.log10(Math.max(value, least) / least);
  const ticks = [];
  for (let k = 0; k <= Math.ceil(place(most)); k++) ticks.push(least * 10 ** k);
  return { place, end: place(most), ticks };
}
