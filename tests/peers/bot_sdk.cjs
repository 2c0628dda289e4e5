// Tencent's bot SDK on the simulator's socket: hears an @, streams, opens a picture, pushes, uploads, changes a pressed card, welcomes, and is
// replaced by a second connection.
const assert = require("node:assert/strict");
const sdk = require("@wecom/aibot-node-sdk");
const { WSClient } = sdk.default ?? sdk;

const { bot, control } = JSON.parse(process.env.SIMULATOR);
const group = "wrNewProducts";
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

async function ask(path, body) {
  const options = body && { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${control}/${path}`, options);
  assert.ok(response.ok, `${path}: ${response.status}`);
  return response.json();
}
const act = (body) => ask("act", body);
const client = (secret = bot.secret) => new WSClient({ botId: bot.bot_id, secret, wsUrl: bot.socket_url, heartbeatInterval: 300, maxReconnectAttempts: 0, maxAuthFailureAttempts: 0, logger: quiet });
const once = (emitter, event) => new Promise((resolve) => emitter.once(event, resolve));

async function main() {
  const first = client();
  let ready = once(first, "authenticated");
  first.connect();
  await ready;

  const heard = once(first, "message.text");
  await act({ do: "post", as: "lin", group, text: "@群管 状态" });
  const frame = await heard;
  assert.equal(frame.body.text.content, "@群管 状态");
  assert.equal(frame.body.chattype, "group");
  await first.replyStream(frame, "stream-1", "正在查", false);
  await first.replyStream(frame, "stream-1", "查好了", true);

  const pictured = once(first, "message.image");
  const picture = Buffer.from("\x89PNG not much of a picture", "latin1");
  await act({ do: "tell_bot", as: "zhang", picture: picture.toString("base64") });
  const { image } = (await pictured).body;
  assert.deepEqual((await first.downloadFile(image.url, image.aeskey)).buffer, picture);

  const pushed = await first.sendMessage(group, { msgtype: "markdown", markdown: { content: "**提醒**" } });
  assert.equal(pushed.errcode, 0);
  const file = await first.uploadMedia(Buffer.alloc(700_000, 7), { type: "file", filename: "台账.bin" });
  assert.ok(file.media_id);

  const button = (text) => ({ card_type: "button_interaction", task_id: "peer-1", main_title: { title: "消防演练" }, button_list: [{ text, style: 1, key: "ok" }] });
  assert.equal((await first.sendMessage(group, { msgtype: "template_card", template_card: button("知道了") })).errcode, 0);
  const press = once(first, "event.template_card_event");
  await act({ do: "press", as: "chen", group, task_id: "peer-1", key: "ok" });
  const event = await press;
  assert.equal(event.body.from.userid, "chen");
  assert.equal((await first.updateTemplateCard(event, button("已确认"))).errcode, 0);

  const entered = once(first, "event.enter_chat");
  await act({ do: "enter_bot", as: "zhang" });
  const welcome = await first.replyWelcome(await entered, { msgtype: "text", text: { content: "你好" } });
  assert.equal(welcome.errcode, 0);

  const { lines } = await ask(`groups/${group}`);
  const texts = lines.map((line) => line.text);
  assert.ok(texts.includes("查好了") && texts.includes("**提醒**"), texts.join(" | "));
  assert.equal(lines.find((line) => line.card).card.button_list[0].text, "已确认");
  assert.equal((await ask("people/zhang/inbox")).items.at(-1).text, "你好");

  const goodbye = once(first, "event.disconnected_event");
  const second = client();
  ready = once(second, "authenticated");
  second.connect();
  await ready;
  await goodbye;
  second.disconnect();

  const stranger = client("wrong");
  const refused = once(stranger, "error");
  stranger.connect();
  await refused;
  stranger.disconnect();
}

main().then(() => process.exit(0), (error) => {
  console.error(error);
  process.exit(1);
});
setTimeout(() => {
  console.error("the SDK waited too long");
  process.exit(1);
}, 45_000);
