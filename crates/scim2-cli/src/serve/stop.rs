//! What ends the program: SIGTERM and Ctrl-C.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::failure::Failure;

/// The signals that ask the program to stop.
pub(super) struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    /// Takes the signals over. From here on they no longer end the program by themselves.
    pub(super) fn listen() -> Result<Self, Failure> {
        let signal = |kind| signal(kind).map_err(|error| Failure::run(format!("signals: {error}")));
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Is ready when one of them came.
    pub(super) async fn requested(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => tracing::info!("SIGTERM: finishing what was accepted"),
            _ = self.interrupt.recv() => tracing::info!("Ctrl-C: finishing what was accepted"),
        }
    }
}
