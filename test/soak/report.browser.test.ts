import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { toSvg } from '../../cli/graph/svg.ts';
import { wrapPage } from '../../cli/page/provenance.ts';
import type { Row } from '../../engine/artefacts.ts';
import { randomStream } from '../../engine/execute/random.ts';
import type { StepInput } from '../../engine/step.ts';
import report from '../../steps/report/index.ts';
import { matrixInput, runStep, tableInput } from '../run-step.ts';

const executable = (process.env['PATH'] ?? '')
  .split(delimiter)
  .flatMap((folder) =>
    ['chromium', 'chromium-browser', 'google-chrome', 'chrome'].map((name) => join(folder, name)),
  )
  .find((path) => existsSync(path));
if (!executable) console.warn('report.browser.test.ts is skipped: there is no chromium in PATH');

/** What the test reads of a canvas; the types of the browser are not those of the product. */
interface Canvas {
  width: number;
  height: number;
  getContext(kind: '2d'): {
    getImageData(x: number, y: number, width: number, height: number): { data: Uint8ClampedArray };
  };
}

const attack = '</script><script>window.attacked = 1</script><img src=x onerror="window.attacked = 2">';
const themes = ['cards', 'fees', 'loans', 'transfers', 'limits', 'rates', 'refunds', 'identity', 'cash'];

/** A page of 27 clusters, one of them with a hostile name and hostile texts, and of a run around it. */
async function makePage(): Promise<string> {
  const random = randomStream(3, 'page');
  const clusters = 27;
  const rows: Row[] = [];
  const data: number[] = [];
  for (let cluster = 0; cluster < clusters; cluster++) {
    for (let index = 0; index < 20 + cluster; index++) {
      const theme = themes[cluster % themes.length];
      rows.push({
        id: `${cluster}-${index}`,
        text: cluster === 4 ? `${attack} ${index}` : `about ${theme} ${cluster}, number ${index}`,
        cluster,
      });
      data.push(
        Math.cos(cluster) * (2 + cluster / 5) + random.next() * 0.4,
        Math.sin(cluster) * (2 + cluster / 5) + random.next() * 0.4,
        random.next() * 0.1,
      );
    }
  }
  const names = Array.from({ length: clusters }, (_, cluster) => ({
    id: String(cluster),
    cluster,
    name: cluster === 4 ? attack : `${themes[cluster % themes.length]} ${cluster}`,
    keywords: cluster === 4 ? [attack] : ['word', `key${cluster}`],
    examples: [`example of ${cluster}`, 'another'],
    size: 20 + cluster,
  }));
  const input = (use: string, outputs: StepInput['outputs'], metrics = {}): StepInput => ({
    step: use,
    use,
    metrics,
    output: Object.keys(outputs)[0] ?? 'rows',
    outputs,
  });
  const { files } = await runStep(report, {
    inputs: {
      topics: input('cluster', {
        rows: tableInput(rows),
        vectors: matrixInput(
          { data: Float32Array.from(data), rows: rows.length, columns: 3 },
          rows.map(({ id }) => id),
        ),
      }),
      names: input('summarize', { names: tableInput(names) }),
      scores: input(
        'evaluate',
        { classes: tableInput(['b', 'a', attack].map((name, f1) => ({ id: name, class: name, f1 }))) },
        { v_measure: 0.775 },
      ),
    },
  });
  const graph = {
    nodes: ['queries', 'topics', attack].map((id) => ({ id, use: 'load', status: 'ran' as const, rows: 3 })),
    edges: [
      { from: 'queries', to: 'topics' },
      { from: 'topics', to: attack },
    ],
  };
  return wrapPage(files['page']!['index.html']!.toString('utf8'), {
    id: '20261121-091502-topics-3f9a',
    status: 'succeeded',
    started: Date.UTC(2026, 10, 21),
    duration_ms: 1234,
    workflow: { name: attack, description: attack, path: 'a.yaml', text: attack },
    params: { topics: 27 },
    given: ['topics'],
    seed: 42,
    git: null,
    environment: [['Node', attack]],
    models: [],
    steps: [],
    graph: await toSvg(graph),
  });
}

describe.skipIf(!executable)('the report in a browser', () => {
  let browser: Browser;
  let folder: string;
  let url: string;
  let page: Page;
  const complaints: string[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reprise-browser-'));
    const file = join(folder, 'report.html');
    writeFileSync(file, await makePage());
    url = pathToFileURL(file).href;
    browser = await chromium.launch({
      executablePath: executable!,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    if (folder) rmSync(folder, { recursive: true, force: true });
  });
  afterEach(async () => {
    expect(await page.evaluate('window.attacked')).toBeUndefined();
    expect(complaints.splice(0)).toEqual([]);
    await page.close();
  });

  async function open(width: number, colorScheme: 'light' | 'dark' = 'light', javaScriptEnabled = true) {
    page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme, javaScriptEnabled });
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    page.on('request', (request) => {
      if (request.url() !== url) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(url);
  }
  /** Moves the pointer over painted places of the map until a text shows; gives it. */
  async function hover(): Promise<string> {
    const box = (await page.locator('canvas').boundingBox())!;
    const places = await page.locator('canvas').evaluate((element) => {
      const canvas = element as unknown as Canvas;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      const found: [number, number][] = [];
      for (let y = 0; y < canvas.height; y += 5)
        for (let x = 0; x < canvas.width; x += 5)
          if (data[(y * canvas.width + x) * 4 + 3]! > 220) found.push([x, y]);
      return found;
    });
    for (const [x, y] of places) {
      await page.mouse.move(box.x + x, box.y + y);
      const tip = page.locator('[data-tip]');
      if (await tip.isVisible()) return (await tip.textContent()) ?? '';
    }
    return '';
  }
  const visibleNames = () => page.locator('.clusters-table tbody:visible b').allTextContents();

  test.each([360, 760, 1280])('fits a window of %i pixels', async (width) => {
    await open(width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
    const { x, width: mapWidth } = (await page.locator('canvas').boundingBox())!;
    expect(x + mapWidth).toBeLessThanOrEqual(width);
    expect(await page.locator('h1').textContent()).toContain('27 clusters');
    expect(await visibleNames()).toHaveLength(15);
  });

  test('the map has points, in light and dark', async () => {
    for (const scheme of ['light', 'dark'] as const) {
      await open(1280, scheme);
      const painted = await page.locator('canvas').evaluate((element) => {
        const canvas = element as unknown as Canvas;
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        let found = 0;
        for (let index = 3; index < data.length; index += 4) if (data[index]! > 0) found++;
        return found;
      });
      expect(painted).toBeGreaterThan(1000);
      if (scheme === 'light') await page.close();
    }
  });

  test('sorts by name and by size', async () => {
    await open(1280);
    expect((await visibleNames())[0]).toBe(`${themes[26 % 9]} 26`);
    await page.getByRole('button', { name: 'Size' }).click();
    expect((await visibleNames())[0]).toBe('cards 0');
    expect(await page.locator('th.c-size').getAttribute('aria-sort')).toBe('ascending');
    await page.getByRole('button', { name: 'Cluster', exact: true }).click();
    const names = await visibleNames();
    expect(names.slice(1, 4)).toEqual(['cards 0', 'cards 9', 'cards 18']);
    expect(await page.locator('th.c-size').getAttribute('aria-sort')).toBeNull();
  });

  test('searches names, keywords and examples', async () => {
    await open(1280);
    const search = page.getByPlaceholder('Search names, keywords, examples');
    await search.fill('key12');
    expect(await visibleNames()).toEqual([`${themes[12 % 9]} 12`]);
    expect(await page.locator('[data-status]').textContent()).toBe('1 of 27 clusters');
    await search.fill('nothing like it');
    expect(await page.getByText('No cluster matches.').isVisible()).toBe(true);
    await search.fill('');
    await page.getByRole('button', { name: 'Show all 27 clusters' }).click();
    expect(await visibleNames()).toHaveLength(27);
  });

  test('unfolds examples with the keyboard', async () => {
    await open(1280);
    const toggle = page.locator('.toggle').first();
    await toggle.focus();
    expect(await page.locator('.detail').first().isVisible()).toBe(false);
    await page.keyboard.press('Enter');
    expect(await toggle.getAttribute('aria-expanded')).toBe('true');
    expect(await page.locator('.detail').first().isVisible()).toBe(true);
  });

  test('a size chooses its cluster; the map and the table follow, and a text shows on hover', async () => {
    await open(1280);
    await page.locator('.bar[data-cluster="20"]').scrollIntoViewIfNeeded();
    await page.locator('.bar[data-cluster="20"]').click();
    expect(await visibleNames()).toEqual([`${themes[20 % 9]} 20`]);
    expect(await hover()).toMatch(/^about loans 20, number \d+loans 20$/);
    await page.getByRole('button', { name: 'Show all clusters' }).click();
    expect(await visibleNames()).toHaveLength(15);
  }, 120_000);

  test('a click on the map chooses, Escape lets go, keys zoom', async () => {
    await open(1280);
    const canvas = page.locator('canvas');
    expect(await hover()).not.toBe('');
    await page.mouse.down();
    await page.mouse.up();
    expect(await visibleNames()).toHaveLength(1);
    await page.keyboard.press('Escape');
    expect(await visibleNames()).toHaveLength(15);
    await page.keyboard.press('+');
    expect(await canvas.getAttribute('class')).toBe('zoomed');
    await page.keyboard.press('0');
    expect(await canvas.getAttribute('class')).toBe('');
  }, 120_000);

  test('hostile texts show as text, in the table, on the map and around it', async () => {
    await open(1280);
    await page.locator('.bar[data-cluster="4"]').scrollIntoViewIfNeeded();
    await page.locator('.bar[data-cluster="4"]').click();
    expect(await visibleNames()).toEqual([attack]);
    expect(await hover()).toContain(attack);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.getByText(attack).count()).toBeGreaterThan(5);
  }, 120_000);

  test('plain tables sort by number and by text', async () => {
    await open(1280);
    const cells = () => page.locator('table.plain td.number').allTextContents();
    await page.getByRole('button', { name: 'f1' }).click();
    expect(await cells()).toEqual(['2', '1', '0']);
    await page.getByRole('button', { name: 'class' }).click();
    expect((await cells()).slice(1)).toEqual(['1', '0']);
  });

  test('without JavaScript everything is still there to read', async () => {
    await open(1280, 'light', false);
    expect(await page.locator('.clusters-table .detail').first().isVisible()).toBe(true);
    expect(await page.locator('.clusters-table tbody').count()).toBe(27);
    page.evaluate = (async () => undefined) as never; // there is no script to ask with
  });

  test('on paper all clusters are there', async () => {
    await open(1280);
    await page.emulateMedia({ media: 'print' });
    expect(await visibleNames()).toHaveLength(27);
  });
});
