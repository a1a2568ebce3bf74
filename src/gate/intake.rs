//! What one client has sent: bytes in, whole requests out. No socket, no clock.
//!
//! Hidden here: whether a body came with a length or in chunks. The server behind gets a length either way.

use std::mem;

use super::Limits;
use super::answer::{GateRefusal, Persistence};
use super::chunks::Chunks;
use super::head::{Head, HeadResult, Scan};

/// A buffer that grew beyond this is given back when it is no longer needed.
const KEPT_BYTES: usize = 4 * 1024;

/// The bytes of one connection that belong to no answered request.
#[derive(Default)]
pub struct Intake {
    bytes: Vec<u8>,
    scan: Scan,
    head: Option<Head>,
    /// While a body in chunks is not whole.
    chunks: Option<Chunks>,
}

impl Intake {
    /// Adds what was read.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether nothing is there.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Looks through what is new. Returns whether a whole request is there.
    ///
    /// # Errors
    /// No further byte could make this a request for us.
    pub fn inspect(&mut self, limits: &Limits) -> Result<bool, GateRefusal> {
        if self.head.is_none() && !self.bytes.is_empty() {
            match self.scan.read(&self.bytes, limits) {
                HeadResult::Incomplete => {}
                HeadResult::Bad(refusal) => return Err(refusal),
                HeadResult::Whole(head) => {
                    self.chunks = head.chunked.then(|| Chunks::at(head.len));
                    self.head = Some(head);
                }
            }
        }
        let Some(head) = &mut self.head else {
            return Ok(false);
        };
        if let Some(chunks) = &mut self.chunks {
            let Some(length) = chunks.decode(&mut self.bytes, limits)? else {
                return Ok(false);
            };
            self.chunks = None;
            head.end_with_length(length);
        }
        Ok(self.bytes.len() >= head.len + head.body)
    }

    /// Whether the client waits for `100 Continue`.
    pub fn wants_continue(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.wants_continue)
    }

    /// Puts the whole request onto `upstream`. Returns whether it is HEAD; nothing if there is no whole request.
    pub fn take(&mut self, upstream: &mut Vec<u8>) -> Option<bool> {
        let head = self.head.as_mut()?;
        let end = head.len + head.body;
        let body = self.bytes.get(head.len..end)?;
        upstream.extend_from_slice(&mem::take(&mut head.forward));
        upstream.extend_from_slice(body);
        let is_head = head.is_head;
        self.bytes.drain(..end);
        self.bytes.shrink_to(KEPT_BYTES);
        Some(is_head)
    }

    /// Makes ready for the next request, of which some bytes may be there.
    pub fn next(&mut self) {
        self.head = None;
        self.scan = Scan::default();
    }

    /// Drops all bytes: nothing more is served.
    pub fn close(&mut self) {
        self.bytes = Vec::new();
        self.chunks = None;
    }

    /// Whether the request in hand is HEAD.
    pub fn is_head(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_head)
    }

    /// What the request in hand wants for its connection.
    pub fn persist(&self) -> Persistence {
        self.head
            .as_ref()
            .map_or(Persistence::Close, |head| head.persist)
    }

    /// Bytes of memory held.
    pub fn held(&self) -> usize {
        let forward = self.head.as_ref().map_or(0, |head| head.forward.capacity());
        self.bytes.capacity() + forward
    }
}

#[cfg(test)]
mod properties;
