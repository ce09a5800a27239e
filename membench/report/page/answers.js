// ---------------------------------------------------------------- answers

const PAGE = 20;
const { strings, tables: asking } = JSON.parse(byId("answer-data").textContent);
let first = 0;

const isRight = (answer) => answer[2] !== null && answer[2] >= 1;
const OUTCOMES = { any: () => true, right: isRight, wrong: (answer) => !isRight(answer) };
const answerTable = () => asking.find(({ board }) => board === byId("answer-table").value);

function chosen(question, table) {
  const method = byId("answer-method").value, held = byId("answer-held").value;
  const outcome = OUTCOMES[byId("answer-outcome").value];
  return question[3].filter((answer) =>
    (method === "" ? fits(table.rows[answer[0]]) : table.rows[answer[0]] === method)
    && outcome(answer) && (held === "" || String(answer[5]) === held));
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

function answerRow(answer, table, sequence) {
  const row = make("tr", undefined, { class: isRight(answer) ? "right" : "wrong" });
  const score = answer[2] === null ? "–" : answer[2] >= 1 ? "✓ 1" : answer[2] > 0 ? answer[2].toFixed(2) : "✗ 0";
  row.append(
    make("th", table.rows[answer[0]], { scope: "row" }),
    make("td", strings[answer[1]] || "(empty)", { class: "answer", dir: "auto" }),
    make("td", score),
    make("td", stateOf(answer, sequence)),
  );
  return row;
}

function card(question, answers, table, sequence) {
  const [context, text, gold] = question;
  const item = make("li");
  const given = make("div", undefined, { class: "given" });
  const facts = make("p", undefined, { class: "note" });
  facts.append("accepted: ", make("strong", gold.map((k) => strings[k]).join(" / "), { dir: "auto" }));
  const grid = make("table");
  const head = make("tr");
  for (const name of ["method", "answer", table.score, "its text"]) head.append(make("th", name, { scope: "col" }));
  grid.append(make("caption", "Answers", { class: "hidden" }), make("thead"), make("tbody"));
  grid.tHead.append(head);
  grid.tBodies[0].append(...answers.map((answer) => answerRow(answer, table, sequence)));
  const scroll = make("div", undefined, { class: "scroll", tabindex: "0", role: "region", "aria-label": strings[text] });
  scroll.append(grid);
  given.append(make("h3", strings[text], { class: "asked", dir: "auto" }), facts, scroll);
  item.append(given, sourceOf(context, table));
  return item;
}

// The text that a question is about, where it was found on the machine that made this page.
function sourceOf(context, table) {
  const source = make("div", undefined, { class: "source" });
  source.append(make("p", `text ${strings[context]}`, { class: "note" }));
  const place = table.texts[context];
  if (place !== undefined) source.append(make("p", strings[place], { class: "text", dir: "auto" }));
  return source;
}

function showAnswers() {
  const table = answerTable();
  byId("answer-list").hidden = !table;
  if (!table) {
    byId("answer-count").textContent = "no answers here";
    return;
  }
  const words = folded(byId("answer-search").value).split(/\s+/).filter(Boolean);
  const found = [];
  for (const question of table.questions) {
    const answers = chosen(question, table);
    if (answers.length && mentions(question, answers, words)) found.push([question, answers]);
  }
  first = Math.min(first, Math.max(0, Math.floor((found.length - 1) / PAGE) * PAGE));
  const times = new Set(table.questions.flatMap((question) => question[3].map((answer) => answer[3])));
  const shown = found.slice(first, first + PAGE);
  byId("answer-list").replaceChildren(
    ...shown.map(([question, answers]) => card(question, answers, table, times.size > 2)));
  byId("answer-count").textContent = found.length
    ? `questions ${first + 1} to ${first + shown.length} of ${found.length}`
    : "no question matches";
  byId("answer-back").disabled = first === 0;
  byId("answer-next").disabled = first + PAGE >= found.length;
}

function offerMethods() {
  const rows = answerTable()?.rows ?? [];
  fill("answer-method", [["", "all"], ...rows.map((label) => [label, label])]);
}

function offerAnswers() {
  const own = new Set(view().scores.map(({ board }) => board));
  fill("answer-table", asking.filter(({ board }) => own.has(board)).map(({ board }) => [board, inShort(board)]));
  offerMethods();
  for (const id of ["answer-outcome", "answer-held"]) usual(id, byId(id).options[0].value);
  usual("answer-search", "");
}

function turn(pages) {
  first = Math.max(0, first + pages * PAGE);
  showAnswers();
  byId("answer-list").scrollIntoView();
}
