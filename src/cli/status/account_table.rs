//! The accounts as a table. Columns are left out and shortened to fit the terminal.

use super::super::harmless;
use super::overview::{ClassView, HAS_LOGIN, login_at, on_screen_words};
use crate::domain::registration::{Registration, Stage};
use crate::domain::span;
use crate::terminal::{Colours, Tone, shortened};

/// The width, in columns, below which workspaces are left out rather than shortened further.
const LEAST_WORKSPACES: usize = 12;

impl ClassView {
    /// The titles, and as many rows as fit into `room` lines; accounts whose students have no login come first.
    pub(super) fn table(
        &self,
        width: Option<usize>,
        room: Option<usize>,
        colours: Colours,
    ) -> Vec<String> {
        let mut rows: Vec<&Registration> = self.roster.iter().collect();
        let all = rows.len();
        if let Some(room) = room {
            rows.sort_by_key(|one| self.rank(one));
            let fits = match room.saturating_sub(1) {
                fits if all <= fits => all,
                fits => fits.saturating_sub(1),
            };
            rows.truncate(fits);
        }
        let mut columns = self.columns(&rows);
        if let Some(width) = width {
            fit(&mut columns, width);
        }
        let mut lines = Vec::new();
        if !rows.is_empty() {
            let titles = columns.iter().map(|one| (one.title, Tone::Plain));
            lines.push(line(&columns, titles, colours));
        }
        for row in 0..rows.len() {
            let cells = columns.iter().map(|one| {
                let (words, tone) = &one.cells[row];
                (words.as_str(), *tone)
            });
            lines.push(line(&columns, cells, colours));
        }
        if rows.len() < all {
            let more = format!("and {} more", all - rows.len());
            lines.push(shortened(&more, width.unwrap_or(usize::MAX)));
        }
        lines
    }

    /// The order of rows: first accounts whose login did not arrive, then those without a login, then those that are
    /// overdue for removal.
    fn rank(&self, registration: &Registration) -> u8 {
        if self.undelivered(registration).is_some() {
            0
        } else if self.waits_for_login(registration) {
            1
        } else if registration.is_due(self.now) {
            2
        } else {
            3
        }
    }

    fn columns(&self, rows: &[&Registration]) -> Vec<Column> {
        let plain = |cell: &dyn Fn(&Registration) -> String| -> Vec<(String, Tone)> {
            let cell = |one: &&Registration| (harmless(&cell(one)), Tone::Plain);
            rows.iter().map(cell).collect()
        };
        let column = |title, drop, cells| Column {
            title,
            drop,
            cells,
            width: 0,
        };
        let states = rows.iter().map(|one| self.state_or_delivery(one)).collect();
        let mut columns = vec![
            column("USER", None, plain(&|one| one.username.to_string())),
            column("STATE", None, states),
            column("LOGIN SENT", Some(0), plain(&|one| self.login_sent(one))),
            column("LEFT", Some(3), plain(&|one| self.left(one))),
        ];
        if rows.iter().any(|one| one.class.is_some()) {
            let class = |one: &Registration| {
                let class = one.class.as_ref();
                class.map_or_else(|| "-".to_owned(), ToString::to_string)
            };
            columns.insert(1, column("CLASS", Some(4), plain(&class)));
        }
        if self.coder().is_some() {
            let seen = plain(&|one| self.last_seen(one));
            columns.push(column("LAST SEEN", Some(2), seen));
            let workspaces = plain(&|one| self.workspaces(one));
            if workspaces.iter().any(|(words, _)| !words.is_empty()) {
                columns.push(column(WORKSPACES, Some(1), workspaces));
            }
        }
        columns.iter_mut().for_each(Column::measure);
        columns
    }

    /// The state of an account or, where it is known, of its login text.
    fn state_or_delivery(&self, registration: &Registration) -> (String, Tone) {
        let state = self.state(registration);
        if let Some(receipt) = self.undelivered(registration) {
            let code = receipt
                .code
                .map_or_else(String::new, |code| format!(" {code}"));
            return (format!("{}{code}", receipt.delivery.as_str()), Tone::Fault);
        }
        if state == HAS_LOGIN
            && let Some(on_screen) = registration.on_screen()
        {
            return (on_screen_words(on_screen).to_owned(), Tone::Plain);
        }
        // Without receipts "queued" is the last state that is ever known.
        let receipt = self
            .receipt(registration)
            .filter(|receipt| state == HAS_LOGIN && receipt.delivery.has_left());
        let words = receipt.map_or_else(
            || state.to_owned(),
            |receipt| format!("login {}", receipt.delivery.as_str()),
        );
        (words, Tone::Plain)
    }

    fn login_sent(&self, registration: &Registration) -> String {
        match login_at(registration) {
            Some(at) => self.ago(Some(at)),
            None if registration.adopted_at.is_some() => "-".to_owned(),
            None => format!("asked {}", self.ago(Some(registration.reserved_at))),
        }
    }

    fn left(&self, registration: &Registration) -> String {
        match (registration.stage, registration.due_at) {
            (_, Some(due)) if due <= self.now => "up".to_owned(),
            (Stage::Announced, None) => "no end".to_owned(),
            (Stage::Announced, Some(due)) => span(due - self.now),
            // Until then its laptop can fetch the login.
            (Stage::Created, Some(due)) if !self.reply.by_text() => span(due - self.now),
            _ => "-".to_owned(),
        }
    }

    fn last_seen(&self, registration: &Registration) -> String {
        let coder = self.coder();
        let user = coder.and_then(|coder| coder.user(registration));
        match user.map(|user| user.last_seen()) {
            None if coder.is_some_and(|coder| !coder.lists_all_users()) => "unknown".to_owned(),
            None => "no user".to_owned(),
            Some(None) => "never".to_owned(),
            Some(seen) => self.ago(seen),
        }
    }

    fn workspaces(&self, registration: &Registration) -> String {
        let Some(coder) = self.coder() else {
            return String::new();
        };
        let user = coder.user(registration);
        let all = user.map_or_else(Vec::new, |user| coder.workspaces(user));
        let words = all
            .iter()
            .map(|one| format!("{} {}", one.name, one.latest_build.status));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// The column that may be shortened.
const WORKSPACES: &str = "WORKSPACES";

/// A column of the table.
struct Column {
    title: &'static str,
    /// The order in which columns are left out if they do not fit, the lowest number first; `None` = never.
    drop: Option<u8>,
    cells: Vec<(String, Tone)>,
    width: usize,
}

impl Column {
    fn measure(&mut self) {
        let cells = self.cells.iter().map(|(words, _)| words.chars().count());
        self.width = cells.max().unwrap_or(0).max(self.title.len());
    }
}

/// The number of spaces between two columns.
const GAP: usize = 2;

/// Leaves out and shortens columns until the table is at most `width` wide.
fn fit(columns: &mut Vec<Column>, width: usize) {
    loop {
        let total: usize = columns.iter().map(|one| one.width + GAP).sum();
        let over = total.saturating_sub(width + GAP);
        if over == 0 {
            return;
        }
        let first = columns.iter().filter_map(|one| one.drop).min();
        // It is shortened rather than left out; columns that matter less have gone before.
        if let Some(last) = columns.iter_mut().find(|one| one.title == WORKSPACES)
            && last.drop == first
            && last.width >= LEAST_WORKSPACES + over
        {
            last.width -= over;
            return;
        }
        if first.is_none() {
            // Only names and states are left, and the terminal is very narrow.
            let half = width.saturating_sub(GAP) / 2;
            for column in columns.iter_mut() {
                column.width = column.width.min(half.max(1));
            }
            return;
        }
        columns.retain(|one| one.drop != first);
    }
}

fn line<'a>(
    columns: &[Column],
    cells: impl Iterator<Item = (&'a str, Tone)>,
    colours: Colours,
) -> String {
    let mut text = String::new();
    let mut gap = 0;
    for (column, (words, tone)) in columns.iter().zip(cells) {
        let words = shortened(words, column.width);
        text += &" ".repeat(gap);
        text += &colours.paint(tone, &words);
        gap = GAP + column.width - words.chars().count();
    }
    text.truncate(text.trim_end().len());
    text
}
