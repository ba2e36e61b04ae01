// Receivers as the documentation of each dialect describes them, and with the published library of Standard Webhooks where it is
// installed. Each must take what a running server sends for genuine, and nothing else.
import crypto from 'node:crypto';
import http from 'node:http';
import assert from 'node:assert/strict';

const { base, test_key: key } = process.env;
const api = async (method, path, body) => {
  const answer = await fetch(base + path, {
    method,
    headers: { 'X-Auth-Token': key, Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  const data = await answer.json();
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${JSON.stringify(data)}`);
  return data;
};
const hmac = (secret, text) => crypto.createHmac('sha256', secret).update(text).digest('hex');

// Audian, /setup and /signatures: the digits of the header are compared with those worked out here.
function audian({ headers, raw }, secret) {
  const expected = hmac(secret, `${headers['x-audian-timestamp']}.${raw}`);
  const same = (given) => given.length === expected.length && crypto.timingSafeEqual(Buffer.from(given), Buffer.from(expected));
  return same(headers['x-audian-signature']) && Math.abs(Date.now() / 1000 - headers['x-audian-timestamp']) < 300;
}

// Audian, /payloads: the digits have a prefix.
const audianWithPrefix = ({ headers, raw }, secret) =>
  headers['x-audian-signature-256'] === `sha256=${hmac(secret, `${headers['x-audian-timestamp']}.${raw}`)}`;

// Telephony.io: what was parsed is written again, and that is hashed.
const telephony = ({ headers, raw }, secret) =>
  headers['x-telephony-signature'] === hmac(secret, JSON.stringify(JSON.parse(raw)));

// Standard Webhooks, by its own description.
function standard({ headers, raw }, secret) {
  const sign = crypto.createHmac('sha256', Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
  const expected = sign.update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${raw}`).digest('base64');
  return headers['webhook-signature'].split(' ').includes(`v1,${expected}`);
}

const received = [];
const server = http.createServer((request, answer) => {
  let raw = '';
  request.setEncoding('utf8');
  request.on('data', (chunk) => { raw += chunk; });
  request.on('end', () => { received.push({ path: request.url, headers: request.headers, raw }); answer.end('ok'); });
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const place = `http://127.0.0.1:${server.address().port}`;
const arrived = async (path, count) => {
  for (let waited = 0; waited < 400; waited += 1) {
    const found = received.filter((one) => one.path === path);
    if (found.length >= count) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${count} deliveries did not arrive at ${path}: ${JSON.stringify(received)}`);
};

const hooks = {};
for (const [dialect, checks] of Object.entries({ audian: [audian, audianWithPrefix], telephony_io: [telephony], native: [standard] })) {
  const made = await api('POST', '/v1/webhooks', { url: `${place}/${dialect}`, events: ['*'], dialect });
  hooks[dialect] = { ...made, checks };
}
const found = await api('GET', '/audian/v2/numbers/search?limit=1');
const { number } = found.data.numbers[0];
const bought = await api('POST', '/audian/v2/numbers/purchase', { number, friendly_name: 'Grüße — 😀 "x" \\ \u2028' });
for (const hook of Object.values(hooks)) await api('POST', `/v1/webhooks/${hook.id}/test`);

for (const [dialect, { signing_secret: secret, checks }] of Object.entries(hooks)) {
  const expected = dialect === 'telephony_io' ? 1 : 2;
  for (const one of await arrived(`/${dialect}`, expected)) {
    assert.equal(JSON.stringify(JSON.parse(one.raw)), one.raw, 'the body survives JavaScript');
    for (const check of checks) {
      assert.ok(check(one, secret), `${dialect} ${check.name} takes it for genuine`);
      assert.ok(!check(one, `${secret.slice(0, -5)}AAAA=`), `${dialect} ${check.name} knows another secret`);
      assert.ok(!check({ ...one, raw: one.raw.replace('{', '{"a":1,') }, secret), `${dialect} ${check.name} sees a change`);
    }
  }
}
const told = (await arrived('/audian', 2)).map((one) => JSON.parse(one.raw)).find((body) => body.event === 'number.purchased');
assert.deepEqual(Object.keys(told), ['id', 'timestamp', 'event', 'version', 'data']);
assert.equal(told.data.number_id, bought.data.id);
server.close();
server.closeAllConnections();
console.log(`${received.length} deliveries were taken for genuine by the receivers that the documentation describes`);
