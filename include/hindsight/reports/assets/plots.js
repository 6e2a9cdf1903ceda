// Draws the page's charts with uPlot from the JSON in the page: hover, zoom by dragging, and each chart as PNG.
// Names and notes come from data: they are only ever set as text.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("plots").textContent);
  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const SEVERITY = { P0: "--bad", P1: "--warn", P2: "--idle" };
  const KIND = { incident: "--bad", deploy: "--ok", retraining: "--guess", rollback: "--limit", silence: "--idle" };
  const DASH = { deploy: [], retraining: [6, 2], rollback: [1, 2], incident: [2, 3] };
  const STROKE = ["--line", "--guess", "--idle"], LANE = { P0: 0, P1: 4, P2: 8 };
  const all = [];
  let moving = false;

  const written = (value, unit) => {
    if (value === null || value === undefined) return "–";
    if (unit === "share") return `${+(value * 100).toPrecision(3)} %`;
    for (const [scale, letter] of [[1e12, "T"], [1e9, "G"], [1e6, "M"]])
      if (Math.abs(value) >= scale) return `${(value / scale).toFixed(1)} ${letter}${unit === "ms" || unit === "s" ? ` ${unit}` : ""}`;
    const number = Math.abs(value) >= 100 ? Math.round(value).toLocaleString("en-US") : String(+value.toPrecision(3));
    return unit === "ms" || unit === "s" ? `${number} ${unit}` : number;
  };
  const moment = (seconds) => {
    const text = new Date(seconds * 1000).toISOString();
    return text.slice(11, 16) === "00:00" ? text.slice(0, 10) : `${text.slice(0, 10)} ${text.slice(11, 16)}`;
  };

  const date = (seconds) => (seconds % 86400 ? moment(seconds).slice(5) : moment(seconds));

  // The columns uPlot draws: time, then for each line its value and, where there is one, its interval's two ends.
  const columns = (chart) => {
    const series = [], bands = [], values = [chart.x];
    chart.lines.forEach((line, k) => {
      const young = new Set(line.young);
      series.push({ label: line.name, stroke: () => color(STROKE[k]), width: k ? 1.3 : 1.8, dash: [[], [5, 3], [2, 3]][k], spanGaps: false,
        points: { show: k === 0 && chart.x.length < 200, size: 5, fill: () => color("--card") }, young });
      values.push(line.v);
      if (line.lo && line.hi) {
        const at = values.length;
        for (const end of [line.hi, line.lo]) { series.push({ label: "", stroke: "transparent", width: 0, points: { show: false } }); values.push(end); }
        bands.push({ series: [at, at + 1], fill: () => (k ? `${color("--guess")}1a` : color("--band")) });
      }
    });
    return { series, bands, values };
  };

  const happened = (plot) => {
    const { ctx, bbox } = plot, ratio = devicePixelRatio;
    const x = (seconds) => Math.min(Math.max(plot.valToPos(seconds, "x", true), bbox.left), bbox.left + bbox.width);
    const [min, max] = [plot.scales.x.min, plot.scales.x.max];
    ctx.save();
    for (const mark of data.marks) {
      const end = mark.to ?? max;
      if (mark.from > max || (mark.lasts ? end : mark.from) < min) continue;
      ctx.fillStyle = ctx.strokeStyle = color(SEVERITY[mark.severity] || KIND[mark.kind]);
      if (mark.lasts) {
        const wide = Math.max(x(end) - x(mark.from), 2 * ratio), shade = mark.kind === "silence";
        ctx.globalAlpha = shade ? 0.16 : 1;
        ctx.fillRect(x(mark.from), shade ? bbox.top : bbox.top - (13 - LANE[mark.severity]) * ratio, wide, shade ? bbox.height : 3 * ratio);
        ctx.globalAlpha = 1;
      } else {
        ctx.setLineDash(DASH[mark.kind].map((n) => n * ratio)); ctx.lineWidth = 1.4 * ratio;
        ctx.beginPath(); ctx.moveTo(x(mark.from), bbox.top); ctx.lineTo(x(mark.from), bbox.top + bbox.height); ctx.stroke();
      }
    }
    ctx.restore();
  };
  const limit = (plot, value) => {
    if (value === null) return;
    const { ctx, bbox } = plot, y = plot.valToPos(value, "y", true);
    ctx.save(); ctx.strokeStyle = color("--limit"); ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath(); ctx.moveTo(bbox.left, y); ctx.lineTo(bbox.left + bbox.width, y); ctx.stroke(); ctx.restore();
  };

  const said = (chart, at) => {
    const lines = [moment(chart.x[at])];
    for (const line of chart.lines) {
      let text = `${chart.lines.length > 1 ? `${line.name} ` : ""}${written(line.v[at], chart.unit)}`;
      if (line.lo && line.lo[at] !== null && line.hi[at] !== null) text += ` (${written(line.lo[at], chart.unit)} to ${written(line.hi[at], chart.unit)})`;
      if (line.n && line.n[at]) text += `, n ${line.n[at].toLocaleString("en-US")}`;
      if (line.young.includes(at)) text += ", labels are still coming";
      if (line.notes[at]) text += `, ${line.notes[at]}`;
      lines.push(text);
    }
    const next = chart.x[at + 1] ?? chart.x[at] + (chart.x[at] - (chart.x[at - 1] ?? chart.x[at] - 86400));
    for (const mark of data.marks) if (mark.from < next && (mark.lasts ? mark.to ?? Infinity : mark.from) >= chart.x[at]) lines.push(mark.text);
    return lines.length > 9 ? [...lines.slice(0, 8), `and ${lines.length - 8} more`] : lines;
  };
  const hover = (plot, chart, tip) => {
    const at = plot.cursor.idx, here = plot.root.matches(":hover") || plot.root.parentElement.contains(document.activeElement);
    tip.hidden = at === null || at === undefined || !here;
    if (tip.hidden) return;
    tip.replaceChildren(...said(chart, at).map((text) => Object.assign(document.createElement("p"), { textContent: text })));
    const left = plot.over.offsetLeft + plot.cursor.left, room = plot.root.clientWidth;
    tip.style.left = left > room / 2 ? "" : `${left + 12}px`;
    tip.style.right = left > room / 2 ? `${room - left + 12}px` : "";
    tip.style.top = "24px";
  };
  const zoomed = (plot, key) => {
    if (key !== "x" || moving) return;
    moving = true;
    const { min, max } = plot.scales.x;
    for (const other of all) if (other !== plot) other.setScale("x", { min, max });
    moving = false;
    const link = document.getElementById("zoomed"), address = new URL(location.href);
    const whole = plot.data[0][0] >= min && plot.data[0].at(-1) <= max;
    address.searchParams.delete("range");
    address.searchParams.set("from", new Date(min * 1000).toISOString().slice(0, 16) + "Z");
    address.searchParams.set("to", new Date(Math.ceil(max / 60) * 60000 + 60000).toISOString().slice(0, 16) + "Z");
    link.href = address.search; link.hidden = whole;
    link.textContent = `Only ${moment(Math.round(min))} to ${moment(Math.round(max))}, in full`;
  };

  const draw = (figure, chart) => {
    const { series, bands, values } = columns(chart);
    const tip = Object.assign(document.createElement("div"), { className: "tip", hidden: true });
    const axis = { stroke: () => color("--soft"), grid: { stroke: () => color("--rule"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
    const plot = new uPlot({
      width: figure.clientWidth, height: 190, tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      padding: [16, 30, 0, 0], bands, series: [{}, ...series], cursor: { sync: { key: "page" }, drag: { x: true, y: false }, points: { size: 7 } },
      scales: { y: { range: (_, low, high) => span(low, high, chart) } },
      axes: [{ ...axis, space: 76, size: 30, values: (_, ticks) => ticks.map(date) }, { ...axis, size: 72, values: (_, ticks) => ticks.map((tick) => written(tick, chart.unit)) }],
      hooks: { drawClear: [happened], draw: [(one) => limit(one, chart.threshold), (one) => hollow(one, chart)], setCursor: [(one) => hover(one, chart, tip)], setScale: [zoomed] },
    }, values, figure);
    figure.append(tip); figure.classList.add("drawn"); all.push(plot);
    figure.addEventListener("mouseleave", () => { tip.hidden = true; });
    new ResizeObserver(() => { if (figure.clientWidth !== plot.width) plot.setSize({ width: figure.clientWidth, height: 190 }); }).observe(figure);
    return plot;
  };
  const span = (low, high, chart) => {
    if (low === null || high === null) return [0, 1];
    if (chart.threshold !== null) { low = Math.min(low, chart.threshold); high = Math.max(high, chart.threshold); }
    if (low >= 0 && low < 0.6 * high || low === high && low >= 0) low = 0;
    return high > low ? [low, high + (high - low) * 0.06] : [low, low + 1];
  };
  // Windows whose labels are still coming are hollow however many there are.
  const hollow = (plot, chart) => {
    const { ctx } = plot;
    ctx.save(); ctx.fillStyle = color("--card"); ctx.strokeStyle = color("--line"); ctx.lineWidth = 1.6 * devicePixelRatio;
    for (const at of chart.lines[0].young) {
      const [when, value] = [chart.x[at], chart.lines[0].v[at]];
      if (value === null || when < plot.scales.x.min || when > plot.scales.x.max) continue;
      ctx.beginPath(); ctx.arc(plot.valToPos(when, "x", true), plot.valToPos(value, "y", true), 3.2 * devicePixelRatio, 0, 2 * Math.PI); ctx.fill(); ctx.stroke();
    }
    ctx.restore();
  };

  const picture = (plot, chart) => {
    const from = plot.ctx.canvas, head = 26 * devicePixelRatio, to = document.createElement("canvas"), ctx = to.getContext("2d");
    to.width = from.width; to.height = from.height + head;
    ctx.fillStyle = color("--card"); ctx.fillRect(0, 0, to.width, to.height);
    ctx.fillStyle = color("--ink"); ctx.font = `600 ${13 * devicePixelRatio}px system-ui, sans-serif`;
    const lines = chart.lines.length > 1 ? ` (${chart.lines.map((line) => line.name).join(", ")})` : "";
    ctx.fillText(`${document.title}: ${chart.title}${lines}`, 10 * devicePixelRatio, 18 * devicePixelRatio);
    ctx.drawImage(from, 0, head);
    to.toBlob((blob) => {
      const link = Object.assign(document.createElement("a"), { href: URL.createObjectURL(blob), download: `${document.title}-${chart.key}.png`.replace(/[^\w.-]+/g, "_") });
      link.click(); setTimeout(() => URL.revokeObjectURL(link.href), 1000);
    }, "image/png");
  };

  document.querySelectorAll("figure[data-plot]").forEach((figure) => {
    const chart = data.charts[Number(figure.dataset.plot)];
    if (!chart || !chart.x.length || !chart.lines.some((line) => line.v.some((value) => value !== null))) return;
    const plot = draw(figure, chart), tools = figure.parentElement.querySelector(".tools");
    const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: "PNG" });
    button.addEventListener("click", () => picture(plot, chart));
    tools.append(button);
  });
  document.addEventListener("theme", () => all.forEach((plot) => plot.redraw(false, true)));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => all.forEach((plot) => plot.redraw(false, true)));
})();
