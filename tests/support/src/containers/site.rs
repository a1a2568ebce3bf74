//! A clone of the project with its `.env`, as an instructor has it, and the containers that come up there.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use super::docker::{build, compose_words, docker, field, said, try_docker};
use super::guest::GuestWindow;
use crate::classroom::folder::Folder;
use crate::classroom::{WEBHOOK_URL, within};
use crate::fakes::twilio::TwilioAccount;

/// The proxies' public name, that of [`WEBHOOK_URL`].
pub const HOST: &str = "sms.class.example.org";

/// The checkout that this test was built from.
fn project() -> &'static Path {
    crate::project()
}

/// Where things listen on this machine.
struct Ports {
    sms: SocketAddr,
    http: SocketAddr,
    https: SocketAddr,
    coder: SocketAddr,
    twilio: SocketAddr,
}

/// The site. Dropping it removes all its containers, networks, volumes and images.
pub struct Site {
    name: String,
    account: TwilioAccount,
    redis_pw: String,
    ports: Ports,
    token: OnceLock<String>,
    folder: Folder,
}

impl Site {
    /// Clones a repository with all files of this checkout, starts the fakes, and fills in `.env`.
    pub fn prepare() -> Self {
        let folder = Folder::new();
        let name = format!("sms-test-{}", std::process::id());
        publish_checkout(&folder.path().join("origin"));
        git(folder.path(), &["clone", "--quiet", "origin", "site"]);
        let ports = free_ports();
        let site = Self {
            name,
            account: TwilioAccount::random(),
            redis_pw: "a-long-word-for-redis".to_owned(),
            ports,
            token: OnceLock::new(),
            folder,
        };
        site.build_guest();
        site.write_env(&[]);
        site.compose(&["up", "-d", "coder", "twilio"]);
        let token = site.coder().see("/token");
        let token = token.as_str().expect("a token").to_owned();
        site.token.set(token).expect("not set before");
        site.write_env(&[]);
        site
    }

    /// The clone.
    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// The repository that it was cloned from.
    pub fn origin(&self) -> PathBuf {
        self.folder.path().join("origin")
    }

    /// The account at the fake Twilio.
    pub fn account(&self) -> &TwilioAccount {
        &self.account
    }

    /// The window of the fake Coder.
    pub fn coder(&self) -> GuestWindow {
        GuestWindow::at(self.ports.coder)
    }

    /// The window of the fake Twilio.
    pub fn twilio(&self) -> GuestWindow {
        GuestWindow::at(self.ports.twilio)
    }

    /// Where the service is published.
    pub fn plain(&self) -> SocketAddr {
        self.ports.sms
    }

    /// Where the proxy with TLS is published.
    pub fn https(&self) -> SocketAddr {
        self.ports.https
    }

    /// Secrets that no log may contain.
    pub fn secrets(&self) -> Vec<String> {
        vec![
            self.account.account_token.clone(),
            self.account.auth_token.clone(),
            self.redis_pw.clone(),
            self.token.get().cloned().unwrap_or_default(),
        ]
    }

    /// Fills `.env-template` in as an operator does: the line of each name gets its value. `more` comes last.
    pub fn write_env(&self, more: &[(&str, &str)]) {
        let quoted = format!("'{WEBHOOK_URL}'");
        let token = self.token.get().map_or("not-yet", String::as_str);
        let mut values = vec![
            ("TWILIO_ACCOUNT_SID", self.account.account_sid.as_str()),
            ("TWILIO_ACCOUNT_TOKEN", &self.account.account_token),
            ("TWILIO_AUTH_SID", &self.account.auth_sid),
            ("TWILIO_AUTH_TOKEN", &self.account.auth_token),
            ("FROM_NUM", &self.account.from_numbers[0]),
            ("TWILIO_WEBHOOK_URL", &quoted),
            ("TWILIO_API_URL", "http://twilio"),
            ("CODER_API_URL", "http://coder/api/v2/"),
            ("CODER_API_KEY", token),
            ("CODER_EMAIL_DOM", "class.example.org"),
            ("CODER_REG_PASS", "iamreadytolearn"),
            ("CODER_CHECK_INTERVAL", "1s"),
            ("CODER_REG_RESEND_INTERVAL", "1s"),
            ("CODER_REG_RESEND_DAILY", "100"),
            ("REDIS_PW", &self.redis_pw),
        ];
        for (name, value) in more {
            values.retain(|(known, _)| known != name);
            values.push((name, value));
        }
        let template = fs::read_to_string(self.folder().join(".env-template")).expect("a template");
        let mut lines: Vec<String> = template.lines().map(str::to_owned).collect();
        for (name, value) in values {
            let wanted = |line: &String| {
                let line = line.strip_prefix('#').unwrap_or(line);
                line.strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('='))
            };
            let line = lines.iter_mut().find(|line| wanted(line));
            *line.unwrap_or_else(|| panic!("{name} is not in .env-template")) =
                format!("{name}={value}");
        }
        fs::write(self.folder().join(".env"), lines.join("\n") + "\n").expect("the disk has room");
    }

    /// A command that works in the clone, on this site's containers.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let files = format!(
            "docker-compose.yml:{}/tests/containers/guests.yml",
            project().display()
        );
        command
            .current_dir(self.folder())
            .env("COMPOSE_PROJECT_NAME", &self.name)
            .env("COMPOSE_FILE", files)
            .env("PULL", "")
            .env("BUILDKIT_PROGRESS", "plain")
            .env("SMS_PUBLISH", self.ports.sms.to_string())
            .env("HTTP_PUBLISH", self.ports.http.to_string())
            .env("HTTPS_PUBLISH", self.ports.https.to_string())
            .env("CADDY_GLOBAL_OPTIONS", "local_certs")
            .env("SMS_IMAGE", self.image("sms"))
            .env("REDIS_IMAGE", self.image("redis"))
            .env("GUEST_IMAGE", self.image("guest"))
            .env("CODER_WINDOW", self.ports.coder.to_string())
            .env("TWILIO_WINDOW", self.ports.twilio.to_string())
            .env("ACCOUNT_SID", &self.account.account_sid)
            .env("ACCOUNT_TOKEN", &self.account.account_token)
            .env("AUTH_SID", &self.account.auth_sid)
            .env("AUTH_TOKEN", &self.account.auth_token)
            .env("FROM", &self.account.from_numbers[0])
            .stdin(Stdio::null());
        command
    }

    /// Runs compose. Returns standard output and error; panics if it fails.
    pub fn compose(&self, arguments: &[&str]) -> String {
        let words = compose_words();
        let mut command = self.command(words[0]);
        command.args(&words[1..]).args(arguments);
        both(&mut command)
    }

    /// Runs make in the clone. Returns standard output and error; panics if it fails.
    pub fn make(&self, arguments: &[&str]) -> String {
        both(self.command("make").args(arguments))
    }

    /// The container of a service of the compose file.
    pub fn container(&self, service: &str) -> String {
        let label = format!("label=com.docker.compose.project={}", self.name);
        let which = format!("label=com.docker.compose.service={service}");
        let found = docker([
            "ps",
            "-a",
            "-q",
            "--no-trunc",
            "--filter",
            &label,
            "--filter",
            &which,
        ]);
        assert_eq!(
            found.lines().count(),
            1,
            "one container of {service}: {found}"
        );
        found
    }

    /// The full name of one of its networks or volumes.
    pub fn full_name(&self, short: &str) -> String {
        format!("{}_{short}", self.name)
    }

    /// Waits until the engine calls the service healthy.
    pub fn is_healthy(&self, service: &str) {
        let container = self.container(service);
        let healthy = within(Duration::from_secs(60), || {
            std::thread::sleep(Duration::from_millis(200));
            field(&container, "{{.State.Health.Status}}") == "healthy"
        });
        assert!(
            healthy,
            "{service} does not become healthy:\n{}",
            self.logs(service)
        );
    }

    /// The whole log of a service.
    pub fn logs(&self, service: &str) -> String {
        let output = try_docker(&["logs", &self.container(service)]);
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    /// The name of an image of this site's own.
    fn image(&self, of: &str) -> String {
        format!("{}-{of}", self.name)
    }

    /// This program and the libraries that it needs, as an image.
    fn build_guest(&self) {
        let image = self.folder.path().join("guest");
        let own = std::env::current_exe().expect("our own path");
        fs::create_dir_all(&image).expect("a folder");
        fs::copy(&own, image.join("containers")).expect("the disk has room");
        for word in said(Command::new("ldd").arg(&own)).split_whitespace() {
            if let Some(path) = word.strip_prefix('/') {
                let copy = image.join(path);
                fs::create_dir_all(copy.parent().expect("a parent")).expect("a folder");
                fs::copy(word, copy).expect("the disk has room");
            }
        }
        let recipe = "FROM scratch\nCOPY . /\nENTRYPOINT [\"/containers\"]\n";
        fs::write(image.join("Dockerfile"), recipe).expect("the disk has room");
        build(&image, &["--quiet", "--tag", &self.image("guest")]);
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in ["sms", "redis", "tls"] {
                let label = format!("label=com.docker.compose.project={}", self.name);
                let which = format!("label=com.docker.compose.service={service}");
                let found = try_docker(&["ps", "-a", "-q", "--filter", &label, "--filter", &which]);
                for id in String::from_utf8_lossy(&found.stdout).lines() {
                    let logs = try_docker(&["logs", "--tail", "60", id]);
                    eprintln!(
                        "=== {service} ===\n{}",
                        String::from_utf8_lossy(&logs.stdout)
                    );
                    eprintln!("{}", String::from_utf8_lossy(&logs.stderr));
                }
            }
        }
        let words = compose_words();
        let mut command = self.command(words[0]);
        command.args(&words[1..]);
        command.args([
            "--profile",
            "tls",
            "down",
            "--volumes",
            "--rmi",
            "local",
            "--timeout",
            "5",
        ]);
        let down = command.output();
        if !down.is_ok_and(|output| output.status.success()) {
            eprintln!("{} could not be taken down", self.name);
        }
        for image in ["guest", "sms", "redis"] {
            try_docker(&["rmi", "--force", &self.image(image)]);
        }
    }
}

/// Five ports that are free now.
fn free_ports() -> Ports {
    let listeners: Vec<TcpListener> = (0..5)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
        .collect();
    let port = |place: usize| listeners[place].local_addr().expect("bound");
    Ports {
        sms: port(0),
        http: port(1),
        https: port(2),
        coder: port(3),
        twilio: port(4),
    }
}

/// Makes a repository of all files of this checkout that git tracks or would add.
fn publish_checkout(origin: &Path) {
    fs::create_dir_all(origin).expect("a folder");
    let listed = [
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ];
    let listed = git(project(), &listed);
    for name in listed.split('\0').filter(|name| !name.is_empty()) {
        let (from, to) = (project().join(name), origin.join(name));
        if from.is_file() {
            fs::create_dir_all(to.parent().expect("a parent")).expect("a folder");
            fs::copy(from, to).expect("the disk has room");
        }
    }
    git(origin, &["init", "--quiet", "--initial-branch", "main"]);
    commit(origin, "The checkout");
}

/// Commits all that is in `folder`.
pub fn commit(folder: &Path, title: &str) {
    git(folder, &["add", "--all"]);
    let who = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
    let what = ["commit", "--quiet", "--no-verify", "-m", title];
    git(folder, &[&who[..], &what[..]].concat());
}

/// Runs git in `folder`.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    said(Command::new("git").arg("-C").arg(folder).args(arguments))
}

/// Runs a command. Returns standard output and error in one text; panics with that if it fails.
fn both(command: &mut Command) -> String {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let all = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{command:?} failed:\n{all}");
    all
}
