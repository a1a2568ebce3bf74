//! One window of a browser: what a person sees there, and does.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use ureq::http::Method;

use super::Browser;
use crate::classroom::{PATIENCE, within};

/// The name that the standard gives to an element's reference.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The text of the first visible element, as it is shown.
const READ: &str = "const found = [...document.querySelectorAll(arguments[0])].find(e => e.getClientRects().length);
return found ? found.innerText ?? '' : null;";

/// One window.
pub struct Window<'a> {
    browser: &'a Browser,
    handle: String,
}

impl<'a> Window<'a> {
    pub(super) fn new(browser: &'a Browser, handle: String) -> Self {
        Self { browser, handle }
    }

    fn command(&self, method: Method, path: &str, body: &Value) -> Result<Value, String> {
        self.browser.command_to(&self.handle, method, path, body)
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        self.command(Method::POST, path, body)
    }

    /// Goes to an address and waits until the page is loaded.
    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }))
            .unwrap_or_else(|error| panic!("{url} does not open: {error}"));
    }

    /// What the address bar shows.
    pub fn url(&self) -> String {
        let url = self.command(Method::GET, "/url", &Value::Null);
        let url = url.unwrap_or_default();
        url.as_str().unwrap_or_default().to_owned()
    }

    /// Runs a script in the page and gives what it returns. The error is the browser's, such as that the page has just
    /// been left.
    pub fn run(&self, script: &str, arguments: &[Value]) -> Result<Value, String> {
        self.post(
            "/execute/sync",
            &json!({ "script": script, "args": arguments }),
        )
    }

    /// The text of the first element of this kind that can be seen; `None` if none can.
    pub fn text(&self, selector: &str) -> Option<String> {
        let text = self.run(READ, &[json!(selector)]).ok()?;
        text.as_str().map(|text| text.trim().to_owned())
    }

    /// The text of the first element of this kind, read without a script of the page.
    pub fn reads(&self, selector: &str) -> String {
        let wish = json!({ "using": "css selector", "value": selector });
        let read = || {
            let found = self.post("/element", &wish)?;
            let id = found[ELEMENT].as_str().unwrap_or_default();
            self.command(Method::GET, &format!("/element/{id}/text"), &Value::Null)
        };
        let text = read().unwrap_or_else(|error| panic!("{selector} cannot be read: {error}"));
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Whether an element of this kind can be seen.
    pub fn shows(&self, selector: &str) -> bool {
        self.text(selector).is_some()
    }

    /// Clicks on the first element of this kind, as a person does: it has to be visible and nothing may cover it.
    pub fn click(&self, selector: &str) {
        let click = || {
            let wish = json!({ "using": "css selector", "value": selector });
            let found = self.post("/element", &wish)?;
            let id = found[ELEMENT].as_str().unwrap_or_default();
            self.post(&format!("/element/{id}/click"), &Value::Null)
        };
        click().unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub fn presses(&self, keys: &[char]) {
        let stroke = |key: &char| {
            [
                json!({ "type": "keyDown", "value": key.to_string() }),
                json!({ "type": "keyUp", "value": key.to_string() }),
            ]
        };
        let strokes: Vec<Value> = keys.iter().flat_map(stroke).collect();
        let actions =
            json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": strokes }] });
        self.post("/actions", &actions).expect("keys are pressed");
    }

    /// Types a text, wherever the focus is.
    pub fn types(&self, text: &str) {
        self.presses(&text.chars().collect::<Vec<char>>());
    }

    /// Waits until what is meant is there.
    #[track_caller]
    pub fn eventually(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        if !within(PATIENCE, || condition(self)) {
            let body = self.run("return document.body.innerText", &[]);
            panic!("in vain waited for: {what}; {} shows: {body:?}", self.url());
        }
    }

    /// Waits until an element of this kind can be seen, and gives its text.
    #[track_caller]
    pub fn eventually_shows(&self, selector: &str) -> String {
        self.eventually(selector, |window| window.shows(selector));
        self.text(selector).unwrap_or_default()
    }

    /// Another tab of the same person; it is not the current one of anybody.
    pub fn new_tab(&self) -> Self {
        let before = self.browser.handles();
        let opened = self.run("window.open('about:blank')", &[]);
        opened.expect("a tab is opened");
        self.tab_beside(&before)
    }

    /// The tab that a click opens.
    pub fn tab_by_click(&self, selector: &str) -> Self {
        let before = self.browser.handles();
        self.click(selector);
        self.tab_beside(&before)
    }

    fn tab_beside(&self, before: &[String]) -> Self {
        let new = || {
            let handles = self.browser.handles().into_iter();
            handles.into_iter().find(|handle| !before.contains(handle))
        };
        assert!(within(PATIENCE, || new().is_some()), "no tab was opened");
        Self::new(self.browser, new().expect("it is there"))
    }

    /// Closes it.
    pub fn close(self) {
        let _ = self.command(Method::DELETE, "/window", &Value::Null);
        self.browser.current().clear();
    }

    /// Asks Chromium what the standard has no word for.
    pub fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.post("/goog/cdp/execute", &body)
            .unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// The page is shown on a screen of this size, with this many dots a pixel.
    pub fn is_sized(&self, width: u32, height: u32, dots: u32) {
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            &json!({ "width": width, "height": height, "deviceScaleFactor": dots, "mobile": width < 600 }),
        );
    }

    /// The system is set to dark colours, or to light ones.
    pub fn is_dark(&self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        let feature = json!({ "name": "prefers-color-scheme", "value": value });
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": [feature] }),
        );
    }

    /// A picture of what can be seen, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        let picture = self.command(Method::GET, "/screenshot", &Value::Null);
        let picture = picture.expect("a picture");
        let text = picture.as_str().unwrap_or_default();
        STANDARD.decode(text).expect("a picture in base64")
    }
}
