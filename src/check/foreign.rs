//! What an answer at the public URL means that does not prove to be from this service.

use crate::http::HttpResponse;
use crate::webhook::{
    ANOTHER_ACCOUNT, NO_SID, NO_TOKEN, NOT_FOUND, UNKNOWN_KEY, WRONG_BY_KEY, WRONG_SIGNATURE,
};

pub(super) const SAME_SETTINGS: &str = "run check with the settings of the running service, or restart the service with these settings";
pub(super) const FORWARD: &str = "let the proxy forward all paths of the host to CODER_REG_LISTEN, as in deploy/nginx.conf and deploy/caddy";

/// Judges an answer that does not prove to be from this service: what is wrong, and the cure.
pub(super) fn judge_foreign(answer: &HttpResponse) -> (String, &'static str) {
    let said = std::str::from_utf8(&answer.body).unwrap_or_default();
    let said = said.strip_suffix('\n').unwrap_or(said);
    if let Some((what, cure)) = judge_one_of_ours(answer.status, said) {
        return (what.to_owned(), cure);
    }
    match answer.status {
        status @ 502..=504 => (
            format!("a proxy answers ({status}), but does not reach the service"),
            "let the proxy forward to where the service listens (CODER_REG_LISTEN); its log says why it cannot",
        ),
        status @ 300..=399 => (
            format!("the server redirects ({status})"),
            "set TWILIO_WEBHOOK_URL and the URL at Twilio to the redirect's target, because Twilio signs the URL that is set there",
        ),
        status @ (401 | 403 | 407) => (
            format!("the server requires a login ({status})"),
            "let the proxy forward the path without a login: the signature is the proof",
        ),
        status => (
            format!("another program than this service answers ({status})"),
            FORWARD,
        ),
    }
}

/// Judges the answer of a coder-sms-register with other settings or of another version; `None` = it is none.
fn judge_one_of_ours(status: u16, said: &str) -> Option<(&'static str, &'static str)> {
    Some(match (status, said) {
        (403, WRONG_SIGNATURE) => (
            "a coder-sms-register answers, but with another TWILIO_WEBHOOK_URL or TWILIO_ACCOUNT_TOKEN",
            SAME_SETTINGS,
        ),
        (403, WRONG_BY_KEY | UNKNOWN_KEY) => (
            "a coder-sms-register answers, but with another TWILIO_WEBHOOK_URL or TWILIO_SHARED_KEY",
            SAME_SETTINGS,
        ),
        (403, NO_TOKEN) => (
            "a coder-sms-register answers, but without TWILIO_ACCOUNT_TOKEN",
            SAME_SETTINGS,
        ),
        (403, ANOTHER_ACCOUNT) => (
            "a coder-sms-register answers, but with another TWILIO_ACCOUNT_SID",
            SAME_SETTINGS,
        ),
        (400, NO_SID) => (
            "an older coder-sms-register answers, which cannot identify itself",
            "restart the service with this version",
        ),
        (404, NOT_FOUND) => (
            "the service answers, but it does not serve that path",
            "let the proxy forward the path unchanged, or restart the service with this TWILIO_WEBHOOK_URL",
        ),
        (411, _) => (
            "the server refuses a chunked body (411), as tunnels send it: perhaps it is an older coder-sms-register",
            "restart the service with this version, or let the proxy buffer request bodies",
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use ureq::http::HeaderMap;

    use super::*;

    #[test]
    fn who_answers_is_recognised_by_status_and_body() {
        for (status, body, words) in [
            (403, "wrong signature\n", "another TWILIO_WEBHOOK_URL"),
            (
                403,
                "wrong signature by a shared key\n",
                "TWILIO_SHARED_KEY",
            ),
            (
                403,
                "signed with a shared key, which is not configured\n",
                "TWILIO_SHARED_KEY",
            ),
            (
                403,
                "signed with the Auth Token, which is not configured\n",
                "without TWILIO_ACCOUNT_TOKEN",
            ),
            (403, "another account\n", "another TWILIO_ACCOUNT_SID"),
            (400, "no MessageSid\n", "older"),
            (404, "not found\n", "does not serve that path"),
            (404, "<html>", "another program"),
            (411, "411 length required: ...\n", "a chunked body"),
            (502, "<html>", "does not reach the service"),
            (301, "", "redirects"),
            (401, "", "requires a login"),
            (403, "<html>", "requires a login"),
            (200, "<html>", "another program"),
        ] {
            let answer = HttpResponse {
                status,
                headers: HeaderMap::new(),
                body: body.into(),
            };
            let (error, _) = judge_foreign(&answer);
            assert!(error.contains(words), "{status} {body}: {error}");
        }
    }
}
