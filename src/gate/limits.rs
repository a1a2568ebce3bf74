//! All limits of the gate: sizes, counts and times.

use std::fs;
use std::time::Duration;

/// The most clients at once, even if the system would allow more. It bounds memory as well as file
/// descriptors.
const MOST_CONNECTIONS: usize = 512;

/// The limits of the gate. [`Default`] has the values for production. A duration may be up to a
/// year, and is enforced to about 100 ms.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Clients connected at once, 1 or more. A further client evicts one of them. This also bounds
    /// the number of requests that wait for the upstream.
    pub connections: usize,
    /// Bytes of a request's head, including the request line and the empty line.
    pub head_bytes: usize,
    /// Header lines of a request, 1 to 128.
    pub header_lines: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Chunks of a body, without the last one of size 0.
    pub chunks: usize,
    /// Bytes of a line between chunks, including CR LF: a chunk's size with its extensions, or a
    /// trailer.
    pub chunk_line_bytes: usize,
    /// Bytes of all trailers after the last chunk. Their number is limited by `header_lines`.
    pub trailer_bytes: usize,
    /// Bytes buffered for all connections together. Above it, the connection that holds most is
    /// evicted.
    pub buffered_bytes: usize,
    /// From accepting the connection to its first byte.
    pub first_byte: Duration,
    /// From a request's first byte to its last. Absolute: slow progress does not extend it.
    pub complete: Duration,
    /// From an answer to the first byte of the next request.
    pub idle: Duration,
    /// From the complete request to the upstream's answer. After it the client gets a 504.
    pub backend: Duration,
    /// For the client to read its answer.
    pub take_answer: Duration,
    /// For reading and dropping what a client still sends after the last answer, so that it gets
    /// the answer and not a reset.
    pub linger: Duration,
    /// From [`GateHandle::stop`](super::GateHandle::stop) to the end, even if requests are still
    /// unanswered.
    pub drain: Duration,
    /// The names of the only headers that reach the upstream, besides those that the gate writes itself; `None` = all
    /// that may. The upstream reads a head byte by byte, so one that nobody reads costs more there than here.
    pub forwarded: Option<&'static [&'static str]>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: MOST_CONNECTIONS,
            head_bytes: 8 * 1024,
            header_lines: 64,
            body_bytes: 64 * 1024,
            chunks: 4096,
            chunk_line_bytes: 256,
            trailer_bytes: 2 * 1024,
            buffered_bytes: 8 * 1024 * 1024,
            first_byte: Duration::from_secs(5),
            complete: Duration::from_secs(5),
            idle: Duration::from_secs(15),
            backend: Duration::from_secs(10),
            take_answer: Duration::from_secs(2),
            linger: Duration::from_millis(300),
            drain: Duration::from_secs(4),
            forwarded: None,
        }
    }
}

impl Limits {
    /// The defaults, with `connections` fitted to this process: half of the files that it may open,
    /// 512 at most. The other half is for the rest of the process.
    #[must_use]
    pub fn for_this_process() -> Self {
        // Without /proc the limit is unknown; 1024 is the default of nearly every system.
        let open_files = fs::read_to_string("/proc/self/limits")
            .ok()
            .as_deref()
            .and_then(soft_open_files);
        Self {
            connections: connections_for(open_files.unwrap_or(1024)),
            ..Self::default()
        }
    }
}

fn connections_for(open_files: usize) -> usize {
    (open_files / 2).clamp(1, MOST_CONNECTIONS)
}

/// The soft limit of open files out of the text of `/proc/self/limits`.
fn soft_open_files(limits: &str) -> Option<usize> {
    let soft = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?
        .split_whitespace()
        .next()?;
    if soft == "unlimited" {
        Some(usize::MAX)
    } else {
        soft.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_open_files_are_for_clients() {
        let proc = "Limit                     Soft Limit           Hard Limit           Units     \n\
                    Max processes             unlimited            unlimited            processes \n\
                    Max open files            300                  4096                 files     \n";
        assert_eq!(soft_open_files(proc), Some(300));
        assert_eq!(
            soft_open_files("Max open files            unlimited            unlimited  files"),
            Some(usize::MAX)
        );
        assert_eq!(soft_open_files("nothing of the kind"), None);
        for (open_files, connections) in [(300, 150), (1024, 512), (1_000_000, 512), (1, 1)] {
            assert_eq!(connections_for(open_files), connections);
        }
    }

    #[test]
    fn the_limit_of_this_process_is_in_range() {
        assert!((1..=512).contains(&Limits::for_this_process().connections));
    }
}
