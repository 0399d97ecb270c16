// Secrets, tokens, links and people's names go through every door; not one of them may be in what the server prints.
import { after, before, test } from 'node:test';
import assert from 'node:assert/strict';
import { Server, until } from './support/server.mjs';
import { launch, person } from './support/browser.mjs';
import { createRoom, joinWithSdk, serveSdkPage } from './support/sdk_page.mjs';

let server, page, browser;
const canaries = new Map();
// note('what', value): remembers what must not be printed, and gives it back.
const note = (what, value) => {
  if (typeof value === 'string' && value.length >= 8) canaries.set(value, what);
  return value;
};

before(async () => ([server, page, browser] = await Promise.all([Server.start({ args: ['--log-level', 'debug'] }), serveSdkPage(), launch()])));
after(async () => {
  await browser?.close();
  await page?.close();
  await server?.dispose();
});

test('every kind of secret passes through', { timeout: 60_000 }, async () => {
  const patient = note('patient name', 'Zebulon Quackenbush-Canary');
  const made = await server.call('POST', '/api/virtual-meetings/instant', { json: { displayName: note('visit name', 'Canary knee follow-up') } });
  assert.equal(made.status, 201, made.text);
  if (made.body.hostLink) note('host invite', new URL(made.body.hostLink).hash.replace(/^#i=/, ''));
  const joined = await server.call('POST', `/api/virtual-meetings/join/${made.body.code}`, { json: { displayName: patient, claim: 'patient' }, org: null });
  assert.equal(joined.status, 200, joined.text);
  note('join ticket', joined.body.ticket);
  note('media token', joined.body.authToken);

  const secret = note('app secret', 'CanarySecret-0123456789-abcdef');
  const integration = await server.call('POST', '/api/integrations', {
    json: { vendor_id: '100ms', environment: 'production', credentials: { appId: 'canary-app', appSecret: secret, apiEndpoint: `${server.api}/v2` } },
  });
  assert.ok([201, 403].includes(integration.status), integration.text);
  if (integration.status === 201) await server.call('POST', `/api/integrations/${integration.body.id}/test`);
  note('bad secret', 'CanaryBroken-9876543210');
  await server.call('POST', '/api/integrations', { json: '{"vendor_id":"100ms","credentials":{"appSecret":"CanaryBroken-9876543210"' });
  await server.call('POST', '/api/virtual-meetings/instant', { json: { displayName: [patient] } });
  await server.call('GET', `/api/virtual-meetings/org/${server.run.orgId}?q=${note('query text', 'CanaryQueryText')}`);
  await server.call('GET', '/api/virtual-meetings/participants/me', { headers: { authorization: `Bearer ${note('foreign ticket', 'tvt_CanaryTicketCanaryTicketCanaryTicketCan')}` } });

  note('management token', await server.managementToken());
  const room = await createRoom(server, 'canary');
  const token = note('app token', await server.appToken(room.id, 'host', note('customer user id', 'canary-user-4711')));
  const who = await person(browser, note('peer name', 'Wilhelmina Canary-Birdsong'));
  assert.equal(await joinWithSdk(who, page, server, token), null);
  await who.page.evaluate((text) => window.peer.chat(text), note('chat text', 'canary: my password is swordfish'));
  await until('the message was sent', async () => (await who.page.evaluate(() => window.peer.state())).messages.length === 1);
  await who.page.evaluate(() => window.peer.leave());
  await who.context.close();
});

test('none of it is in what the server printed', async () => {
  await server.stop();
  const log = server.log();
  assert.match(log, /room created/, 'the log is the real one: it has the line about the created room');
  assert.ok(canaries.size >= 10, `only ${canaries.size} canaries`);
  const found = [...canaries].filter(([value]) => log.includes(value)).map(([value, what]) => `${what}: ${log.split('\n').find((line) => line.includes(value))}`);
  assert.deepEqual(found, []);
  assert.doesNotMatch(log, /eyJ[A-Za-z0-9_-]{10,}\./, 'a token');
  assert.doesNotMatch(log, /tv[itk]_[A-Za-z0-9_-]{8,}/, 'a ticket, invite or key');
});
