// The page of `brownout report`: draws the reports that the program put beside this script. Every number on it
// is one of theirs.
'use strict';
(() => {
  const reports = JSON.parse(document.getElementById('reports').textContent);
  const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === 'text') node.textContent = value;
      else if (key.startsWith('on')) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value);
    }
    node.append(...children);
    return node;
  };
  const svg = (tag, attributes = {}, text) => {
    const node = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  // As the program's own figures: three digits and a prefix.
  const si = (value, unit, digits = 3) => {
    if (value === null || value === undefined) return 'none';
    if (value === 0) return `0 ${unit}`;
    for (const [factor, prefix] of [[1e6, 'M'], [1e3, 'k'], [1, ''], [1e-3, 'm'], [1e-6, 'u'], [1e-9, 'n'], [1e-12, 'p']]) {
      if (Math.abs(value) >= factor * 0.9995) return `${(value / factor).toPrecision(digits)} ${prefix}${unit}`;
    }
    return `${value.toPrecision(digits)} ${unit}`;
  };
  const percent = (share) => (share === null ? 'none' : `${(100 * share).toFixed(1)} %`);

  const charts = [];

  // What is known exactly: from turn-on to losing power, in the cycles that have a record.
  const exactLine = (cycle) => {
    const points = cycle.points.concat(cycle.events.map((event) => [event[1], event[2]]));
    return points.sort((a, b) => a[0] - b[0]);
  };
  const eventTime = (cycle, what) => {
    const found = cycle.events.find((event) => event[0] === what);
    return found ? found[1] : null;
  };
  // [from, to] of each pair of events.
  const spans = (cycle, begin, end) => {
    const all = [];
    let from = null;
    for (const [what, at] of cycle.events) {
      if (what === begin) from = at;
      if (what === end && from !== null) { all.push([from, at]); from = null; }
    }
    return all;
  };

  function voltageChart(report, place) {
    const records = report.cycles.records;
    const total = report.simulated_time_s || 1;
    const stretch = report.voltage.stretch_s;
    const lows = report.voltage.lowest_v;
    const highs = report.voltage.highest_v;
    const xs = lows.map((_, i) => i * stretch);
    xs.push(Math.max(total, xs.length * stretch));
    const closed = (values) => values.concat(values.length ? values[values.length - 1] : null);
    const levels = [['turn-on', report.configuration.turn_on_v, '--on'], ['warn', report.configuration.warn_v, '--warn'],
                    ['brown-out', report.configuration.brown_out_v, '--brown']];
    const lines = new Map();
    const status = el('p', { class: 'status', role: 'status' });
    const holder = el('div', { class: 'chart', tabindex: '0', role: 'img',
      'aria-label': `Voltage of the capacitor over time, ${report.scenario}. Plus and minus zoom, arrows move, n and p go to the next and previous recorded cycle, 0 shows all.` });

    const draw = (u) => {
      const { ctx } = u;
      const { left, top: above, width, height } = u.bbox;
      const x = (s) => u.valToPos(s, 'x', true);
      const y = (v) => u.valToPos(v, 'y', true);
      const min = u.scales.x.min;
      const max = u.scales.x.max;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, above, width, height);
      ctx.clip();
      const shade = (from, to, colour, strip) => {
        if (to < min || from > max) return;
        ctx.fillStyle = css(colour);
        const w = Math.max(x(to) - x(from), 1);
        ctx.fillRect(x(from), strip ? above + height - strip : above, w, strip || height);
      };
      const ratio = devicePixelRatio;
      for (const cycle of records) {
        if (cycle.end_s < min || cycle.begin_s > max) continue;
        shade(cycle.begin_s, cycle.turn_on_s === null ? cycle.end_s : cycle.turn_on_s, '--off');
        for (const [from, to] of spans(cycle, 'restore_begin', 'restore_end')) shade(from, to, '--restore', 10 * ratio);
        for (const [from, to] of spans(cycle, 'persist_begin', 'persist_end')) shade(from, to, '--persist', 10 * ratio);
        const lost = eventTime(cycle, 'lost');
        if (lost !== null) shade(lost, lost, '--lost');
        if (cycle.turn_on_s === null || x(cycle.end_s) - x(cycle.turn_on_s) < 12) continue;
        if (!lines.has(cycle.cycle)) lines.set(cycle.cycle, exactLine(cycle));
        ctx.strokeStyle = css('--voltage');
        ctx.lineWidth = 2 * ratio;
        ctx.beginPath();
        lines.get(cycle.cycle).forEach(([at, v], i) => (i ? ctx.lineTo(x(at), y(v)) : ctx.moveTo(x(at), y(v))));
        ctx.stroke();
      }
      ctx.font = `${12 * ratio}px system-ui, sans-serif`;
      ctx.textBaseline = 'bottom';
      ctx.textAlign = 'left';
      // Side by side, because levels can be close.
      for (const [i, [name, v, colour]] of levels.entries()) {
        ctx.strokeStyle = ctx.fillStyle = css(colour);
        ctx.lineWidth = ratio;
        ctx.setLineDash([6 * ratio, 4 * ratio]);
        ctx.beginPath();
        ctx.moveTo(left, y(v));
        ctx.lineTo(left + width, y(v));
        ctx.stroke();
        ctx.setLineDash([]);
        ctx.fillText(`${name} ${v} V`, left + (4 + 110 * i) * ratio, y(v) - 2 * ratio);
      }
      ctx.restore();
    };

    const say = (u) => {
      const min = u.scales.x.min;
      const max = u.scales.x.max;
      const seen = records.filter((cycle) => cycle.turn_on_s !== null && cycle.end_s > min && cycle.turn_on_s < max);
      const covered = seen.reduce((sum, cycle) => sum + Math.min(cycle.end_s, max) - Math.max(cycle.begin_s, min), 0);
      const isExact = seen.length > 0 && covered >= 0.999 * (Math.min(max, total) - min);
      const envelope = `lowest and highest of stretches of ${si(stretch, 's')}`;
      const count = seen.length === 1 ? '1 cycle' : `${seen.length} cycles`;
      const what = isExact ? `${count} with a record: exact from turn-on on, else the ${envelope}`
        : seen.length ? `${count} with a record, exact; elsewhere the envelope: the ${envelope}`
          : `no cycle here has a record: this is the envelope, the ${envelope}`;
      status.textContent = `${si(min, 's', 8)} to ${si(max, 's', 8)} (${si(max - min, 's')}): ${what}`;
    };

    // From the lowest that is seen, or brown-out, to the highest, or turn-on.
    const heights = (plot) => {
      const from = Math.max(0, Math.floor((plot.scales.x.min || 0) / stretch));
      const to = Math.min(lows.length - 1, Math.ceil((plot.scales.x.max ?? total) / stretch));
      let low = report.configuration.brown_out_v;
      let high = report.configuration.turn_on_v;
      for (let i = from; i <= to; ++i) {
        if (lows[i] !== null && lows[i] < low) low = lows[i];
        if (highs[i] !== null && highs[i] > high) high = highs[i];
      }
      const margin = (high - low) * 0.15 + 1e-3;
      return [Math.max(0, low - margin), high + margin];
    };

    place.append(holder);
    const axis = (label, values) => ({ label, values, stroke: () => css('--ink'), grid: { stroke: () => css('--line'), width: 1 },
      ticks: { stroke: () => css('--line'), width: 1 } });
    const seconds = (u, splits) => {
      const range = u.scales.x.max - u.scales.x.min;
      const [factor, unit] = range > 1 ? [1, 's'] : range > 1e-3 ? [1e3, 'ms'] : [1e6, 'us'];
      const step = splits.length > 1 ? (splits[1] - splits[0]) * factor : 1;
      const digits = Math.max(0, Math.min(9, -Math.floor(Math.log10(step) + 1e-9)));
      return splits.map((s) => `${(s * factor).toFixed(digits)} ${unit}`);
    };
    const u = new uPlot({
      width: Math.max(holder.clientWidth, 300), height: 320, legend: { show: false },
      cursor: { drag: { x: true, y: false, dist: 5 }, points: { show: false } },
      scales: { x: { time: false, range: (_, min, max) => [min, max] }, y: { range: (plot) => heights(plot) } },
      axes: [Object.assign(axis('time', seconds), { space: 90 }), axis('V', (_, splits) => splits.map((v) => v.toFixed(2)))],
      series: [{}, ...['lowest', 'highest'].map((label) => ({ label, stroke: () => css('--voltage'), width: 1,
        paths: uPlot.paths.stepped({ align: 1 }), points: { show: false } }))],
      bands: [{ series: [2, 1], fill: () => css('--band') }],
      hooks: { draw: [draw], setScale: [(plot, key) => { if (key === 'x') say(plot); }] },
    }, [xs, closed(lows), closed(highs)], holder);
    say(u);

    const show = (min, max) => {
      const width = Math.min(Math.max(max - min, 1e-6), xs[xs.length - 1]);
      const from = Math.min(Math.max(min, 0), xs[xs.length - 1] - width);
      u.setScale('x', { min: from, max: from + width });
    };
    const all = () => show(0, xs[xs.length - 1]);
    const zoom = (factor) => {
      const middle = (u.scales.x.min + u.scales.x.max) / 2;
      const half = (u.scales.x.max - u.scales.x.min) / 2 * factor;
      show(middle - half, middle + half);
    };
    const move = (share) => {
      const by = (u.scales.x.max - u.scales.x.min) * share;
      show(u.scales.x.min + by, u.scales.x.max + by);
    };
    const onTimes = records.filter((cycle) => cycle.turn_on_s !== null);
    const showCycle = (cycle) => {
      const margin = Math.max((cycle.end_s - cycle.turn_on_s) * 0.1, 1e-6);
      show(cycle.turn_on_s - margin, cycle.end_s + margin);
    };
    let at = -1;
    const step = (by) => {
      if (!onTimes.length) return;
      at = Math.min(Math.max(at + by, 0), onTimes.length - 1);
      showCycle(onTimes[at]);
    };
    const persist = () => {
      const cycle = onTimes[Math.max(at, 0)];
      const from = cycle ? eventTime(cycle, 'persist_begin') : null;
      if (from === null) return;
      const to = eventTime(cycle, 'persist_end') || eventTime(cycle, 'lost') || cycle.end_s;
      show(from - (to - from) * 0.2, to + (to - from) * 0.2);
    };
    const keys = { '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), ArrowLeft: () => move(-0.25),
      ArrowRight: () => move(0.25), 0: all, Home: all, n: () => step(1), p: () => step(-1), s: persist };
    holder.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
      keys[event.key]();
      event.preventDefault();
    });
    holder.addEventListener('dblclick', all);
    const button = (text, action) => el('button', { type: 'button', text, onclick: action });
    place.append(el('div', { class: 'controls' }, button('all', all), button('zoom in', () => zoom(0.5)),
      button('zoom out', () => zoom(2)), button('left', () => move(-0.25)), button('right', () => move(0.25)),
      button('previous cycle', () => step(-1)), button('next cycle', () => step(1)), button('its persist', persist)), status);
    const legend = (colour, text) => { const i = el('i'); i.style.background = `var(${colour})`; return el('span', {}, i, text); };
    place.append(el('p', { class: 'legend' }, legend('--band', 'envelope'), legend('--voltage', 'exact'), legend('--off', 'no power'),
      legend('--persist', 'persist'), legend('--restore', 'restore'), legend('--lost', 'lost')));
    charts.push({ u, holder, report, show });
  }

  function bars(caption, entries, unit) {
    const largest = Math.max(...entries.map(([, value]) => value), 0);
    const body = el('tbody');
    for (const [name, value] of entries) {
      const bar = el('div');
      bar.style.width = `${largest > 0 ? Math.max(0, 100 * value / largest) : 0}%`;
      body.append(el('tr', {}, el('th', { scope: 'row', text: name }),
        el('td', { class: 'number', text: si(value, unit), 'data-value': String(value) }), el('td', { class: 'bar', 'aria-hidden': 'true' }, bar)));
    }
    return [el('h3', { text: caption }), el('table', {}, body)];
  }

  function histogram(report) {
    const times = report.distribution.persist;
    const bound = report.persist_bound.time_s;
    const nodes = [el('h3', { text: 'Time of a persist, from the warning on, and its bound' })];
    if (!times.count) return nodes.concat(el('p', { text: 'There was no persist.' }));
    const first = times.histogram[0][0];
    const right = Math.max(bound, times.maximum_s) * 1.02;
    const left = Math.max(0, first - (right - first) * 0.05);
    const W = 640, H = 200, base = 160;
    const x = (s) => 10 + (s - left) / (right - left) * (W - 20);
    const most = Math.max(...times.histogram.map((bin) => bin[2]));
    const picture = svg('svg', { viewBox: `0 0 ${W} ${H}`, role: 'img',
      'aria-label': `Histogram of ${times.count} persists: half of them at most ${si(times.p50_s, 's')}, the longest ${si(times.maximum_s, 's')}, the bound ${si(bound, 's')}` });
    for (const [from, to, count] of times.histogram) {
      const height = Math.max(1, count / most * 130);
      const bar = svg('rect', { class: 'bin', x: x(from), y: base - height, width: Math.max(1, x(to) - x(from)), height });
      bar.append(svg('title', {}, `${si(from, 's', 5)} to ${si(to, 's', 5)}: ${count}`));
      picture.append(bar);
    }
    picture.append(svg('line', { class: 'axis', x1: 10, x2: W - 10, y1: base, y2: base }),
      svg('line', { class: 'bound', x1: x(bound), x2: x(bound), y1: 18, y2: base }),
      svg('text', { x: x(bound) - 4, y: 14, 'text-anchor': 'end' }, `bound ${si(bound, 's')}`),
      svg('text', { x: 10, y: base + 16 }, si(left, 's')), svg('text', { x: W - 10, y: base + 16, 'text-anchor': 'end' }, si(right, 's')));
    nodes.push(picture, el('p', { class: 'hint', text: `${times.count} persists: half at most ${si(times.p50_s, 's')}, 99 % at most ${si(times.p99_s, 's')}, the longest ${si(times.maximum_s, 's')}; bound ${si(bound, 's')}` }));
    return nodes;
  }

  function facts(report) {
    const rows = [['operations', String(report.work.operations), report.work.operations],
      ['a second', report.work.operations_per_second === null ? 'none' : report.work.operations_per_second.toPrecision(4), report.work.operations_per_second],
      ['energy each', si(report.work.energy_per_operation_j, 'J'), report.work.energy_per_operation_j],
      ['outages', `${report.outages.total}`, report.outages.total], ['lost', `${report.outages.lost}`, report.outages.lost],
      ['longest persist', si(report.persist.time_s.maximum, 's'), report.persist.time_s.maximum],
      ['margin above brown-out', si(report.margin.voltage_v, 'V'), report.margin.voltage_v],
      ['capacitor', si(report.capacitor.capacitance_f, 'F'), report.capacitor.capacitance_f],
      ['recommended', si(report.capacitor.recommended_f, 'F'), report.capacitor.recommended_f],
      ['on', percent(report.progress.duty_cycle), report.progress.duty_cycle],
      ['uncalibrated, of the energy', percent(report.uncalibrated.energy_share), report.uncalibrated.energy_share]];
    const body = el('tbody');
    for (const [name, text, value] of rows) {
      body.append(el('tr', {}, el('th', { scope: 'row', text: name }), el('td', { class: 'number', text, 'data-value': String(value) })));
    }
    return el('table', {}, body);
  }

  const main = document.querySelector('main');
  for (const { file, report } of reports) {
    const part = el('section', { 'aria-label': `${report.scenario}, ${file}` });
    part.append(el('h2', { text: reports.length > 1 ? `${report.scenario} (${file})` : report.scenario }),
      el('p', {}, el('span', { class: `verdict ${report.verdict}`, text: report.verdict.toUpperCase() }),
        ` ${report.stop_reason}, ${si(report.simulated_time_s, 's')} simulated, brownout ${report.version}`));
    if (report.failure) part.append(el('p', { class: 'fail', text: report.failure }));
    main.append(part);
    part.append(facts(report), el('h3', { text: 'Voltage of the capacitor' }));
    voltageChart(report, part);
    part.append(...bars('Where the energy went, by phase', Object.entries(report.phases).map(([name, phase]) => [name, phase.energy_j]), 'J'),
      ...bars('By consumer', Object.entries(report.energy_by_consumer_j), 'J'), ...histogram(report));
  }

  const redraw = () => charts.forEach(({ u }) => u.redraw(false));
  const setTheme = (theme) => { document.documentElement.dataset.theme = theme; redraw(); };
  const dark = matchMedia('(prefers-color-scheme: dark)');
  setTheme(dark.matches ? 'dark' : 'light');
  dark.addEventListener('change', () => setTheme(dark.matches ? 'dark' : 'light'));
  document.getElementById('theme').addEventListener('click', () =>
    setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark'));
  new ResizeObserver(() => charts.forEach(({ u, holder }) => {
    if (Math.abs(holder.clientWidth - u.width) > 1 && holder.clientWidth > 0) u.setSize({ width: holder.clientWidth, height: 320 });
  })).observe(main);
  window.brownoutCharts = charts;  // for tests
})();
