// The page of `brownout report` in a browser: node page_test.mjs CHROMIUM PAGE.html REPORT.json LARGE.html [PICTURES]
// Renders, zooms, works by keyboard, says the report's numbers, is readable in light and dark, asks no network.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const [chromium, page, reportFile, large, pictures] = process.argv.slice(2);
const { chromium: driver } = createRequire(path.join(process.cwd(), 'x.js'))('playwright-core');
const report = JSON.parse(fs.readFileSync(reportFile, 'utf8'));
let failures = 0;
const check = (good, what) => {
  if (good) return;
  failures += 1;
  console.error(`page: ${what}`);
};

const browser = await driver.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
const complaints = [];
async function open(file, colorScheme) {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1200, height: 1400 } });
  const tab = await context.newPage();
  tab.on('console', (message) => { if (message.type() !== 'log') complaints.push(message.text()); });
  tab.on('pageerror', (error) => complaints.push(String(error)));
  tab.on('request', (request) => { if (!/^(file|data):/.test(request.url())) complaints.push(`asked for ${request.url()}`); });
  const begin = Date.now();
  await tab.goto(pathToFileURL(path.resolve(file)).href);
  await tab.waitForFunction(() => window.brownoutCharts && window.brownoutCharts.length > 0);
  return { tab, context, took: Date.now() - begin };
}
const range = (tab, i = 0) => tab.evaluate((k) => {
  const { min, max } = window.brownoutCharts[k].u.scales.x;
  return [min, max];
}, i);
const width = async (tab) => { const [min, max] = await range(tab); return max - min; };

for (const theme of ['light', 'dark']) {
  const { tab, context } = await open(page, theme);
  // Something is drawn: a canvas with more than one colour.
  const colours = await tab.evaluate(() => {
    const canvas = document.querySelector('canvas');
    const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
    const seen = new Set();
    for (let i = 0; i < data.length; i += 4) seen.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
    return seen.size;
  });
  check(colours > 10, `${theme}: the chart has ${colours} colours`);
  const shown = await tab.evaluate(() => document.documentElement.dataset.theme);
  check(shown === theme, `${theme}: shows ${shown}`);

  // Contrast of all text (WCAG AA), and of what the canvas writes with.
  const faint = await tab.evaluate(() => {
    const channel = (c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
    const numbers = (text) => text.match(/[\d.]+/g).map(Number);
    const contrast = (a, b) => { const [x, y] = [luminance(a), luminance(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
    const probe = document.createElement('span');
    document.body.append(probe);
    const resolve = (colour) => { probe.style.color = colour; return numbers(getComputedStyle(probe).color).slice(0, 3); };
    const bad = [];
    for (const name of ['--ink', '--faint', '--warn', '--brown', '--on', '--lost', '--good', '--voltage']) {
      const ratio = contrast(resolve(`var(${name})`), resolve('var(--paper)'));
      if (ratio < 4.5) bad.push(`${name} ${ratio.toFixed(2)}`);
    }
    const background = (node) => {
      for (let at = node; at; at = at.parentElement) {
        const c = numbers(getComputedStyle(at).backgroundColor);
        if (c.length < 4 || c[3] > 0) return c.slice(0, 3);
      }
      return [255, 255, 255];
    };
    for (const node of document.querySelectorAll('h1,h2,h3,p,th,td,button,span')) {
      if (!node.textContent.trim()) continue;
      const ratio = contrast(numbers(getComputedStyle(node).color).slice(0, 3), background(node));
      if (ratio < 4.5) bad.push(`${node.tagName} "${node.textContent.slice(0, 20)}" ${ratio.toFixed(2)}`);
    }
    probe.remove();
    return bad;
  });
  check(faint.length === 0, `${theme}: too little contrast: ${faint.join('; ')}`);
  if (pictures) await tab.screenshot({ path: path.join(pictures, `page-${theme}.png`), fullPage: true });
  await context.close();
}

{
  const { tab, context } = await open(page, 'light');
  // Every number is the report's.
  const values = await tab.evaluate(() => [...document.querySelectorAll('[data-value]')].map((node) => node.dataset.value));
  const known = new Set();
  const collect = (value) => {
    if (value === null || typeof value === 'number') known.add(String(value));
    else if (typeof value === 'object') Object.values(value).forEach(collect);
  };
  collect({ ...report, voltage: null, cycles: null });
  check(values.length >= 25, `only ${values.length} numbers are shown`);
  check(values.every((value) => known.has(value)), `numbers that are not the report's: ${values.filter((v) => !known.has(v))}`);
  const bars = await tab.evaluate(() => [...document.querySelectorAll('td[data-value]')].map((td) => [td.previousSibling.textContent, td.dataset.value]));
  for (const [phase, use] of Object.entries(report.phases)) {
    check(bars.some(([name, value]) => name === phase && value === String(use.energy_j)), `the energy of ${phase} is not shown`);
  }

  // The whole run at first; a drag zooms, a double click shows all.
  const total = await width(tab);
  check(Math.abs(total - report.simulated_time_s) <= report.voltage.stretch_s, `shows ${total} s at first`);
  const box = await tab.locator('.u-over').first().boundingBox();
  await tab.mouse.move(box.x + box.width * 0.4, box.y + 50);
  await tab.mouse.down();
  await tab.mouse.move(box.x + box.width * 0.6, box.y + 60, { steps: 4 });
  await tab.mouse.up();
  const dragged = await width(tab);
  check(dragged < total * 0.25 && dragged > total * 0.15, `a drag over a fifth shows ${dragged} of ${total} s`);
  await tab.mouse.dblclick(box.x + 30, box.y + 30);
  check(Math.abs((await width(tab)) - total) < 1e-9, 'a double click does not show all');

  await context.close();
}

{
  // By keyboard alone: the theme's button, then the chart.
  const { tab, context } = await open(page, 'light');
  const total = await width(tab);
  await tab.keyboard.press('Tab');
  check((await tab.evaluate(() => document.activeElement.id)) === 'theme', 'the first Tab does not reach the theme');
  await tab.keyboard.press('Tab');
  check(await tab.evaluate(() => document.activeElement.classList.contains('chart')), 'the second Tab does not reach the chart');
  await tab.keyboard.press('+');
  check(Math.abs((await width(tab)) - total / 2) < 1e-6 * total, 'plus does not zoom');
  const before = await range(tab);
  await tab.keyboard.press('ArrowRight');
  check((await range(tab))[0] > before[0], 'the arrow does not move');
  await tab.keyboard.press('0');
  check(Math.abs((await width(tab)) - total) < 1e-9, '0 does not show all');
  await tab.keyboard.press('n');
  await tab.keyboard.press('n');
  const cycle = report.cycles.records.filter((record) => record.turn_on_s !== null)[1];
  const [from, to] = await range(tab);
  check(from < cycle.turn_on_s && to > cycle.end_s, 'n does not go to the next cycle');
  await tab.keyboard.press('s');
  check((await width(tab)) < 3 * cycle.persist_s, 's does not show its persist');
  check(/exact/.test(await tab.locator('.status').first().textContent()), 'does not say that this is exact');
  if (pictures) await tab.locator('section').first().screenshot({ path: path.join(pictures, 'persist.png') });
  for (let i = 0; i < 20; ++i) await tab.keyboard.press('+');
  check((await width(tab)) <= 2e-6, `does not zoom down to microseconds: ${await width(tab)}`);
  await context.close();
}

{
  // 100,000 outages in a day: opens within two seconds, and says where it is not exact.
  const { tab, context, took } = await open(large, 'light');
  check(took < 2000, `the large page took ${took} ms`);
  console.log(`page: the large one opened in ${took} ms`);
  await tab.evaluate(() => window.brownoutCharts[0].show(43200, 43200.001));
  const status = await tab.locator('.status').first().textContent();
  check(/envelope/.test(status), `does not say that it shows the envelope: ${status}`);
  await context.close();
}

check(complaints.length === 0, `the console says: ${complaints.join(' | ')}`);
await browser.close();
process.exit(failures === 0 ? 0 : 1);
