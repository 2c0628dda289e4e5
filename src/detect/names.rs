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
    fn a_copied_or_decorated_name_is_seen_and_another_is_not() {
        let protected = ["林小满".to_owned(), "好房网客服".to_owned()];
        assert_eq!(imitates("林 小 满", &protected), Some("林小满"));
        assert_eq!(imitates("林小满（新号）", &protected), Some("林小满"));
        assert_eq!(imitates("林小滿滿", &protected), Some("林小满"));
        assert_eq!(imitates("张伟", &protected), None);
    }
}
