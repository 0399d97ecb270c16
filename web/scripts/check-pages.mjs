// Walks the pages of a running server in Chromium with fake devices and runs axe on every state.
//   npm run check:pages -- http://localhost:3000 [folder for screenshots]
// Fails on an axe violation, an uncaught page error or a request that leaves the machine.
import { mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [base = 'http://localhost:3000', shots] = process.argv.slice(2);
const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const found = [];
if (shots) mkdirSync(shots, { recursive: true });

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless=new',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--use-fake-device-for-media-stream',
    '--use-fake-ui-for-media-stream',
  ],
});

async function open(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('pageerror', (error) => found.push(`page error: ${error.message}`));
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (/^(http|ws)s?:$/.test(protocol) && !['localhost', '127.0.0.1', new URL(base).hostname].includes(hostname)) {
      found.push(`request to another host: ${hostname}`);
    }
  });
  return page;
}

async function inspect(page, name) {
  await page.waitForTimeout(400);
  if (shots) await page.screenshot({ path: `${shots}/${name}.png` });
  const violations = await page.evaluate(
    async ([source, tags]) => {
      if (!('axe' in window)) new Function(source).call(window);
      const result = await window.axe.run(document, { runOnly: tags });
      return result.violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
    },
    [axeSource, rules],
  );
  for (const violation of violations) found.push(`${name}: ${violation}`);
  console.log(`${name}: ${violations.length} violations`);
}

async function walk(label, options) {
  const page = await open(options);
  const at = (id) => page.getByTestId(id);
  const name = (state) => `${label}-${state}`;
  await page.goto(`${base}/`);
  await at('appointments').waitFor();
  await inspect(page, name('console'));
  await at('appointment').last().click();
  await at('drawer').waitFor();
  await inspect(page, name('drawer'));
  await at('start-call').click();
  await at('room').waitFor({ timeout: 30_000 });
  await inspect(page, name('room-alone'));
  for (const panel of ['chat', 'people']) {
    await at(`control-${panel}`).click();
    await at(`${panel}-panel`).waitFor();
    await inspect(page, name(panel));
    await at(`${panel}-panel-close`).click();
  }
  await at('control-devices').click();
  await at('device-menu').waitFor();
  await inspect(page, name('devices'));
  await page.keyboard.press('Escape');
  await at('control-leave').click();
  await at('visit-left').waitFor();
  await inspect(page, name('left'));
  await at('visit-rejoin').click();
  await at('preview-video').waitFor();
  await inspect(page, name('lobby'));
  await page.goto(`${base}/meeting/ZZZZZZZZZZ`);
  await at('visit-refused').waitFor();
  await inspect(page, name('refused'));
  await page.goto(`${base}/no/such/page`);
  await at('not-found').waitFor();
  await inspect(page, name('not-found'));
  await page.context().close();
}

try {
  await walk('light', { viewport: { width: 1280, height: 800 } });
  await walk('dark', { viewport: { width: 1280, height: 800 }, colorScheme: 'dark' });
  await walk('phone', { viewport: { width: 320, height: 640 }, reducedMotion: 'reduce' });
} catch (error) {
  found.push(`the walk stopped: ${error instanceof Error ? error.message : String(error)}`);
} finally {
  await browser.close();
}
for (const finding of found) console.error(finding);
process.exitCode = found.length > 0 ? 1 : 0;
