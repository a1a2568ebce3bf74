//! The addresses of hosts. ureq asks for them before every call, also if it then uses an open connection, and its own
//! resolver starts a thread each time. Here an address in a URL is only parsed, and that of a name is kept for as long
//! as an idle connection.

use std::collections::HashMap;
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

/// Addresses that were found, by host and port.
#[derive(Debug)]
pub(super) struct KnownAddresses {
    lifetime: Duration,
    by_host: Mutex<HashMap<String, (Instant, ResolvedSocketAddrs)>>,
}

impl KnownAddresses {
    /// None yet; each is kept for `lifetime`.
    pub(super) fn new(lifetime: Duration) -> Self {
        Self {
            lifetime,
            by_host: Mutex::default(),
        }
    }

    /// Forgets all, as a host may have moved: no connection to it can be opened.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn get(&self, host: &str, now: Instant) -> Option<ResolvedSocketAddrs> {
        let known = self.lock();
        let (found_at, addresses) = known.get(host)?;
        let is_young = now.saturating_duration_since(*found_at) < self.lifetime;
        is_young.then(|| addresses.clone())
    }

    fn put(&self, host: String, addresses: ResolvedSocketAddrs, now: Instant) {
        self.lock().insert(host, (now, addresses));
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, (Instant, ResolvedSocketAddrs)>> {
        self.by_host.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Finds addresses for ureq.
#[derive(Debug)]
pub(super) struct Names<R> {
    known: Arc<KnownAddresses>,
    /// Looks names up.
    look_up: R,
}

impl<R: Resolver> Names<R> {
    /// Looks up by `look_up` what is not in `known`.
    pub(super) fn new(known: Arc<KnownAddresses>, look_up: R) -> Self {
        Self { known, look_up }
    }
}

impl<R: Resolver> Resolver for Names<R> {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let host = uri.scheme().zip(uri.authority());
        let host =
            host.and_then(|(scheme, authority)| DefaultResolver::host_and_port(scheme, authority));
        let Some(host) = host else {
            return self.look_up.resolve(uri, config, timeout);
        };
        if let Ok(address) = host.parse::<SocketAddr>() {
            let mut addresses = self.empty();
            addresses.push(address);
            return Ok(addresses);
        }
        if let Some(addresses) = self.known.get(&host, Instant::now()) {
            return Ok(addresses);
        }
        let addresses = self.look_up.resolve(uri, config, timeout)?;
        self.known.put(host, addresses.clone(), Instant::now());
        Ok(addresses)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use ureq::Timeout;

    use super::*;

    /// Finds one address for every name, and counts.
    #[derive(Debug, Default)]
    struct CountingResolver(Arc<AtomicUsize>);

    impl Resolver for CountingResolver {
        fn resolve(
            &self,
            _: &Uri,
            _: &Config,
            _: NextTimeout,
        ) -> Result<ResolvedSocketAddrs, ureq::Error> {
            self.0.fetch_add(1, Ordering::Relaxed);
            let mut found = self.empty();
            found.push("192.0.2.7:443".parse().unwrap());
            Ok(found)
        }
    }

    fn names() -> (Names<CountingResolver>, Arc<AtomicUsize>) {
        let counter = CountingResolver::default();
        let count = Arc::clone(&counter.0);
        let known = Arc::new(KnownAddresses::new(Duration::from_secs(3_600)));
        (Names::new(known, counter), count)
    }

    fn find<R: Resolver>(names: &Names<R>, url: &str) -> Vec<SocketAddr> {
        let timeout = NextTimeout {
            after: ureq::unversioned::transport::time::Duration::NotHappening,
            reason: Timeout::Resolve,
            per_read: None,
            per_write: None,
        };
        let uri: Uri = url.parse().unwrap();
        let found = names.resolve(&uri, &Config::default(), timeout).unwrap();
        found.iter().copied().collect()
    }

    #[test]
    fn an_address_in_a_url_is_not_looked_up() {
        let (names, count) = names();
        for (url, address) in [
            ("http://127.0.0.1:3000/api/v2", "127.0.0.1:3000"),
            ("https://192.0.2.1/x", "192.0.2.1:443"),
            ("http://[2001:db8::1]/", "[2001:db8::1]:80"),
        ] {
            assert_eq!(find(&names, url), [address.parse().unwrap()], "{url}");
        }
        assert_eq!(count.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_name_is_looked_up_once_until_it_is_forgotten() {
        let (names, count) = names();
        for _ in 0..3 {
            assert_eq!(find(&names, "https://coder.example.org/a").len(), 1);
        }
        assert_eq!(count.load(Ordering::Relaxed), 1);
        find(&names, "https://api.example.org/a");
        find(&names, "https://coder.example.org:8443/a");
        assert_eq!(count.load(Ordering::Relaxed), 3, "another host or port");
        names.known.forget();
        find(&names, "https://coder.example.org/a");
        assert_eq!(count.load(Ordering::Relaxed), 4);
    }

    #[test]
    fn an_address_is_known_for_its_lifetime() {
        let known = KnownAddresses::new(Duration::from_secs(5));
        let now = Instant::now();
        let (names, _) = names();
        known.put("a:1".to_owned(), names.empty(), now);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(known.get("a:1", later(4)).is_some());
        assert!(known.get("a:1", later(5)).is_none());
        assert!(known.get("b:1", now).is_none());
    }
}
