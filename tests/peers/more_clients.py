"""wecomkit and corpwechatbot on the simulator's server API, each in its own way: users, messages, files, app groups, webhooks."""

import asyncio
import json
import os
import pathlib
import tempfile

import requests

SIMULATOR = json.loads(os.environ["SIMULATOR"])
BASE = SIMULATOR["api_base"]
APP = SIMULATOR["app"]
OFFICIAL = "https://qyapi.weixin.qq.com"
HOOK = "sim-webhook-store-staff"


async def wecomkit():
    from wecomkit import AsyncWeComClient, WeComConfig
    from wecomkit.exceptions import WeComAPIError

    config = WeComConfig(corp_id=SIMULATOR["corp_id"], corp_secret=APP["secret"], base_url=BASE)
    async with AsyncWeComClient(config) as client:
        assert (await client.users.get("li"))["name"] == "李销售"
        departments = (await client.departments.list())["department"]
        people = [await client.users.list_by_department(department["id"]) for department in departments]
        assert any(user["userid"] == "li" for answer in people for user in answer["userlist"]), people
        sent = await client.messages.send_text(APP["agent_id"], "你好", to_user="li|nobody")
        assert sent["invaliduser"] == "nobody", sent
        await client.messages.send_markdown(APP["agent_id"], "**盘点**", to_user="li")
        media = await client.media.upload_bytes("第一行\n".encode(), "file", "台账.txt")
        await client.messages.send_file(APP["agent_id"], media["media_id"], to_user="li")
        assert (await client.media.get(media["media_id"])), "what was uploaded can be fetched"
        await client.robot.send_text(f"{BASE}/cgi-bin/webhook/send?key={HOOK}", "今晚九点盘点")
        try:
            await client.users.get("nobody")
        except WeComAPIError as error:
            assert error.errcode == 60111, error
        else:
            raise AssertionError("an unknown user is refused")


def corpwechatbot():
    # Its addresses are fixed: what goes to WeCom goes to the simulator.
    real = requests.sessions.Session.request

    def request(session, method, url, **kwargs):
        return real(session, method, url.replace(OFFICIAL, BASE), **kwargs)

    requests.sessions.Session.request = request
    from corpwechatbot.app import AppMsgSender
    from corpwechatbot.chatbot import CorpWechatBot

    app = AppMsgSender(corpid=SIMULATOR["corp_id"], corpsecret=APP["secret"], agentid=str(APP["agent_id"]))
    assert app.send_text("早上好", touser=["li", "chen"])["errcode"] == 0
    assert app.send_markdown("**盘点**", touser=["li"])["errcode"] == 0
    assert app.send_text("喂", touser=["nobody"])["errcode"] == 81013
    chat = app.create_chat(users=["li", "chen"], owner="li", name="早班", chatid="peer02")
    assert chat["errcode"] == 0, chat
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "prices.txt"
        file.write_text("一号货 100\n", encoding="utf-8")
        assert app.send_file(str(file), touser=["li"])["errcode"] == 0
        bot = CorpWechatBot(key=HOOK)
        assert bot.send_text("今晚九点盘点")["errcode"] == 0
        assert bot.send_file(str(file))["errcode"] == 0


asyncio.run(wecomkit())
corpwechatbot()
