//! Checks the template of which students get workspaces: whether it is there, and whether one can be made of
//! it with the parameters of the settings.

use super::Notes;
use super::coder::{CoderFacts, skip_unless_general};
use crate::clock::unix_now;
use crate::coder::{Coder, CoderError, Template, TemplateNeeds};
use crate::config::{PartialConfig, TemplateRef, WorkspaceConfig};
use crate::similar::closest;

pub(super) fn inspect(
    coder: &Coder,
    parts: &PartialConfig,
    _: &mut CoderFacts,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let Some(class) = &parts.class else {
        return Ok(());
    };
    let all = class.workspaces_to_come(unix_now());
    if all.is_empty() {
        return Ok(());
    }
    let look_at_all = |notes: &mut Notes<'_>| {
        notes.judge(
            coder.may_create_workspaces_of_others()?,
            "it may make workspaces of others (authcheck)",
            "the token may not make workspaces of others (authcheck): students get none with their login",
            "give the token's user the role Organization Admin of the default organization",
        );
        for wanted in all {
            look(coder, wanted, &class.template_setting(wanted), notes)?;
        }
        Ok(())
    };
    match look_at_all(notes) {
        Ok(()) => Ok(()),
        Err(error) => skip_unless_general(error, "the template (CODER_REG_TEMPLATE)", notes),
    }
}

fn look(
    coder: &Coder,
    wanted: &WorkspaceConfig,
    setting: &str,
    notes: &mut Notes<'_>,
) -> Result<(), CoderError> {
    let name = wanted.template.as_str();
    let Some(template) = find(coder, &wanted.template)? else {
        let known = coder.templates()?;
        let known: Vec<&str> = known.iter().map(|one| one.name.as_str()).collect();
        let cure = match known.as_slice() {
            [] => "create a template there, and let its members use it".to_owned(),
            known => format!("set {setting} to one of: {}", known.join(", ")),
        };
        notes.fault(
            format!("there is no template {name} in the default organization"),
            cure,
        );
        return Ok(());
    };
    if template.deprecated {
        notes.fault(
            format!("the template {name} is deprecated: no workspace is made of it"),
            format!("remove the deprecation in the template's settings at Coder, or set {setting} to another template"),
        );
        return Ok(());
    }
    notes.pass(format!("students get a workspace of the template {name}"));
    judge_needs(&coder.template_needs(&template.version)?, wanted, notes);
    Ok(())
}

/// The template that is set.
pub(super) fn find(coder: &Coder, wanted: &TemplateRef) -> Result<Option<Template>, CoderError> {
    match wanted {
        TemplateRef::Name(name) => coder.template_named(name),
        TemplateRef::Id(id) => coder.template_with_id(id),
    }
}

fn judge_needs(needs: &TemplateNeeds, wanted: &WorkspaceConfig, notes: &mut Notes<'_>) {
    let name = wanted.template.as_str();
    match needs.import.as_str() {
        "succeeded" => notes.pass("its active version is imported"),
        "pending" | "running" => notes.warn(
            "its active version is still being imported: no workspace is made before that",
            "wait until Coder shows it as active, and check again",
        ),
        state => notes.fault(
            format!("the import of its active version has {state}: no workspace is made of it"),
            format!("push the template again: coder templates push {name}"),
        ),
    }
    let services = |optional: bool| {
        let all = needs.external_auth.iter();
        let all = all.filter(|one| one.optional == optional);
        all.map(|one| one.id.as_str())
            .collect::<Vec<_>>()
            .join(", ")
    };
    if !services(false).is_empty() {
        notes.warn(
            format!("students must sign in to {} first: later releases of Coder make no workspace before that", services(false)),
            "make that sign-in optional in the template (optional = true in coder_external_auth)",
        );
    }
    judge_parameters(needs, wanted, notes);
}

/// Compares the parameters that are given with those of the template.
fn judge_parameters(needs: &TemplateNeeds, wanted: &WorkspaceConfig, notes: &mut Notes<'_>) {
    let mut missing = 0;
    for parameter in &needs.parameters {
        let given = wanted
            .parameters
            .iter()
            .find(|(name, _)| *name == parameter.name);
        match given {
            None if parameter.required => {
                missing += 1;
                notes.fault(
                    format!(
                        "the template requires the parameter {}, which is not given",
                        parameter.name
                    ),
                    format!("add {}=VALUE to CODER_REG_PARAMETERS", parameter.name),
                );
            }
            Some((_, value)) if !parameter.allows(value) => {
                missing += 1;
                notes.fault(
                    format!(
                        "the template does not allow the value of the parameter {}",
                        parameter.name
                    ),
                    format!(
                        "set it in CODER_REG_PARAMETERS to one of: {}",
                        parameter.options.join(", ")
                    ),
                );
            }
            _ => {}
        }
    }
    for (given, _) in &wanted.parameters {
        let known = || needs.parameters.iter().map(|one| one.name.as_str());
        if known().all(|name| name != given) {
            let cure = match closest(given, known()) {
                Some(name) => format!("you may mean {name}"),
                None => "remove it from CODER_REG_PARAMETERS".to_owned(),
            };
            notes.warn(format!("the template has no parameter {given}"), cure);
        }
    }
    if missing == 0 {
        notes.pass("its required parameters are given (CODER_REG_PARAMETERS)");
    }
}
