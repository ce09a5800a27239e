// ---------------------------------------------------------------- costs

const STEPS = 240; // of the slider of texts
const PER_DECADE = 12; // steps of the slider of questions
const FAR = 10; // times the texts that were measured: no bill is drawn up beyond

const costBoard = () => view().scores.find(({ board }) => board === byId("cost-board").value);
const textCount = () => Math.round((FAR * costBoard().contexts) ** (Number(byId("texts").value) / STEPS));
const questionCount = () => Math.round(10 ** (Number(byId("questions").value) / PER_DECADE));
const secondsOf = (point, texts, questions) => texts * point.write + questions * point.read;

function payers() {
  const least = Number(byId("least").value);
  const { lower } = costBoard();
  return costBoard().points.filter((point) =>
    !point.mark && point.main && point.write !== null && point.read !== null && fits(point.label)
    && (lower ? point.value <= least || least === 0 : point.value >= least));
}

// Who costs least from how many questions on: the lower envelope of the bills.
function cheapest(points, texts) {
  const spans = [];
  let questions = 0;
  let now = points.reduce((a, b) => {
    const [x, y] = [texts * a.write, texts * b.write];
    return y < x || (y === x && b.read < a.read) ? b : a;
  });
  for (;;) {
    const later = points
      .filter((point) => point.read < now.read)
      .map((point) => ({ point, at: (texts * (point.write - now.write)) / (now.read - point.read) }))
      .sort((a, b) => a.at - b.at || a.point.read - b.point.read);
    spans.push({ point: now, from: questions });
    if (!later.length) return spans;
    questions = later[0].at;
    now = later[0].point;
  }
}

function spoken(spans) {
  if (spans.length === 1) return `${bare(spans[0].point.method)} costs least whatever is asked`;
  return spans.map(({ point, from }, k) => {
    const name = bare(point.method);
    if (k === 0) return `${name} costs least up to ${grouped(spans[1].from)} questions`;
    return k === spans.length - 1
      ? `${name} from ${grouped(from)} on` : `${name} from ${grouped(from)} to ${grouped(spans[k + 1].from)}`;
  }).join(", ");
}

function drawBills(points, texts, questions) {
  const bills = points.map((point) => ({ point, seconds: secondsOf(point, texts, questions) }));
  bills.sort((a, b) => a.seconds - b.seconds);
  const most = Math.max(...bills.map(({ seconds }) => seconds));
  const table = make("table", undefined, { class: "bills" });
  table.append(make("caption", "Seconds in all", { class: "hidden" }), make("thead"), make("tbody"));
  const top = make("tr");
  for (const text of ["method", "seconds in all", "of them writing", "memory", "score"]) {
    top.append(make("th", text, { scope: "col" }));
  }
  table.tHead.append(top);
  for (const { point, seconds } of bills) {
    const row = make("tr");
    const bill = make("td", brief(seconds), { class: "bar" });
    bill.style.setProperty("--share", String(most ? seconds / most : 0));
    const writing = seconds ? `${Math.round((100 * texts * point.write) / seconds)} %` : "–";
    const memory = point.bytes === null ? "–" : bytes(point.bytes * texts);
    row.append(make("th", point.label, { scope: "row" }), bill, make("td", writing), make("td", memory),
      make("td", point.value.toFixed(2)));
    table.tBodies[0].append(row);
  }
  byId("bills").replaceChildren(table);
}

function drawAmortised(points, texts, questions) {
  const places = [];
  for (let k = 0; k <= 24; k++) places.push(10 ** (k / 4));
  const data = dressed(points).map(({ line: point, colour: ink, symbol, dash }, shift) => {
    const y = places.map((count) => secondsOf(point, texts, count));
    return {
      x: places, y, name: plain(point.label), mode: "lines+markers", line: { color: ink, dash, width: 1.6 }, hoverinfo: "text",
      text: places.map((count, k) => `<b>${plain(point.label)}</b><br>${grouped(count)} questions: ${brief(y[k])} s`),
      marker: { color: ink, symbol, size: places.map((_, k) => ((k + shift) % 4 ? 0 : 7)) },
    };
  });
  const now = {
    type: "line", yref: "paper", y0: 0, y1: 1, x0: questions, x1: questions, line: { color: colour("soft"), width: 1 },
  };
  draw("amortised", data, {
    height: 340 + 20 * Math.ceil(data.length / 2), showlegend: true, shapes: [now],
    legend: { orientation: "h", y: -0.22, yanchor: "top", font: { size: 11 }, itemsizing: "constant" }, margin: { l: 60, r: 12, t: 8, b: 40 },
    xaxis: axis("questions in all", { type: "log", dtick: 1 }), yaxis: axis("seconds in all", { type: "log", dtick: 1 }),
  }, "Level lines are paid at the write, rising ones at each question. The upright line is what the slider says.");
}

function drawCosts() {
  const [texts, questions] = [textCount(), questionCount()];
  byId("texts-shown").textContent = grouped(texts);
  byId("questions-shown").textContent = grouped(questions);
  byId("least-shown").textContent = Number(byId("least").value).toFixed(2);
  const points = payers();
  byId("even").textContent = points.length
    ? `To write ${grouped(texts)} text${texts === 1 ? "" : "s"}: ${spoken(cheapest(points, texts))}.`
    : "No method with such a score has both costs.";
  for (const part of all("[data-of]")) part.hidden = part.dataset.of !== costBoard().board;
  for (const id of ["bills", "amortised"]) byId(id).hidden = !points.length;
  const { contexts } = costBoard();
  byId("cost-range").textContent = `Measured with ${grouped(contexts)} texts; seconds are taken to grow with texts and `
    + `questions, and the slider ends at ${FAR} times what was measured.`;
  if (!points.length) return;
  drawBills(points, texts, questions);
  drawAmortised(points, texts, questions);
}

function offerCosts() {
  fill("cost-board", view().scores.map(({ board }) => [board, inShort(board)]));
  byId("texts").max = String(STEPS);
  usual("texts", String(Math.round((STEPS * Math.log(costBoard().contexts || 1)) / Math.log(FAR * (costBoard().contexts || 1)))));
  usual("questions", String(3 * PER_DECADE));
  usual("least", "0");
}
