//! Starts the log (to stderr, as text for eyes or as one JSON object a line) and the numbers behind `/metrics`.

use std::{io::IsTerminal, time::Duration};

use anyhow::Context;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt, util::SubscriberInitExt};

use crate::settings::{Format, Log};

/// Upper bounds of the buckets of `qunguan_decision_seconds`: a decision takes about a millisecond, one that waits for a
/// sync of the disk a few, one that waits for a picture up to seconds.
const DECISION_BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

/// Samples are sorted into their buckets this often, whether or not anybody looks at `/metrics`.
const UPKEEP: Duration = Duration::from_secs(5);

/// Installs the log for the whole process; `RUST_LOG` wins over the settings' level.
pub fn start(log: &Log) -> anyhow::Result<()> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(directives) if !directives.is_empty() => EnvFilter::try_new(directives).context("RUST_LOG")?,
        _ => EnvFilter::try_new(&log.level).with_context(|| format!("[log] level = {:?}", log.level))?,
    };
    let registry = tracing_subscriber::registry().with(filter);
    match log.format {
        Format::Text => {
            let layer = fmt::layer().with_writer(std::io::stderr).with_ansi(std::io::stderr().is_terminal());
            registry.with(layer).try_init()?;
        }
        Format::Json => {
            registry.with(fmt::layer().json().flatten_event(true).with_writer(std::io::stderr)).try_init()?;
        }
    }
    Ok(())
}

/// Installs the recorder of the whole process and keeps it small; what it returns renders `/metrics`. `None` where another
/// recorder is installed already. Wants to be called inside a tokio runtime.
pub fn metrics() -> Option<PrometheusHandle> {
    let handle = recorder().install_recorder().ok()?;
    let kept = handle.clone();
    tokio::spawn(async move {
        let mut interval = tokio::time::interval(UPKEEP);
        loop {
            interval.tick().await;
            kept.run_upkeep();
        }
    });
    Some(handle)
}

fn recorder() -> PrometheusBuilder {
    PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Full("qunguan_decision_seconds".into()), &DECISION_BUCKETS)
        .expect("there are buckets")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions_are_counted_in_buckets() {
        let recorder = recorder().build_recorder();
        metrics::with_local_recorder(&recorder, || {
            for seconds in [0.0004, 0.003, 0.2, 7.0] {
                metrics::histogram!("qunguan_decision_seconds", "channel" => "archive").record(seconds);
            }
        });
        let text = recorder.handle().render();
        for line in [
            "# TYPE qunguan_decision_seconds histogram",
            r#"qunguan_decision_seconds_bucket{channel="archive",le="0.0005"} 1"#,
            r#"qunguan_decision_seconds_bucket{channel="archive",le="0.005"} 2"#,
            r#"qunguan_decision_seconds_bucket{channel="archive",le="5"} 3"#,
            r#"qunguan_decision_seconds_bucket{channel="archive",le="+Inf"} 4"#,
            r#"qunguan_decision_seconds_count{channel="archive"} 4"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
