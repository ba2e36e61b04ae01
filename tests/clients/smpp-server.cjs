// An SMSC that is not ours: our binds submit to it, and it answers with receipts and messages of its own.
const assert = require("node:assert");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const net = require("node:net");
const smpp = require("smpp");

const { base, live_key: key, operator_key: operator, tls } = process.env;
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

async function api(path, { body, credential = key, method } = {}) {
  const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
  const answer = await fetch(base + path, { method: method ?? (body ? "POST" : "GET"), headers, body: body && JSON.stringify(body) });
  const content = await answer.json();
  assert.ok(answer.ok, `${path}: ${JSON.stringify(content)}`);
  return content;
}

async function until(what, ask) {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; await pause(100)) {
    const found = await ask();
    if (found) return found;
  }
  throw new Error(`waited in vain until ${what}`);
}

const fronts = [];
process.on("exit", () => fronts.forEach((front) => front.kill()));

// TLS with a certificate of that name, in front of a port; the port that it has.
async function front(port, name) {
  const probe = net.createServer().listen(0, "127.0.0.1");
  await new Promise((done) => probe.once("listening", done));
  const own = probe.address().port;
  await new Promise((done) => probe.close(done));
  const certificate = `cert=${tls}/${name}.pem,verify=0`;
  fronts.push(spawn("socat", [`OPENSSL-LISTEN:${own},bind=127.0.0.1,reuseaddr,fork,nodelay,${certificate}`, `TCP:127.0.0.1:${port},nodelay`], { stdio: "ignore" }));
  const listens = () => new Promise((done) => net.connect(own, "127.0.0.1").on("connect", function () { this.destroy(); done(true); }).on("error", () => done(false)));
  await until("socat listens", listens);
  return own;
}

// A certificate that is not the SMSC's: the bind is not made, and the operator is told why.
async function refused(smsc, name, why) {
  const { id } = await api("/v1/smscs", { credential: operator, body: { ...smsc, name, port: await front(smsc.port, name) } });
  const told = async () => (await api(`/v1/smscs/${id}`, { credential: operator })).bind?.last_error;
  assert.match(await until(`the ${name} certificate is refused`, told), why);
  await api(`/v1/smscs/${id}`, { credential: operator, method: "DELETE" });
}

const submitted = [];
let sessions = [];
let next = 0x10;
const server = smpp.createServer({}, (session) => {
  session.on("error", () => {});
  session.on("bind_transceiver", (pdu) => {
    assert.deepStrictEqual([pdu.system_id, pdu.password], ["tandem", "secret08"]);
    session.send(pdu.response());
    sessions.push(session);
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); session.close(); });
  session.on("submit_sm", (pdu) => {
    const id = (next++).toString(16);
    submitted.push(pdu);
    session.send(pdu.response({ message_id: id }));
    const text = `id:${parseInt(id, 16)} sub:001 dlvrd:001 submit date:2401011200 done date:2401011201 stat:DELIVRD err:000 text:`;
    session.deliver_sm({ source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4, short_message: text });
  });
});

server.listen(0, "127.0.0.1", async () => {
  const { port } = server.address();
  try {
    const found = await api("/audian/v2/numbers/search?location=US&features=sms&limit=1");
    const number = found.data.numbers[0].number;
    await api("/audian/v2/numbers/purchase", { body: { number } });
    let smsc = { name: "node", host: "127.0.0.1", port, system_id: "tandem", password: "secret08", window: 10, receipt_ids: "decimal" };
    if (tls) {
      smsc = { ...smsc, host: "localhost", tls: true, authority: fs.readFileSync(`${tls}/ours.crt`, "utf8") };
      await refused(smsc, "misnamed", /TLS failed: .*not valid for name/);
      await refused(smsc, "foreign", /TLS failed: .*UnknownIssuer/);
      assert.strictEqual(sessions.length, 0);
      smsc.port = await front(port, "right");
    }
    const { id } = await api("/v1/smscs", { credential: operator, body: smsc });
    await until("it is bound", async () => (await api(`/v1/smscs/${id}`, { credential: operator })).bind?.state === "bound");
    const texts = ["Hello", "long ".repeat(100), "Привет, 👋 ".repeat(30)];
    for (const body of texts) {
      const sent = (await api("/audian/v2/messages", { body: { from: number, to: "+14155550191", body } })).data.id;
      await until(`${sent} is delivered`, async () => (await api(`/audian/v2/messages/${sent}`)).data.status === "delivered");
    }
    const parts = submitted.map((pdu) => pdu.short_message);
    const text = (some) => some.map((part) => part.message).join("");
    assert.strictEqual(text(parts.slice(0, 1)), texts[0]);
    const long = parts.slice(1, 5), wide = parts.slice(5);
    assert.strictEqual(text(long), texts[1]);
    assert.strictEqual(text(wide), texts[2]);
    assert.ok(long.every((part, place) => part.udh && part.udh.length === 1 && part.udh[0][4] === place + 1));
    const reply = { source_addr_ton: 1, source_addr: "14155550191", destination_addr: number.slice(1), data_coding: 0, short_message: "STOP it, please ä" };
    sessions[0].deliver_sm(reply);
    const inbound = async () => (await api("/audian/v2/messages?direction=inbound")).data.messages;
    const [arrived] = await until("the reply arrived", async () => { const all = await inbound(); return all.length && all; });
    assert.deepStrictEqual([arrived.from, arrived.body], ["+14155550191", "STOP it, please ä"]);
    sessions[0].destroy();
    const again = (await api("/audian/v2/messages", { body: { from: number, to: "+14155550192", body: "After the cut" } })).data.id;
    await until("it is delivered after the cut", async () => (await api(`/audian/v2/messages/${again}`)).data.status === "delivered");
    assert.strictEqual(sessions.length, 2);
    console.log(`node smpp${tls ? " over TLS" : ""}: ${submitted.length} parts submitted and receipted, a reply received, bound again after a cut`);
    process.exit(0);
  } catch (fault) {
    console.error(fault);
    process.exit(1);
  }
});
