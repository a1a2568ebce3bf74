//! A story as the model has told it, a move a line: what to play, what is so afterwards, and the same in words.

/// A story of the model.
pub struct Told {
    /// The name of its file.
    pub name: &'static str,
    /// Its moves.
    pub moves: Vec<ToldMove>,
}

/// One move.
#[derive(Clone, Debug)]
pub struct ToldMove {
    /// What happens: what moves, at which step, and how that ends.
    pub form: [String; 3],
    /// The student now has a login that has to work.
    pub login: bool,
    /// The worker's attempt, or the reaper's inspection, is over.
    pub rests: bool,
    /// The database is written to.
    pub writes: bool,
    /// The reaper has found the user.
    pub found: bool,
    /// How far the last registration is then, where the database is written to.
    pub stage: Option<String>,
    /// The same in plain words.
    pub words: String,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("../../../../data/stories/", $name, ".txt")))),*]
    };
}

const FILES: [(&str, &str); 11] = files![
    "longest",
    "strange-01",
    "strange-02",
    "strange-03",
    "strange-04",
    "strange-05",
    "strange-06",
    "strange-07",
    "strange-08",
    "strange-09",
    "strange-10",
];

/// All stories, the longest one first.
pub fn all() -> Vec<Told> {
    let read = |(name, text): (&'static str, &str)| Told {
        name,
        moves: text
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| ToldMove::read(line).unwrap_or_else(|| panic!("{name}: no move: {line}")))
            .collect(),
    };
    FILES.into_iter().map(read).collect()
}

impl ToldMove {
    fn read(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, '|').map(str::trim);
        let (form, marks, words) = (parts.next()?, parts.next()?, parts.next()?);
        let mut form = form.split(' ').map(str::to_owned);
        let stage = marks.split(' ').find_map(|one| one.strip_prefix("row:"));
        let has = |mark: &str| marks.split(' ').any(|one| one == mark);
        Some(Self {
            form: [(); 3].map(|()| form.next().unwrap_or_default()),
            login: has("login"),
            rests: has("rests"),
            writes: has("writes"),
            found: has("found"),
            stage: stage.map(str::to_owned),
            words: words.to_owned(),
        })
    }

    /// What moves, at which step, and how that ends.
    pub fn parts(&self) -> [&str; 3] {
        let [who, step, luck] = &self.form;
        [who, step, luck]
    }
}
