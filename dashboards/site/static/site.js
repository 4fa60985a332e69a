"use strict";
// Keeps the parts of a page that change up to date, and draws its figures. Nothing is asked for but from this server.

const PERIOD = 2000;  // milliseconds between two questions
const LONGEST = 60000;  // milliseconds that an answer may take
const FAILED = {401: "the token is asked for again", 404: "it is not there any more",
                503: "the study database does not answer"};
const dark = matchMedia("(prefers-color-scheme: dark)");
const narrow = matchMedia("(max-width: 600px)");
const touch = matchMedia("(hover: none)");
const themes = JSON.parse(document.body.dataset.themes);
const CONFIG = {
  responsive: true, displaylogo: false, showSendToCloud: false, showEditInChartStudio: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d"],
};

// Asks for an address again and again; what it gave last, and was taken, is not sent again.
class Source {
  constructor(address, take, tag = null) {
    this.address = address;
    this.take = take;
    this.tag = tag;
    this.wanted = true;
    this.asking = false;
  }

  async ask() {
    this.asking = true;
    try {
      const headers = this.tag === null ? {} : {"If-None-Match": this.tag};
      const answer = await fetch(this.address, {headers, cache: "no-store", signal: AbortSignal.timeout(LONGEST)});
      if (answer.status === 304) return;
      if (!answer.ok) throw new Error(FAILED[answer.status] || `the server answers ${answer.status}`);
      if (this.take(await answer.text())) this.tag = answer.headers.get("ETag");
    } finally {
      this.asking = false;
    }
  }
}

class Pulse {
  constructor(line) {
    this.line = line;
    this.since = null;
  }

  tell(trouble) {
    const now = new Date().toLocaleTimeString();
    this.since = trouble ? this.since || now : null;
    const state = trouble ? `Not up to date since ${this.since}: ${trouble}.` : "";
    const told = this.line.querySelector(".state");
    if (told.textContent !== state) told.textContent = state;
    if (!trouble) this.line.querySelector(".time").textContent = `Updated ${now}`;
    this.line.querySelector(".time").hidden = Boolean(trouble);
    this.line.classList.toggle("away", Boolean(trouble));
    this.line.hidden = false;
  }
}

// A part of the page that the server writes: what had the focus in it keeps it, what is being pressed stays till later.
function replace(part, html) {
  if (part.matches(":active")) return false;
  const focused = part.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const open = part.querySelector("details")?.open;
  part.innerHTML = html;
  const details = part.querySelector("details");
  if (details && open !== undefined) details.open = open;
  if (focused) part.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
  return true;
}

// The figure in the reader's colours: every colour of the light theme becomes that of the dark one.
function coloured(value) {
  if (!dark.matches) return value;
  if (typeof value === "string") return themes[value.toUpperCase()] || value;
  if (Array.isArray(value)) return value.map(coloured);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, coloured(inner)]));
}

function fitted(figure) {
  const made = coloured(structuredClone(figure));
  made.layout.hoverlabel = {...made.layout.hoverlabel, font: {size: narrow.matches ? 10 : 13}};
  for (const trace of made.data) {
    if (trace.meta === "published" && narrow.matches) trace.mode = "markers";
  }
  return made;
}

class Figure {
  constructor(frame) {
    this.frame = frame;
    this.place = frame.querySelector(".plot");
    this.shown = null;
    this.touched = null;
    this.ranges = {};  // by axis, as given
    this.source = new Source(frame.dataset.figure, (text) => this.take(JSON.parse(text)));
    this.source.wanted = false;
  }

  take({figure, notes}) {
    this.shown = figure;
    this.place.classList.toggle("empty", figure === null);
    this.draw();
    const items = notes.map((note) => {
      const item = document.createElement("li");
      item.textContent = note;
      return item;
    });
    this.frame.querySelector(".notes").replaceChildren(...items);
    return true;
  }

  draw() {
    if (this.shown === null) {
      this.place.replaceChildren();
      return;
    }
    let plot = this.place.querySelector(".js-plotly-plot");
    const isNew = plot === null;
    if (isNew) {
      plot = document.createElement("div");
      plot.style.height = `${this.place.clientHeight}px`;
      this.place.replaceChildren(plot);
    }
    const {data, layout} = fitted(this.shown);
    for (const axis of ["xaxis", "yaxis"]) this.keep(plot, axis, layout);
    Plotly.react(plot, data, layout, CONFIG);
    if (isNew) plot.on("plotly_click", (event) => this.go(event.points[0].customdata));
  }

  // What the reader zoomed to stays (by `uirevision`) as long as the range that was given does: that waits for a reset.
  keep(plot, axis, layout) {
    const given = this.ranges[axis], shown = plot.layout?.[axis]?.range;
    if (given && shown && !given.every((end, place) => end === shown[place])) layout[axis].range = [...given];
    this.ranges[axis] = layout[axis]?.range && [...layout[axis].range];
  }

  // Where nothing hovers, the first touch shows what a mouse would, and the second one goes there.
  go(number) {
    const isShown = !touch.matches || this.touched === number;
    this.touched = number;
    if (isShown && Number.isInteger(number)) location.assign(`${this.frame.dataset.candidates}/${number}`);
  }
}

const figures = [...document.querySelectorAll("[data-figure]")].map((frame) => new Figure(frame));
const parts = [...document.querySelectorAll("[data-live]")].map(
  (part) => new Source(part.dataset.live, (text) => replace(part, text), part.dataset.tag),
);
const sources = [...parts, ...figures.map((figure) => figure.source)];
const pulse = new Pulse(document.querySelector(".pulse"));

async function ask() {
  if (document.hidden) return;
  const asked = sources.filter((source) => source.wanted && !source.asking);
  const answers = await Promise.allSettled(asked.map((source) => source.ask()));
  const failed = answers.find((answer) => answer.status === "rejected");
  if (failed || answers.length) pulse.tell(failed ? trouble(failed.reason) : "");
}

function trouble(error) {
  const isAway = error instanceof TypeError || error.name === "TimeoutError";
  return isAway ? "the server does not answer" : error.message;
}

// Figures are asked for while they are on the screen or near it.
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) figures.find((one) => one.frame === entry.target).source.wanted = entry.isIntersecting;
  ask();
}, {rootMargin: "400px"});
for (const figure of figures) watcher.observe(figure.frame);
for (const query of [dark, narrow]) query.addEventListener("change", () => figures.forEach((figure) => figure.draw()));
document.addEventListener("visibilitychange", ask);
setInterval(ask, PERIOD);
ask();
