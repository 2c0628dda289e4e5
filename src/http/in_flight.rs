//! Requests that were being answered when the bot was told to stop: it goes on listening, and saying that it stops, until
//! they are done.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio::sync::watch;

/// How many requests are being answered, those that come after the stop not counted.
#[derive(Clone, Debug)]
pub struct InFlight(Arc<watch::Sender<Requests>>);

#[derive(Clone, Copy, Debug, Default)]
struct Requests {
    open: usize,
    stopping: bool,
}

/// A request that was counted, as long as it lives.
struct Counted(InFlight);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.0.send_modify(|requests| requests.open -= 1);
    }
}

impl Default for InFlight {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(Requests::default())))
    }
}

impl InFlight {
    /// From now on nothing more is counted.
    pub fn stop(&self) {
        self.0.send_modify(|requests| requests.stopping = true);
    }

    /// Has [`Self::stop`] been called?
    pub fn is_stopping(&self) -> bool {
        self.0.borrow().stopping
    }

    /// Resolves when every request that was counted has its answer.
    pub async fn done(&self) {
        let _ = self.0.subscribe().wait_for(|requests| requests.open == 0).await;
    }

    fn begin(&self) -> Option<Counted> {
        let mut counted = false;
        self.0.send_modify(|requests| {
            counted = !requests.stopping;
            requests.open += usize::from(counted);
        });
        counted.then(|| Counted(self.clone()))
    }
}

/// The layer that counts.
pub async fn count(State(in_flight): State<InFlight>, request: Request, next: Next) -> Response {
    let _counted = in_flight.begin();
    next.run(request).await
}
