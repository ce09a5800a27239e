// ---------------------------------------------------------------- over time

const CURVES = {
  right: { title: "share right after each write", x: "writes", level: null },
  retention: { title: "kept of a text by its age (ρ)", x: "writes since its own", level: 1 },
};
const timeBoard = () => view().time.find(({ board }) => board === byId("time-board").value);
const visibleLines = () => timeBoard().lines.filter((line) => fits(line.label));

// A cell whose colour is its value; the number stands in it where there is room.
function shade(value, written) {
  const cell = make("td", written && value !== null ? value.toFixed(2).replace(/^0/, "") : undefined);
  if (value !== null) {
    cell.style.setProperty("--heat", String(Math.min(1, Math.max(0, value))));
    cell.title = value.toFixed(2);
  }
  return cell;
}

function heat(head, rows, written, caption) {
  const table = make("table", undefined, { class: written ? "heat" : "heat small" });
  table.append(make("caption", caption, { class: "hidden" }), make("thead"), make("tbody"));
  const top = make("tr");
  for (const text of head) top.append(make("th", text, { scope: "col" }));
  table.tHead.append(top);
  for (const { name, values, mark, edge } of rows) {
    const row = make("tr", undefined, mark ? { class: "mark" } : {});
    row.append(make("th", name, { scope: "row" }));
    values.forEach((value, k) => {
      const cell = shade(value, written);
      if (edge !== undefined && k > edge) cell.className = "unwritten";
      row.append(cell);
    });
    table.tBodies[0].append(row);
  }
  return table;
}

function drawStrip() {
  const lines = visibleLines().filter((line) => line.right.length);
  const longest = Math.max(0, ...lines.map((line) => line.right.length));
  const step = Math.max(1, Math.ceil(longest / 24));
  const places = [];
  for (let k = 0; k < longest; k++) if (k % step === 0 || k === longest - 1) places.push(k);
  const rows = lines.map((line) => ({
    name: line.label, mark: line.mark, values: places.map((k) => line.right[k] ?? null),
  }));
  const head = ["method", ...places.map((k) => String(k + 1))];
  byId("strip").replaceChildren(heat(head, rows, true, "Share right after each write"));
  byId("strip").hidden = !lines.length;
}

function drawMatrix() {
  const line = timeBoard().lines.find(({ label }) => label === byId("matrix-method").value);
  if (!line) return;
  const { places } = line;
  const rows = line.matrix.map((values, t) => ({ name: String(places[t]), values, edge: t }));
  byId("matrix").replaceChildren(heat(["write", ...places.map(String)], rows, false, `Score of each text: ${line.label}`));
}

function curvesOf(kind) {
  const points = (line) => {
    if (kind === "right") return { x: line.right.map((_, k) => k + 1), y: line.right };
    if (kind === "retention") return { x: line.retention.map((_, k) => k), y: line.retention };
    return line.drift[kind] ?? { x: [], y: [] };
  };
  return dressed(timeBoard().lines)
    .map((look) => ({ ...look, ...points(look.line) }))
    .filter(({ line, y }) => y.length && fits(line.label));
}

function drawCurves() {
  const kind = byId("curve").value;
  const { drifts } = timeBoard();
  const what = CURVES[kind] ?? { title: drifts[kind][0], x: "writes", level: Number(drifts[kind][1]) };
  const data = [];
  for (const { line, x, y, colour: ink, symbol, dash } of curvesOf(kind)) {
    data.push({
      x, y, name: plain(line.label), mode: "lines+markers", line: { color: ink, dash, width: 1.6 },
      marker: { color: ink, symbol, size: 6 }, hoverinfo: "text",
      text: y.map((value, k) => `<b>${plain(line.label)}</b><br>${what.x} ${x[k]}: ${brief(value)}`),
    });
    if (kind === "retention" && line.theory.length) {
      data.push({
        x, y: line.theory, name: plain(`${line.label}: ${line.formula}`), mode: "lines", hoverinfo: "name",
        line: { color: ink, dash: "dot", width: 1.2 },
      });
    }
  }
  const level = what.level === null ? [] : [{
    type: "line", xref: "paper", x0: 0, x1: 1, y0: what.level, y1: what.level, line: { color: colour("soft"), width: 1 },
  }];
  const still = what.level === null ? "" : ` The level line, ${what.level}, is what loses and changes nothing.`;
  const theory = data.some(({ name }) => name.includes("^k"))
    ? " Dotted: theory, what a full pool keeps when each write replaces K of its N vectors at random." : "";
  draw("curves", data, {
    height: 330 + 20 * Math.ceil(data.length / 2), showlegend: true, shapes: level,
    legend: { orientation: "h", y: -0.22, yanchor: "top", font: { size: 11 } },
    xaxis: axis(what.x), yaxis: axis("", { rangemode: "tozero" }), margin: { l: 48, r: 12, t: 8, b: 40 },
  }, `${what.title[0].toUpperCase()}${what.title.slice(1)}.${still}${theory}`);
}

function drawTime() {
  const found = view().time.length > 0;
  byId("time-none").hidden = found;
  byId("time-shown").hidden = !found;
  byId("time-board").closest("p").hidden = view().time.length < 2;
  if (!found) return;
  drawStrip();
  drawCurves();
  drawMatrix();
}

function offerTime() {
  fill("time-board", view().time.map(({ board }) => [board, inShort(board)]));
  offerCurves();
}

function offerCurves() {
  const found = timeBoard();
  if (!found) return;
  const kinds = Object.entries(CURVES).filter(([kind]) => found.lines.some((line) => line[kind].length));
  const drifts = Object.entries(found.drifts).filter(([kind]) => found.lines.some((line) => line.drift[kind]));
  fill("curve", [...kinds.map(([kind, { title }]) => [kind, title]), ...drifts.map(([kind, [title]]) => [kind, title])]);
  fill("matrix-method", found.lines.filter((line) => line.matrix.length).map(({ label }) => [label, label]));
}
