// ---------------------------------------------------------------- score against cost

const LABELLED = 12;
const COSTS = {
  write: { title: "seconds to write a text", least: 0.01, text: (value) => `${brief(value)} s` },
  read: { title: "seconds a question", least: 0.01, text: (value) => `${brief(value)} s` },
  bytes: { title: "bytes of memory a text", least: 100, text: bytes },
};
const HEIGHT = 400;
const MARGIN = { l: 56, r: 16, t: 12, b: 48 };
const NEAR = 9; // pixels between a point and its name
const OFFSETS = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];

const pen = document.createElement("canvas").getContext("2d");

function widthOf(text) {
  pen.font = "12px sans-serif";
  return pen.measureText(text).width * 1.05 + 4;
}

const overlap = (a, b) =>
  Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0])) * Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));

// How much of the line from a point to the middle of its name other boxes cover, in steps of a tenth.
function crossed({ x, y }, box, others) {
  const middle = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
  let count = 0;
  for (let k = 1; k < 10; k++) {
    const [h, v] = [x + ((middle[0] - x) * k) / 10, y + ((middle[1] - y) * k) / 10];
    count += others.some((other) => h > other[0] && h < other[2] && v > other[1] && v < other[3]);
  }
  return count;
}

// A place for the name of each point where it covers no other name and no point, else where it covers least.
function placeNames(points, lines, width, height) {
  const dots = points.map(({ x, y }) => [x - 6, y - 6, x + 6, y + 6]);
  const bars = [...points.map(({ x, high, low }) => [x - 2, high, x + 2, low]), ...lines];
  const taken = [];
  return points.map((point, own) => {
    const { x, y, name } = point;
    const wide = widthOf(name), tall = 15;
    let best = null;
    for (const far of [NEAR, 22, 38, 56, 76, 100]) {
      for (const [h, v] of OFFSETS) {
        const left = x + h * far + (h > 0 ? 0 : h < 0 ? -wide : -wide / 2);
        const top = y + v * far + (v > 0 ? 0 : v < 0 ? -tall : -tall / 2);
        const box = [left, top, left + wide, top + tall];
        const outside = Math.max(0, -left, left + wide - width, -top, top + tall - height);
        let cost = far * 0.6 + outside * 500;
        if (far > NEAR) cost += crossed(point, box, taken) * 40;
        for (const other of taken) cost += overlap(box, other) * 4;
        for (const bar of bars) cost += overlap(box, bar) * 2;
        dots.forEach((dot, k) => { if (k !== own) cost += overlap(box, dot) * 4; });
        if (!best || cost < best.cost) best = { cost, box, far };
      }
    }
    taken.push(best.box);
    return { x: (best.box[0] + best.box[2]) / 2 - x, y: (best.box[1] + best.box[3]) / 2 - y, far: best.far };
  });
}

// Points that nothing visible beats in score and cost at once; floor and reference do not compete.
function frontOf(points, lower) {
  const better = (a, b) => (lower ? a < b : a > b);
  const rivals = points.filter((point) => !point.mark).sort((a, b) => a.cost - b.cost || (better(a.value, b.value) ? -1 : 1));
  const front = [];
  for (const point of rivals) if (!front.length || better(point.value, front.at(-1).value)) front.push(point);
  return front;
}

function pointText(point, score) {
  const ends = point.low === null ? "" : ` [${point.low.toFixed(2)}, ${point.high.toFixed(2)}]`;
  const lines = [`<b>${plain(point.label)}</b>`, `${score.metric} ${point.value.toFixed(2)}${ends}`];
  for (const [name, cost] of Object.entries(COSTS)) {
    if (point[name] !== null) lines.push(`${cost.text(point[name])} ${cost.title.replace(/^(seconds|bytes) /, "")}`);
  }
  if (point.unseeded) lines.push("one seed: not ranked");
  return lines.join("<br>");
}

// Where scores and costs stand in a drawing of this size, in pixels.
function frameOf(points, least, wide, tall) {
  const scale = costScale(points.map((point) => point.cost), least);
  const values = points.flatMap((point) => [point.value, point.low ?? point.value, point.high ?? point.value]);
  const top = Math.max(0.1, ...values) * 1.08;
  const bottom = Math.min(0, ...values) - top * 0.03;
  const left = -0.08 * Math.max(1, scale.end), right = scale.end * 1.08 + 0.1;
  return {
    scale, wide, tall, x: [left, right], y: [bottom, top],
    across: (cost) => ((scale.place(cost) - left) / (right - left)) * wide,
    down: (value) => (1 - (value - bottom) / (top - bottom)) * tall,
  };
}

function namesOf(points, front, { scale, across, down, wide, tall }) {
  const places = points.slice(0, LABELLED).map((point) => ({
    x: across(point.cost), y: down(point.value), high: down(point.high ?? point.value),
    low: down(point.low ?? point.value), name: bare(point.method),
  }));
  const steps = front.map((point, k) => {
    const end = k + 1 < front.length ? across(front[k + 1].cost) : wide;
    return [across(point.cost), down(point.value) - 2, end, down(point.value) + 2];
  });
  return placeNames(places, steps, wide, tall).map((place, k) => ({
    x: scale.place(points[k].cost), y: points[k].value, text: plain(places[k].name), ax: place.x, ay: place.y,
    showarrow: true, arrowhead: 0, arrowwidth: 0.8, standoff: 6, borderpad: 0,
    arrowcolor: place.far > NEAR ? colour("soft") : "rgba(0,0,0,0)",
    font: { color: points[k].mark ? colour("soft") : colour("ink"), size: 12 },
  }));
}

function marksOf(points, front, score, { scale, x }) {
  const styles = points.map((point) => looks(point));
  const line = {
    x: [...front.map((point) => scale.place(point.cost)), x[1]],
    y: [...front, ...front.slice(-1)].map((point) => point.value), mode: "lines",
    line: { color: colour("accent"), width: 1.5, shape: "hv" }, hoverinfo: "skip",
  };
  const dots = {
    x: points.map((point) => scale.place(point.cost)), y: points.map((point) => point.value), mode: "markers",
    hoverinfo: "text", text: points.map((point) => pointText(point, score)),
    marker: { size: 9, color: styles.map((style) => style.colour), symbol: styles.map((style) => style.symbol) },
    error_y: {
      type: "data", symmetric: false, thickness: 0.8, width: 0, color: colour("soft"),
      array: points.map((point) => (point.high ?? point.value) - point.value),
      arrayminus: points.map((point) => point.value - (point.low ?? point.value)),
    },
  };
  return [line, dots];
}

function drawScatter() {
  const score = view().scores.find(({ board }) => board === byId("scatter-score").value);
  const name = byId("scatter-cost").value;
  const cost = COSTS[name];
  const points = score.points
    .filter((point) => point.main && point[name] !== null && (fits(point.label) || fits(point.method)))
    .map((point) => ({ ...point, cost: point[name] }));
  const drawing = byId("scatter").querySelector(".drawing");
  const wide = Math.max(200, drawing.clientWidth - MARGIN.l - MARGIN.r);
  const frame = frameOf(points, cost.least, wide, HEIGHT - MARGIN.t - MARGIN.b);
  const front = frontOf(points, score.lower);
  const { scale } = frame;
  const ticks = scale.ticks.map((tick, k) => `${k ? "" : "≤ "}${name === "bytes" ? bytes(tick) : brief(tick)}`);
  const better = score.lower ? ", lower is better" : "";
  draw("scatter", marksOf(points, front, score, frame), {
    height: HEIGHT, margin: MARGIN, annotations: namesOf(points, front, frame),
    xaxis: axis(cost.title, { range: frame.x, tickvals: scale.ticks.map(scale.place), ticktext: ticks }),
    yaxis: axis(`${score.metric === "contains" ? "share right" : score.metric}${better}`, { range: frame.y }),
  }, "The line is the front: nothing shown is as good and cheaper, or better and as cheap. Upright lines are 95 % intervals.");
}

function offerScores() {
  fill("scatter-score", view().scores.map(({ board }) => [board, inShort(board)]));
}
