//! Which of a message's words are its sender's own: not what they quote, if somebody else said it, and of a 接龙 the lines
//! that they added.
//!
//! Whoever quotes says nothing of their own; whoever dresses an advert up as a quote does. Where not everything was heard that
//! was said in the group (the bot is new there, was off for long, a message could not be opened, a customer has not agreed to
//! the archive), a quote that nobody is known to have said may be real: then a person is asked, and nothing is done.

use super::{
    chains,
    said_lately::{SaidLately, Sayer, quote_of},
};
use crate::{
    detect::Verdict,
    model::{Attachment, GroupId, GroupKind, Message, Timestamp},
    moderation::Moderation,
    store::StoreError,
    wecom::archive::message::quote,
};

/// More lines of dashes than these are tried by nobody who quotes.
const MOST_ENDS: usize = 8;

impl SaidLately {
    /// Sorts out which of the message's words are its sender's, and remembers it. `missed` is when something was said last,
    /// in whatever group, that nobody could read.
    pub async fn hear(
        &mut self,
        message: &mut Message,
        moderation: &Moderation,
        missed: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let group = moderation.group_of(&message.group);
        self.own_entries(message, &group, moderation, missed).await?;
        let quotes: Vec<String> = message.attachments.iter().filter_map(quote_of).map(str::to_owned).collect();
        for quoted in quotes {
            self.own_quote(message, &group, &quoted, moderation, missed).await?;
        }
        self.remember(&group, message);
        Ok(())
    }

    async fn own_entries(
        &mut self,
        message: &mut Message,
        group: &GroupId,
        moderation: &Moderation,
        missed: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let Some((held, whole)) = chains::of(message) else { return Ok(()) };
        let heard_all = self.knows_all(message, group, moderation, missed).await?;
        let before = self.chain(group, held, &whole).await?;
        let whose = chains::sort_out(held, &whole, &message.sender, before, heard_all);
        message.text = whose.own.join("\n");
        if !whose.perhaps.is_empty() {
            message.attachments.push(Attachment::Quote { text: whose.perhaps.join("\n"), doubtful: true });
        }
        Ok(())
    }

    /// A quote of what nobody else said is its writer's own word, if there is anything wrong with it: what WeCom's clients
    /// quote in another form than it was said does no harm to who quotes it.
    async fn own_quote(
        &mut self,
        message: &mut Message,
        group: &GroupId,
        quoted: &str,
        moderation: &Moderation,
        missed: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (mut real, mut own) = (None, quoted);
        let pinned: Vec<String> =
            moderation.group(group).learned.notices.iter().map(|text| chains::folded(text)).collect();
        let mut sayer = self.sayer(message, group, quoted, &pinned, moderation).await?;
        if sayer == Sayer::Another {
            return Ok(());
        }
        for (earlier, rest) in quote::earlier_ends(quoted).take(MOST_ENDS) {
            if self.sayer(message, group, earlier, &pinned, moderation).await? == Sayer::Another {
                (real, own) = (Some(earlier), rest);
                sayer = Sayer::Quoter; // behind the end of a real quote stands what its writer said
                break;
            }
        }
        let words = [own, message.text.as_str()].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>();
        let words = words.join("\n");
        let harmless = readings(own, moderation).any(|words| moderation.passes(words, Some(group)).is_some());
        if harmless || moderation.look(&words, false).verdict == Verdict::Clean {
            return Ok(());
        }
        // WeCom tells of 群公告 late, and of some groups never.
        let certain =
            sayer == Sayer::Quoter || !is_pinned(quoted) && self.knows_all(message, group, moderation, missed).await?;
        metrics::counter!("qunguan_archive_made_up_quotes_total", "certain" => if certain { "yes" } else { "no" })
            .increment(1);
        message.attachments.retain(|part| quote_of(part) != Some(quoted));
        message.attachments.extend(real.map(Attachment::quote));
        if certain {
            message.text = words;
        } else {
            message.attachments.push(Attachment::Quote { text: own.to_owned(), doubtful: true });
        }
        Ok(())
    }

    /// Nothing was said in the group lately that is not known. Of customers nobody knows whether all of them have agreed.
    async fn knows_all(
        &mut self,
        message: &Message,
        group: &GroupId,
        moderation: &Moderation,
        missed: Option<Timestamp>,
    ) -> Result<bool, StoreError> {
        let known = moderation.group(group).set.kind != GroupKind::Customer;
        Ok(known && self.heard_all(group, message.at, missed).await?)
    }

    /// Who said these words, with or without a name in front that is nothing but a name; 群公告 is the owner's.
    async fn sayer(
        &mut self,
        message: &Message,
        group: &GroupId,
        quoted: &str,
        pinned: &[String],
        moderation: &Moderation,
    ) -> Result<Sayer, StoreError> {
        let mut best = Sayer::Nobody;
        for words in readings(quoted, moderation) {
            let folded = chains::folded(words);
            if !folded.is_empty() && pinned.iter().any(|notice| notice.contains(&folded)) {
                return Ok(Sayer::Another);
            }
            match self.who_said(group, &message.sender, words).await? {
                Sayer::Another => return Ok(Sayer::Another),
                Sayer::Nobody => {}
                sayer @ Sayer::Quoter => best = sayer,
            }
        }
        Ok(best)
    }
}

/// Is it shown as 群公告?
fn is_pinned(quoted: &str) -> bool {
    quote::readings(quoted).into_iter().any(|(name, _)| name.contains("群公告"))
}

/// What was said, with or without a name in front that is nothing but a name: of one with a colon inside, which may be
/// words of the quoter's just as well, nothing may be noticed at all.
fn readings<'a>(quoted: &'a str, moderation: &'a Moderation) -> impl Iterator<Item = &'a str> {
    quote::readings(quoted).into_iter().filter_map(|(name, words)| {
        let verdict = if name.is_empty() { Verdict::Clean } else { moderation.look(name, false).verdict };
        let a_name = verdict == Verdict::Clean || verdict != Verdict::Act && !name.contains([':', '：']);
        a_name.then_some(words)
    })
}
