//! Names people carry in the group: an advert in the nickname, or the owner's and admins' names on somebody else.

use super::view::fold;

/// The protected name that a shown name imitates: the same once folded, one character more or less, or with 官方, 客服 … added.
pub fn imitates<'a>(shown: &str, protected: &'a [String]) -> Option<&'a str> {
    let shown = strip_titles(&fold(shown));
    if shown.is_empty() {
        return None;
    }
    protected.iter().map(String::as_str).find(|real| {
        let real = strip_titles(&fold(real));
        let length = real.chars().count();
        !real.is_empty()
            && (shown == real
                || length >= 3 && shown.chars().count() <= length + 1 && strsim::levenshtein(&shown, &real) <= 1)
    })
}

/// Names that only a role or WeCom itself has.
const ROLES: [&str; 10] = [
    "群主",
    "管理员",
    "群管理员",
    "群管理",
    "系统管理员",
    "系统消息",
    "微信团队",
    "企业微信团队",
    "微信安全中心",
    "企业微信安全中心",
];

/// The role that a shown name claims: it is nothing but `群主`, `管理员`, `企业微信团队` ….
pub fn claims(shown: &str) -> Option<&'static str> {
    let shown = fold(shown);
    ROLES.into_iter().find(|role| shown == fold(role))
}

fn strip_titles(name: &str) -> String {
    let mut name = name.to_owned();
    for title in ["群主", "管理员", "官方", "客服", "助理", "本人", "工作号", "新号", "小号"] {
        if name.chars().count() > title.chars().count() {
            name = name.replace(title, "");
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_role_alone_is_claimed() {
        assert_eq!(claims("【群 主】"), Some("群主"));
        assert_eq!(claims("企業微信團隊"), Some("企业微信团队"));
        assert_eq!(claims("华东群主老张"), None);
    }

    #[test]
    fn a_copied_or_decorated_name_is_seen_and_another_is_not() {
        let protected = ["林小满".to_owned(), "好房网客服".to_owned()];
        assert_eq!(imitates("林 小 满", &protected), Some("林小满"));
        assert_eq!(imitates("林小满（新号）", &protected), Some("林小满"));
        assert_eq!(imitates("林小滿滿", &protected), Some("林小满"));
        assert_eq!(imitates("张伟", &protected), None);
    }
}
