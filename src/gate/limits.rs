//! How much, how many and how long: every bound that the gate keeps, in one value.

use std::fs;
use std::time::Duration;

/// Never more clients than this at once, whatever the system would allow: it bounds memory as well as descriptors.
const MOST_CONNECTIONS: usize = 512;

/// The bounds that the gate keeps. [`Default`] holds the values for production. Every duration may be up to a year, and
/// is kept to about 100 ms.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Clients connected at once, 1 or more. One more makes the least deserving leave. It also bounds the requests
    /// that wait for the upstream.
    pub connections: usize,
    /// Bytes of a request's head, request line and empty line included.
    pub head_bytes: usize,
    /// Header lines of a request, 1 to 128.
    pub header_lines: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
    /// Chunks of a body, those without bytes not counted.
    pub chunks: usize,
    /// Bytes of a line between chunks, its end included: a chunk's size with its extensions, or a trailer.
    pub chunk_line_bytes: usize,
    /// Bytes of the trailers behind the last chunk; there may be as many as header lines.
    pub trailer_bytes: usize,
    /// Bytes buffered for all connections together. Beyond it, the connection that holds most has to leave.
    pub buffered_bytes: usize,
    /// From the accepted connection to the first byte.
    pub first_byte: Duration,
    /// From a request's first byte to its last. Absolute: a trickle never extends it.
    pub complete: Duration,
    /// From an answer to the first byte of the next request.
    pub idle: Duration,
    /// From the complete request to the upstream's answer; then the client gets a 504.
    pub backend: Duration,
    /// For the client to take its answer.
    pub take_answer: Duration,
    /// For what a client still sends after the last answer, so that it reads the answer and not a reset.
    pub linger: Duration,
    /// From [`Remote::stop`](super::Remote::stop) to the end, whoever is still unanswered.
    pub drain: Duration,
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
        }
    }
}

impl Limits {
    /// The defaults, with `connections` fitted to this process: half of the files that it may open, 512 at most. The
    /// other half is for everybody else in the process.
    #[must_use]
    pub fn for_this_process() -> Self {
        // Without /proc nothing is known; 1024 is what nearly every system grants.
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
    fn this_process_has_room_for_somebody() {
        assert!((1..=512).contains(&Limits::for_this_process().connections));
    }
}
