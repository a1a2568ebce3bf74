//! An answer that is no success, in the shape that all of Coder's errors have.

use serde_json::json;

use super::super::server::Reply;

/// Status, message, and what is said beside them.
#[derive(Debug, Clone)]
pub struct Fault {
    status: u16,
    message: String,
    detail: Option<String>,
    validations: Vec<(String, String)>,
}

impl Fault {
    /// A fault with a message only.
    pub fn new(status: u16, message: &str) -> Self {
        Self {
            status,
            message: message.to_owned(),
            detail: None,
            validations: Vec::new(),
        }
    }

    /// The same fault with a detail.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same fault with one more field to blame.
    #[must_use]
    pub fn field(mut self, field: &str, detail: impl Into<String>) -> Self {
        self.validations.push((field.to_owned(), detail.into()));
        self
    }

    /// Said for what is absent and for what may not be seen, on purpose.
    pub fn not_found() -> Self {
        Self::new(
            404,
            "Resource not found or you do not have access to this resource",
        )
    }

    /// The generic refusal.
    pub fn forbidden() -> Self {
        let detail = "You don't have permission to view this content. If you believe this is a mistake, please contact \
                      your administrator or try signing in with different credentials.";
        Self::new(403, "Forbidden.").detail(detail)
    }
}

impl From<Fault> for Reply {
    fn from(fault: Fault) -> Self {
        let mut body = json!({ "message": fault.message });
        if let Some(detail) = fault.detail {
            body["detail"] = json!(detail);
        }
        if !fault.validations.is_empty() {
            let entry =
                |(field, detail): &(String, String)| json!({ "field": field, "detail": detail });
            body["validations"] = fault.validations.iter().map(entry).collect();
        }
        Self::json(fault.status, &body)
    }
}
