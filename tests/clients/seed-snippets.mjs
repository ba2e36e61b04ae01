// The three samples of the documentation's page of HTTP statuses, against a running server: what they branch on must be there.
import assert from 'node:assert/strict';
import { AudianClient } from './audian-client.mjs';

const { base, test_key: key, operator_key: operator, account } = process.env;
const baseUrl = `${base}/audian/v2`;
let client = new AudianClient({ apiKey: key, baseUrl });

const handled = [];
const refreshApiKey = () => {
  handled.push('refresh');
  client = new AudianClient({ apiKey: key, baseUrl });
};
const wait = (milliseconds) => {
  handled.push(`wait ${milliseconds}`);
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
};

async function native(method, path, body) {
  const response = await fetch(`${base}/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${operator}`, 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.text()}`);
}
const limits = (rate_limit, period_seconds, burst) =>
  native('PATCH', `/accounts/${account}/environments/test/limits`, { rate_limit, period_seconds, burst });

// Sample 1: branch on the status, refresh on 401, wait as told on 429.
async function makeRequest() {
  try {
    return await client.numbers.search({ location: 'US-CA-415' });
  } catch (error) {
    if (error.status === 401) {
      refreshApiKey();
    } else if (error.status === 429) {
      await wait(error.headers['retry-after'] * 1000);
      return makeRequest();
    } else if (error.status >= 500) {
      return retryWithBackoff(makeRequest);
    } else {
      throw error;
    }
  }
}

// Sample 2: retry what is not the client's fault, never what is.
async function retryWithBackoff(fn, maxRetries = 3) {
  for (let i = 0; i < maxRetries; i++) {
    try {
      return await fn();
    } catch (error) {
      if (error.status >= 400 && error.status < 500) throw error;
      if (i < maxRetries - 1) {
        await new Promise((resolve) => setTimeout(resolve, Math.pow(2, i) * 10));
      } else {
        throw error;
      }
    }
  }
}

const found = await makeRequest();
assert.equal(found.success, true);
assert.ok(found.data.numbers.length > 0 && found.data.total >= found.data.numbers.length);
for (const offer of found.data.numbers) {
  assert.match(offer.number, /^\+1415\d{7}$/);
  assert.equal(offer.available, true);
  assert.equal(typeof offer.price.monthly, 'number');
}

client = new AudianClient({ apiKey: 'sk_test_wrong', baseUrl });
assert.equal(await makeRequest(), undefined);
assert.deepEqual(handled.splice(0), ['refresh']);

await limits(1, 1, 1);
await makeRequest();
const limited = await makeRequest();
assert.equal(limited.success, true);
// The first of the two may have to wait as well: what was asked under the old limit still counts.
const waits = handled.splice(0);
assert.ok(waits.length >= 1 && waits.length <= 2, `the wait that Retry-After names is long enough: ${waits}`);
assert.ok(waits.every((wait) => wait === 'wait 1000'), `${waits}`);
await limits(1000, 60, 100);

let asked = 0;
const clientError = retryWithBackoff(async () => {
  asked += 1;
  return client.numbers.purchase({ number: '+14155551234' });
});
await assert.rejects(clientError, (error) => {
  assert.deepEqual(error.body, {
    error: { code: 'number_not_available', message: '+14155551234 is no longer available', type: 'validation_error' },
  });
  return error.status === 422;
});
assert.equal(asked, 1, 'a client error is not retried');

// Sample 3: read the limits off an ordinary answer.
const response = await client.numbers.list();
const rateLimit = {
  limit: response.headers['x-ratelimit-limit'],
  remaining: response.headers['x-ratelimit-remaining'],
  reset: new Date(response.headers['x-ratelimit-reset'] * 1000),
};
assert.equal(rateLimit.limit, '1000');
assert.match(rateLimit.remaining, /^\d+$/);
assert.ok(Math.abs(rateLimit.reset - Date.now()) < 60_000, `resets at ${rateLimit.reset}`);
console.log('the three samples behave as documented');
