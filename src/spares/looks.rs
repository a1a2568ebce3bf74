//! Looks at Coder whether somebody has used a spare, and at its workspace whether it runs.

use std::collections::{HashMap, HashSet};

use log::{error, info, warn};

use super::{SpareKeeper, build_again};
use crate::coder::{CoderError, LoginType, User};
use crate::config::ClassConfig;
use crate::domain::registration::Stage;
use crate::domain::{ClassName, UnixSeconds, WorkspaceTrouble, count};
use crate::obstacles::{Observer, Obstacle};
use crate::store::{Spare, SpareBuild, StoreError};

/// Whether nobody has used a user since it was made. Right after a login only one of the two shows it.
pub(super) fn is_unused(user: &User) -> bool {
    user.status == "dormant"
        && user.last_seen().is_none()
        && !user.has_roles
        && matches!(user.login_type, LoginType::Password | LoginType::Unknown)
}

/// Whether a spare has all that its class wants. Whether somebody has used it is another question.
fn is_whole(spare: &Spare, class: &ClassConfig) -> bool {
    let runs = spare.build == SpareBuild::Running;
    let is_made = spare.stage == Stage::Created;
    is_made && (runs || class.workspace_of(spare.class.as_ref()).is_none())
}

impl SpareKeeper {
    /// Reads which spares somebody has used, or deleted, and dismisses them. What is left stays in `spares`.
    pub(super) fn look(
        &mut self,
        spares: &mut Vec<Spare>,
        now: UnixSeconds,
    ) -> Result<Result<(), CoderError>, StoreError> {
        let ids = spares
            .iter()
            .filter_map(|one| Some((one.coder_id.as_deref()?, one.id)));
        let ids: HashMap<&str, i64> = ids.collect();
        let mut unused: HashSet<i64> = HashSet::new();
        let listed = self.coder.each_user_of(&self.email_domain, |user| {
            let spare = ids.get(user.id.as_str()).filter(|_| is_unused(user));
            unused.extend(spare);
        });
        // Without the right to see users the list is empty.
        let listed = listed.and_then(|complete| Ok(complete && self.coder.rights()?.see_users));
        match listed {
            Ok(true) => {}
            Ok(false) => return Ok(Ok(())),
            Err(fault) => return Ok(Err(fault)),
        }
        let is_fine = |spare: &Spare| spare.stage == Stage::Reserved || unused.contains(&spare.id);
        let (fine, lost): (Vec<Spare>, Vec<Spare>) = spares.drain(..).partition(is_fine);
        *spares = fine;
        let looked_at: Vec<i64> = unused.iter().copied().collect();
        self.store.spares_unused(&looked_at, now)?;
        // Some may have got a student since they were read.
        let dismissed = self.dismiss_all(&lost, now)?;
        if dismissed > 0 {
            let number = count(dismissed, "spare account");
            warn!("{number} used, changed or deleted at Coder by somebody: removal follows");
        }
        self.note_good(spares, &unused);
        Ok(Ok(()))
    }

    /// Dismisses spares that have failed. Returns how many of them still were spares.
    fn dismiss_all(&mut self, spares: &[Spare], now: UnixSeconds) -> Result<usize, StoreError> {
        let mut dismissed = 0;
        for spare in spares {
            if self.store.dismiss_spare(spare.id, now)? {
                let class = spare.class.clone();
                self.pools.entry(class).or_default().fail();
                dismissed += 1;
            }
        }
        if dismissed > 0 {
            (self.on_dismissed)();
        }
        Ok(dismissed)
    }

    /// Notes which spares have turned out well: nobody has used them, and their workspaces run.
    fn note_good(&mut self, spares: &[Spare], unused: &HashSet<i64>) {
        let mut good: HashMap<Option<ClassName>, HashSet<i64>> = HashMap::new();
        for spare in spares {
            if is_whole(spare, &self.class) && unused.contains(&spare.id) {
                let of_class = good.entry(spare.class.clone()).or_default();
                of_class.insert(spare.id);
            }
        }
        for (class, good) in good {
            if self.pools.entry(class).or_default().note_good(good) {
                info!("spare accounts turn out well again; what is missing is made");
            }
        }
    }

    /// Replaces spares whose builds failed, as long as that is allowed. What is left stays in `spares`.
    pub(super) fn judge_builds(
        &mut self,
        spares: &mut Vec<Spare>,
        now: UnixSeconds,
    ) -> Result<(), StoreError> {
        let has_failed = |spare: &Spare| {
            matches!(
                spare.build,
                SpareBuild::Troubled {
                    trouble: WorkspaceTrouble::BuildFailed,
                    given_up: true,
                }
            )
        };
        let (failed, others): (Vec<Spare>, Vec<Spare>) = spares.drain(..).partition(has_failed);
        *spares = others;
        for spare in failed {
            let class = self.class.class(spare.class.as_ref());
            let wanted = class.map_or(0, |class| class.spares_wanted(now));
            let pool = self.pools.entry(spare.class.clone()).or_default();
            if pool.replaces(wanted) {
                let username = &spare.username;
                warn!("the build of the spare workspace of {username} failed: it is replaced");
                self.dismiss_all(&[spare], now)?;
            } else {
                pool.fail();
                let id = spare.id;
                self.store.try_workspace_again(id, now + build_again())?;
                spares.push(spare);
            }
        }
        self.tell_given_up(spares, now);
        Ok(())
    }

    /// Logs once that the spares of a class are given up, and shows whether those of any class are.
    fn tell_given_up(&mut self, spares: &[Spare], now: UnixSeconds) {
        let mut any = false;
        for class in &self.class.classes {
            let wanted = class.spares_wanted(now);
            let Some(pool) = self.pools.get_mut(&class.name) else {
                continue;
            };
            if wanted == 0 || !pool.is_exhausted(wanted) {
                continue;
            }
            any = true;
            let own = spares.iter().filter(|one| one.class == class.name);
            let healthy = own.filter(|one| is_whole(one, &self.class));
            if !pool.give_up(healthy.map(|one| one.id), now) {
                continue;
            }
            let whose = class.name.as_ref();
            let whose = whose.map_or_else(String::new, |name| format!(" of the class {name}"));
            error!(
                "the spare accounts{whose} fail one after the other, so no more are made for now: their builds fail, or somebody uses or deletes them. See the builds at Coder, under Workspaces, and mend the template. Every {} minutes failed ones are built again, and a missing one is made, until one turns out well. Students get logins all the same",
                build_again() / 60
            );
        }
        self.obstacles
            .set(Obstacle::SparesFail, Observer::Spares, any);
    }
}
