// SPDX-License-Identifier: Apache-2.0
// Charts with zoom: puts dygraphs in the place of a figure's drawing when the figure comes into sight. The drawing stays
// in the page, for print and for browsers without scripts.
"use strict";
const nbsCharts = (() => {
  const dashes = [null, [7, 3], [2, 3], [8, 3, 2, 3]];
  const css = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const color = k => css("--c" + (k % 8));
  const make = (tag, kind, text) => {
    const element = document.createElement(tag);
    if (kind) element.className = kind;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  // As many digits as people read, never "0.30000000000000004".
  const number = value => {
    if (value === null || value === undefined || Number.isNaN(value)) return "–";
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e6) ? value.toExponential(2) : String(+value.toPrecision(4));
  };
  const middle = value => Array.isArray(value) ? value[1] : value;

  // What the pointer is at: the x, and of each curve its color, name and value. As text only: names come from files.
  function show(legend, chart, x, row) {
    legend.replaceChildren();
    legend.append(make("b", "", x === null ? "" : (chart.steps ? chart.steps[Math.round(x)] || number(x) : number(x))));
    chart.curves.forEach((curve, i) => {
      const values = row === null ? null : chart.rows[row][i + 1];
      if (row !== null && (middle(values) === null || Number.isNaN(middle(values)))) return;
      const item = make("span", curve.points ? "key dot" : "key", curve.name + (row === null ? "" : " " + number(middle(values))));
      if (row !== null && Array.isArray(values) && values[0] !== values[2])
        item.textContent += " (" + number(values[0]) + " to " + number(values[2]) + ")";
      item.style.setProperty("--own", color(curve.color));
      legend.append(item);
    });
  }

  // Vertical lines behind the curves.
  function lines(chart) {
    return (context, area, graph) => {
      for (const mark of chart.marks || []) {
        const x = graph.toDomXCoord(mark.x);
        context.strokeStyle = css("--soft");
        context.setLineDash(mark.strong ? [4, 3] : [1, 3]);
        context.beginPath();
        context.moveTo(x, area.y);
        context.lineTo(x, area.y + area.h);
        context.stroke();
      }
      context.setLineDash([]);
    };
  }

  // Powers of ten, and 2 and 5 times them where there are few; dygraphs draws a line for each of ten.
  function powers(low, high) {
    const ticks = [];
    for (const factors of [[1], [1, 2, 5]]) {
      ticks.length = 0;
      for (let k = Math.floor(Math.log10(low)); k <= Math.log10(high); ++k) {
        for (const factor of factors) {
          const v = factor * Math.pow(10, k);
          if (v >= low && v <= high) ticks.push({v, label: number(v)});
        }
      }
      if (ticks.length >= 3) break;
    }
    const stride = Math.ceil(ticks.length / 8);
    return ticks.filter((tick, i) => i % stride === 0);
  }

  // A little room about a range, so that no curve runs along the edge.
  function roomy(range, share, logarithmic) {
    if (!range) return null;
    const [low, high] = logarithmic ? range.map(Math.log) : range;
    const wider = [low - share * (high - low), high + share * (high - low)];
    return logarithmic ? wider.map(Math.exp) : wider;
  }

  const whole = chart => ({
    dateWindow: roomy(chart.window, 0.015, false), valueRange: roomy(chart.range, 0.04, chart.logarithmic)
  });

  function options(chart, legend) {
    const series = {};
    chart.curves.forEach((curve, i) => {
      series[String(i)] = {
        color: color(curve.color), strokePattern: dashes[curve.dash || 0], strokeWidth: curve.points ? 0 : 1.6,
        drawPoints: !!curve.points, pointSize: curve.points ? 4 : 1.5, highlightCircleSize: 4
      };
    });
    const axis = chart.steps ? {
      axisLabelFormatter: x => chart.steps[x] === undefined ? "" : chart.steps[x],
      ticker: () => chart.steps.map((label, v) => ({v, label: label.length > 12 ? label.slice(0, 11) + "…" : label}))
    } : {};
    return Object.assign(whole(chart), {
      labels: ["x"].concat(chart.curves.map((curve, i) => String(i))), series, legend: "never",
      customBars: !!chart.bars, fillAlpha: 0.18, logscale: !!chart.logarithmic, connectSeparatedPoints: true, xRangePad: 4, yRangePad: 6,
      axisLineColor: css("--line"), gridLineColor: css("--grid"), gridLineWidth: 1, axisLabelFontSize: 11,
      axisLabelWidth: 54, axes: {x: Object.assign({pixelsPerLabel: 55}, axis), y: Object.assign({axisLabelFormatter: number},
        chart.logarithmic ? {ticker: (low, high) => powers(low, high)} : {})},
      underlayCallback: lines(chart), animatedZooms: false,
      highlightCallback: (event, x, points, row) => show(legend, chart, x, row),
      unhighlightCallback: () => show(legend, chart, null, null)
    });
  }

  // Plus, minus, arrows and 0, as dragging and a double click need a pointer.
  function keys(graph, chart) {
    return event => {
      const [low, high] = graph.xAxisRange();
      const [first, last] = graph.xAxisExtremes();
      const width = high - low;
      const steps = {"+": [width / 4, -width / 4], "=": [width / 4, -width / 4], "-": [-width / 2, width / 2],
        ArrowLeft: [-width / 5, -width / 5], ArrowRight: [width / 5, width / 5]};
      if (event.key === "0" || event.key === "Escape") {
        graph.updateOptions(whole(chart));
      } else if (steps[event.key]) {
        const window = [low + steps[event.key][0], high + steps[event.key][1]];
        graph.updateOptions({dateWindow: [Math.max(first, window[0]), Math.min(last, window[1])]});
      } else {
        return;
      }
      event.preventDefault();
    };
  }

  const graphs = [];
  // `place`: an element; returns the graph, for a later destroy().
  function draw(place, chart, title) {
    // JSON has no NaN, which breaks a curve where null does not.
    const value = one => one === "NaN" ? NaN : one === null && chart.bars ? [null, null, null] : one;
    chart.rows = chart.rows.map(row => [row[0]].concat(row.slice(1).map(value)));
    place.replaceChildren();
    const legend = make("div", "legend");
    const box = make("div", "graph");
    box.tabIndex = 0;
    box.setAttribute("role", "img");
    box.setAttribute("aria-label", title + ". Plus and minus zoom, arrows move, 0 shows all.");
    place.append(legend, box);
    const graph = new Dygraph(box, chart.rows, options(chart, legend));
    show(legend, chart, null, null);
    box.addEventListener("keydown", keys(graph, chart));
    const entry = {graph, chart, legend};
    graphs.push(entry);
    return () => {
      graph.destroy();
      graphs.splice(graphs.indexOf(entry), 1);
    };
  }

  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    for (const {graph, chart, legend} of graphs) {
      graph.updateOptions(options(chart, legend));
      show(legend, chart, null, null);
    }
  });

  function start(figure) {
    const data = figure.querySelector("script[type='application/json']");
    const place = make("div", "live");
    figure.append(place);
    figure.classList.add("has-live");
    draw(place, JSON.parse(data.textContent), figure.querySelector("figcaption b").textContent);
  }
  const seen = new IntersectionObserver(entries => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      seen.unobserve(entry.target);
      start(entry.target);
    }
  }, {rootMargin: "300px"});
  for (const data of document.querySelectorAll("figure.plot > script[type='application/json']")) seen.observe(data.parentElement);
  return {draw, make, number};
})();
