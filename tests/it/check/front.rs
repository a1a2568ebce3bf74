//! What stands between the internet and the service: a proxy, usually a good one.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use support::classroom::http;
use support::fakes::server::{Action, Reply, Request, Server};

/// A proxy with an address that does not change.
pub struct Front {
    server: Server,
    way: Arc<Mutex<Way>>,
}

enum Way {
    To(SocketAddr),
    /// In chunks, as tunnels forward it.
    Through(SocketAddr),
    Page(u16, String),
    Closed,
}

impl Front {
    pub fn open() -> Self {
        let way = Arc::new(Mutex::new(Way::Page(502, "Bad Gateway".to_owned())));
        let server = Server::start({
            let way = Arc::clone(&way);
            move |request| match &*way.lock().expect("no panic") {
                Way::To(address) => forward(*address, request, false),
                Way::Through(address) => forward(*address, request, true),
                Way::Page(status, words) => {
                    let page = format!("<html><title>{words}</title></html>");
                    let mut reply = Reply::text(*status, &page);
                    reply.content_type = Some("text/html".to_owned());
                    Action::Reply(reply)
                }
                Way::Closed => Action::Close,
            }
        });
        Self { server, way }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// It forwards to that address.
    pub fn leads_to(&self, address: SocketAddr) {
        *self.way.lock().expect("no panic") = Way::To(address);
    }

    /// It forwards to that address, bodies in chunks.
    pub fn tunnels_to(&self, address: SocketAddr) {
        *self.way.lock().expect("no panic") = Way::Through(address);
    }

    /// It shows a page of its own.
    pub fn shows(&self, status: u16, words: &str) {
        *self.way.lock().expect("no panic") = Way::Page(status, words.to_owned());
    }

    /// It closes every connection after the request.
    pub fn closes(&self) {
        *self.way.lock().expect("no panic") = Way::Closed;
    }
}

fn forward(address: SocketAddr, request: &Request, in_chunks: bool) -> Action {
    let ours = ["host", "connection", "content-length", "accept-encoding"];
    let headers: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| !ours.contains(&name.to_ascii_lowercase().as_str()))
        .cloned()
        .collect();
    let send = if in_chunks {
        http::request_in_chunks
    } else {
        http::request
    };
    let (method, path) = (&request.method, &request.path);
    let answer = send(address, method, path, &headers, &request.body);
    Action::Reply(match answer {
        Ok(answer) => {
            let mut reply = Reply::text(answer.status, answer.body());
            reply.content_type = answer.header("Content-Type").map(str::to_owned);
            reply
        }
        Err(_) => Reply::text(502, "Bad Gateway"),
    })
}

/// A server with TLS and this certificate (DER), for as long as the test runs. Answers its address.
pub fn with_certificate(certificate: &'static [u8]) -> SocketAddr {
    let key = include_bytes!("../../data/tls/key.pk8").as_slice();
    let key = PrivateKeyDer::try_from(key).expect("a key");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![CertificateDer::from(certificate)], key)
        .expect("a certificate with its key");
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound");
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else {
                return;
            };
            let mut stream = StreamOwned::new(connection, stream);
            // The handshake happens here; a client that trusts the certificate gets an answer.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        }
    });
    address
}
