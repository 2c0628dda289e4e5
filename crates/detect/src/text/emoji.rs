//! Emoji that people type instead of a word: 🐧 for QQ, ➕ for 加, ⌚ for a word that sounds like 表. Only the second reading
//! of a message ([`super::Normalized::rewritten`]) uses them, so a sentence with a watch or a horse in it stays what it is.

use std::sync::LazyLock;

use foldhash::HashMap;

use super::is_han;

/// Emoji, then what they are called or mean, the most usual first; folded. Alternatives behind `/` are single characters,
/// which are tried where the sound of a word is looked for. Signs that do not touch it are the same thing.
const READINGS: &str = "
# Ways to be reached, and how to get there.
🐧 qq, ➕✚✙⊕⨁🞤＋+ 加, 🛰📡 卫星, ☎📞📱📲 电话/机, ✈🛩 飞机/机, 🛫🛬🚁 机, 🥔 土豆, 🆔 id, 🔗 链接/链, ⛓ 链, 🌐 网, 🕸 网, ✉📧📨💌📩 信/邮
📬📮📫 邮/箱, 🏠🏡 家/房/屋, 🔍🔎 搜/查
# Money and goods.
💰💵💴💸🪙💶💷 钱/币/金/财, 💳 卡, 🧧 红包, 🎁 礼, 🎲🎰 赌/骰, 🃏 牌, 🀄 牌/中, 🎫🎟 票, 🐟🐠🎣🐡 鱼, 🧊❄ 冰/雪, 🍬🍭 糖, 🌿🌱🍀☘ 草/苗, 💊 药
🔫 枪, 💉 针, 🥩🍖🥓 肉, 🍗 腿/肉/鸡, 🍵 茶, 🧋 奶/茶, ☕ 咖/啡, ⌚ 表, 👜👛🎒👝 包, 👟👞👠👢 鞋/靴, 🚬 烟, 🍷🍺🍶🍻🥂🥃🍸🍾 酒/啤/杯, 💎 钻, 💄 唇
💍 戒
# Hearts and faces.
❤♥💗💖💕🧡💛💙💜♡ 爱/心, 💚 爱/心/绿, 🖤 爱/心/黑, 🤍 爱/心/白, 💓💟💔 心, 💯 百/满, 😀😁😂🤣😄😆😃 笑, 😭😢 哭, 😡😠🤬 怒/气/骂, 😍🥰 色/爱
😘😗💋 亲/吻, 😎 酷, 🤮🤢 吐/呕, 🤧 喷, 😷🤒🤕 病, 😴💤 睡, 🥱 困, 🤔💭 想/思, 🤐 闭/嘴, 😱😨 怕/吓, 🥶 冷/冻, 🥵 热/骚, 🤯 炸, 🤓 呆, 🤪🤑 疯
😈👿 魔, 🥺 求, 💢 怒/气
# Hands.
👈 点/左, 👉 点/右, ⬅ 左, ➡ 右, 👍 赞/棒/顶, 👎 差/踩, 👊✊🤛🤜 拳/揍/捶, 👌 好/行, 👋 拜/挥, ✋🤚🖐 手/掌, 👏 掌/拍, 🙏 求/拜, 🤝 合/握
💪 强/肌, 🖕 操/日, 👆⬆🔼☝ 上, 👇⬇🔽 下, 🔝 顶/上, ✌ 二/耶, ✍ 写
# People and their parts.
👴🧓 爷/老/翁/我, 👵 奶/婆/姥/老, 👶 婴/娃, 🧒👦 童/男, 👩👧🚺♀ 女, 👨🧔🚹♂ 男, 👰 娘/新, 🤰 孕/怀, 🤱 奶/喂, 👮🚨 警, 🕵 探, 👼 天, 🧚 仙
🧟 尸, 🧞 神, 🏃 跑, 🚶 走, 🧍 站, 🧎🙇 跪, 💃🕺 舞, 🏊 游, 🚴 骑, 👤👥🧑 人, 👣🦶 脚/足, 🦵 腿, 🗣💬 说/话, 👃 鼻, 👀👁 看/眼/目, 👂 耳/听
👄 嘴/口/唇, 👅 舌/舔/嘴, 🦷 牙/齿, 🧠 脑, 🦴 骨, 🫀 心, 🫁 肺, 🩸 血, 💇 发
# Animals.
🐴🐎🏇🦄 马, 💩 屎/粪/便, 🐶🐕🐩 狗/犬, 🐷🐖🐽🐗 猪, 🐔🐓🐤🐣🐥 鸡, 🦆 鸭, 🦢 鹅, 🐢 龟, 🥚🍳 蛋, 🐱🐈 猫, 🐒🐵🙉🙈🙊 猴, 🦍🦧 猩, 🐂🐮🐄🐃 牛
🐏🐑🐐 羊, 🐪🐫 驼, 🐍 蛇, 🐲🐉 龙, 🐛 虫/蛆, 🪱 虫/蛆, 🐜 蚁, 🐝 蜂, 🦋 蝶, 🦟 蚊, 🪰 蝇, 🕷 蛛, 🦂 蝎, 🦠 菌/毒, 🐺 狼, 🦊 狐, 🦁 狮
🐯🐅 虎, 🐆 豹, 🦌 鹿, 🐘 象, 🐭🐁🐀🐹 鼠, 🐰🐇 兔, 🦇 蝠, 🐻 熊, 🐼 熊/猫, 🐦 鸟, 🕊 鸽, 🦅 鹰, 🐸 蛙, 🐊 鳄, 🦎 蜥, 🐳🐋 鲸, 🐬 豚, 🦈 鲨
🐚 贝/壳, 🐌 蜗, 🦐🦞🍤 虾, 🦀 蟹
# Plants and food.
🍐 梨, 🍊 橙/橘, 🍎🍏 果/苹, 🍑 桃/臀, 🍋 柠, 🍌 蕉, 🍇 葡, 🍉🍈🎃🥒 瓜, 🍅🍆 茄, 🌽 玉/米, 🌶 辣, 🥬🥦 菜, 🥕 萝, 🧄 蒜, 🧅 葱, 🌰 栗, 🍄 菇
🌾 稻/麦, 🍃🍁🍂 叶, 🌹🌸🌺🌻🌷🌼🥀💐 花, 🌲🌳🎄 树, 🍚🍙🍱 饭/米, 🍜🍝 面, 🍞 面/包, 🥟 饺, 🍲🥘 汤/锅, 🥞🍪 饼, 🎂🍰 糕, 🍯 蜜, 🥛🍼 奶, 🍦🍨🍧 冰
🍴🍽🥢 吃/餐, 🔪🗡 刀/刃, ⚔ 剑
# Weather and places.
🔥 火, 💧💦 水/湿/汗, 🌊 浪/海/波, ☀🌞 日/阳, 🌙🈷 月, ⭐🌟✨ 星, ☁ 云, 🌧☔☂🌂 雨/伞, ⚡⛈🔋🔌 电/雷, 🌪💨 风, 🌈 虹, ⛰🏔🗻🌋 山, 🌍🌎🌏 球/地
🗺 图, 🏖 滩, 🏢 楼, 🏥 医/院, 🏦 行, 🏨🏪 店, 🏫 校, 🏭 厂, ⛪ 教, 🌉 桥, 🚪 门, 🛏 床, 🪑 椅, 🚽 厕, 🚿🛀🛁 浴/洗, 🚗🚘🚙🚌🚕🚚 车
🚄🚅🚂 车/铁, ⛽ 油, 🚥🚦💡 灯, 🚢⛵🚤 船, 🚀 箭, 🛑 停, ⌛⏳ 沙/漏, ⏰🕐🕰 钟
# Things.
⚽🏀🎾🏐🏈🏉 球, 🎱 八/球, 🎈 球, 🎯 靶/中, 🎮 游, 🏆 杯/奖, 🥇 金/冠, 🎤 唱/麦, 🎵🎶🎼 音/歌, 🎧 听, 🎸🎹🎻 琴, 🥁 鼓, 🎨🖼 画, 🎭 戏
🎬📽🎥 影/拍, 📷📸 照/拍, 📺 视, 💻🖥 脑/机, 🤖 机, ⌨ 键, 🖱 鼠, 💿📀 盘/碟, 📕📖📗📘📙📚📔 书/本, 📓📒 本, 📄📃📜🧻 纸, 📰 报, 📝 记/写
✏🖊🖋✒ 笔, 📦 箱/包, 💼 包, 📅📆 历/日, 📈 涨, 📉 跌, 📌📍 钉, 📏📐 尺, ✂ 剪, 🔒🔐🔓 锁, 🔑🗝 匙, 🔨⚒ 锤, 🪓 斧, 🏹 弓, 🛡 盾, ⚖ 秤, 🧲 磁
💣 炸/弹, 🧨 炸/炮, 💥 爆/炸, ⚰ 棺, 🪦 坟/墓, 🗿 石, 🧹 扫, 🪞 镜, 👓🕶 镜, 👑 王/冠/皇, 👕👚 衣, 👖 裤, 🧦 袜, 👗🩱 裙, 👒🎩🧢 帽, 🧵🧶 线
🎀 结, 🔔 铃, 🪣 桶, 🚩 旗, 🤡 丑, 👻 鬼, 👽 外, 💀☠ 死, ⛔🚫 禁, ❌✖ 错/叉, ➗ 除, ➖ 减, ✅✔ 对, ❓❔ 问, ⭕ 圆/零/圈, 🔴 红, 🟡 黄, 🟢 绿, 🔵 蓝
⚫⬛ 黑, ⚪⬜ 白, 🈵 满, 🈲 禁, 🉐 得, 🈚 无, 🈶 有, 🈴 合, 🈸 申, 🈺 营, 🈯 指, 🈳 空, 🈹 割, 🉑 可, 🆕 新, 🆗 好, 🆒 酷, 🆓 免, 🆚 对
🔟 十, ㊙ 秘, ㊗ 祝, 🀀 东, 🀁 南, 🀂 西, 🀃 北, 🀅 发, 🀆 白
";

static TABLE: LazyLock<HashMap<char, &'static str>> = LazyLock::new(|| {
    let lines = READINGS.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.flat_map(|line| line.split(", ")).filter_map(|row| row.split_once(' '));
    rows.flat_map(|(signs, words)| signs.chars().map(move |sign| (sign, words))).collect()
});

/// The word an emoji stands for, folded: one or two characters.
pub fn reading(c: char) -> Option<&'static str> {
    if is_han(c) {
        return None;
    }
    let words = TABLE.get(&c)?;
    Some(words.split_once('/').map_or(*words, |(first, _)| first))
}

/// The single characters an emoji may stand for, the most usual first.
pub fn characters(c: char) -> impl Iterator<Item = char> {
    let words = TABLE.get(&c).into_iter().flat_map(|words| words.split('/'));
    words.filter_map(|word| word.chars().next().filter(|c| word.len() == c.len_utf8()))
}

/// Two regional letters that are a flag in common use, and so not letters.
pub(crate) fn is_flag(a: char, b: char) -> bool {
    const FLAGS: &str = "cn hk mo tw jp kr us gb fr de it es ru ca au nz br sg my th vn ph id in ch se no fi dk nl be at pt \
                         pl ua tr gr eg sa ae il za mx ar";
    FLAGS.split_ascii_whitespace().any(|flag| flag.chars().eq([a, b]))
}
