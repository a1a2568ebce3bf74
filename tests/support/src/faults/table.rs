//! What a proof found, and the table of it.

use std::fmt::Write as _;

use crate::classroom::Classroom;
use crate::classroom::student::Student;

/// What one kind of fault did.
#[derive(Clone, Debug, Default)]
pub struct Row {
    /// The fault, in words.
    pub fault: String,
    /// How many students met it.
    pub students: usize,
    /// Students without a login that works, or whose texts were never answered.
    pub lost: usize,
    /// Students with a second account, or with a text that they should not have got.
    pub doubled: usize,
    /// Accounts or workspaces that nobody would remove, rows without an account, foreign users touched.
    pub orphaned: usize,
    /// Figures worth knowing.
    pub note: String,
}

impl Row {
    /// A row with nothing counted yet.
    pub fn new(fault: impl Into<String>) -> Self {
        Self {
            fault: fault.into(),
            ..Self::default()
        }
    }

    /// Whether nobody came to harm, and somebody was there to.
    pub fn holds(&self) -> bool {
        self.students > 0 && self.harmed() == 0
    }

    /// How much harm was counted.
    pub fn harmed(&self) -> usize {
        self.lost + self.doubled + self.orphaned
    }

    /// Adds what another row counted.
    pub fn add(&mut self, other: &Self) {
        self.students += other.students;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.orphaned += other.orphaned;
    }

    /// Counts a class whose texts are all answered and whose accounts still stand: each of
    /// `students`, who are all of the class, asked once or more and expects a login that works;
    /// `surplus` more texts than `expected` may have come to each of them.
    pub fn count(
        &mut self,
        class: &Classroom,
        students: &[Student<'_>],
        expected: usize,
        surplus: usize,
    ) {
        self.count_logins(students, expected + surplus);
        self.count_accounts(class, students.len());
    }

    /// Counts students, who must each have a login that works, and texts, of which there may be at most this number.
    pub fn count_logins(&mut self, students: &[Student<'_>], most: usize) {
        self.students += students.len();
        for student in students {
            self.lost += usize::from(!student.can_log_in());
            self.doubled += usize::from(student.inbox().len() > most);
        }
    }

    /// Counts accounts: at most this number were ever made, and all that exist are known.
    pub fn count_accounts(&mut self, class: &Classroom, made: usize) {
        let ever = class.coder().created_ever().len();
        self.doubled += ever.saturating_sub(made);
        let accounts = class.coder().students().len();
        self.orphaned += accounts.abs_diff(class.registrations());
        self.orphaned += class.coder().touched_foreign().len();
    }

    /// Counts a database that SQLite finds damaged as a loss.
    pub fn check_database(&mut self, class: &Classroom) {
        let verdict = class.query("PRAGMA integrity_check");
        self.lost += usize::from(verdict != "ok");
    }

    /// Counts a class whose time is up: nothing may be left.
    pub fn count_left(&mut self, class: &Classroom) {
        let left = class.coder().students().len() + class.registrations();
        self.orphaned += left + usize::from(!class.workspaces_are_deleted());
        self.orphaned += class.coder().touched_foreign().len();
    }
}

/// The closing table.
pub fn draw(rows: &[Row]) -> String {
    let width = rows.iter().map(|row| row.fault.chars().count()).max();
    let width = width.unwrap_or(0).max("fault".len());
    let mut table = format!(
        "{:width$}  {:>8}  {:>5}  {:>7}  {:>8}  {}\n",
        "fault", "students", "lost", "doubled", "orphaned", "figures"
    );
    for row in rows {
        let _ = writeln!(
            table,
            "{:width$}  {:>8}  {:>5}  {:>7}  {:>8}  {}",
            row.fault, row.students, row.lost, row.doubled, row.orphaned, row.note
        );
    }
    table
}
