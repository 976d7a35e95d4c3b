"use strict";
(() => {
  const number = (cell) => (cell && cell.dataset.v !== undefined ? Number(cell.dataset.v) : NaN);

  // Tables: a click on a heading sorts, a second one turns the order round.
  const sort = (head, at, body) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    for (const other of head.parentNode.children) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const key = (row) => {
      const value = number(row.children[at]);
      return Number.isNaN(value) ? row.children[at].textContent.trim() : value;
    };
    const order = (a, b) => {
      const [x, y] = [key(a), key(b)];
      if (typeof x === "number" && typeof y === "number") return x - y;
      if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
      return x.localeCompare(y, undefined, { numeric: true });
    };
    const rows = [...body.rows].sort(order);
    if (down) rows.reverse();
    body.append(...rows);
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    [...table.tHead.rows[0].cells].forEach((head, at) => {
      if (head.classList.contains("drawn")) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(head, at, table.tBodies[0]));
    });
  }

  // Print: everything behind a click is opened.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => opened.forEach((one) => (one.open = false)));

  // Figures: Plotly draws the table beside each one as soon as it comes into sight.
  const engine = document.getElementById("engine").textContent;
  let loading = null;
  const load = () => {
    loading ??= (async () => {
      const bytes = Uint8Array.from(atob(engine), (sign) => sign.charCodeAt(0));
      const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
      const script = document.createElement("script");
      script.textContent = await new Response(stream).text();
      document.head.append(script);
    })();
    return loading;
  };

  const columns = (table) => {
    const names = [...table.tHead.rows[0].cells].map((cell) => cell.dataset.c);
    const rows = [...table.tBodies[0].rows];
    const text = (cell) => cell.textContent;
    const take = (cell) => (cell.dataset.v !== undefined ? number(cell) : text(cell) === "" ? null : text(cell));
    return Object.fromEntries(names.map((name, at) => [name, rows.map((row) => take(row.cells[at]))]));
  };
  const plain = (value) => String(value).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  const short = (value) => (String(value).length > 34 ? String(value).slice(0, 33) + "…" : String(value));
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim();

  const groups = (data) => {
    const every = data.series ?? data.value?.map(() => "") ?? [];
    const names = [...new Set(every)];
    return names.map((name) => ({ name, rows: every.flatMap((one, at) => (one === name ? [at] : [])) }));
  };
  const pick = (data, name, rows) => (data[name] ? rows.map((at) => data[name][at]) : null);
  const error = (data, rows, axis, colour) => {
    if (!data.low || !data.high) return undefined;
    const away = (end) => rows.map((at) => (data[end][at] === null ? 0 : Math.abs(data[end][at] - data[axis][at])));
    return { type: "data", symmetric: false, array: away("high"), arrayminus: away("low"), color: colour, thickness: 1.6, width: 0 };
  };

  const traces = {
    intervals: (data, each) => each(({ rows, colour, name }) => ({
      type: "scatter", mode: "markers", name, x: pick(data, "value", rows), y: pick(data, "name", rows).map(plain),
      marker: { color: colour, size: 8 }, error_x: error(data, rows, "value", colour),
    })).concat(data.null ? [{
      type: "scatter", mode: "markers", name: "95 % of chance", x: data.null, y: data.name.map(plain),
      marker: { color: ink("quiet"), symbol: "line-ns-open", size: 14 },
    }] : []),
    bars: (data, each) => each(({ rows, colour, name }) => ({
      type: "bar", orientation: "h", name, x: pick(data, "value", rows), y: pick(data, "name", rows).map(plain),
      marker: { color: colour, opacity: 0.55 }, error_x: error(data, rows, "value", ink("ink")),
    })),
    curve: (data, each) => each(({ rows, colour, name, below }) => ({
      type: "scatter", mode: "lines+markers", name, x: pick(data, "x", rows), y: pick(data, "value", rows),
      line: { color: colour, width: 2 + 2 * below }, marker: { color: colour, size: 6 + 2 * below }, error_y: error(data, rows, "value", colour),
    })).concat(data.null ? each(({ rows, colour, name }) => ({
      type: "scatter", mode: "lines", name: (name ? name + ": " : "") + "95 % of chance", x: pick(data, "x", rows),
      y: pick(data, "null", rows), line: { color: colour, dash: "dash", width: 1 },
    })) : []),
    points: (data, each) => each(({ rows, colour, name }) => ({
      type: "scatter", mode: "markers", name, x: pick(data, "x", rows), y: pick(data, "value", rows),
      marker: { color: colour, size: 10 }, error_y: error(data, rows, "value", colour),
    })),
    reliability: (data) => {
      const rows = data.confidence.map((_, at) => at);
      return [
        { type: "scatter", mode: "lines", name: "as sure as right", x: [0, 1], y: [0, 1], line: { color: ink("quiet"), dash: "dash" } },
        { type: "scatter", mode: "markers", name: "measured", x: data.confidence, y: data.accuracy, text: (data.n ?? []).map((n) => "n = " + n),
          marker: { color: ink("s1"), size: 8 }, error_y: error(data, rows, "accuracy", ink("s1")) },
      ];
    },
    matrix: (data) => [{
      type: "heatmap", x: data.column.map(plain), y: data.row.map(plain), z: data.value, colorscale: "Cividis",
    }],
  };

  const draw = async (figure) => {
    const { kind, x, y } = figure.dataset;
    const still = figure.querySelector(".drawing");
    const data = columns(figure.querySelector("table.data"));
    const each = (make) => groups(data).map(({ name, rows }, at, every) =>
      make({ rows, below: every.length - 1 - at, colour: ink("s" + ((at % 6) + 1)), name: plain(short(name)) }));
    const made = traces[kind](data, each).map((one) => ({ ...one, showlegend: Boolean(one.name) }));
    const lying = kind === "intervals" || kind === "bars";
    const lines = new Set(data.name ?? data.row ?? []).size;
    const rule = { gridcolor: ink("rule"), zerolinecolor: ink("rule"), automargin: true };
    const names = lying || kind === "matrix"
      ? { type: "category", autorange: "reversed", tickvals: [...new Set((data.name ?? data.row).map(plain))], ticktext: [...new Set((data.name ?? data.row).map((one) => plain(short(one))))] }
      : {};
    if (names.tickvals && names.tickvals.length !== names.ticktext.length) delete names.ticktext;
    const wide = still.clientWidth || 600;
    const entries = made.filter((one) => one.showlegend).map((one) => 46 + 7 * one.name.length);
    const legend = entries.length > 1 ? 20 * Math.ceil((entries.length * Math.max(...entries)) / wide) : 0;
    await load();
    const place = figure.querySelector(".plot") ?? document.createElement("div");
    place.className = "plot";
    still.after(place);
    await Plotly.newPlot(place, made, {
      height: lying || kind === "matrix" ? Math.min(900, 130 + 26 * lines) + legend : 360 + legend,
      margin: { l: 10, r: 10, t: 36 + legend, b: 44 }, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      font: { color: ink("ink"), family: "Inter, Helvetica Neue, Arial, sans-serif", size: 12 },
      showlegend: made.length > 1, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
      xaxis: { ...rule, ...(kind === "matrix" ? { type: "category" } : {}), title: { text: plain(x) } },
      yaxis: { ...rule, ...names, title: { text: lying ? "" : plain(y) } }, barmode: "group", hovermode: "closest",
    }, { displaylogo: false, responsive: true, modeBarButtonsToRemove: ["select2d", "lasso2d"] });
    place.setAttribute("role", "group");
    place.setAttribute("aria-label", still.getAttribute("aria-label"));
    still.style.display = "none";
  };

  if (typeof DecompressionStream === "undefined") return;
  const done = new Set();
  const watch = new IntersectionObserver((seen) => {
    for (const { isIntersecting, target } of seen) {
      if (!isIntersecting || done.has(target)) continue;
      done.add(target);
      draw(target).catch(() => {}); // the still drawing stays
    }
  }, { rootMargin: "200px" });
  for (const figure of document.querySelectorAll("figure[data-kind]")) watch.observe(figure);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => done.forEach((one) => draw(one).catch(() => {})));
})();
