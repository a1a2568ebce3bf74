//! Counters, and their page for Prometheus.
//!
//! Every room has its own counters, and counting costs one relaxed increment. `run` collects them and gives them their
//! names. This room hides the atomics, the text format of Prometheus, and the HTTP listener.

mod count;
mod listener;
mod text;

pub use count::{Counter, Family, Gauge, Histogram, Snapshot};
pub use listener::MetricsListener;
pub use text::{MEDIA_TYPE, MetricsPage, Samples};

/// Declares an enum whose variants are the values of a label. All values are known beforehand, so input from outside
/// cannot create series.
///
/// The enum has `ALL`, `as_str` and `Display`.
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
