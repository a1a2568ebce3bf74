//! The receive buffer of one client: bytes in, complete requests out. No socket, no clock.
//!
//! A body may come with a length or in chunks. The upstream gets a length in both cases.

use std::mem;

use super::Limits;
use super::answer::{GateRefusal, Persistence};
use super::chunks::Chunks;
use super::client::{self, Caller};
use super::head::{Head, HeadResult, Scan};

/// Capacity that the buffer keeps after a request, in bytes.
const KEPT_BYTES: usize = 4 * 1024;

/// The bytes that a client has sent and that belong to no answered request.
#[derive(Default)]
pub struct Intake {
    bytes: Vec<u8>,
    scan: Scan,
    head: Option<Head>,
    /// The decoder, while a chunked body is incomplete.
    chunks: Option<Chunks>,
}

impl Intake {
    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Whether the buffer is empty.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Parses the new bytes. Returns whether a complete request is there.
    ///
    /// # Errors
    /// The bytes are not a valid request, whatever follows.
    pub fn parse(&mut self, limits: &Limits) -> Result<bool, GateRefusal> {
        if self.head.is_none() && !self.bytes.is_empty() {
            match self.scan.read(&self.bytes, limits) {
                HeadResult::Incomplete => {}
                HeadResult::Bad(refusal) => return Err(refusal),
                HeadResult::Complete(head) => {
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

    /// Moves the complete request to `upstream`, with the address of the client if its `peer` is
    /// given. Returns whether its method is HEAD; `None` if there is no complete request.
    pub fn take(&mut self, upstream: &mut Vec<u8>, peer: Option<Caller>) -> Option<bool> {
        let head = self.head.as_mut()?;
        let end = head.len + head.body;
        let body = self.bytes.get(head.len..end)?;
        upstream.extend_from_slice(&mem::take(&mut head.forward));
        if let Some(peer) = peer {
            // In front of the empty line that ends the head.
            upstream.truncate(upstream.len() - 2);
            client::write_line(peer.client(head.forwarded_for), upstream);
            upstream.extend_from_slice(b"\r\n");
        }
        upstream.extend_from_slice(body);
        let is_head = head.is_head;
        self.bytes.drain(..end);
        self.bytes.shrink_to(KEPT_BYTES);
        Some(is_head)
    }

    /// Prepares for the next request, of which some bytes may already be here.
    pub fn next(&mut self) {
        self.head = None;
        self.scan = Scan::default();
    }

    /// Drops all bytes, as no further request is served.
    pub fn close(&mut self) {
        self.bytes = Vec::new();
        self.chunks = None;
    }

    /// Whether the method of the current request is HEAD.
    pub fn is_head(&self) -> bool {
        self.head.as_ref().is_some_and(|head| head.is_head)
    }

    /// Whether the current request wants its connection to persist.
    pub fn persist(&self) -> Persistence {
        self.head
            .as_ref()
            .map_or(Persistence::Close, |head| head.persist)
    }

    /// Bytes of memory held.
    pub fn memory(&self) -> usize {
        let forward = self.head.as_ref().map_or(0, |head| head.forward.capacity());
        self.bytes.capacity() + forward
    }
}

#[cfg(test)]
mod properties;
