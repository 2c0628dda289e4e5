//! `[detect.kinds]` and `kinds` of a group: kinds of messages (名片, 小程序, 文件 …) that are not wanted, whatever they say.

use serde::{Deserialize, Deserializer, de::Error};

use crate::detect::kinds::{self, Kind, Measure};

/// What is done about each kind; what is not named is `off`, and in a group what `[detect.kinds]` says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Kinds {
    /// 名片.
    pub card: Option<Measure>,
    /// 小程序.
    pub mini_program: Option<Measure>,
    /// 链接, except to own and allowed sites.
    pub link: Option<Measure>,
    /// 文件; see `file_types`.
    pub file: Option<Measure>,
    /// 视频 and 视频号.
    pub video: Option<Measure>,
    /// 图片.
    pub picture: Option<Measure>,
    /// A message of more than `long_chars` characters.
    pub long: Option<Measure>,
    /// A member calls @所有人.
    pub at_all: Option<Measure>,
    /// Endings of the files that are meant (`apk`); default all.
    pub file_types: Option<Vec<String>>,
    /// Default 500.
    #[serde(deserialize_with = "characters")]
    pub long_chars: Option<usize>,
}

fn characters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<usize>, D::Error> {
    let count = usize::deserialize(deserializer)?;
    if count == 0 { Err(D::Error::custom("至少写 1 个字")) } else { Ok(Some(count)) }
}

impl Kinds {
    /// As the detector wants them; what is not said is taken from `wider`.
    pub(super) fn within(&self, wider: &Self) -> kinds::Kinds {
        let measure = |kind: Kind| {
            let of = |kinds: &Self| match kind {
                Kind::Card => kinds.card,
                Kind::MiniProgram => kinds.mini_program,
                Kind::Link => kinds.link,
                Kind::File => kinds.file,
                Kind::Video => kinds.video,
                Kind::Picture => kinds.picture,
                Kind::Long => kinds.long,
                Kind::AtAll => kinds.at_all,
            };
            Some((kind, of(self).or(of(wider))?))
        };
        let bare = |ending: &String| ending.trim_start_matches(['*', '.']).to_lowercase();
        let types = self.file_types.as_ref().or(wider.file_types.as_ref());
        let usual = kinds::Kinds::default();
        kinds::Kinds {
            measures: Kind::ALL.iter().filter_map(|kind| measure(*kind)).collect(),
            file_types: types.map(|types| types.iter().map(bare).collect()).unwrap_or_default(),
            long_chars: self.long_chars.or(wider.long_chars).unwrap_or(usual.long_chars),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn a_group_says_what_is_different() {
        let text = "[detect.kinds]\ncard = \"review\"\nfile = \"act\"\nfile_types = [\".APK\"]\n\
                    [[group]]\nid = \"g\"\nkinds = { card = \"off\", video = \"act\" }\n";
        let settings = Settings::parse(text, Path::new("qunguan.toml"), None).unwrap();
        let rules = settings.kinds();
        let group = &rules.groups[&"g".into()];
        assert_eq!(
            group.measures,
            [(Kind::Card, Measure::Off), (Kind::File, Measure::Act), (Kind::Video, Measure::Act)]
        );
        assert_eq!((&group.file_types[..], group.long_chars), (&["apk".to_owned()][..], 500));
        assert_eq!(rules.everywhere.measures, [(Kind::Card, Measure::Review), (Kind::File, Measure::Act)]);
        let wrong = Settings::parse("[detect.kinds]\ncard = \"ask\"\n", Path::new("qunguan.toml"), None).unwrap_err();
        assert!(wrong[0].line == 2 && wrong[0].message.contains("off、review、act"), "{}", wrong[0]);
    }
}
