// Tencent's own crypto library on both callbacks of a running bot: saving the address, a private command, a message of the bot,
// and what is forged, old or repeated.
const assert = require("node:assert/strict");
const { spawn } = require("node:child_process");
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { decrypt, encrypt, getSignature } = require("@wecom/crypto");

const { api_base, corp_id, app, bot } = JSON.parse(process.env.SIMULATOR);
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "qunguan-peer-"));
const base = "http://127.0.0.1:18476";

/** The bot as an operator starts it. */
async function start() {
  fs.mkdirSync(path.join(folder, "config"));
  const settings = `
listen = "127.0.0.1:18476"
[wecom]
corp_id = "${corp_id}"
api_base = "${api_base}"
[wecom.app]
agent_id = ${app.agent_id}
secret = "${app.secret}"
token = "${app.token}"
aes_key = "${app.aes_key}"
[wecom.bot]
token = "${bot.token}"
aes_key = "${bot.aes_key}"
[[group]]
id = "wrHuadongSales"
name = "华东销售群"
mode = "full"
`;
  fs.writeFileSync(path.join(folder, "config/qunguan.toml"), settings);
  const running = spawn(process.env.QUNGUAN, ["run"], { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
  for (let tries = 0; ; tries++) {
    const answer = await fetch(`${base}/healthz`).catch(() => null);
    if (answer?.ok) return running;
    assert.ok(tries < 100 && running.exitCode === null, "the bot does not start");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

let count = 0;
const now = () => Math.floor(Date.now() / 1000);

/** The query WeCom would send with an encrypted text. */
function query(token, ciphered, { time = now(), nonce = `peer${count++}` } = {}) {
  const signature = getSignature(token, time, nonce, ciphered);
  return { msg_signature: signature, timestamp: time, nonce };
}
const at = (place, parts) => `${base}/wecom/${place}?${new URLSearchParams(parts)}`;
const post = (place, parts, body) => fetch(at(place, parts), { method: "POST", body });

async function saved(place, { token, aes_key }, receiver) {
  const echostr = encrypt(aes_key, "hello-wecom", receiver);
  const answer = await fetch(at(place, { ...query(token, echostr), echostr }));
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "hello-wecom", "the address is answered without quotes or newline");
  const forged = await fetch(at(place, { ...query("another", echostr), echostr }));
  assert.ok(forged.status >= 400 && forged.status < 500);
}

async function appTalks() {
  const xml = (id) => `<xml><ToUserName><![CDATA[${corp_id}]]></ToUserName><FromUserName><![CDATA[li]]></FromUserName><CreateTime>${now()}</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[帮助]]></Content><MsgId>${id}</MsgId><AgentID>${app.agent_id}</AgentID></xml>`;
  const envelope = (ciphered) => `<xml><ToUserName><![CDATA[${corp_id}]]></ToUserName><AgentID><![CDATA[${app.agent_id}]]></AgentID><Encrypt><![CDATA[${ciphered}]]></Encrypt></xml>`;
  const ciphered = encrypt(app.aes_key, xml(1), corp_id);
  const answer = await post("app", query(app.token, ciphered), envelope(ciphered));
  assert.equal(answer.status, 200);
  const reply = await answer.text();
  const part = (name) => reply.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`))[1];
  assert.equal(part("MsgSignature"), getSignature(app.token, part("TimeStamp"), part("Nonce"), part("Encrypt")));
  const opened = decrypt(app.aes_key, part("Encrypt"));
  assert.equal(opened.id, corp_id);
  assert.match(opened.message, /我的状态/);
  assert.match(opened.message, /<ToUserName>(<!\[CDATA\[)?li(\]\]>)?</);

  const again = encrypt(app.aes_key, xml(1), corp_id);
  const second = await post("app", query(app.token, again), envelope(again));
  assert.equal(second.status, 200, "WeCom's own repetition is answered");
  const repeated = (await second.text()).match(/<Encrypt><!\[CDATA\[(.*?)\]\]>/)[1];
  assert.equal(decrypt(app.aes_key, repeated).message, opened.message, "with the first answer, and nothing is done again");
  for (const [what, parts, body] of [
    ["a wrong signature", { ...query(app.token, ciphered), msg_signature: "0".repeat(40) }, envelope(ciphered)],
    ["an old time", query(app.token, ciphered, { time: now() - 3600 }), envelope(ciphered)],
    ["another company", ...((other) => [query(app.token, other), envelope(other)])(encrypt(app.aes_key, xml(2), "wwother"))],
    ["half a body", query(app.token, ciphered), envelope(ciphered).slice(0, 120)],
    ["an entity bomb", query(app.token, ciphered), `<!DOCTYPE x [<!ENTITY a "${"b".repeat(999)}">]>${envelope("&a;")}`],
    ["ten megabytes", query(app.token, ciphered), envelope("A".repeat(10_000_000))],
  ]) {
    const refused = await post("app", parts, body);
    assert.ok(refused.status >= 400 && refused.status < 500, `${what}: ${refused.status}`);
    assert.equal(await refused.text(), "", `${what}: the caller learns nothing`);
  }
}

async function botTalks() {
  const said = (id, text) => JSON.stringify({ msgid: id, aibotid: bot.bot_id, chattype: "single", from: { userid: "li" }, msgtype: "text", text: { content: text } });
  const ciphered = encrypt(bot.aes_key, said("peer-b1", "帮助"), "");
  const parts = query(bot.token, ciphered);
  const answer = await post("bot", parts, JSON.stringify({ encrypt: ciphered }));
  assert.equal(answer.status, 200);
  const reply = await answer.json();
  assert.equal(reply.nonce, parts.nonce);
  assert.equal(reply.msgsignature, getSignature(bot.token, reply.timestamp, reply.nonce, reply.encrypt));
  const opened = JSON.parse(decrypt(bot.aes_key, reply.encrypt).message);
  assert.equal(opened.msgtype, "stream");
  assert.match(opened.stream.content, /我的状态/);
  const replayed = await post("bot", parts, JSON.stringify({ encrypt: ciphered }));
  assert.equal(replayed.status, 200);
  const same = JSON.parse(decrypt(bot.aes_key, (await replayed.json()).encrypt).message);
  assert.deepEqual(same, opened, "a replay hears the first answer and does nothing");
}

start().then(async (running) => {
  try {
    await saved("app", app, corp_id);
    await saved("bot", bot, "");
    await appTalks();
    await botTalks();
  } finally {
    running.kill("SIGTERM");
    await new Promise((resolve) => running.once("exit", resolve));
    fs.rmSync(folder, { recursive: true });
  }
}).catch((error) => {
  console.error(error);
  process.exit(1);
});
