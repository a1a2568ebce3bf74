use super::*;

#[test]
fn the_parts_of_a_url_are_found() {
    let url =
        SignedUrl::parse("https://user:pw@sms.example.org:8443/in?x=1#rc=3&rp=ct,rt,5xx").unwrap();
    assert_eq!(url.as_str(), "https://sms.example.org:8443/in?x=1");
    assert_eq!(format!("{url:?}"), url.as_str());
    assert_eq!(url.path(), "/in");
    assert_eq!(
        SignedUrl::parse("https://sms.example.org").unwrap().path(),
        "/"
    );
    assert_eq!(
        SignedUrl::parse("sms.example.org/in"),
        Err(UrlError::Scheme)
    );
    assert_eq!(SignedUrl::parse("ftp://x/in"), Err(UrlError::Scheme));
    assert_eq!(SignedUrl::parse("https:///in"), Err(UrlError::Form));
    assert_eq!(SignedUrl::parse("https://x/a b"), Err(UrlError::Form));
}

#[test]
fn what_is_wrong_with_a_url_is_said() {
    for (url, words) in [
        (
            "sms.example.org/in",
            "begins with neither https:// nor http://",
        ),
        ("https:///in", "is not a URL"),
        ("https://x:0/in", "is not a URL"),
    ] {
        assert_eq!(SignedUrl::parse(url).unwrap_err().to_string(), words);
    }
    assert!(SignedUrl::parse("https://x:1/in").is_ok());
}

#[test]
fn a_url_is_https_or_not() {
    let is_https = |url| SignedUrl::parse(url).unwrap().is_https();
    assert!(is_https("HTTPS://x/in") && !is_https("http://x/in"));
}

#[test]
fn every_spelling_that_a_helper_signs_is_known() {
    for (configured, spellings) in [
        (
            "https://sms.example.org/in",
            &[
                "https://sms.example.org/in",
                "https://sms.example.org:443/in",
            ][..],
        ),
        (
            "https://sms.example.org:8443/in?x=1#rc=3",
            &[
                "https://sms.example.org:8443/in?x=1",
                "https://sms.example.org/in?x=1",
            ],
        ),
        (
            "HTTPS://SMS.Example.org",
            &[
                "https://SMS.Example.org",
                "https://SMS.Example.org:443",
                "https://SMS.Example.org/",
                "https://SMS.Example.org:443/",
                "https://sms.example.org",
                "https://sms.example.org:443",
                "https://sms.example.org/",
                "https://sms.example.org:443/",
            ],
        ),
        (
            "https://h.example.org?x=1",
            &[
                "https://h.example.org?x=1",
                "https://h.example.org:443?x=1",
                "https://h.example.org/?x=1",
                "https://h.example.org:443/?x=1",
            ],
        ),
        (
            "https://u:p@h.example.org/in",
            &[
                "https://h.example.org/in",
                "https://h.example.org:443/in",
                "https://u:p@h.example.org/in",
                "https://u:p@h.example.org:443/in",
            ],
        ),
        (
            "http://[2001:DB8::0:1]:80/x",
            &[
                "http://[2001:DB8::0:1]:80/x",
                "http://[2001:DB8::0:1]/x",
                "http://[2001:db8::0:1]:80/x",
                "http://[2001:db8::0:1]/x",
                "http://[2001:db8::1]:80/x",
                "http://[2001:db8::1]/x",
            ],
        ),
        ("http://[::1]/x", &["http://[::1]/x", "http://[::1]:80/x"]),
    ] {
        let url = SignedUrl::parse(configured).unwrap();
        assert_eq!(url.spellings(), spellings, "{configured}");
    }
}

#[test]
fn a_default_port_makes_no_other_url() {
    let url = |url: &str| SignedUrl::parse(url).unwrap();
    let ours = url("https://sms.example.org/inbound");
    for same in [
        "https://sms.example.org/inbound#rc=3",
        "https://user:pw@sms.example.org/inbound",
        "https://sms.example.org:443/inbound",
    ] {
        assert!(ours.is_same_as(&url(same)) && url(same).is_same_as(&ours));
    }
    for other in [
        "http://sms.example.org/inbound",
        "https://sms.example.org:8443/inbound",
        "https://sms.example.org/inbound/",
        "https://SMS.example.org/inbound",
        "https://sms.example.org/inbound?x=1",
    ] {
        assert!(!ours.is_same_as(&url(other)) && !url(other).is_same_as(&ours));
    }
    assert_eq!(url("https://[::1]:8443/x").host(), "[::1]");
    assert_eq!(url("http://sms.example.org?x").host(), "sms.example.org");
}
