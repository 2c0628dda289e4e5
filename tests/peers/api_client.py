"""wechatpy on the simulator's server API: token, app groups, messages, files, contacts, error codes."""

import io
import json
import os

from wechatpy.exceptions import WeChatClientException
from wechatpy.work import WeChatClient

SIMULATOR = json.loads(os.environ["SIMULATOR"])
BASE = SIMULATOR["api_base"] + "/cgi-bin/"


class Client(WeChatClient):
    API_BASE_URL = BASE

    def fetch_access_token(self):
        # wechatpy's own address of gettoken is fixed
        return self._fetch_access_token(BASE + "gettoken", {"corpid": self.corp_id, "corpsecret": self.secret})


def refused(code, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except WeChatClientException as error:
        assert error.errcode == code, f"{error.errcode} instead of {code}"
    else:
        raise AssertionError(f"{call} was not refused with {code}")


app = Client(SIMULATOR["corp_id"], SIMULATOR["app"]["secret"])
agent = SIMULATOR["app"]["agent_id"]

app.appchat.create("peer01", "夜班值守群", "li", ["li", "chen"])
app.appchat.update("peer01", add_user_list=["sun"])
app.appchat.update("peer01", del_user_list=["chen"])
assert app.appchat.get("peer01")["userlist"] == ["li", "sun"]
app.appchat.send_text("peer01", "今晚九点盘点")
refused(86216, app.appchat.update, "peer01", del_user_list=["chen"])
refused(86008, app.appchat.update, "wrStoreStaff", del_user_list=["li"])
refused(86215, app.appchat.create, "peer01", "又一个", "li", ["li", "chen"])

sent = app.message.send_text(agent, "li|nobody", "你好")
assert sent["invaliduser"] == "nobody"
refused(81013, app.message.send_text, agent, "nobody", "你好")
assert app.user.get("LI")["name"] == "李销售"
refused(60111, app.user.get, "nobody")
media = app.media.upload("file", ("台账.txt", io.BytesIO("第一行\n".encode())))
app.message.send_file(agent, "li", media["media_id"])
groups = app.external_contact_group_chat.list(limit=10)
assert groups["group_chat_list"][0]["chat_id"] == "wrVipCustomers"
refused(40001, Client(SIMULATOR["corp_id"], "wrong").user.get, "li")
