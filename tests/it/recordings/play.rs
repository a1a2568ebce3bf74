//! Plays recorded requests on the fake, each by its caller, with what was done between them.

use std::collections::{BTreeMap, HashMap};
use std::thread;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use support::fakes::client::{Client, ClientAnswer};
use support::fakes::coder::{FakeCoder, Role, Version};
use support::fakes::random;

use super::compare::{Difference, difference};

const DEFAULT_ORGANIZATION: &str = "00000000-0000-0000-0000-000000000000";
const PASSWORD: &str = "mfkt8-r3tnz-vk2pd";

/// One recorded request with its answer.
#[derive(Deserialize)]
pub struct Row {
    pub caller: String,
    pub case: String,
    method: String,
    path: String,
    body: Value,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub answer: Value,
}

/// A fake on which the requests are played.
pub struct Play {
    coder: FakeCoder,
    version: Version,
    callers: HashMap<String, Client>,
    /// What the names in angle brackets stand for.
    bound: HashMap<String, String>,
    /// Who was created last, by the case.
    created: HashMap<String, String>,
}

impl Play {
    /// A server with an owner, and one service user of each kind.
    pub fn new(version: Version) -> Self {
        let coder = FakeCoder::start_version(version);
        // Builds end when the play says so.
        coder.build_time(Duration::from_secs(3_600));
        coder.suspended_workspaces_stop_after(Duration::from_secs(3_600));
        let mut play = Self {
            version,
            callers: HashMap::new(),
            bound: HashMap::new(),
            created: HashMap::new(),
            coder,
        };
        let owner = Client::new(&play.coder.url()).token(&play.coder.token());
        play.callers.insert("owner".to_owned(), owner);
        play.callers
            .insert("-".to_owned(), Client::new(&play.coder.url()));
        let me = play.client("owner").get("/api/v2/users/me").json();
        play.bind("owner", &me["id"]);
        play.bound
            .insert("org".to_owned(), play.coder.organization_id());
        let kinds: [(&str, &[Role]); 3] = [
            ("UA", &[Role::UserAdmin]),
            ("UO", &[Role::UserAdmin, Role::OrganizationAdmin]),
            ("OW", &[Role::Owner]),
        ];
        for (caller, roles) in kinds {
            let name = format!("svc-{}", caller.to_lowercase());
            play.make_user(&name, "example.org");
            for role in roles {
                play.coder.gives_role(&name, *role);
            }
            play.log_in(caller, &format!("{name}@example.org"));
        }
        play
    }

    /// Plays all requests; answers what was not as recorded.
    pub fn all(mut self, rows: &[Row]) -> Vec<Difference> {
        let mut differences = Vec::new();
        let mut rows = rows.iter().peekable();
        while let Some(row) = rows.next() {
            self.prepare(row);
            let twin = rows.next_if(|next| next.case == row.case && row.case.contains("at once"));
            match twin {
                Some(twin) => differences.extend(self.both_at_once(row, twin)),
                None => {
                    let answer = self.ask(row);
                    self.remember(row, &answer);
                    differences.extend(difference(row, &answer));
                }
            }
        }
        differences
    }

    fn client(&mut self, caller: &str) -> &mut Client {
        let client = self.callers.get_mut(caller);
        client.unwrap_or_else(|| panic!("nobody is {caller}"))
    }

    fn bind(&mut self, name: &str, id: &Value) {
        let id = id.as_str().unwrap_or_default().to_owned();
        self.bound.entry(name.to_owned()).or_insert(id);
    }

    /// An owner makes a user whose making was not recorded.
    fn make_user(&mut self, name: &str, domain: &str) {
        let wish = json!({ "username": name, "email": format!("{name}@{domain}"), "password": PASSWORD,
            "login_type": "password", "organization_ids": [DEFAULT_ORGANIZATION] });
        let made = self.client("owner").json("POST", "/api/v2/users", &wish);
        assert_eq!(made.status, 201, "{name}: {}", made.body);
        self.bind(name, &made.json()["id"]);
    }

    /// From now on this caller is who has this address.
    fn log_in(&mut self, caller: &str, address: &str) {
        let login = json!({ "email": address, "password": PASSWORD });
        let session = self.client("-").json("POST", "/api/v2/users/login", &login);
        assert_eq!(session.status, 201, "{address}: {}", session.body);
        let token = session.json()["session_token"]
            .as_str()
            .expect("a token")
            .to_owned();
        let client = Client::new(&self.coder.url()).token(&token);
        self.callers.insert(caller.to_owned(), client);
    }

    /// The student of this case logs in and opens a workspace, which is bound to the name.
    fn opens_workspace(&mut self, case: &str, bound: &str) {
        let name = self.created[case].clone();
        self.log_in("stud", &format!("{name}@class.example.org"));
        let id = self.coder.running_workspace(&name, "dev");
        self.bound
            .insert(bound.to_owned(), id.expect("a workspace"));
    }

    /// What was done before a request without being recorded.
    fn prepare(&mut self, row: &Row) {
        match (row.caller.as_str(), row.case.as_str()) {
            (_, "workspaces of owner") => self.opens_workspace("create (third)", "ws"),
            (_, "delete user with a running workspace") => {
                self.opens_workspace("create (with workspace)", "ws5");
            }
            (_, "suspend an owner") => {
                let promoted = self.created["create (promoted)"].clone();
                self.coder.gives_role(&promoted, Role::Owner);
            }
            // That server had stopped the workspace before it was asked to delete it.
            (_, "delete build while active") if self.version == Version::V2_25 => {
                self.coder.finish_builds();
            }
            (
                _,
                "delete build"
                | "workspace after delete"
                | "delete user"
                | "that workspace, ready"
                | "stop own workspace"
                | "delete own workspace",
            ) => self.coder.finish_builds(),
            ("stud", "me") => {
                let member = self.created["create (member)"].clone();
                self.log_in("stud", &format!("{member}@class.example.org"));
            }
            ("UA", "template by name") => self.opens_the_school(),
            ("stud", "own workspace") => {
                let owner = self.created["owner of a workspace"].clone();
                self.log_in("stud", &format!("{owner}@class.example.org"));
            }
            _ => {}
        }
    }

    /// Two templates, and three students for whom workspaces are going to be made.
    fn opens_the_school(&mut self) {
        let (template, version) = self.coder.add_template("python");
        self.coder.add_template("broken");
        self.bound.insert("template".to_owned(), template);
        self.bound.insert("version".to_owned(), version);
        for name in ["ws-ua", "ws-uo", "ws-ow"] {
            self.make_user(name, "class.example.org");
        }
    }

    /// What later requests refer to.
    fn remember(&mut self, row: &Row, answer: &ClientAnswer) {
        if answer.status != 201 {
            return;
        }
        let made = answer.json();
        if let Some(name) = made["username"].as_str() {
            self.created.insert(row.case.clone(), name.to_owned());
            self.bind(name, &made["id"]);
        }
        if row.case.starts_with("token of") {
            let key = made["key"].as_str().unwrap_or_default();
            let id = key.split('-').next().unwrap_or_default().to_owned();
            self.bound
                .entry(format!("key {}", row.caller))
                .or_insert(id);
        }
        if row.case == "workspace for another, by user id" {
            let id = made["id"].as_str().unwrap_or_default().to_owned();
            self.bound.insert("ws".to_owned(), id);
            let owner = made["owner_name"].as_str().unwrap_or_default().to_owned();
            self.created
                .insert("owner of a workspace".to_owned(), owner);
        }
    }

    /// The text with ids in the place of names in angle brackets. `<uuid>` is an id that nobody has.
    fn fill(&self, text: &str, caller: &str) -> String {
        let mut filled = text.replace("<uuid>", &random::uuid());
        if let Some(key) = self.bound.get(&format!("key {caller}")) {
            filled = filled.replace("<key>", key);
        }
        for (name, id) in &self.bound {
            filled = filled.replace(&format!("<{name}>"), id);
        }
        assert!(!filled.contains('<'), "what is {filled}?");
        filled
    }

    fn target(&self, row: &Row) -> String {
        let path = self.fill(&row.path, &row.caller);
        match path.strip_prefix('!') {
            Some(outside) => outside.to_owned(),
            None => format!("/api/v2{path}"),
        }
    }

    fn body(&self, row: &Row) -> String {
        match &row.body {
            Value::Null => String::new(),
            body => self.fill(&body.to_string(), &row.caller),
        }
    }

    fn ask(&mut self, row: &Row) -> ClientAnswer {
        let (target, body) = (self.target(row), self.body(row));
        let anybody = Client::new(&self.coder.url());
        let unknown = format!("{}-{}", "a".repeat(10), "b".repeat(22));
        let mut special = match row.case.as_str() {
            "me with a token of no form" => Some(anybody.token("nonsense")),
            "me with an unknown token" => Some(anybody.token(&unknown)),
            "bypass header" => {
                let caller = self.client(&row.caller).twin();
                Some(caller.with("X-Coder-Bypass-Ratelimit", "true"))
            }
            _ => None,
        };
        let client = match &mut special {
            Some(client) => client,
            None => self.client(&row.caller),
        };
        client
            .send(&row.method, &target, "application/json", &body)
            .expect("an answer")
    }

    /// Two requests that meet in the server; which of them wins is not for us to say.
    fn both_at_once(&mut self, first: &Row, second: &Row) -> Vec<Difference> {
        self.coder.make_users_at_once(2);
        let (target, body) = (self.target(first), self.body(first));
        let caller = self.client(&first.caller).twin();
        let call = || {
            let mut client = caller.twin();
            let (target, body) = (target.clone(), body.clone());
            thread::spawn(move || client.send("POST", &target, "application/json", &body))
        };
        let mut answers = [call(), call()].map(|call| call.join().expect("no panic"));
        self.coder.make_users_apart();
        let by_status = |answer: &Option<ClientAnswer>| answer.as_ref().map(|answer| answer.status);
        answers.sort_by_key(by_status);
        let mut rows = [first, second];
        rows.sort_by_key(|row| row.status);
        rows.into_iter()
            .zip(answers)
            .filter_map(|(row, answer)| difference(row, &answer.expect("an answer")))
            .collect()
    }
}
