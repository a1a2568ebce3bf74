//! What is counted, and how a monitoring system gets to see it.
//!
//! A leaf: every room counts what it does in counters of its own, which cost one relaxed increment; `run` knows where
//! they all are and what they are called. What is hidden here: the atomics, Prometheus' text format, and one HTTP
//! request.

mod count;
mod listener;
mod text;

pub use count::{Counter, Family, Gauge, Histogram, Snapshot};
pub use listener::MetricsListener;
pub use text::{MEDIA_TYPE, MetricsPage, Samples};

/// Declares an enum whose variants are the values of a label: all of them are known beforehand, so that no peer and no
/// stranger makes series.
///
/// It gets `ALL`, `as_str` and `Display`.
macro_rules! labels {
    ($(#[$meta:meta])* $vis:vis enum $name:ident {
        $($(#[$doc:meta])* $variant:ident => $word:literal,)+
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
        }

        impl $name {
            /// Every value, each once.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The value as a label.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use labels;
