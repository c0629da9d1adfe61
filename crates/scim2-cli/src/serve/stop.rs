//! The signals that end the program: SIGTERM and Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The signals that ask the program to stop.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Starts to listen for the signals. From here on they no longer end the program by themselves.
    pub(super) fn listen() -> Result<Self, Failure> {
        let signal = |kind| signal(kind).map_err(|error| Failure::run(format!("signals: {error}")));
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for one of the signals.
    pub(super) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM: finishing the accepted requests"),
            _ = self.interrupt.recv() => tracing::info!("Ctrl-C: finishing the accepted requests"),
        }
    }
}
