//! The two ways to TLS: Caddy by the compose file's profile, nginx by the example file. Both are asked by a client
//! that checks their certificate.

use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use super::class_run::Entrance;
use super::docker::{build, docker, field, try_docker};
use super::site::{HOST, Site};
use crate::classroom::{PATIENCE, within};

/// A door through the compose file's own proxy, by the authority that it has made for itself.
pub fn caddy(site: &Site) -> Entrance {
    let container = site.container("tls");
    let path = "/data/caddy/pki/authorities/local/root.crt";
    let read = || try_docker(&["exec", &container, "cat", path]);
    let there = within(PATIENCE, || read().status.success());
    assert!(there, "the proxy has an authority:\n{}", site.logs("tls"));
    Entrance::tls(site.https(), &String::from_utf8_lossy(&read().stdout))
}

/// nginx with the example file, in the service's own network as on one machine. Dropping it removes it.
pub struct Nginx {
    container: String,
    image: String,
    address: SocketAddr,
    root: String,
}

impl Nginx {
    /// Starts it beside the service, with a certificate signed by itself.
    pub fn start(site: &Site, debian: &str) -> Self {
        let folder = site.folder().join("target-nginx");
        fs::create_dir_all(&folder).expect("a folder");
        let example =
            fs::read_to_string(site.folder().join("deploy/nginx.conf")).expect("the example");
        // All that an operator has to change.
        let own = example.replace("sms.example.org", HOST);
        fs::write(folder.join("sms.conf"), own).expect("the disk has room");
        fs::write(folder.join("Dockerfile"), recipe(debian)).expect("the disk has room");
        let image = format!("{}-nginx", site.full_name("test"));
        build(&folder, &["--quiet", "--tag", &image]);
        let sms = site.container("sms");
        let beside = format!("container:{sms}");
        let container = docker(["run", "--detach", "--network", &beside, &image]);
        let ip = format!(
            r#"{{{{(index .NetworkSettings.Networks "{}").IPAddress}}}}"#,
            site.full_name("outside")
        );
        let ip: IpAddr = field(&sms, &ip).parse().expect("an address");
        let certificate = format!("/etc/letsencrypt/live/{HOST}/fullchain.pem");
        let root = docker(["exec", &container, "cat", &certificate]);
        Self {
            container,
            image,
            address: SocketAddr::new(ip, 443),
            root,
        }
    }

    /// A door through it.
    pub fn door(&self) -> Entrance {
        Entrance::tls(self.address, &self.root)
    }

    /// All that it has logged, requests as well.
    pub fn log(&self) -> String {
        docker([
            "exec",
            &self.container,
            "sh",
            "-c",
            "cat /var/log/nginx/*.log",
        ])
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        try_docker(&["rm", "--force", &self.container]);
        try_docker(&["rmi", "--force", &self.image]);
    }
}

fn recipe(debian: &str) -> String {
    let folder = format!("/etc/letsencrypt/live/{HOST}");
    format!(
        "FROM {debian}
RUN apt-get update && apt-get install -y --no-install-recommends nginx-light openssl
RUN mkdir -p {folder} && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 \\
    -subj /CN={HOST} -addext subjectAltName=DNS:{HOST} -addext basicConstraints=critical,CA:FALSE \\
    -keyout {folder}/privkey.pem -out {folder}/fullchain.pem
COPY sms.conf /etc/nginx/sites-enabled/sms.conf
RUN rm -f /etc/nginx/sites-enabled/default && nginx -t
CMD [\"nginx\", \"-g\", \"daemon off;\"]
"
    )
}

/// The default of an `ARG` of the Dockerfile.
pub fn base_image(project: &Path, name: &str) -> String {
    let recipe = fs::read_to_string(project.join("Dockerfile")).expect("a Dockerfile");
    let wanted = format!("ARG {name}=");
    let line = recipe.lines().find_map(|line| line.strip_prefix(&wanted));
    line.expect("the ARG has a default").to_owned()
}
