//! Counters of refused requests and tolerated deviations.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use scim2_core::Quirk;
use scim2_protocol::ErrorResponse;

use crate::notes::{Note, Noted};

/// Counts since the start of a service provider. A request that is neither refused nor deviates from the RFCs changes
/// no counter.
#[derive(Debug)]
pub(crate) struct Counters {
    tolerated: [AtomicU64; 64],
    ignored: AtomicU64,
    refused: Mutex<BTreeMap<(u16, String), u64>>,
}

/// Numbers of tolerated deviations, ignored attributes and refused requests since the start of a service provider.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counts {
    /// How often each deviation of clients was tolerated. Deviations that never occurred are not listed.
    pub tolerated: Vec<(Quirk, u64)>,
    /// How many attributes were ignored because a request may hold them but cannot change them.
    pub ignored: u64,
    /// How many requests, and operations of Bulk requests, were refused, by status and `scimType`. A 401 has the
    /// reason code of the log instead of a `scimType`.
    pub refused: Vec<(u16, String, u64)>,
}

impl Counters {
    pub(crate) fn note(&self, notes: &[Note]) {
        for note in notes {
            let counter = match note.what {
                Noted::Tolerated(quirk) => self.tolerated.get(quirk as usize),
                Noted::Ignored(_) => Some(&self.ignored),
            };
            if let Some(counter) = counter {
                counter.fetch_add(note.times, Ordering::Relaxed);
            }
        }
    }

    pub(crate) fn refuse(&self, error: &ErrorResponse, reason: Option<&'static str>) {
        let keyword = reason.or(error.scim_type.as_ref().map(|keyword| keyword.as_str()));
        let key = (error.status.as_u16(), keyword.unwrap_or_default().to_owned());
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default() += 1;
    }

    pub(crate) fn counts(&self) -> Counts {
        let tolerated = Quirk::ALL.iter().filter_map(|quirk| {
            let times = self.tolerated.get(*quirk as usize)?.load(Ordering::Relaxed);
            (times > 0).then_some((*quirk, times))
        });
        let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        Counts {
            tolerated: tolerated.collect(),
            ignored: self.ignored.load(Ordering::Relaxed),
            refused: refused.iter().map(|((status, why), times)| (*status, why.clone(), *times)).collect(),
        }
    }
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            tolerated: std::array::from_fn(|_| AtomicU64::new(0)),
            ignored: AtomicU64::new(0),
            refused: Mutex::default(),
        }
    }
}
