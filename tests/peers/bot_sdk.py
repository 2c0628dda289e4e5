"""Tencent's Python bot SDK on the simulator's socket: hears an @, streams an answer, pushes, changes a pressed card."""

import asyncio
import json
import os
import urllib.request

import aibot.ws
from aibot import WSClient, WSClientOptions

# The SDK insists on TLS; the simulator speaks plainly on this machine.
connect = aibot.ws.websockets.connect
aibot.ws.websockets.connect = lambda url, ssl=None, **options: connect(url, **options)

SIMULATOR = json.loads(os.environ["SIMULATOR"])
GROUP = "wrNewProducts"


class Quiet:
    def debug(self, *_):
        pass

    info = warn = error = debug


def act(body):
    request = urllib.request.Request(
        SIMULATOR["control"] + "/act", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def group():
    with urllib.request.urlopen(f"{SIMULATOR['control']}/groups/{GROUP}") as answer:
        return json.load(answer)


async def main():
    bot = SIMULATOR["bot"]
    client = WSClient(
        WSClientOptions(bot["bot_id"], bot["secret"], ws_url=bot["socket_url"], max_reconnect_attempts=0, logger=Quiet())
    )
    heard = {name: asyncio.get_running_loop().create_future() for name in ("authenticated", "message.text", "event.template_card_event")}
    for name, future in heard.items():
        client.on(name, lambda *frame, future=future: future.done() or future.set_result(frame[0] if frame else None))
    await client.connect()
    await heard["authenticated"]

    await asyncio.to_thread(act, {"do": "post", "as": "lin", "group": GROUP, "text": "@群管 状态"})
    frame = await heard["message.text"]
    assert frame["body"]["text"]["content"] == "@群管 状态"
    await client.reply_stream(frame, "py-1", "正在查", False)
    await client.reply_stream(frame, "py-1", "查好了（Python）", True)
    pushed = await client.send_message(GROUP, {"msgtype": "markdown", "markdown": {"content": "**Python 提醒**"}})
    assert pushed["errcode"] == 0, pushed

    def card(text):
        buttons = [{"text": text, "style": 1, "key": "ok"}]
        return {"card_type": "button_interaction", "task_id": "peer-py", "main_title": {"title": "盘点"}, "button_list": buttons}

    sent = await client.send_message(GROUP, {"msgtype": "template_card", "template_card": card("知道了")})
    assert sent["errcode"] == 0, sent
    await asyncio.to_thread(act, {"do": "press", "as": "chen", "group": GROUP, "task_id": "peer-py", "key": "ok"})
    event = await heard["event.template_card_event"]
    assert event["body"]["from"]["userid"] == "chen"
    changed = await client.update_template_card(event, card("已确认"))
    assert changed["errcode"] == 0, changed

    lines = group()["lines"]
    texts = [line.get("text") for line in lines]
    assert "查好了（Python）" in texts and "**Python 提醒**" in texts, texts
    assert any(line.get("card", {}).get("button_list", [{}])[0].get("text") == "已确认" for line in lines if line.get("card"))
    client.disconnect()


asyncio.run(asyncio.wait_for(main(), 45))
