//! Where "now" comes from: the machine, or a simulator whose clock can be moved.

use jiff::{SignedDuration, Timestamp};

/// Where "now" comes from: the machine, or a simulator whose clock can be moved.
pub trait Clock: Send + Sync + 'static {
    /// The present.
    fn now(&self) -> Timestamp;
    /// Resolves when the clock was moved by hand, so that sleepers look again. The machine's clock never does.
    fn moved(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(std::future::pending())
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let now = Timestamp::now();
        Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now) // nobody reads more
    }
}

/// The machine's clock plus an offset that can be moved; the simulator's and the tests' clock.
#[derive(Debug, Default)]
pub struct ShiftedClock {
    offset_ms: std::sync::atomic::AtomicI64,
    fixed_ms: Option<std::sync::atomic::AtomicI64>,
    moves: std::sync::atomic::AtomicU64,
    moved: tokio::sync::Notify,
}

impl ShiftedClock {
    /// Runs with the machine, offset zero.
    pub fn new() -> Self {
        Self::default()
    }
    /// Stands still at `at` until it is moved: for tests.
    pub fn fixed(at: Timestamp) -> Self {
        Self { fixed_ms: Some(at.as_millisecond().into()), ..Self::default() }
    }
    /// Moves the clock (backwards with a negative duration) and wakes who waits for it.
    pub fn advance(&self, by: SignedDuration) {
        let ms = by.as_millis() as i64;
        self.fixed_ms.as_ref().unwrap_or(&self.offset_ms).fetch_add(ms, std::sync::atomic::Ordering::SeqCst);
        self.moves.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        self.moved.notify_waiters();
    }
    /// Stands still between two moves.
    pub fn stands(&self) -> bool {
        self.fixed_ms.is_some()
    }
    /// How often it was moved.
    pub fn moves(&self) -> u64 {
        self.moves.load(std::sync::atomic::Ordering::SeqCst)
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        use std::sync::atomic::Ordering::SeqCst;
        let ms = match &self.fixed_ms {
            Some(fixed) => fixed.load(SeqCst),
            None => Timestamp::now().as_millisecond() + self.offset_ms.load(SeqCst),
        };
        Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH)
    }
    fn moved(&self) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.moved.notified())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_by_hand() {
        let clock = ShiftedClock::fixed(Timestamp::UNIX_EPOCH);
        assert_eq!(clock.now(), Timestamp::UNIX_EPOCH);
        clock.advance(SignedDuration::from_hours(2));
        assert_eq!(clock.now().as_second(), 7200);
    }
}
