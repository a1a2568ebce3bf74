//! An answer that is no success, in Twilio's shape.

use serde_json::json;

use super::super::server::Reply;

/// HTTP status, Twilio's code, and a text.
#[derive(Debug, Clone)]
pub struct TwilioFault {
    status: u16,
    code: u32,
    message: String,
}

impl TwilioFault {
    /// A fault.
    pub fn new(status: u16, code: u32, message: &str) -> Self {
        Self {
            status,
            code,
            message: message.to_owned(),
        }
    }

    /// 400 with this code.
    pub fn bad(code: u32, message: &str) -> Self {
        Self::new(400, code, message)
    }
}

impl From<TwilioFault> for Reply {
    fn from(fault: TwilioFault) -> Self {
        let body = json!({
            "code": fault.code,
            "message": fault.message,
            "more_info": format!("https://www.twilio.com/docs/errors/{}", fault.code),
            "status": fault.status,
        });
        let mut reply = Self::json(fault.status, &body);
        reply.content_type = Some("application/json".to_owned());
        match fault.status {
            401 => reply.with("WWW-Authenticate", "Basic realm=\"Twilio API\""),
            _ => reply,
        }
    }
}
