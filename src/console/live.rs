//! What happens shows by itself: an open page hears that something changed, and fetches itself anew.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Extension,
    extract::State,
    http::HeaderMap,
    response::{
        IntoResponse, Response, Sse,
        sse::{Event, KeepAlive},
    },
};
use futures_util::stream;

use super::{Console, door, visit::Visit};
use crate::{cases::Search, store::StoreError};

/// Looked at this often.
const EVERY: Duration = Duration::from_secs(2);
/// After so many looks the browser comes anew, so that a session that is over ends here, too.
const LOOKS: u32 = 150;

impl Console {
    /// Differs as soon as something did.
    async fn pulse(&self, visit: &Visit) -> Result<String, StoreError> {
        let newest = Search { limit: 1, ..Search::default() };
        let newest = match self.api.cases.search(&visit.who.actor, &newest).await {
            Ok(found) => found.cases.into_iter().next(),
            Err(error) => {
                error.unless_refused()?;
                None
            }
        };
        let newest = newest.map(|case| format!("{} {}", case.id, case.version)).unwrap_or_default();
        let stats = self.api.store.stats().await?;
        Ok(format!("{newest} {} {}", stats.waiting, stats.pending))
    }
}

/// The stream: `change`, and nothing about what.
pub(super) async fn stream(
    State(console): State<Arc<Console>>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    let cookie = door::session(&headers).unwrap_or_default().to_owned();
    let begun = (console, visit, cookie, None::<String>, 0_u32);
    let changes = stream::unfold(begun, |(console, visit, cookie, mut last, mut looks)| async move {
        loop {
            if looks >= LOOKS {
                return None;
            }
            if looks > 0 {
                tokio::time::sleep(EVERY).await;
            }
            looks += 1;
            let now = console.pulse(&visit).await.ok()?;
            // Whoever has left, or may less by now, hears nothing more.
            if looks % 15 == 0 && !console.accounts.look(&cookie).await.is_ok_and(|who| who.is_some()) {
                return None;
            }
            let changed = last.as_ref().is_some_and(|last| *last != now);
            let first = last.is_none();
            last = Some(now);
            if first || changed {
                let event = Event::default().event(if first { "hello" } else { "change" }).data("");
                return Some((Ok::<_, Infallible>(event), (console, visit, cookie, last, looks)));
            }
        }
    });
    Sse::new(changes).keep_alive(KeepAlive::default()).into_response()
}
